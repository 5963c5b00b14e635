"""Where a review stands, as text."""

from dqops.reports.words import Scale, percent, sentence, several


def render(status):
    """The status as plain text.

    Parameters
    ----------
    status : ReviewStatus
    """
    asked = f"{several(status.batches, 'batch', 'batches')} handed out" + (f", {several(status.waiting, 'cell')} of them not answered yet" if status.waiting else "")
    lines = [
        f"Review of {sentence(status.data['name'])}: {several(status.doubts, 'doubt')}, {asked}.",
        f"  {several(status.settled, 'cell')} settled: {status.wrong:,} wrong, {status.settled - status.wrong:,} right as they are",
        f"  {several(status.again, 'cell')} to be asked again, {status.unknown:,} that nobody can tell, {status.open:,} open",
    ]
    for one in status.reviewers:
        about = "" if one["column"] is None else f" in {sentence(one['column'], 40)}"
        lines.append(f"  {sentence(one['reviewer'], 40)}{about}: {several(one['answers'], 'answer')}, right in {percent(one['skill'])} [{percent(one['low'])}, {percent(one['high'])}]")
    lines.append(said_of(status) + ".")
    return "\n".join([*lines, *(f"- {sentence(one)}" for one in status.warnings)]) + "\n"


def said_of(status):
    """What the next answers are worth, in one sentence."""
    if not status.doubts:
        return "no doubt is expected to raise the score: nothing is worth asking"
    if not status.open:
        return "nothing is left to be asked"
    if status.waiting >= status.open:
        waits = f"; all {several(status.open, 'open cell')} are handed out: --again hands them out once more"
    else:
        waits = ""
    return said_of_next(status.next, min(status.answers, status.open), status.scoring, status.goes_on) + waits


def said_of_next(gain, answers, scoring, goes_on=None):
    """The stop rule in one sentence.

    >>> from dqops.results.gain import Estimate
    >>> said_of_next(Estimate(0.001, -0.001, 0.003), 100, "accuracy", False)
    'expected gain of the next 100 answers: 0.1 points [-0.1, 0.3] of accuracy; at your price, stop'
    """
    scale = Scale(scoring)
    factor, unit, places = (1, f" {scale.unit}", 3) if scale.turned else (100, f" of {scale.unit}", 1)
    numbers = [f"{factor * one:.{places}f}".replace(f"-0.{'0' * places}", f"0.{'0' * places}") for one in (gain.expected, gain.low, gain.high)]
    verdict = "" if goes_on is None else f"; at your price, {'go on' if goes_on else 'stop'}"
    return f"expected gain of the next {several(answers, 'answer')}: {numbers[0]}{'' if scale.turned else ' points'} [{numbers[1]}, {numbers[2]}]{unit}{verdict}"
