"""The story of an audit: its verdict, and its findings in the order in which a person should take them."""

from dataclasses import dataclass
from math import isfinite
from statistics import median_low

from dqops.reports.words import ARMS, KINDS, Figure, Name, Scale, decimals, listed, name_of, percent, sentence, several
from dqops.results.findings import Finding
from dqops.results.gain import Gain

# Where a finding stands with this model: heading, and what the heading means.
STANDINGS = {
    "leak": ("Gives the target away", "A model could read the answer here, which it will not have in use."),
    "worth": ("Worth repairing", "The whole interval lies above zero."),
    "unpriced": ("Not priced", "Nothing could be measured: the target is missing there, the column is left out as it gives the target away, or no repair is known."),
    "nothing": ("Costs this model nothing measurable", "The interval holds zero: repairing it may help or harm a little."),
    "harm": ("Better left as it is", "The repair that was tried makes the model worse."),
}
SURE_LEAK = 0.5  # score from which a column is said to give the target away
SEARCHED = ("Findings", "By how many cells they touch and how sure each is; no model was asked, so none has a price.")


@dataclass(frozen=True)
class Line:
    """One finding with its price, in words.

    Parameters
    ----------
    rank : int
        Place in the report, from 1.
    finding : Finding
    standing : str
        A key of `STANDINGS`.
    gain : Gain or None
        In the deployed arm.
    arms : tuple of Gain
        All arms that were measured.
    """

    rank: int
    finding: Finding
    standing: str
    gain: Gain | None
    arms: tuple[Gain, ...]

    @property
    def place(self):
        """The column's name, or nothing where whole rows are doubtful."""
        return "" if self.finding.column is None else name_of(self.finding.column)

    @property
    def count(self):
        """``177 cells (20%)``."""
        finding = self.finding
        if finding.whole:
            return "whole column"
        noun = "row" if finding.column is None else "label" if finding.kind == "labels" else "cell"
        return f"{several(finding.count, noun)} ({percent(finding.share)})"

    @property
    def message(self):
        """The finding's own sentence, without the column's name before it."""
        text = sentence(str(self.finding.message).removeprefix(f"{self.finding.column}: "))
        return text[:1].upper() + text[1:]

    @property
    def action(self):
        """What to do: the repair that was priced, or what helps against this kind."""
        if self.standing == "leak":
            return KINDS["leakage"][1]
        if self.finding.kind == "leakage":
            return "find out whether it is known when the model predicts"
        priced = self.gain or next(iter(self.arms), None)
        return sentence(priced.action) if priced else KINDS.get(self.finding.kind, ("", "look at these cells"))[1]


@dataclass(frozen=True)
class Section:
    """Findings that stand alike."""

    standing: str
    heading: str
    note: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Story:
    """What a report says, in order.

    Parameters
    ----------
    title : str
    verdict : tuple of phrases
        One or two sentences; a phrase is a tuple of text, `Name` and `Figure`.
    rest : tuple of phrases
        What the verdict leaves unsaid.
    sections : tuple of Section
    scale : Scale
    places : int
        Decimals of the gains in a list.
    together : Gain or None
        All worthwhile repairs at once.
    """

    title: str
    verdict: tuple
    rest: tuple
    sections: tuple[Section, ...]
    scale: Scale
    places: int
    together: Gain | None

    @property
    def lines(self):
        return [line for section in self.sections for line in section.lines]


def story_of(audit):
    """The `Story` of an audit."""
    scale = Scale(audit.scoring)
    sections = _sections(audit)
    lines = [line for section in sections for line in section.lines]
    together = _readable(audit.gains.of("all"))
    return Story(
        title=sentence(audit.data.get("name") or "the table"),
        verdict=tuple(_verdict(audit, scale, lines)),
        rest=tuple(_rest(lines, scale, together)) if audit.baseline is not None else (),
        sections=sections,
        scale=scale,
        places=_common_places(lines),
        together=together,
    )


def size_of(audit):
    """``891 rows, 14 columns``."""
    return f"{several(audit.data.get('rows', 0), 'row')}, {several(audit.data.get('columns', 0), 'column')}"


