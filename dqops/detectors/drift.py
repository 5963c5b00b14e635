"""Columns that moved since the reference, and whether the rows as a whole did."""

import warnings
from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy  # its parts load when they are used

from dqops.contracts import Detector
from dqops.errors import SkippedWarning
from dqops.tables.alone import auc
from dqops.tables.repeats import numbers_rows
from dqops.tables.shift import benjamini_hochberg, design_effect, shift_of_levels, shift_of_numbers

_SAMPLED_ROWS = 20_000
_CLASSIFIED_ROWS = 3000
_FEWEST_ROWS = 30
# Levels beyond which a column of words names single rows, and its levels are always new.
_MOST_LEVELS = 0.3
# Effects that are as likely worth an action as not.
_STABILITY, _UNSEEN, _EMPTIER, _TOLD_APART = 0.1, 0.02, 0.05, 0.05
_SUREST = 0.98
_SEED = 0


@dataclass(frozen=True)
class Drift(Detector):
    """Columns whose values, gaps or levels moved from the reference it was fitted on to the rows at hand.

    Each column is tested (Kolmogorov-Smirnov, chi-squared over bins or levels, share of empty cells, unknown levels)
    and a classifier tries to tell old rows from new ones, cross-fitted (Lopez-Paz, Oquab 2017, ICLR,
    arXiv:1610.06545). Of the findings, the share that chance made is held at `rate`. Rows of the reference that are
    like their neighbours count as fewer. The score comes from the size of the move, not from its p-value, which
    falls with the number of rows. Dates, running numbers and names always move and are left out.

    Parameters
    ----------
    rate : float, default 0.05
        Share of findings that may be false.

    Examples
    --------
    >>> Drift(rate=0.01)
    Drift(rate=0.01)
    """

    name = "drift"
    rate: float = 0.05

    def fit(self, table, design, rng):
        """Keep a sample of the reference, in row order."""
        rows = _sample(table.n_rows, rng)
        return self.fitted(reference=table if len(rows) == table.n_rows else table.take(rows))

    def find(self, table):
        old = self.reference_
        if min(old.n_rows, table.n_rows) < _FEWEST_ROWS:
            warnings.warn(f"drift: fewer than {_FEWEST_ROWS} rows to compare", SkippedWarning, stacklevel=2)
            return self.findings()
        rows = _sample(table.n_rows, np.random.default_rng(_SEED))
        new = table if len(rows) == table.n_rows else table.take(rows)
        names = [name for name in old.searched if name in new.searched and name != old.roles.time]
        kinds = {name: kind for name in names if (kind := _kind(old, new, name))}
        shifts = {name: _shift(old, new, name) for name, kind in kinds.items() if kind != "changed"}
        apart, p_apart = _told_apart(old, new, [name for name in shifts if name != old.roles.target])
        moved = benjamini_hochberg([one.p for one in shifts.values()] + [p_apart], self.rate)
        groups = [
            self.finding(table, name, [], _score(shift), [], _message(shift), whole=True)
            for (name, shift), stands_out in zip(shifts.items(), moved, strict=False)
            if stands_out
        ]
        groups += [self.finding(table, name, [], _SUREST, [], _CHANGED, whole=True) for name in kinds if kinds[name] == "changed"]
        return self.findings(groups + ([self._rows(table, apart)] if moved[-1] else []))

    def _rows(self, table, apart):
        message = f"A classifier tells these rows from the reference's with AUC {apart:.2f}, where 0.5 means no drift."
        return self.finding(table, None, [], _likely((apart - 0.5) / _TOLD_APART), [], message, whole=True)


_CHANGED = "It reads as another kind of column than in the reference."


def _sample(n_rows, rng):
    if n_rows <= _SAMPLED_ROWS:
        return np.arange(n_rows)
    return np.sort(rng.choice(n_rows, _SAMPLED_ROWS, replace=False))


