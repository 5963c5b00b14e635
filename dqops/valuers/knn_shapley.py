"""KNN-Shapley: what each row is worth to a vote of the k nearest, exactly."""

from functools import partial
from numbers import Integral, Real

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from dqops.errors import OptionError
from dqops.kernels.shapley import (
    add_values,
    nearest_values,
    rank_weights,
    scatter_values,
    target_values,
    unit_order,
    vote_values,
)
from dqops.results.valuation import Valuation
from dqops.valuers.arrays import check_memory, check_rows, coded_labels, feature_arrays
from dqops.valuers.holdout_parts import PART, mean_and_stderr, sum_over_holdout, worker_count
from dqops.valuers.nearest import nearest_of
from dqops.valuers.neighbours import TILE_BYTES, neighbours_of
from dqops.valuers.votes import NumberVotes, check_votes, votes_of

# Work that would hold more than this, beside the inputs, is refused.
MAX_BYTES = 2 << 30
# Holdout rows that are summed together in the truncated form.
_NEAREST_PART = 256


def knn_shapley(
    X, y, X_holdout, y_holdout, *, k=5, metric="euclidean", max_error=0.0, groups=None, task=None, classes=None, n_jobs=1, max_bytes=MAX_BYTES
):
    """What each training row is worth to the vote of the k nearest: exact Shapley values.

    A set of rows is worth, to a holdout row, the share of right votes among its k nearest rows, over k (an empty set
    is worth 0); for numbers, minus the squared error of their mean, where a set lacks rows of which the mean of all
    stands in. Values add up to the worth of all rows, less that of none, averaged over holdout rows. Positive: the
    row helps. Ties in distance go to the earlier row.

    Parameters
    ----------
    X : array-like (n, d)
        Numbers; frames and sparse matrices too. float32 is kept.
    y : array-like (n,) or (n, n_classes)
        Labels of any kind, numbers for a regression, or probabilities of classes.
    X_holdout, y_holdout : array-like (n_holdout, d) and (n_holdout,)
        Rows that training rows are judged by. Labels that training rows lack are legal: no vote is right.
    k : int, default 5
        Neighbours that vote, 1 or more; may exceed n.
    metric : {"euclidean", "cosine", "manhattan"}
    max_error : float, default 0
        No value may be off by more than this. Above 0, labels and probabilities take the truncated form, which looks at
        the ``max(k, 1 / max_error)`` nearest rows only and gives 0 to the others; `error_bound` tells what it came to.
        Where that would not be quicker (groups, regression, few rows) values are exact.
    groups : array-like (n,), optional
        Which source unit each row came from; units are valued instead of rows, and each has one vote, that of its
        nearest row. For k=1 that is exact for all rows of a unit.
    task : {"classification", "regression"}, optional
        Read from `y` where it is not given: numbers with a fractional part are a regression.
    classes : array-like (n_classes,), optional
        Labels of the columns of probabilities; where it is not given, the sorted labels beside them, or 0, 1, ...
    n_jobs : int, default 1
        Workers; -1 takes all cores. Values do not depend on it.
    max_bytes : int
        Refuse work that would hold more than this beside the inputs.

    Returns
    -------
    Valuation
        One value a row of `X`, or a unit of `groups` (sorted; `rows` names them), with its standard error over holdout
        rows (none for a single one).

    Raises
    ------
    DataError
        Where the arrays cannot be used, or the work does not fit.
    OptionError, UnknownNameError
        Where a setting cannot be.

    Notes
    -----
    O(n_holdout n (d + log n)) time; O(n) memory and a tile of at most 40 MB, plus one copy of `X` for cosine, and a
    single-precision one for the truncated form.

    References
    ----------
    Jia, Dao, Wang, Hubis, Gurel, Li, Zhang, Spanos, Song 2019, VLDB 12(11). doi:10.14778/3342263.3342637

    Examples
    --------
    >>> knn_shapley([[0.9], [0.0], [1.0]], [1, 0, 0], [[1.0], [0.0]], [1, 0], k=1).value.round(3).tolist()
    [0.167, 0.417, -0.083]
    """
    check_options(k, max_error)
    X, X_holdout = feature_arrays(X, X_holdout)
    votes = votes_of(y, y_holdout, task=task, classes=classes)
    check_votes(votes, len(X), len(X_holdout))
    units, names = _units(groups, len(X))
    n_jobs, n_nearest = worker_count(n_jobs), max(int(k), int(np.ceil(1 / max_error))) if max_error > 0 else len(X)
    is_exact = units is not None or isinstance(votes, NumberVotes) or 4 * n_nearest >= len(X)
    needed = exact_bytes(X, metric, n_jobs) if is_exact else _nearest_bytes(X, metric, n_jobs, n_nearest)
    check_memory(needed, max_bytes, f"knn_shapley of {len(X)} rows")
    with threadpool_limits(1, "blas"):
        near = neighbours_of(X, X_holdout, metric, by_sums=None if is_exact else True)
        if is_exact:
            total, squares, bound = sum_over_holdout(partial(_exact_part, near, votes, units, int(k)), len(X_holdout), PART, n_jobs)
        else:
            work = partial(_nearest_part, nearest_of(near), votes, votes.totals(), n_nearest, int(k))
            total, squares, bound = sum_over_holdout(work, len(X_holdout), _NEAREST_PART, n_jobs)
    value, stderr = mean_and_stderr(total, squares, len(X_holdout))
    rows = None if names is None else pl.Series("unit", names.tolist())
    return Valuation(value, stderr, "knn_shapley", votes.unit, float(bound) / len(X_holdout), rows)


