"""Gains on a terminal."""

from functools import partial

from rich.table import Table

from dqops.reports.consoles import paint, plain
from dqops.reports.words import amount, sentence, several

SHOWN = 30
_WIDTH = 110


def render(gains):
    """The gains as plain text."""
    return plain(partial(_print, gains), _WIDTH)


def print_gains(gains, file):
    """Write the gains to `file`: in colour on a terminal, as plain text elsewhere."""
    paint(partial(_print, gains), file, _WIDTH)


def _print(gains, console):
    told = [one for one in gains if one.arm == "deployed"] or list(gains)
    told.sort(key=lambda one: -max(part.expected for part in (one.repair, one.potential) if part is not None))
    if not told:
        console.print("Nothing was priced.", highlight=False)
    else:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for name in ("doubt", "repair", "truth", "cells", "method"):
            table.add_column(name, justify="right" if name == "cells" else "left", no_wrap=True)
        for one in told[:SHOWN]:
            places = 3 if one.row is None else 6
            table.add_row(_named(one), _shown(one.repair, places), _shown(one.potential, places), amount(one.cost), one.method)
        console.print(table, highlight=False)
        if len(told) > SHOWN:
            console.print(f"and {several(len(told) - SHOWN, 'doubt')} more (see --json or --out)", highlight=False)
    for note in gains.notes:
        console.print(f"- {sentence(note)}", highlight=False, markup=False)


def _named(one):
    return sentence(one.finding if one.row is None else f"{one.finding}, row {one.row}", 40)


def _shown(estimate, places):
    if estimate is None:
        return "not known"
    return f"{estimate.expected:+.{places}f} \\[{estimate.low:+.{places}f}, {estimate.high:+.{places}f}]"
