"""Empty cells filled from rows that are alike, or from all columns at once."""

import warnings
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import polars as pl
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  (scikit-learn asks for it)
from sklearn.impute import IterativeImputer
from sklearn.metrics.pairwise import nan_euclidean_distances

from dqops.cleaners.foretelling import MOST_ROWS, Coder
from dqops.cleaners.impute import empty_positions, is_number
from dqops.contracts import Cleaner
from dqops.tables.cells import as_numbers, in_type_of, written

_BLOCK = 500  # rows filled at a time


@dataclass(frozen=True)
class FillNeighbours(Cleaner):
    """Fills empty cells from the training rows most alike in the other columns: their mean, or commonest value.

    Distances are Euclidean over standardised columns, scaled up where cells are empty.

    Parameters
    ----------
    k : int
        Neighbours asked, those that know the cell.

    References
    ----------
    Troyanskaya et al. 2001, Bioinformatics 17(6). doi:10.1093/bioinformatics/17.6.520

    Examples
    --------
    >>> FillNeighbours(k=3)
    FillNeighbours(k=3)
    """

    name = "neighbours"
    kinds = ("missing",)
    k: int = 5

    def fit(self, table, detector, column, rng):
        """Keep the training rows that know the cell; the target is never looked at."""
        coder = _Scaled([name for name in table.features if name != column]).fit(table)
        known = _known(table, column, detector, rng)
        answers = as_numbers(table, column) if is_number(table, column) else table.frame[column]
        return self.fitted(detector=detector, column=column, coder=coder, rows=coder.matrix(table.take(known)), answers=answers.gather(known))

    def repair(self, table):
        """The table with the empty and disguised cells of the column filled."""
        positions = empty_positions(table, self.column_, self.detector_)
        if not len(positions) or self.answers_.null_count() == len(self.answers_):
            return table
        column = table.frame[self.column_]
        return table.with_columns(written(column, positions, in_type_of(self._values(table, positions), column)))

    def sureness(self, table, positions):
        """Share of the neighbours that hold the value written."""
        if not len(positions) or self.answers_.null_count() == len(self.answers_):
            return np.zeros(len(positions))
        nearest, values = np.vstack(list(self._nearest(table, positions))), self._values(table, positions)
        each = pl.DataFrame({"answer": self.answers_.gather(nearest.ravel()), "said": values.gather(np.repeat(np.arange(len(values)), nearest.shape[1]))})
        return (each["answer"] == each["said"]).fill_null(False).to_numpy().reshape(nearest.shape).mean(axis=1)

    def action(self):
        """As an order."""
        return f"fill empty cells of {self.column_!r} from the {self.k} rows most alike"

    def _nearest(self, table, positions):
        """int64 (block, k): the rows most alike, nearest first, block by block; of two alike the earlier one."""
        X = self.coder_.matrix(table.take(positions))
        for start in range(0, len(X), _BLOCK):
            distances = np.nan_to_num(nan_euclidean_distances(X[start : start + _BLOCK], self.rows_), nan=np.inf)
            yield np.argsort(distances, axis=1, kind="stable")[:, : self.k]

    def _values(self, table, positions):
        """What is written at these positions."""
        return pl.concat([self._said(nearest) for nearest in self._nearest(table, positions)])

    def _said(self, nearest):
        """What the neighbours say together."""
        if self.answers_.dtype.is_float():
            return pl.Series(self.answers_.to_numpy()[nearest].mean(axis=1))
        each = pl.DataFrame({"row": np.repeat(np.arange(len(nearest)), nearest.shape[1]), "said": self.answers_.gather(nearest.ravel()), "rank": np.tile(np.arange(nearest.shape[1]), len(nearest))})
        votes = each.group_by("row", "said").agg(pl.len(), pl.col("rank").min()).sort("row", "len", "rank", descending=[False, True, False])
        return votes.group_by("row", maintain_order=True).first().sort("row")["said"]


