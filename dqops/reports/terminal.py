"""An audit on a terminal: the verdict, the baseline, then findings with what each one costs."""

from functools import partial
from itertools import chain

from rich.cells import cell_len, set_cell_size
from rich.padding import Padding
from rich.text import Text

from dqops.reports.consoles import paint, plain
from dqops.reports.outlook import outlook_facts
from dqops.reports.story import baseline_facts, gain_cell, score_without, size_of, story_of
from dqops.reports.words import Figure, Name, sentence, several

WIDTH = 100
NARROWEST, WIDEST = 60, 120
SHORTEST_PLACE = 8
LONGEST = 180
# Lines of each standing before a list is cut.
SHOWN = {"leak": 10, "worth": 15, "unpriced": 20, "nothing": 8, "harm": 5}
STYLES = {"leak": "bold red", "worth": "bold green", "unpriced": "bold", "nothing": "dim", "harm": "yellow"}
ASKS = ("leak", "worth")
HEADER = ("", "kind", "column", "how many", "score")
GAP = 2


def render(audit, *, show_values=False):
    """The audit as plain text of `WIDTH` columns, without colours."""
    return as_text(lambda width: _parts(audit, width))


def print_audit(audit, file):
    """Write the audit to `file`: in colour on a terminal, as plain text elsewhere or where NO_COLOR is set."""
    show(lambda width: _parts(audit, width), file)


def as_text(parts):
    """What `parts(width)` yields as plain text of `WIDTH` columns, without colours."""
    return plain(partial(_print, parts), WIDTH)


def show(parts, file):
    """Write what `parts(width)` yields: in colour on a terminal, as plain text elsewhere or where NO_COLOR is set."""
    paint(partial(_print, parts), file, WIDTH, between=(NARROWEST, WIDEST))


def _print(parts, console):
    for part in parts(console.width):
        console.print(part, highlight=False)


def _parts(audit, width):
    """What is printed, in order: texts that rich can paint or leave plain."""
    story = story_of(audit)
    yield Text(f"{story.title}: {_about(audit)}", "dim")
    yield Text()
    yield Text(" ").join(_styled(phrase) for phrase in (*story.verdict, *story.rest))
    facts = baseline_facts(audit, story.scale)
    if facts:
        yield Text()
        yield from _facts(facts)
    yield from _sections(story, audit, width)
    ahead = outlook_facts(audit)
    if ahead:
        yield Text()
        yield Text("Looking ahead", "bold")
        yield from _facts(ahead)
    if audit.warnings:
        yield Text()
        yield from warning_lines(audit.warnings)


def _about(audit):
    roles = [("target", audit.data.get("target")), ("model", audit.model)]
    return ", ".join([size_of(audit), *(f"{role} {sentence(value, 60)}" for role, value in roles if value)])


def _styled(phrase):
    text = Text()
    for part in phrase:
        text.append(f"`{part}`" if isinstance(part, Name) else part, "bold" if isinstance(part, Name | Figure) else "")
    return text


def _facts(facts):
    widest = max(len(label) for label, _ in facts)
    for label, value in facts:
        yield Text.assemble((label.ljust(widest + GAP), "dim"), value)


def _sections(story, audit, width):
    shown = {section.standing: section.lines[: SHOWN[section.standing]] for section in story.sections}
    rows = {standing: [_row(line, story) for line in lines] for standing, lines in shown.items()}
    laid = list(chain.from_iterable(rows.values()))
    header = [*HEADER, f"gain ({story.scale.unit})" if any(row[-1] for row in laid) else ""]
    widths = _widths([header, *laid], width)
    if story.sections:
        yield Text()
        yield Text(_laid(header, widths), "dim")
    for place, section in enumerate(story.sections):
        if place:
            yield Text()
        yield Text(section.heading, STYLES[section.standing])
        without = score_without(section, audit, story.scale)
        if without:
            yield Padding(Text(without), (0, 0, 0, widths[0] + GAP))
        for line, row in zip(shown[section.standing], rows[section.standing], strict=True):
            yield Text(_laid(row, widths), "bold" if section.standing in ASKS else "")
            said = line.message if audit.baseline is None else f"-> {line.action}" if section.standing in ASKS else ""
            if said:
                yield Padding(Text(sentence(said, LONGEST)), (0, 0, 0, widths[0] + GAP))
        left = len(section.lines) - len(shown[section.standing])
        if left:
            yield Padding(Text(f"and {left:,} more (see --json)", "dim"), (0, 0, 0, widths[0] + GAP))
    if audit.baseline is None:
        yield from _advice(story)


def _advice(story):
    """What helps against each kind, where no finding has a price."""
    kinds = {line.finding.kind: line.action for line in story.lines}
    if kinds:
        yield Text()
        yield Text("What to do", "bold")
        yield from _facts(list(kinds.items()))


def _row(line, story):
    return [f"{line.rank}", line.finding.kind, line.place or "(rows)", line.count, f"{line.finding.score:.2f}", gain_cell(line, story)]


def _widths(rows, width):
    """Width of each column; the column's name gives way where the line would be too long."""
    widths = [max(cell_len(row[place]) for row in rows) for place in range(len(rows[0]))]
    spare = width - sum(widths) - GAP * (len(widths) - 1)
    widths[2] = max(widths[2] + min(spare, 0), SHORTEST_PLACE)
    return widths


def _laid(row, widths):
    """Cells side by side; numbers to the right."""
    to_right = (0, 4)
    cells = []
    for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
        if cell_len(cell) > width:
            cell = set_cell_size(cell, width - 1) + "…"
        fill = " " * (width - cell_len(cell))
        cells.append(fill + cell if place in to_right else cell + fill)
    return (" " * GAP).join(cells).rstrip()


def warning_lines(warnings):
    """The first warnings, and how many more there are."""
    shown = 10
    yield Text(several(len(warnings), "warning"), "bold yellow")
    for one in warnings[:shown]:
        yield Text(f"- {sentence(one, 200)}")
    if len(warnings) > shown:
        yield Text(f"and {len(warnings) - shown:,} more (see --json)", "dim")
