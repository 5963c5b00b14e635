"""What each doubtful cell is worth: the measured gain of its group, shared out by what the cell does to the model."""

import numpy as np
import polars as pl

from dqops.errors import DataError, ModelError
from dqops.models import target_values
from dqops.propagation.effort import FOLDS
from dqops.propagation.trial import Trial, trial_seed, typed_like

_OWN = 0.5  # of a cell's share is told by its own row, the rest by how far the cell is off


def shares_of(finding, table, repaired, losses):
    """Share of each doubtful cell in the gain of its group, float64 (count,), summing to 1.

    A cell weighs by the probability that it is wrong, times the mean of two things: how far the repair moves it (in
    spreads of the column; 1 where words change), and how much better its own row is foretold with the repair.

    Parameters
    ----------
    finding : Finding
    table, repaired : Table
        The same rows before and after the repair of this finding.
    losses : float64 (n,) or None
        Fall of the loss of each row when it is served repaired, by a model that was not trained on it.

    Returns
    -------
    float64 (count,)
    """
    moved = _moved(finding, table, repaired)
    own = np.zeros(finding.count) if losses is None else np.maximum(losses[finding.positions], 0.0)
    weights = (1 - _OWN) * _relative(moved) + _OWN * _relative(own) if own.any() else _relative(moved)
    weights = finding.scores * np.maximum(weights, 1e-3)
    return weights / weights.sum()


def _relative(values):
    mean = values.mean() if len(values) else 0.0
    return values / mean if mean > 0 else np.ones(len(values))


def _moved(finding, table, repaired):
    """How far the repair moves each cell; 1 where that cannot be told."""
    if repaired is None or finding.column not in repaired.frame.columns or repaired.n_rows != table.n_rows:
        return np.ones(finding.count)
    old, new = (one.frame[finding.column].gather(finding.positions) for one in (table, repaired))
    if not (old.dtype.is_numeric() and new.dtype.is_numeric()):
        return np.ones(finding.count)
    whole = repaired.frame[finding.column].cast(pl.Float64)
    spread = (whole.quantile(0.75) or 0.0) - (whole.quantile(0.25) or 0.0) or whole.std() or 1.0
    far = (old.cast(pl.Float64) - new.cast(pl.Float64)).abs().fill_null(spread).fill_nan(spread).to_numpy() / spread
    # Beyond a few spreads a cell is wild, and wilder ones are no worse.
    return np.minimum(far, 10.0) + 0.1


def trials_of(table, design, detectors):
    """(split, `Trial`) of five folds: one model and one search each serve all findings.

    Parameters
    ----------
    table : Table
    design : Design
    detectors : dict of str to Detector
    """
    splits = design.splits(table, folds=FOLDS, repeats=1)
    return [(one, Trial(table.take(one.train), table.take(one.test), design, detectors, trial_seed(design.seed, one))) for one in splits]


def served_better(option, table, trials):
    """Fall of each row's loss when its cells are repaired at serving, and the rows so repaired.

    The models are those of the recorded rows of other folds; loss is one minus the probability of the recorded class
    (or one where another class is foretold), or the squared error over the variance of the target.

    Parameters
    ----------
    option : Option
        A repair of features.
    table : Table
    trials : list of (Split, Trial)
        Of that table, see `trials_of`.

    Returns
    -------
    float64 (n,), Table or None
        0 where a row was not judged; the table with the repairs of each row as its fold made them. Both None where a
        fold failed.
    """
    fall, frames = np.zeros(table.n_rows), []
    for split, trial in trials:
        try:
            _, mended, _ = trial.repaired(option)
            fall[split.test] = _losses(trial.before, trial.test, trial.design) - _losses(trial.before, typed_like(mended, trial.test), trial.design)
        except (ModelError, DataError):
            return None, None
        frames.append((split.test, mended))
    return np.nan_to_num(fall), _joined(table, frames)


def _losses(model, table, design):
    labels, known = target_values(table, design.task)
    if design.task == "regression":
        spread = np.nanvar(labels[known]) or 1.0
        return np.where(known, (model.predict(table) - np.where(known, labels, 0.0)) ** 2 / spread, 0.0)
    chances = model.probabilities(table)
    places = np.searchsorted(model.classes, np.where(known, labels, model.classes[0]))
    places = np.minimum(places, len(model.classes) - 1)
    return np.where(known, 1.0 - chances[np.arange(len(places)), places], 0.0)


def _joined(table, frames):
    """The repaired rows of all folds in their order; rows of no fold as they were recorded."""
    order = np.concatenate([rows for rows, _ in frames])
    if len(order) != table.n_rows or len(np.unique(order)) != table.n_rows:
        return None
    columns = []
    for name in table.features:
        parts = [part.frame[name] for _, part in frames]
        wide = parts[0].dtype if all(one.dtype == parts[0].dtype for one in parts) else pl.String
        columns.append(pl.concat([one.cast(wide) for one in parts]).gather(np.argsort(order)).alias(name))
    return table.with_columns(*columns)
