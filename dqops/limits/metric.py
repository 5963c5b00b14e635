"""How a scorer counts, what bounds are known for it, and what a target score means in errors."""

from dataclasses import dataclass
from math import isfinite, isinf
from numbers import Real

import numpy as np

from dqops.errors import OptionError
from dqops.limits.tally import CLASSES, DISTANCES, SQUARES
from dqops.models.scoring import bounds_of, scorer_name


@dataclass(frozen=True)
class Metric:
    """A scorer, in terms of the errors that near neighbours can bound.

    Parameters
    ----------
    scoring : str or callable
    measure : {"classes", "squares", "distances"}
        What is asked of near neighbours.
    unit : str
        What errors are counted in.
    bounded : bool
        Whether the band is in the scorer's own unit. Else it is in `unit`, and only a model that was found can show
        that a target of the scorer is feasible; nothing shows that one is not.
    """

    scoring: object
    measure: str
    unit: str
    bounded: bool

    @property
    def name(self):
        """The scorer, to print."""
        return scorer_name(self.scoring)

    @property
    def scorer(self):
        """The scorer that the band itself is judged with."""
        if self.bounded:
            return self.scoring
        return "accuracy" if self.measure == CLASSES else "r2"

    def error(self, score):
        """A score as an error."""
        return 1 - score if self.unit.startswith("1 - ") else -score

    def from_loss(self, loss, labels):
        """A mean loss of near neighbours as an error."""
        if self.unit in ("1 - R2", "1 - explained variance"):
            return loss / max(float(np.var(labels)), np.finfo(float).tiny)
        return float(np.sqrt(max(loss, 0.0))) if self.unit == "root mean squared error" else loss


def metric_of(scoring, task):
    """The `Metric` of a scorer.

    >>> metric_of("f1", "classification").bounded, metric_of("neg_mean_absolute_error", "regression").unit
    (False, 'mean absolute error')
    """
    if task == "classification":
        return Metric(scoring, CLASSES, "1 - accuracy", scoring == "accuracy")
    known = {
        "r2": (SQUARES, "1 - R2"),
        "explained_variance": (SQUARES, "1 - explained variance"),
        "neg_mean_squared_error": (SQUARES, "mean squared error"),
        "neg_root_mean_squared_error": (SQUARES, "root mean squared error"),
        "neg_mean_absolute_error": (DISTANCES, "mean absolute error"),
    }
    measure, unit = known.get(scoring, (SQUARES, "1 - R2")) if isinstance(scoring, str) else (SQUARES, "1 - R2")
    return Metric(scoring, measure, unit, isinstance(scoring, str) and scoring in known)


def check_target(target, scoring):
    """The target score as a float, or the error that says what scores there are.

    >>> check_target(0.9, "accuracy")
    0.9
    """
    if target is None:
        return None
    if isinstance(target, bool) or not isinstance(target, Real) or not isfinite(target):
        raise OptionError("target_score", target, "a finite number")
    low, high = bounds_of(scoring)
    if low <= target <= high:
        return float(target)
    if high == 0:
        hint = f"a score of 0 or less: {scorer_name(scoring)} counts errors downwards, so an error of {target:g} is the score {-target:g}"
    elif isinf(low):
        hint = f"a score of {scorer_name(scoring)}, {high:g} at most"
    else:
        share = f"; {target:g}% is {target / 100:g}" if 1 < target <= 100 and high == 1 else ""
        hint = f"a score of {scorer_name(scoring)}, from {low:g} to {high:g}{share}"
    raise OptionError("target_score", target, hint)
