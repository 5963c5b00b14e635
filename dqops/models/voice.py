"""Predictions that were worked out without an estimator, judged as an estimator's are."""

from dataclasses import dataclass

import numpy as np

from dqops.models.fitting import border
from dqops.models.scoring import score_of, scorer_name

WORST_R2 = -10.0


@dataclass(frozen=True, eq=False)
class Voice:
    """What `dqops.models.fitting.Fitted` is for an estimator: predictions in the labels of the table.

    Parameters
    ----------
    said : float64 (n, C) probabilities or votes, or (n,) numbers
    classes : array (C,) or None
    """

    said: np.ndarray
    classes: np.ndarray | None

    def predict_features(self, features):
        """Labels, the first of those said most often, or numbers (n,)."""
        return self.said if self.classes is None else self.classes[self.said.argmax(axis=1)]

    def gives(self, method):
        """Probabilities are all that there is beside predictions."""
        return method == "predict_proba"

    def response(self, features, method):
        """float64 (n, C)."""
        return self.said


def score_said(said, truth, classes, scoring):
    """Score of predictions; higher is better, an R2 below -10 counts as -10.

    Parameters
    ----------
    said : float64 (n, C) or (n,)
    truth : int64 (n,) codes of classes, -1 for a label that is none of them; or float64 (n,) numbers
    classes : array (C,) or None
    scoring : str or callable

    Examples
    --------
    >>> score_said(np.array([[0.2, 0.8], [0.6, 0.4]]), np.array([1, 1]), np.array(["no", "yes"]), "accuracy")
    0.5
    """
    if scoring == "accuracy":
        return float((said.argmax(axis=1) == truth).mean())
    if scoring == "r2":
        spread = ((truth - truth.mean()) ** 2).sum()
        lost = ((truth - said) ** 2).sum()
        return max(float(1 - lost / spread) if spread > 0 else float(lost == 0), WORST_R2)
    if scoring == "neg_mean_squared_error":
        return -float(((truth - said) ** 2).mean())
    known = slice(None) if classes is None else truth >= 0
    labels = truth if classes is None else classes[truth[known]]
    # Scorers ask for features only to hand them to the model, which knows already what it says.
    with border("followed", f"scoring by {scorer_name(scoring)}"):
        return score_of(Voice(said[known], classes), np.zeros((len(labels), 1)), labels, scoring)
