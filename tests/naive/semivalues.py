"""Semivalues by enumeration of all subsets and of all arrivals, for at most eight rows."""

from itertools import combinations, permutations

import numpy as np


def semivalue(utility, n_rows, weights):
    """Sum over sizes of the mean of what a row adds to subsets of that size, weighed by size."""
    values = np.zeros(n_rows)
    for row in range(n_rows):
        others = [one for one in range(n_rows) if one != row]
        for size in range(n_rows):
            added = [utility({*subset, row}) - utility(set(subset)) for subset in combinations(others, size)]
            values[row] += weights[size] * sum(added) / len(added)
    return values


def shapley(utility, n_rows):
    """Mean over all arrivals of what a row adds to those before it."""
    values, arrivals = np.zeros(n_rows), list(permutations(range(n_rows)))
    for arrival in arrivals:
        for place, row in enumerate(arrival):
            values[row] += (utility(set(arrival[: place + 1])) - utility(set(arrival[:place]))) / len(arrivals)
    return values


def banzhaf(utility, n_rows):
    """Mean over all subsets of the others of what a row adds to them."""
    values = np.zeros(n_rows)
    for row in range(n_rows):
        others = [one for one in range(n_rows) if one != row]
        subsets = [set(subset) for size in range(n_rows) for subset in combinations(others, size)]
        values[row] = sum(utility(subset | {row}) - utility(subset) for subset in subsets) / len(subsets)
    return values


def neighbour_vote(agrees, n_voters):
    """Utility of k-NN on one test row: right votes among the nearest of a subset, by `n_voters`; rows nearest first."""

    def utility(rows):
        return sum(agrees[row] for row in sorted(rows)[:n_voters]) / n_voters

    return utility
