"""What a person is told of each doubt beside its place: what is recorded, and what could stand there instead."""

import numpy as np
import polars as pl

from dqops.cleaners.proposals import propose_candidates
from dqops.tables.cells import in_type_of, row_places
from dqops.tables.exact import texts_of
from dqops.tables.readable import as_read

_DECIMALS = 6
_MOSTLY = 0.9  # of the recorded numbers have no more decimals
_KINDS = ("missing", "formats", "outliers", "categories", "rules")


def told_of_doubts(doubts, findings, table, seed=0):
    """The doubts with recorded, suggestion (text, null where there is none) and score.

    Parameters
    ----------
    doubts : polars.DataFrame
        row, column, kind and more.
    findings : Findings
    table : Table
    seed : int
    """
    cells = _known(findings, table)
    lacking = doubts.join(cells.filter(pl.col("suggestion").is_not_null()), on=["row", "column"], how="anti", nulls_equal=True)
    proposed = _proposed(findings, table, set(lacking["column"].drop_nulls()), seed)
    told = doubts.join(cells, on=["row", "column"], how="left", nulls_equal=True, maintain_order="left")
    told = told.join(proposed, on=["row", "column"], how="left", maintain_order="left")
    told = told.with_columns(_recorded(doubts, table), pl.coalesce("suggestion", "proposed").alias("suggestion")).drop("proposed")
    # A suggestion of what stands there already tells nothing.
    return told.with_columns(pl.when(pl.col("suggestion") == pl.col("recorded")).then(None).otherwise(pl.col("suggestion")).alias("suggestion"))


def _recorded(doubts, table):
    """The recorded text of each doubtful cell; null where it is empty, or a whole row."""
    texts = [None] * doubts.height
    for column in doubts["column"].drop_nulls().unique():
        at = np.flatnonzero((doubts["column"] == column).fill_null(False).to_numpy())
        found = texts_of(table.raw[column]).gather(row_places(table.row_ids, doubts["row"].gather(at))).to_list()
        for place, text in zip(at.tolist(), found, strict=True):
            texts[place] = text or None
    return pl.Series("recorded", texts, dtype=pl.String)


def _known(findings, table):
    """row, column, suggestion, score of each doubt: the surest score, and the first suggestion there is."""
    parts = [_cells(one, table) for one in findings if not one.whole and one.count]
    if not parts:
        return pl.DataFrame(schema={"row": table.row_ids.dtype, "column": pl.String, "suggestion": pl.String, "score": pl.Float64})
    grouped = pl.concat(parts).sort("score", descending=True, maintain_order=True).group_by("row", "column", maintain_order=True)
    return grouped.agg(pl.col("suggestion").drop_nulls().first(), pl.col("score").first())


def _cells(finding, table):
    suggestion = pl.Series([None] * finding.count, dtype=pl.String)
    if finding.column is None:
        suggestion = pl.Series(["[drop]"] * finding.count, dtype=pl.String)
    elif finding.suggestions is not None:
        suggestion = _spelled(finding.suggestions, table, finding.column)
    lines = {"row": finding.rows, "column": pl.Series([finding.column] * finding.count, dtype=pl.String)}
    return pl.DataFrame(lines | {"suggestion": suggestion.cast(pl.String), "score": finding.scores})


def _proposed(findings, table, columns, seed):
    """row, column, proposed: the likeliest value of cells of these columns by what the other columns foretell."""
    empty = pl.DataFrame(schema={"row": table.row_ids.dtype, "column": pl.String, "proposed": pl.String})
    wanted = type(findings)(tuple(one for one in findings.of_kind(*_KINDS) if one.column in columns and one.column in table.features))
    if not len(wanted):
        return empty
    readable = as_read(table)
    parts = [empty]
    for doubts in propose_candidates(readable, wanted, seed=seed)[0]:
        recorded = readable.frame[doubts.column].gather(doubts.positions).to_list()
        best = []
        for place, held in enumerate(recorded):
            chosen = slice(doubts.start[place], doubts.start[place + 1])
            rivals = [(weight, -order, value) for order, (weight, value) in enumerate(zip(doubts.weights[chosen], doubts.values[chosen].to_list(), strict=True)) if value != held]
            best.append(max(rivals)[2] if rivals else None)
        best = _as_fine_as(readable.frame[doubts.column], pl.Series(best, dtype=doubts.values.dtype))
        texts = _spelled(best, table, doubts.column)
        lines = {"row": doubts.rows, "column": pl.Series([doubts.column] * len(best), dtype=pl.String)}
        parts.append(pl.DataFrame(lines | {"proposed": texts.cast(pl.String)}))
    return pl.concat(parts).unique(["row", "column"], keep="first", maintain_order=True)


def _spelled(values, table, column):
    """The values as text, whole numbers with or without ``.0`` as most of the column are."""
    texts = texts_of(in_type_of(values, table.frame[column]))
    recorded = table.raw[column]
    if recorded.dtype != pl.String or not table.frame[column].dtype.is_float():
        return texts
    whole = recorded.drop_nulls().str.contains(".", literal=True).mean() < 0.5
    return texts.str.strip_suffix(".0") if whole else texts


def _as_fine_as(recorded, values):
    """Numbers with as many decimals as most recorded ones have."""
    if not values.dtype.is_float() or not recorded.dtype.is_numeric():
        return values
    known = recorded.cast(pl.Float64).drop_nulls()
    for places in range(_DECIMALS):
        if (known.round(places) == known).mean() >= _MOSTLY:
            return values.round(places)
    return values
