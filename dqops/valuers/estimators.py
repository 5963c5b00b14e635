"""A model as a user hands it over: by name, bare or behind a pipeline, fitted or not; its targets and weights checked."""

from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from dqops.errors import DataError, OptionError
from dqops.models.fitting import border
from dqops.valuers.arrays import check_rows, coded_labels, number_targets

NAMES = {"logistic": LogisticRegression, "ridge": Ridge}


def named_model(model):
    """(transformer or None, last estimator) of what the user names.

    >>> named_model("ridge")
    (None, Ridge())
    """
    if isinstance(model, str):
        if model not in NAMES:
            raise OptionError("model", model, f"one of {', '.join(map(repr, NAMES))}, or an estimator")
        return None, NAMES[model]()
    if isinstance(model, type):
        raise OptionError("model", model.__name__, "an estimator, not its class: add ()")
    if isinstance(model, Pipeline):
        return (model[:-1] if len(model) > 1 else None), model[-1]
    return None, model


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


def n_rows_of(X, name):
    """Rows of whatever a pipeline or a model may take.

    Raises
    ------
    DataError
        Where there are none.

    Examples
    --------
    >>> n_rows_of([[1, "a"], [2, "b"]], "X")
    2
    """
    shape = getattr(X, "shape", None)
    if shape is None and not hasattr(X, "__len__"):
        raise DataError(f"{name} is {X!r:.40}", "rows and columns")
    n_rows = len(X) if shape is None else shape[0] if shape else 0
    if not n_rows:
        raise DataError(f"{name} has no rows", "one row or more")
    return n_rows


def through(transformer, X, y, X_holdout):
    """(fitted transformer, X, X_holdout behind it); an unfitted one is cloned and fitted on the training rows."""
    n_rows_of(X, "X"), n_rows_of(X_holdout, "X_holdout")
    if transformer is None:
        return None, X, X_holdout
    if is_fitted(transformer):
        return transformer, transformed(transformer, X), transformed(transformer, X_holdout)
    with border("pipeline", "fit of the steps before the model"):
        transformer = clone(transformer)
        X = transformer.fit_transform(X, y)
    return transformer, X, transformed(transformer, X_holdout)


def transformed(transformer, X):
    """X behind a fitted transformer, or as it is."""
    if transformer is None:
        return X
    with border("pipeline", "transform"):
        return transformer.transform(X)


def coded_targets(estimator, y, y_holdout):
    """(targets, holdout targets, classes or None): class codes for a classifier, numbers for a regressor."""
    if not is_classifier(estimator):
        return number_targets(y), number_targets(y_holdout, "y_holdout"), None
    labels = coded_labels(y, y_holdout)
    if labels.n_trained < 2:
        raise DataError(f"y holds one class ({labels.classes.tolist()[0]!r})", "two or more classes")
    classes = labels.classes[: labels.n_trained]
    check_seen(labels, labels.n_trained, "y_holdout")
    if is_fitted(estimator) and estimator.classes_.tolist() != classes.tolist():
        raise DataError(f"the fitted model knows the classes {estimator.classes_.tolist()} and y has {classes.tolist()}", "the labels that it was fitted to")
    return labels.codes, labels.holdout, classes


def check_seen(labels, n_trained, name):
    """Refuse labels beyond the classes that training rows have."""
    unseen = labels.classes[n_trained:]
    if len(unseen):
        raise DataError(f"{name} holds the class {unseen[:1].tolist()[0]!r}, which no training row has", "classes that the model can learn")


def fitted_on(estimator, features, y, weights):
    """The estimator itself where it is fitted, else a fitted copy."""
    if is_fitted(estimator):
        return estimator
    with border(type(estimator).__name__, "fit"):
        return clone(estimator).fit(features, y, **({} if weights is None else {"sample_weight": weights}))


