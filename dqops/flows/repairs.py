"""Which repairs a plan makes: those that pay, by measured gain, and those that are sure and cost nothing."""

from dataclasses import dataclass, replace
from functools import partial

import dqops.cleaners  # noqa: F401  (registers the cleaners)
from dqops.cleaners.impute import EmptyDisguised, FillPredicted
from dqops.cleaners.likeliest import WriteLikeliest
from dqops.cleaners.numbers import ParseNumbers, TameOutliers
from dqops.cleaners.recipe import Step, fit_recipe
from dqops.cleaners.rows import DropRepeats
from dqops.cleaners.suggested import WriteSuggestion
from dqops.results.gain import Estimate
from dqops.tables.changes import read_again

# What is surely right comes first: later searches see it. Rows last, since what is repaired may repeat.
_ORDER = ("rules", "categories", "formats", "outliers", "missing", "duplicates", "labels")
SURE = 0.8  # confidence from which a repair is made that no gain speaks for
_SURE_OF_TARGET = 0.95  # the same for a target that breaks a rule: a row that is merely hard does so, too
_AROUND = 2  # times the rows that judge repairs: as many teach them, since a row is foretold from those close to it
_WITH_OTHERS = "other repairs of the column would leave wild numbers in it"
_CLEAR = 0.15  # of the width of a 90% interval: half a standard error


def sure_steps(finding, table):
    """Steps that write what is known for sure about one finding; none where nothing is."""
    target = finding.column == table.roles.target
    if finding.whole or (finding.column is not None and not target and finding.column not in table.features):
        return []
    kinds = (finding.kind, *finding.also)
    return [Step(cleaner, kind, finding.column) for kind in kinds for cleaner in _sure_cleaners(kind, finding, table, target)]


def _sure_cleaners(kind, finding, table, target):
    """The cleaners that write what is known for sure of one kind of doubt."""
    if kind == "duplicates":
        return [DropRepeats(near=False)]
    if kind == "missing" and not target:
        return [EmptyDisguised(), FillPredicted()]
    if kind == "outliers" and not target:
        return [WriteLikeliest()]
    if kind not in ("rules", "categories", "formats"):
        return []
    number = table.meanings[finding.column].kind == "number"
    known = ParseNumbers("keep") if kind == "formats" and number else WriteSuggestion()
    return [known, WriteLikeliest()] if finding.suggestions is not None else [WriteLikeliest()]


@dataclass(frozen=True)
class Repair:
    """What is done about one finding, and why.

    Parameters
    ----------
    finding, action, why : str
    steps : tuple of Step
        None where nothing is done.
    pays : bool
        Chosen by measured gain; else because it is surely right.
    gain : Estimate or None
    """

    finding: str
    action: str
    why: str
    steps: tuple = ()
    pays: bool = False
    gain: Estimate | None = None

    def to_dict(self):
        """As a plan keeps it."""
        measured = dict.fromkeys(("expected", "low", "high"))
        if self.gain is not None:
            measured = {"expected": self.gain.expected, "low": self.gain.low, "high": self.gain.high}
        return {"finding": self.finding, "action": self.action, "applied": bool(self.steps), "why": self.why, **measured}


def choose_repairs(table, found, *, min_confidence=None):
    """A `Repair` for each finding of an audit, in the order of the audit.

    A repair is made where its gain in the deployed arm is more than half a standard error above zero: the rival that
    won the race, after what is surely right was written. For labels it is enough that it is above zero: rows whose labels
    are wrong judge, too, so that little of the gain is seen, and most doubts of so large a part are right. Where a gain is too small to be seen, or was not measured,
    only what is surely right is written. Where it is surely below zero nothing is done. A column that is repaired is
    parsed, too: once its last typo is gone it is read as numbers, and the wild ones among them would count.

    Parameters
    ----------
    table : Table
    found : Audit
    min_confidence : float or None
        Of `clean`.

    Returns
    -------
    list of Repair
    """
    repairs = [_repair_of(finding, found.gains.of(finding.id), table, min_confidence) for finding in found.findings]
    repaired = {step.column for one in repairs for step in one.steps}
    return [_parsed_with(one, finding, found, table, repaired, min_confidence) for one, finding in zip(repairs, found.findings, strict=True)]


