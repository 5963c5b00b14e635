"""Repairs from their definition: the game is played over all orders of arrival, before and after."""

import numpy as np
from naive.distances import listed_distances
from naive.shapley import average_gain, vote_worth


def ranks_of(order, ranks):
    for row in range(len(order)):
        ranks[row] = order.tolist().index(row) + 1


def moved_ranks(order, ranks, X, point, metric, rows, distances):
    near = listed_distances(X, range(len(X)), point, metric)
    found = []
    for row, distance in zip(rows, distances, strict=True):
        moved = near.copy()
        moved[row] = distance
        found.append(sorted(range(len(X)), key=lambda one, moved=moved: (moved[one], one)).index(row) + 1)
    return np.array(found)


def repair_gains(order, ranks, utility, weights, k, rows, new_ranks, new_utility, gains, effects):
    n = len(order)

    def played(near, rank):
        worth = vote_worth(near, k)
        return average_gain(n, worth)[rank - 1], worth(range(n))

    now = [float(utility[row]) for row in order]
    for repair, row in enumerate(rows):
        moved = [one for place, one in enumerate(now) if order[place] != row]
        moved.insert(new_ranks[repair] - 1, float(new_utility[repair]))
        value, whole = played(moved, new_ranks[repair])
        value_now, whole_now = played(now, ranks[row])
        gains[repair], effects[repair] = value - value_now, whole - whole_now