@dataclass(frozen=True)
class FillDonors(FillNeighbours):
    """Fills each empty cell with what one of the training rows most alike holds, so that values stay as varied as they are.

    Which of them gives is drawn from what the row holds; rows that are alike in all else get the next ones in turn.

    References
    ----------
    Andridge, Little 2010, International Statistical Review 78(1). doi:10.1111/j.1751-5823.2010.00103.x

    Examples
    --------
    >>> FillDonors()
    FillDonors(k=20)
    """

    name = "donors"
    kinds = ("missing",)
    k: int = 20

    def action(self):
        """As an order."""
        return f"fill empty cells of {self.column_!r} each from one of the {self.k} rows most alike"

    def _values(self, table, positions):
        nearest, X = np.vstack(list(self._nearest(table, positions))), self.coder_.matrix(table.take(positions))
        first = [crc32(row.tobytes()) for row in np.nan_to_num(X, nan=np.pi)]
        giver = nearest[np.arange(len(nearest)), (np.array(first) + _turns(first)) % nearest.shape[1]]
        return self.answers_.gather(giver)


def _turns(marks):
    """How many earlier ones are the same, for each mark."""
    return pl.DataFrame({"mark": marks}).select(pl.int_range(pl.len()).over("mark")).to_series().to_numpy()


@dataclass(frozen=True)
class FillIterative(Cleaner):
    """Fills empty cells of a number column by chained ridge regressions, which fill each column from all others in turn.

    Columns of words are left as they are.

    References
    ----------
    van Buuren, Groothuis-Oudshoorn 2011, Journal of Statistical Software 45(3). doi:10.18637/jss.v045.i03

    Examples
    --------
    >>> FillIterative().kinds
    ('missing',)
    """

    name = "iterative"
    kinds = ("missing",)

    def fit(self, table, detector, column, rng):
        """Fit the regressions on the training rows; the target is never looked at."""
        if not is_number(table, column):
            return self.fitted(detector=detector, column=column, imputer=None)
        coder = _Scaled([*(name for name in table.features if name != column), column]).fit(table)
        some = np.arange(table.n_rows) if table.n_rows <= MOST_ROWS else np.sort(rng.choice(table.n_rows, MOST_ROWS, replace=False))
        rows = coder.matrix(table.take(some))
        rows[np.isin(some, empty_positions(table, column, detector)), -1] = np.nan
        if not np.isfinite(rows[:, -1]).any():
            return self.fitted(detector=detector, column=column, imputer=None)
        imputer = IterativeImputer(max_iter=5, keep_empty_features=True, random_state=int(rng.integers(2**31)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # five rounds are enough to fill cells with
            imputer.fit(rows)
        bounds = np.nanmin(rows[:, -1]), np.nanmax(rows[:, -1])
        return self.fitted(detector=detector, column=column, coder=coder, imputer=imputer, bounds=bounds)

    def repair(self, table):
        """The table with the empty and disguised cells of the column filled, within the range of the training rows."""
        positions = empty_positions(table, self.column_, self.detector_)
        if self.imputer_ is None or not len(positions):
            return table
        rows = self.coder_.matrix(table.take(positions))
        rows[:, -1] = np.nan
        filled = np.clip(self.imputer_.transform(rows)[:, -1], *self.bounds_)
        column = table.frame[self.column_]
        return table.with_columns(written(column, positions, in_type_of(pl.Series(self.coder_.unscaled(filled)), column)))

    def sureness(self, table, positions):
        """A regression hardly ever gives a number exactly."""
        return 0.0

    def action(self):
        """As an order."""
        return f"fill empty cells of {self.column_!r} by chained regressions on all columns"


class _Scaled(Coder):
    """Columns as numbers of mean 0 and standard deviation 1."""

    def fit(self, table):
        super().fit(table)
        rows = super().matrix(table)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of columns without any number
            self.middle, spread = np.nan_to_num(np.nanmean(rows, axis=0)), np.nan_to_num(np.nanstd(rows, axis=0))
        self.spread = np.where(spread > 0, spread, 1.0)
        return self

    def matrix(self, table):
        return (super().matrix(table) - self.middle) / self.spread

    def unscaled(self, column):
        """The last column in its own units again."""
        return column * self.spread[-1] + self.middle[-1]


def _known(table, column, detector, rng):
    """Positions of rows that know the cell, some of them where there are many."""
    known = np.setdiff1d(np.arange(table.n_rows), empty_positions(table, column, detector))
    if is_number(table, column):
        known = known[np.isfinite(as_numbers(table, column).gather(known).fill_null(np.nan).to_numpy())]
    return known if len(known) <= MOST_ROWS else np.sort(rng.choice(known, MOST_ROWS, replace=False))