def _parsed_with(repair, finding, found, table, repaired, min_confidence):
    """The repair, or the winning parse of a column that other repairs may turn into numbers."""
    gain = found.gains.of(finding.id)
    if repair.pays or gain is None or finding.kind != "formats" or finding.column not in repaired:
        return repair
    option = next((one for one in _options(finding, table) if one.action == gain.action), None)
    if option is None:
        return repair
    made = tuple(Step(*step, min_confidence or 0.0) for step in option.steps)
    return Repair(finding.id, option.action, _WITH_OTHERS, (*_before(made, repair.steps), *made), True, gain.repair)


def sure_repairs(table, findings, least):
    """A `Repair` for each finding, of what is surely right alone; `least` is the least confidence of a change."""
    return [_repair_of(finding, None, table, least) for finding in findings]


def _repair_of(finding, gain, table, min_confidence):
    least = min_confidence
    if least is None:
        least = _SURE_OF_TARGET if finding.kind == "rules" and finding.column == table.roles.target else SURE
    sure = tuple(replace(step, least=least) for step in sure_steps(finding, table))
    measured = None if gain is None else gain.repair
    action = "; ".join(step.action for step in sure) if sure else "leave it" if gain is None else gain.action
    if gain is not None and gain.repair.high < 0:
        return Repair(finding.id, gain.action, "it costs the model", gain=measured)
    if gain is not None and (_pays(gain.repair) or (finding.kind == "labels" and gain.repair.expected > 0)):
        option = next((one for one in _options(finding, table) if one.action == gain.action), None)
        if option is not None:
            made = tuple(Step(*step, min_confidence or 0.0) for step in option.steps)
            return Repair(finding.id, option.action, "it pays", (*_before(made, sure), *made), True, measured)
    if finding.kind == "duplicates" and gain is not None and gain.repair.expected < 0:
        return Repair(finding.id, gain.action, "rows that repeat others do the model no harm", gain=measured)
    if sure:
        return Repair(finding.id, action, "surely right, and costs nothing that can be seen", sure, gain=measured)
    return Repair(finding.id, action, "nothing is surely right" if gain is None else "no gain could be seen", gain=measured)


def _before(made, sure):
    """What is surely right and is written before the repair that pays; nothing where that one deals with whole rows."""
    return () if any(step.cleaner.on_rows for step in made) else sure


def in_order(repairs):
    """All steps of these repairs, in the order in which they are made."""
    steps = [step for one in repairs for step in one.steps]
    return tuple(sorted(steps, key=lambda step: (_ORDER.index(step.kind) if step.kind in _ORDER else len(_ORDER), str(step.column))))


def without_sure(repairs):
    """The repairs that pay; what was only surely right is left, and so is a parse for its sake."""
    paid = {step.column for one in repairs if one.pays and one.why != _WITH_OTHERS for step in one.steps}
    return [one if _stays(one, paid) else replace(one, steps=(), why="the model loses by what is surely right") for one in repairs]


def _stays(repair, paid):
    """Whether a repair is made for what it gains, or with one of its column that is."""
    if not repair.steps:
        return True
    return repair.pays if repair.why != _WITH_OTHERS else any(step.column in paid for step in repair.steps)


def _pays(gain):
    return gain.expected > max(_CLEAR * (gain.high - gain.low), 0.0)


def _loses(gain):
    return gain.expected < -max(_CLEAR * (gain.high - gain.low), 0.0)


def _options(finding, table):
    # Late, like all that only a price needs.
    from dqops.flows.price import options_of

    return options_of(finding, table)


