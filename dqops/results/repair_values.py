"""What repairs of rows are worth to a model."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.errors import OptionError
from dqops.results.valuation import Valuation


@dataclass(frozen=True, eq=False)
class RepairValues(Valuation):
    """What each repair of a row is worth; positive where it helps.

    Parameters
    ----------
    value : float64 (count,)
        What the repaired row is worth less what the row is worth now, on average over the tables it may be part of. It
        ranks repairs: it is seldom 0.
    effect : float64 (count,) or None
        What the repair adds to the score of the whole table, all other rows as they are. It foretells the next score.
    effect_stderr : float64 (count,) or None

    Examples
    --------
    >>> gains = RepairValues(np.array([0.2, -0.1]), None, "knn", "accuracy", effect=np.array([0.0, -0.2]))
    >>> gains.best(1).tolist()
    [0]
    """

    effect: np.ndarray | None = None
    effect_stderr: np.ndarray | None = None

    def __post_init__(self):
        super().__post_init__()
        for name in ("effect", "effect_stderr"):
            given = getattr(self, name)
            if given is not None and len(given) != len(self.value):
                raise OptionError(name, len(given), f"one a repair, {len(self.value)} in all")

    def best(self, count=None):
        """Positions of the repairs that help most, best first; those without a value last, ties by position."""
        order = np.argsort(np.where(np.isnan(self.value), np.inf, -self.value), kind="stable")
        return order[:count]

    def to_frame(self):
        """One line a repair: row, value, stderr, effect, effect_stderr (null where there is none)."""
        empty = [None] * len(self)
        beside = {name: getattr(self, name) for name in ("effect", "effect_stderr")}
        return super().to_frame().with_columns(
            pl.Series(name, empty if given is None else given, dtype=pl.Float64) for name, given in beside.items()
        )
