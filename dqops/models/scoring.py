"""Scores: any scorer of scikit-learn by name, higher is better."""

import inspect

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.utils.metaestimators import available_if

from dqops.errors import DataError, OptionError, UnknownNameError
from dqops.models.targets import codes_of

_OF_REGRESSION = frozenset(
    name
    for name in get_scorer_names()
    if name in ("r2", "d2_absolute_error_score", "explained_variance") or ("error" in name or "deviance" in name)
)


def default_scoring(task):
    """The score that is asked for when none is named.

    >>> default_scoring("regression")
    'r2'
    """
    return "accuracy" if task == "classification" else "r2"


def check_scoring(scoring, task, n_classes=2):
    """The name of the scorer, or the error that says why it cannot be used here.

    >>> check_scoring(None, "classification")
    'accuracy'
    """
    if scoring is None:
        return default_scoring(task)
    if callable(scoring):
        return scoring
    if scoring not in get_scorer_names():
        raise UnknownNameError("scorer", scoring, get_scorer_names())
    if (scoring in _OF_REGRESSION) != (task == "regression"):
        needed = f"a scorer of {task}, such as {default_scoring(task)!r}"
        raise OptionError("scoring", scoring, needed)
    if n_classes > 2 and scoring in ("f1", "precision", "recall", "jaccard"):
        raise OptionError("scoring", scoring, f"two classes, and the target has {n_classes}: try '{scoring}_macro'")
    return scoring


def scorer_name(scoring):
    """What to call a scorer: its name, also where a function was given.

    >>> scorer_name("r2"), scorer_name(get_scorer("r2")), scorer_name(max)
    ('r2', 'r2_score', 'max')
    """
    if isinstance(scoring, str):
        return scoring
    said = getattr(scoring, "_score_func", scoring)
    return getattr(said, "__name__", type(said).__name__)


def bounds_of(scoring):
    """The least and the largest value that the score can have: nobody is right more often than always.

    >>> bounds_of("accuracy"), bounds_of("r2"), bounds_of("neg_log_loss")
    ((0.0, 1.0), (-inf, 1.0), (-inf, 0.0))
    """
    if not isinstance(scoring, str):
        return -np.inf, np.inf
    if scoring.startswith("neg_"):
        return -np.inf, 0.0
    if scoring in ("r2", "explained_variance") or scoring.startswith("d2_"):
        return -np.inf, 1.0
    if scoring in ("positive_likelihood_ratio", "mutual_info_score"):
        return 0.0, np.inf
    return (-1.0 if scoring == "matthews_corrcoef" or scoring.startswith("adjusted_") else 0.0), 1.0


def score_of(fitted, features, labels, scoring):
    """Score of a fitted model on these rows.

    Parameters
    ----------
    fitted : Fitted
    features : frame
    labels : array (n,)
    scoring : str or callable
    """
    if not len(labels):
        raise DataError("no row with a known target is left to judge on", "at least one")
    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    if fitted.classes is None:
        return float(scorer(_Numbers(fitted), features, labels))
    voice = _Classes(fitted, coded=isinstance(scoring, str) and _needs_codes(fitted.classes))
    judged = codes_of(labels, fitted.classes) if voice.coded else labels
    if not voice.coded and judged.dtype == object:
        judged = judged.astype(str)
    options = _class_list(scorer, voice)
    scorer = type(scorer)(scorer._score_func, scorer._sign, {**scorer._kwargs, **options}, scorer._response_method) if options else scorer
    return _told(scorer(voice, features, judged), labels, scoring)


def _told(score, labels, scoring):
    """The score as a float; scorers that rank have none where all rows are of one class."""
    if np.isnan(score):
        held = np.unique(labels.astype(str))
        came = f"all rows that judge hold {str(held[0])!r}" if len(held) == 1 else "a class is missing among the rows that judge"
        raise DataError(f"{came}, and {scorer_name(scoring)} says nothing about them", "another scorer, as neg_log_loss, or splits in which all classes are judged")
    return float(score)


def needs_probabilities(scoring):
    """Does the scorer ask for class probabilities and nothing else?

    >>> needs_probabilities("neg_log_loss"), needs_probabilities("roc_auc")
    (True, False)
    """
    asked = getattr(get_scorer(scoring) if isinstance(scoring, str) else scoring, "_response_method", "predict")
    return asked in ("predict_proba", ("predict_proba",))


def _needs_codes(classes):
    """Two classes, none of them called 1: scorers of scikit-learn look for a positive class of that name."""
    return len(classes) == 2 and not any(not isinstance(one, str) and one == 1 for one in classes.tolist())


def _class_list(scorer, voice):
    """Scorers of probabilities are told the whole list of classes: a fold may lack one."""
    asked = getattr(scorer, "_response_method", None)
    if asked is None or asked == "predict" or (len(voice.classes_) == 2 and asked != "predict_proba"):
        return {}
    takes_labels = "labels" in inspect.signature(scorer._score_func).parameters
    return {"labels": voice.classes_} if takes_labels else {}


class _Numbers(RegressorMixin, BaseEstimator):
    """A fitted regressor, as scorers want to hear it."""

    def __init__(self, fitted):
        self.fitted = fitted

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, features):
        return self.fitted.predict_features(features)


class _Classes(ClassifierMixin, BaseEstimator):
    """A fitted classifier that speaks of all classes, as scorers want to hear it."""

    def __init__(self, fitted, coded):
        self.fitted, self.coded = fitted, coded
        names = fitted.classes.astype(str) if fitted.classes.dtype == object else fitted.classes
        self.classes_ = np.arange(len(names)) if coded else names

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, features):
        labels = self.fitted.predict_features(features)
        if self.coded:
            return codes_of(labels, self.fitted.classes)
        return labels.astype(str) if labels.dtype == object else labels

    @available_if(lambda self: self.fitted.gives("predict_proba"))
    def predict_proba(self, features):
        return self.fitted.response(features, "predict_proba")

    @available_if(lambda self: self.fitted.gives("decision_function"))
    def decision_function(self, features):
        decided = self.fitted.response(features, "decision_function")
        return decided[:, 1] - decided[:, 0] if decided.shape[1] == 2 else decided
