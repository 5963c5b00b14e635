"""Repairs of number columns: parse what is text, and deal with what is wild."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from dqops.contracts import Cleaner
from dqops.tables.cells import as_numbers, written


@dataclass(frozen=True)
class ParseNumbers(Cleaner):
    """Reads a text column as the numbers that a person sees in it.

    Parameters
    ----------
    wild : {"keep", "clip", "blank"}
        Typos that still parse are wild numbers: clip them to the usual range of the training rows, or empty
        the cell, or keep them.

    Examples
    --------
    >>> ParseNumbers(wild="clip")
    ParseNumbers(wild='clip')
    """

    name = "parse"
    kinds = ("formats",)
    wild: Literal["keep", "clip", "blank"] = "blank"

    def fit(self, table, detector, column, rng):
        """Learn the usual range of the parsed column."""
        return self.fitted(detector=detector, column=column, fences=fences(as_numbers(table, column)))

    def repair(self, table):
        """The table with the column as Float64; suggestions of the detector go first."""
        numbers = as_numbers(table, self.column_)
        for group in self.detector_.find(table):
            if group.column == self.column_ and group.suggestions is not None:
                suggested = group.suggestions.cast(pl.Float64, strict=False)
                numbers = written(numbers, group.positions, suggested)
        return table.with_columns(tamed(numbers, self.fences_, self.wild))

    def action(self):
        """As an order."""
        tail = {"keep": "", "clip": " and clip wild values", "blank": " and empty wild values"}[self.wild]
        return f"parse {self.column_!r} as numbers{tail}"


@dataclass(frozen=True)
class TameOutliers(Cleaner):
    """Empties or clips the cells of a number column that the detector doubts.

    Examples
    --------
    >>> TameOutliers()
    TameOutliers(wild='blank')
    """

    name = "tame"
    kinds = ("outliers",)
    wild: Literal["clip", "blank"] = "blank"

    def fit(self, table, detector, column, rng):
        """Learn the usual range of the column."""
        return self.fitted(detector=detector, column=column, fences=fences(as_numbers(table, column)))

    def repair(self, table):
        """The table with the doubtful cells emptied, suggested or clipped."""
        numbers = as_numbers(table, self.column_)
        for group in self.detector_.find(table):
            if group.column == self.column_:
                doubtful = group.at_least(0.5)
                numbers = self._tame(numbers, doubtful)
        return table.with_columns(tamed(numbers, self.fences_, self.wild))

    def action(self):
        """As an order."""
        return f"{'clip' if self.wild == 'clip' else 'empty'} outliers of {self.column_!r}"

    def _tame(self, numbers, doubtful):
        if self.wild == "clip":
            return numbers
        numbers = written(numbers, doubtful.positions, None)
        if doubtful.suggestions is not None:
            numbers = written(numbers, doubtful.positions, doubtful.suggestions.cast(pl.Float64, strict=False))
        return numbers


def fences(numbers, reach=10.0):
    """Range outside of which a number is wild, not merely rare; (-inf, inf) where nothing is known.

    Quartiles moved out by `reach` interquartile ranges: far enough that heavy tails stay in.

    >>> fences(pl.Series([1.0, 2.0, 3.0, 4.0, 1e9]))
    (-18.0, 24.0)
    """
    known = numbers.drop_nulls()
    known = known.filter(known.is_finite())
    if known.len() < 4:
        return -np.inf, np.inf
    low, high = known.quantile(0.25, "linear"), known.quantile(0.75, "linear")
    width = high - low
    if width == 0:
        return -np.inf, np.inf
    return low - reach * width, high + reach * width


def tamed(numbers, limits, wild):
    """The numbers with those beyond `limits` kept, clipped or emptied."""
    if wild == "keep" or not np.isfinite(limits[0]):
        return numbers
    if wild == "clip":
        return numbers.clip(*limits)
    return numbers.set((numbers < limits[0]) | (numbers > limits[1]), None)
