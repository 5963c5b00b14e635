"""A race between repairs: who is measured next, within a budget of fits."""

from collections import defaultdict
from dataclasses import dataclass, field
from time import monotonic

import numpy as np
from threadpoolctl import threadpool_limits

from dqops.errors import DataError, ModelError
from dqops.parallel import map_blocks
from dqops.propagation.finished import Finished
from dqops.propagation.intervals import paired_error, paired_interval
from dqops.propagation.trial import Option, Outcome, Trial, trial_seed
from dqops.results.gain import ARMS

_CHOOSING = 0.5  # of the budget goes at most into choosing repairs, the rest into measuring the chosen
_WORTH_WORKERS = 20.0  # seconds of remaining work that pay for starting worker processes


@dataclass(eq=False)
class _Ledger:
    """Outcomes so far, by option."""

    differences: dict = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    changed: dict = field(default_factory=lambda: defaultdict(list))
    failures: dict = field(default_factory=lambda: defaultdict(list))

    def add(self, option, outcome):
        if outcome.failure:
            self.failures[option].append(outcome.failure)
            return
        self.changed[option].append(outcome.changed)
        for arm, difference in outcome.differences.items():
            self.differences[option][arm].append(difference)

    def seen(self, option, arm="deployed"):
        return self.differences[option][arm] if option in self.differences else []


class Race:
    """State of one pricing: what has been measured, and who is still in.

    Parameters are those of `PairedPricer.price`; see there.
    """

    def __init__(self, doubts, design, splits, effort, detectors, twin_for, n_jobs, max_seconds, tell, kept=None):
        self.kept = Finished() if kept is None else kept
        self.design, self.splits, self.effort, self.twin_for = design, splits, effort, twin_for
        self.detectors, self.n_jobs, self.tell = detectors, n_jobs, tell
        self.doubts = sorted((one for one in doubts if one[1]), key=lambda one: (-one[0].share * one[0].score, one[0].id))
        self.chosen_on, self.measured, self.scores = _Ledger(), _Ledger(), {}
        self.twins, self.planted_twins = defaultdict(lambda: defaultdict(list)), {}
        rows = [(train.n_rows, test.n_rows) for _, train, test in splits[0]]
        self.share = sum(judged for _, judged in rows) / sum(trained for trained, _ in rows)
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
        self._plant()

    def finalists(self):
        """The option of each finding that is reported, then all together."""
        return [*self.winners.values(), *([self.combined] if self.combined else [])]

    def seen(self, option, arm):
        """Score differences of an option; those it was chosen on only where there are no others."""
        return self.measured.seen(option, arm) or self.chosen_on.seen(option, arm)

    def planted(self, option, arm):
        """What dirt like that of the option's finding cost where it was planted, by split."""
        return self.twins[option.finding][arm] if option.finding in self.twins else []

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
        if all(len(options) == 1 for _, options in self.doubts):
            self.winners = {finding.id: options[0] for finding, options in self.doubts}
            return
        splits, allowed = self.splits[0][: self.effort.screened], _CHOOSING * self.budget
        entered = [options[:1] for _, options in self.doubts]
        spent = len(entered) * len(splits)
        for place, (_, options) in enumerate(self.doubts):
            more = (len(options) - 1) * len(splits)
            if spent + more <= allowed:
                entered[place], spent = options, spent + more
        rivals = [option for options in entered for option in options]
        if rivals:
            self._run([(split, rivals) for split in splits], self.chosen_on, "comparing repairs", ARMS[:1])
        for (finding, options), heard in zip(self.doubts, entered, strict=True):
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
            plans = self._affordable(racing, splits)
            if not plans and repeat > 1:
                return
            self._run(plans or [(split, []) for split in splits], self.measured, f"measuring gains, round {repeat}")

    def _affordable(self, racing, splits):
        """(split, options) of this round: the most hopeful first, as far as the budget goes."""
        room = (self.budget - 2 * len(splits)) // len(splits)
        return [(split, racing[:room]) for split in splits] if racing and room > 0 else []

    def _plant(self):
        """What knowing the truth would gain: for the most hopeful findings first, as far as its budget goes."""
        told = [one for one in self.finalists() if self.touches(one) or one.on_labels]
        told.sort(key=lambda one: (one.finding != "all", -self._hope(one), one.finding))
        for option in told[: self.effort.planted]:
            splits = [split for split, _, _ in self.splits[1][: self.effort.twins]]
            twins = [] if self._late() else self._twins_of(option, len(splits))
            if not twins:
                continue
            self.planted_twins[option.finding] = twins[0]
            work = [(split, twin, self.design) for split, twin in zip(splits, twins, strict=True)]
            self.tell(len(self.twins), len(told), "planting dirt to learn what the truth would gain")
            for cost in self._planted(option, work):
                for arm, difference in cost.items():
                    self.twins[option.finding][arm].append(difference)

    def _twins_of(self, option, count):
        """Twins of an option, one a split, since where dirt is planted is luck, too; none where there is nothing or nowhere to plant."""
        ids, twins = self._findings_of(option), []
        for draw in range(count):
            twin = self.twin_for(ids, draw)
            if twin is None:
                return []
            twins.append(twin)
        return twins

    def _planted(self, option, work):
        """What `_run_twin` says of each split, or what is known of it from an earlier run."""
        names = [f"planted:{option.finding}:{option.steps!r}:{split.repeat}:{split.fold}" for split, _, _ in work]
        costs = [self.kept.of(name) for name in names]
        open_ones = [at for at, cost in enumerate(costs) if cost is None]
        for at, cost in zip(open_ones, map_blocks(_run_twin, [work[at] for at in open_ones], n_jobs=self._workers(2 * len(work)), prefer="processes"), strict=True):
            costs[at] = cost
            self.kept.keep(names[at], cost)
        return costs

    def _findings_of(self, option):
        """Ids of the findings that an option repairs."""
        if option is self.combined:
            return [one.finding for one in self.winners.values() if set(one.steps) <= set(option.steps)]
        return [option.finding]

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
        return len(seen) > 2 and paired_interval(seen, self.share, level=0.99).high < self._least()

    def _least(self):
        """A gain too small to matter: a tenth of the baseline's own error."""
        return 0.1 * paired_error(list(self.scores.values()), self.share)

    def _combine(self):
        """All repairs that pay, together, on splits that no choice was made on."""
        paying = [option for option in self.winners.values() if self._pays(option)]
        if len(paying) < 2 or self._late():
            return
        paying += self._parsing_for(paying)
        steps = sorted((step for option in paying for step in option.steps), key=_order)
        self.combined = Option("all", tuple(steps))
        self._run([(split, [self.combined]) for split in self.splits[-1]], self.measured, "measuring all repairs together")

    def _parsing_for(self, paying):
        """Parsing of columns that other repairs make readable: half repaired text is numbers to one split, and not to the next."""
        columns = {column for option in paying for _, _, column in option.steps}
        parsing = [self.winners.get(f"formats:{column}") for column in sorted(filter(None, columns))]
        return [one for one in parsing if one is not None and one not in paying and self.seen(one, "deployed")]

    def _pays(self, option):
        seen = self.seen(option, "deployed")
        return len(seen) > 1 and float(np.mean(seen)) > 0.5 * paired_error(seen, self.share) and any(seen)

    def _run(self, jobs, ledger, what, arms=ARMS):
        """Book the outcomes of split after split; none is started when the time is up."""
        done, workers = 0, min(self._workers(sum(1 + len(options) for _, options in jobs)), len(jobs))
        while done < len(jobs) and not self._late():
            self.tell(done, len(jobs), what)
            batch = jobs[done : done + workers]
            results = self._worked(batch, arms)
            for (key, score, outcomes), (_, options) in zip(results, batch, strict=True):
                self.scores[key] = score
                self.budget -= 1 + len(options)
                for option, outcome in outcomes:
                    ledger.add(option, outcome)
            done += len(batch)
        self.tell(len(jobs), len(jobs), what)

    def _worked(self, batch, arms):
        """What `_run_split` says of each split; what is known from an earlier run is not measured again."""
        names = [[_name_of(split, option, arms) for option in options] for split, options in batch]
        held = [[self.kept.of(name) for name in mine] for mine in names]
        scores = [self.kept.of(_name_of(split)) for split, _ in batch]
        open_ones = [at for at, score in enumerate(scores) if score is None or None in held[at]]
        work = [(batch[at][0], [one for one, known in zip(batch[at][1], held[at], strict=True) if known is None], arms, self.design, self.detectors) for at in open_ones]
        for at, (_, score, outcomes) in zip(open_ones, self._measured(work), strict=True):
            fresh = {option: vars(outcome) for option, outcome in outcomes}
            for place, option in enumerate(batch[at][1]):
                if option in fresh:
                    held[at][place] = fresh[option]
                    if self.kept.of(names[at][place]) is None:
                        self.kept.keep(names[at][place], fresh[option])
            scores[at] = score
            self.kept.keep(_name_of(batch[at][0]), score)
        told = zip(batch, scores, held, strict=True)
        return [((split[0].repeat, split[0].fold), score, [(option, Outcome(**one)) for option, one in zip(options, known, strict=True)]) for (split, options), score, known in told]

    def _measured(self, work):
        """What `_run_split` says of these splits; of one alone, each outcome is kept as soon as it is there."""
        if len(work) != 1:
            return map_blocks(_run_split, work, n_jobs=max(len(work), 1), prefer="processes")
        [(one, _, arms, _, _)] = work
        return [_run_split(work[0], lambda option, outcome: self.kept.keep(_name_of(one, option, arms), vars(outcome)))]

    def _workers(self, fits):
        """Splits worked on at once: more than one where the work is worth starting processes for."""
        return self.n_jobs if self.seconds * fits > _WORTH_WORKERS else 1

    def _late(self):
        if self.deadline is not None and monotonic() > self.deadline:
            self.cut_short = True
        return self.cut_short