def _kind(old, new, name):
    """ "number", "words", "changed", or nothing where a column always moves."""
    before, after = old.meanings[name], new.meanings[name]
    if before.kind in ("date", "empty") or numbers_rows(old.frame[name]) or numbers_rows(new.frame[name]):
        return "words" if before.kind == "empty" and after.kind != "empty" else None
    if (before.kind == "number") != (after.kind == "number") and after.kind != "empty":
        return "changed"
    if before.kind == "number":
        return "number"
    words = before.values.cast(pl.String).drop_nulls()
    return "words" if words.n_unique() <= max(20, _MOST_LEVELS * len(words)) else None


def _shift(old, new, name):
    before, after = old.meanings[name].values, new.meanings[name].values
    if before.dtype.is_numeric() and after.dtype.is_numeric():
        return shift_of_numbers(_numbers(before), _numbers(after))
    return shift_of_levels(before.cast(pl.String), after.cast(pl.String))


def _numbers(cells):
    numbers = cells.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _told_apart(old, new, names):
    """AUC of a cross-fitted classifier of old and new rows, and how often chance alone reaches it."""
    if not names:
        return 0.5, 1.0
    rng = np.random.default_rng(_SEED)
    parts = [np.sort(rng.choice(one.n_rows, min(one.n_rows, _CLASSIFIED_ROWS), replace=False)) for one in (old, new)]
    X = np.column_stack([_column(old, new, name, parts) for name in names])
    y = np.repeat([0, 1], [len(part) for part in parts])
    fold = rng.permutation(len(y)) % 2
    score = np.empty(len(y))
    for held_out in (0, 1):
        train = fold != held_out
        # Late: only a comparison with a reference brings scikit-learn.
        from sklearn.ensemble import HistGradientBoostingClassifier

        model = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=15, random_state=_SEED).fit(X[train], y[train])
        score[~train] = model.predict_proba(X[~train])[:, 1]
    apart = _auc(y, score)
    alike = max(design_effect(column[y == 0]) for column in np.nan_to_num(X).T)
    error = np.sqrt(alike * (len(y) + 1) / (12.0 * (y == 0).sum() * (y == 1).sum()))
    return apart, float(scipy.special.ndtr((0.5 - apart) / error))


def _auc(y, score):
    return auc(y, np.column_stack([1 - score, score])[:, np.argsort(-np.bincount(y), kind="stable")])


def _column(old, new, name, parts):
    cells = [one.meanings[name].values.gather(part) for one, part in zip((old, new), parts, strict=True)]
    if all(one.dtype.is_numeric() for one in cells):
        return np.concatenate([_numbers(one) for one in cells])
    both = pl.concat([one.cast(pl.String) for one in cells])
    # By frequency, so that neighbouring codes are alike in something; trees split the rest.
    order = both.drop_nulls().rename("level").value_counts().sort("count", "level")["level"]
    return both.cast(pl.Enum(order)).to_physical().cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _score(shift):
    """From the largest of the moves, each in units of the move that is worth a look."""
    sizes = (
        shift.stability / _STABILITY,
        shift.unseen / _UNSEEN,
        abs(shift.empty[1] - shift.empty[0]) / _EMPTIER,
    )
    return _likely(max(sizes))


def _likely(size):
    return float(_SUREST * max(size, 0.0) / (1 + max(size, 0.0)))


def _message(shift):
    parts = [f"its distribution moved by a stability index of {shift.stability:.2g}"]
    if shift.ks is not None:
        parts.append(f"greatest gap {shift.ks:.2g}")
    if shift.moved is not None:
        parts.append(f"moved by {shift.moved:.2g} standard deviations")
    if shift.unseen > 0.001:
        parts.append(f"{shift.unseen:.1%} of the rows hold levels that the reference lacks")
    if abs(shift.empty[1] - shift.empty[0]) > 0.001:
        parts.append(f"{shift.empty[1]:.1%} empty against {shift.empty[0]:.1%}")
    text = ", ".join(parts)
    return f"Against the reference, {text}."