def baseline_facts(audit, scale):
    """What is known of the score: pairs of a label and a text."""
    base = audit.baseline
    if base is None:
        return []
    judged = "rows held out in turn" if base.judged_on == "cross-validation" else sentence(base.judged_on)
    noise = "corrected for wrong labels" if base.label_noise_corrected else "not corrected for wrong labels"
    noise = "by their recorded labels" if base.corrected is not None else noise
    facts = [(scale.name[:1].upper() + scale.name[1:], f"{scale.score(base.score, base.low, base.high)}")]
    if base.corrected is not None:
        facts.append(("Against true labels", _beside(scale, base.corrected, base)))
    if base.with_set_aside is not None:
        facts.append(("With what gives it away", _beside(scale, base.with_set_aside, base)))
    return [*facts, ("Judged on", f"{judged}, {noise}; {percent(base.level)} intervals")]


def settings_of(audit):
    """Settings that were set, as pairs of a name and a text."""
    set_ones = ((name, value) for name, value in audit.settings.items() if value not in (None, "", [], ()))
    return [(name, ", ".join(map(str, value)) if isinstance(value, list | tuple) else value) for name, value in set_ones]


def overstated(line, scale):
    """What a leak lends to the score, such as ``0.17``; nothing where that is not measurable."""
    if line.standing != "leak" or line.gain is None or line.gain.repair.high >= 0:
        return ""
    return scale.gain(line.gain.repair).partition(" ")[0].lstrip("-")


def gain_cell(line, story):
    """The gain of a finding as a list has it; nothing where there is none."""
    if line.standing == "leak":
        lent = overstated(line, story.scale)
        return f"overstates by {lent}" if lent else ""
    return story.scale.gain(line.gain.repair, places=story.places) if line.gain else ""


def score_without(section, audit, scale):
    """``accuracy without them: 0.81 [0.79, 0.83]``, where leaks were left out of the score."""
    base = audit.baseline
    if section.standing != "leak" or base is None or not base.set_aside:
        return ""
    them = "it" if len(base.set_aside) == 1 else "them"
    return f"{scale.name[:1].upper()}{scale.name[1:]} without {them}: {scale.score(base.score, base.low, base.high)}"


def arm_facts(line, scale):
    """Gains in all arms and with the truth known: (label, explanation, estimate, text)."""
    if line.standing == "leak":
        left_out = ("Leaving it out", "what the score loses when this alone goes: it was never real")
        return [(*left_out, gain.repair, scale.gain(gain.repair, unit=True)) for gain in line.arms if gain.arm == "deployed"]
    facts = []
    for arm, (label, meaning) in ARMS.items():
        for gain in line.arms:
            if gain.arm == arm:
                facts.append((label, meaning, gain.repair, scale.gain(gain.repair, unit=True)))
    known = line.gain and line.gain.potential
    if known and _is_finite(known):
        facts.append(("If the truth were known", "what a perfect repair is expected to add", known, scale.gain(known, unit=True)))
    return facts


def _sections(audit):
    """Findings by standing; within one, as the audit ranks them."""
    by_id = {one.id: one for one in audit.findings}
    rest = sorted(by_id.values(), key=lambda one: (-one.share * one.score, one.id))
    order = dict.fromkeys([*(id for id in audit.ranking if id in by_id), *(one.id for one in rest)])
    arms = {}
    for gain in audit.gains:
        if _readable(gain):
            arms.setdefault(gain.finding, []).append(gain)
    placed = {standing: [] for standing in STANDINGS}
    for id in order:
        gain = next((one for one in arms.get(id, ()) if one.arm == "deployed"), None)
        placed[_standing(by_id[id], gain, audit.baseline)].append((by_id[id], gain, tuple(arms.get(id, ()))))
    sections, rank = [], 0
    for standing, held in placed.items():
        if not held:
            continue
        lines = tuple(Line(rank + place, finding, standing, *price) for place, (finding, *price) in enumerate(held, 1))
        rank += len(lines)
        heading, note = SEARCHED if standing == "unpriced" and audit.baseline is None else STANDINGS[standing]
        sections.append(Section(standing, heading, note, lines))
    return tuple(sections)


def _standing(finding, gain, baseline):
    aside = baseline is not None and finding.column in baseline.set_aside
    if finding.kind == "leakage" and (aside or (gain is None and finding.score >= SURE_LEAK)):
        return "leak"
    if gain is None:
        return "unpriced"
    if gain.repair.low > 0:
        return "worth"
    return "harm" if gain.repair.high < 0 else "nothing"


