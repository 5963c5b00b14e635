"""A benchmark of strategies on a terminal and as one page of cleaning curves."""

from functools import partial

import polars as pl
from markupsafe import Markup
from rich.table import Table

from dqops.reports.consoles import paint, plain
from dqops.reports.figures import round_values
from dqops.reports.words import amount, sentence, several

WIDTH, HEIGHT = 100, 44  # of a plot, in units of its own
_LEFT, _RIGHT = 8, 98
# Told apart by hue, by lightness and by dashes; dqops has the first.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#8c564b", "#aa4499", "#117733", "#332288")
_DASHES = ("", "3 1", "1 1", "4 1 1 1")
_WIDTH = 110


def render(bench):
    """The benchmark as plain text."""
    return plain(partial(_print, bench), _WIDTH)


def print_bench(bench, file):
    """Write the benchmark to `file`: in colour on a terminal, as plain text elsewhere."""
    paint(partial(_print, bench), file, _WIDTH)


def _print(bench, console):
    for name, model, lines in _groups(bench.summary()):
        first = lines[0]
        console.print(f"{sentence(name, 60)}, model {sentence(model, 40)}: {heading(first, bench)}", highlight=False, markup=False)
        console.print(_table(lines, bench))
        console.print()
    for warning in bench.warnings:
        console.print(f"- {sentence(warning)}", highlight=False, markup=False)


def _groups(summary):
    """(set, model, lines) in order of appearance, each line a dict."""
    for (name, model), part in summary.group_by("set", "model", maintain_order=True):
        yield name, model, part.to_dicts()


def heading(line, bench):
    """What there is to win, in a phrase."""
    start = "" if bench.start == "dirty" else " after automatic repairs"
    measure = "score" if ", " in bench.scoring else bench.scoring
    return f"{measure} {line['dirty']:.3f}{start}, {line['full']:.3f} when all is clean; {several(line['seeds'], 'seed')}, one answer a {bench.unit}"


def cells_of(line):
    """What a table shows of a strategy: share captured, interval, costs to the goals, seconds."""
    share, low, high = line["captured"], line["low"], line["high"]
    captured = ("nothing to win", "") if share is None else (f"{share:.0%}", f"[{low:.0%}, {high:.0%}]" if low is not None else "")
    return (*captured, amount(line["to_score"]), amount(line["to_gain"]), "best or tied" if line["tied"] else "", f"{line['seconds']:.1f}")


def _table(lines, bench):
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    names = ("strategy", "mean score", "captured", "90% interval", "cost to 95% of score", "to 95% of gain", "", "seconds")
    for name in names:
        table.add_column(name, justify="left" if name in ("strategy", "") else "right")
    for line in lines:
        captured, interval, *rest = cells_of(line)
        table.add_row(sentence(line["strategy"], 24), f"{line['area']:.3f}", captured, interval.replace("[", "\\["), *rest)
    return table


def page(bench):
    """The benchmark as one self-contained HTML page."""
    from dqops.reports.page import template

    colours = colours_of(bench.summary()["strategy"].unique(maintain_order=True).to_list())
    groups = [
        {
            "name": sentence(name, 60),
            "model": sentence(model, 40),
            "heading": heading(lines[0], bench),
            "plot": plot(bench, name, model, colours),
            "lines": [{"strategy": sentence(one["strategy"], 24), "key": _key(colours[one["strategy"]]), "area": f"{one['area']:.3f}", "cells": cells_of(one)} for one in lines],
        }
        for name, model, lines in _groups(bench.summary())
    ]
    return template("bench.html").render(groups=groups, bench=bench, warnings=[sentence(one) for one in bench.warnings])


def colours_of(strategies):
    """Colour and dashes of each strategy, the same on all plots."""
    ordered = sorted(strategies, key=lambda name: (name != "dqops", name))
    return {name: (_COLOURS[place % len(_COLOURS)], _DASHES[place // len(_COLOURS) % len(_DASHES)]) for place, name in enumerate(ordered)}


def _key(look):
    return Markup('<svg width="24" height="8" aria-hidden="true"><line x1="0" x2="24" y1="4" y2="4" stroke="{}" stroke-width="2.5" stroke-dasharray="{}"/></svg>').format(*look)


def plot(bench, name, model, colours=None):
    """Mean score of each strategy against money spent, as SVG.

    Parameters
    ----------
    bench : Bench
    name, model : str
        Of the set and the model.
    colours : dict, optional
        Colour and dashes of each strategy.
    """
    own = bench.to_frame().filter((pl.col("set") == name) & (pl.col("model") == model))
    lines = bench.summary().filter((pl.col("set") == name) & (pl.col("model") == model))
    colours = colours or colours_of(lines["strategy"].to_list())
    means = mean_curves(own)
    scores = [score for points in means.values() for _, score in points] + lines["full"].to_list()
    low, high = min(scores), max(scores)
    pad = 0.06 * (high - low) or 0.01
    low, high, last = low - pad, high + pad, max(cost for points in means.values() for cost, _ in points) or 1.0

    def place(cost, score):
        return _LEFT + (_RIGHT - _LEFT) * cost / last, HEIGHT * (high - score) / (high - low)

    full = place(0, lines["full"][0])[1]
    parts = [Markup('<line class="full" x1="{}" x2="{}" y1="{:.2f}" y2="{:.2f}"/>').format(_LEFT, _RIGHT, full, full)]
    for strategy, points in means.items():
        drawn = " ".join("{:.2f},{:.2f}".format(*place(*point)) for point in points)
        look = colours[strategy]
        parts.append(Markup('<polyline points="{}" fill="none" stroke="{}" stroke-width="{}" stroke-dasharray="{}"/>').format(drawn, look[0], 0.9 if strategy == "dqops" else 0.5, look[1]))
    marks = [Markup('<text x="0" y="{:.2f}" class="mark">{}</text>').format(place(0, value)[1] + 0.8, f"{value:g}") for value in round_values(low, high)]
    marks += [Markup('<text x="{:.2f}" y="{}" class="mark" text-anchor="middle">{}</text>').format(place(value, 0)[0], HEIGHT + 3, f"{value:g}") for value in round_values(0, last)]
    said = f"{name}, {model}: mean score of {len(means)} strategies against money spent"
    return Markup('<svg class="curve" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>').format(WIDTH, HEIGHT + 4, said, Markup("").join(marks), Markup("").join(parts))


def mean_curves(curves):
    """By strategy, (cost, mean score over seeds) at each point."""
    found = {}
    ordered = curves.with_columns(point=pl.int_range(pl.len()).over("strategy", "seed"))
    means = ordered.group_by("strategy", "point", maintain_order=True).agg(pl.col("cost").mean(), pl.col("score").mean())
    for strategy, cost, score in means.sort("strategy", "point").select("strategy", "cost", "score").iter_rows():
        found.setdefault(strategy, []).append((cost, score))
    return found
