"""The two losses of linear models: what they say of a score, how they slope and how they bend.

A model with C classes has C - 1 free directions: adding one number to all its scores changes nothing. `basis` leads from
the directions (m of them) to the scores of the classes, so that the curvature has no idle direction. A ridge model has
one direction, its prediction.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import helmert
from scipy.special import expit, log_softmax, softmax


@dataclass(frozen=True)
class SquaredLoss:
    """Half the squared distance to the target, as `sklearn.linear_model.Ridge` counts it."""

    unit = "squared error"
    scale = 2.0  # of the loss that is reported, in units of the one that is minimised
    n_directions = 1
    n_pairs = 1
    bends = False  # its curvature is the same everywhere

    def responses(self, scores):
        """What the model says: float64 (n, 1)."""
        return scores

    def slopes(self, responses, targets):
        """Derivative by the score, float64 (n, 1)."""
        return responses - targets[:, None]

    def curvatures(self, responses):
        """Second derivative by the score, float64 (n, 1, 1)."""
        return np.ones((len(responses), 1, 1))

    def losses(self, scores, targets):
        """float64 (n,)."""
        return 0.5 * (scores[:, 0] - targets) ** 2

    def pair_weights(self, responses):
        """Weights of the Gram matrices that the curvature is made of, a sequence of float64 (n,)."""
        return [np.ones(len(responses))]

    def assembled(self, grams):
        """Curvature in all directions at once, float64 (p, p)."""
        return grams[0]

    def shown(self, scores):
        """Scores as a user knows them: float64 (n,)."""
        return scores[:, 0]

    def shown_slopes(self, slopes):
        """Slopes by what is shown, turned into slopes by the directions, float64 (n, 1)."""
        return slopes[:, None]


@dataclass(frozen=True, eq=False)
class LogLoss:
    """Minus the logarithm of the probability of the given class.

    Parameters
    ----------
    basis : float64 (C, m)
        From directions to the scores of the classes.
    """

    basis: np.ndarray

    unit = "log loss"
    scale = 1.0
    bends = True

    @property
    def n_directions(self):
        return self.basis.shape[1]

    @property
    def n_pairs(self):
        """Gram matrices that its curvature is made of."""
        return len(self._pairs())

    @property
    def is_binary(self):
        return len(self.basis) == 2

    def responses(self, scores):
        """Probabilities of the classes, float64 (n, C)."""
        if self.is_binary:
            return np.column_stack([expit(-scores[:, 0]), expit(scores[:, 0])])
        return softmax(scores @ self.basis.T, axis=1)

    def slopes(self, responses, targets):
        """Derivative by the directions, float64 (n, m)."""
        if self.is_binary:
            return np.where(targets == 1, -responses[:, 0], responses[:, 1])[:, None]
        return responses @ self.basis - self.basis[targets]

    def curvatures(self, responses):
        """Second derivative by the directions, float64 (n, m, m)."""
        if self.is_binary:
            return (responses[:, 0] * responses[:, 1])[:, None, None]
        spread = responses @ self.basis
        return np.einsum("nc,ca,cb->nab", responses, self.basis, self.basis, optimize=True) - spread[:, :, None] * spread[:, None, :]

    def losses(self, scores, targets):
        """float64 (n,)."""
        if self.is_binary:
            return np.logaddexp(0.0, np.where(targets == 1, -scores[:, 0], scores[:, 0]))
        return -log_softmax(scores @ self.basis.T, axis=1)[np.arange(len(scores)), targets]

    def pair_weights(self, responses):
        """One for each pair of classes, their probabilities multiplied; every one of them is 0 or more.

        The curvature of softmax, ``diag p - p pᵀ``, is the Laplacian of a graph with these weights: what stands on its
        diagonal is the sum of what stands beside it.
        """
        return [responses[:, one] * responses[:, other] for one, other in self._pairs()]

    def assembled(self, grams):
        """Curvature in all directions at once, float64 (m p, m p), direction by direction."""
        if self.is_binary:
            return grams[0]
        width = grams[0].shape[0]
        total = np.zeros((self.n_directions, width, self.n_directions, width))
        for (one, other), gram in zip(self._pairs(), grams, strict=True):
            edge = self.basis[one] - self.basis[other]
            total += edge[:, None, None, None] * edge[None, None, :, None] * gram[None, :, None, :]
        return total.reshape(self.n_directions * width, -1)

    def shown(self, scores):
        """Scores as a user knows them: float64 (n,) for two classes, (n, C) for more."""
        return scores[:, 0] if self.is_binary else scores @ self.basis.T

    def shown_slopes(self, slopes):
        """Slopes by what is shown, turned into slopes by the directions, float64 (n, m)."""
        return slopes[:, None] if self.is_binary else slopes @ self.basis

    def _pairs(self):
        return [(one, other) for one in range(len(self.basis)) for other in range(one)]


def log_loss(n_classes):
    """The `LogLoss` of so many classes; the basis keeps lengths, so that a ridge in it is a ridge on all classes.

    >>> log_loss(2).basis.tolist()
    [[0.0], [1.0]]
    >>> bool(np.allclose(log_loss(3).basis.sum(axis=0), 0))
    True
    """
    return LogLoss(np.array([[0.0], [1.0]]) if n_classes == 2 else helmert(n_classes).T.copy())