def _name_of(one, option=None, arms=()):
    """Name of a split, or of what an option did on it."""
    split = one[0]
    return f"before:{split.repeat}:{split.fold}" if option is None else f"{option.finding}:{option.steps!r}:{','.join(arms)}:{split.repeat}:{split.fold}"


def _run_split(work, told=lambda option, outcome: None):
    (split, train, test), options, arms, design, detectors = work
    # Splits run side by side; threads inside a fit would only wait for each other.
    with threadpool_limits(limits=1):
        trial = Trial(train, test, design, detectors, trial_seed(design.seed, split))
        outcomes = []
        for option in options:
            outcomes.append((option, trial.run(option, arms=arms)))
            told(*outcomes[-1])
    return (split.repeat, split.fold), trial.score_before, outcomes


def _run_twin(work):
    """What planted dirt costs on one split; nothing where the model refuses the planted rows."""
    split, twin, design = work
    with threadpool_limits(limits=1):
        try:
            return twin.cost(split, design)
        except (ModelError, DataError):
            return {}


def _order(step):
    """Formats first, since what is parsed can be judged; rows last, since what is repaired may repeat."""
    cleaner, kind, column = step
    ranks = ["formats", "outliers", "categories", "rules", "missing", "duplicates", "labels"]
    return ranks.index(kind) if kind in ranks else len(ranks), str(column), cleaner.name
