"""Fitting the user's model and hearing it: the one border where foreign code runs."""

import io
import warnings
from contextlib import ExitStack, contextmanager, redirect_stdout
from copy import deepcopy
from dataclasses import dataclass
from threading import Lock

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from dqops.errors import DataError, DqopsError, ModelError
from dqops.models.features import LARGEST, features_of
from dqops.models.scoring import needs_probabilities, score_of, scorer_name
from dqops.models.targets import codes_of, target_values
from dqops.seeds import draw_seed


class _Silence:
    """What models print or warn is not heard, in however many threads they run at once.

    Standard output and the filters of warnings belong to the whole process: the first thread that enters puts them aside,
    and the last that leaves puts them back.
    """

    def __init__(self):
        self.lock, self.inside, self.aside = Lock(), 0, None

    def __enter__(self):
        with self.lock:
            if not self.inside:
                self.aside = ExitStack()
                self.aside.enter_context(warnings.catch_warnings())
                self.aside.enter_context(redirect_stdout(io.StringIO()))
                warnings.simplefilter("ignore")
            self.inside += 1

    def __exit__(self, *cause):
        with self.lock:
            self.inside -= 1
            if not self.inside:
                self.aside.close()


_SILENCE = _Silence()


@contextmanager
def border(name, step):
    """Whatever the model raises inside becomes one `ModelError`; what it prints or warns is not heard."""
    try:
        with _SILENCE, np.errstate(all="ignore"):
            yield
    except DqopsError:
        raise
    except (Exception, SystemExit) as cause:
        raise ModelError(name, step, cause) from cause


def seeded(estimator, seed):
    """An unfitted copy whose open random states are all set.

    >>> from sklearn.tree import DecisionTreeClassifier
    >>> seeded(DecisionTreeClassifier(), 0).random_state == seeded(DecisionTreeClassifier(), 0).random_state
    True
    """
    if not hasattr(estimator, "get_params"):
        return deepcopy(estimator)
    copied = clone(estimator)
    params = copied.get_params(deep=True)
    states = {name: draw_seed(seed, name) for name, value in params.items() if name.endswith("random_state") and value is None}
    copied.set_params(**states)
    for part in [copied, *params.values()]:
        _made_quiet(part, seed)
    return copied


def _made_quiet(part, seed):
    """Boosting packages write files, draw seeds of their own and take all cores, if they are let.

    Splits run side by side, so each fit has one thread; their sums also depend on how many there are.
    """
    package = type(part).__module__.partition(".")[0]
    if package == "catboost":
        given = part.get_params()
        open_ones = {"random_seed": seed, "thread_count": 1}
        part.set_params(allow_writing_files=False, **{name: value for name, value in open_ones.items() if given.get(name) is None})
    elif package in ("lightgbm", "xgboost") and hasattr(part, "get_params") and part.get_params().get("n_jobs", 1) is None:
        part.set_params(n_jobs=1)


def fit_model(model, table, seed, classes=None):
    """Fit a copy of the model on the rows of the table whose target is known.

    Parameters
    ----------
    model : Model
    table : Table
    seed : int
    classes : array, optional
        All labels that there are; by default those of the table.

    Returns
    -------
    Fitted

    Raises
    ------
    ModelError
        Names the model, the step and the cause.
    """
    values, known = target_values(table, model.task)
    if not known.any():
        raise DataError("no row with a known target is left to train on", "at least one")
    weights = _weights(table)
    if not known.all():
        table, values = table.take(np.flatnonzero(known)), values[known]
        weights = None if weights is None else weights[known]
    with border(model.name, "reading the features"):
        features = features_of(table, model.tame)
    return fit_rows(model, features, values, seed, classes=classes, weights=weights)


