"""From what a user hands over to a settled linear model and its holdout."""

from dataclasses import dataclass
from warnings import warn

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from dqops.errors import ApproximationWarning, DataError, OptionError
from dqops.models.fitting import border
from dqops.valuers.arrays import check_rows, coded_labels, column_names, feature_array, number_targets
from dqops.valuers.linear_curvature import check_width
from dqops.valuers.linear_fit import LOOSE, TIGHT, LinearFit, settled
from dqops.valuers.linear_loss import SquaredLoss, log_loss
from dqops.valuers.linear_model import TAKEN, is_linear, named_model, objective_of, starting_point
from dqops.valuers.linear_rows import LinearRows, centred_rows
from dqops.valuers.linear_sketch import is_sketchable

_FAR = 0.1  # log odds, or standard deviations of the target: a model that is this far from its optimum is another one


@dataclass(frozen=True, eq=False)
class LinearTask:
    """A settled linear model, the rows it is judged on, and how to read further rows.

    Parameters
    ----------
    fit : LinearFit
    holdout : LinearRows (n_holdout)
    holdout_targets : int64 or float64 (n_holdout,)
    classes : array (C,) or None
    transformer : fitted pipeline or None
    columns : tuple of str
        Names of the columns that the model sees, where they have any.
    why : str
        What had to be done to the model that was handed over.
    """

    fit: LinearFit
    holdout: LinearRows
    holdout_targets: np.ndarray
    classes: np.ndarray | None
    transformer: object
    columns: tuple[str, ...]
    why: str

    def features_of(self, X, name):
        """Other rows as the model sees them."""
        features = _plain_features(_transformed(self.transformer, X), name)
        if features.shape[1] != self.fit.rows.features.shape[1]:
            raise DataError(f"{name} has {features.shape[1]} columns and X {self.fit.rows.features.shape[1]}", "the same columns in both")
        return features

    def targets_of(self, y, name):
        """Other targets, coded as the training targets are."""
        if self.classes is None:
            return number_targets(y, name)
        coded = coded_labels(self.classes, y, name="classes")
        _check_seen(coded, len(self.classes), name)
        return coded.holdout


def linear_task(model, X, y, X_holdout, y_holdout, sample_weight, may_be_loose=False):
    """`LinearTask` of a model's name, an estimator or a pipeline, fitted or not.

    What is not fitted is cloned and fitted here; what is fitted is taken as it stands, and polished by Newton steps where
    it stands short of its optimum: less closely where a sketch is to follow and that may be.
    """
    transformer, estimator = named_model(model)
    if not is_linear(estimator):
        raise OptionError("model", type(estimator).__name__, f"a linear model: {TAKEN}")
    weights = checked_weights(sample_weight, len(y) if hasattr(y, "__len__") else None)
    transformer, X, X_holdout = _through(transformer, X, y, X_holdout)
    columns = tuple(column_names(X) or ())
    features, held = _plain_features(X, "X"), _plain_features(X_holdout, "X_holdout")
    if features.shape[1] != held.shape[1]:
        raise DataError(f"X has {features.shape[1]} columns and X_holdout {held.shape[1]}", "the same columns in both")
    targets, held_targets, classes = _coded(estimator, y, y_holdout)
    check_rows(features.shape[0], len(targets))
    check_rows(held.shape[0], len(held_targets), "X_holdout", "y_holdout")
    ready = _fitted(estimator, features, targets if classes is None else classes[targets], weights)
    fit = _settled(ready, features, targets, weights, classes, may_be_loose)
    if ready is estimator:
        _warn_if_elsewhere(fit, estimator)
    return LinearTask(fit, fit.rows.like(held), held_targets, classes, transformer, columns, _told(fit))


def checked_weights(sample_weight, n_rows):
    """Weights of the rows, float64 (n,), or None.

    Raises
    ------
    DataError
        Where one is negative, missing or infinite, all are 0, or they are not one a row.
    """
    if sample_weight is None:
        return None
    weights = number_targets(sample_weight, "sample_weight")
    check_rows(n_rows, len(weights), "y", "sample_weight")
    if (weights < 0).any() or not weights.any():
        raise DataError("sample_weight holds negative numbers" if weights.any() else "every sample_weight is 0", "weights of 0 or more, some above 0")
    return weights


