"""A linear model and its doubtful cells: is it the best one in every repair, nearly so, and which cells decide."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class CertainModel:
    """Whether one linear model is best, or nearly best, however the doubtful cells are repaired.

    Parameters
    ----------
    loss : {"squared", "logistic", "hinge"}
    certain : bool
        The model minimises the training objective in every repair: no cleaning changes it.
    excess : float
        In no repair is the model's training objective above the least possible one by more than this share of
        `objective`; infinite where there is no such bound.
    typical_excess : float
        The same on average, to first order, where each cell is anywhere in its range alike: an approximation and no
        bound; infinite where not known.
    wanted : float
        `excess` up to which the model counts as approximately certain.
    objective : float
        Training objective of the model (a sum over rows and the penalty) with doubtful cells in the middle of their range.
    coefficients : float64 (d,)
    intercept : float
    shift : float
        The best model of any repair lies within this distance, in the metric of `root`; infinite where not known.
    root : float64 (d + 1, d + 1) or None
        ``shift * |root @ (x, 1)|`` bounds how much the margin at x differs between this model and the best one.
    row_need : float64 (n,)
        Fall of `excess` when the row is cleaned, roughly; 0 for a row without doubtful cells, or where it is not known.
    column_need : float64 (d,)
    order : int64 (n_doubtful,)
        Rows with doubtful cells, those that matter most first.
    to_clean : int or None
        How many rows, in that order, must be cleaned before the model is approximately certain; None where unknown.
    why : str
        What the answer rests on, in a sentence.

    Examples
    --------
    >>> model = CertainModel("squared", False, 0.004, 0.001, 0.01, 12.0, np.ones(1), 0.0, 0.1, None, np.zeros(3), np.zeros(1), np.array([2]), 0, "bound")
    >>> model.approximately_certain
    True
    """

    loss: str
    certain: bool
    excess: float
    typical_excess: float
    wanted: float
    objective: float
    coefficients: np.ndarray
    intercept: float
    shift: float
    root: np.ndarray | None
    row_need: np.ndarray
    column_need: np.ndarray
    order: np.ndarray
    to_clean: int | None
    why: str

    @property
    def approximately_certain(self):
        """Whether the model is within `wanted` of the best one in every repair."""
        return self.certain or self.excess <= self.wanted

    def __str__(self):
        if self.certain:
            return f"a certain model exists: {self.why}"
        if self.approximately_certain:
            return f"an approximately certain model exists: at most {self.excess:.2%} above the best one in every repair"
        bound = f"at most {self.excess:.2%} above the best one" if np.isfinite(self.excess) else "no bound on what it loses"
        return f"no model is known to be certain: {bound} in every repair ({self.why})"
