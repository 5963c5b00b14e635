"""Columns in figures, for the page."""

import numpy as np
import polars as pl

from dqops.results.summary import ColumnSummary

_BINS = 24
_LEVELS = 8
# Larger tables are drawn from so many evenly spaced rows: a picture does not show more.
_DRAWN_ROWS = 200_000
# Levels seen once among so many rows hint at as many unseen: where they are this rare, what was drawn is all there is.
_SEEN_ONCE = 0.001


def column_summaries(table, findings):
    """One `ColumnSummary` a searched column, doubtful cells counted apart; figures of large tables are estimates.

    Parameters
    ----------
    table : Table
    findings : Findings

    Returns
    -------
    tuple of ColumnSummary
    """
    step = max(1, table.n_rows // _DRAWN_ROWS)
    roles = {getattr(table.roles, role): role for role in ("target", "key", "time", "group", "weight", "trusted")}
    return tuple(_summary(table, name, findings, roles.get(name, ""), step) for name in table.searched)


def _summary(table, name, findings, role, step):
    meaning, doubtful = table.meanings[name], _doubtful(table, name, findings)[::step]
    missing = int(meaning.blank.sum() + meaning.disguised.sum())
    parts = {"name": name, "kind": meaning.kind, "recorded_as": meaning.recorded_as, "role": role, "missing": missing}
    figures = _numbers(meaning.values.gather_every(step), doubtful) if meaning.kind == "number" else {}
    figures = figures or _levels(table.frame[name].gather_every(step), doubtful)
    once = figures.pop("once")
    if step > 1 and once > _SEEN_ONCE * figures["distinct"]:
        cells = table.frame[name]
        parts["distinct"] = int(table.hashed.distinct.get(name) or cells.approx_n_unique()) - bool(cells.null_count())
    return ColumnSummary(**figures | parts)


def _doubtful(table, name, findings):
    mask = np.zeros(table.n_rows, dtype=bool)
    for one in findings:
        if one.column == name and not one.whole:
            mask[one.at_least(0.5).positions] = True
    return mask


def _numbers(values, doubtful):
    """Figures and histogram from one sort."""
    cells = values.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    held = np.sort(cells)
    held = held[np.searchsorted(held, -np.inf, side="right") : np.searchsorted(held, np.inf, side="left")]
    if not len(held):
        return {}
    places = {"min": 0.0, "q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95, "max": 1.0}
    figures = {key: float(held[round(share * (len(held) - 1))]) for key, share in places.items()}
    figures |= {"mean": float(held.mean()), "std": float(held.std())}
    # Wild values would flatten the picture: the bins span the usual range, the outermost hold the rest.
    low, high = held[round(0.005 * (len(held) - 1))], held[round(0.995 * (len(held) - 1))]
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    inner = np.searchsorted(held, edges[1:-1])
    counts = np.diff(np.concatenate([[0], inner, [len(held)]]))
    starts = np.flatnonzero(np.concatenate([[True], held[1:] != held[:-1], [True]]))
    suspects = cells[doubtful]
    suspects = np.clip(suspects[np.isfinite(suspects)], edges[0], edges[-1])
    return {
        "distinct": len(starts) - 1,
        "once": int(np.count_nonzero(np.diff(starts) == 1)),
        "numbers": figures,
        "edges": tuple(edges.tolist()),
        "counts": tuple(counts.tolist()),
        "doubtful": tuple(np.histogram(suspects, edges)[0].tolist()),
    }


def _levels(column, doubtful):
    """Distinct cells and the most frequent of them."""
    text = column.cast(pl.String, strict=False).alias("level")
    counted = text.drop_nulls().value_counts(name="rows")
    top = counted.sort(["rows", "level"], descending=[True, False]).head(_LEVELS) if counted.height < 50_000 else counted.top_k(_LEVELS, by="rows")
    suspects = text.filter(pl.Series(doubtful)).drop_nulls()
    return {
        "distinct": counted.height,
        "once": int((counted["rows"] == 1).sum()),
        "levels": tuple(top["level"].to_list()),
        "level_counts": tuple(top["rows"].to_list()),
        "level_doubtful": tuple(int((suspects == level).sum()) for level in top["level"]),
    }
