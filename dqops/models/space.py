"""The space in which a pipeline's last step learns: the rows as its transformers give them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import polars as pl
from sklearn.base import clone
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from dqops.errors import DataError
from dqops.models.automatic import vectorised
from dqops.models.features import features_of, is_plain_numbers
from dqops.models.fitting import border, seeded
from dqops.models.targets import target_values

# Rows on which it is tried whether transformers look at the target.
_TRIED_ROWS = 300
# A last step that compares rows by their distance has scaled them as its author wants them.
COMPARES = ("KNeighbors", "RadiusNeighbors", "NearestCentroid", "SVC", "SVR", "KernelRidge", "GaussianProcess")


@dataclass(frozen=True, eq=False)
class Space:
    """Training and holdout rows as the last step of a pipeline is given them.

    Parameters
    ----------
    rows, rows_holdout : frame, array or sparse matrix; the latter may be None
        As the last step is given them.
    y, y_holdout : array (n,), (n_holdout,) or None
        Labels, or float64 numbers.
    learner : estimator
        The last step, not fitted, its random states set.
    task : {"classification", "regression"}
    """

    rows: object
    y: np.ndarray
    rows_holdout: object
    y_holdout: np.ndarray | None
    learner: object
    task: str

    @cached_property
    def numbers(self):
        """Training and holdout rows as finite numbers, float64 (n, d) and (n_holdout, d) or None."""
        return _filled(*_numbers(self.rows, self.rows_holdout))

    @cached_property
    def scaled_numbers(self):
        """`numbers` for comparing rows by distance: columns scaled, unless the last step compares by distance itself."""
        rows, held = self.numbers
        if type(self.learner).__name__.startswith(COMPARES):
            return rows, held
        scaler = StandardScaler().fit(rows)
        return scaler.transform(rows), None if held is None else scaler.transform(held)


def last_step(model):
    """The estimator that learns: the last step of a pipeline, or the model itself."""
    estimator = model.estimator
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def space_of(model, train, holdout, seed, *, fitted_on=None):
    """`Space` of the rows.

    Parameters
    ----------
    model : Model
        Made ready for the table (`Model.prepared`).
    train, holdout : Table
        Rows whose target is known; `holdout` may be None.
    seed : int
    fitted_on : Table, optional
        Rows that the transformers learn from; by default those of `train`.

    Raises
    ------
    ModelError
        Where a transformer fails.
    """
    before = _transformers(model, train, seed)
    base = train if fitted_on is None else fitted_on
    values, _ = target_values(base, model.task)
    with border(model.name, "transforming the features"):
        if fitted_on is None:
            rows = before.fit_transform(features_of(train, model.tame), values)
        else:
            rows = before.fit(features_of(base, model.tame), values).transform(features_of(train, model.tame))
        held = None if holdout is None else before.transform(features_of(holdout, model.tame))
    y = target_values(train, model.task)[0]
    y_holdout = None if holdout is None else target_values(holdout, model.task)[0]
    return Space(rows, y, held, y_holdout, seeded(last_step(model), seed), model.task)


def looks_at_target(model, table, seed):
    """Do the transformers of the model learn from the target?

    They are fitted twice on some rows, with the target and with a shuffled one; where the rows come out differently, they do.

    Parameters
    ----------
    model : Model
    table : Table
    seed : int
    """
    if not isinstance(model.estimator, Pipeline) or len(model.estimator.steps) < 2:
        return False
    rng = np.random.default_rng(seed)
    some = table.take(np.sort(rng.choice(table.n_rows, min(table.n_rows, _TRIED_ROWS), replace=False)))
    values, _ = target_values(some, model.task)
    features = features_of(some, model.tame)
    came = []
    for target in (values, values, rng.permutation(values)):
        before = _transformers(model, some, seed)
        with border(model.name, "transforming the features"):
            came.append(_numbers(before.fit(features, target).transform(features))[0])
    if came[0].shape == came[1].shape and not np.array_equal(came[0], came[1], equal_nan=True):
        return True  # a transformer that never answers alike twice is held for one that looks
    return came[0].shape != came[2].shape or not np.array_equal(came[0], came[2], equal_nan=True)


def _transformers(model, table, seed):
    """What comes before the last step, not fitted; where nothing does and cells are no numbers, what makes them some."""
    steps = model.estimator.steps[:-1] if isinstance(model.estimator, Pipeline) else []
    if steps:
        return seeded(Pipeline([(name, clone(step) if hasattr(step, "get_params") else step) for name, step in steps]), seed)
    numeric, holes = is_plain_numbers(table)
    return make_pipeline("passthrough") if numeric and not holes else seeded(vectorised(), seed)


def _numbers(rows, held=None):
    """Transformed rows as float64 (n, d); columns of names that the last step would take get a column a name."""
    if isinstance(rows, pl.DataFrame):
        rows, held = rows.to_pandas(), None if held is None else held.to_pandas()
    if isinstance(rows, pd.DataFrame):
        rows, held = _dummies(rows, held)
    return _dense(rows), None if held is None else _dense(held)


def _dummies(rows, held):
    named = [name for name, dtype in rows.dtypes.items() if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype))]
    if not named:
        return rows, held
    wide = pd.get_dummies(rows, columns=named)
    return wide, None if held is None else pd.get_dummies(held, columns=named).reindex(columns=wide.columns, fill_value=0)


def _dense(rows):
    array = np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows)
    try:
        array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError("the last step of the pipeline is given text", "numbers, to compare rows; method 'data_oob' needs none") from None
    return array.reshape(len(array), -1)


def _filled(rows, held):
    """Holes and infinities become the median of the training rows."""
    parts = [rows] if held is None else [rows, held]
    if all(np.isfinite(part).all() for part in parts):
        return rows, held
    seen = np.where(np.isfinite(rows), rows, np.nan)
    there = ~np.isnan(seen).all(axis=0)
    medians = np.zeros(rows.shape[1])
    medians[there] = np.nanmedian(seen[:, there], axis=0)
    filled = [np.where(np.isfinite(part), part, medians) for part in parts]
    return filled[0], None if held is None else filled[1]
