"""Votes in worlds, from the definition: every table sorted anew, every outcome of the votes listed."""

from itertools import product

import numpy as np


def nearest_in_world(order, distances, gone, rows, away, k):
    nearest = np.full((len(order), k), -1, dtype=np.int64)
    for test in range(len(order)):
        held = [(distances[test, row], row) for row in range(order.shape[1]) if not gone[row]]
        held += [(away[test, one], row) for one, row in enumerate(rows)]
        for place, (_, row) in enumerate(sorted(held)[:k]):
            nearest[test, place] = row
    return nearest


def vote_chances(votes, most):
    n_tests, k, n_classes = votes.shape
    chances = np.zeros((n_tests, n_classes))
    for test in range(n_tests):
        n_present = int((votes[test].max(axis=0) > 0).sum())
        if (k + 1) ** max(n_present - 1, 0) > most:
            chances[test] = -1.0
            continue
        for outcome in product(range(n_classes), repeat=k):
            chance = np.prod([votes[test, vote, label] for vote, label in enumerate(outcome)])
            chances[test, np.argmax(np.bincount(outcome, minlength=n_classes))] += chance
    return chances