def is_fitted(estimator):
    """Has it been fitted?"""
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def _through(transformer, X, y, X_holdout):
    """(fitted transformer, X, X_holdout behind it); an unfitted one is cloned and fitted on the training rows."""
    if transformer is None:
        return None, X, X_holdout
    if is_fitted(transformer):
        return transformer, _transformed(transformer, X), _transformed(transformer, X_holdout)
    with border("pipeline", "fit of the steps before the model"):
        transformer = clone(transformer)
        X = transformer.fit_transform(X, y)
    return transformer, X, _transformed(transformer, X_holdout)


def _transformed(transformer, X):
    if transformer is None:
        return X
    with border("pipeline", "transform"):
        return transformer.transform(X)


def _plain_features(X, name):
    """Numbers, all finite; a sparse matrix stays sparse."""
    if not sparse.issparse(X):
        return feature_array(X, name)
    rows = sparse.csr_array(X)
    if rows.ndim != 2 or not rows.shape[0] or not rows.shape[1]:
        raise DataError(f"{name} has shape {rows.shape}", "one row and one column or more")
    wrong = np.flatnonzero(~np.isfinite(rows.data))
    if len(wrong):
        raise DataError(f"{name} column {rows.indices[wrong[0]]} is missing or infinite in some rows", "finite numbers")
    return rows


def _coded(estimator, y, y_holdout):
    """(targets, holdout targets, classes or None)."""
    if estimator._estimator_type == "regressor" if hasattr(estimator, "_estimator_type") else not hasattr(estimator, "predict_proba"):
        return number_targets(y), number_targets(y_holdout, "y_holdout"), None
    labels = coded_labels(y, y_holdout)
    if labels.n_trained < 2:
        raise DataError(f"y holds one class ({labels.classes.tolist()[0]!r})", "two or more classes")
    classes = labels.classes[: labels.n_trained]
    _check_seen(labels, labels.n_trained, "y_holdout")
    if is_fitted(estimator) and list(map(str, estimator.classes_.tolist())) != list(map(str, classes.tolist())):
        raise DataError(f"the fitted model knows the classes {estimator.classes_.tolist()} and y has {classes.tolist()}", "the labels that it was fitted to")
    return labels.codes, labels.holdout, classes


def _check_seen(labels, n_trained, name):
    unseen = labels.classes[n_trained:]
    if len(unseen):
        raise DataError(f"{name} holds the class {unseen[:1].tolist()[0]!r}, which no training row has", "classes that the model can learn")


def _fitted(estimator, features, y, weights):
    if is_fitted(estimator):
        return estimator
    with border(type(estimator).__name__, "fit"):
        return clone(estimator).fit(features, y, **({} if weights is None else {"sample_weight": weights}))


def _settled(estimator, features, targets, weights, classes, may_be_loose):
    """The fit at its optimum."""
    objective = objective_of(estimator)
    loss = SquaredLoss() if classes is None else log_loss(len(classes))
    width = features.shape[1]
    check_width(loss.n_directions, width + objective.has_intercept)
    rows = centred_rows(features, has_intercept=objective.has_intercept, is_centred=objective.has_intercept and not objective.intercept_share)
    start = starting_point(estimator, objective, loss, rows.centre, width)
    class_weights = None if classes is None else objective.class_weights(classes, targets, weights)
    weights = np.ones(len(targets)) if weights is None else weights
    tolerances = LOOSE if may_be_loose and is_sketchable(loss, rows) else TIGHT
    return settled(rows, loss, targets, weights, class_weights, objective.ridge(width), start, tolerances)


def _told(fit):
    """What a reader should know of the way to the optimum."""
    told = []
    if fit.n_steps:
        told.append(f"the fit stood short of its optimum and was polished by {fit.n_steps} Newton step{'s' * (fit.n_steps > 1)}, which moved the score of a row by at most {fit.moved:.2g}")
    if fit.whitening.idle.shape[1]:
        told.append(f"{fit.whitening.idle.shape[1]} directions of the columns are held by nothing (they repeat one another): they are left alone")
    return "; ".join(told)


def _warn_if_elsewhere(fit, estimator):
    """Say where a model that was handed over is not the one that is valued."""
    scale = 1.0 if fit.loss.bends else max(float(np.std(fit.targets)), np.finfo(float).tiny)
    if fit.moved > _FAR * scale:
        came = f"{type(estimator).__name__} is not at the optimum of its objective on these rows: scores there differ by up to {fit.moved:.2g}"
        warn(f"{came}, and values are about the optimum; were other rows or sample weights fitted?", ApproximationWarning, stacklevel=4)
