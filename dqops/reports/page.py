"""An audit as one page: self-contained, without scripts, readable on a phone, in the dark and on paper."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from dqops.reports import figures
from dqops.reports.outlook import outlook_views
from dqops.reports.story import arm_facts, baseline_facts, overstated, score_without, settings_of, size_of, story_of
from dqops.reports.words import KINDS, Figure, Name, amount, name_of, percent, sentence, several

# How much a page shows of a long list; the rest is counted and stands in the saved run.
DETAILED, LISTED = 60, 300
COLUMNS, BARS, LEVELS = 60, 30, 6
CLASSES, PAIRS = 10, 10
EXAMPLES, WARNINGS = 8, 30

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(audit, *, show_values=False):
    """The page as HTML text; raw values only where `show_values`."""
    story = story_of(audit)
    gains = [line.gain.repair for line in story.lines if line.gain and line.standing != "leak"]
    axis = figures.axis_of(gains)
    return template("page.html").render(
        story=story,
        about=f"{size_of(audit)}" + (f", target {sentence(audit.data['target'], 60)}" if audit.data.get("target") else ""),
        facts=_facts(audit, story),
        marks=figures.scale_marks(axis) if gains else "",
        sections=_sections(story, audit, axis, show_values),
        missing=_missing(audit),
        noise=_noise(audit.label_noise, show_values),
        ahead=outlook_views(audit),
        columns=_columns(audit, story, show_values),
        warnings=[sentence(one) for one in audit.warnings[:WARNINGS]],
        more_warnings=max(len(audit.warnings) - WARNINGS, 0),
        measured=_measured(audit),
        shows_values=show_values,
    )


def template(name):
    """A template of this room, with the filters that all of them share."""
    _TEMPLATES.filters.update(phrase=phrase, minus=minus)
    return _TEMPLATES.get_template(name)


def phrase(parts):
    """A phrase as HTML: names of columns as code, numbers strong."""
    said = []
    for part in parts:
        if isinstance(part, Figure):
            value, _, bounds = minus(part).partition(" ")
            said.append(Markup("<strong>{}</strong> <span>{}</span>").format(value, bounds))
        elif isinstance(part, Name):
            said.append(Markup("<code>{}</code>").format(str(part)))
        else:
            said.append(escape(part))
    return Markup("").join(said)


def minus(text):
    """A text of numbers with true minus signs."""
    return str(text).replace("-", "\N{MINUS SIGN}")


def _facts(audit, story):
    facts = [("Model", sentence(audit.model, 60))] if audit.model else []
    facts += baseline_facts(audit, story.scale)
    if story.together is not None:
        facts.append(("All repairs together", story.scale.gain(story.together.repair, unit=True)))
    return facts


def _sections(story, audit, axis, show_values):
    """What the template shows of each section: full entries first, then a plain list, then a number."""
    room, plain_room, views = DETAILED, LISTED, []
    for section in story.sections:
        full, rest = section.lines[:room], section.lines[room:]
        listed = rest[:plain_room]
        room, plain_room = room - len(full), plain_room - len(listed)
        views.append(
            {
                "standing": section.standing,
                "heading": section.heading,
                "note": section.note,
                "without": score_without(section, audit, story.scale),
                "count": len(section.lines),
                "entries": [_entry(line, story, axis, audit, show_values) for line in full],
                "listed": [_row(line, story) for line in listed],
                "more": len(rest) - len(listed),
            }
        )
    return views


def _row(line, story):
    """The one line of a finding."""
    priced = line.gain is not None and line.standing != "leak"
    value, _, bounds = story.scale.gain(line.gain.repair, places=story.places).partition(" ") if priced else ("", "", "")
    return {
        "rank": line.rank,
        "kind": line.finding.kind,
        "place": line.place,
        "count": line.count,
        "score": f"{line.finding.score:.2f}",
        "priced": priced,
        "gain": value,
        "bounds": bounds,
        "lent": overstated(line, story.scale),
    }


def _entry(line, story, axis, audit, show_values):
    """A finding with all that belongs to it."""
    row = _row(line, story)
    arms = arm_facts(line, story.scale)
    own = figures.axis_of([estimate for _, _, estimate, _ in arms])
    picture = figures.interval(line.gain.repair, axis, _heard(line.gain.repair, story.scale)) if row["priced"] else _touched(line.finding)
    return row | {
        "meaning": KINDS.get(line.finding.kind, ("",))[0],
        "message": line.message,
        "action": line.action,
        "picture": picture,
        "arms": [(label, meaning, figures.interval(estimate, own, _heard(estimate, story.scale)), text) for label, meaning, estimate, text in arms],
        "measured": several(line.gain.measured, "paired score") if line.gain else "",
        "changed": amount(line.gain.cost) if line.gain else "",
        "level": percent(line.gain.repair.level) if line.gain else "",
        "reasons": [sentence(one) for one in line.finding.reasons[:3]],
        "rows": _row_ids(line.finding, audit, show_values),
        "examples": _examples(line.finding) if show_values else [],
    }


def _touched(finding):
    return "" if finding.whole else figures.bar(finding.share)


def _heard(estimate, scale):
    return minus(f"{scale.gain(estimate, unit=True)}, {percent(estimate.level)} interval")


def _row_ids(finding, audit, show_values):
    """Ids of the surest rows; ids of a key column are raw values."""
    if finding.whole:
        return []
    if audit.settings.get("key") and not show_values:
        return ["by their key in findings.parquet of the saved run"]
    return [sentence(one, 40) for one in finding.to_dict()["rows"]]


def _examples(finding):
    """The surest cells as they stand: row, value, likeliest true value, score."""
    if finding.values is None:
        return []
    surest = sorted(range(len(finding.scores)), key=lambda place: -finding.scores[place])[:EXAMPLES]
    suggested = finding.suggestions if finding.suggestions is not None else [None] * len(finding.scores)
    shown = [(finding.rows[place], finding.values[place], suggested[place], f"{finding.scores[place]:.2f}") for place in surest]
    return [tuple("" if cell is None else sentence(cell, 80) for cell in cells) for cells in shown]


def _missing(audit):
    """Columns with empty cells, emptiest first."""
    rows = audit.data.get("rows") or 1
    empty = sorted((one for one in audit.columns if one.missing), key=lambda one: -one.missing)
    bars = [(name_of(one.name), figures.bar(one.missing / rows), percent(one.missing / rows), f"{one.missing:,}") for one in empty[:BARS]]
    full = sum(not one.missing for one in audit.columns)
    return {"bars": bars, "more": len(empty) - len(bars), "full": several(full, "column") if full else ""}


def _noise(noise, show_values):
    """The label-noise matrix, or its largest pairs where there are many classes."""
    if noise is None or not noise.joint:
        return None
    named = show_values and len(noise.classes) == len(noise.joint)
    names = [name_of(noise.classes[place], 30) if named else f"class {place + 1}" for place in range(len(noise.joint))]
    off = [(noise.joint[given][true], given, true) for given in range(len(names)) for true in range(len(names)) if given != true]
    most = max((share for share, _, _ in off), default=0.0) or 1.0
    worst = sorted(off, key=lambda one: (-one[0], one[1:]))[:PAIRS]
    matrix = [
        (names[given], [(percent(share), given == true, round(share / most, 2) if given != true else 0) for true, share in enumerate(shares)])
        for given, shares in enumerate(noise.joint)
    ]
    return {
        "rate": percent(noise.rate),
        "low": percent(noise.low),
        "high": percent(noise.high),
        "names": names,
        "matrix": matrix if len(names) <= CLASSES else [],
        "pairs": [(names[given], names[true], percent(share)) for share, given, true in worst if share] if len(names) > CLASSES else [],
    }


def _columns(audit, story, show_values):
    """A card a column; where there are too many, of those that hold findings."""
    ranks = {}
    for line in story.lines:
        ranks.setdefault(line.finding.column, []).append((line.rank, line.finding.kind, line.rank <= DETAILED))
    chosen = list(audit.columns)
    if len(chosen) > COLUMNS:
        chosen = [one for one in chosen if one.name in ranks][:COLUMNS]
    return {"cards": [_card(one, ranks.get(one.name, []), audit, show_values) for one in chosen], "more": len(audit.columns) - len(chosen)}


def _card(column, found, audit, show_values):
    rows = audit.data.get("rows") or 1
    doubts = sum(column.doubtful) + sum(column.level_doubtful)
    said = f"Distribution of {name_of(column.name)}, {several(doubts, 'doubtful cell')}"
    return {
        "name": name_of(column.name, 120),
        "role": column.role,
        "kind": column.kind,
        "recorded_as": column.recorded_as if column.recorded_as != _usual(column.kind) else "",
        "missing": percent(column.missing / rows) if column.missing else "",
        "distinct": several(column.distinct, "distinct value"),
        "histogram": figures.histogram(column.counts, column.doubtful, said) if column.counts else "",
        "marks": figures.histogram_marks(column.edges[0], column.edges[-1]) if column.counts else "",
        "doubts": several(doubts, "doubtful cell") if doubts else "",
        "numbers": _numbers(column.numbers, show_values),
        "levels": _levels(column, rows, show_values),
        "found": found,
    }


def _usual(kind):
    return {"number": "number", "boolean": "boolean", "date": "date"}.get(kind, "text")


def _numbers(numbers, show_values):
    """Rounded figures of a number column; its ends are raw values."""
    if not numbers:
        return []
    said = [("median", amount(numbers.get("median"))), ("middle half", f"{amount(numbers.get('q25'))} to {amount(numbers.get('q75'))}"), ("mean", amount(numbers.get("mean"))), ("sd", amount(numbers.get("std")))]
    if show_values:
        said.append(("from", f"{amount(numbers.get('min'))} to {amount(numbers.get('max'))}"))
    return said


def _levels(column, rows, show_values):
    shown = []
    for place, count in enumerate(column.level_counts[:LEVELS]):
        doubts = column.level_doubtful[place] if place < len(column.level_doubtful) else 0
        name = name_of(column.levels[place], 30) if show_values and place < len(column.levels) else f"level {place + 1}"
        shown.append((name, figures.bar(count / rows, doubts / rows), percent(count / rows), several(doubts, "doubtful cell") if doubts else ""))
    return shown


def _measured(audit):
    """Settings, versions and the fingerprint: what another run needs to say the same."""
    settings = [(sentence(name, 60), sentence(value, 200)) for name, value in settings_of(audit)]
    versions = ", ".join(f"{sentence(name, 40)} {sentence(version, 40)}" for name, version in audit.versions.items())
    return [*settings, ("fingerprint of the data", sentence(audit.data.get("fingerprint") or "none", 80)), *([("versions", versions)] if versions else [])]
