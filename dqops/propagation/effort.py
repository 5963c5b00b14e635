"""How much work a price is worth."""

from dataclasses import dataclass

FOLDS = 5


@dataclass(frozen=True)
class Effort:
    """How much work a price is worth.

    Parameters
    ----------
    rows : int
        Most rows that are priced; larger tables are sampled, and the audit says so.
    fits : int
        About how many times the model is fitted; more often where that is cheap, see `dqops.propagation.affordable`.
    screened : int
        Splits on which the repairs of a finding compete, 2 or more.
    rounds : int
        Most repeats of five folds on which a winner is measured.
    twins : int
        Splits on which dirt is planted to learn what the truth would gain; two fits each.
    planted : int
        Findings whose dirt is planted.
    """

    rows: int
    fits: int
    screened: int
    rounds: int
    twins: int
    planted: int


EFFORTS = {
    "quick": Effort(rows=2000, fits=40, screened=2, rounds=1, twins=3, planted=5),
    "standard": Effort(rows=4000, fits=120, screened=2, rounds=2, twins=3, planted=10),
    "thorough": Effort(rows=10_000, fits=1200, screened=5, rounds=5, twins=10, planted=100),
}
