"""Gains by training the model again in each world: any model, and no assumption but that of the worlds."""

from dataclasses import dataclass
from time import monotonic

from threadpoolctl import threadpool_limits

from dqops.contracts import Propagator
from dqops.parallel import map_blocks
from dqops.propagation.following import cases_of, gains_of, seen_in, share_of
from dqops.propagation.trial import bounded_score, trial_seed, typed_like


@dataclass(frozen=True)
class Retrain(Propagator):
    """Trains the model in each world, with the seed of its split, and scores it.

    Parameters
    ----------
    n_worlds : int
        Worlds of a doubt on each split; all where there are no more.
    n_candidates : int
        Most choices of a row.
    level : float
        Coverage of the intervals.
    n_jobs : int
        Splits worked on side by side; the answer does not depend on it.
    max_seconds : float or None
        No split is begun after this time; the answer is then partial, and says so.

    References
    ----------
    Rubin 1987, Multiple Imputation for Nonresponse in Surveys, Wiley. Nadeau, Bengio 2003, Machine Learning 52.
    doi:10.1023/A:1024068626366

    Examples
    --------
    >>> Retrain(n_worlds=4).name
    'retrain'
    """

    name = "retrain"
    n_worlds: int = 8
    n_candidates: int = 10
    level: float = 0.9
    n_jobs: int = 1
    max_seconds: float | None = None

    def price(self, doubts, design, splits, rng):
        """`Gains` of these doubts; see `Propagator.price`. One fit for each split, doubt and world."""
        seed, deadline = int(rng.integers(2**31)), None if self.max_seconds is None else monotonic() + self.max_seconds
        found, left = [], list(splits)
        while left and (not found or deadline is None or monotonic() < deadline):
            batch, left = left[: self.n_jobs], left[self.n_jobs :]
            found += map_blocks(_on_split, [(one, doubts, design, self, seed) for one in batch], n_jobs=len(batch), prefer="processes")
        share, n_judged = share_of(splits)
        gains = gains_of(found[0][0], [seen for _, seen in found], share=share, level=self.level, method=self.name, floor=1 / n_judged)
        if left:
            said = f"the time budget ended before {len(left)} of {len(splits)} splits: the answer is partial"
            gains = type(gains)(gains.entries, (*gains.notes, said))
        return gains


def _on_split(work):
    """The cases of all doubts on one split, and what it says of each."""
    (split, train, judged), doubts, design, settings, seed = work
    options = {"n_worlds": settings.n_worlds, "n_candidates": settings.n_candidates, "seed": seed}
    with threadpool_limits(limits=1):
        follower = _Trained(train, judged, design, trial_seed(design.seed, split))
        cases = [case for doubt in doubts for case in cases_of(doubt, train, judged, **options)]
        return cases, [seen_in(case, follower) for case in cases]


class _Trained:
    """Models trained on worlds of one split."""

    def __init__(self, train, judged, design, seed):
        self.train, self.judged, self.design, self.seed = train, judged, design, seed
        self._today = None

    def model(self, case, part, chosen):
        """The user's model in a world of the training rows."""
        if part == "today":
            if self._today is None:
                self._today = self.design.model.fit(self.train, seed=self.seed)
            return self._today
        made = (case.train if part == "truth" else case.repair_train).made(self.train, chosen)
        return self.design.model.fit(made, seed=self.seed)

    def score(self, model, case, part, chosen):
        """Its score in a world of the rows that judge."""
        if part == "today":
            return bounded_score(model, self.judged, self.design.scoring)
        made = (case.judged if part == "truth" else case.repair_judged).made(self.judged, chosen)
        return bounded_score(model, typed_like(made, self.train), self.design.scoring)
