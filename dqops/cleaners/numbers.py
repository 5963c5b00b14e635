"""Repairs of number columns: parse what is text, and deal with what is wild."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from dqops.cleaners.foretelling import sound_beside
from dqops.cleaners.impute import Foreteller
from dqops.contracts import Cleaner
from dqops.tables.cells import as_numbers, written

_ORDERS = {
    "blank": "empty",
    "typical": "write the median into",
    "predict": "write what the other columns foretell into",
    "near": "foretell, where that goes well, or empty",
    "clip": "move to the nearest usual number",
}

_FORETELLING = ("predict", "near")


@dataclass(frozen=True)
class ParseNumbers(Cleaner):
    """Reads a text column as the numbers that a person sees in it.

    Parameters
    ----------
    wild : {"blank", "typical", "predict", "near", "keep"}
        Typos that still parse are wild numbers: empty those cells and the unreadable ones, or write the median
        of the training rows, for models that refuse empty cells, or what trees foretell from the other columns,
        everywhere or only where they are seen to do it well; or keep them, and write only what can be read into the doubtful cells.

    Examples
    --------
    >>> ParseNumbers(wild="typical")
    ParseNumbers(wild='typical')
    """

    name = "parse"
    kinds = ("formats",)
    wild: Literal["blank", "typical", "predict", "near", "keep"] = "blank"

    def fit(self, table, detector, column, rng):
        """Learn the usual range of the parsed column."""
        fitted = self.fitted(detector=detector, column=column, usual=usual_range(as_numbers(table, column)), numbers=False)
        if self.wild in _FORETELLING:
            return fitted.fitted(foretold=_foreteller(self.wild, table, detector, column, fitted._tamed(table), rng))
        if self.wild != "keep":
            return fitted
        kept = fitted._corrected(table)
        return fitted.fitted(numbers=bool((_plain(kept).is_not_null() | kept.is_null()).all()))

    def repair(self, table):
        """The table with the column as Float64; suggestions of the detector go first."""
        if self.wild == "keep":
            return table.with_columns(self._corrected(table))
        numbers = self._tamed(table)
        if self.wild in _FORETELLING:
            numbers = _foretold(self, table, numbers, table.frame[self.column_])
        return table.with_columns(numbers)

    def _tamed(self, table):
        """The numbers, suggestions of the detector among them, without the wild ones."""
        numbers = as_numbers(table, self.column_)
        for suggested, positions in self._suggested(table):
            numbers = written(numbers, positions, suggested)
        return tamed(numbers, self.usual_, self.wild)

    def _suggested(self, table):
        for group in self.detector_.find(table):
            if group.column == self.column_ and group.suggestions is not None:
                yield group.suggestions.cast(pl.Float64, strict=False), group.positions

    def _corrected(self, table):
        """The column with the doubtful cells that can be read; as numbers where each training cell then was one."""
        column = table.frame[self.column_]
        for suggested, positions in self._suggested(table):
            column = written(column, positions, suggested)
        return _plain(column) if self.numbers_ else column

    def action(self):
        """As an order."""
        if self.wild == "keep":
            return f"write plain numbers into the doubtful cells of {self.column_!r} that can be read"
        return f"parse {self.column_!r} as numbers and {_ORDERS[self.wild]} wild values"


@dataclass(frozen=True)
class TameOutliers(Cleaner):
    """Empties the cells of a number column that the detector doubts, or writes a usual number into them.

    Parameters
    ----------
    wild : {"blank", "typical", "predict", "near", "clip"}
        Empty them, write the median of the training rows, what trees foretell from the other columns (everywhere, or
        only where they are seen to do it well), or the end of the range of their sound cells that is nearer (winsorising).

    Examples
    --------
    >>> TameOutliers()
    TameOutliers(wild='blank')
    """

    name = "tame"
    kinds = ("outliers",)
    wild: Literal["blank", "typical", "predict", "near", "clip"] = "blank"

    def fit(self, table, detector, column, rng):
        """Learn the usual range of the column, and where its sound cells end."""
        numbers = as_numbers(table, column)
        usual = usual_range(numbers)
        sound = tamed(numbers, usual, "blank")
        for group in detector.find(table):
            if group.column == column:
                sound = written(sound, group.at_least(0.5).positions, None)
        foretold = _foreteller(self.wild, table, detector, column, sound, rng) if self.wild in _FORETELLING else None
        sound = sound.filter(sound.is_finite().fill_null(False))
        ends = (None, None) if sound.is_empty() else (sound.min(), sound.max())
        return self.fitted(detector=detector, column=column, usual=usual, ends=ends, foretold=foretold)

    def repair(self, table):
        """The table with the doubtful cells suggested, emptied, made typical or moved to the end of the range."""
        recorded = numbers = as_numbers(table, self.column_)
        for group in self.detector_.find(table):
            if group.column == self.column_:
                numbers = self._tamed(numbers, group.at_least(0.5))
        numbers = tamed(numbers, self.usual_, self.wild)
        if self.wild == "clip" and self.ends_[0] is not None:
            numbers = numbers.fill_null(recorded.fill_nan(None).clip(*self.ends_))
        if self.wild in _FORETELLING:
            numbers = _foretold(self, table, numbers, recorded)
        return table.with_columns(numbers)

    def action(self):
        """As an order."""
        return f"{_ORDERS[self.wild]} outliers of {self.column_!r}"

    def _tamed(self, numbers, doubtful):
        numbers = written(numbers, doubtful.positions, None)
        if doubtful.suggestions is not None:
            numbers = written(numbers, doubtful.positions, doubtful.suggestions.cast(pl.Float64, strict=False))
        return numbers


def _foreteller(wild, table, detector, column, sound, rng):
    """What foretells the column from the others, learned where it is sound."""
    return Foreteller.of(sound_beside(table, detector, column), column, sound, rng, tried=wild == "near")


def _foretold(cleaner, table, numbers, recorded):
    """The numbers with what the fitted cleaner foretells in the cells that were recorded and are empty now."""
    emptied = np.flatnonzero((numbers.is_null() & recorded.is_not_null()).to_numpy())
    beside = sound_beside(table, cleaner.detector_, cleaner.column_)
    return cleaner.foretold_.filled(beside, numbers, emptied, well=cleaner.wild == "near")


def _plain(column):
    """The cells that are plain numbers, as such."""
    return column if column.dtype.is_numeric() else column.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)


def usual_range(numbers, reach=10.0):
    """Median, and the range outside of which a number is wild, not merely rare.

    Quartiles moved out by `reach` interquartile ranges: far enough that heavy tails stay in; (-inf, inf) where
    nothing is known.

    >>> usual_range(pl.Series([1.0, 2.0, 3.0, 4.0, 1e9]))
    (3.0, -18.0, 24.0)
    """
    known = numbers.drop_nulls()
    known = known.filter(known.is_finite())
    if known.is_empty():
        return None, -np.inf, np.inf
    low, middle, high = (known.quantile(share, "linear") for share in (0.25, 0.5, 0.75))
    width = high - low
    return (middle, low - reach * width, high + reach * width) if width > 0 else (middle, -np.inf, np.inf)


def tamed(numbers, usual, wild):
    """The numbers with those beyond the usual range emptied; all empty ones made typical where that is asked.

    >>> tamed(pl.Series([1.0, 99.0]), (2.0, 0.0, 5.0), "typical").to_list()
    [1.0, 2.0]
    """
    middle, low, high = usual
    kept = numbers.set((numbers < low) | (numbers > high), None)
    return kept.fill_null(middle) if wild == "typical" else kept