def fit_rows(model, features, values, seed, *, classes=None, weights=None):
    """Fit a copy of the model on features as it is to be given them.

    Parameters
    ----------
    model : Model
    features : frame, array or sparse matrix (n, d)
    values : array (n,)
        Labels, or float64 numbers.
    seed : int
    classes : array, optional
        All labels that there are, sorted; by default those of `values`.
    weights : float64 (n,), optional

    Returns
    -------
    Fitted

    Raises
    ------
    DataError
        Where the labels are all one class.
    ModelError
        Names the model, the step and the cause.
    """
    if model.task == "regression":
        return Fitted(model, _fitted(model, features, values, weights, seed), None, None)
    classes = np.unique(values) if classes is None else classes
    seen = np.unique(values)
    if len(seen) < 2:
        raise DataError(f"the rows to train {model.name} on hold one class", "two or more classes")
    try:
        named = values.astype(str) if values.dtype == object else values
        return Fitted(model, _fitted(model, features, named, weights, seed), classes, None)
    except ModelError as refused:
        if np.array_equal(seen, np.arange(len(seen))):
            raise
        try:
            return Fitted(model, _fitted(model, features, codes_of(values, seen), weights, seed), classes, seen)
        except ModelError:
            raise refused from None


def _fitted(model, features, target, weights, seed):
    with border(model.name, "fit"):
        estimator = seeded(model.estimator, seed)
        estimator.fit(features, target, **_weight_option(estimator, weights))
        return estimator


def _weights(table):
    """Sample weights, float64 (n,), 1 where the cell is empty; None without such a role."""
    if table.roles.weight is None:
        return None
    recorded = table.frame[table.roles.weight].cast(float, strict=False).fill_nan(None)
    if len(recorded) and recorded.null_count() == len(recorded):
        raise DataError(f"weight {table.roles.weight!r} holds no numbers", "weights of 0 or more")
    weights = recorded.fill_null(1.0).to_numpy()
    if (weights < 0).any() or not np.isfinite(weights).all():
        raise DataError(f"weight {table.roles.weight!r} holds negative or infinite numbers", "weights of 0 or more")
    return weights


