"""How surely each label is wrong, by a panel of learners, and what should rather stand there."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.errors import OptionError


@dataclass(frozen=True, eq=False)
class NoisyRows:
    """How surely each label is wrong by a panel of learners, and what rather stands there.

    Parameters
    ----------
    wrong : float64 (n,)
        Probability that the given label is wrong; 0 for trusted rows.
    given, suggested : int64 (n,)
        Codes of the given label and of the likeliest other one.
    classes : array (C,)
        Labels behind the codes, sorted.
    noise : float64 (C, C)
        ``noise[c, g] = P(given g | true c)``, as estimated.
    parts : dict of str to float64 (n,)
        What each learner alone says: probability of the given label, of learners that did not learn from the row.
    weights : dict of str to float
        Weight of each learner in the last round.
    trusted : bool (n,)
        Rows whose label was said to be true.
    """

    wrong: np.ndarray
    given: np.ndarray
    suggested: np.ndarray
    classes: np.ndarray
    noise: np.ndarray
    parts: dict[str, np.ndarray]
    weights: dict[str, float]
    trusted: np.ndarray

    def __post_init__(self):
        for name in ("given", "suggested", "trusted"):
            if len(getattr(self, name)) != len(self.wrong):
                raise OptionError(name, len(getattr(self, name)), f"one a row, {len(self.wrong)} in all")

    def __len__(self):
        return len(self.wrong)

    @property
    def rate(self):
        """Estimated share of wrong labels among the rows that are not trusted."""
        others = self.wrong[~self.trusted]
        return float(others.mean()) if len(others) else 0.0

    def worst(self, count=None):
        """Positions of the rows whose label is most surely wrong, worst first; ties by position."""
        return np.argsort(-self.wrong, kind="stable")[:count]

    def to_frame(self):
        """One line a row, in the order of the rows: row, given, suggested, wrong."""
        names = pl.Series(list(self.classes))
        return pl.DataFrame([
            pl.Series("row", np.arange(len(self)), dtype=pl.Int64),
            names.gather(self.given).alias("given"),
            names.gather(self.suggested).alias("suggested"),
            pl.Series("wrong", self.wrong),
        ])  # fmt: skip

    def __str__(self):
        surely = int((self.wrong >= 0.5).sum())
        return f"{surely} of {len(self)} labels are probably wrong; about {self.rate:.1%} of those not trusted are"
