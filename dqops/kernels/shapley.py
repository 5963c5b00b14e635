"""Shapley values of k-nearest-neighbour votes, from the order of the rows."""

import numpy as np

from dqops.kernels import kernel


@kernel
def rank_weights(n, k):
    """What the row of each rank keeps of its own utility: ``min(k, rank) / (rank k)``.

    Returns
    -------
    float64 (n + 1,)
        By rank, which starts at 1; the first entry is 0.
    """
    weights = np.zeros(n + 1)
    for rank in range(1, n + 1):
        weights[rank] = min(k, rank) / (rank * k)
    return weights


@kernel
def vote_values(order, utility, weights, values):
    """Value of every row where a set is worth the utility of its k nearest rows, over k.

    Parameters
    ----------
    order : int32 (n,)
        Rows, nearest first.
    utility : bool or float64 (rows,)
        What the vote of each row is worth.
    weights : float64 (n + 1,)
        Of `rank_weights`, which knows k.
    values : float64 (rows,)
        Filled in by row; they add up to the utility of the k nearest of all, over k.

    References
    ----------
    Jia et al. 2019, VLDB 12(11), theorem 1. doi:10.14778/3342263.3342637
    """
    n = len(order)
    here = np.uint32(order[n - 1])  # an index without a sign need not be looked at from the end
    far = np.float64(utility[here])
    value = far * weights[n]
    values[here] = value
    for rank in range(n - 1, 0, -1):
        here = np.uint32(order[rank - 1])
        near = np.float64(utility[here])
        value += (near - far) * weights[rank]
        far = near
        values[here] = value


@kernel
def nearest_values(utility, rest, n, k):
    """Values of the nearest rows of all `n`, where of the others only the total utility is known.

    Parameters
    ----------
    utility : bool or float64 (m, n_nearest)
        Of the nearest to each holdout row, nearest first; k of them or more, and fewer than n.
    rest : float64 (m,)
        Total utility of the other rows, each in [0, 1].
    n, k : int

    Returns
    -------
    values : float64 (m, n_nearest)
        All values of a holdout row are off by one and the same amount, which is 0 where the others are equally useful.
    bounds : float64 (m,)
        The amounts are not larger than these.
    """
    m, n_nearest = utility.shape
    values, bounds = np.empty((m, n_nearest)), np.empty(m)
    weights = rank_weights(n_nearest, k)
    reach = 1.0 / n_nearest - 1.0 / n
    for point in range(m):
        share = rest[point] / (n - n_nearest)
        far = np.float64(utility[point, n_nearest - 1])
        value = far * weights[n_nearest] - share * reach
        values[point, n_nearest - 1] = value
        for rank in range(n_nearest - 1, 0, -1):
            near = np.float64(utility[point, rank - 1])
            value += (near - far) * weights[rank]
            far = near
            values[point, rank - 1] = value
        bounds[point] = max(share, 1.0 - share) * reach
    return values, bounds


@kernel
def target_values(order, targets, target, k, values):
    """Value of every row where a set is worth the squared error of the mean of its k nearest targets, negated.

    Targets are deviations from the mean that an empty set foretells; k nearest targets are added up and divided by k
    even where the set has fewer.

    Parameters
    ----------
    order : int32 (n,)
        Rows, nearest first.
    targets : float64 (n,)
        By row.
    target : float
        Of the holdout row.
    k : int
    values : float64 (n,)
        Filled in by row; they add up to ``target ** 2`` less the squared error of all rows.

    References
    ----------
    Jia et al. 2019, VLDB 12(11), theorem 6, with another utility of the empty set. doi:10.14778/3342263.3342637
    """
    n = len(order)
    before = np.zeros(n + 1)  # by rank: sum of the targets that are nearer
    for rank in range(1, n):
        before[rank + 1] = before[rank] + targets[order[rank - 1]]
    here = order[n - 1]
    last, most = targets[here], min(k, n)
    value = most / n * (2 * target * last / k - last * last / (k * k))
    if n > 1:
        value -= last / (k * k) * most * (most - 1) / (n * (n - 1.0)) * before[n]
    values[here] = value
    beyond = 0.0  # over farther ranks l: target * min(k, l - 1) * min(k - 1, l - 2) / ((l - 1) * (l - 2))
    for rank in range(n - 1, 0, -1):
        far = last
        here = order[rank - 1]
        last = targets[here]
        if rank + 2 <= n:
            beyond += targets[order[rank + 1]] * min(k, rank + 1) * min(k - 1, rank) / ((rank + 1.0) * rank)
        most = min(k, rank)
        mean = (most - 1) / (rank - 1.0) * before[rank] if rank > 1 else 0.0
        value += (far - last) / k * (most / rank * ((last + far + mean) / k - 2 * target) + beyond / k)
        values[here] = value


@kernel
def unit_order(order, units, n_units):
    """Units in the order of their nearest rows, where each row belongs to one.

    Parameters
    ----------
    order : int32 (n,)
        Rows, nearest first.
    units : int64 (n,)
        Unit of each row, in ``0 .. n_units - 1``; every unit has a row.
    n_units : int

    Returns
    -------
    found : int32 (n_units,)
        Units, nearest first.
    rows : int32 (n_units,)
        By unit, its nearest row.
    """
    found, rows = np.empty(n_units, np.int32), np.full(n_units, -1, np.int32)
    count = 0
    for row in order:
        if rows[units[row]] < 0:
            rows[units[row]] = row
            found[count] = units[row]
            count += 1
    return found, rows


@kernel
def add_values(values, total, squares):
    """Add values, and their squares, to what was summed so far.

    Parameters
    ----------
    values, total, squares : float64 (n,)
        The last two are changed.
    """
    for row in range(len(values)):
        total[row] += values[row]
        squares[row] += values[row] * values[row]


@kernel
def scatter_values(rows, values, total, squares):
    """Add values of listed rows, and their squares, to what was summed so far.

    Parameters
    ----------
    rows : int32 (m, count)
    values : float64 (m, count)
    total, squares : float64 (n,)
        Changed.
    """
    for point in range(len(rows)):
        for place in range(rows.shape[1]):
            value = values[point, place]
            total[rows[point, place]] += value
            squares[rows[point, place]] += value * value