def check_options(k, max_error=0.0):
    """Refuse a number of neighbours, or an error, that cannot be."""
    if isinstance(k, bool) or not isinstance(k, Integral) or k < 1:
        raise OptionError("k", k, "an integer of 1 or more")
    if isinstance(max_error, bool) or not isinstance(max_error, Real) or not 0 <= max_error < 1:
        raise OptionError("max_error", max_error, "a number of 0 or more, below 1")


def exact_bytes(X, metric, n_jobs):
    """About what finding whole orders holds beside the inputs."""
    n, d = X.shape
    worker = min(max(TILE_BYTES // n_jobs, 4 * 16 * n), 256 * 16 * n) + 7 * 8 * n
    return (n * d * 8 if metric == "cosine" else 0) + 5 * 8 * n + n_jobs * worker


def _nearest_bytes(X, metric, n_jobs, n_nearest):
    """About what finding the nearest holds beside the inputs."""
    n, d = X.shape
    worker = 2 * 8 * n + 8 * _NEAREST_PART * (4 * n_nearest + 1500)
    return (n * d * 8 if metric == "cosine" else 0) + 5 * 8 * n + 4 * n * (d + 4) + n_jobs * worker


def _exact_part(near, votes, units, k, start, stop, scratch):
    """Sums of values, and of their squares, over some holdout rows; exact."""
    n_units = len(near.X) if units is None else int(units.max()) + 1
    total, squares = np.zeros(n_units), np.zeros(n_units)
    values, weights = scratch.array("values", (n_units,), np.float64), rank_weights(n_units, k)
    for point, rows in enumerate(near.orders(np.arange(start, stop), scratch), start):
        worth = votes.targets if isinstance(votes, NumberVotes) else votes.utility(point)
        order = rows
        if units is not None:
            order, nearest = unit_order(rows, units, n_units)
            worth = worth[nearest]
        if isinstance(votes, NumberVotes):
            target_values(order, worth, votes.holdout[point], k, values)
        else:
            vote_values(order, worth, weights, values)
        add_values(values, total, squares)
    return total, squares, 0.0


def _nearest_part(near, votes, totals, n_nearest, k, start, stop, scratch):
    """Sums of values, and of their squares, over some holdout rows, of the nearest rows; and of the error bounds."""
    n = len(near.neighbours.X)
    rows = near.find(start, stop, n_nearest, scratch)
    worth = votes.listed_utility(start, rows)
    rest = np.clip(totals[start:stop] - worth.sum(axis=1), 0, n - n_nearest)
    values, bounds = nearest_values(worth, rest, n, k)
    total, squares = np.zeros(n), np.zeros(n)
    scatter_values(rows, values, total, squares)
    # A row that is not among the nearest has rank n_nearest + 1 or more, and no value is above one over its rank.
    return total, squares, np.maximum(bounds, 1 / (n_nearest + 1)).sum()


def _units(groups, n):
    """Unit of each row as a code, and the names of the units; None without groups."""
    if groups is None:
        return None, None
    units = coded_labels(groups, name="groups")
    check_rows(n, len(units.codes), "X", "groups")
    return units.codes, units.classes
