"""An audit as Markdown: for an issue, a pull request or a wiki."""

import re

from dqops.reports.outlook import outlook_facts
from dqops.reports.story import arm_facts, baseline_facts, gain_cell, score_without, settings_of, size_of, story_of
from dqops.reports.words import Figure, Name, name_of, percent, sentence, several

LISTED, WARNINGS = 100, 30
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~&$])|^([#+=-])")


def render(audit, *, show_values=False):
    """The audit as Markdown; holds no raw values either way."""
    story = story_of(audit)
    target = audit.data.get("target")
    parts = [
        f"# {escaped(story.title)}",
        escaped(size_of(audit)) + (f", target {code(target)}" if target else ""),
        " ".join(phrase(said) for said in story.verdict),
        " ".join(phrase(said) for said in story.rest),
        _facts(audit, story),
        *(_section(section, story, audit) for section in _shortened(story.sections)),
        _arms(story),
        _ahead(audit),
        _warnings(audit),
        _measured(audit),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def phrase(parts):
    """A phrase as Markdown: names of columns as code, numbers strong."""
    said = []
    for part in parts:
        if isinstance(part, Name):
            said.append(code(part))
        elif isinstance(part, Figure):
            value, _, bounds = part.partition(" ")
            said.append(f"**{value}** {bounds}")
        else:
            said.append(_SPECIAL.sub(r"\\\g<0>", part))
    return "".join(said)


def escaped(text):
    """Text in which nothing is markup.

    >>> escaped("a_b | <i>")
    'a\\\\_b \\\\| \\\\<i\\\\>'
    """
    return _SPECIAL.sub(r"\\\g<0>", sentence(text))


def code(name):
    """A column's name as code, whatever it holds; the bar is escaped for tables.

    >>> code("age"), code("a`b|c")
    ('`age`', '``a`b\\\\|c``')
    """
    text = name_of(name, 80)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[:1] in ("`", " ", "") or text[-1:] in ("`", " ") else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", "\\|")


def table(header, rows, numbers=()):
    """A Markdown table; columns at the places `numbers` stand to the right."""
    rule = ["--:" if place in numbers else "---" for place in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [header, rule, *rows])


def _facts(audit, story):
    facts = [("Model", code(audit.model))] if audit.model else []
    facts += [(escaped(label), _figure(value)) for label, value in baseline_facts(audit, story.scale)]
    if story.together is not None:
        facts.append(("All repairs together", _figure(story.scale.gain(story.together.repair, unit=True))))
    return "\n".join(f"- {label}: {value}" for label, value in facts)


def _shortened(sections):
    """Sections with the lines that still have room, and how many have not."""
    room = LISTED
    for section in sections:
        yield section, section.lines[:room]
        room -= min(room, len(section.lines))


def _section(shortened, story, audit):
    section, lines = shortened
    without = score_without(section, audit, story.scale)
    left = len(section.lines) - len(lines)
    header = ["", "kind", "column", "how many", "score", f"gain ({escaped(story.scale.unit)})" if audit.baseline else "", "what to do"]
    rows = [_row(line, story) for line in lines]
    parts = [
        f"## {section.heading} ({len(section.lines):,})",
        section.note + (f" {_figure(without)}." if without else ""),
        table(header, rows, numbers=(0, 3, 4, 5)) if rows else "",
        f"and {left:,} more." if left else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _row(line, story):
    place = code(line.finding.column) if line.place else "rows"
    return [f"{line.rank}", line.finding.kind, place, _figure(line.count), f"{line.finding.score:.2f}", _figure(gain_cell(line, story)), escaped(line.action)]


def _arms(story):
    """Gains of the repairs worth making, by arm."""
    worth = [line for line in story.lines if line.standing == "worth"]
    rows = [
        [f"{code(line.finding.column) if line.place else 'rows'} ({line.finding.kind})", label, _figure(text)]
        for line in worth[:10]
        for label, _, _, text in arm_facts(line, story.scale)
    ]
    if not rows:
        return ""
    level = percent(worth[0].gain.repair.level)
    return f"## Where the gain comes from\n\n{table(['finding', 'repaired', f'gain ({level} interval)'], rows, numbers=(2,))}"


def _ahead(audit):
    facts = outlook_facts(audit)
    return "\n".join(["## Looking ahead", "", *(f"- {escaped(label)}: {escaped(value)}" for label, value in facts)]) if facts else ""


def _warnings(audit):
    if not audit.warnings:
        return ""
    more = [f"- and {len(audit.warnings) - WARNINGS:,} more"] if len(audit.warnings) > WARNINGS else []
    lines = [f"- {escaped(one)}" for one in audit.warnings[:WARNINGS]]
    return "\n".join([f"## {several(len(audit.warnings), 'warning').capitalize()}\n", *lines, *more])


def _measured(audit):
    facts = settings_of(audit)
    facts += [("fingerprint", audit.data.get("fingerprint")), *audit.versions.items()]
    return "\n".join(["## How it was measured\n", *(f"- {escaped(name)}: {escaped(value)}" for name, value in facts)])


def _figure(text):
    """Numbers and their brackets as they are; they are no links without a target behind them."""
    return str(text).replace("|", "\\|")
