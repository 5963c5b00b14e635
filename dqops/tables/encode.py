"""Columns as whole numbers: one code a level, so that rules are searched with array arithmetic."""

from dataclasses import dataclass

import numpy as np
import polars as pl

MISSING = -1


@dataclass(frozen=True, eq=False)
class Levels:
    """The distinct values of a column, in ascending order; a value's code is its place.

    Parameters
    ----------
    column : str
    values : polars.Series
        Float64 or String, ascending, no nulls.

    Two codes follow the last level: `strange`, a cell that cannot be read as this kind or that holds a level
    which was never seen. Missing cells have the code -1.
    """

    column: str
    values: pl.Series

    def __len__(self):
        return len(self.values)

    @property
    def strange(self):
        """Code of a cell that is unreadable or holds an unknown level."""
        return len(self.values)

    @property
    def size(self):
        """Codes in use, `strange` included."""
        return len(self.values) + 1

    def codes(self, meaning):
        """int32 (n,): the code of each cell of a column read that way."""
        cells = comparable(meaning)
        known = cells.is_not_null().to_numpy()
        codes = np.full(len(cells), MISSING, dtype=np.int32)
        codes[meaning.unreadable] = self.strange
        if not known.any() or not len(self):
            codes[known] = self.strange
            return codes
        if cells.dtype != self.values.dtype:
            cells = cells.cast(self.values.dtype, strict=False)
        if cells.dtype == pl.String:
            known_codes = cells.cast(pl.Enum(self.values), strict=False).to_physical()
            codes[known] = known_codes.fill_null(self.strange).cast(pl.Int32).to_numpy()[known]
            return codes
        values, held = self.values.to_numpy(), cells.fill_null(0.0).to_numpy()
        place = np.minimum(np.searchsorted(values, held), len(values) - 1)
        codes[known] = np.where(values[place] == held, place, self.strange)[known]
        return codes

    def text(self, codes):
        """polars.Series: the values of these codes, null where there is none."""
        codes = np.asarray(codes)
        valid = (codes >= 0) & (codes < len(self))
        picked = self.values.gather(np.where(valid, codes, 0)) if len(self) else self.values.new_from_index(0, 0)
        if not len(self):
            return pl.Series(self.column, [None] * len(codes), dtype=self.values.dtype)
        return picked.set(pl.Series(~valid), None).alias(self.column)


def levels_of(meaning):
    """`Levels` of a column: every readable value that occurs."""
    return Levels(meaning.column, comparable(meaning).drop_nulls().unique().sort())


def comparable(meaning):
    """Cells as Float64 (numbers, dates, truth values) or String; null where nothing can be read.

    Infinite numbers are kept; NaN is nothing.
    """
    cells = meaning.values
    if cells.dtype == pl.String:
        return cells
    if cells.dtype.is_temporal():
        cells = cells.to_physical()
    if cells.dtype != pl.Float64:
        cells = cells.cast(pl.Float64, strict=False)
    return cells.fill_nan(None)
