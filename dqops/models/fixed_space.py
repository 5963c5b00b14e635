"""A pipeline's feature space held fixed: rows of any table as finite numbers, whatever is cleaned meanwhile."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl

from dqops.errors import DataError
from dqops.models.features import features_of
from dqops.models.fitting import border, seeded
from dqops.models.space import COMPARES, _dense, _transformers, last_step
from dqops.models.targets import target_values


@dataclass(frozen=True, eq=False)
class FixedSpace:
    """The steps before a pipeline's last one, fitted once, and what makes finite numbers of theirs.

    Parameters
    ----------
    model : Model
    steps : fitted pipeline
    columns : tuple of str or None
        Where the steps give frames: the columns that words are spread over.
    typical : float64 (d,)
        What stands for a hole.
    centre, scale : float64 (d,)
        Taken off, and divided by; 0 and 1 where rows are left as they are.
    learner : estimator
        The last step, not fitted, its random states set.
    """

    model: object
    steps: object
    columns: tuple[str, ...] | None
    typical: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    learner: object

    def encode(self, table):
        """Rows of a table with the same columns: float64 (n, d), finite."""
        if not table.n_rows:
            return np.empty((0, len(self.typical)))
        with border(self.model.name, "encoding rows"):
            seen = _spread(self.steps.transform(features_of(table, self.model.tame)))
        if self.columns is not None:
            seen = seen.reindex(columns=list(self.columns), fill_value=0)
        numbers = _dense(seen)
        return (np.where(np.isfinite(numbers), numbers, self.typical) - self.centre) / self.scale


def fixed_space(model, table, seed, *, scaled=True):
    """The `FixedSpace` of a model, its steps fitted to `table`.

    Parameters
    ----------
    model : Model
        Made ready for the table (`Model.prepared`).
    table : Table
        Rows without a target are left out of the fit.
    seed : int
    scaled : bool
        Bring all columns to mean 0 and spread 1, unless the last step compares rows by distance itself: its author has scaled
        them.

    Raises
    ------
    ModelError
        Where a step fails.
    DataError
        Where no target is known.
    """
    values, known = target_values(table, model.task)
    if not known.any():
        raise DataError("no row has a known target", "some, to fit the steps of the model on")
    kept = table if known.all() else table.take(np.flatnonzero(known))
    steps = _transformers(model, kept, seed)
    with border(model.name, "fitting its steps"):
        came = _spread(steps.fit_transform(features_of(kept, model.tame), values[known]))
    columns = tuple(came.columns) if isinstance(came, pd.DataFrame) else None
    numbers = _dense(came)
    typical = _typical(numbers)
    filled = np.where(np.isfinite(numbers), numbers, typical)
    learner = seeded(last_step(model), seed)
    if not scaled or type(learner).__name__.startswith(COMPARES):
        return FixedSpace(model, steps, columns, typical, np.zeros(len(typical)), np.ones(len(typical)), learner)
    spread = filled.std(axis=0)
    return FixedSpace(model, steps, columns, typical, filled.mean(axis=0), np.where(spread > 0, spread, 1.0), learner)


def _spread(seen):
    """A frame with a column for each word; what is no frame as it is."""
    if isinstance(seen, pl.DataFrame):
        seen = seen.to_pandas()
    if not isinstance(seen, pd.DataFrame):
        return seen
    named = [name for name, dtype in seen.dtypes.items() if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype))]
    return pd.get_dummies(seen, columns=named) if named else seen


def _typical(numbers):
    """Median of each column, 0 where it holds nothing."""
    if len(numbers) and np.isfinite(numbers).all():
        return np.median(numbers, axis=0)
    seen = np.where(np.isfinite(numbers), numbers, np.nan)
    there = ~np.isnan(seen).all(axis=0)
    typical = np.zeros(numbers.shape[1])
    typical[there] = np.nanmedian(seen[:, there], axis=0)
    return typical
