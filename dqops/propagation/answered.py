"""What doubts are still worth once some of them were answered."""

from collections import Counter

import numpy as np
import polars as pl

_PRIOR = 10.0  # answers that a detector's own probability of being right counts for, in a column
_OF_REASON = 2.0  # answers that those of the column count for: doubts of one reason are mostly all right, or all wrong


def after_answers(doubts, told, closed):
    """The doubts that are open, their gains moved by how often answers found those of their reason right.

    Parameters
    ----------
    doubts : polars.DataFrame
        As of a ranking: row, column, kind, gain, low, high, cost, reason.
    told : list of (str or None, str or None, str or None, str)
        Kind, column and reason of each doubt that was answered, and how: ``wrong`` (the doubt was right), ``right`` (the cell
        was) or ``unknown``.
    closed : set of (row, column)
        Doubts that need no further answer.

    Returns
    -------
    polars.DataFrame
        Ranked anew by gain per cost.

    Notes
    -----
    Over answers about doubts of one kind and column, the share that found them right is s = (10 + wrong) / (10 + wrong + right).
    Over those of one reason among them it is (2 s + wrong) / (2 + wrong + right); gains are multiplied by that, and by
    (10 + known) / (10 + asked) of the kind and column: a doubt that nobody can resolve costs and gains nothing.

    Examples
    --------
    >>> lines = {"row": [1, 2, 3], "column": ["a"] * 3, "kind": ["rules"] * 3, "gain": [0.3, 0.2, 0.1], "low": [0.0] * 3, "high": [0.3] * 3}
    >>> doubts = pl.DataFrame(lines | {"cost": [1.0] * 3, "reason": ["odd", "odd", "far"]})
    >>> after_answers(doubts, [("rules", "a", "odd", "right")], {(1, "a")}).select("row", pl.col("gain").round(3)).rows()
    [(2, 0.121), (3, 0.091)]
    """
    of_columns = Counter((kind, column, outcome) for kind, column, _, outcome in told)
    of_reasons = Counter(told)
    groups = {group: _factor(group, of_columns, of_reasons) for group in doubts.select("kind", "column", "reason").unique().iter_rows()}
    factor = pl.Series(np.array([groups[group] for group in doubts.select("kind", "column", "reason").iter_rows()], dtype=np.float64))
    open_ = pl.Series([cell not in closed for cell in doubts.select("row", "column").iter_rows()], dtype=pl.Boolean)
    moved = doubts.with_columns(*(doubts[name] * factor for name in ("gain", "low", "high"))).filter(open_)
    moved = moved.sort(pl.col("gain") / pl.col("cost").clip(1e-12), descending=True, maintain_order=True)
    return moved.with_columns(rank=pl.int_range(1, moved.height + 1, dtype=pl.Int64))


def _factor(group, of_columns, of_reasons):
    """What gains of one kind, column and reason are multiplied by."""
    wrong, right, unknown = (of_columns[*group[:2], outcome] for outcome in ("wrong", "right", "unknown"))
    share = (_PRIOR + wrong) / (_PRIOR + wrong + right)
    own, others = (of_reasons[*group, outcome] for outcome in ("wrong", "right"))
    share = (_OF_REASON * share + own) / (_OF_REASON + own + others)
    known = wrong + right
    return share * (_PRIOR + known) / (_PRIOR + known + unknown)
