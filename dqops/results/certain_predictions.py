"""Predictions of k-NN over all worlds: how likely each is, and which no world changes."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.errors import OptionError


@dataclass(frozen=True, eq=False)
class CertainPredictions:
    """Predictions of k-NN over all worlds, one line a holdout row.

    Parameters
    ----------
    classes : array (n_classes,)
        Sorted labels of the training rows; columns of `probabilities` are in this order.
    probabilities : float64 (n, n_classes)
        Probability of each prediction over the worlds.
    possible : bool (n, n_classes)
        Whether some world brings the prediction; True also where its probability is too small for a number.
    k : int
        Neighbours that voted.
    accuracy : tuple of float or None
        (low, expected, high): every world's accuracy lies between low and high, its mean over the worlds is expected.
        None where no labels of the holdout rows were given.
    rows : polars.Series (n,) or None
        Row ids, where the rows came from a table.

    Examples
    --------
    >>> told = CertainPredictions(np.array(["no", "yes"]), np.array([[0.25, 0.75]]), np.array([[True, True]]), 3)
    >>> told.certain.tolist(), told.predicted.tolist()
    ([False], ['yes'])
    """

    classes: np.ndarray
    probabilities: np.ndarray
    possible: np.ndarray
    k: int
    accuracy: tuple[float, float, float] | None = None
    rows: pl.Series | None = None

    def __post_init__(self):
        if self.probabilities.shape != self.possible.shape or self.probabilities.shape[1:] != (len(self.classes),):
            raise OptionError("probabilities", self.probabilities.shape, f"a line a holdout row and {len(self.classes)} columns, as `possible`")

    def __len__(self):
        return len(self.probabilities)

    @property
    def certain(self):
        """Rows whose prediction is the same in all worlds, bool (n,)."""
        return self.possible.sum(axis=1) == 1

    @property
    def share_certain(self):
        """Share of the rows whose prediction is the same in all worlds."""
        return float(self.certain.mean()) if len(self) else 1.0

    @property
    def predicted(self):
        """Likeliest prediction of each row; the smallest class where two are equally likely."""
        return self.classes[self.probabilities.argmax(axis=1)]

    def to_frame(self):
        """One line a holdout row: row, predicted, probability (of that prediction), certain, n_possible."""
        rows = pl.Series("row", np.arange(len(self)), dtype=pl.Int64) if self.rows is None else self.rows.alias("row")
        return pl.DataFrame(
            [
                rows,
                pl.Series("predicted", self.predicted.tolist()),
                pl.Series("probability", self.probabilities.max(axis=1, initial=0.0)),
                pl.Series("certain", self.certain),
                pl.Series("n_possible", self.possible.sum(axis=1), dtype=pl.Int64),
            ]
        )

    def __str__(self):
        said = f"{int(self.certain.sum())} of {len(self)} predictions of {self.k}-NN are the same in all worlds"
        if self.accuracy is None:
            return said
        low, expected, high = self.accuracy
        return f"{said}; accuracy lies between {low:.4f} and {high:.4f}, {expected:.4f} on average"
