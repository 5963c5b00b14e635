"""Gains with proved ends: least squares and ridge over every value between the candidates."""

from dataclasses import dataclass

import numpy as np

from dqops.contracts import Propagator
from dqops.errors import ModelError
from dqops.models.feature_space import learner_of
from dqops.models.scoring import bounds_of
from dqops.models.space import last_step
from dqops.models.voice import WORST_R2
from dqops.propagation.bounds import ridge_bounds
from dqops.propagation.by_influence import Stepped
from dqops.propagation.following import gains_of, seen_in, share_of
from dqops.propagation.in_space import placed

SCORES = ("r2", "neg_mean_squared_error", "neg_root_mean_squared_error", "neg_mean_absolute_error")


@dataclass(frozen=True)
class Bounds(Propagator):
    """Proves between which ends the score lies whatever is true of the doubtful training rows.

    The rows that judge are taken at their likeliest values. The expected gain is the mean over a sample of worlds, in each of which
    the model is fitted exactly; the ends hold in all worlds of all splits, level 1, for these rows that judge.

    Parameters
    ----------
    n_worlds, n_candidates, level
        As for `Retrain`.

    References
    ----------
    Zhu, Feng, Glavic, Salimi 2024, NeurIPS, Learning from uncertain data. arXiv 2405.18549

    Examples
    --------
    >>> Bounds().name
    'bounds'
    """

    name = "bounds"
    n_worlds: int = 16
    n_candidates: int = 10
    level: float = 0.9

    def refusal(self, design):
        """Squared losses, and scores of predicted numbers."""
        try:
            learner = learner_of(design.model.name, last_step(design.model))
        except ModelError as cause:
            return str(cause)
        if learner.loss != "squared" or design.task != "regression":
            return "bounds are proved for ridge regression and least squares alone"
        return "" if design.scoring in SCORES else f"bounds are proved for the scores {', '.join(SCORES)}"

    def price(self, doubts, design, splits, rng):
        """`Gains` of these doubts; see `Propagator.price`. A factorisation for each split and doubt, and about a hundred fits."""
        alpha, seed = learner_of(design.model.name, last_step(design.model)).alpha, int(rng.integers(2**31))
        seen = []
        for _, train, judged in splits:
            place = placed(train, judged, doubts, design, seed=seed, n_worlds=self.n_worlds, n_candidates=self.n_candidates)
            follower = _Exact(place, alpha, newton=True)
            told = []
            for at, case in enumerate(place.cases):
                one = seen_in(case, follower.of(at))
                ends = self._ends(place, at, alpha, follower.judges(case))
                base = follower.score(follower.head.theta, case, "today", None)
                one.truth, one.repair = ({arm: value for arm, value in held.items() if arm == "training"} for held in (one.truth, one.repair))
                one.bounds = {"training": (ends[0] - base, ends[1] - base)}
                told.append(one)
            seen.append(told)
        share, n_judged = share_of(splits)
        return gains_of(place.cases, seen, share=share, level=self.level, method=self.name, floor=1 / n_judged)

    def _ends(self, place, at, alpha, J):
        """Least and greatest score over all values between the candidates."""
        choices = place.cases[at].train
        worst, best = bounds_of(place.scoring)
        if not choices.kept.all():
            return worst, best
        X, radius, y, shift = place.X.copy(), np.zeros(place.X.shape), place.y.copy(), np.zeros(len(place.y))
        if len(choices.positions):
            features, targets = place.moved[at]["train"]
            for middle, half, values in ((X, radius, features), (y, shift, targets)):
                low, high = (end.reduceat(values, choices.start[:-1], axis=0) for end in (np.minimum, np.maximum))
                middle[choices.positions], half[choices.positions] = (low + high) / 2, (high - low) / 2
        told = ridge_bounds(X, y, radius, J, alpha=alpha, target_radius=shift)
        ends = score_ends(told.low, told.high, place.truth, place.scoring)
        return tuple(max(one, WORST_R2) for one in ends) if place.scoring == "r2" else ends


class _Exact(Stepped):
    """Judges training alone: the rows that judge are at their likeliest values in all worlds."""

    def judges(self, case):
        """Features of the rows that judge, float64 (n, d)."""
        mended = case.repair_judged
        return self.place.J if mended is None else self.place.judged(self.at, "repair", np.zeros(len(mended.sizes), dtype=np.int64))

    def score(self, model, case, part, chosen):
        return self.place.score(self.head.says(model, self.judges(case)))


def score_ends(low, high, truth, scoring):
    """Least and greatest score of predictions that lie between `low` and `high`.

    Parameters
    ----------
    low, high, truth : float64 (n,)
    scoring : str
        One of `SCORES`.

    Examples
    --------
    >>> score_ends(np.array([0.0]), np.array([1.0]), np.array([2.0]), "neg_mean_squared_error")
    (-4.0, -1.0)
    """
    most = np.maximum(np.abs(low - truth), np.abs(high - truth))
    least = np.where((low <= truth) & (truth <= high), 0.0, np.minimum(np.abs(low - truth), np.abs(high - truth)))
    if scoring == "neg_mean_absolute_error":
        return -float(most.mean()), -float(least.mean())
    ends = float((most**2).mean()), float((least**2).mean())
    if scoring == "neg_root_mean_squared_error":
        ends = tuple(float(np.sqrt(one)) for one in ends)
    if scoring != "r2":
        return -ends[0], -ends[1]
    spread = truth.var()
    return tuple(1 - one / spread if spread > 0 else float(one == 0) for one in ends)
