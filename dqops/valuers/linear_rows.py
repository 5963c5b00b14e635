"""Rows of a linear model, read in blocks: double precision, about a centre, with a column for the intercept."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from dqops.kernels.influence import weighted_gram

_BLOCK_BYTES = 2**20  # a block and its scaled copy stay in the cache of one core
_SAMPLED = 4096
_FAR = 10.0  # standard deviations from zero, beyond which sums of squares lose digits


@dataclass(frozen=True, eq=False)
class LinearRows:
    """Rows that are turned into float64 a block at a time, whatever they are kept as.

    The model's columns are those of the features less the centre, and a last one of ones for the intercept. A block is
    the bare features, dense and float64 (a view where they are so already); `times`, `gather` and `gram` add the rest.

    Parameters
    ----------
    features : array or scipy.sparse.csr_array (n, d)
        Numbers of any type; never copied as a whole.
    centre : float64 (d,) or (0,)
        Taken off every row, where it is not empty. Where the intercept is free that changes no prediction.
    has_intercept : bool
    """

    features: object
    centre: np.ndarray
    has_intercept: bool

    def __len__(self):
        return self.features.shape[0]

    @property
    def width(self):
        """Columns of the model, that of the intercept included."""
        return self.features.shape[1] + self.has_intercept

    def blocks(self, row_bytes=0):
        """(slice, block) from first to last; a block may overwrite the one before.

        Parameters
        ----------
        row_bytes : int, default 0
            What one row costs the caller, where that is more than the row itself.
        """
        length = max(64, _BLOCK_BYTES // max(8 * self.width, row_bytes, 1))
        for start in range(0, len(self), length):
            taken = slice(start, min(start + length, len(self)))
            yield taken, self.take(taken)

    def take(self, positions):
        """Some rows as one block, float64 (count, d)."""
        features = self.features[positions]
        return np.asarray(features.toarray() if sparse.issparse(features) else features, dtype=np.float64)

    def times(self, block, matrix):
        """The block's rows times a matrix (width, k): float64 (count, k)."""
        return block @ matrix[: block.shape[1]] + self.shift(matrix)

    def shift(self, matrix):
        """What the centre and the intercept add to each line of `times`, float64 (k,)."""
        width = self.features.shape[1]
        shift = matrix[width:].sum(axis=0)
        return shift - self.centre @ matrix[:width] if len(self.centre) else shift

    def gather(self, block, pulls):
        """Sum of ``pull ⊗ row`` over the block, float64 (k, width) for pulls (count, k)."""
        total, sums = pulls.T @ block, pulls.sum(axis=0)[:, None]
        if len(self.centre):
            total -= sums * self.centre
        return np.hstack([total, sums]) if self.has_intercept else total

    def gram(self, block, weights, room):
        """Sum of ``weight · row rowᵀ`` over the block, float64 (width, width)."""
        return weighted_gram(block, weights, self.centre, room[: len(block)])

    def like(self, features):
        """Other rows, about the same centre."""
        return LinearRows(features, self.centre, self.has_intercept)


def centred_rows(features, *, has_intercept, is_centred):
    """`LinearRows` about roughly their mean, where they lie far from zero and that is allowed.

    >>> rows = centred_rows(np.array([[99.0], [101.0]]), has_intercept=True, is_centred=True)
    >>> rows.times(rows.take(slice(2)), np.eye(2)).tolist()
    [[-1.0, 1.0], [1.0, 1.0]]
    """
    bare = LinearRows(features, np.empty(0), has_intercept)
    if not is_centred:
        return bare
    sample = bare.take(slice(None, None, max(1, len(bare) // _SAMPLED)))
    mean = sample.mean(axis=0)
    return LinearRows(features, mean, has_intercept) if (np.abs(mean) > _FAR * sample.std(axis=0)).any() else bare
