"""Cells that break the type or the pattern of their column."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from dqops.contracts import Detector
from dqops.tables.contents import counted
from dqops.tables.distinct import distinct, some_held
from dqops.tables.meaning import as_text, meaning_of
from dqops.tables.patterns import pattern_of, point_habit, without_runs, writes_no_point

_LOOKED_AT = 50_000  # cells that show a column's habits; a full pass follows only where some of them break one
_COMMON = 0.05  # share from which a pattern is one of the column's own
_COVERED = 0.95  # share that the column's own patterns must cover before other cells are odd
_N_PATTERNS = 3
_RARE_LEVEL = 0.02  # a text that stands more often is a level of its own, whatever its pattern

_NO_NUMBER = "not a number, in a column of numbers"
_NO_DATE = "not a date, in a column of dates"
_NO_BOOLEAN = "neither true nor false, in a column of both"
_DRESSED = "a number written with a unit, a sign or separators, in a column of plain numbers"
_MIXED = "a number written with a unit, in a column that spells its units in several ways"
_INFINITE = "infinite"
_NO_POINT = "no decimal point, in a column that always writes one"
_OTHER_DATE = "a date in another form than most of its column"
_OTHER_PATTERN = "another pattern of letters and digits than nearly all of its column"


@dataclass(frozen=True)
class _Habit:
    """What is usual in a column: its kind, and how its cells are written."""

    kind: str
    dressing: str = "none"  # of numbers: none, few, mixed or uniform
    date_form: str = ""
    form_share: float = 0.0
    patterns: tuple = ()
    covered: float = 0.0
    usual_texts: tuple = ()
    runs: bool = False
    point: bool = False


@dataclass(frozen=True)
class Formats(Detector):
    """Cells that break the type of their column, or the way in which nearly all of it is written.

    A cell that is no number in a column of numbers, a unit beside plain numbers, units spelled in several ways, dates
    in several forms, a code of another build. Suggests the number or the date where it can be read.

    Examples
    --------
    >>> Formats()
    Formats()
    """

    name = "formats"

    def fit(self, table, design, rng):
        return self.fitted(habits={name: _habit(name, table) for name in table.searched})

    def find(self, table):
        here, groups = set(table.columns), []
        for name, habit in self.habits_.items():
            if name in here and table.n_rows:
                groups.append(self._search(table, name, habit))
        return self.findings(groups)

    def _search(self, table, name, habit):
        meaning = _as_fitted(table, name, habit.kind)
        raw = table.raw[name]
        if habit.kind == "number":
            doubts = _number_doubts(raw, meaning, habit)
            if not doubts and habit.dressing == "uniform":
                message = f"{name}: numbers recorded as text, each with the same unit or sign"
                return self.finding(table, name, [], 0.9, _MIXED, message, whole=True)
        elif habit.kind == "date":
            doubts = _date_doubts(raw, meaning, habit)
        elif habit.kind == "boolean":
            doubts = [(meaning.unreadable, 0.9, _NO_BOOLEAN)]
        else:
            doubts = _pattern_doubts(raw, meaning, habit)
        return self._group(table, name, meaning, [one for one in doubts if one[0].any()])

    def _group(self, table, name, meaning, doubts):
        if not doubts:
            return None
        positions = np.concatenate([np.flatnonzero(mask) for mask, _, _ in doubts])
        scores = np.concatenate([np.full(mask.sum(), score) for mask, score, _ in doubts])
        whys = np.concatenate([np.full(mask.sum(), why, dtype=object) for mask, _, why in doubts])
        parts = "; ".join(f"{counted(mask.sum())}: {why}" for mask, _, why in doubts)
        suggestions = meaning.values.gather(positions) if meaning.kind in ("number", "date") else None
        if suggestions is not None:
            odd = pl.Series(np.isin(whys, [_NO_POINT]), dtype=pl.Boolean)
            suggestions = suggestions.set(odd, None) if odd.any() else suggestions
        return self.finding(table, name, positions, scores, whys, f"{name}: {parts}", suggestions=suggestions)


def _as_fitted(table, name, kind):
    """The meaning of the column, read as the kind that it was fitted as."""
    meaning = table.meanings.get(name)
    if meaning is not None and meaning.kind == kind:
        return meaning
    return meaning_of(name, table.raw[name], table.frame[name], kind)


def _habit(name, table):
    """What is usual in this column."""
    meaning, raw = table.meanings[name], table.raw[name]
    habit = _Habit(meaning.kind)
    if raw.dtype != pl.String or not meaning.known.any():
        return habit
    if meaning.kind == "number":
        pointed = not table.frame[name].dtype.is_integer() and _writes_point(raw)
        return replace(habit, dressing=_dressing(raw, meaning), point=pointed)
    if meaning.kind == "date":
        return _date_habit(habit, raw, meaning)
    if meaning.kind in ("category", "text", "identifier"):
        return _pattern_habit(habit, meaning)
    return habit


def _dressed(raw, meaning):
    """Mask of readable numbers that are more than a plain number."""
    if meaning.recorded_as != "text":
        return np.zeros(len(raw), dtype=bool)
    plain = as_text(raw).str.strip_chars().cast(pl.Float64, strict=False).is_not_null().to_numpy()
    return meaning.known & ~plain


def _dressing(raw, meaning):
    dressed = _dressed(raw, meaning)
    if not dressed.any():
        return "none"
    if dressed.sum() < 0.5 * meaning.known.sum():
        return "few"
    texts = as_text(raw).filter(pl.Series(dressed)).str.strip_chars()
    spellings = texts.str.replace_all(r"[\d.,]+", "9").alias("spelling").value_counts(sort=True)
    return "uniform" if spellings["count"][0] >= _COVERED * dressed.sum() else "mixed"


def _number_doubts(raw, meaning, habit):
    """Masks with score and reason for a column of numbers."""
    doubts = []
    if meaning.unreadable.any():
        strange = meaning.unreadable.mean()
        why = _INFINITE if meaning.recorded_as == "number" else _NO_NUMBER
        doubts.append((meaning.unreadable, 0.98 - 0.3 * strange, why))
    if habit.dressing in ("none", "few", "mixed"):
        dressed = _dressed(raw, meaning)
        doubts.append((dressed, 0.95, _MIXED if habit.dressing == "mixed" else _DRESSED))
    if habit.point and raw.dtype == pl.String:
        doubts.append((meaning.known & writes_no_point(raw).to_numpy(), 0.93, _NO_POINT))
    return [one for one in doubts if one[0].any()]


def _writes_point(raw):
    """Whether whole numbers are written with a point as well, as in 800.0, and hardly ever without."""
    texts = some_held(raw, _LOOKED_AT)
    return point_habit(texts.filter(texts.str.strip_chars().cast(pl.Float64, strict=False).is_not_null()))


def _date_habit(habit, raw, meaning):
    looked = distinct(some_held(as_text(raw).str.strip_chars(), _LOOKED_AT))
    shapes = looked.levels.str.replace_all(r"\d", "9").str.replace_all(r"\pL+", "a").to_numpy()
    names, places = np.unique(shapes.astype(str), return_inverse=True)
    cells = np.bincount(places, weights=looked.counts)
    best = int(np.argmax(cells))
    return replace(habit, date_form=names[best], form_share=float(cells[best] / cells.sum()))


def _date_doubts(raw, meaning, habit):
    doubts = [(meaning.unreadable, 0.95, _NO_DATE)]
    if 0.6 <= habit.form_share < 1.0:
        shapes = as_text(raw).str.strip_chars().str.replace_all(r"\d", "9").str.replace_all(r"\pL+", "a")
        build = pl.Series([habit.date_form])
        other = meaning.known & (_collapsed(shapes) != _collapsed(build)[0]).fill_null(False).to_numpy()
        doubts.append((other, 0.85, _OTHER_DATE))
    return doubts


def _collapsed(shapes):
    """Runs of digits as one: 1/5/2011 and 11/15/2011 have one form; fractions of a second do not count."""
    return shapes.str.replace(r"(:9+)\.9+", "$1").str.replace_all(r"9{1,2}", "9")


def _pattern_habit(habit, meaning):
    """The few patterns that nearly all cells of a column of codes have."""
    looked = distinct(some_held(meaning.values, _LOOKED_AT))
    if not len(looked.levels):
        return habit
    names, places, shares, own = _common_patterns(pattern_of(looked.levels), looked.counts)
    runs = len(own) > len(set(without_runs(pl.Series(names[own]).cast(pl.String))))
    if runs:  # numbers of any length, as in N9A1 and N10A1
        names, places, shares, own = _common_patterns(without_runs(pattern_of(looked.levels)), looked.counts)
    covered = float(shares[own].sum())
    levels = np.bincount(places, minlength=len(names))
    coded = all(any(mark in names[one] for mark in "9") or levels[one] >= 10 for one in own)
    if not len(own) or len(own) > _N_PATTERNS or covered < _COVERED or covered == 1.0 or not coded:
        return habit
    often = looked.counts >= _RARE_LEVEL * looked.counts.sum()
    usual = looked.levels.filter(pl.Series(often & ~np.isin(places, own))).to_list()
    return replace(habit, patterns=tuple(names[own]), covered=covered, usual_texts=tuple(usual), runs=runs)


def _common_patterns(patterns, counts):
    """Distinct patterns, place and share of each, and those that are common."""
    names, places = np.unique(patterns.to_numpy().astype(str), return_inverse=True)
    shares = np.bincount(places, weights=counts) / counts.sum()
    return names, places, shares, np.flatnonzero(shares >= _COMMON)


def _pattern_doubts(raw, meaning, habit):
    if not habit.patterns:
        return []
    texts = distinct(meaning.values.cast(pl.String))
    patterns = without_runs(pattern_of(texts.levels)) if habit.runs else pattern_of(texts.levels)
    odd = ~(patterns.is_in(list(habit.patterns)) | texts.levels.is_in(list(habit.usual_texts)))
    sureness = 0.6 + 0.35 * (habit.covered - _COVERED) / (1 - _COVERED)
    return [(texts.spread(odd.to_numpy()), sureness, _OTHER_PATTERN)]