def _weight_option(estimator, weights):
    if weights is None:
        return {}
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        return {f"{name}__sample_weight": weights} if has_fit_parameter(last, "sample_weight") else {}
    return {"sample_weight": weights} if has_fit_parameter(estimator, "sample_weight") else {}


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted model that speaks in the labels of the table.

    Parameters
    ----------
    model : Model
    estimator : fitted estimator
    classes : array (C,) or None
        All labels, sorted, also those that the training rows lacked; None for regression.
    names : array or None
        Labels behind the whole numbers that the estimator was taught, where it refused the labels themselves.
    """

    model: object
    estimator: BaseEstimator
    classes: np.ndarray | None
    names: np.ndarray | None

    def predict(self, table):
        """Predicted labels, or float64 numbers, for each row of the table (n,)."""
        return self.predict_features(self._features(table))

    def probabilities(self, table):
        """Class probabilities, float64 (n, C), a column for each of `classes`.

        A class that the training rows lacked has probability 0. A model without `predict_proba` is heard through
        its `decision_function` (softmax), else through its bare predictions (one-hot); `Design.out_of_fold`
        calibrates both.
        """
        return self.probabilities_of(self._features(table))

    def probabilities_of(self, features):
        """The same for features as the estimator is given them."""
        if self.gives("predict_proba"):
            return self.response(features, "predict_proba")
        if self.gives("decision_function"):
            decided = self.response(features, "decision_function")
            return np.exp(decided - np.logaddexp.reduce(decided, axis=1, keepdims=True))
        return self.votes(features)

    def score(self, table, scoring, target=None):
        """Score on the rows whose target is known; higher is better.

        Parameters
        ----------
        table : Table
        scoring : str
            Any scorer of scikit-learn.
        target : array (n,), optional
            Labels to judge on, instead of the recorded ones.

        Raises
        ------
        ModelError
            Where the scorer needs probabilities and the model has none, or the scorer fails.
        """
        if needs_probabilities(scoring) and not self.gives("predict_proba"):
            raise ModelError(self.model.name, "scoring", f"scoring {scorer_name(scoring)!r} needs class probabilities, which this model does not give")
        labels, known = target_values(table, self.model.task)
        if target is not None:
            labels, known = _given(target, self.model.task)
        kept = table if known.all() else table.take(np.flatnonzero(known))
        features = self._features(kept)
        with border(self.model.name, f"scoring by {scorer_name(scoring)}"):
            return score_of(self, features, labels[known], scoring)

    def gives(self, method):
        """Has the fitted estimator that method?"""
        with border(self.model.name, method):
            return hasattr(self.estimator, method)

    def predict_features(self, features):
        """Predictions for a frame of features (n,)."""
        with border(self.model.name, "predict"):
            predicted = np.asarray(self.estimator.predict(features))
            if predicted.ndim == 2 and predicted.shape[1] == 1:
                predicted = predicted[:, 0]
            if predicted.shape != features.shape[:1]:
                raise ModelError(self.model.name, "predict", f"gave shape {predicted.shape} for {features.shape[0]} rows, one number a row is needed")
            if self.classes is None:
                return self._as_numbers(predicted)
        if self.names is not None:
            return self.names[np.clip(predicted.astype(np.int64), 0, len(self.names) - 1)]
        return predicted.astype(str).astype(object) if self.classes.dtype == object else predicted.astype(self.classes.dtype)

    def _as_numbers(self, predicted):
        """Predictions as float64; what overflowed is as far off as a number may be, what is none is refused."""
        numbers = predicted.astype(np.float64)
        lacking = int(np.isnan(numbers).sum())
        if lacking:
            raise ModelError(self.model.name, "predict", f"gave no number for {lacking} of {len(numbers)} rows")
        return np.clip(numbers, -LARGEST, LARGEST)

    def response(self, features, method):
        """`predict_proba` or `decision_function` for all of `classes`, float64 (n, C)."""
        with border(self.model.name, method):
            heard = np.asarray(getattr(self.estimator, method)(features), dtype=np.float64)
            own = np.asarray(self.estimator.classes_)
        if heard.ndim == 1:
            heard = np.column_stack([-heard / 2, heard / 2]) if method == "decision_function" else np.column_stack([1 - heard, heard])
        places = codes_of(self.names if self.names is not None else own, self.classes)
        if len(places) != heard.shape[1] or (places < 0).any():
            raise ModelError(self.model.name, method, f"gave {heard.shape[1]} columns for {len(places)} classes")
        spread = np.zeros((len(heard), len(self.classes)))
        if method == "decision_function" and len(places) < len(self.classes):
            spread += heard.min(initial=0.0) - 50.0
        spread[:, places] = np.nan_to_num(heard, nan=0.0)
        return _on_simplex(spread) if method == "predict_proba" else spread

    def votes(self, features):
        """Predictions as one-hot rows, float64 (n, C)."""
        codes = codes_of(self.predict_features(features), self.classes)
        hot = np.zeros((len(codes), len(self.classes)))
        hot[np.flatnonzero(codes >= 0), codes[codes >= 0]] = 1.0
        return hot

    def _features(self, table):
        with border(self.model.name, "reading the features"):
            return features_of(table, self.model.tame)


def _on_simplex(rows):
    rows = np.clip(rows, 0.0, None)
    total = rows.sum(axis=1, keepdims=True)
    return np.where(total > 0, rows / np.where(total > 0, total, 1.0), 1.0 / rows.shape[1])


def _given(target, task):
    """Labels handed over, and which of them are known."""
    labels = np.asarray(target)
    if task == "regression":
        labels = labels.astype(np.float64)
        return labels, np.isfinite(labels)
    if labels.dtype.kind in "US":
        labels = labels.astype(object)
    if labels.dtype == object:
        known = np.array([label is not None and label == label for label in labels], dtype=bool)
        return labels, known
    return labels, ~np.isnan(labels) if labels.dtype.kind == "f" else np.ones(len(labels), dtype=bool)
