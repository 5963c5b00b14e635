"""An answer on feasibility, on a terminal: the verdict, the band, what it stands on, and what would decide it."""

from math import isfinite, isinf, isnan

from rich.table import Table
from rich.text import Text

from dqops.reports.terminal import as_text, show, warning_lines
from dqops.reports.words import Scale, amount, decimals, listed, percent, plain, sentence, several

_VERDICTS = {"infeasible": "bold red", "open": "bold yellow", "feasible": "bold green"}
_NEEDS = {"rows": "more rows", "judged rows": "rows to judge on", "labels": "cleaner labels", "features": "other columns"}
_LONGEST = 220


def render(answer, *, show_values=False):
    """The answer as plain text, without colours."""
    return as_text(lambda width: _parts(answer))


def print_feasibility(answer, file):
    """Write the answer to `file`: in colour on a terminal, as plain text elsewhere or where NO_COLOR is set."""
    show(lambda width: _parts(answer), file)


def _parts(answer):
    scale = Scale(answer.scoring)
    yield Text(f"feasibility of {sentence(answer.data['name'], 60)}: {_about(answer)}", "dim")
    yield Text()
    yield _verdict(answer, scale)
    yield Text(_band(answer))
    yield Text()
    yield _aligned(_facts(answer, scale))
    if answer.needs:
        yield Text()
        yield Text("What would make it possible" if answer.verdict == "infeasible" else "What would decide it", "bold")
        yield _aligned([(_NEEDS[need.kind], ": ".join(filter(None, [_how_many(need), sentence(need.why, _LONGEST)]))) for need in answer.needs])
    if len(answer.reached) > 1:
        yield Text()
        yield Text("What simple models reach", "bold")
        yield _aligned([(sentence(one.name, 48), scale.score(one.score, one.low, one.high)) for one in answer.reached])
    if answer.warnings:
        yield Text()
        yield from warning_lines(answer.warnings)


def _about(answer):
    target, judged = answer.data["target"], answer.data["looked_at"]
    return f"{several(judged, 'row')} looked at, target {sentence(target, 60)}"


def _verdict(answer, scale):
    if answer.verdict is None:
        return Text.assemble("No score was asked for; here is the band.")
    goal = abs(answer.target_score) if scale.turned else answer.target_score
    said = {
        "infeasible": f"is infeasible: no model on {_seen(answer)} can be expected to reach it.",
        "open": "is open: no model was found that surely reaches it, and nothing rules it out.",
        "feasible": f"is feasible: {answer.best.name} reaches it on rows that it did not see.",
    }[answer.verdict]
    return Text.assemble((f"{_upper(scale.name)} {goal:.6g} ", "bold"), (said, _VERDICTS[answer.verdict]))


def _seen(answer):
    if not answer.lossy:
        return "these columns"
    return f"these columns (of {_listed(answer.lossy)} only the commonest letter combinations)"


def _listed(columns):
    return plain(listed([sentence(one, 30) for one in columns]))


def _band(answer):
    low, high = answer.score_low, answer.score_high
    name = {"1 - accuracy": "accuracy", "1 - R2": "R²", "1 - explained variance": "explained variance"}.get(answer.unit)
    if name is None:
        name, low, high = answer.unit, answer.low, answer.high
    places = decimals(low, high) + 1
    text = f"The best possible model has {name} between {low:.{places}f} and {high:.{places}f} ({percent(answer.level)} interval)."
    if _in_other_unit(answer):
        text += f" No bound is known for {Scale(answer.scoring).name}: only a model that reaches the goal can settle it."
    return text


def _in_other_unit(answer):
    return answer.scoring not in ("accuracy", "r2", "explained_variance") and answer.unit.startswith("1 - ")


def _facts(answer, scale):
    best = answer.best
    facts = [("best model found", f"{scale.score(best.score, best.low, best.high)} by {sentence(best.name, 60)}, which learned from {several(best.rows, 'row')}")]
    if answer.settled:
        facts.append(("near neighbours", _neighbours(answer)))
    if answer.lossy and answer.verdict != "feasible":
        facts.append(("to hear more", f"ignore what no model should read of {_listed(answer.lossy)}: their texts make all rows unlike each other"))
    if answer.expected is not None:
        unsure = ", more than a model errs: they are not sure enough" if answer.unit == "1 - accuracy" and answer.expected > answer.high else ""
        facts.append(("by its own opinion", f"the best model's calibrated probabilities put the least error at {percent(answer.expected)}{unsure}"))
    if answer.second_opinion is not None:
        facts.append(("second opinion", f"the spanning tree puts it between {percent(answer.second_opinion[0])} and {percent(answer.second_opinion[1])}"))
    if answer.noise is not None and answer.noise.rate * answer.data["looked_at"] >= 1:
        facts.append(("wrong labels", f"about {percent(answer.noise.rate)} [{percent(answer.noise.low)}, {percent(answer.noise.high)}]"))
    return facts


def _neighbours(answer):
    settled, first = answer.settled, next(one for one in answer.curve if one["k"] == answer.settled["k"])
    classes = answer.data["task"] == "classification"
    shown = percent if classes else amount
    who = "the nearest neighbour" if settled["k"] == 1 else f"the vote of {settled['k']} neighbours"
    low, high = shown(settled["low"]), shown(settled["high"])
    what = f"errs in {shown(first['loss'])}" if classes else f"has a loss of {shown(first['loss'])}"
    if settled["converged"]:
        end = f"would in {low} to {high}" if classes else f"would have one of {low} to {high}"
        return f"{who} {what}, and with rows without end {end}"
    return f"{who} {what}, ever less with more rows: they are too few or too far to say where it ends"


def _how_many(need):
    if isnan(need.count):
        return ""
    if isinf(need.count):
        return "no number is likely to do" + (f", at best about {_count(need.low)}" if isfinite(need.low) and need.low >= 1 else "")
    if isnan(need.low):
        return f"about {_count(need.count)}"
    end = "or no number will do" if isinf(need.high) else f"to {_count(need.high)}"
    return f"about {_count(need.count)} ({_count(need.low)} {end})"


def _count(number):
    return f"{float(f'{number:.2g}'):,.0f}"


def _aligned(lines):
    """Labels, and texts that wrap beside them."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for label, value in lines:
        grid.add_row(Text(label, "dim"), Text(value))
    return grid


def _upper(text):
    return text[:1].upper() + text[1:]
