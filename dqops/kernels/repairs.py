"""What repairing a row is worth to a vote of the k nearest, for one holdout row."""

import numpy as np

from dqops.kernels import kernel
from dqops.kernels.distances import listed_distances


@kernel
def ranks_of(order, ranks):
    """Rank of each row, from 1 for the nearest.

    Parameters
    ----------
    order : int32 (n,)
        Rows, nearest first.
    ranks : int32 (n,)
        Filled in by row.
    """
    for place in range(len(order)):
        ranks[order[place]] = place + 1


@kernel
def moved_ranks(order, ranks, X, point, metric, rows, distances):
    """Rank that each listed row would take among all rows if it moved.

    Parameters
    ----------
    order, ranks : int32 (n,)
        Rows, nearest first, and their ranks.
    X : float32 or float64 (n, d)
    point : float64 (d,)
    metric : int
        Of `dqops.kernels.distances`.
    rows : int64 (count,)
    distances : float64 (count,)
        From the point, after the move; ties go to the lower row, as ever.

    Returns
    -------
    int64 (count,)
        O(log n) distances each.
    """
    found = np.empty(len(rows), np.int64)
    for move in range(len(rows)):
        low, high = 0, len(order)
        while low < high:
            middle = (low + high) // 2
            there = listed_distances(X, order[middle : middle + 1], point, metric)[0]
            if there < distances[move] or (there == distances[move] and order[middle] < rows[move]):
                low = middle + 1
            else:
                high = middle
        found[move] = low + 1 - (ranks[rows[move]] <= low)
    return found


@kernel
def repair_gains(order, ranks, utility, weights, k, rows, new_ranks, new_utility, gains, effects):
    """What a row is worth after its repair less what it is worth now, and what the whole table gains at once.

    Parameters
    ----------
    order, ranks : int32 (n,)
        Rows, nearest first, and their ranks.
    utility : bool or float64 (n,)
        What the vote of each row is worth.
    weights : float64 (n + 1,)
        Of `dqops.kernels.shapley.rank_weights`.
    k : int
    rows : int64 (count,)
        Rows that are repaired, one at a time; a row may come again.
    new_ranks : int64 (count,)
        After the repair, among all n rows.
    new_utility : bool or float64 (count,)
    gains : float64 (count,)
        Filled in: the change of the row's Shapley value.
    effects : float64 (count,)
        Filled in: the change of the utility of the k nearest of all rows, over k.
    """
    n = len(order)
    # By rank r: the sum over ranks r .. n - 1 of their utility, and of the utility one rank farther, times the fall of the
    # weight there; and the sum of utility up to r.
    here, beyond, up_to = np.zeros(n + 2), np.zeros(n + 2), np.zeros(n + 1)
    for rank in range(n - 1, 0, -1):
        fall = weights[rank] - weights[rank + 1]
        here[rank] = here[rank + 1] + np.float64(utility[order[rank - 1]]) * fall
        beyond[rank] = beyond[rank + 1] + np.float64(utility[order[rank]]) * fall
    for rank in range(1, n + 1):
        up_to[rank] = up_to[rank - 1] + np.float64(utility[order[rank - 1]])
    for repair in range(len(rows)):
        old, new = ranks[rows[repair]], new_ranks[repair]
        before, after = np.float64(utility[rows[repair]]), np.float64(new_utility[repair])
        tail = beyond[new] if new >= old else here[new] - here[old] + beyond[old]
        gains[repair] = weights[new] * after - tail - (weights[old] * before - beyond[old])
        n_others = min(k - 1 if new <= k else k, n - 1)
        others = up_to[n_others] if n_others < old else up_to[n_others + 1] - before
        effects[repair] = (others + (after if new <= k else 0.0) - up_to[min(k, n)]) / k
