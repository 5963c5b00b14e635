"""What each row is worth to a model."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.errors import OptionError


@dataclass(frozen=True, eq=False)
class Valuation:
    """What each row is worth to a model; positive where the row helps.

    Parameters
    ----------
    value : float64 (n,)
        In `unit`; NaN where a row could not be valued.
    stderr : float64 (n,) or None
        Standard error of each value; None where the method has none.
    method : str
        Name of the valuer, such as "knn_shapley".
    unit : str
        What one unit of value is, such as "accuracy".
    error_bound : float
        No value is off by more than this beside its standard error; 0 where the method is exact for its definition.
    rows : polars.Series (n,) or None
        Row ids, where the rows came from a table.
    why : str
        Which method was taken and why, where it was chosen for the user.

    Examples
    --------
    >>> worth = Valuation(np.array([0.2, -0.1]), None, "knn_shapley", "accuracy")
    >>> worth.worst(1).tolist()
    [1]
    """

    value: np.ndarray
    stderr: np.ndarray | None
    method: str
    unit: str
    error_bound: float = 0.0
    rows: pl.Series | None = None
    why: str = ""

    def __post_init__(self):
        if np.ndim(self.value) != 1:
            raise OptionError("value", np.shape(self.value), "one value a row")
        for name in ("stderr", "rows"):
            given = getattr(self, name)
            if given is not None and len(given) != len(self.value):
                raise OptionError(name, len(given), f"one a row, {len(self.value)} in all")

    def __len__(self):
        return len(self.value)

    def worst(self, count=None):
        """Positions of the rows that help least, worst first; rows without a value last, ties by position."""
        order = np.argsort(np.where(np.isnan(self.value), np.inf, self.value), kind="stable")
        return order[:count]

    def to_frame(self):
        """One line a row, in the order of the rows: row, value, stderr (null where there is none)."""
        rows = pl.Series("row", np.arange(len(self)), dtype=pl.Int64) if self.rows is None else self.rows.alias("row")
        stderr = pl.Series("stderr", [None] * len(self), dtype=pl.Float64) if self.stderr is None else pl.Series("stderr", self.stderr)
        return pl.DataFrame([rows, pl.Series("value", self.value), stderr])
