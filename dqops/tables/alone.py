"""What one column foretells on its own: held-out predictions from its values, bins and gaps."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

_BINS, _ROWS_A_BIN = 64, 10
# A value that was seen once says as much as this many rows of the whole.
_PRIOR_ROWS = 1.0
_FEWEST_ON_A_SIDE = 30
_CLASSES = 10


@dataclass(frozen=True, eq=False)
class Alone:
    """One column's cells as numbers or as codes.

    Parameters
    ----------
    numbers : float64 (n,) or None
        NaN where a cell is empty; None where the column holds words.
    codes : int64 (n,)
        One number a distinct value, -1 where a cell is empty.
    """

    numbers: np.ndarray | None
    codes: np.ndarray

    @property
    def known(self):
        """Mask of the cells that hold something."""
        return self.codes >= 0

    @cached_property
    def ranks(self):
        """Rank of each number, NaN where there is none."""
        return _ranks(self.numbers)

    def binned(self, train):
        """Codes, or quantile bins of the training rows where values are many; -1 where a cell is empty."""
        if self.numbers is None:
            return self.codes
        held = self.numbers[train & self.known]
        n_bins = int(min(_BINS, max(2, len(held) // _ROWS_A_BIN)))
        if not len(held) or self.codes.max(initial=0) < n_bins:
            return self.codes
        edges = np.unique(np.quantile(np.sort(held), np.linspace(0, 1, n_bins + 1)[1:-1]))
        return np.where(self.known, np.searchsorted(edges, self.numbers, side="left"), -1)

    def agrees(self, other):
        """How nearly one of the columns follows from the other, 0 to 1; for numbers, how nearly in one order."""
        if self.numbers is not None and other.numbers is not None:
            both = self.known & other.known
            if both.sum() < max(2, 0.9 * max(self.known.sum(), other.known.sum())):
                return 0.0
            first, second = self.ranks[both], other.ranks[both]
            if first.std() == 0 or second.std() == 0:
                return 0.0
            return abs(float(np.corrcoef(first, second)[0, 1]))
        pairs = pl.DataFrame({"a": self.codes, "b": other.codes}).group_by("a", "b").len()
        held = len(self.codes)
        return max(pairs.group_by(side).agg(pl.col("len").max())["len"].sum() / held for side in ("a", "b"))

    def says_the_same(self, other):
        """Is one column the other in other words (or in finer ones), typing errors apart?"""
        alike = 0.995 if self.numbers is not None and other.numbers is not None else 0.9
        return self.agrees(other) >= alike


def encode(meaning, rows):
    """`Alone` of these rows of a column.

    Parameters
    ----------
    meaning : Meaning
    rows : int64 (m,)
    """
    cells = meaning.values.gather(rows)
    if cells.dtype.is_temporal():
        cells = cells.cast(pl.Datetime).dt.epoch("ms") if cells.dtype == pl.Date else cells.to_physical()
    numbers = None
    if cells.dtype.is_numeric() or cells.dtype == pl.Boolean:
        numbers = cells.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        numbers = np.where(np.isfinite(numbers), numbers, np.nan)
        cells = pl.Series(numbers).fill_nan(None)
    codes = cells.rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1
    return Alone(numbers, codes)


def foretell(column, target, task, fold):
    """Held-out prediction of the target from one column: mean target of the training rows with its value.

    Parameters
    ----------
    column : Alone
    target : float64 (n,) for regression, int64 (n,) codes from 0 for classification
    task : {"classification", "regression"}
    fold : int64 (n,)
        In which fold each row is held out.

    Returns
    -------
    float64 (n, outputs)
        One output for regression, one a class (the ten most frequent) for classification.

    Examples
    --------
    >>> column = Alone(None, np.array([0, 1, 0, 1]))
    >>> foretell(column, np.array([6.0, 2.0, 6.0, 2.0]), "regression", np.array([0, 0, 1, 1])).ravel().tolist()
    [5.0, 3.0, 5.0, 3.0]
    """
    outputs = target[:, None] if task == "regression" else target[:, None] == _frequent(target)[None, :]
    outputs = outputs.astype(np.float64)
    twofold = task != "regression" and outputs.shape[1] == 2  # what one class is foretold, the other is not
    foretold = np.empty_like(outputs)
    for held_out in np.unique(fold):
        train = fold != held_out
        bins = column.binned(train) + 1
        size = bins.max() + 1
        count = np.bincount(bins[train], minlength=size) + _PRIOR_ROWS
        for output in range(1 if twofold else outputs.shape[1]):
            usual = outputs[train, output].mean()
            total = np.bincount(bins[train], outputs[train, output], size) + _PRIOR_ROWS * usual
            foretold[~train, output] = (total / count)[bins[~train]]
    if twofold:
        foretold[:, 1] = 1.0 - foretold[:, 0]
    return foretold


def auc(target, foretold):
    """Area under the ROC curve, each class against the rest, weighted by frequency; 0.5 is chance.

    Parameters
    ----------
    target : int64 (n,)
    foretold : float64 (n, classes)
    """
    areas, weights = [], []
    frequent = _frequent(target)
    # The ranks of two classes are each other's reverse, and so is who is positive: one area says both.
    for output, one in enumerate(frequent[:1] if len(frequent) == 2 else frequent):
        positive = target == one
        n_positive, n_negative = positive.sum(), (~positive).sum()
        if n_positive and n_negative:
            ranks = _ranks(foretold[:, output])
            area = (ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)
            areas.append(area)
            weights.append(n_positive)
    return float(np.average(areas, weights=weights)) if areas else 0.5


def explained(target, foretold):
    """Share of the target's variance that the prediction explains, 0 where it explains none.

    Judged on ranks as well as on values, so that a few wild cells do not hide that the rest is foretold.
    """
    shares = []
    for wanted, given in ((target, foretold[:, 0]), (_ranks(target), _ranks(foretold[:, 0]))):
        spread = ((wanted - wanted.mean()) ** 2).mean()
        shares.append(1 - ((wanted - given) ** 2).mean() / spread if spread else 0.0)
    return float(max(0.0, *shares))


def empty_purity(column, target):
    """How much purer in one class the empty (or the filled) cells' rows are than all rows.

    Returns
    -------
    purer : float
        Share of other classes in all rows over that among these rows.
    count : int
    share : float
        Of the most frequent class among these rows.
    side : {"empty", "filled"}
    """
    best = (0.0, 0, 0.0, "empty")
    for mask, side in ((~column.known, "empty"), (column.known, "filled")):
        count = int(mask.sum())
        if count < _FEWEST_ON_A_SIDE or count == len(mask):
            continue
        classes = np.bincount(target[mask])
        common = int(classes.argmax())
        others = count - int(classes[common])
        purer = (target != common).mean() / (max(others, 1) / count)
        best = max(best, (float(purer), count, 1 - others / count, side))
    return best


def _frequent(target):
    return np.argsort(-np.bincount(target), kind="stable")[:_CLASSES]


def _ranks(numbers):
    """Ranks from 1, ties averaged, NaN where there is no number."""
    return pl.Series(np.asarray(numbers, dtype=np.float64)).fill_nan(None).rank().cast(pl.Float64).fill_null(np.nan).to_numpy()
