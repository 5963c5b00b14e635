"""Bags that an ensemble drew itself: which rows each of its members did not see, and what it says of them."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from sklearn.base import is_classifier
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from dqops.errors import DataError
from dqops.models.fitting import border, seeded
from dqops.models.resolve import Model
from dqops.models.targets import codes_of
from dqops.valuers.arrays import check_rows, coded_labels, column_names, feature_array, number_targets, task_of_targets
from dqops.valuers.learner import Learner, is_all_numbers, model_features

_FORESTS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
# Trees grown to pure leaves say 0 or 1: their margin would tell no more than a vote, and repeat wrong labels.
_LEAF = 5
_BAGGING = (BaggingClassifier, BaggingRegressor)


@dataclass(frozen=True, eq=False)
class ForestBags:
    """A fitted ensemble with the rows that each member was trained on.

    Parameters
    ----------
    learner : Learner
    members : list of fitted estimators
    samples : list of int (n_drawn,)
        Rows of each member, repeats allowed.
    columns : list of int (n_columns,)
        Features of each member.
    why : str
    """

    learner: object
    members: list
    samples: list
    columns: list
    why: str
    prefer = "threads"

    def __len__(self):
        return len(self.members)

    def heard(self, bag):
        """Rows that the bag lacks, and what its member says of them."""
        learner, member = self.learner, self.members[bag]
        out = np.setdiff1d(np.arange(len(learner)), self.samples[bag])
        n_classes = 0 if learner.classes is None else len(learner.classes)
        if not len(out):
            return out, np.empty((0, n_classes) if n_classes else 0)
        features = learner.features[out][:, self.columns[bag]]
        with border(learner.model.name, "predict"):
            if not n_classes:
                return out, np.asarray(member.predict(features), dtype=np.float64).reshape(len(out))
            return out, _said(member, features, n_classes)


def _said(member, features, n_classes):
    """Probabilities, or votes, for all classes; members know classes by their places among those of the ensemble."""
    spread = np.zeros((len(features), n_classes))
    if hasattr(member, "predict_proba"):
        spread[:, np.asarray(member.classes_, dtype=np.int64)] = member.predict_proba(features)
    else:
        spread[np.arange(len(features)), np.asarray(member.predict(features), dtype=np.int64)] = 1.0
    return spread


def bags_of(model, X, y, n_estimators, task, seed):
    """`ForestBags` where the model is an ensemble that draws bags (fitted here if it is not), else None.

    Raises
    ------
    DataError
        Where the ensemble was fitted on other rows, or no row is out of any bag.
    """
    if model is None:
        kind = RandomForestClassifier if task_of_targets(y, task) == "classification" else RandomForestRegressor
        leaf = max(1, min(_LEAF, np.size(y) // 20))
        model = kind(n_estimators, min_samples_leaf=leaf, random_state=seed)
    if type(model) not in (*_FORESTS, *_BAGGING) or _has_text(X):
        return None
    classes = is_classifier(model)
    named = Model(type(model).__name__, model, "classification" if classes else "regression", seed)
    features = _cells(model_features(X, named))
    labels = coded_labels(y) if classes else None
    values = labels.classes[labels.codes] if classes else number_targets(y)
    check_rows(len(features), len(values))
    if classes and len(labels.classes) < 2:
        raise DataError(f"y holds one class ({str(labels.classes[0])!r})", "two or more classes")
    is_fitted = hasattr(model, "estimators_")
    fitted, note = (model, "") if is_fitted else _fitted(named, features, values, seed)
    if is_fitted:
        _check_fitted(fitted, features, labels)
    learner = Learner(named, features, values, _known_classes(fitted) if classes else None)
    samples, columns = list(fitted.estimators_samples_), getattr(fitted, "estimators_features_", None)
    if all(len(np.unique(one)) == len(features) for one in samples):
        raise DataError(f"every member of the {named.name} was trained on all rows", "an ensemble that draws bags (bootstrap=True)")
    why = f"read from the {len(samples)} bags of one {named.name}, {'fitted before' if is_fitted else 'fitted here'}{note}"
    everything = np.arange(features.shape[1])
    return ForestBags(learner, list(fitted.estimators_), samples, columns or [everything] * len(samples), why)


def _fitted(named, features, values, seed):
    """The ensemble fitted on the rows, and a note where it had to be told to draw bags."""
    estimator, note = seeded(named.estimator, seed), ""
    if isinstance(estimator, _FORESTS) and not estimator.bootstrap:
        estimator.set_params(bootstrap=True)
        note = " with bootstrap=True"
    with border(named.name, "fit"):
        estimator.fit(features, values.astype(str) if values.dtype == object else values)
    return estimator, note


def _known_classes(fitted):
    classes = np.asarray(fitted.classes_)
    return classes.astype(object) if classes.dtype.kind in "US" else classes


def _check_fitted(fitted, features, labels):
    n_rows, n_columns = getattr(fitted, "_n_samples", len(features)), fitted.n_features_in_
    if n_rows != len(features) or n_columns != features.shape[1]:
        was = f"{n_rows} rows and {n_columns} columns"
        raise DataError(f"the {type(fitted).__name__} was fitted on {was} and X has {len(features)} and {features.shape[1]}", "the rows it was fitted on")
    if labels is None:
        return
    unknown = np.flatnonzero(codes_of(labels.classes, _known_classes(fitted)) < 0)
    if len(unknown):
        raise DataError(f"label {str(labels.classes[unknown[0]])!r} of y is unknown to the {type(fitted).__name__}", "the labels it was fitted on")


def _cells(features):
    """Features as one array; members are asked about some of its columns."""
    if hasattr(features, "tocsr"):
        return feature_array(features)
    if isinstance(features, pl.DataFrame):
        return features.cast(pl.Float64).to_numpy()
    return features.to_numpy(dtype=np.float64, na_value=np.nan) if hasattr(features, "iloc") else features


def _has_text(X):
    return column_names(X) is not None and not is_all_numbers(X)
