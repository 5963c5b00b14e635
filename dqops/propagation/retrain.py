"""Gains by retraining: any model, paired splits, raced so that forty findings do not cost forty full runs."""

from collections import defaultdict
from dataclasses import dataclass, field
from time import monotonic

import numpy as np

from dqops.contracts import Propagator
from dqops.errors import DataError
from dqops.parallel import map_blocks
from dqops.propagation.intervals import paired_error, paired_interval, shrink
from dqops.propagation.potential import potential_of
from dqops.propagation.trial import Option, Trial, trial_seed
from dqops.propagation.twins import run_twin
from dqops.results.gain import ARMS, Baseline, Gain, Gains


@dataclass(frozen=True)
class Effort:
    """How much work a price is worth.

    Parameters
    ----------
    rows : int
        Most rows that are priced; larger tables are sampled, and the audit says so.
    screened : int
        Splits on which the repairs of a finding compete.
    repeats : int
        Repeats of five folds on which winners are measured.
    twins : int
        Splits on which dirt is planted to learn what the truth would gain.
    """

    rows: int
    screened: int
    repeats: int
    twins: int


EFFORTS = {"quick": Effort(2000, 2, 1, 2), "standard": Effort(4000, 3, 2, 5), "thorough": Effort(10_000, 5, 5, 10)}
FOLDS = 5


@dataclass(eq=False)
class _Ledger:
    """Score differences so far, by option or finding and arm."""

    differences: dict = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    changed: dict = field(default_factory=lambda: defaultdict(list))
    failures: dict = field(default_factory=lambda: defaultdict(list))

    def add(self, key, outcome):
        if outcome.failure:
            self.failures[key].append(outcome.failure)
            return
        self.changed[key].append(outcome.changed)
        for arm, difference in outcome.differences.items():
            self.differences[key][arm].append(difference)

    def of(self, key, arm="deployed"):
        return self.differences[key][arm] if key in self.differences else []


@dataclass(frozen=True)
class Priced:
    """Baseline and gains, and what has to be said about them."""

    baseline: Baseline
    gains: Gains
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Retrain(Propagator):
    """Prices repairs of any model by paired, repeated cross-validation.

    The repairs of one finding compete on some splits, the winner is measured on others; findings whose gain is
    settled leave the race. What knowing the truth would gain is learned by planting the same dirt in rows
    without it.

    Parameters
    ----------
    level : float
        Coverage of the intervals.
    n_jobs : int
        Splits worked on side by side; the answer does not depend on it.
    max_seconds : float or None
        Stop starting new splits after this time; the answer is then partial, and says so.

    References
    ----------
    Nadeau, Bengio 2003, Machine Learning 52. doi:10.1023/A:1024068626366

    Examples
    --------
    >>> Retrain(level=0.9).name
    'retrain'
    """

    name = "retrain"
    level: float = 0.9
    n_jobs: int = 1
    max_seconds: float | None = None

    def price(self, table, doubts, design, splits, effort, *, detectors, tell=lambda done, total, what: None):
        """`Priced` options and dirts.

        Parameters
        ----------
        table : Table
        doubts : list of (Finding, list of Option, Dirt or None)
        design : Design
        splits : list of list of (Split, Table, Table)
            By repeat: the rows to train on and to judge on.
        effort : Effort
        detectors : dict of str to Detector
        tell : callable
            Told of progress.
        """
        race = _Race(self, table, doubts, design, splits, effort, detectors, tell)
        race.screen()
        race.measure()
        race.combine()
        return race.priced()


