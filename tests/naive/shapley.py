"""Shapley values from their definition: what a row adds, averaged over all orders of arrival."""

from itertools import permutations

import numpy as np


def average_gain(n, worth):
    """Shapley value of each of n players, by all orders of arrival; `worth` tells what a set is worth."""
    values, known = np.zeros(n), {}

    def of(players):
        key = frozenset(players)
        if key not in known:
            known[key] = worth(key)
        return known[key]

    arrivals = list(permutations(range(n)))
    for arrival in arrivals:
        for count, player in enumerate(arrival):
            values[player] += of(arrival[: count + 1]) - of(arrival[:count])
    return values / len(arrivals)


def vote_worth(utility, k):
    """What a set of ranks is worth: the utility of its k nearest, over k."""
    return lambda ranks: sum(float(utility[rank]) for rank in sorted(ranks)[:k]) / k


def rank_weights(n, k):
    """A row keeps its utility where it is among the k nearest of those that came before: 0, 1, ... of the nearer ones."""
    return np.array([0.0] + [sum(before < k for before in range(rank)) / rank / k for rank in range(1, n + 1)])


def vote_values(order, utility, weights, values):
    k = round(1 / weights[1])
    values[order] = average_gain(len(order), vote_worth(utility[order], k))


def nearest_values(utility, rest, n, k):
    """As if the others were equally useful; and how far a value is off at most, whoever of them is useful."""
    m, n_nearest = utility.shape
    values, bounds = np.empty((m, n_nearest)), np.empty(m)
    for point in range(m):
        n_others = n - n_nearest
        value = {}
        for name, others in {
            "even": [rest[point] / n_others] * n_others,
            "first": np.clip(rest[point] - np.arange(n_others), 0, 1),
            "last": np.clip(rest[point] - np.arange(n_others), 0, 1)[::-1],
        }.items():
            value[name] = average_gain(n, vote_worth([*utility[point], *others], k))[:n_nearest]
        values[point] = value["even"]
        # The bound is looser than the worst case: as if useful rows could be as near, or as far, as can be.
        share = rest[point] / n_others
        bounds[point] = max(share, 1 - share) * (1 / n_nearest - 1 / n)
        for name in ("first", "last"):
            assert np.abs(value[name] - value["even"]).max() <= bounds[point] + 1e-12
    return values, bounds


def target_values(order, targets, target, k, values):
    near = targets[order]

    def worth(ranks):
        return -((sum(near[rank] for rank in sorted(ranks)[:k]) / k - target) ** 2)

    values[order] = average_gain(len(order), worth)


def unit_order(order, units, n_units):
    nearest = {}
    for row in order.tolist():
        nearest.setdefault(int(units[row]), row)
    return np.array(list(nearest), np.int32), np.array([nearest[unit] for unit in range(n_units)], np.int32)


def add_values(values, total, squares):
    for row, value in enumerate(values):
        total[row] += value
        squares[row] += value**2


def scatter_values(rows, values, total, squares):
    for line, some in zip(rows.tolist(), values.tolist(), strict=True):
        for row, value in zip(line, some, strict=True):
            total[row] += value
            squares[row] += value**2
