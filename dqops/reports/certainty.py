"""What can be said of all repairs of a table, on a terminal."""

from functools import partial
from math import ceil

from rich.table import Table

from dqops.reports.consoles import paint, plain
from dqops.reports.words import sentence, several

_SHOWN = 10
_USUAL = 1.0  # excess, as a share of the objective, beyond which a figure says nothing
_WIDTH = 100


def render(told):
    """The result as plain text."""
    return plain(partial(_print, told), _WIDTH)


def print_certainty(told, file):
    """Write the result to `file`: in colour on a terminal, as plain text elsewhere."""
    paint(partial(_print, told), file, _WIDTH)


def verdict(told):
    """Is cleaning needed at all, in one sentence or two."""
    data = told.data
    if not data["doubtful_cells"] and data["left_to_model"]:
        return f"Whether cleaning is needed cannot be told: {several(data['left_to_model'], 'doubtful cell')} have no candidates and were left to the model."
    if not data["doubtful_cells"]:
        return "Cleaning is not needed: no cell of the table is doubtful."
    doubts = f"{several(data['doubtful_cells'], 'doubtful cell')} in {several(data['doubtful_rows'], 'row')}"
    judged = told.predictions.height
    if told.kind == "knn":
        if not told.cleaning_needed:
            return f"Cleaning is not needed for these predictions: all {judged:,} are the same in every repair of {doubts}."
        changed = judged - int(told.predictions["certain"].sum())
        matters = int(told.needs["can_matter"].sum())
        return f"Cleaning can change {changed:,} of {judged:,} predictions. Of {doubts}, {several(matters, 'row')} can matter; no repair of the others changes any prediction."
    excess = max(one.excess for one in told.models)
    if told.certain_model:
        return f"Cleaning is not needed: one model is the best in every repair of {doubts}."
    if told.approximately_certain_model:
        return f"Cleaning is hardly needed: in every repair of {doubts} this model is within {_share(excess)} of the best one in training."
    typical = max(one.typical_excess for one in told.models)
    usual = f" Typical repairs leave it within {_share(typical)} of the best one." if typical <= _USUAL else ""
    if told.to_clean is not None:
        return f"Cleaning may be needed: for {doubts} it is not proved that one model is near the best in every repair; cleaning about {several(told.to_clean, 'row')}, those first in order, would be enough.{usual}"
    return f"Cleaning may be needed: {doubts} leave the model open, and nothing better is proved ({told.models[0].why}).{usual}"


def _share(value):
    """A small share in percent, rounded up: a bound stays one.

    >>> _share(0.0), _share(1e-9), _share(0.01234)
    ('0%', '0.01%', '1.24%')
    """
    return f"{ceil(value * 10_000) / 100:g}%"


def _print(told, console):
    data = told.data
    say = lambda text: console.print(text, highlight=False, markup=False)  # noqa: E731
    say(f"{data['name']}: {data['rows']:,} rows, {data['columns']} columns, target {data['target']}, model {told.model}")
    say("")
    say(told.verdict)
    facts = _facts(told)
    if facts:
        say("")
        widest = max(len(label) for label, _ in facts)
        for label, value in facts:
            say(f"{label.ljust(widest)}  {value}")
    for title, frame in (("Columns, those that matter most first", told.columns), ("Rows, those that matter most first", told.needs)):
        if frame.height:
            say("")
            say(title)
            console.print(_lines(frame, told.unit))
            if frame.height > _SHOWN:
                say(f"and {frame.height - _SHOWN:,} more (see --json, --out)")
    for warning in told.warnings:
        say(f"- {sentence(warning, 200)}")


def _facts(told):
    judged = told.predictions.height
    facts = []
    if judged and "high" in told.predictions.columns:
        moves = ((told.predictions["high"] - told.predictions["low"]) / 2).to_numpy()
        facts.append(("a prediction moves by at most", f"{moves.mean():.4g} on average" if moves.max() < float("inf") else "not bounded"))
    elif judged:
        certain = int(told.predictions["certain"].sum())
        proved = certain or told.kind == "knn"
        facts.append(("predictions that no repair changes", f"{certain:,} of {judged:,} ({told.share_certain:.1%})" if proved else "none proved"))
    if told.accuracy is not None and told.accuracy[0] < told.accuracy[2] < 1 + (told.accuracy[0] > 0):
        low, expected, high = told.accuracy
        mean = "" if expected is None else f", {expected:.3f} on average"
        facts.append(("accuracy in every repair", f"{low:.3f} to {high:.3f}{mean}"))
    elif told.accuracy is not None and told.accuracy[0] == told.accuracy[2]:
        facts.append(("accuracy in every repair", f"{told.accuracy[0]:.3f}"))
    if told.error is not None:
        facts.append(("mean squared error in every repair", f"{told.error[0]:.4g} to {told.error[1]:.4g}" if told.error[1] < float("inf") else "not bounded"))
    if told.models:
        facts.append(("certain model", "yes" if told.certain_model else "no"))
        for label, share in (("at most", max(one.excess for one in told.models)), ("typically, to first order", max(one.typical_excess for one in told.models))):
            facts.append((f"above the best model, {label}", f"{_share(share)} of the training objective" if share <= _USUAL else "not bounded" if label == "at most" else "more than the objective itself"))
    return facts


def _lines(frame, unit):
    """The first lines of a frame with a need."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    names = [name for name in frame.columns if name != "can_matter"]
    for name in names:
        table.add_column(f"need ({unit})" if name == "need" else name, justify="left" if name == "column" else "right")
    for line in frame.head(_SHOWN).iter_rows(named=True):
        table.add_row(*(f"{line[name]:.3g}" if name == "need" else str(line[name]) for name in names))
    return table
