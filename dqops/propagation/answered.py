"""What doubts are still worth once some of them were answered."""

import numpy as np
import polars as pl

_PRIOR = 10.0  # answers that a detector's own probability of being right counts for


def after_answers(doubts, told, closed):
    """The doubts that are open, their gains moved by how often answers found those of their kind and column right.

    Parameters
    ----------
    doubts : polars.DataFrame
        As of a ranking: row, column, kind, gain, low, high, cost.
    told : list of (str or None, str or None, str)
        Kind and column of each doubt that was answered, and how: ``wrong`` (the doubt was right), ``right`` (the cell was)
        or ``unknown``.
    closed : set of (row, column)
        Doubts that need no further answer.

    Returns
    -------
    polars.DataFrame
        Ranked anew by gain per cost.

    Notes
    -----
    Gains are multiplied by ``(10 + wrong) / (10 + wrong + right)``, and by ``(10 + known) / (10 + asked)``: a doubt that nobody can
    resolve costs and gains nothing.

    Examples
    --------
    >>> lines = {"row": [1, 2], "column": ["a", "a"], "kind": ["rules", "rules"], "gain": [0.2, 0.1], "low": [0.1, 0.0], "high": [0.3, 0.2], "cost": [1.0, 1.0]}
    >>> after_answers(pl.DataFrame(lines), [("rules", "a", "right")], {(1, "a")})["gain"].round(3).to_list()
    [0.091]
    """
    counts = {}
    for kind, column, outcome in told:
        held = counts.setdefault((kind, column), dict.fromkeys(("wrong", "right", "unknown"), 0))
        held[outcome] += 1
    factors = {group: _factor(**held) for group, held in counts.items()}
    groups = doubts.select("kind", "column").iter_rows()
    factor = pl.Series(np.array([factors.get(group, 1.0) for group in groups], dtype=np.float64))
    open_ = pl.Series([cell not in closed for cell in doubts.select("row", "column").iter_rows()], dtype=pl.Boolean)
    moved = doubts.with_columns(*(doubts[name] * factor for name in ("gain", "low", "high"))).filter(open_)
    moved = moved.sort(pl.col("gain") / pl.col("cost").clip(1e-12), descending=True, maintain_order=True)
    return moved.with_columns(rank=pl.int_range(1, moved.height + 1, dtype=pl.Int64))


def _factor(wrong, right, unknown):
    known = wrong + right
    return (_PRIOR + wrong) / (_PRIOR + known) * (_PRIOR + known) / (_PRIOR + known + unknown)
