"""How much work an answer on feasibility is worth."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """How much work an answer on feasibility is worth.

    Parameters
    ----------
    rows : int
        Most rows that are looked at; larger tables are sampled, and the answer says so.
    models : tuple of str
        Simple models that compete beside the user's own.
    """

    rows: int
    models: tuple[str, ...]


EFFORTS = {
    "quick": Effort(4000, ("linear", "boosting")),
    "standard": Effort(20_000, ("linear", "boosting", "forest", "gaussian", "many neighbours")),
    "thorough": Effort(60_000, ("linear", "boosting", "forest", "gaussian", "many neighbours", "knn")),
}
