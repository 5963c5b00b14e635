"""An audit in a notebook: the verdict and what to do first; the page has the rest."""

from dqops.reports import figures
from dqops.reports.page import template
from dqops.reports.story import size_of, story_of
from dqops.reports.words import percent

SHOWN = 6


def render(audit, *, show_values=False):
    """A short summary as an HTML fragment; holds no raw values either way."""
    story = story_of(audit)
    lines = story.lines[:SHOWN]
    priced = [line.gain.repair for line in lines if line.gain and line.standing != "leak"]
    axis = figures.axis_of(priced)
    rows = [_row(line, story, axis) for line in lines]
    return template("notebook.html").render(story=story, about=size_of(audit), rows=rows, more=len(story.lines) - len(rows))


def _row(line, story, axis):
    priced = line.gain is not None and line.standing != "leak"
    text = story.scale.gain(line.gain.repair, places=story.places) if priced else ""
    said = f"{text}, {percent(line.gain.repair.level)} interval" if priced else ""
    return {
        "place": line.place,
        "kind": line.finding.kind,
        "count": line.count,
        "picture": figures.interval(line.gain.repair, axis, said) if priced else "",
        "gain": text or f"score {line.finding.score:.2f}",
        "standing": story_heading(line.standing, story),
    }


def story_heading(standing, story):
    """The heading under which findings of that standing are listed."""
    return next(section.heading for section in story.sections if section.standing == standing)
