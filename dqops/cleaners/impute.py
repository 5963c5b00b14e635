"""Repairs of empty cells."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from dqops.contracts import Cleaner
from dqops.tables.cells import as_numbers, in_type_of, written

_MOST_LEVELS = 60
_MOST_ROWS = 4000
# Trees work in single precision: beyond this a number is as good as infinite.
_WILD = 1e30
_TREES = {"n_estimators": 30, "min_samples_leaf": 3, "n_jobs": 1}


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
class FillPredicted(Cleaner):
    """Fills empty cells with what trees predict from the other columns.

    Examples
    --------
    >>> FillPredicted()
    FillPredicted()
    """

    name = "predict"
    kinds = ("missing",)

    def fit(self, table, detector, column, rng):
        """Fit the trees on the training rows where the cell is known; the target is never looked at."""
        others = [name for name in table.features if name != column]
        coder = Coder(others).fit(table)
        known = np.setdiff1d(np.arange(table.n_rows), empty_positions(table, column, detector))
        if len(known) > _MOST_ROWS:
            known = np.sort(rng.choice(known, _MOST_ROWS, replace=False))
        answers = table.frame[column] if not is_number(table, column) else as_numbers(table, column)
        trees = fit_trees(coder.matrix(table.take(known)), answers.gather(known), rng)
        typical = _typical(table, column)
        return self.fitted(detector=detector, column=column, coder=coder, trees=trees, typical=typical)

    def repair(self, table):
        """The table with the empty and disguised cells of the column predicted."""
        positions = empty_positions(table, self.column_, self.detector_)
        if self.trees_ is None or not len(positions):
            return table
        predicted = pl.Series(self.trees_.predict(self.coder_.matrix(table.take(positions))).tolist())
        column = table.frame[self.column_]
        return table.with_columns(written(column, positions, in_type_of(predicted, column)))

    def sureness(self, table, positions):
        """Share of the trees that say, each for itself, the value written."""
        if self.trees_ is None or not len(positions):
            return np.zeros(len(positions))
        X = self.coder_.matrix(table.take(positions))
        each = np.array([tree.predict(X) for tree in self.trees_.estimators_])
        if not hasattr(self.trees_, "classes_"):
            return np.isclose(each, self.trees_.predict(X), rtol=1e-9, atol=0.0).mean(axis=0)
        return (each == self.trees_.predict_proba(X).argmax(axis=1)).mean(axis=0)

    def action(self):
        """As an order."""
        return f"fill empty cells of {self.column_!r} with predictions from the other columns"


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


@dataclass
class Coder:
    """Other columns as numbers for trees: levels by their rank of frequency, unknown ones as missing."""

    names: list

    def fit(self, table):
        """Learn the levels."""
        self.levels = {
            name: table.frame[name].alias("level").value_counts(sort=True)["level"].drop_nulls().head(250)
            for name in self.names
            if not table.frame[name].dtype.is_numeric()
        }
        return self

    def matrix(self, table):
        """float64 (n_rows, n_columns), NaN where a cell is empty."""
        return np.column_stack([self._column(table, name) for name in self.names]) if self.names else np.zeros((table.n_rows, 1))

    def _column(self, table, name):
        if name not in self.levels:
            numbers = as_numbers(table, name).fill_null(np.nan).to_numpy()
            return np.where(np.isfinite(numbers), np.clip(numbers, -_WILD, _WILD), np.nan)
        levels = self.levels[name]
        codes = pl.Series(np.arange(levels.len(), dtype=np.float64))
        if levels.is_empty():
            return np.full(table.n_rows, np.nan)
        cells = table.frame[name]
        cells = cells if cells.dtype == levels.dtype else in_type_of(cells, levels)
        return cells.replace_strict(levels, codes, default=None, return_dtype=pl.Float64).fill_null(np.nan).to_numpy()


def is_number(table, column):
    """Whether a person reads numbers in the column, and more of them than classes would be."""
    meaning = table.meanings.get(column)
    return meaning is not None and meaning.kind == "number" and table.frame[column].n_unique() > _MOST_LEVELS // 2


@dataclass(frozen=True)
class Foreteller:
    """What the other columns say a cell of a number column should hold.

    Parameters
    ----------
    coder : Coder
    trees : fitted forest or None
        None where nothing can be foretold.
    middle : float or None
        Median of the sound cells.
    """

    coder: "Coder"
    trees: object
    middle: float | None

    @classmethod
    def of(cls, table, column, sound, rng):
        """Learned from the training rows whose cell is sound.

        Parameters
        ----------
        table : Table
        column : str
        sound : polars.Series of Float64 (n,)
            The column with doubtful cells empty.
        rng : numpy.random.Generator
        """
        known = np.flatnonzero((sound.is_not_null() & sound.is_finite().fill_null(False)).to_numpy())
        middle = sound.gather(known).median()
        if len(known) > _MOST_ROWS:
            known = np.sort(rng.choice(known, _MOST_ROWS, replace=False))
        answers, coder = sound.gather(known), Coder([name for name in table.features if name != column]).fit(table)
        if len(known) and answers.n_unique() <= _MOST_LEVELS // 2:
            answers = answers.cast(pl.String)  # few numbers are levels: nothing between them can be true
        return cls(coder, fit_trees(coder.matrix(table.take(known)), answers, rng) if len(known) else None, middle)

    def filled(self, table, numbers, positions):
        """The numbers with what is foretold at these positions."""
        if not len(positions):
            return numbers
        if self.trees is None:
            return written(numbers, positions, pl.Series([self.middle], dtype=pl.Float64).new_from_index(0, len(positions)))
        told = pl.Series(self.trees.predict(self.coder.matrix(table.take(positions))).tolist())
        return written(numbers, positions, told.cast(pl.Float64))


def fit_trees(X, y, rng):
    """Randomised trees for the column, or None where it cannot be predicted from anything."""
    kept = y.is_not_null().to_numpy() if not y.dtype.is_float() else y.is_finite().fill_null(False).to_numpy()
    if not y.dtype.is_float():
        levels = y.alias("level").value_counts(sort=True).filter(pl.col("count") > 1)  # one of its kind foretells nothing
        kept &= y.is_in(levels["level"].head(_MOST_LEVELS).implode()).to_numpy()
    answers = y.filter(pl.Series(kept))
    if answers.n_unique() < 2:
        return None
    seed = int(rng.integers(2**31))
    learner = ExtraTreesRegressor if y.dtype.is_float() else ExtraTreesClassifier
    return learner(**_TREES, random_state=seed).fit(X[kept], answers.to_numpy())
