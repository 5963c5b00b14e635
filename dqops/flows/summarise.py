"""Columns in figures, for the page."""

import numpy as np
import polars as pl

from dqops.results.summary import ColumnSummary

_BINS = 24
_LEVELS = 8


def column_summaries(table, findings):
    """One `ColumnSummary` a searched column, doubtful cells counted apart.

    Parameters
    ----------
    table : Table
    findings : Findings

    Returns
    -------
    tuple of ColumnSummary
    """
    roles = {getattr(table.roles, role): role for role in ("target", "key", "time", "group", "weight", "trusted")}
    return tuple(_summary(table, name, findings, roles.get(name, "")) for name in table.searched)


def _summary(table, name, findings, role):
    meaning, doubtful = table.meanings[name], _doubtful(table, name, findings)
    missing = int(meaning.blank.sum() + meaning.disguised.sum())
    parts = {"name": name, "kind": meaning.kind, "recorded_as": meaning.recorded_as, "role": role, "missing": missing}
    parts["distinct"] = int(table.frame[name].drop_nulls().n_unique())
    if meaning.kind == "number" and meaning.values.drop_nulls().len():
        return ColumnSummary(**parts, **_numbers(meaning.values, doubtful))
    return ColumnSummary(**parts, **_levels(table.frame[name], doubtful))


def _doubtful(table, name, findings):
    mask = np.zeros(table.n_rows, dtype=bool)
    for one in findings:
        if one.column == name and not one.whole:
            mask[one.at_least(0.5).positions] = True
    return mask


def _numbers(values, doubtful):
    cells = values.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    known = np.isfinite(cells)
    held, suspect = cells[known], doubtful[known]
    if not len(held):
        return {}
    marks = np.quantile(held, [0.05, 0.25, 0.5, 0.75, 0.95])
    figures = {"min": held.min(), "max": held.max(), "mean": held.mean(), "std": held.std()}
    figures |= dict(zip(("q05", "q25", "median", "q75", "q95"), marks, strict=True))
    # Wild values would flatten the picture: the bins span the usual range, the outermost hold the rest.
    low, high = np.quantile(held, [0.005, 0.995])
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    inside = np.clip(held, edges[0], edges[-1])
    counts, doubts = (np.histogram(part, edges)[0] for part in (inside, inside[suspect]))
    return {
        "numbers": {key: float(value) for key, value in figures.items()},
        "edges": tuple(edges.tolist()),
        "counts": tuple(counts.tolist()),
        "doubtful": tuple(doubts.tolist()),
    }


def _levels(column, doubtful):
    text = pl.DataFrame({"level": column.cast(pl.String, strict=False), "doubtful": doubtful}).drop_nulls("level")
    top = text.group_by("level").agg(pl.len().alias("count"), pl.col("doubtful").sum()).sort(["count", "level"], descending=[True, False])
    top = top.head(_LEVELS)
    return {
        "levels": tuple(top["level"].to_list()),
        "level_counts": tuple(top["count"].to_list()),
        "level_doubtful": tuple(int(one) for one in top["doubtful"]),
    }
