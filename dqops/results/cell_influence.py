"""How the target moves with each cell of the training rows."""

from dataclasses import dataclass

import numpy as np

from dqops.errors import DataError, OptionError

_LARGEST = 2**30


@dataclass(frozen=True, eq=False)
class CellInfluence:
    """What one unit more in each cell would add to the target, kept as two thin factors.

    Cells are those of the matrix that the linear model sees: behind a pipeline, its transformed columns.

    Parameters
    ----------
    left : float64 (n, r)
    right : float64 (r, d)
        ``left @ right`` is the matrix of derivatives after refitting; positive where a larger cell would help.
    label_slope : float64 (n,) or None
        The same for the target column, where it holds numbers.
    method : str
    unit : str
        Of the target, by unit of the cell.
    columns : tuple of str
        Names of the d columns, where they have any.
    why : str

    Examples
    --------
    >>> cells = CellInfluence(np.array([[1.0], [2.0]]), np.array([[3.0, 0.0]]), None, "influence", "log loss")
    >>> cells.matrix().tolist()
    [[3.0, 0.0], [6.0, 0.0]]
    >>> cells.gains([1], [0], [0.5]).tolist()
    [3.0]
    """

    left: np.ndarray
    right: np.ndarray
    label_slope: np.ndarray | None
    method: str
    unit: str
    columns: tuple[str, ...] = ()
    why: str = ""

    def __post_init__(self):
        if np.ndim(self.left) != 2 or np.ndim(self.right) != 2 or self.left.shape[1] != self.right.shape[0]:
            raise OptionError("right", np.shape(self.right), f"a line for each column of left, {np.shape(self.left)}")

    @property
    def shape(self):
        """(rows, columns) of the matrix."""
        return self.left.shape[0], self.right.shape[1]

    def matrix(self, max_bytes=_LARGEST):
        """All derivatives at once, float64 (n, d).

        Raises
        ------
        DataError
            Before more than `max_bytes` are taken.
        """
        size = 8 * self.shape[0] * self.shape[1]
        if size > max_bytes:
            raise DataError(f"the matrix of {self.shape[0]} x {self.shape[1]} cells takes {size / 2**30:.1f} GiB", f"at most {max_bytes / 2**30:.1f} GiB, or slopes() of some cells")
        return self.left @ self.right

    def slopes(self, rows, columns):
        """Derivatives of single cells, float64 (count,).

        Parameters
        ----------
        rows, columns : int64 (count,)
            Positions.
        """
        return np.einsum("cr,rc->c", self.left[rows], self.right[:, columns])

    def gains(self, rows, columns, changes):
        """What changing single cells by so much would add, to first order, float64 (count,).

        Parameters
        ----------
        rows, columns : int64 (count,)
            Positions; a cell may come again, for another candidate.
        changes : float64 (count,)
            Candidate less current value. The expected gain of a doubt is that of its expected change.
        """
        return self.slopes(rows, columns) * np.asarray(changes, dtype=np.float64)
