"""Orders of doubts as rankings: what strategies that give each row or cell a number have in common."""

import numpy as np
import polars as pl

from dqops.results.ranking import Ranking


def ranked_rows(strategy, table, worth, reason):
    """`Ranking` of all rows of a table, each as a whole record, those of the largest worth first.

    Parameters
    ----------
    strategy : str
    table : Table
    worth : float64 (n,)
        In the strategy's own unit, larger to be asked earlier; NaN comes last. Ties go by position.
    reason : str or sequence of str (n,)

    Returns
    -------
    Ranking
        Its gains are the worths, without an interval: an order, not a forecast.

    Examples
    --------
    >>> import dqops
    >>> table = dqops.read(pl.DataFrame({"x": [1, 2, 3], "y": [0, 1, 1]}), target="y")
    >>> ranked_rows("random", table, np.array([0.2, 0.9, 0.5]), "drawn").to_frame()["row"].to_list()
    [1, 2, 0]
    """
    doubts = pl.DataFrame({"row": table.row_ids, "column": pl.Series([None] * table.n_rows, dtype=pl.String)})
    return ranked_doubts(strategy, table, doubts.with_columns(kind=pl.lit("record")), worth, reason)


def ranked_doubts(strategy, table, doubts, worth, reason):
    """`Ranking` of these doubts, those of the largest worth first.

    Parameters
    ----------
    strategy : str
    table : Table
    doubts : polars.DataFrame (n lines)
        row (id), column and kind.
    worth : float64 (n,)
    reason : str or sequence of str (n,)
    """
    worth = np.nan_to_num(np.asarray(worth, dtype=np.float64), nan=-np.inf)
    order = np.argsort(-worth, kind="stable")
    told = pl.Series([reason] if isinstance(reason, str) else list(reason), dtype=pl.String)
    lines = doubts.with_columns(
        gain=pl.Series(np.where(np.isfinite(worth), worth, np.nan), dtype=pl.Float64).fill_nan(None),
        low=pl.lit(None, dtype=pl.Float64),
        high=pl.lit(None, dtype=pl.Float64),
        cost=pl.lit(1.0),
        reason=told.new_from_index(0, doubts.height) if isinstance(reason, str) else told,
    )
    lines = lines[order].with_columns(rank=pl.int_range(1, doubts.height + 1, dtype=pl.Int64))
    about = {"name": table.name, "rows": table.n_rows, "columns": len(table.columns), "target": table.roles.target, "fingerprint": table.fingerprint}
    return Ranking(doubts=lines, budget=None, data=about, scoring="", strategy=strategy)
