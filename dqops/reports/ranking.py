"""A ranking of doubts on a terminal."""

from functools import partial

from rich.table import Table

from dqops.reports.consoles import paint, plain
from dqops.reports.words import amount, sentence, several

SHOWN = 20
_STEPS = (0.1, 0.25, 0.5, 1.0)  # of the doubts, where the curve is told
_WIDTH = 100


def render(ranking):
    """The ranking as plain text."""
    return plain(partial(_print, ranking), _WIDTH)


def print_ranking(ranking, file):
    """Write the ranking to `file`: in colour on a terminal, as plain text elsewhere."""
    paint(partial(_print, ranking), file, _WIDTH)


def _print(ranking, console):
    data = ranking.data
    console.print(f"{data['name']}: {data['rows']:,} rows, target {data['target']}, strategy {ranking.strategy}", highlight=False)
    console.print()
    if not len(ranking):
        console.print("No doubt is expected to raise the score: nothing is worth resolving.", highlight=False)
    else:
        console.print(_verdict(ranking), highlight=False)
        console.print()
        console.print(_lines(ranking))
        if len(ranking) > SHOWN:
            console.print(f"and {several(len(ranking) - SHOWN, 'doubt')} more (see --json or --out)", highlight=False)
        if ranking.forecasts:
            console.print()
            console.print(_curve(ranking))
    for warning in ranking.warnings:
        console.print(f"- {sentence(warning)}", highlight=False, markup=False)


def _verdict(ranking):
    spent = ranking.costs()[-1]
    if not ranking.forecasts:
        return f"An order, not a forecast: gains are in the unit of {ranking.strategy}. Resolving {several(len(ranking), 'doubt')} costs {amount(spent)}."
    whole = ranking.next(len(ranking))
    rest = f"; {several(ranking.left_out, 'doubt')} left out" if ranking.left_out else ""
    return f"Resolving {several(len(ranking), 'doubt')} costs {amount(spent)} and is expected to add {whole.expected:.3f} \\[{whole.low:.3f}, {whole.high:.3f}] to {ranking.scoring}{rest}."


def _lines(ranking):
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", "row", "column", "kind", "gain", "interval", "cost", "why"):
        table.add_column(name, justify="right" if name in ("", "gain", "cost") else "left", overflow="ellipsis", no_wrap=name != "why")
    for line in ranking.to_frame().head(SHOWN).iter_rows(named=True):
        interval = "" if line["low"] is None else f"\\[{line['low']:.5f}, {line['high']:.5f}]"
        cells = (line["rank"], line["row"], sentence(line["column"] or "whole row", 24), line["kind"], "" if line["gain"] is None else f"{line['gain']:.5f}", interval, amount(line["cost"]), sentence(line["reason"], 60))
        table.add_row(*map(str, cells))
    return table


def _curve(ranking):
    curve = ranking.curve()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("answers", "spent", "expected gain", "90% interval"):
        table.add_column(name, justify="right")
    for count in sorted({max(round(step * len(ranking)), 1) for step in _STEPS}):
        spent, expected, low, high = curve.row(count - 1)
        table.add_row(f"{count:,}", amount(spent), f"{expected:+.3f}", f"\\[{low:+.3f}, {high:+.3f}]")
    return table
