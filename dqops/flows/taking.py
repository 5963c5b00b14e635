"""Answers of whatever form, read and checked before any is taken."""

from pathlib import Path

import numpy as np
import polars as pl

from dqops.errors import DataError
from dqops.results.plan import CleaningPlan
from dqops.schema import validate
from dqops.tables.answers import Understanding
from dqops.tables.cells import row_places
from dqops.tables.label_studio import read_export
from dqops.tables.sheets import read_sheet

_SHOWN = 3  # problems of an answer file that are told one by one


def lines_of(answers):
    """Lines of line, row, column, answer, reviewer, text or None, of whatever form the answers have."""
    if isinstance(answers, str | Path):
        return read_export(answers) if str(answers).lower().endswith(".json") else read_sheet(answers)
    rows = answers.to_dicts() if isinstance(answers, pl.DataFrame) else list(answers)
    lines = []
    for number, one in enumerate(rows, start=1):
        if not isinstance(one, dict) or not {"row", "column", "answer"} <= one.keys():
            raise DataError(f"answer {number} is no line with row, column and answer", "a filled sheet, or such lines")
        lines.append({"line": number, **{name: _text(one.get(name)) for name in ("row", "column", "answer", "reviewer")}})
    return lines


def _text(value):
    if value is None or value != value:
        return None
    return str(value).strip() or None


def taken_of(table, doubts, lines, *, reviewer, schema, skip_bad):
    """The answers of these lines, and (line, sentence) on each that cannot be taken.

    Parameters
    ----------
    table : Table
    doubts : polars.DataFrame
    lines : list of dict
        As `lines_of` gives them.
    reviewer, schema, skip_bad
        Of `Review.read`.

    Raises
    ------
    DataError
        Where a line cannot be taken and `skip_bad` is not set.
    """
    found, problems = Understanding(table, doubts).of(lines, reviewer)
    if schema is not None:
        found, broken = _keeping_to(schema, table, found)
        problems = sorted([*problems, *broken])
    if problems and not skip_bad:
        raise DataError(_told_of(problems), "an answer that can be taken on each line, or none (--skip-bad takes the others)")
    return found, problems


def _keeping_to(schema, table, found):
    """The answers that keep to the schema, and (line, sentence) on each other."""
    values = [one for one in found if one["verdict"] in ("value", "empty")]
    failing = {}
    # Of two people who differ about one cell, each is checked alone.
    for who in dict.fromkeys(one["who"] for one in values):
        own = [one for one in values if one["who"] == who]
        rows = pl.Series("row", [one["row"] for one in own], dtype=table.row_ids.dtype)
        part = table.take(np.unique(row_places(table.row_ids, rows)))
        told = pl.DataFrame({"column": [one["column"] for one in own], "after": pl.Series([one["value"] for one in own], dtype=pl.String)}).with_columns(rows)
        failures = validate(CleaningPlan.of(part, told.unique(["row", "column"])).apply(part), schema).failures
        failing |= {(who, row, column): check for row, column, check in failures.select("row", "column", "check").iter_rows()}
    broken = [one for one in values if (one["who"], one["row"], one["column"]) in failing]
    said = [(one["line"], f"{one['value']!r} breaks the check {failing[one['who'], one['row'], one['column']]} of {one['column']!r}") for one in broken]
    return [one for one in found if one not in broken], said


def _told_of(problems):
    """One sentence on the lines that cannot be taken."""
    shown = "; ".join(f"line {line}: {sentence}" for line, sentence in problems[:_SHOWN])
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return f"{len(problems)} {'answer' if len(problems) == 1 else 'answers'} cannot be taken, so none was: {shown}{more}"


def absent_lines(lines, batches):
    """A sentence for each batch of which some lines are in the file and some are not."""
    read = {(line["row"], line["column"]) for line in lines}
    said = []
    for batch in batches:
        cells = {(str(row), column) for row, column in batch["cells"]}
        lacking = len(cells - read)
        if 0 < lacking < len(cells):
            said.append(f"{lacking} of the {len(cells)} cells of batch {batch['number']} are not in the file: they count as not answered")
    return said