class _Race:
    """State of one pricing: what has been measured, and who is still in."""

    def __init__(self, settings, table, doubts, design, splits, effort, detectors, tell):
        self.settings, self.table, self.design = settings, table, design
        self.splits, self.effort, self.detectors, self.tell = splits, effort, detectors, tell
        self.options = {finding.id: options for finding, options, _ in doubts if options}
        self.dirts = [dirt for _, _, dirt in doubts if dirt is not None and dirt.can_be_planted]
        self.doubts, self.winners = doubts, {}
        self.screened, self.measured, self.twins = _Ledger(), _Ledger(), _Ledger()
        self.scores, self.warnings = {}, []
        self.started, self.out_of_time = monotonic(), False
        self.combined = None

    def screen(self):
        """The repairs of each finding compete on the first repeat."""
        rivals = [option for options in self.options.values() for option in options if len(options) > 1]
        count = max(self.effort.screened, self.effort.twins)
        splits = self.splits[0][:count]
        jobs = [
            (split, rivals if index < self.effort.screened else [], self.dirts if index < self.effort.twins else [])
            for index, split in enumerate(splits)
        ]
        for results in self._run(jobs, "comparing repairs"):
            self._book(results, self.screened)
        for finding, options in self.options.items():
            self.winners[finding] = max(options, key=self._standing)

    def _standing(self, option):
        seen = self.screened.of(option)
        return float(np.median(seen)) if seen else -np.inf

    def measure(self):
        """Winners are measured on fresh repeats until each is settled."""
        for repeat in range(1, self.effort.repeats + 1):
            racing = [option for option in self.winners.values() if not self._settled(option)]
            if not racing and self.scores:
                return
            jobs = [(split, racing, []) for split in self.splits[repeat]]
            for results in self._run(jobs, f"measuring gains, round {repeat} of {self.effort.repeats}"):
                self._book(results, self.measured)

    def _settled(self, option):
        seen = self.measured.of(option)
        if not seen:
            return len(self.measured.failures[option]) > FOLDS // 2
        if all(difference == 0 for difference in seen):
            return True
        found = paired_interval(seen, 1 / (FOLDS - 1), level=0.99)
        return found.high < self._least()

    def _least(self):
        """A gain too small to matter: a tenth of the baseline's own error."""
        return 0.1 * paired_error(list(self.scores.values()), 1 / (FOLDS - 1))

    def combine(self):
        """All repairs that pay, together, on splits that no choice was made on."""
        paying = [option for option in self.winners.values() if self._pays(option)]
        if not paying or self.out_of_time:
            return
        steps = sorted((step for option in paying for step in option.steps), key=_order)
        self.combined = Option("all", tuple(steps))
        jobs = [(split, [self.combined], []) for split in self.splits[-1]]
        for results in self._run(jobs, "measuring all repairs together"):
            self._book(results, self.measured)

    def _pays(self, option):
        seen = self.measured.of(option)
        if len(seen) < 2:
            return False
        mean, error = float(np.mean(seen)), paired_error(seen, 1 / (FOLDS - 1))
        return mean > 0.5 * error and any(seen)

    def _run(self, jobs, what):
        """Outcomes split by split; none are started when the time is up."""
        if self._late():
            return
        batch = max(1, self.settings.n_jobs)
        for start in range(0, len(jobs), batch):
            if self._late():
                return
            self.tell(start, len(jobs), what)
            yield from map_blocks(self._work, jobs[start : start + batch], n_jobs=batch, prefer="processes")
        self.tell(len(jobs), len(jobs), what)

    def _work(self, job):
        (split, train, test), options, dirts = job
        return _run_split(split, train, test, self.design, self.detectors, options, dirts)

    def _late(self):
        limit = self.settings.max_seconds
        self.out_of_time = self.out_of_time or (limit is not None and monotonic() - self.started > limit)
        return self.out_of_time

    def _book(self, results, ledger):
        key, score, outcomes, twins = results
        self.scores[key] = score
        for option, outcome in outcomes:
            ledger.add(option, outcome)
        for finding, outcome in twins:
            self.twins.add(finding, outcome)

    def priced(self):
        """Baseline, gains and warnings of all that was measured."""
        if not self.scores:
            raise DataError("no split could be scored in the time given", "a larger max_seconds")
        scores = list(self.scores.values())
        level, share = self.settings.level, 1 / (FOLDS - 1)
        found = paired_interval(scores, share, level=level)
        baseline = Baseline(found.expected, found.low, found.high, level)
        entries = []
        for finding, _, dirt in self.doubts:
            entries += self._gains(self.winners.get(finding.id), finding, dirt)
        if self.combined is not None:
            entries += self._gains(self.combined, None, None)
        if self.out_of_time:
            self.warnings.append("the time budget ended before all gains were measured: the answer is partial")
        return Priced(baseline, Gains(tuple(entries)), tuple(self.warnings))

    def _gains(self, option, finding, dirt):
        if option is None:
            return []
        failures = self.measured.failures[option] or self.screened.failures[option]
        if failures and not self.measured.of(option):
            self.warnings.append(f"{option.finding} is not priced: {failures[0]}")
            return []
        entries = []
        for arm in ARMS:
            seen = self.measured.of(option, arm)
            if len(seen) < 2:
                continue
            repair = self._estimate(seen)
            planted = self.twins.of(dirt.finding, arm) if dirt is not None else []
            twin = self._estimate(planted) if len(planted) > 1 else None
            cost = float(np.mean(self.measured.changed[option])) * self._scale()
            potential = potential_of(repair, twin, dirt)
            entries.append(Gain(option.finding, option.action, arm, repair, potential, round(cost, 1), len(seen)))
        return entries

    def _estimate(self, seen):
        rows = self.table.n_rows / FOLDS
        floor = 1 / (rows * np.sqrt(len(seen))) if any(seen) else 0.0
        return paired_interval(seen, 1 / (FOLDS - 1), level=self.settings.level, floor=floor)

    def _scale(self):
        """Changed cells of a split are those of the priced table; the whole table may be larger."""
        return self.design.whole_rows / max(self.table.n_rows, 1) if getattr(self.design, "whole_rows", 0) else 1.0


def _run_split(split, train, test, design, detectors, options, dirts):
    trial = Trial(train, test, design, detectors, trial_seed(design.seed, split))
    outcomes = [(option, trial.run(option)) for option in options]
    twins = [(dirt.finding, run_twin(trial, dirt, split.train, split.test)) for dirt in dirts]
    return (split.repeat, split.fold), trial.score_before, outcomes, twins


def _order(step):
    """Formats first, since what is parsed can be judged; rows last, since what is repaired may repeat."""
    cleaner, kind, column = step
    ranks = ["formats", "outliers", "categories", "rules", "missing", "duplicates", "labels"]
    return ranks.index(kind) if kind in ranks else len(ranks), str(column), cleaner.name


def ranked(findings, gains):
    """Ids of findings, best first: leaks, then shrunken gain of the deployed arm, then what was not priced.

    Parameters
    ----------
    findings : Findings
    gains : Gains

    Returns
    -------
    tuple of str
    """
    priced = [(one, gains.of(one.id)) for one in findings]
    with_gain = [(one, gain) for one, gain in priced if gain is not None]
    errors = [(gain.repair.high - gain.repair.low) / 3.3 for _, gain in with_gain]
    shrunken = dict(zip((one.id for one, _ in with_gain), shrink([g.repair.expected for _, g in with_gain], errors), strict=True))

    def place(one):
        leak = one.kind == "leakage" and one.score >= 0.5
        return (not leak, -max(shrunken.get(one.id, 0.0), 0.0), one.id not in shrunken, -one.share * one.score, one.id)

    return tuple(one.id for one in sorted(findings, key=place))


