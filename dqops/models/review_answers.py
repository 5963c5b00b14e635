"""What the answers to a review come to, cell by cell: the likeliest, how surely, and how skilled each person is."""

import polars as pl

from dqops.models.crowd import resolve_answers

_OVERLAP = 20  # cells of a column that two people or more answered, from which each gets a table of its own for it
_MOST_CLASSES = 12
STATES = ("settled", "again", "unknown")
SETTLED = {
    "column": pl.String,
    "state": pl.String,
    "verdict": pl.String,
    "value": pl.String,
    "confidence": pl.Float64,
    "answers": pl.Int64,
    "who": pl.String,
    "when": pl.String,
}
SKILLS = {"reviewer": pl.String, "column": pl.String, "answers": pl.Int64, "skill": pl.Float64, "low": pl.Float64, "high": pl.Float64}


def resolved_reviews(answers, recorded, ids, *, skill=0.9, certain=0.8):
    """The likeliest answer of each cell, and the skill of each person.

    Parameters
    ----------
    answers : dict
        ``(row, column): {who: entry}`` with verdict, value and when in each entry.
    recorded : dict
        ``(row, column): text``, null where the cell is empty.
    ids : polars.DataType
        Of row ids.
    skill : float
        Share of right answers that somebody nobody knows is taken to give.
    certain : float
        Confidence below which a cell is to be asked again.

    Returns
    -------
    cells : polars.DataFrame
        row, column, state (settled, again, unknown), verdict, value, confidence, answers, who, when.
    skills : polars.DataFrame
        reviewer, column (null: all that have no table of their own), answers, skill, low, high.
    """
    told = {cell: {who: _token(one, recorded[cell]) for who, one in own.items()} for cell, own in answers.items()}
    groups = {}
    for cell in told:
        groups.setdefault(cell[1], []).append(cell)
    apart = [column for column, cells in groups.items() if _has_tables(cells, told)]
    together = [cell for column, cells in groups.items() if column not in apart for cell in cells]
    parts = [(column, groups[column], "auto") for column in apart] + [(None, together, "open")]
    best, skills = {}, []
    for column, cells, kind in parts:
        lines = [(who, cell, token) for cell in cells for who, token in told[cell].items() if token is not None]
        if not lines:
            continue
        who, items, tokens = zip(*lines, strict=True)
        places = {cell: place for place, cell in enumerate(dict.fromkeys(items))}
        found = resolve_answers(who, [places[one] for one in items], tokens, kind=kind, skill=skill)
        best |= {cell: (found.values[place], float(found.confidence[place])) for cell, place in places.items()}
        skills += [(line["worker"], column, line["answers"], line["skill"], line["low"], line["high"]) for line in found.skills().iter_rows(named=True)]
    lines = [_line(cell, own, told[cell], best.get(cell), certain) for cell, own in answers.items()]
    cells = pl.DataFrame(lines, schema={"row": ids, **SETTLED}, orient="row")
    return cells, pl.DataFrame(skills, schema=SKILLS, orient="row")


def _has_tables(cells, told):
    """Whether a column has answers enough by several people, of few values, for a table of each person."""
    several = sum(len([one for one in told[cell].values() if one is not None]) > 1 for cell in cells)
    values = {one for cell in cells for one in told[cell].values()} - {None}
    return several >= _OVERLAP and len(values) <= _MOST_CLASSES


def _token(entry, recorded):
    """What an answer says the cell should hold, as text; None where it cannot be told."""
    if entry["verdict"] == "right":
        return "empty" if recorded is None else f"value {_same(recorded)}"
    if entry["verdict"] == "value":
        return f"value {_same(entry['value'])}"
    return None if entry["verdict"] == "unknown" else entry["verdict"]


def _same(text):
    """One text for all spellings of a number."""
    try:
        return repr(float(text))
    except ValueError:
        return text


def _line(cell, own, tokens, best, certain):
    """One line of the cells."""
    row, column = cell
    if best is None:
        who = sorted(own)
        return row, column, "unknown", "unknown", None, None, 0, ", ".join(who), max(own[one]["when"] for one in who)
    token, confidence = best
    who = sorted(one for one, said in tokens.items() if said == token)
    entry = own[who[0]]
    answered = sum(one is not None for one in tokens.values())
    state = "settled" if confidence >= certain else "again"
    return row, column, state, entry["verdict"], entry["value"], confidence, answered, ", ".join(who), max(own[one]["when"] for one in who)
