"""A race between repairs: who is measured next, within a budget of fits."""

from collections import defaultdict
from dataclasses import dataclass, field
from time import monotonic

import numpy as np
from threadpoolctl import threadpool_limits

from dqops.parallel import map_blocks
from dqops.propagation.effort import FOLDS
from dqops.propagation.intervals import paired_error, paired_interval
from dqops.propagation.trial import Option, Trial, trial_seed
from dqops.results.gain import ARMS

_SHARE = 1 / (FOLDS - 1)
_CHOOSING = 0.5  # of the budget goes at most into choosing repairs, the rest into measuring the chosen
_WORTH_WORKERS = 20.0  # seconds of remaining work that pay for starting worker processes


@dataclass(eq=False)
class _Ledger:
    """Outcomes so far, by option."""

    differences: dict = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    twins: dict = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    changed: dict = field(default_factory=lambda: defaultdict(list))
    failures: dict = field(default_factory=lambda: defaultdict(list))

    def add(self, option, outcome):
        if outcome.failure:
            self.failures[option].append(outcome.failure)
            return
        self.changed[option].append(outcome.changed)
        for arm, difference in outcome.differences.items():
            self.differences[option][arm].append(difference)
        for arm, difference in outcome.twin.items():
            self.twins[option][arm].append(difference)

    def seen(self, option, arm="deployed"):
        return self.differences[option][arm] if option in self.differences else []


