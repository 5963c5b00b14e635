"""The user's model on arrays: what it learns from, subset by subset."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags

from dqops.errors import DataError
from dqops.models.fitting import fit_rows
from dqops.models.resolve import resolve_model
from dqops.valuers.arrays import check_rows, coded_labels, column_names, feature_array, number_targets, task_of_targets


@dataclass(frozen=True, eq=False)
class Learner:
    """A model and the rows that it may learn from.

    Parameters
    ----------
    model : Model
    features : array, frame or sparse matrix (n, d)
        As the model is given them.
    values : array (n,)
        Labels, or float64 numbers.
    classes : array (C,) or None
        All labels, sorted, those of a holdout included; None for regression.
    """

    model: object
    features: object
    values: np.ndarray
    classes: np.ndarray | None

    def __len__(self):
        return len(self.values)

    def fit(self, rows, seed):
        """`Fitted` on these rows (positions, repeats allowed)."""
        return fit_rows(self.model, take(self.features, rows), self.values[rows], seed, classes=self.classes)


def learner_of(X, y, model, *, task=None, seed=0, y_holdout=None):
    """`Learner` of what a user hands over, and the labels of the holdout.

    Parameters
    ----------
    X : array-like (n, d)
        A frame or a sparse matrix reaches the model as it is; an array is checked and reaches it as floats.
    y : array-like (n,)
    model : str, estimator or pipeline
        See `dqops.models.resolve_model`.
    task : {"classification", "regression"}, optional
        By default what the estimator predicts, else what `y` looks like.
    seed : int
    y_holdout : array-like, optional

    Returns
    -------
    Learner, array or None

    Raises
    ------
    DataError
        Where rows do not match, cells or labels are missing, or there is one class.
    """
    resolved = resolve_model(model, task_of_targets(y, task), seed=seed)
    features = model_features(X, resolved)
    if resolved.task == "regression":
        values, held = number_targets(y), None if y_holdout is None else number_targets(y_holdout, "y_holdout")
        check_rows(features.shape[0], len(values))
        return Learner(resolved, features, values, None), held
    labels = coded_labels(y, y_holdout)
    check_rows(features.shape[0], len(labels.codes))
    if labels.n_trained < 2:
        raise DataError(f"y holds one class ({str(labels.classes[0])!r})", "two or more classes")
    held = None if y_holdout is None else labels.classes[labels.holdout]
    return Learner(resolved, features, labels.classes[labels.codes], np.sort(labels.classes)), held


def model_features(X, model, name="X"):
    """Features as the model is given them.

    Frames and sparse matrices are left as they are where the model may know what to do with their cells. Numbers are
    checked: missing ones are refused, by column, unless the model takes them; infinite ones are always refused.
    """
    if hasattr(X, "toarray") and hasattr(X, "tocsr"):
        return _sparse(X, name)
    if isinstance(X, pl.LazyFrame):
        raise DataError(f"{name} is a lazy frame", "a collected one: call .collect() first")
    if column_names(X) is not None:
        if not X.shape[0]:
            raise DataError(f"{name} has no rows", "one row or more")
        if not is_all_numbers(X) or model.named or _takes_holes(model.estimator):
            return X
        feature_array(X, name)
        return X
    array = np.asarray(X)
    holes = array.dtype.kind == "f" and array.ndim == 2 and bool(np.isnan(array).any())
    if holes and (model.named or _takes_holes(model.estimator)):
        feature_array(np.where(np.isnan(array), 0, array), name)
    else:
        array = feature_array(X, name)
    # dqops' own pipelines read columns by their names.
    return pd.DataFrame(array, columns=[f"x{place}" for place in range(array.shape[1])]) if model.named else array


def take(features, rows):
    """Rows of features, by position, in any order."""
    return features.iloc[rows] if hasattr(features, "iloc") else features[rows]


def _sparse(X, name):
    matrix = X.tocsr()
    if not matrix.shape[0]:
        raise DataError(f"{name} has no rows", "one row or more")
    wrong = np.flatnonzero(~np.isfinite(matrix.data))
    if len(wrong):
        raise DataError(f"{name} column {matrix.indices[wrong[0]]} is missing or infinite in {len(wrong)} cells", "finite numbers")
    return matrix


def is_all_numbers(frame):
    """Are all columns of the frame numbers or truth values?"""
    if isinstance(frame, pl.DataFrame):
        return all(dtype.is_numeric() or dtype == pl.Boolean for dtype in frame.dtypes)
    return all(pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes)


def _takes_holes(estimator):
    """Does the estimator, or the first step of a pipeline, say that it takes missing numbers?

    What works column by column is not asked: its parts may differ.
    """
    if isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
        return bool(steps) and _takes_holes(steps[0])
    if isinstance(estimator, (ColumnTransformer, FeatureUnion)):
        return True
    try:
        return bool(get_tags(estimator).input_tags.allow_nan)
    except (AttributeError, TypeError, ValueError):
        return False
