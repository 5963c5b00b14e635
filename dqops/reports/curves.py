"""Noise curves on a terminal and as one page."""

from functools import partial

from markupsafe import escape
from rich.table import Table

from dqops.reports.consoles import paint, plain
from dqops.reports.figures import curve
from dqops.reports.words import sentence

_WAYS = {
    "counted": "not measured but counted: the expected votes of the nearest rows",
    "refitted": "estimated: the linear model fitted again on features that were held",
    "anchored": "estimated from two fits, at the first and the last rate; between them it is a usual shape, and the band allows for others",
}
_ARMS = {"training": "in the training rows", "serving": "in the served rows", "deployed": "in all rows"}
_WIDTH = 100


def render(curves):
    """The curves as plain text."""
    return plain(partial(_print, curves), _WIDTH)


def print_curves(curves, file):
    """Write the curves to `file`: in colour on a terminal, as plain text elsewhere."""
    paint(partial(_print, curves), file, _WIDTH)


def _print(curves, console):
    data = curves.data
    console.print(f"{data['name']}: {data['rows']:,} rows, {data['columns']} columns, target {data['target']}, model {curves.model}", highlight=False)
    for one in curves:
        console.print()
        console.print(f"[bold]{escape(sentence(one.name, 60))}[/bold] {_ARMS[one.arm]}: {tolerance_of(one, curves.loss)}", highlight=False)
        console.print(_points(one, curves.scoring))
        for said in asides(one):
            console.print(said, highlight=False)
    for warning in curves.warnings:
        console.print()
        console.print(f"- {sentence(warning)}", highlight=False, markup=False)


def _points(one, scoring):
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("rate", scoring, "90% band", "drop", "90% band"):
        table.add_column(name, justify="right")
    for point in one.to_dict()["points"]:
        drop = one.drop(point["rate"])
        lost = ("", "") if point["rate"] == 0 else (f"{drop.expected:.3f}", f"[{drop.low:.3f}, {drop.high:.3f}]")
        table.add_row(f"{point['rate']:.0%}", f"{point['score']:.3f}", f"\\[{point['low']:.3f}, {point['high']:.3f}]", lost[0], lost[1].replace("[", "\\["))
    return table


def tolerance_of(one, loss):
    """One phrase: up to which rate the score stays within the loss."""
    told = one.tolerance(loss)
    if not told.reached:
        return f"the score stays within {loss:g} up to {told.rate:.0%} and may do so beyond (from {told.low:.0%} on it may not)"
    return f"the score stays within {loss:g} up to {told.rate:.1%} [{told.low:.1%}, {told.high:.1%}]"


def asides(one):
    """What has to be said of a curve: that it is interpolated, and what clean labels would bring."""
    said = []
    if one.method in _WAYS:
        said.append(_WAYS[one.method])
    if one.clean is not None:
        said.append(f"with clean labels expect {one.clean.expected:.3f} [{one.clean.low:.3f}, {one.clean.high:.3f}] (an extrapolation)")
    return said


def page(curves):
    """The curves as one self-contained HTML page."""
    from dqops.reports.page import template

    lines = [
        {
            "name": sentence(one.name, 60),
            "where": _ARMS[one.arm],
            "tolerance": tolerance_of(one, curves.loss),
            "plot": plot(one),
            "points": one.to_dict()["points"],
            "asides": asides(one),
        }
        for one in curves
    ]
    return template("curves.html").render(data=curves.data, model=curves.model, scoring=curves.scoring, lines=lines, warnings=curves.warnings)


def plot(one):
    """The curve, its band and the measured means as SVG, in percent of the width."""
    points = one.to_dict()["points"]
    return curve(points, one.response.at([point["rate"] for point in points]), one.name)
