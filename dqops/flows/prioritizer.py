"""A prioritiser to be called from pipelines: fit, ask, tell, and see what the rest is worth."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from dqops.errors import DataError, OptionError, UnknownColumnError
from dqops.flows.prioritize import prioritize
from dqops.propagation.answered import after_answers
from dqops.tables.io import read

TARGET = "target"


class CleaningPrioritizer(BaseEstimator):
    """Ranks the doubts of a data set and learns from the answers: fit, ask, tell.

    Parameters
    ----------
    model : str or estimator
        As in `dqops.audit`.
    budget, cost, risk, explore, scoring, effort, seed, strategy
        As in `dqops.prioritize`.

    Attributes
    ----------
    ranking_ : Ranking
        Doubts that are open, best first.
    answers_ : dict
        ``(row, column): value`` of what was told.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> size = rng.normal(size=300)
    >>> X, y = pd.DataFrame({"size": np.where(rng.random(300) < 0.1, 70.0, size)}), 3 * size
    >>> prioritizer = CleaningPrioritizer(model="linear", effort="quick").fit(X, y)
    >>> asked = prioritizer.ask(2)
    >>> for row, column in asked.select("row", "column").iter_rows():
    ...     prioritizer = prioritizer.tell(row, column, float(size[row]))
    >>> len(prioritizer.answers_), float(prioritizer.cleaned().iloc[asked["row"][0], 0]) == float(size[asked["row"][0]])
    (2, True)
    """

    def __init__(self, model="auto", *, budget=None, cost=None, risk="mean", explore=0.0, scoring=None, effort="standard", seed=0, strategy="dqops"):
        self.model = model
        self.budget = budget
        self.cost = cost
        self.risk = risk
        self.explore = explore
        self.scoring = scoring
        self.effort = effort
        self.seed = seed
        self.strategy = strategy

    def fit(self, X, y):
        """Find the doubts of features and target, and rank them.

        Parameters
        ----------
        X : DataFrame or array (n, d)
            Columns of an array are called ``x0``, ``x1`` and so on; rows are 0 to n - 1, or the index of a pandas frame
            where its labels are distinct.
        y : array (n,)
            Its name is that of the series, or ``target``.
        """
        frame, target = _framed(X, y)
        self.table_ = read(frame, target=target)
        options = {"budget": self.budget, "cost": self.cost, "risk": self.risk, "explore": self.explore, "scoring": self.scoring, "strategy": self.strategy}
        self.ranking_ = prioritize(self.table_, target=target, model=self.model, effort=self.effort, seed=self.seed, **options)
        self.asked_, self.answers_ = self.ranking_, {}
        self._places = {row: place for place, row in enumerate(self.table_.row_ids.to_list())}
        self._given = X
        return self

    def ask(self, n=1):
        """The next n doubts, as a polars frame: rank, row, column, kind, gain, low, high, cost, reason."""
        check_is_fitted(self, "ranking_")
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise OptionError("n", n, "an integer of 1 or more")
        return self.ranking_.head(int(n)).to_frame()

    def tell(self, row, column, value):
        """Take an answer: the true value of a cell, or its recorded value where it was right.

        The doubt leaves the ranking, and those of its column, kind and reason gain or lose by how often answers find them right.

        Raises
        ------
        DataError
            For an unknown row, or a value that the column cannot hold.
        UnknownColumnError
            For an unknown column.
        """
        check_is_fitted(self, "ranking_")
        if column is not None and column not in self.table_.columns:
            raise UnknownColumnError("column", column, self.table_.columns)
        if row not in self._places:
            raise DataError(f"row {row!r} is not in the table", f"one of its {self.table_.n_rows} row ids")
        if column is not None:
            value = self._typed(column, value)
        self.answers_[row, column] = value
        return self._ranked()

    def retract(self, row, column):
        """Take an answer back: the doubt is open again."""
        check_is_fitted(self, "ranking_")
        if (row, column) not in self.answers_:
            raise DataError(f"there is no answer for row {row!r}, column {column!r}", "one that was told before")
        del self.answers_[row, column]
        return self._ranked()

    def cleaned(self):
        """The features with all answers written in, as the kind of frame that was given (pandas for an array)."""
        check_is_fitted(self, "ranking_")
        frame = self._answered().select(self.table_.features)
        if isinstance(self._given, pl.DataFrame):
            return frame
        cleaned = frame.to_pandas()
        if isinstance(self._given, pd.DataFrame):
            cleaned.index = self._given.index
        return cleaned

    def cleaned_target(self):
        """The target with all answers written in, as a numpy array."""
        check_is_fitted(self, "ranking_")
        return self._answered()[self.table_.roles.target].to_numpy()

    def _answered(self):
        frame = self.table_.frame
        told = defaultdict(list)
        for (row, column), value in self.answers_.items():
            if column is not None:
                told[column].append((self._places[row], value))
        columns = []
        for column, cells in told.items():
            places, values = zip(*sorted(cells), strict=True)
            columns.append(frame[column].clone().scatter(list(places), pl.Series(values, dtype=frame[column].dtype)))
        return frame.with_columns(columns)

    def _typed(self, column, value):
        """The answer in the type of the column."""
        dtype = self.table_.frame[column].dtype
        if value is None or (isinstance(value, float) and np.isnan(value)):
            return None
        typed = pl.Series([value], strict=False).cast(dtype, strict=False)[0]
        if typed is None:
            raise DataError(f"{value!r} cannot stand in column {column!r}", f"a value of type {dtype}")
        return typed

    def _ranked(self):
        kinds = {(row, column): said for row, column, *said in self.asked_.doubts.select("row", "column", "kind", "reason").iter_rows()}
        told = []
        for (row, column), value in self.answers_.items():
            wrong = column is None or self.table_.frame[column][self._places[row]] != value
            kind, reason = kinds.get((row, column), (None, None))
            told.append((kind, column, reason, "wrong" if wrong else "right"))
        doubts = after_answers(self.asked_.doubts, told, {*self.answers_})
        self.ranking_ = replace(self.asked_, doubts=doubts)
        return self


def _framed(X, y):
    """One frame of features and target, and the name of the target."""
    name = getattr(y, "name", None) or TARGET
    if isinstance(X, pl.DataFrame | pd.DataFrame):
        if len(X) != len(y):
            raise DataError(f"X has {len(X)} rows and y {len(y)}", "as many labels as rows")
        name = name if name not in X.columns else f"{name}_"
        if isinstance(X, pl.DataFrame):
            return X.with_columns(pl.Series(name, np.asarray(y))), name
        return X.assign(**{name: np.asarray(y)}), name
    cells = np.asarray(X)
    if cells.ndim != 2:
        raise DataError(f"X has shape {cells.shape}", "a table of n rows and d columns")
    if len(cells) != len(y):
        raise DataError(f"X has {len(cells)} rows and y {len(y)}", "as many labels as rows")
    frame = pd.DataFrame(cells, columns=[f"x{column}" for column in range(cells.shape[1])])
    return frame.assign(**{name: np.asarray(y)}), name