def measured_together(table, repairs, found, holdout, progress, *, min_confidence, model, scoring, seed, effort, allow_pickle):
    """The repairs that gain most together, and what they gain.

    Rival sets are judged on splits of their own: with what is only surely right left out, with every repair whose gain was
    too small to be seen alone, and with these where what would be emptied is foretold, all of it or where that goes well. The gain of the winner is measured on others.

    Parameters
    ----------
    table : Table
    repairs : list of Repair
    found : Audit
        Its leaks are set aside.
    holdout, progress, min_confidence, model, scoring, seed, effort, allow_pickle
        Of `clean`.

    Returns
    -------
    list of Repair, Design, Repair or None
    """
    # Late, like all that only a price needs.
    from dqops.flows.inputs import holdout_of
    from dqops.flows.price import design_of
    from dqops.models import subsample
    from dqops.propagation.effort import EFFORTS
    from dqops.propagation.whole import measure_together

    held = None if holdout is None else holdout_of(holdout, table)[0]
    honest, judge = (None if one is None else one.with_roles(ignored=(*one.roles.ignored, *found.baseline.set_aside)) for one in (table, held))
    design = design_of(honest, model=model, scoring=scoring, seed=seed, effort=effort, allow_pickle=allow_pickle, holdout=judge)
    rows = EFFORTS[effort].rows
    around = subsample(honest, _AROUND * rows, seed)
    judged = subsample(around, rows, seed)
    # Rows of a group, or of another time, are no neighbours to learn from.
    among = around if judged.n_rows < around.n_rows and honest.roles.group is None and honest.roles.time is None and judge is None else None
    seen_on = partial(measure_together, judged, design=design, among=among, holdout=judge, tell=progress or (lambda done, total, what: None))
    bold = bolder(repairs, found, table, min_confidence)
    chosen = _chosen_together(seen_on, repairs, [bold, without_sure(repairs), foretold(bold), foretold(bold, "near")], design)
    if not in_order(chosen):
        return chosen, design, None
    seen = seen_on([partial(_made_in_both, in_order(chosen), seed)], skip=1)
    if seen.failures[0] or len(seen.differences[0]) < 2:
        return without_sure(repairs), design, None
    gain = seen.gain(0)
    if _loses(gain):
        chosen = [replace(one, steps=(), why="the model loses by it") for one in chosen]
    return chosen, design, Repair("all", "all repairs together", "measured on other splits", in_order(chosen), True, _as_true(gain, chosen, honest, design))


def _as_true(gain, chosen, table, design):
    """The gain as true labels would judge it, where nothing but labels is repaired."""
    # Late, like all that only a price needs.
    from dqops.flows.price import judging_noise
    from dqops.propagation.potential import against_true_labels

    noise = judging_noise(table, design) if all(step.kind == "labels" for step in in_order(chosen)) else None
    return gain if noise is None else against_true_labels(gain, noise)


def bolder(repairs, found, table, min_confidence):
    """The repairs, and the best of every finding whose gain was too small to be seen alone: many such may add up.

    Parameters
    ----------
    repairs : list of Repair
    found : Audit
    table : Table
    min_confidence : float or None
        Of `clean`.
    """
    return [_bold(one, finding, found.gains.of(finding.id), table, min_confidence) for one, finding in zip(repairs, found.findings, strict=True)]


def _bold(repair, finding, gain, table, min_confidence):
    if repair.pays or gain is None or gain.repair.high <= 0:
        return repair
    option = next((one for one in _options(finding, table) if one.action == gain.action), None)
    if option is None or option.on_rows:
        return repair
    made = tuple(Step(*step, min_confidence or 0.0) for step in option.steps)
    return Repair(finding.id, option.action, "it pays together with others", (*_before(made, repair.steps), *made), True, gain.repair)


def foretold(repairs, wild="predict"):
    """The repairs with what the rest of the table foretells in the cells that they would empty; "near": only where that goes well."""
    return [_foretelling(one, wild) for one in repairs]


def _foretelling(repair, wild):
    """The repair, or the one that foretells what it would empty."""
    steps = tuple(replace(one, cleaner=replace(one.cleaner, wild=wild)) if _empties(one.cleaner) else one for one in repair.steps)
    return repair if steps == repair.steps else replace(repair, action="; ".join(one.action for one in steps), steps=steps)


def _empties(cleaner):
    return isinstance(cleaner, ParseNumbers | TameOutliers) and cleaner.wild == "blank"


def _chosen_together(seen_on, repairs, rivals, design):
    """The repairs, or the set of rivals that gains more than they do on splits of its own."""
    sets = [repairs]
    for rival in rivals:
        if in_order(rival) and in_order(rival) not in map(in_order, sets):
            sets.append(rival)
    if len(sets) == 1:
        return repairs
    seen = seen_on([partial(_made_in_both, in_order(one), design.seed) for one in sets])
    best = 0
    for place in range(1, len(sets)):
        if not seen.failures[place] and (seen.failures[best] or _better(seen, place, best)):
            best = place
    return sets[best]


def _better(seen, place, best):
    """Whether a set gains more, deployed, or as much and more in training, where wild cells can be done without."""
    deployed, training = (seen.against(place, best, arm=arm) for arm in ("deployed", "training"))
    return _pays(deployed) or (deployed.high > 0 and training.low > 0 and training.expected > -deployed.expected)


def _made_in_both(steps, seed, train, test, design):
    """Training and holdout rows after the steps, which learn from training rows alone; typed as their file would be."""
    recipe, work = fit_recipe(train, steps, design=design, seed=seed)
    return read_again(work.table, recipe.repair(test), {step.column for step in steps})
