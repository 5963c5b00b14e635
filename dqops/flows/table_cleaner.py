"""A plan's repairs of features as a step of a scikit-learn pipeline."""

from dataclasses import replace

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from dqops.cleaners.recipe import Step, fit_recipe
from dqops.errors import DataError, OptionError
from dqops.flows.repairs import SURE, in_order, sure_repairs
from dqops.flows.search import chosen_detectors, search
from dqops.results.plan import CleaningPlan
from dqops.tables.given import own_of, rewritten_like
from dqops.tables.io import read
from dqops.tables.plain import plain_cells


class TableCleaner(TransformerMixin, BaseEstimator):
    """Repairs features at serving as in training: a step for the front of a pipeline.

    `fit` learns from the rows that it is given, and from them alone, what the repairs need (what is usual, what
    foretells what); `transform` finds the same doubts in any rows and repairs them alike. Frames go in and come out
    of one kind, with their index, and with the dtypes of the columns that are not repaired; arrays give arrays. No
    row is dropped, and the target is never looked at.

    Parameters
    ----------
    plan : CleaningPlan, path or None
        Whose repairs of features are made, in its order; columns that X does not have are passed over. None searches
        the training rows, and repairs what is surely right.
    indicators : bool
        Add a column ``missing_NAME`` of 0 and 1 for each column whose empty cells are repaired: which were empty.
    min_confidence : float
        Without a plan, the least confidence of a change, in [0, 1].
    seed : int

    Attributes
    ----------
    steps_ : tuple of Step
        The repairs that were fitted.

    Examples
    --------
    >>> X = pl.DataFrame({"size": [*(f"{size / 7:.2f}" for size in range(60)), "4.2 kg", "3.9 kg"]})
    >>> TableCleaner().fit_transform(X)["size"].to_list()[-2:]
    [4.2, 3.9]
    """

    def __init__(self, plan=None, *, indicators=False, min_confidence=SURE, seed=0):
        self.plan = plan
        self.indicators = indicators
        self.min_confidence = min_confidence
        self.seed = seed

    def fit(self, X, y=None):
        """Learn from the training rows what the repairs need.

        Parameters
        ----------
        X : pandas.DataFrame, polars.DataFrame or array (n, d)
        y : ignored

        Raises
        ------
        DataError
            When X has none of the columns that the plan repairs.
        """
        table = self._table(X, reset=True)
        self.steps_ = self._steps(table)
        self.recipe_, _ = fit_recipe(table, self.steps_, seed=self.seed)
        return self

    def transform(self, X):
        """The rows with doubtful cells repaired.

        Parameters
        ----------
        X : of the kind, and with the columns, that `fit` was given

        Returns
        -------
        frame or array of the same kind
        """
        check_is_fitted(self)
        table = self._table(X, reset=False)
        repaired = self.recipe_.repair(table)
        touched = [(place, name) for place, name in enumerate(table.columns) if any(step.column == name for step in self.steps_)]
        marks = {f"missing_{name}": table.frame[name].is_null().cast(pl.Float64) for name in self._marked()}
        if table.given is None:
            served = _as_array(np.asarray(X), {place: repaired.frame[name] for place, name in touched})
            return np.column_stack([served, *marks.values()]) if marks else served
        columns = {place: rewritten_like(table.given, place, table.frame[name], repaired.frame[name]) for place, name in touched}
        own = own_of(table.given)
        return own.appended(own.with_columns(table.given, columns), marks)

    def get_feature_names_out(self, input_features=None):
        """Names of the columns that `transform` gives."""
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        return np.asarray([*names, *(f"missing_{name}" for name in self._marked())], dtype=object)

    def _marked(self):
        """Columns that tell which of their cells were empty."""
        filled = [step.column for step in self.steps_ if step.kind == "missing"]
        return list(dict.fromkeys(filled)) if self.indicators else []

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def _table(self, X, *, reset):
        """X as a `Table`; names and number of columns are those of `fit`."""
        if isinstance(X, pl.DataFrame) or hasattr(X, "iloc"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            if not X.shape[0]:
                raise DataError(f"X has 0 sample(s) (shape={X.shape}) while a minimum of 1 is required", "one or more rows")
            return read(X)
        X = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False)
        frame = pl.DataFrame([_cells(f"x{place}", X[:, place]) for place in range(X.shape[1])])
        return replace(read(frame), given=None, flavour="pandas")

    def _steps(self, table):
        if self.plan is None:
            if not (isinstance(self.min_confidence, int | float) and 0 <= self.min_confidence <= 1):
                raise OptionError("min_confidence", self.min_confidence, "a number from 0 to 1")
            kinds = {name: one for name, one in chosen_detectors().items() if name not in ("duplicates", "leakage")}
            findings, _, _ = search(table, kinds, None, self.seed)
            return in_order(sure_repairs(table, findings, self.min_confidence))
        plan = self.plan if isinstance(self.plan, CleaningPlan) else CleaningPlan.load(self.plan)
        target = plan.settings.get("target")
        steps = [Step.from_dict(told) for told in plan.steps]
        steps = [step for step in steps if step.column not in (None, target) and not step.cleaner.on_rows]
        here = tuple(step for step in steps if step.column in table.columns)
        if steps and not here:
            raise DataError(f"X has none of the columns that the plan for {plan.data['name']} repairs", "one or more of " + ", ".join(dict.fromkeys(step.column for step in steps)))
        return here


def _cells(name, values):
    """A column of an array as plain cells."""
    if values.dtype.kind in "fiub":
        return pl.Series(name, values)
    return plain_cells(name, [None if value is None or value != value else value for value in values.tolist()])[0]


def _as_array(X, columns):
    """The array with these columns, by their places; of floats where whole numbers became empty."""
    if not columns:
        return X.copy()
    if X.dtype.kind == "O":
        fresh = X.copy()
        for place, cells in columns.items():
            fresh[:, place] = [np.nan if cell is None else cell for cell in cells.to_list()]
        return fresh
    numbers = {place: cells.cast(pl.Float64).fill_null(np.nan).to_numpy() for place, cells in columns.items()}
    whole = X.dtype.kind != "f" and all(np.isfinite(column).all() for column in numbers.values())
    fresh = X.astype(X.dtype if whole or X.dtype.kind == "f" else np.float64)
    for place, column in numbers.items():
        fresh[:, place] = column
    return fresh
