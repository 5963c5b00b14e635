"""Values without a holdout: each part of the rows judges the others."""

import numpy as np

from dqops.results.valuation import Valuation
from dqops.seeds import stream


def crossed_values(valuer, table, model, splits, seed, tell=None):
    """Mean value of each row over the splits that train on it; the rest judge.

    Parameters
    ----------
    valuer : Valuer
    table : Table
    model : Model
        Made ready for the table.
    splits : list of Split
    seed : int
    tell : callable, optional
        Told ``(done, total, what)``.

    Returns
    -------
    Valuation
        NaN for rows that no split trains on. Judges of different splits are different rows: the standard error of the
        mean is that of independent means, training rows being held fixed.
    """
    total, squares, times = np.zeros(table.n_rows), np.zeros(table.n_rows), np.zeros(table.n_rows, dtype=int)
    found = []
    for done, split in enumerate(splits):
        if tell is not None:
            tell(done, len(splits), "valuing rows")
        rng = stream(seed, f"appraise:{split.repeat}:{split.fold}")
        one = valuer.value(table.take(split.train), table.take(split.test), model, rng)
        valued = np.isfinite(one.value)
        total[split.train] += np.where(valued, one.value, 0.0)
        times[split.train] += valued
        squares[split.train] += np.nan if one.stderr is None else np.where(valued, np.nan_to_num(one.stderr) ** 2, 0.0)
        found.append(one)
    first = found[0]
    with np.errstate(invalid="ignore"):
        value, stderr = total / np.where(times, times, np.nan), np.sqrt(squares) / np.where(times, times, np.nan)
    bound = max(one.error_bound for one in found)
    stderr = None if all(one.stderr is None for one in found) else stderr
    return Valuation(value, stderr, first.method, first.unit, bound, table.row_ids, first.why)
