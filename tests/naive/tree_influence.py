"""Influence in trees whose splits are held, from its definition: leaves worked out again, votes counted one by one."""

import numpy as np


def boosted_leaves(leaf, gradient, hessian, pull, held, learning_rate, l2):
    def says(rows):
        bend = sum(hessian[row] for row in rows) + l2
        return -learning_rate * sum(gradient[row] for row in rows) / bend if rows and bend > 0 else 0.0

    said, strength, removal = np.zeros(len(held)), np.zeros(len(held)), np.zeros(len(leaf))
    for place in range(len(held)):
        rows = [row for row in range(len(leaf)) if leaf[row] == place]
        wanted = held[place] + sum(pull[row] for row in rows)
        bend = sum(hessian[row] for row in rows) + l2
        said[place] = says(rows)
        strength[place] = learning_rate * wanted / bend if bend > 0 else 0.0
        for row in rows:
            removal[row] = wanted * (says([other for other in rows if other != row]) - said[place])
    return said, strength, removal


def forest_leaves(leaf, weight, outcome, held, said):
    share, removal = np.zeros(len(leaf)), np.zeros(len(leaf))
    for row in range(len(leaf)):
        total = sum(weight[other] for other in range(len(leaf)) if leaf[other] == leaf[row])
        share[row] = weight[row] / total if total > 0 else 0.0
        removal[row] = share[row] * (said[leaf[row]] - held[leaf[row]] @ outcome[row])
    return share, removal


def boosted_scores(leaves, held_leaves, derivatives, first, weights, learning_rate, l2):
    """Holdout scores of an ensemble with these splits, its leaves taught anew from the first tree on, float64 (n_holdout, c).

    Parameters
    ----------
    leaves, held_leaves : sequence of int (n, c), (n_holdout, c)
        By iteration.
    derivatives : callable
        ``f(scores) -> gradients, hessians``, float64 (n, c) each.
    first : float64 (c,)
    """
    scores = np.tile(first, (len(weights), 1)).astype(np.float64)
    held = np.tile(first, (len(held_leaves[0]), 1)).astype(np.float64)
    for numbers, held_numbers in zip(leaves, held_leaves, strict=True):
        gradients, hessians = derivatives(scores)
        for score in range(scores.shape[1]):
            n_leaves = int(numbers[:, score].max()) + 1
            if n_leaves == 1:
                continue
            for place in range(n_leaves):
                inside = numbers[:, score] == place
                bend = np.sum(weights[inside] * hessians[inside, score]) + l2
                value = -learning_rate * np.sum(weights[inside] * gradients[inside, score]) / bend if bend > 0 else 0.0
                scores[inside, score] += value
                held[held_numbers[:, score] == place, score] += value
    return held


def forest_votes(leaves, held_leaves, weights):
    """Share of each training row in the prediction of each holdout row, float64 (n_holdout, n).

    Parameters
    ----------
    leaves, held_leaves : int (n, n_trees), (n_holdout, n_trees)
    weights : float64 (n, n_trees)
    """
    votes = np.zeros((len(held_leaves), len(leaves)))
    for tree in range(leaves.shape[1]):
        for one, place in enumerate(held_leaves[:, tree]):
            inside = leaves[:, tree] == place
            votes[one, inside] += weights[inside, tree] / weights[inside, tree].sum() / leaves.shape[1]
    return votes
