"""What the model is least sure of."""

from dataclasses import dataclass

import numpy as np

from dqops.contracts import Strategy
from dqops.models.targets import classes_of, target_values
from dqops.strategies.order import ranked_rows

_BAGS = 5


@dataclass
class Uncertainty(Strategy):
    """Rows that the model is least sure of: small margins of classes; for numbers, models on bags that disagree.

    References
    ----------
    Settles 2009, Active learning literature survey, University of Wisconsin-Madison, section 3.1.
    """

    name = "uncertainty"

    def rank(self, table, model, holdout, rng):
        return ranked_rows(self.name, table, _unsure(table, model, rng), "the model is unsure of it")


def _unsure(table, model, rng):
    """How unsure the model is of each row, float64 (n,)."""
    if model.task == "classification":
        fitted = model.fit(table, seed=int(rng.integers(2**31)), classes=classes_of(table))
        ordered = np.sort(fitted.probabilities(table), axis=1)
        return 1.0 - (ordered[:, -1] - ordered[:, -2])
    known = np.flatnonzero(target_values(table, model.task)[1])
    said = []
    for _ in range(_BAGS):
        bag = table.take(rng.choice(known, len(known)))
        said.append(model.fit(bag, seed=int(rng.integers(2**31))).predict(table))
    return np.std(said, axis=0)
