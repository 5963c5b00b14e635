"""How a person reads a column: a number with a unit, a date, a category, free text."""

from dataclasses import dataclass

import numpy as np
import polars as pl

EMPTY_WORDS = frozenset(
    ["", "na", "n/a", "nan", "null", "none", "nil", "missing", "unknown", "?", "-", "--", "---", ".", "..", "#n/a", "#na", "<na>", "nat", "not available", "not applicable", "undefined", "tbd"]
)


@dataclass(frozen=True, eq=False)
class Meaning:
    """What a column says to a person, and the cells that do not fit.

    Parameters
    ----------
    column : str
    kind : {"number", "date", "boolean", "category", "text", "identifier", "empty"}
    values : polars.Series
        The cells as that kind: Float64 for a number (units and separators removed), Datetime for a date, Boolean,
        String otherwise; null where a cell is blank, disguised or unreadable.
    blank : bool (n,)
        The cell holds nothing.
    disguised : bool (n,)
        The cell holds a word or a number that stands for missing (``N/A``, ``?``, ``-9999999``).
    unreadable : bool (n,)
        The cell holds something that is not of this kind.
    unit : str
        The unit or sign that most cells carry, or nothing.
    recorded_as : str
        How the usual readers type it: "number", "boolean", "text", "date".
    """

    column: str
    kind: str
    values: pl.Series
    blank: np.ndarray
    disguised: np.ndarray
    unreadable: np.ndarray
    unit: str
    recorded_as: str

    @property
    def known(self):
        """Mask of the cells that have a readable value."""
        return self.values.is_not_null().to_numpy()


def meaning_of(column, raw, recorded):
    """The `Meaning` of one column.

    Parameters
    ----------
    column : str
    raw : polars.Series
        Cells as they stood in the source.
    recorded : polars.Series
        The same cells as the usual readers type them.
    """
    text = raw.cast(pl.String) if raw.dtype != pl.String else raw
    trimmed = text.fill_null("").str.strip_chars()
    blank = (trimmed == "").to_numpy()
    disguised = trimmed.str.to_lowercase().is_in(list(EMPTY_WORDS - {""})).to_numpy()
    held = ~(blank | disguised)
    if recorded.dtype == pl.Boolean:
        return Meaning(column, "boolean", recorded, blank, disguised, ~blank & ~held, "", "boolean")
    recorded_as = "number" if recorded.dtype.is_numeric() else "date" if recorded.dtype.is_temporal() else "text"
    numbers = trimmed.set(pl.Series(~held), None).cast(pl.Float64, strict=False)
    unreadable = held & numbers.is_null().to_numpy()
    if held.any() and unreadable.sum() <= 0.5 * held.sum():
        return Meaning(column, "number", numbers, blank, disguised, unreadable, "", recorded_as)
    kind = "category" if held.any() else "empty"
    return Meaning(column, kind, trimmed.set(pl.Series(~held), None), blank, disguised, held & False, "", recorded_as)
