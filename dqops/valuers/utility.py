"""What a set of training rows is worth: the score on the holdout of a model trained on them."""

from dataclasses import dataclass
from math import nan

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from dqops.errors import DataError, ModelError
from dqops.models.fitting import Fitted, border
from dqops.models.scoring import score_of, scorer_name
from dqops.seeds import stream
from dqops.valuers.learner import take

TRAINED, DEGENERATE, FAILED = 0, 1, 2
_RESAMPLES = 50


@dataclass(frozen=True, eq=False)
class Utility:
    """Score on the holdout of a model trained on a set of rows.

    Parameters
    ----------
    learner : Learner
    features, labels : (n_holdout, d) and (n_holdout,)
    scoring : str or callable
        A scorer of scikit-learn; higher is better.
    seed : int
        Every training has the same: sets differ by their rows alone.
    null : float
        Utility of sets without rows or with one class, and of those whose training fails.
    """

    learner: object
    features: object
    labels: np.ndarray
    scoring: object
    seed: int
    null: float = nan

    def __call__(self, rows):
        """(utility, TRAINED, DEGENERATE or FAILED) of these rows."""
        if not len(rows):
            return self.null, DEGENERATE
        try:
            return self.score(self.learner.fit(rows, self.seed)), TRAINED
        except DataError:
            return self.null, DEGENERATE
        except ModelError:
            return self.null, FAILED

    def score(self, fitted, rows=None):
        """Score of a fitted model on the holdout, or on these rows of it.

        Raises
        ------
        ModelError
        """
        features, labels = self.features, self.labels
        if rows is not None:
            features, labels = take(features, rows), labels[rows]
        if self._is_accuracy():  # many thousand times: a scorer would take longer than a small model
            return float((fitted.predict_features(features) == labels).mean())
        with border(self.learner.model.name, f"scoring by {scorer_name(self.scoring)}"):
            return score_of(fitted, features, labels, self.scoring)

    def _is_accuracy(self):
        return isinstance(self.scoring, str) and self.scoring == "accuracy"

    def full(self):
        """Utility of all rows, and its standard error over holdout rows (bootstrap).

        Raises
        ------
        ModelError
            Where the model cannot be trained on all rows, or not be scored.
        """
        fitted = self.learner.fit(np.arange(len(self.learner)), self.seed)
        score, n_held = self.score(fitted), len(self.labels)
        if self._is_accuracy():
            return score, float(np.sqrt(score * (1 - score) / n_held))
        rng, scores = stream(self.seed, "holdout"), []
        for _ in range(_RESAMPLES):
            try:
                scores.append(self.score(fitted, rng.integers(n_held, size=n_held)))
            except (DataError, ModelError):  # such as one class where the scorer needs two
                continue
        return score, float(np.std(scores, ddof=1)) if len(scores) > 1 else 0.0

    def uninformed(self):
        """Score of a model that knows the labels of all rows and no features: the majority class, or the mean."""
        learner = self.learner
        dummy = DummyRegressor() if learner.classes is None else DummyClassifier(strategy="prior")
        fitted = dummy.fit(np.zeros((len(learner), 1)), learner.values.astype(str) if learner.values.dtype == object else learner.values)
        return self.score(Fitted(learner.model, fitted, learner.classes, None))
