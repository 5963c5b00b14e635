"""A ranking: which doubts to resolve first, what each is expected to gain, and what it costs."""

import json
from dataclasses import dataclass, replace
from importlib import import_module

import numpy as np
import polars as pl

from dqops.errors import OptionError
from dqops.results.gain import Estimate

COLUMNS = {
    "rank": pl.Int64,
    "row": None,
    "column": pl.String,
    "kind": pl.String,
    "gain": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "cost": pl.Float64,
    "reason": pl.String,
}


@dataclass(frozen=True, eq=False)
class Ranking:
    """Doubts in the order in which they are worth resolving.

    Parameters
    ----------
    doubts : polars.DataFrame
        One line a doubt, best first: rank (from 1), row (id), column (null for whole rows), kind (several joined by
        ``+`` where they doubt one cell), gain, low, high (score units, if a person tells the truth), cost, reason.
    budget : float or None
        Doubts beyond it are not in the ranking.
    data : dict
        Name, rows, columns, target and fingerprint of the table.
    scoring : str
    strategy : str
        Of any but "dqops" the gains are in the strategy's own unit, and have no interval: an order, not a forecast.
    risk : {"mean", "lower", "upper"}
        Which end of the interval ranks.
    shared : float
        Share of the summed gains that is expected when all are resolved together, in (0, 1]: gains overlap.
    level : float
    setup : dict
        Cost that is paid once: by column or kind.
    left_out : int
        Doubts that the budget does not reach or that cannot gain.
    warnings : tuple of str
    """

    doubts: pl.DataFrame
    budget: float | None
    data: dict
    scoring: str
    strategy: str = "dqops"
    risk: str = "mean"
    shared: float = 1.0
    level: float = 0.9
    setup: dict | None = None
    left_out: int = 0
    warnings: tuple[str, ...] = ()

    def __post_init__(self):
        absent = [name for name in COLUMNS if name not in self.doubts.columns]
        if absent:
            raise OptionError("doubts", self.doubts.columns, f"the columns {', '.join(COLUMNS)}; {', '.join(absent)} is missing")

    def __len__(self):
        return self.doubts.height

    def __str__(self):
        return import_module("dqops.reports.ranking").render(self)

    @property
    def forecasts(self):
        """Whether gains are forecasts of the score; else they are an order, in the strategy's own unit, without intervals."""
        return not self.doubts["low"].has_nulls()

    def to_frame(self):
        """One line a doubt: rank, row, column, kind, gain, low, high, cost, reason."""
        return self.doubts.select(list(COLUMNS))

    def head(self, count):
        """The ranking of the first doubts alone."""
        return replace(self, doubts=self.doubts.head(count), left_out=self.left_out + max(len(self) - count, 0))

    def costs(self):
        """Money spent after each doubt, set-up costs at the first of their column or kind, float64 (n,)."""
        spent, paid = [], set()
        for column, kind, cost in self.doubts.select("column", "kind", "cost").iter_rows():
            due = [name for name in (column, *kind.split("+")) if name in (self.setup or {}) and name not in paid]
            paid.update(due)
            spent.append(cost + sum(self.setup[name] for name in due))
        return np.cumsum(spent) if spent else np.zeros(0)

    def curve(self):
        """Expected gain against money spent, before anything is cleaned: spent, expected, low, high; one line a doubt."""
        low, expected, high = (self.doubts[name].to_numpy() for name in ("low", "gain", "high"))
        # Cells of one group err together: their half widths add up, not their squares.
        total = self.shared * np.cumsum(expected)
        return pl.DataFrame(
            {
                "spent": self.costs(),
                "expected": total,
                "low": total - self.shared * np.cumsum(expected - low),
                "high": total + self.shared * np.cumsum(high - expected),
            }
        )

    def next(self, answers):
        """Expected gain of the next so many answers, as `Estimate`."""
        if not self.forecasts:
            raise OptionError("strategy", self.strategy, "one that forecasts gains, such as 'dqops', to say what answers are worth")
        if not len(self):
            return Estimate(0.0, 0.0, 0.0, self.level)
        line = self.curve().row(min(answers, len(self)) - 1, named=True)
        return Estimate(line["expected"], line["low"], line["high"], self.level)

    def worth(self, price, answers=100):
        """Whether the next answers pay: ``True`` where the upper end of their gain times `price` exceeds their cost.

        Parameters
        ----------
        price : float
            What one unit of score is worth, in the unit of the costs; more than 0.
        answers : int
        """
        if not price > 0:
            raise OptionError("price", price, "what one unit of score is worth, more than 0")
        if not len(self):
            return False
        spent = self.costs()[min(answers, len(self)) - 1]
        return bool(self.next(answers).high * price > spent)

    def to_dict(self):
        """As the JSON has it."""
        return {
            "schema_version": 1,
            "data": self.data,
            "scoring": self.scoring,
            "strategy": self.strategy,
            "risk": self.risk,
            "budget": self.budget,
            "shared": self.shared,
            "level": self.level,
            "setup": self.setup,
            "left_out": self.left_out,
            "doubts": self.to_frame().to_dicts(),
            "warnings": list(self.warnings),
        }

    def to_json(self):
        """JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, default=str) + "\n"
