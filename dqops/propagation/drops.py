"""Predicted drops of a score under noise, and what is not known of them."""

from dataclasses import dataclass

import numpy as np

HELD = 0.10  # of a drop: how far one that holds the features may be off, as a standard error


@dataclass(frozen=True, eq=False)
class Drops:
    """Predicted scores without noise, and how they fall.

    Parameters
    ----------
    today : float
    drops : float64 (n_rates,)
    errors : float64 (n_rates,)
        Standard errors of the drops through the rows that judge.
    today_error : float
    off : float
        Share of a drop by which the way itself may be off, as a standard error.
    powers : (float, float) or None
        Of the rate: what the drops between anchors are drawn with, and its spread.
    """

    today: float
    drops: np.ndarray
    errors: np.ndarray
    today_error: float
    off: float = 0.0
    powers: tuple | None = None
