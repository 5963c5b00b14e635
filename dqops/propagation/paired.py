"""Gains by retraining: any model, paired splits, raced so that forty findings do not cost forty full runs."""

from dataclasses import dataclass

import numpy as np

from dqops.errors import DataError
from dqops.models import bounds_of
from dqops.propagation.effort import FOLDS
from dqops.propagation.finished import Finished
from dqops.propagation.intervals import moderated_intervals, paired_interval, surely_positive
from dqops.propagation.potential import against_true_labels, potential_of
from dqops.propagation.race import Race
from dqops.results.gain import ARMS, Baseline, Estimate, Gain, Gains

_REACH = 3.9  # width of a 90% interval of few splits, in standard errors


def _no_twin(findings, draw):
    """No dirt is planted."""


@dataclass(frozen=True)
class Priced:
    """Baseline and gains, and what has to be said about them."""

    baseline: Baseline
    gains: Gains
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class PairedPricer:
    """Prices repairs of any model by paired, repeated cross-validation.

    The repairs of one finding compete on some splits, the winner is measured on others; findings whose gain is
    settled leave the race. What knowing the truth would gain is learned by planting the same dirt in rows that
    have none.

    Parameters
    ----------
    level : float
        Coverage of the intervals.
    n_jobs : int
        Splits worked on side by side; the answer does not depend on it.
    max_seconds : float or None
        Stop starting new splits after this time; the answer is then partial, and says so.
    kept : Finished or None
        Fits of an earlier run, which are not made again.

    References
    ----------
    Nadeau, Bengio 2003, Machine Learning 52. doi:10.1023/A:1024068626366
    Smyth 2004, Statistical Applications in Genetics and Molecular Biology 3(1). doi:10.2202/1544-6115.1027

    Examples
    --------
    >>> PairedPricer(level=0.8).level
    0.8
    """

    level: float = 0.9
    n_jobs: int = 1
    max_seconds: float | None = None
    kept: Finished | None = None

    def price(self, doubts, design, splits, effort, *, detectors, n_rows, twin_for=_no_twin, noise=None, tell=lambda done, total, what: None):
        """Baseline and gains of these doubts.

        Parameters
        ----------
        doubts : list of (Finding, list of Option)
        design : Design
        splits : list of list of (Split, Table, Table)
            By repeat: the rows to train on and to judge on; one repeat to choose on, ``effort.rounds`` to measure
            on, one for all repairs together.
        effort : dqops.propagation.effort.Effort
        detectors : dict of str to Detector
        n_rows : int
            Rows that are priced.
        twin_for : callable
            Called with ids of findings and the number of a draw; their `Twin`, or None.
        noise : LabelNoise, optional
            Gains of label repairs are then told as true labels would judge them.
        tell : callable
            Told of progress.

        Returns
        -------
        Priced
        """
        race = Race(doubts, design, splits, effort, detectors, twin_for, self.n_jobs, self.max_seconds, tell, self.kept)
        race.run()
        if not race.scores:
            raise DataError("no split could be scored in the time given", "a larger max_seconds")
        found = paired_interval(list(race.scores.values()), race.share, level=self.level, floor=_least_error(race, design))
        lowest, highest = bounds_of(design.scoring)
        baseline = Baseline(found.expected, max(found.low, lowest), min(found.high, highest), self.level)
        gains = self._gains(race, n_rows, noise)
        return Priced(baseline, gains, (*race.warnings(), *_allowing_for_many(gains)))

    def _potentials(self, race, options, arm, floor):
        """What the truth would gain, for the options whose dirt was planted."""
        planted = {option: seen for option in options if len(seen := race.planted(option, arm)) > 1}
        costs = moderated_intervals(list(planted.values()), race.share, level=self.level, floor=floor)
        twins = [race.planted_twins[option.finding] for option in planted]
        return {option: potential_of(cost, twin.rate, twin.scale, twin.unmatched, arm) for option, cost, twin in zip(planted, costs, twins, strict=True)}

    def _gains(self, race, n_rows, noise):
        entries = []
        for arm in ARMS:
            measured = [(option, seen) for option in race.finalists() if len(seen := race.seen(option, arm)) > 1]
            floor = 1 / (n_rows / FOLDS)
            repairs = moderated_intervals([seen for _, seen in measured], race.share, level=self.level, floor=floor)
            known = self._potentials(race, [option for option, _ in measured], arm, floor)
            for (option, seen), repair in zip(measured, repairs, strict=True):
                if not race.touches(option):
                    repair = Estimate(0.0, -floor, floor, self.level)
                potential = known.get(option)
                if noise is not None and option.on_labels:
                    repair, potential = (one and against_true_labels(one, noise) for one in (repair, potential))
                cost = float(np.mean(race.changed(option)))
                entries.append(Gain(option.finding, option.action, arm, repair, potential, round(cost, 1), len(seen)))
        order = {option.finding: place for place, option in enumerate(race.finalists())}
        return Gains(tuple(sorted(entries, key=lambda one: (order[one.finding], ARMS.index(one.arm)))))


def _least_error(race, design):
    """Standard error of an accuracy by the number of judged rows alone: splits may agree by construction.

    A model that always says the same is right equally often in all stratified splits, and yet not for certain in
    rows that nobody has seen. Two successes and two failures are added.

    References
    ----------
    Agresti, Coull 1998, The American Statistician 52(2). doi:10.1080/00031305.1998.10480550
    """
    if design.scoring != "accuracy":
        return 0.0
    judged = sum(test.n_rows for _, _, test in race.splits[0]) + 4
    share = (float(np.mean(list(race.scores.values()))) * (judged - 4) + 2) / judged
    return float(np.sqrt(share * (1 - share) / judged))


def _allowing_for_many(gains):
    """One sentence where intervals above zero do not all stand when so many findings are judged at once."""
    told = [one for one in gains if one.arm == "deployed" and one.finding != "all"]
    above = [one for one in told if one.repair.low > 0]
    errors = [(one.repair.high - one.repair.low) / _REACH for one in told]
    sure = surely_positive([one.repair.expected for one in told], errors, [one.measured + 2 for one in told])
    doubtful = [one.finding for one, stands in zip(told, sure, strict=True) if one in above and not stands]
    if not doubtful:
        return ()
    return (f"{len(told)} findings were judged at once: allowing for that, the gain of {', '.join(doubtful)} may be luck",)
