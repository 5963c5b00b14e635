"""The arithmetic of influence in trees whose splits are held: sums by leaf, and what is said without a row."""

import numpy as np

from dqops.kernels import kernel

_EMPTY = 1e-12  # of a leaf's curvature: what is left when its last row leaves


@kernel
def boosted_leaves(leaf, gradient, hessian, pull, held, learning_rate, l2):
    """What one boosted tree's leaves say, how much that matters, and how it changes without each row.

    A leaf says ``-learning_rate · Σ gradient / (Σ hessian + l2)``.

    Parameters
    ----------
    leaf : uint8, uint16 or int32 (n,)
        Leaf of each training row.
    gradient, hessian : float64 (n,)
        Of each row's loss by its score before this tree, weights included; hessian 0 or more.
    pull : float64 (n,)
        Derivative of the target by each training row's score after this tree.
    held : float64 (n_leaves,)
        The same, summed over the holdout rows in each leaf.
    learning_rate, l2 : float

    Returns
    -------
    said : float64 (n_leaves,)
    strength : float64 (n_leaves,)
        Rise of the target by unit of gradient taken off the leaf: ``learning_rate · pull / (Σ hessian + l2)``.
    removal : float64 (n,)
        Rise of the target when the leaf says what it would without the row; an emptied leaf says nothing.

    Notes
    -----
    O(n + n_leaves).
    """
    n_leaves = len(held)
    slope, bend, wanted = np.zeros(n_leaves), np.zeros(n_leaves), held.copy()
    for row in range(len(leaf)):
        place = leaf[row]
        slope[place] += gradient[row]
        bend[place] += hessian[row]
        wanted[place] += pull[row]
    said, strength = np.zeros(n_leaves), np.zeros(n_leaves)
    for place in range(n_leaves):
        if bend[place] + l2 > 0:
            said[place] = -learning_rate * slope[place] / (bend[place] + l2)
            strength[place] = learning_rate * wanted[place] / (bend[place] + l2)
    removal = np.empty(len(leaf))
    for row in range(len(leaf)):
        place = leaf[row]
        left = bend[place] - hessian[row]
        if left <= _EMPTY * bend[place]:
            removal[row] = -wanted[place] * said[place]
        else:
            removal[row] = wanted[place] * (learning_rate * gradient[row] + hessian[row] * said[place]) / (left + l2)
    return said, strength, removal


@kernel
def forest_leaves(leaf, weight, outcome, held, said):
    """How the target rises when each row's vote in one tree goes to the whole forest instead.

    Parameters
    ----------
    leaf : int64 (n,)
        Leaf of each training row, 0 to n_leaves - 1.
    weight : float64 (n,)
        How often a row was drawn for the tree, times its weight; 0 where it was not.
    outcome : float64 (n, c)
        What a row says: numbers, or classes one-hot.
    held : float64 (n_leaves, c)
        Derivative of the target by the predictions of the holdout rows, summed over those in each leaf.
    said : float64 (n_leaves,)
        The same, each times the prediction of its row.

    Returns
    -------
    share : float64 (n,)
        Of its leaf's votes that each row has.
    removal : float64 (n,)

    Notes
    -----
    O(n c + n_leaves).
    """
    total = np.zeros(len(said))
    for row in range(len(leaf)):
        total[leaf[row]] += weight[row]
    share, removal = np.zeros(len(leaf)), np.zeros(len(leaf))
    for row in range(len(leaf)):
        place = leaf[row]
        if weight[row] > 0:
            share[row] = weight[row] / total[place]
            rise = said[place]
            for one in range(outcome.shape[1]):
                rise -= held[place, one] * outcome[row, one]
            removal[row] = share[row] * rise
    return share, removal
