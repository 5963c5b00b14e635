"""An appraisal on a terminal: what was done, then the rows that help least, with a sentence each."""

from functools import partial

import numpy as np
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dqops.reports.consoles import paint, plain
from dqops.reports.words import sentence

WIDTH = 100
NARROWEST, WIDEST = 60, 120
SHOWN = 10
_LONGEST_ID, _LONGEST_VALUE = 24, 40
_GAP = "  "


def render(appraisal, top=SHOWN):
    """The appraisal as plain text of `WIDTH` columns, without colours."""
    return plain(partial(_print, appraisal, top=top), WIDTH)


def print_appraisal(appraisal, file, top=SHOWN):
    """Write the appraisal to `file`: in colour on a terminal, as plain text elsewhere or where NO_COLOR is set."""
    paint(partial(_print, appraisal, top=top), file, WIDTH, between=(NARROWEST, WIDEST))


def _print(appraisal, console, top):
    for part in _parts(appraisal, top):
        console.print(part, highlight=False)


def _parts(appraisal, top):
    data = appraisal.data
    yield Text(f"{sentence(data['name'], 60)}: {data['rows']:,} rows, target {sentence(data['target'], 60)}, model {sentence(appraisal.model, 60)}", "dim")
    yield Text()
    yield Text(_verdict(appraisal), "bold")
    yield Text()
    facts = {"method": f"{appraisal.method}: {appraisal.why}", "judged by": appraisal.judged_by, "unit": appraisal.unit}
    if appraisal.error_bound:
        facts["error"] = f"at most {appraisal.error_bound:.2g} beside the standard error"
    grid = Table.grid(padding=(0, len(_GAP), 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for label, told in facts.items():
        grid.add_row(Text(label, "dim"), Text(sentence(told, 400)))
    yield grid
    worst = appraisal.worst(min(top, int(np.isfinite(appraisal.value).sum())))
    if len(worst):
        yield Text()
        yield from _rows(appraisal, worst)
    if appraisal.notes:
        yield Text()
        for note in appraisal.notes[:SHOWN]:
            yield Text(f"- {sentence(note, 200)}", "yellow")


def _verdict(appraisal):
    known = appraisal.value[np.isfinite(appraisal.value)]
    if not len(known):
        return "No row could be valued."
    below = int((known < 0).sum())
    if not below:
        return f"No row is worth less than nothing; {len(known):,} were valued."
    surely = ""
    if appraisal.stderr is not None:
        sure = int((appraisal.value + 2 * np.nan_to_num(appraisal.stderr) + appraisal.error_bound < 0).sum())
        surely = f", {sure:,} of them by more than two standard errors"
    return f"{below:,} of {len(known):,} valued rows are worth less than nothing{surely}."


def _rows(appraisal, worst):
    """The rows that help least: id, value, standard error, and what the model expects of them."""
    ids = ["row", *(sentence(one, _LONGEST_ID) for one in appraisal.rows.gather(worst).to_list())]
    values = ["value", *(f"{one:+.3g}" for one in appraisal.value[worst])]
    errors = ["", *("" if appraisal.stderr is None or not np.isfinite(appraisal.stderr[row]) else f"± {appraisal.stderr[row]:.2g}" for row in worst)]
    widths = [max(map(len, column)) for column in (ids, values, errors)]
    for place, (row, value, error) in enumerate(zip(ids, values, errors, strict=True)):
        line = _GAP.join([row.ljust(widths[0]), value.rjust(widths[1]), error.ljust(widths[2])])
        told = "" if not place else _told(appraisal, int(worst[place - 1]))
        yield Text(line.rstrip(), "dim") if not place else Padding(Text.assemble(line + _GAP, told), 0)


def _told(appraisal, row):
    """One sentence on a row."""
    if appraisal.recorded is None or appraisal.expected is None:
        return ""
    recorded, expected = appraisal.recorded[row], appraisal.expected[row]
    if appraisal.task == "regression":
        return f"recorded {_number(recorded)}; the others lead to expect {_number(expected)}"
    sure = "" if appraisal.surety is None else f" ({appraisal.surety[row]:.2f})"
    if str(recorded) == str(expected):
        return f"recorded {_label(recorded)}, as the others lead to expect{sure}"
    return f"recorded {_label(recorded)}; the others lead to expect {_label(expected)}{sure}"


def _label(value):
    return f"'{sentence(value, _LONGEST_VALUE)}'"


def _number(value):
    try:
        return f"{float(value):.6g}"
    except (TypeError, ValueError):
        return _label(value)
