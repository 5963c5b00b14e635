"""From what a user hands over to a settled linear model and its holdout."""

from contextlib import suppress
from dataclasses import dataclass
from warnings import warn

import numpy as np
from scipy import sparse
from sklearn.exceptions import NotFittedError

from dqops.errors import ApproximationWarning, DataError, OptionError
from dqops.valuers.arrays import check_rows, coded_labels, column_names, feature_array, number_targets
from dqops.valuers.estimators import (
    check_seen,
    checked_weights,
    coded_targets,
    fitted_on,
    named_model,
    through,
    transformed,
)
from dqops.valuers.linear_curvature import check_width
from dqops.valuers.linear_fit import LOOSE, TIGHT, LinearFit, settled
from dqops.valuers.linear_loss import SquaredLoss, log_loss
from dqops.valuers.linear_model import TAKEN, is_linear, objective_of, starting_point
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
        features = _plain_features(transformed(self.transformer, X), name)
        if features.shape[1] != self.fit.rows.features.shape[1]:
            raise DataError(f"{name} has {features.shape[1]} columns and X {self.fit.rows.features.shape[1]}", "the same columns in both")
        return features

    def targets_of(self, y, name):
        """Other targets, coded as the training targets are."""
        if self.classes is None:
            return number_targets(y, name)
        coded = coded_labels(self.classes, y, name="classes")
        check_seen(coded, len(self.classes), name)
        return coded.holdout


def linear_task(model, X, y, X_holdout, y_holdout, sample_weight, may_be_loose=False):
    """`LinearTask` of a model's name, an estimator or a pipeline, fitted or not.

    What is not fitted is cloned and fitted here; what is fitted is taken as it stands, and polished by Newton steps where
    it stands short of its optimum: less closely where a sketch is to follow and that may be.
    """
    transformer, estimator = named_model(model)
    if not is_linear(estimator):
        raise OptionError("model", type(estimator).__name__, f"a linear model ({TAKEN}), boosted trees or a forest of scikit-learn")
    weights = checked_weights(sample_weight, len(y) if hasattr(y, "__len__") else None)
    transformer, X, X_holdout = through(transformer, X, y, X_holdout)
    columns = _columns(transformer, X)
    features, held = _plain_features(X, "X"), _plain_features(X_holdout, "X_holdout")
    if features.shape[1] != held.shape[1]:
        raise DataError(f"X has {features.shape[1]} columns and X_holdout {held.shape[1]}", "the same columns in both")
    targets, held_targets, classes = coded_targets(estimator, y, y_holdout)
    check_rows(features.shape[0], len(targets))
    check_rows(held.shape[0], len(held_targets), "X_holdout", "y_holdout")
    ready = fitted_on(estimator, features, targets if classes is None else classes[targets], weights)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused
        fit = _settled(ready, features, targets, weights, classes, may_be_loose)
    if ready is estimator:
        _warn_if_elsewhere(fit, estimator)
    return LinearTask(fit, fit.rows.like(held), held_targets, classes, transformer, columns, _told(fit))


def _columns(transformer, X):
    """Names of the columns that the model sees, or none."""
    if hasattr(transformer, "get_feature_names_out"):
        with suppress(ValueError, AttributeError, NotFittedError):  # a step that does not know its names
            return tuple(map(str, transformer.get_feature_names_out()))
    return tuple(column_names(X) or ())


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
