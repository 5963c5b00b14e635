"""The strategy of dqops: what an answer is expected to gain for its cost."""

from dataclasses import dataclass, field

from dqops.contracts import Strategy
from dqops.strategies.doubtful_cells import doubts_of, lines_of
from dqops.strategies.order import ranked_doubts


@dataclass
class ExpectedGain(Strategy):
    """Doubts by expected gain: how surely a cell is wrong, times what such errors cost this model."""

    name = "dqops"
    told: dict = field(default_factory=dict, repr=False)

    def rank(self, table, model, holdout, rng):
        lines = lines_of(doubts_of(table, model, int(rng.integers(2**31)), rng), table)
        return ranked_doubts(self.name, table, lines.drop("score", "reason"), lines["score"].to_numpy(), lines["reason"].to_list())

    def tell(self, row, column, value):
        self.told[row, column] = value
        return self
