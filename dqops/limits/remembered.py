"""What a fitted model said of some rows, so that any scorer can be asked again and again, on any of these rows."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from dqops.models.features import features_of
from dqops.models.fitting import border
from dqops.models.scoring import score_of

_DRAWS = 300


def clopper_pearson(errors, count, share=0.05):
    """Exact one-sided limits of a share: (low, high), each wrong with probability `share` at most.

    References
    ----------
    Clopper, Pearson 1934, Biometrika 26(4). doi:10.1093/biomet/26.4.404

    Examples
    --------
    >>> [round(one, 4) for one in clopper_pearson(0, 59)], [round(one, 4) for one in clopper_pearson(10, 100)]
    ([0.0, 0.0495], [0.0553, 0.1637])
    """
    low = special.betaincinv(errors, count - errors + 1, share) if errors > 0 else 0.0
    high = special.betaincinv(errors + 1, count - errors, 1 - share) if errors < count else 1.0
    return float(low), float(high)


@dataclass(frozen=True, eq=False)
class Remembered:
    """A fitted model's answers for the rows of one table, in place of the model.

    Parameters
    ----------
    name : str
    classes : array (C,) or None
    predicted : array (n,)
    responses : dict of str to float64 (n, C)
        By method, those that the model has.
    """

    name: str
    classes: np.ndarray | None
    predicted: np.ndarray
    responses: dict

    @classmethod
    def of(cls, fitted, table):
        """The answers of a fitted model for each row of a table."""
        features = features_of(table, fitted.model.tame)
        methods = [one for one in ("predict_proba", "decision_function") if fitted.classes is not None and fitted.gives(one)]
        responses = {one: fitted.response(features, one) for one in methods}
        return cls(fitted.model.name, fitted.classes, fitted.predict_features(features), responses)

    def gives(self, method):
        """Did the model have that method?"""
        return method in self.responses

    def predict_features(self, rows):
        """Predictions for these positions."""
        return self.predicted[rows]

    def response(self, rows, method):
        """Probabilities or decisions for these positions."""
        return self.responses[method][rows]

    def score(self, labels, scoring, rows=None):
        """The score on these positions (all by default), given the labels of all."""
        rows = np.arange(len(labels)) if rows is None else rows
        with border(self.name, f"scoring by {scoring}"):
            return score_of(self, rows, labels[rows], scoring)

    def interval(self, labels, scoring, rng, share=0.05):
        """One-sided limits of the score by bootstrap over rows: (low, high); approximate."""
        count = len(labels)
        drawn = [rng.integers(count, size=count) for _ in range(_DRAWS)]
        scores = np.array([self.score(labels, scoring, rows) for rows in drawn if self.classes is None or len(np.unique(labels[rows])) > 1])
        if not len(scores):
            return float("-inf"), float("inf")
        low, high = np.quantile(scores, [share, 1 - share])
        return float(low), float(high)
