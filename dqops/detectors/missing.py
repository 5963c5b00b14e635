"""Cells that hold nothing, or a word or number that stands for nothing."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.contracts import Detector
from dqops.tables.chances import chi_square_beyond
from dqops.tables.contents import counted
from dqops.tables.distinct import some_held
from dqops.tables.meaning import as_text, meaning_of
from dqops.tables.words import is_missing_word

_LOOKED_AT = 5_000  # rows that tell what emptiness goes with
_WIDEST = 300  # columns that are asked whether emptiness goes with them
_LEVELS = 12  # groups of a column when asking whether emptiness goes with it
_FEWEST = 10  # empty cells from which that question makes sense
_DESIGNED = 30  # empty cells from which another column may be said to decide them
_SURE = 0.01  # family-wise error of the answers, after Holm
_EFFECT = 0.1  # smallest association (Cramér's V) worth a sentence
_WORDY = 3.0  # mean blanks between words from which a column holds remarks
_PURE = 0.02  # error, as a share of the rarer side, below which another column decides what is empty

_EMPTY = "empty"
_DISGUISED = "a word or a number that stands for missing"
_UNLISTED = "a word that seems to stand for missing"


@dataclass(frozen=True)
class _Gap:
    """What is known about the empty cells of one column."""

    kind: str
    share: float
    by_design: bool
    remark: bool
    stand_ins: tuple
    note: str


@dataclass(frozen=True)
class Missing(Detector):
    """Empty cells, also in disguise, scored by how surely a value should stand there.

    A sporadic gap is surer than a column that is mostly empty; where another column decides what is empty, the cells
    are empty by design. Says where emptiness goes with the target or with other columns, tested with Pearson's
    chi-squared and corrected for the number of columns (Holm 1979, Scandinavian Journal of Statistics 6:65-70).

    Examples
    --------
    >>> Missing()
    Missing()
    """

    name = "missing"

    def fit(self, table, design, rng):
        empty = {name: _either(meaning.blank, meaning.disguised) for name, meaning in table.meanings.items()}
        asked = [name for name, mask in empty.items() if 0 < np.count_nonzero(mask) < len(mask)]
        notes, designed = _what_emptiness_goes_with(table, empty, asked)
        gaps = {name: _gap(table, name, mask, notes.get(name, ""), name in designed) for name, mask in empty.items()}
        return self.fitted(gaps=gaps)

    def find(self, table):
        here = set(table.columns)
        known = [name for name in self.gaps_ if name in here and table.n_rows]
        return self.findings([self._search(table, name, self.gaps_[name]) for name in known])

    def _search(self, table, name, gap):
        if gap.share == 1.0:
            return self.finding(table, name, [], 0.9, _EMPTY, f"{name} holds nothing at all", whole=True)
        blank, disguised = _empty(table, name, gap)
        if not np.count_nonzero(blank) + np.count_nonzero(disguised):
            return None
        positions = np.flatnonzero(_either(blank, disguised))
        if not np.count_nonzero(disguised):
            return self.finding(table, name, positions, np.full(len(positions), _blank_score(gap)), _EMPTY, _message(name, gap, blank, disguised))
        hidden = disguised[positions]
        whys = np.where(hidden, _DISGUISED, _EMPTY).astype(object)
        scores = np.where(hidden, _hidden_score(gap), _blank_score(gap))
        if gap.kind in ("number", "date", "boolean") and table.raw[name].dtype == pl.String:
            unlisted = _unlisted(table.raw[name].gather(positions[hidden]), gap)
            whys[np.flatnonzero(hidden)[unlisted]] = _UNLISTED
            scores[np.flatnonzero(hidden)[unlisted]] = 0.45
        return self.finding(table, name, positions, scores, whys, _message(name, gap, blank, disguised))


def _empty(table, name, gap):
    """Masks (blank, disguised) of a column of any table, read as the kind that it was fitted as."""
    meaning = table.meanings.get(name)
    if meaning is None or meaning.kind != gap.kind:
        meaning = meaning_of(name, table.raw[name], table.frame[name], gap.kind)
    disguised = meaning.disguised
    if gap.stand_ins and meaning.values.dtype == pl.Float64:
        disguised = disguised | meaning.values.is_in(list(gap.stand_ins)).fill_null(False).to_numpy()
    return meaning.blank, disguised


def _either(blank, disguised):
    """Mask of the empty cells, without a copy where none is disguised."""
    return blank | disguised if np.count_nonzero(disguised) else blank


def _unlisted(texts, gap):
    """Words that no list knows as missing for certain: learned from the column, so less sure."""
    numbers = as_text(texts).str.strip_chars().cast(pl.Float64, strict=False).is_not_null()
    return (~is_missing_word(as_text(texts), False) & ~numbers).to_numpy()


def _blank_score(gap):
    """0.95 for a sporadic gap, 0.55 where nearly all is empty, 0.3 where emptiness is meant."""
    if gap.by_design or (gap.remark and gap.share > 0.5):
        return 0.3
    return 0.95 - 0.42 * max(0.0, gap.share - 0.05)


def _hidden_score(gap):
    """A stand-in is odd as it is written, so surer than an empty cell."""
    return 0.5 + 0.5 * _blank_score(gap)


def _gap(table, name, mask, note, by_design):
    meaning = table.meanings[name]
    stand_ins = ()
    if meaning.kind == "number" and meaning.disguised.any():
        numbers = table.raw[name].filter(pl.Series(meaning.disguised)).cast(pl.Float64, strict=False).drop_nulls().drop_nans()
        stand_ins = tuple(numbers.unique().sort().to_list())
    share = np.count_nonzero(mask) / max(len(mask), 1)
    return _Gap(meaning.kind, share, by_design, _holds_remarks(meaning), stand_ins, note)


def _holds_remarks(meaning):
    """Whether the column holds sentences: a remark is not missed where there is nothing to say."""
    if meaning.kind != "text" and meaning.kind != "category":
        return False
    some = some_held(meaning.values, 1_000)
    return len(some) > 0 and float(some.str.count_matches(" ", literal=True).mean()) >= _WORDY


def _message(name, gap, blank, disguised):
    parts = []
    if blank.any():
        parts.append(f"{counted(blank.sum())} {'is' if blank.sum() == 1 else 'are'} empty")
    if disguised.any():
        parts.append(f"{counted(disguised.sum())} {'holds' if disguised.sum() == 1 else 'hold'} a word or a number that stands for missing")
    return f"{name}: " + ", ".join(parts) + gap.note


def _what_emptiness_goes_with(table, empty, asked):
    """For each column, a sentence on what its emptiness goes with; and the columns empty by design."""
    if not asked:
        return {}, set()
    rows = np.arange(table.n_rows)[:: max(1, table.n_rows // _LOOKED_AT)]
    masks = np.column_stack([empty[name][rows] for name in asked])
    enough = (masks.sum(axis=0) >= _FEWEST) & ((~masks).sum(axis=0) >= _FEWEST)
    target = table.roles.target
    answers, designed = [], set()
    for other in dict.fromkeys([*([target] if target in table.searched else []), *table.searched[:_WIDEST]]):
        codes, held_levels = _groups(table, other, rows)
        for place, (strength, chance, pure) in enumerate(_associations(codes, masks, held_levels)):
            if asked[place] == other or not enough[place]:
                continue
            answers.append((chance, strength, asked[place], other))
            if pure and other != target and table.meanings[other].kind != "text" and masks[:, place].sum() >= _DESIGNED:
                designed.add(asked[place])
    return _notes(_holm(answers), target, designed), designed


def _notes(answers, target, designed):
    """For each column what is said of the target, and of the column that emptiness goes with most."""
    targets, causes = {}, {}
    for _, strength, name, other in sorted(answers, key=lambda answer: -answer[1]):
        if strength < _EFFECT:
            continue
        if other == target:
            targets[name] = f"; emptiness goes with the target (Cramér's V {strength:.2f}, p < {_SURE} for all columns together)"
        elif name not in causes:
            cause = "empty by design: decided by" if name in designed else "not at random: emptiness goes with"
            causes[name] = f"; {cause} {other} (Cramér's V {strength:.2f})"
    return {name: targets.get(name, "") + causes.get(name, "") for name in {*targets, *causes}}


def _groups(table, name, rows):
    """Group of each sampled row in a column: its frequent levels or its quantiles; and which groups are values."""
    values = table.meanings[name].values.gather(rows)
    if values.dtype in (pl.Float64, pl.Datetime) and values.n_unique() > _LEVELS:
        numbers = values.cast(pl.Float64).to_numpy()
        edges = np.unique(np.nanquantile(numbers, np.linspace(0, 1, _LEVELS)[1:-1])) if np.isfinite(numbers).any() else []
        codes = np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers, side="right"))
    else:
        often = values.drop_nulls().alias("level").value_counts(sort=True)["level"].head(_LEVELS)
        place = pl.Series(np.arange(len(often)), dtype=pl.Int64)
        codes = values.replace_strict(often, place, default=len(often), return_dtype=pl.Int64)
        codes = codes.set(values.is_null(), len(often) + 1).fill_null(len(often) + 1).to_numpy()
        edges = often
    held = np.arange(len(edges) + 2) <= len(edges)
    return codes.astype(np.int64), held


def _associations(codes, masks, held):
    """For each mask: Cramér's V with the groups, chance of a value as high, and whether the groups decide it."""
    sizes = np.bincount(codes, minlength=len(held)).astype(float)
    use = sizes > 0
    inside = np.zeros((len(held), len(codes)), dtype=np.float32)
    inside[codes, np.arange(len(codes))] = 1
    empty = (inside @ masks.astype(np.float32)).astype(float)[use]
    sizes, values = sizes[use][:, None], held[use][:, None]
    total = empty.sum(axis=0)
    rate = total / len(codes)
    spread = np.maximum(sizes * rate * (1 - rate), 1e-12)
    statistic = ((empty - sizes * rate) ** 2 / spread).sum(axis=0)
    freedom = max(len(sizes) - 1, 1)
    strength = np.sqrt(np.minimum(statistic / len(codes), 1.0)) if len(sizes) > 1 else np.zeros(len(total))
    wrong = np.minimum(empty, sizes - empty).sum(axis=0)
    rarer = np.minimum(total, len(codes) - total)
    pure = (wrong <= _PURE * rarer) & ((empty * values).sum(axis=0) >= 0.95 * total)
    chances = [chi_square_beyond(freedom, one) for one in statistic.tolist()]
    return list(zip(strength, chances, pure, strict=True))


def _holm(answers):
    """The answers that stand after Holm's correction for their number."""
    standing = []
    for place, answer in enumerate(sorted(answers)):
        if answer[0] * (len(answers) - place) > _SURE:
            break
        standing.append(answer)
    return standing
