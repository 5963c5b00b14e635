"""What the rest of a table says that a cell should hold: the other columns of its row, and the rows before and after."""

import warnings
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import rankdata
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.isotonic import IsotonicRegression

from dqops.tables.cells import as_numbers, in_type_of, written

MOST_LEVELS = 60
MOST_ROWS = 4000
# Trees work in single precision: beyond this a number is as good as infinite.
_WILD = 1e30
_TREES, _FEWER = 30, 10  # grown to foretell, and to try whether that goes well
_HEARD = {"bootstrap": True, "oob_score": True}
_TRIED = 1000  # known cells on which it is tried whether the rows before and after help
_FEWEST = 20  # known cells below which that cannot be said
_ORDERLY = 0.3  # rank correlation of a column with itself one row on, from which rows may stand in an order
_BETTER = 0.85  # of the error without them: the most that is left with the rows before and after, where they are used
SKILLED = 0.85  # of the error of the median: the most that is left where a column is said to be well foretold
_NEAR = 0.99  # share of the known cells that no cell foretold from rows before and after is farther from the nearest of these than


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
        return coded(table.frame[name], self.levels[name])


def coded(cells, levels):
    """float64 (n,): the place of each cell among the levels, NaN for others."""
    if levels.is_empty():
        return np.full(len(cells), np.nan)
    cells = cells if cells.dtype == levels.dtype else in_type_of(cells, levels)
    places = pl.Series(np.arange(levels.len(), dtype=np.float64))
    return cells.replace_strict(levels, places, default=None, return_dtype=pl.Float64).fill_null(np.nan).to_numpy()


