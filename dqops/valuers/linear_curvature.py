"""The curvature of a linear model's objective, and coordinates in which it is the identity."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh, lapack, solve_triangular

from dqops.errors import DataError

_IDLE = 1e-11  # an eigenvalue this small beside the largest, in columns of one length: nothing is learned along it
_POOR = 1e-10  # of the condition, below which eigenvalues are looked at one by one
WIDEST = 5000  # unknowns; a matrix of their square is kept several times


def data_curvature(rows, loss, responses, weights):
    """Sum of ``weight · curvature ⊗ row rowᵀ`` over the rows, float64 (m p, m p).

    O(n m² p²), one block of rows at a time.
    """
    grams = Grams(rows, loss)
    for taken, block in rows.blocks():
        grams.add(block, responses[taken], weights[taken])
    return loss.assembled(grams.totals)


class Grams:
    """Sums of weighted products of rows, one for each pair that the loss tells apart, block by block."""

    def __init__(self, rows, loss):
        self._rows, self._loss, self._room = rows, loss, np.empty((0, rows.width))
        self.totals = [np.zeros((rows.width, rows.width)) for _ in range(loss.n_pairs)]

    def add(self, block, responses, weights):
        """Count one block more."""
        if len(self._room) < len(block):
            self._room = np.empty((len(block), self._rows.width))
        for total, pair in zip(self.totals, self._loss.pair_weights(responses), strict=True):
            total += self._rows.gram(block, weights * pair, self._room)


def check_width(n_directions, width):
    """Refuse more unknowns than a dense matrix of their square should hold."""
    unknowns = n_directions * width
    if unknowns > WIDEST:
        size = unknowns**2 * 8 / 2**30
        raise DataError(
            f"the model has {unknowns} unknowns ({width} columns by {n_directions} directions), whose curvature takes {size:.1f} GiB",
            f"at most {WIDEST}: keep fewer columns, for example by sklearn.decomposition.TruncatedSVD",
        )


@dataclass(frozen=True, eq=False)
class Whitening:
    """A root of the inverse curvature: steps become plain there.

    Parameters
    ----------
    root : float64 (D, r)
        ``root rootᵀ`` is the inverse of the curvature, on all directions that the rows say anything about.
    idle : float64 (D, D - r)
        Directions along which nothing is learned; empty but for columns that repeat each other without a penalty.
    """

    root: np.ndarray
    idle: np.ndarray

    def solve(self, vector):
        """Inverse curvature times vector, float64 (D,)."""
        return self.root @ (self.root.T @ vector)

    def along(self, curvature):
        """The same coordinates turned so that another curvature is diagonal in them, and that diagonal.

        Parameters
        ----------
        curvature : float64 (D, D)
        """
        diagonal, turn = eigh(self.root.T @ curvature @ self.root)
        return Whitening(self.root @ turn, self.idle), diagonal


def whitening(curvature):
    """`Whitening` of a curvature, by Cholesky where it is well conditioned and by eigenvectors where it is not.

    >>> root = whitening(np.array([[4.0]])).root
    >>> root.tolist()
    [[0.5]]
    """
    lengths = np.sqrt(np.diag(curvature))
    lengths = np.where(lengths > 0, lengths, 1.0)
    even = curvature / lengths[:, None] / lengths
    factor, failed = lapack.dpotrf(even, lower=1, clean=1)
    if not failed and lapack.dpocon(factor, np.abs(even).sum(axis=0).max(), uplo="L")[0] > _POOR:
        root = solve_triangular(factor, np.eye(len(even)), lower=True, trans="T")
        return Whitening(root / lengths[:, None], np.empty((len(even), 0)))
    values, vectors = eigh(even)
    kept = values > _IDLE * max(values[-1], 1.0)
    if kept.all():
        return Whitening(vectors / np.sqrt(values) / lengths[:, None], np.empty((len(even), 0)))
    span = np.linalg.qr(vectors[:, kept] * lengths[:, None])[0]
    root = vectors[:, kept] / np.sqrt(values[kept]) / lengths[:, None]
    idle = np.linalg.qr(vectors[:, ~kept] / lengths[:, None])[0]
    return Whitening(span @ (span.T @ root), idle)
