"""Gains by following a linear model from its optimum: one step instead of a training."""

from dataclasses import dataclass, replace

import numpy as np

from dqops.contracts import Propagator
from dqops.errors import DataError, ModelError
from dqops.models.feature_space import learner_of
from dqops.models.space import last_step
from dqops.propagation.following import gains_of, seen_in, share_of
from dqops.propagation.in_space import placed
from dqops.propagation.linear_head import LinearHead

_FEW = 1  # doubtful rows up to which accuracy is smoothed: one prediction more or less would drown them


@dataclass(frozen=True)
class Influence(Propagator):
    """Follows a linear model by one step from its optimum; any other is stood in for by a linear head on its features.

    Parameters
    ----------
    step : {"newton", "first_order"}
        Whether the step knows how replaced rows change the curvature; then it is exact for least squares and ridge.
    n_worlds, n_candidates, level
        As for `Retrain`.

    References
    ----------
    Koh, Liang 2017, ICML, arXiv:1703.04730. Koh, Ang, Teo, Liang 2019, NeurIPS, arXiv:1905.13289.

    Examples
    --------
    >>> Influence().name
    'influence'
    """

    name = "influence"
    step: str = "newton"
    n_worlds: int = 16
    n_candidates: int = 10
    level: float = 0.9

    def learner(self, design):
        """What the last step minimises; None where it is no linear model that can be followed."""
        try:
            learner = learner_of(design.model.name, last_step(design.model))
        except ModelError:
            return None
        wanted = "squared" if design.task == "regression" else "logistic"
        return learner if learner.loss == wanted else None

    def price(self, doubts, design, splits, rng):
        """`Gains` of these doubts; see `Propagator.price`. One fit of a linear model a split, and a solve for each world."""
        seed, seen, own = int(rng.integers(2**31)), [], self.learner(design)
        for _, train, judged in splits:
            place = placed(train, judged, doubts, design, seed=seed, scaled=own is None, n_worlds=self.n_worlds, n_candidates=self.n_candidates)
            follower = Stepped(place, 1.0 if own is None else own.alpha, self.step == "newton")
            seen.append([seen_in(case, follower.of(at)) for at, case in enumerate(place.cases)])
        share, n_judged = share_of(splits)
        # Of a single row smooth changes are told: they are not counted in whole predictions.
        floor = 0.0 if all(one.apart for one in doubts) else 1 / n_judged
        gains = gains_of(place.cases, seen, share=share, level=self.level, method=self.name, floor=floor)
        said = () if own else (f"a linear model in the space of its last step stands in for {design.model.name}",)
        return replace(gains, notes=(*gains.notes, *said))


class Stepped:
    """A linear model on one split, and where a step leads."""

    def __init__(self, place, alpha, newton):
        self.place, self.newton, self.at = place, newton, None
        n_classes = 0 if place.classes is None else len(place.classes)
        if n_classes and len(np.unique(place.y)) < 2:
            raise DataError("the rows to train on hold one class", "two or more classes")
        self.head = LinearHead.fitted(place.X, place.y, n_classes, alpha)

    def of(self, at):
        """The same for one case."""
        self.at = at
        return self

    def model(self, case, part, chosen):
        """Coefficients in a world."""
        return self.head.theta if part == "today" else self.head.replaced(*self.place.changed(self.at, part, chosen), newton=self.newton)

    def score(self, model, case, part, chosen):
        """Score of the coefficients in a world of the rows that judge."""
        J = self.place.judged(self.at, part, chosen)
        if self.place.scoring == "accuracy" and len(case.train.positions) + len(case.judged.positions) <= _FEW:
            return self.head.smooth_accuracy(model, J, self.place.truth)
        return self.place.score(self.head.says(model, J))
