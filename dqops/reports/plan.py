"""A cleaning plan as text: what will change and why, what will not, and what that gains."""

import polars as pl

from dqops.reports.words import sentence, several

_LONGEST = 110  # letters of what is done about a finding
_NAMED = 8  # findings without a change that are named


def render(plan):
    """The plan as plain text.

    Parameters
    ----------
    plan : CleaningPlan
    """
    cells, rows = plan.changes.height, plan.dropped.height
    told = f"{several(cells, 'cell')} to change" + (f" in {several(plan.changes['column'].n_unique(), 'column')}" if cells else "")
    lines = [f"Plan for {sentence(plan.data['name'])} ({several(plan.data['rows'], 'row')}): {told}, {several(rows, 'row')} to drop."]
    together = [one for one in plan.repairs if one["finding"] == "all"]
    lines += [f"all repairs together: {_gain(one)}" for one in together if one["expected"] is not None]
    made, without, left = _sorted(plan)
    if made:
        lines += ["", "To be changed:", *(f"  {_counted(one, count)}  {_what(one)}" for one, count in made)]
    lines += _by_people(plan)
    if without:
        names = ", ".join(sentence(one["finding"], 40) for one in without[:_NAMED]) + (f" and {len(without) - _NAMED} more" if len(without) > _NAMED else "")
        lines += ["", f"Looked at, and no cell changed, for nothing is sure enough to be written: {names}."]
    if left:
        lines += ["", "Left as it is:", *(f"  {_what(one)}" for one in left)]
    return "\n".join(lines)


def _sorted(plan):
    """Findings with changes and how many (0: other repairs wrote last), findings whose repair changes nothing here, findings that are left alone."""
    changes = plan.changes.group_by("kind", "column", maintain_order=True).len()
    counts = {f"{kind}:{column}": count for kind, column, count in changes.iter_rows()}
    dropped = dict(plan.dropped.group_by("kind", maintain_order=True).len().iter_rows())
    made, without, left = [], [], []
    for one in plan.repairs:
        if one["finding"] == "all":
            continue
        kind, _, column = one["finding"].partition(":")
        count = counts.get(one["finding"], 0) + dropped.get(kind, 0)
        pays = one["why"] == "it pays" and column in plan.types  # its cells were changed once more by a later repair
        if not one["applied"]:
            left.append(one)
        elif count or kind == "leakage" or pays:
            made.append((one, count))
        else:
            without.append(one)
    return made, without, left


def _counted(one, count):
    if not count:
        return f"{'the column' if one['finding'].startswith('leakage:') else '0 more':>12}"
    return f"{several(count, 'row' if one['finding'].endswith(':rows') else 'cell'):>12}"


def _what(one):
    """A finding, what is done about it, why, and the gain where it was measured."""
    gain = f"; {_gain(one)}" if one.get("expected") is not None else ""
    return f"{sentence(one['finding'], 40)}: {sentence(one['action'], _LONGEST)} ({one['why']}{gain})"


def _gain(one):
    return f"gain {one['expected']:+.3f} [{one['low']:+.3f}, {one['high']:+.3f}]"


def _by_people(plan):
    """What people answered, by name."""
    told = pl.concat([plan.changes.select("cleaner", "who"), plan.dropped.select("cleaner", "who")])
    told = told.filter(pl.col("cleaner").is_in(["review", "answer"])).group_by("who", maintain_order=True).len()
    if told.is_empty():
        return []
    return ["", "Answered by people:", *(f"  {several(count, 'change'):>12}  {sentence(who or 'nobody named', 60)}" for who, count in told.iter_rows())]