@dataclass(frozen=True)
class Foretold:
    """Trees that foretell a column from the others, and from the rows before and after where that is seen to help.

    Rows before and after are those next in number that know the cell, among the training rows and those asked about.
    They help where trees that are told of them err clearly less on known cells that they did not see; of a table
    that is repaired later, they are used only where they err no more on its own known cells.

    Parameters
    ----------
    column : str
    coder : Coder
    alone, beside : fitted forest or None
        Without and with the rows before and after.
    around : _Around or None
    often : (IsotonicRegression or None, IsotonicRegression or None)
        How often trees without and with the rows around are right, by how sure they are; known where they were heard.
    error : float
        Of trees like these on known cells that they did not see: of numbers how far they are off, of levels the share
        that is wrong; infinite where it was not tried.
    reach : float
        How far the nearest row around is from nearly all of these cells.
    """

    column: str
    coder: Coder
    alone: object
    beside: object = None
    around: object = None
    often: tuple = (None, None)
    error: float = np.inf
    reach: float = np.inf

    @classmethod
    def of(cls, table, column, answers, rng, *, heard=False, tried=False):
        """Learned from the training rows that know the cell; the target is never looked at.

        Parameters
        ----------
        table : Table
        column : str
        answers : polars.Series (n,)
            Sound cells, null elsewhere: Float64 where numbers are foretold, other types are levels.
        rng : numpy.random.Generator
        heard : bool
            Whether the trees are to be heard on rows that they did not see.
        tried : bool
            Whether the error is wanted; without, it is known only where rows stand in an order.
        """
        known = np.flatnonzero(is_known(answers))
        if len(known) > MOST_ROWS:
            known = np.sort(rng.choice(known, MOST_ROWS, replace=False))
        coder = Coder([name for name in table.features if name != column]).fit(table)
        X, told = coder.matrix(table), answers.gather(known)
        alone = fit_trees(X[known], told, rng, heard=heard)
        often = _how_often_right(alone, X[known], told) if heard and alone is not None else None
        some = rng.permutation(len(known))[:_TRIED]
        can_be_tried = alone is not None and len(known) >= 2 * _FEWEST
        ordered = can_be_tried and _in_order(X, answers)
        error = _unseen_error(X[known[some]], told.gather(some)) if ordered or (tried and can_be_tried) else np.inf
        if not (ordered and np.isfinite(error)):
            return cls(column, coder, alone, often=(often, None), error=error)
        around = _Around.of(table, X, answers)
        wide = np.column_stack([X[known], around.matrix(table, X, answers, known)])
        with_them = _unseen_error(wide[some], told.gather(some))
        if with_them > _BETTER * error:
            return cls(column, coder, alone, often=(often, None), error=error)
        beside = fit_trees(wide, told, rng, heard=heard)
        often = often, _how_often_right(beside, wide, told) if heard else None
        return cls(column, coder, alone, beside, around, often, with_them, float(np.quantile(_steps(wide), _NEAR)))

    def at(self, table, answers, positions):
        """The trees to be asked about cells of a table, and what they are told of each: float64 (m, p).

        Parameters
        ----------
        table : Table
        answers : polars.Series (n,)
            Of this table, as in `of`.
        positions : int64 (m,)
        """
        if self.beside is None:
            return self.alone, self.coder.matrix(table.take(positions))
        X = self.coder.matrix(table)
        known = np.flatnonzero(is_known(answers))
        known = known[:: max(1, len(known) // _TRIED)]
        if len(known) >= _FEWEST:
            wide = np.column_stack([X[known], self.around.matrix(table, X, answers, known)])
            told = answers.gather(known)
            if _error(self.beside, wide, told) <= _error(self.alone, X[known], told):
                return self.beside, np.column_stack([X[positions], self.around.matrix(table, X, answers, positions)])
        return self.alone, X[positions]

    def tried_alike(self, trees, X):
        """bool (m,): cells like those on which the error was seen: the trees are the ones tried, and a row around as near.

        Parameters
        ----------
        trees, X
            As `at` gave them.
        """
        if trees is not (self.alone if self.beside is None else self.beside):
            return np.zeros(len(X), dtype=bool)
        return np.ones(len(X), dtype=bool) if self.around is None else _steps(X) <= self.reach

    def right(self, trees, X):
        """float64 (m,): how often these trees, as `at` gave them, are right where they are as sure as here."""
        often = self.often[0 if trees is self.alone else 1]
        return often.predict(trees.predict_proba(X).max(axis=1))


@dataclass(frozen=True)
class _Around:
    """Rows that know a cell, by number, so that those next to any row can be looked up.

    Parameters
    ----------
    levels : polars.Series or None
        Of the cell, the most frequent first; None where it is a number.
    numbers : int64 (m,)
        Of the training rows that know it; none where rows have names.
    rows : float64 (m, p)
        Their other columns.
    values : float64 (m,)
    """

    levels: pl.Series | None
    numbers: np.ndarray
    rows: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, table, X, answers):
        levels = None if answers.dtype.is_float() else _levels(answers)
        values, numbers = _values(answers, levels), _numbers(table)
        known = np.isfinite(values)
        if numbers is None:
            numbers, known = np.arange(table.n_rows), np.zeros(table.n_rows, dtype=bool)  # names lend nothing to other tables
        return cls(levels, numbers[known], X[known], values[known])

    def matrix(self, table, X, answers, positions):
        """float64 (m, 2 (p + 2)): of the row before and the one after, the value, how far it is, and how the rest differs."""
        numbers, values = _numbers(table), _values(answers, self.levels)
        lent = np.zeros(len(self.numbers), dtype=bool) if numbers is None else ~np.isin(self.numbers, numbers)
        numbers = np.arange(table.n_rows) if numbers is None else numbers
        own = np.isfinite(values)
        all_numbers = np.concatenate([numbers[own], self.numbers[lent]])
        order = np.argsort(all_numbers, kind="stable")
        all_numbers = all_numbers[order]
        all_values = np.concatenate([values[own], self.values[lent]])[order]
        all_rows = np.vstack([X[own], self.rows[lent]])[order]
        asked = numbers[positions]
        before, after = np.searchsorted(all_numbers, asked, "left") - 1, np.searchsorted(all_numbers, asked, "right")
        sides = []
        for place in (before, after):
            there = (place >= 0) & (place < len(all_numbers))
            side = np.full((len(positions), X.shape[1] + 2), np.nan)
            at = place[there]
            side[there] = np.column_stack([all_values[at], all_numbers[at] - asked[there], all_rows[at] - X[positions[there]]])
            sides.append(side)
        return np.hstack(sides)


def _steps(wide):
    """float64 (m,): rows from each cell to the nearest around it that knows the column; infinite where none does."""
    width = (wide.shape[1] - 4) // 3  # own cells, then value, distance and differences on either side
    steps = np.abs(wide[:, [width + 1, 2 * width + 3]])
    return np.where(np.isnan(steps), np.inf, steps).min(axis=1)


def _levels(answers):
    """The levels of a column, the most frequent first; those that are numbers in their order."""
    levels = answers.drop_nulls().alias("level").value_counts(sort=True)["level"].head(250)
    numbers = levels.cast(pl.Float64, strict=False)
    return levels if numbers.null_count() else levels.gather(numbers.arg_sort())


def _values(answers, levels):
    """The cells as numbers, NaN where they are not known."""
    if levels is not None:
        return coded(answers, levels)
    return answers.fill_null(np.nan).to_numpy()


def _numbers(table):
    """Where each row stands in its file, or None where rows have names."""
    return table.row_ids.to_numpy().astype(np.int64) if table.row_ids.dtype.is_integer() else None


class Later:
    """What is worked out when it is first asked for: many a column has no cell that needs it.

    Parameters
    ----------
    work : callable
        Let go of once it is done; copies share what it gave, and a file keeps that.
    """

    def __init__(self, work):
        self._work, self._known = work, None

    def __call__(self):
        if self._work is not None:
            self._known, self._work = self._work(), None
        return self._known

    def __getstate__(self):
        self()
        return self.__dict__


def sound_beside(table, detector, column):
    """The table with the doubtful cells of all columns but one empty, where they stand as they were found.

    Parameters
    ----------
    table : Table
        As the detector searched it, or partly repaired since.
    detector : Detector
        Fitted.
    column : str
    """
    emptied = {}
    for group in detector.find(table):
        if group.column in (None, column) or group.column not in table.features or group.whole or group.values is None:
            continue
        wrong, cells = group.at_least(0.5), emptied.get(group.column, table.frame[group.column])
        still = (table.raw[group.column].gather(wrong.positions).cast(pl.String, strict=False) == wrong.values).fill_null(False).to_numpy()
        emptied[group.column] = written(cells, wrong.positions[still], None)
    return table.with_columns(*emptied.values()) if emptied else table


def is_known(answers):
    """bool (n,): held, and finite where it is a number."""
    held = answers.is_finite().fill_null(False) if answers.dtype.is_float() else answers.is_not_null()
    return held.to_numpy()


def _in_order(X, answers):
    """Whether any column goes on from row to row: cheap to see, and false of rows in no order."""
    own = _values(answers, None if answers.dtype.is_float() else _levels(answers))
    return any(abs(_with_next(column)) >= _ORDERLY for column in (*X.T, own))


def _with_next(column):
    """Rank correlation of the known cells with the ones after them."""
    held = column[np.isfinite(column)]
    ranks = rankdata(held) if len(held) > _FEWEST else np.zeros(2)
    return float(np.corrcoef(ranks[:-1], ranks[1:])[0, 1]) if np.ptp(ranks[:-1]) and np.ptp(ranks[1:]) else 0.0


def _unseen_error(X, answers):
    """Error of trees on a third of these rows, in no order, that learned from the others; infinite where they cannot."""
    seen = 2 * len(answers) // 3
    trees = fit_trees(X[:seen], answers[:seen], np.random.default_rng(0), trees=_FEWER)
    return np.inf if trees is None else _error(trees, X[seen:], answers[seen:])


def _error(trees, X, answers):
    """How far the trees are off where they foretell numbers; of other levels the share that is wrong."""
    if answers.dtype.is_float():
        return float(np.abs(trees.predict(X) - answers.to_numpy()).mean())
    numbers = answers.cast(pl.Float64, strict=False)
    if numbers.null_count() or pl.Series(trees.classes_, dtype=answers.dtype).cast(pl.Float64, strict=False).null_count():
        return float((pl.Series(trees.predict(X), dtype=answers.dtype) != answers).mean())
    return float(np.abs(middle_level(trees, X) - numbers.to_numpy()).mean())


def middle_level(trees, X):
    """float64 (n,): of levels that are numbers the one in the middle of the chances, the likeliest where it has half of them."""
    levels = pl.Series(trees.classes_).cast(pl.Float64).to_numpy()
    order = np.argsort(levels)
    reached = np.cumsum(trees.predict_proba(X)[:, order], axis=1)
    return levels[order][np.minimum((reached < 0.5 - 1e-9).sum(axis=1), len(order) - 1)]


def fit_trees(X, y, rng, *, heard=False, trees=_TREES):
    """Randomised trees for the column, or None where it cannot be predicted from anything.

    Where they are to be `heard` on rows that they did not see, each is grown on a sample.
    """
    kept = is_known(y)
    if not y.dtype.is_float():
        levels = y.alias("level").value_counts(sort=True).filter(pl.col("count") > 1)  # one of its kind foretells nothing
        kept &= y.is_in(levels["level"].head(MOST_LEVELS).implode()).to_numpy()
    answers = y.filter(pl.Series(kept))
    if answers.n_unique() < 2:
        return None
    seed = int(rng.integers(2**31))
    learner = ExtraTreesRegressor if y.dtype.is_float() else ExtraTreesClassifier
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of rows that every tree saw
        return learner(trees, min_samples_leaf=3, n_jobs=1, **(_HEARD if heard else {}), random_state=seed).fit(X[kept], answers.to_numpy())


def _how_often_right(trees, X, answers):
    """How often the trees are right by how sure they are, from the known cells that they did not see."""
    learned = answers.is_in(pl.Series(trees.classes_, dtype=answers.dtype).implode()).fill_null(False).to_numpy()
    unseen = np.isfinite(trees.oob_decision_function_).all(axis=1)
    votes = trees.oob_decision_function_[unseen]
    if not learned.all():
        votes = np.vstack([votes, trees.predict_proba(X[~learned])])
    said = pl.Series(trees.classes_, dtype=answers.dtype).gather(votes.argmax(axis=1))
    truth = pl.concat([answers.filter(pl.Series(learned)).filter(pl.Series(unseen)), answers.filter(pl.Series(~learned))])
    # One wrong guess as sure as can be: a few right ones make nothing certain.
    sure = np.append(votes.max(axis=1), 1.0)
    right = np.append((said == truth).fill_null(False).to_numpy(), False)
    return IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(sure, right)