class Race:
    """State of one pricing: what has been measured, and who is still in.

    Parameters are those of `Retrain.price`; see there.
    """

    def __init__(self, doubts, design, splits, effort, detectors, n_jobs, max_seconds, tell):
        self.design, self.splits, self.effort = design, splits, effort
        self.detectors, self.n_jobs, self.tell = detectors, n_jobs, tell
        self.doubts = sorted((one for one in doubts if one[1]), key=lambda one: (-one[0].share * one[0].score, one[0].id))
        self.dirts = {finding.id: dirt for finding, _, dirt in doubts if dirt is not None}
        self.chosen_on, self.measured, self.scores = _Ledger(), _Ledger(), {}
        self.winners, self.combined = {}, None
        self.budget = effort.fits
        self.deadline = None if max_seconds is None else monotonic() + max_seconds
        self.cut_short, self.seconds = False, 0.0

    def run(self):
        """Choose, measure, and measure all that pays together."""
        self._warm_up()
        self._choose()
        self._measure()
        self._combine()

    def finalists(self):
        """The option of each finding that is reported, then all together."""
        return [*self.winners.values(), *([self.combined] if self.combined else [])]

    def seen(self, option, arm):
        """Score differences of an option; those it was chosen on only where there are no others."""
        return self.measured.seen(option, arm) or self.chosen_on.seen(option, arm)

    def planted(self, option, arm):
        """Score differences of the twin experiments of an option."""
        return self.measured.twins[option][arm] if option in self.measured.twins else []

    def changed(self, option):
        """Cells or rows that the option changed, by split."""
        return self.measured.changed[option] or self.chosen_on.changed[option] or [0]

    def touches(self, option):
        """Whether the option changed anything at all: only then is its gain more than nothing."""
        return any(self.changed(option)) or any(self.seen(option, "deployed"))

    def warnings(self):
        """What has to be said of the race."""
        said = []
        for option in self.winners.values():
            failed = self.measured.failures[option] or self.chosen_on.failures[option]
            if failed and not self.seen(option, "deployed"):
                said.append(f"{option.finding} is not priced: {failed[0]}")
        if self.cut_short:
            said.append("the time budget ended before all gains were measured: the answer is partial")
        return tuple(said)

    def _warm_up(self):
        """How long one fit takes here: it decides whether worker processes pay, and nothing else."""
        (_, train, _) = self.splits[0][0]
        started = monotonic()
        with threadpool_limits(limits=1):
            self.design.model.fit(train, seed=self.design.seed)
        self.seconds = monotonic() - started

    def _choose(self):
        """The repairs of each finding compete on the first repeat; where there are too many, first ones go alone."""
        if all(len(options) == 1 for _, options, _ in self.doubts):
            self.winners = {finding.id: options[0] for finding, options, _ in self.doubts}
            return
        splits, allowed = self.splits[0][: self.effort.screened], _CHOOSING * self.budget
        entered = [options[:1] for _, options, _ in self.doubts]
        spent = len(entered) * len(splits)
        for place, (_, options, _) in enumerate(self.doubts):
            more = (len(options) - 1) * len(splits)
            if spent + more <= allowed:
                entered[place], spent = options, spent + more
        rivals = [option for options in entered for option in options]
        if rivals:
            self._run([(split, [(option, None) for option in rivals]) for split in splits], self.chosen_on, "comparing repairs", ARMS[:1])
        for (finding, options, _), heard in zip(self.doubts, entered, strict=True):
            best = max(heard, key=self._standing)
            failed = self.chosen_on.failures[best] and len(options) > len(heard)
            self.winners[finding.id] = options[len(heard)] if failed else best

    def _standing(self, option):
        seen = self.chosen_on.seen(option)
        return float(np.median(seen)) if seen else (-np.inf if self.chosen_on.failures[option] else 0.0)

    def _measure(self):
        """Winners are measured on fresh repeats until each is settled or the budget is spent."""
        for repeat in range(1, self.effort.rounds + 1):
            splits = self.splits[repeat]
            racing = [one for one in self.winners.values() if not self._settled(one)]
            racing.sort(key=lambda one: (-self._hope(one), one.finding))
            plans = self._affordable(racing, splits, twins=repeat == 1)
            if not plans and repeat > 1:
                return
            self._run(plans or [(split, []) for split in splits], self.measured, f"measuring gains, round {repeat}")

    def _affordable(self, racing, splits, twins):
        """(split, [(option, dirt or None)]) of this round: the most hopeful first, as far as the budget goes."""
        left = self.budget - 2 * len(splits)
        plans = [(split, []) for split in splits]
        for option in racing:
            dirt = self.dirts.get(option.finding) if twins else None
            planted = 0 if dirt is None else min(self.effort.twins, len(splits))
            if len(splits) + planted > left:
                break
            left -= len(splits) + planted
            for fold, (_, options) in enumerate(plans):
                options.append((option, dirt if fold < planted else None))
        return plans if plans[0][1] else []

    def _hope(self, option):
        """What the option may gain, to our luck: its mean so far and its spread."""
        seen = self.seen(option, "deployed")
        return float(np.mean(seen) + np.std(seen)) if seen else 0.0

    def _settled(self, option):
        """Surely too small to matter, or never to be measured."""
        seen = self.seen(option, "deployed")
        if not seen:
            return bool(self.measured.failures[option])
        if not self.touches(option):
            return True
        return len(seen) > 2 and paired_interval(seen, _SHARE, level=0.99).high < self._least()

    def _least(self):
        """A gain too small to matter: a tenth of the baseline's own error."""
        return 0.1 * paired_error(list(self.scores.values()), _SHARE)

    def _combine(self):
        """All repairs that pay, together, on splits that no choice was made on."""
        paying = [option for option in self.winners.values() if self._pays(option)]
        if len(paying) < 2 or self._late():
            return
        steps = sorted((step for option in paying for step in option.steps), key=_order)
        self.combined = Option("all", tuple(steps))
        self._run([(split, [(self.combined, None)]) for split in self.splits[-1]], self.measured, "measuring all repairs together")

    def _pays(self, option):
        seen = self.seen(option, "deployed")
        return len(seen) > 1 and float(np.mean(seen)) > 0.5 * paired_error(seen, _SHARE) and any(seen)

    def _run(self, jobs, ledger, what, arms=ARMS):
        """Book the outcomes of split after split; none is started when the time is up."""
        done, workers = 0, self._workers(jobs)
        while done < len(jobs) and not self._late():
            self.tell(done, len(jobs), what)
            batch = jobs[done : done + workers]
            work = [(split, options, arms, self.design, self.detectors) for split, options in batch]
            results = map_blocks(_run_split, work, n_jobs=len(work), prefer="processes")
            for (key, score, outcomes), (_, options) in zip(results, batch, strict=True):
                self.scores[key] = score
                self.budget -= 1 + sum(1 if dirt is None else 2 for _, dirt in options)
                for option, outcome in outcomes:
                    ledger.add(option, outcome)
            done += len(batch)
        self.tell(len(jobs), len(jobs), what)

    def _workers(self, jobs):
        """Splits worked on at once: more than one where the work is worth starting processes for."""
        fits = sum(1 + len(options) for _, options in jobs)
        return min(self.n_jobs, len(jobs)) if self.seconds * fits > _WORTH_WORKERS else 1

    def _late(self):
        if self.deadline is not None and monotonic() > self.deadline:
            self.cut_short = True
        return self.cut_short


def _run_split(work):
    (split, train, test), options, arms, design, detectors = work
    # Splits run side by side; threads inside a fit would only wait for each other.
    with threadpool_limits(limits=1):
        trial = Trial(train, test, design, detectors, trial_seed(design.seed, split))
        outcomes = [(option, trial.run(option, dirt, arms=arms)) for option, dirt in options]
    return (split.repeat, split.fold), trial.score_before, outcomes


def _order(step):
    """Formats first, since what is parsed can be judged; rows last, since what is repaired may repeat."""
    cleaner, kind, column = step
    ranks = ["formats", "outliers", "categories", "rules", "missing", "duplicates", "labels"]
    return ranks.index(kind) if kind in ranks else len(ranks), str(column), cleaner.name
