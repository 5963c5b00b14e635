"""Distinct texts of a column and which of them each cell holds: judge a text once, however often it stands there."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl


@dataclass(frozen=True, eq=False)
class Distinct:
    """The levels of a text column.

    Parameters
    ----------
    levels : polars.Series of String (n_levels,)
        Distinct texts, without null.
    codes : int64 (n,)
        Place of each cell's text in `levels`, -1 for null.

    Examples
    --------
    >>> texts = distinct(pl.Series(["b", None, "b"]))
    >>> texts.spread(texts.levels == "b").tolist()
    [True, False, True]
    """

    levels: pl.Series
    codes: np.ndarray

    @cached_property
    def counts(self):
        """Cells a level, int64 (n_levels,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))

    def spread(self, mask):
        """The answer for each cell, from a boolean answer for each level; False for null."""
        answers = np.append(np.asarray(mask, dtype=bool), False)
        return answers[self.codes]

    def spread_values(self, values):
        """The value of each cell, from a Series with one value a level; null for null."""
        return values.gather(pl.Series(self.codes).set(pl.Series(self.codes < 0), None).cast(pl.Int64))


def distinct(text):
    """`Distinct` texts of a String Series, in the order in which they first occur."""
    levels = text.drop_nulls().unique(maintain_order=True)
    codes = text.cast(pl.Enum(levels)).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
    return Distinct(levels.rename("level"), codes)


def some_held(series, count):
    """About `count` held cells, evenly spread over the rows; all of them where there are fewer."""
    held = len(series) - series.null_count()
    if held * 20 < len(series):
        series = series.drop_nulls()
    return series.gather_every(max(1, held // count)).drop_nulls()
