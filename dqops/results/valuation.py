"""What each row is worth to a model."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.errors import OptionError


@dataclass(frozen=True)
class Sampling:
    """How a sampled valuation came about.

    Parameters
    ----------
    stopped : str
        Why it stopped: "max_stderr", "agreement", "top", "budget", "constant" or "complete".
    samples : int
        Independent samples: pairs of permutations, subsets, or rows left out.
    trainings : int
        Models that were trained.
    failures : int
        Trainings that failed; such a subset has the null utility.
    degenerate : int
        Subsets without rows or with one class; such a subset has the null utility.
    truncated : float
        Share of the marginals that were taken for 0 since the score had come close to that of all rows.
    truncation : float
        How close that is; 0 for never.
    null : float
        Utility of a subset that no model can be trained on.
    full : float
        Utility of all rows.
    agreement : float
        Spearman correlation of the values from two halves of the samples; NaN where it is not defined.
    """

    stopped: str
    samples: int
    trainings: int
    failures: int
    degenerate: int
    truncated: float
    truncation: float
    null: float
    full: float
    agreement: float


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
    sampling : Sampling or None
        How it came about, where subsets of rows were sampled.

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
    sampling: Sampling | None = None

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
