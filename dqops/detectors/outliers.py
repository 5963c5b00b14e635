"""Numbers that do not belong to their column: too far, too fine, between its levels, or against their neighbours."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.contracts import Detector
from dqops.tables.contents import counted
from dqops.tables.distinct import some_held
from dqops.tables.levels import finer_than, has_decimals, level_bounds, usual_levels
from dqops.tables.meaning import meaning_of
from dqops.tables.order import between_neighbours, follows_order, jump_sizes, lone_share, where_neighbours_agree
from dqops.tables.relations import find_relations
from dqops.tables.tails import strange_sign, tail_bounds

_LOOKED_AT = 20_000  # cells that show how a column is spread
_RELATED = 5_000  # rows on which relations between columns are learned
_FEWEST_ROWS = 6  # fewer say nothing of what is usual
_BLOCK = 100_000  # rows searched at a time for cells that break a relation
_FEW_LEVELS = 1_000  # distinct numbers up to which a column may have levels
_FEW = 30  # distinct numbers up to which nothing between two of them can be true
_JUMP, _SURE_JUMP = 8.0, 20.0  # times the usual distance to the neighbours: suspicious, beyond doubt
_CLEAR = 3.0  # sure jumps for each suspicious one, where slips and liveliness are two things
_LONE = 0.8  # share of the jumps that stand alone; short spells of other numbers are not slips
_SPIKE = 5.0  # times the cells of any number near it, at the end of a column that was cut off

_FAR = "far beyond what the rest of its column leads to"
_FINE = "written with more decimals than the rest of its column"
_OFF_LEVEL = "none of the few numbers that its column holds"
_MISFIT = "at odds with the other columns of its row, which predict it closely"
_FLIPPED = "negative, among positive numbers of the same size"
_AGAINST = "a lone jump against the rows before and after"
_CAPPED = "the largest number of its column, made of nines and unusually frequent: probably cut off"


@dataclass(frozen=True)
class _Spread:
    """How the numbers of a column are spread."""

    low: float = -np.inf
    high: float = np.inf
    middle: float = 0.0
    repeated: tuple = ()
    decimals: int | None = None
    levels: np.ndarray | None = None
    in_order: bool = False
    cap: float | None = None
    flipped: bool = False


@dataclass(frozen=True)
class Outliers(Detector):
    """Numbers that do not belong where they stand.

    Several kinds of evidence, each learned on a sample and asked only where the sample shows it: beyond the column's
    own tails; finer than the grid on which nearly all of the column stands; none of its few levels; of the other sign;
    a lone jump where neighbouring rows are alike; at odds with other columns that predict it closely. Heavy tails, rare levels and lively stretches that are the column's own are left
    alone. For jumps the number between the neighbours is suggested, in a column of few numbers only the one that both hold.

    Examples
    --------
    >>> Outliers()
    Outliers()
    """

    name = "outliers"

    def fit(self, table, design, rng):
        if table.n_rows < _FEWEST_ROWS:
            return self.fitted(spreads={}, relations=None)
        numbers = {name: meaning.values for name, meaning in table.meanings.items() if meaning.kind == "number"}
        with np.errstate(all="ignore"):  # numbers near the end of the range of floats
            spreads = {name: _spread(values) for name, values in numbers.items() if values.null_count() < table.n_rows}
        step = max(1, table.n_rows // _RELATED)
        relations = find_relations(pl.DataFrame({name: numbers[name].gather_every(step) for name in spreads}))
        return self.fitted(spreads=spreads, relations=relations)

    def find(self, table):
        here = set(table.columns)
        names = [name for name in self.spreads_ if name in here and table.n_rows]
        numbers = {name: _numbers(table, name) for name in names}
        with np.errstate(all="ignore"):
            doubts = {name: _doubts(numbers[name], self.spreads_[name]) for name in names}
        if self.relations_ is not None and set(self.relations_.columns) <= set(names):
            _add_misfits(self.relations_, numbers, doubts, table.n_rows)
        return self.findings([self._group(table, name, numbers[name], doubts[name]) for name in names])

    def _group(self, table, name, numbers, doubts):
        if not doubts:
            return None
        scores, reason = np.zeros(table.n_rows), np.full(table.n_rows, -1)
        for number, (mask, score, _) in enumerate(doubts):
            better = mask & (score > scores)
            scores = np.where(better, score, scores)
            reason[better] = number
        positions = np.flatnonzero(reason >= 0)
        whys = np.array([why for _, _, why in doubts], dtype=object)[reason[positions]]
        counts = [(int((reason == number).sum()), why) for number, (_, _, why) in enumerate(doubts)]
        message = f"{name}: " + "; ".join(f"{counted(count)}: {why}" for count, why in counts if count)
        suggestions = _suggested(numbers, reason >= 0, self.spreads_[name])
        return self.finding(table, name, positions, scores[positions], whys, message, suggestions=suggestions)


def _numbers(table, name):
    """The column as numbers, read as it was when fitted."""
    meaning = table.meanings.get(name)
    if meaning is None or meaning.kind != "number":
        meaning = meaning_of(name, table.raw[name], table.frame[name], "number")
    return meaning.values


def _add_misfits(relations, numbers, doubts, n_rows):
    """Add cells that do not go with their row; cells in doubt already speak for or against no other."""
    odd = {name: np.any([mask for mask, _, _ in doubts[name]], axis=0) if doubts[name] else None for name in relations.columns}
    found = []
    for start in range(0, n_rows, _BLOCK):
        block = np.column_stack([numbers[name][start : start + _BLOCK].fill_null(float("nan")).to_numpy() for name in relations.columns])
        for place, name in enumerate(relations.columns):
            if odd[name] is not None:
                block[odd[name][start : start + _BLOCK], place] = np.nan
        rows, columns, chances = relations.misfits(block)
        found.append((rows + start, columns, chances))
    rows, columns, chances = (np.concatenate(part) for part in zip(*found, strict=True))
    for place in np.unique(columns):
        mask, score = np.zeros(n_rows, dtype=bool), np.zeros(n_rows)
        mask[rows[columns == place]], score[rows[columns == place]] = True, chances[columns == place]
        doubts[relations.columns[place]].append((mask, score, _MISFIT))


def _spread(values):
    """What a sample of the column shows."""
    n_held = len(values) - values.null_count()
    some = some_held(values, _LOOKED_AT).to_numpy()
    digits = finer_than(some)
    rest = some if digits is None else some[has_decimals(some, digits)]
    levels, counts = np.unique(rest, return_counts=True)
    low, high = tail_bounds(rest, n_held)
    if not np.isfinite([low, high]).any():
        low, high = level_bounds(levels, counts)
    usual = None
    if 3 <= len(levels) <= _FEW_LEVELS and len(levels) < 0.5 * len(rest):
        usual = usual_levels(levels, counts)
    in_order = follows_order(values.fill_null(float("nan")).to_numpy()) and not _is_sorted(values.drop_nulls())
    repeated = _repeated(levels, counts, low, high)
    flipped = strange_sign(rest)
    return _Spread(low, high, float(np.median(rest)), repeated, digits, usual, in_order, _cap(levels, counts), flipped)


def _repeated(levels, counts, low, high):
    """Far numbers that stand as often as those within: levels of their own, as among codes."""
    far = (levels < low) | (levels > high)
    if not far.any() or far.all():
        return ()
    usual = np.median(counts[~far])
    return tuple(levels[far & (counts >= 3) & (counts >= 0.3 * usual)].tolist())


def _is_sorted(held):
    return held.is_sorted() or held.is_sorted(descending=True)


def _cap(levels, counts):
    """The largest number where the column seems cut off there."""
    last = levels[-1]
    nines = last >= 99 and float(last).is_integer() and set(f"{last:.0f}") == {"9"}
    if not nines or len(levels) < 20:
        return None
    return float(last) if counts[-1] >= 3 and counts[-1] > _SPIKE * np.median(counts[-6:-1]) else None


def _asks(spread, values):
    """Cheap look: whether any evidence may hold in this column."""
    if spread.in_order or spread.flipped or any(one is not None for one in (spread.levels, spread.decimals, spread.cap)):
        return True
    low, high = values.min(), values.max()
    return low is not None and (low < spread.low or high > spread.high)


def _doubts(numbers, spread):
    """Masks with scores and reasons, of the evidence that the column's spread asks for."""
    if not _asks(spread, numbers):
        return []
    values = numbers.fill_null(float("nan")).to_numpy()
    known = np.isfinite(values)
    doubts = []
    if spread.decimals is not None:
        fine = known.copy()
        fine[known] = ~has_decimals(values[known], min(spread.decimals + 2, 9))
        doubts.append((fine, 0.95, _FINE))
    if spread.levels is not None:
        doubts.append((known & ~np.isin(values, spread.levels), 0.9, _OFF_LEVEL))
    if spread.flipped:
        doubts.append((values < 0, 0.8, _FLIPPED))
    far = (values < spread.low) | (values > spread.high)
    if spread.cap is not None:
        capped = values == spread.cap
        doubts.append((capped, 0.6, _CAPPED))
        far &= ~capped
    if spread.in_order and follows_order(values):
        sizes = jump_sizes(values)
        far &= ~(sizes <= _JUMP)  # a far stretch whose rows agree is the column's own
        doubts.append(_jumps(values, sizes))
    doubts.append((far, np.where(far, _how_far(values, spread), 0.0), _FAR))
    return [one for one in doubts if one[0].any()]


