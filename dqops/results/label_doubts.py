"""How surely each label is wrong, and what all of them tell of the noise."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.errors import OptionError


@dataclass(frozen=True, eq=False)
class LabelDoubts:
    """How surely each label is wrong, and what all of them tell of the noise.

    Rows without a label have NaN in `wrong`, `self_confidence` and `margin`.

    Parameters
    ----------
    classes : array (C,)
        Labels behind the codes, in the order of the probability columns.
    given : int (n,)
        Codes of the given labels, -1 for none.
    wrong : float64 (n,)
        Probability that the given label is wrong.
    likeliest : int64 (n,)
        Code of the likeliest other label; of the likeliest of all where none is given.
    self_confidence : float64 (n,)
        Probability that the model gives to the given label; low is suspicious.
    margin : float64 (n,)
        ``(self_confidence - largest other probability + 1) / 2``, in [0, 1]; low is suspicious.
    thresholds : float64 (C,)
        From this probability on the model is confident of a class; infinite where the class is never given.
    confident : int64 (C, C)
        Rows by given label and label that the model is confident of.
    joint : float64 (C, C)
        Share of rows by ``[given, true]``, estimated from `confident`; lines sum to the shares of given labels.
    noise : float64 (C, C)
        ``noise[c, g] = P(given g | true c)``, with which `wrong` was computed; lines sum to 1.
    shrunk : float
        How far `noise` was moved towards the identity before it was inverted, 0 where it was safe as it was.
    rate, low, high : float
        Share of wrong labels, with an interval.
    level : float
        Coverage that the interval claims.
    source : str
        Where `noise` is from: "confident", "believed" or "given".
    temperature : float
        What the probabilities were tempered with, 1 where they were taken as they are.
    calibration_error : float
        Mean distance of the largest probability (tempered) from how often it agrees with the given label.
    posterior : float64 (n, C) or None
        Probability of each true label, where it was asked for.
    """

    classes: np.ndarray
    given: np.ndarray
    wrong: np.ndarray
    likeliest: np.ndarray
    self_confidence: np.ndarray
    margin: np.ndarray
    thresholds: np.ndarray
    confident: np.ndarray
    joint: np.ndarray
    noise: np.ndarray
    shrunk: float
    rate: float
    low: float
    high: float
    level: float
    source: str
    temperature: float
    calibration_error: float
    posterior: np.ndarray | None = None

    def __post_init__(self):
        for name in ("given", "likeliest", "self_confidence", "margin"):
            if len(getattr(self, name)) != len(self.wrong):
                raise OptionError(name, len(getattr(self, name)), f"one a row, {len(self.wrong)} in all")

    def __len__(self):
        return len(self.wrong)

    @property
    def prior(self):
        """Share of rows by true label, float64 (C,)."""
        return self.joint.sum(axis=0)

    def worst(self, count=None):
        """Positions of the labels that are most surely wrong, worst first; ties by margin, then by position."""
        order = np.lexsort((self.margin, np.where(np.isnan(self.wrong), np.inf, -self.wrong)))
        return order[:count]

    def to_frame(self):
        """One line a row: row, given, likeliest, wrong, self_confidence, margin (null where there is no label)."""
        names = pl.Series(list(self.classes))
        known = pl.Series(self.given >= 0)
        given = pl.select(pl.when(known).then(names.gather(np.maximum(self.given, 0)))).to_series()
        numbers = [pl.Series(name, getattr(self, name), nan_to_null=True) for name in ("wrong", "self_confidence", "margin")]
        rows = pl.Series("row", np.arange(len(self)), dtype=pl.Int64)
        return pl.DataFrame([rows, given.alias("given"), names.gather(self.likeliest).alias("likeliest"), *numbers])

    def __str__(self):
        surely = int((self.wrong >= 0.5).sum())
        share = f"{self.rate:.1%} of all are wrong ({self.low:.1%} to {self.high:.1%})"
        return f"{surely} of {int((self.given >= 0).sum())} labels are probably wrong; about {share}"
