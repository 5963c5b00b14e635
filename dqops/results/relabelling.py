"""What each other label would be worth, row by row."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.errors import OptionError
from dqops.results.valuation import Valuation


@dataclass(frozen=True, eq=False)
class Relabelling:
    """What giving each row each label would add to the target; positive where the change helps.

    Parameters
    ----------
    value : float64 (n, C)
        In `unit`; 0 at the label that the row has, NaN where a change could not be valued.
    classes : array (C,)
        Labels, sorted.
    given : int64 (n,)
        Position in `classes` of the label that each row has.
    method : str
    unit : str
    rows : polars.Series (n,) or None
        Row ids, where the rows came from a table.
    why : str

    Examples
    --------
    >>> gains = Relabelling(np.array([[0.0, 0.3], [-0.1, 0.0]]), np.array(["no", "yes"]), np.array([0, 1]), "influence", "log loss")
    >>> gains.best()[0].tolist()
    ['yes', 'no']
    >>> gains.valuation().value.tolist()
    [-0.3, 0.1]
    """

    value: np.ndarray
    classes: np.ndarray
    given: np.ndarray
    method: str
    unit: str
    rows: pl.Series | None = None
    why: str = ""

    def __post_init__(self):
        if np.shape(self.value) != (len(self.given), len(self.classes)):
            raise OptionError("value", np.shape(self.value), f"a line a row and a column a class, ({len(self.given)}, {len(self.classes)})")

    def __len__(self):
        return len(self.given)

    def best(self):
        """The other label that would help most (or hurt least) for each row, and what it would add: two arrays (n,)."""
        others = np.where(np.isnan(self.value), -np.inf, self.value)
        others[np.arange(len(self)), self.given] = -np.inf
        chosen = others.argmax(axis=1)
        gains = self.value[np.arange(len(self)), chosen]
        return self.classes[chosen], gains

    def valuation(self):
        """`Valuation` of the labels that the rows have: minus what the best other label would add."""
        return Valuation(-self.best()[1], None, self.method, self.unit, rows=self.rows, why=self.why)