def _how_far(values, spread):
    """Score by distance: even at the bound, nearly sure at ten times the distance from the column's middle."""
    reach = np.where(values > spread.high, spread.high - spread.middle, spread.middle - spread.low)
    with np.errstate(invalid="ignore", divide="ignore"):
        times = np.abs(values - spread.middle) / np.maximum(reach, 1e-300)
        score = 0.97 - 0.5 / np.maximum(times, 1.0)
    return np.where(np.isin(values, spread.repeated), 0.3, score)


def _jumps(values, sizes):
    """Lone jumps, where hardly any is of middling size: slips and liveliness are two things then."""
    large, middling = sizes > _SURE_JUMP, (sizes > _JUMP) & (sizes <= _SURE_JUMP)
    if large.sum() < _CLEAR * middling.sum() or lone_share(values, large) < _LONE:
        return np.zeros(len(values), dtype=bool), 0.0, _AGAINST
    return large | middling, np.where(large, 0.97, 0.8), _AGAINST


def _suggested(numbers, doubtful, spread):
    """The number between the neighbours where rows follow one another, nothing elsewhere; of few numbers one that both hold."""
    if not spread.in_order:
        return None
    values = np.where(doubtful, np.nan, numbers.fill_null(float("nan")).to_numpy())
    few = len(np.unique(values[np.isfinite(values)])) <= _FEW
    between = where_neighbours_agree(values, doubtful) if few else between_neighbours(values, doubtful)
    return pl.Series(between).fill_nan(None)