def _verdict(audit, scale, lines):
    if not audit.data.get("rows"):
        yield ("The table holds no rows, so there was nothing to search.",)
        return
    if audit.baseline is None:
        yield _searched(audit, lines)
        leaks = [line.finding.column for line in lines if line.standing == "leak" and line.finding.column]
        if leaks:
            yield (*listed(leaks), f" {'seems' if len(leaks) == 1 else 'seem'} to give the target away.")
        return
    yield _score_today(audit, scale)
    count = _count(lines)
    if not lines:
        yield ("Nothing doubtful was found.",)
    elif count["worth"]:
        yield (*_best_repair(lines, scale), *_costless(count["nothing"]), ".")
    elif count["nothing"] == 1:
        yield ("The one finding that was priced costs this model nothing measurable.",)
    elif count["nothing"]:
        yield (f"None of the {several(count['nothing'], 'finding')} that were priced costs this model anything measurable.",)


def _rest(lines, scale, together):
    count = _count(lines)
    if count["worth"] > 1:
        others = f"{several(count['worth'] - 1, 'other repair')} {'is' if count['worth'] == 2 else 'are'} worth making"
        yield (others, "; all together ", Figure(scale.gain(together.repair)), ".") if together is not None else (f"{others}.",)
    if count["harm"]:
        yield (f"{several(count['harm'], 'repair')} would make it worse.",)
    if count["unpriced"]:
        yield (f"{several(count['unpriced'], 'finding')} {'has' if count['unpriced'] == 1 else 'have'} no price.",)


def _count(lines):
    return {standing: sum(line.standing == standing for line in lines) for standing in STANDINGS}


def _score_today(audit, scale):
    base = audit.baseline
    score = Figure(scale.score(base.score, base.low, base.high))
    if not base.set_aside:
        return ("Your model scores ", score, f" ({scale.name}).")
    verb = "gives" if len(base.set_aside) == 1 else "give"
    with_it = ""
    if base.with_set_aside is not None:
        with_it = f", {_beside(scale, base.with_set_aside, base).partition(' ')[0]} with {'it' if verb == 'gives' else 'them'}"
    return ("Your model scores ", score, f" ({scale.name}) without ", *listed(base.set_aside), f", which {verb} the target away{with_it}.")


def _best_repair(lines, scale):
    best = next(line for line in lines if line.standing == "worth")
    gain = Figure(scale.gain(best.gain.repair, sign=False))
    place = (Name(best.place), f" ({best.finding.kind})") if best.place else (f"{best.finding.kind} among the rows",)
    verb = "take off" if scale.turned else "add"
    return ("Repairing ", *place, f" is expected to {verb} ", gain)


def _costless(count):
    return (f"; {several(count, 'other finding')} {'costs' if count == 1 else 'cost'} this model nothing measurable",) if count else ()


def _searched(audit, lines):
    if not lines:
        return (f"Nothing doubtful was found in {size_of(audit)}.",)
    columns = {line.finding.column for line in lines} - {None}
    first = next((line for line in lines if line.standing != "leak"), lines[0])
    where = (Name(first.place),) if first.place else ("the rows",)
    found = f"{several(len(lines), 'finding')} in {len(columns):,} of {several(audit.data.get('columns', 0), 'column')}"
    return (found, f"; the first to look at is {first.finding.kind} in ", *where, f", {first.count}. No model was asked for, so nothing is priced.")


def _beside(scale, estimate, base):
    """Another score of the same model, in the decimals of the baseline."""
    return scale.score(estimate.expected, estimate.low, estimate.high, decimals(base.low, base.high))


def _common_places(lines):
    """Decimals that most of the priced findings deserve, so that a list reads as a column."""
    needed = [decimals(line.gain.repair.low, line.gain.repair.high) for line in lines if line.gain]
    return median_low(needed) if needed else 3


def _readable(gain):
    """The gain, unless it has no interval: one difference alone says nothing of its spread."""
    if gain is None or not _is_finite(gain.repair):
        return None
    alone = gain.measured < 2 and gain.repair.low == gain.repair.high
    return None if alone else gain


def _is_finite(estimate):
    return all(isfinite(one) for one in (estimate.expected, estimate.low, estimate.high))
