"""Ask for rows at random."""

from dataclasses import dataclass

from dqops.contracts import Strategy
from dqops.strategies.order import ranked_rows


@dataclass
class Random(Strategy):
    """Rows in random order: what every other strategy has to beat."""

    name = "random"

    def rank(self, table, model, holdout, rng):
        return ranked_rows(self.name, table, rng.random(table.n_rows), "drawn at random")
