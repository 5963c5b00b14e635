"""Repairs of empty cells."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl

from dqops.cleaners.foretelling import MOST_LEVELS, SKILLED, Foretold, Later, middle_level
from dqops.contracts import Cleaner
from dqops.tables.cells import as_numbers, in_type_of, written


@dataclass(frozen=True)
class FillTypical(Cleaner):
    """Fills empty cells with the median, or the commonest value, of the training rows.

    Examples
    --------
    >>> FillTypical()
    FillTypical()
    """

    name = "fill"
    kinds = ("missing",)

    def fit(self, table, detector, column, rng):
        """Learn the typical value."""
        typical, known = _typical(table, column), table.frame[column].drop_nulls()
        share = float((known == typical).mean()) if typical is not None else 0.0
        return self.fitted(detector=detector, column=column, typical=typical, share=share)

    def repair(self, table):
        """The table with the empty and disguised cells of the column filled."""
        column, positions = table.frame[self.column_], empty_positions(table, self.column_, self.detector_)
        if self.typical_ is None or not len(positions):
            return table
        values = pl.Series([self.typical_]).new_from_index(0, len(positions))
        return table.with_columns(written(column, positions, values))

    def sureness(self, table, positions):
        """Share of the known cells that hold the typical value."""
        return self.share_

    def action(self):
        """As an order."""
        return f"fill empty cells of {self.column_!r} with the typical value"


@dataclass(frozen=True)
class EmptyDisguised(Cleaner):
    """Empties cells that hold a word or number for missing, so that the model sees them as missing.

    Examples
    --------
    >>> EmptyDisguised().name
    'empty'
    """

    name = "empty"
    kinds = ("missing",)

    def repair(self, table):
        """The table with disguised missing cells empty."""
        column = table.frame[self.column_]
        positions = empty_positions(table, self.column_, self.detector_)
        disguised = positions[column.gather(positions).is_not_null().to_numpy()] if len(positions) else positions
        return table.with_columns(written(column, disguised, None)) if len(disguised) else table

    def action(self):
        """As an order."""
        return f"empty disguised missing cells of {self.column_!r}"


@dataclass(frozen=True)
class EmptyColumn(Cleaner):
    """Empties a column that is mostly empty already, so that the model learns nothing from its few cells.

    A model that is taught by the few rows that know the cell is misled where more of them do, and by the gap itself.

    Examples
    --------
    >>> EmptyColumn().name
    'empty_column'
    """

    name = "empty_column"
    kinds = ("missing",)
    unasked = "its column is mostly empty, and the model does better without it"

    def repair(self, table):
        """The table with no value in the column."""
        column = table.frame[self.column_]
        return table.with_columns(pl.Series(column.name, [None] * len(column), dtype=column.dtype))

    def action(self):
        """As an order."""
        return f"empty column {self.column_!r}, of which most is missing"


@dataclass(frozen=True)
class FillPredicted(Cleaner):
    """Fills empty cells with what trees predict from the other columns, and where it helps from the rows before and after.

    Examples
    --------
    >>> FillPredicted()
    FillPredicted()
    """

    name = "predict"
    kinds = ("missing",)

    def fit(self, table, detector, column, rng):
        """Fit the trees on the training rows where the cell is known; the target is never looked at."""
        self = self.fitted(detector=detector, column=column, number=is_number(table, column))
        answers = self._answers(table, empty_positions(table, column, detector))
        return self.fitted(foretold=Later(partial(Foretold.of, table, column, answers, rng, heard=not answers.dtype.is_float())))

    def repair(self, table):
        """The table with the empty and disguised cells of the column predicted."""
        positions = empty_positions(table, self.column_, self.detector_)
        if not len(positions) or self.foretold_().alone is None:
            return table
        trees, X = self.foretold_().at(table, self._answers(table, positions), positions)
        column = table.frame[self.column_]
        return table.with_columns(written(column, positions, in_type_of(pl.Series(trees.predict(X).tolist()), column)))

    def sureness(self, table, positions):
        """How often trees as sure of known cells that they had not seen were right; of numbers, the share that agrees."""
        if not len(positions) or self.foretold_().alone is None:
            return np.zeros(len(positions))
        empty = np.union1d(positions, empty_positions(table, self.column_, self.detector_))
        trees, X = self.foretold_().at(table, self._answers(table, empty), positions)
        if hasattr(trees, "classes_"):
            return self.foretold_().right(trees, X)
        each = np.array([tree.predict(X) for tree in trees.estimators_])
        return np.isclose(each, trees.predict(X), rtol=1e-9, atol=0.0).mean(axis=0)

    def action(self):
        """As an order."""
        return f"fill empty cells of {self.column_!r} with predictions from the other columns"

    def _answers(self, table, empty):
        """The column with the empty cells null, as numbers where it is one of numbers."""
        return written(as_numbers(table, self.column_) if self.number_ else table.frame[self.column_], empty, None)


def empty_positions(table, column, detector):
    """Positions of the cells that are empty in the frame, or that the detector takes for disguised."""
    empty = table.frame[column].is_null().to_numpy().copy()
    for group in detector.find(table):
        if group.column == column and not group.whole:
            disguised = group.select(group.scores >= 0.5) if group.values is None else group
            empty[disguised.positions] = True
    return np.flatnonzero(empty)


def _typical(table, column):
    recorded = table.frame[column].drop_nulls()
    if recorded.dtype.is_float():
        recorded = recorded.filter(recorded.is_finite())
    if recorded.is_empty():
        return None
    if recorded.dtype.is_float():
        return recorded.median()
    if recorded.dtype.is_integer():
        return int(recorded.median())
    return recorded.mode().sort()[0]


def is_number(table, column):
    """Whether a person reads numbers in the column, and more of them than classes would be."""
    meaning = table.meanings.get(column)
    return meaning is not None and meaning.kind == "number" and table.frame[column].n_unique() > MOST_LEVELS // 2


@dataclass(frozen=True)
class Foreteller:
    """What the rest of the table says a cell of a number column should hold.

    Parameters
    ----------
    foretold : Foretold
    middle : float or None
        Median of the sound cells.
    levels : float64 (n_levels,) or None
        Few numbers are levels: nothing between them can be true.
    skilled : bool
        Whether what is foretold comes clearly nearer to cells that the trees did not see than the median does.
    """

    foretold: Foretold
    middle: float | None
    levels: np.ndarray | None
    skilled: bool

    @classmethod
    def of(cls, table, column, sound, rng, *, tried=False):
        """Learned from the training rows whose cell is sound.

        Parameters
        ----------
        table : Table
        column : str
        sound : polars.Series of Float64 (n,)
            The column with doubtful cells empty.
        rng : numpy.random.Generator
        tried : bool
            Whether it is to be seen how well it goes.
        """
        known = sound.filter(sound.is_finite().fill_null(False))
        levels = known.unique().sort().to_numpy() if known.n_unique() <= MOST_LEVELS // 2 else None
        kinds = [] if levels is None else [sound.cast(pl.String)]
        if levels is None or len(levels) > 2:
            kinds.append(sound)
        # Whether the levels are names or stand in an order is seen by which way comes nearer.
        best = min((Foretold.of(table, column, one, rng, tried=tried or len(kinds) > 1) for one in kinds), key=lambda one: one.error)
        off = (known - known.median()).abs().mean() if len(known) else 0.0
        return cls(best, known.median(), levels, best.error <= SKILLED * off)

    def filled(self, table, numbers, positions, *, well=False):
        """The numbers with what is foretold at these positions; `well`: only where that is seen to go well."""
        if not len(positions) or (well and not self.skilled):
            return numbers
        if self.foretold.alone is None:
            return written(numbers, positions, pl.Series([self.middle], dtype=pl.Float64).new_from_index(0, len(positions)))
        sound = written(numbers, positions, None)
        names = hasattr(self.foretold.alone, "classes_")
        trees, X = self.foretold.at(table, sound.cast(pl.String) if names else sound, positions)
        said = middle_level(trees, X) if names else trees.predict(X)
        if self.levels is not None:
            said = self.levels[np.abs(said[:, None] - self.levels).argmin(axis=1)]
        if well:
            alike = self.foretold.tried_alike(trees, X)
            positions, said = positions[alike], said[alike]
        return written(numbers, positions, pl.Series(said, dtype=pl.Float64))
