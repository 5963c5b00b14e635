"""A target that the user wrote: what each holdout row's scores are worth, followed by differences."""

import numpy as np

from dqops.errors import DataError, OptionError
from dqops.models.fitting import border

_NEAR = 1e-5  # by how much scores are moved to see how the function slopes


def chosen_slopes(target, scores, labels):
    """Derivative of what each holdout row is worth by its own scores.

    Parameters
    ----------
    target : callable
        ``f(scores, labels) -> float64 (n_holdout,)``, higher is better.
    scores : float64 (n_holdout,) or (n_holdout, c)
    labels : int64 or float64 (n_holdout,)

    Returns
    -------
    float64, of the shape of `scores`

    Raises
    ------
    OptionError
        Where the function does not give one finite number a row.
    DataError
        Where it is flat everywhere.
    ModelError
        Where it fails.

    Examples
    --------
    >>> chosen_slopes(lambda scores, labels: -((scores - labels) ** 2), np.array([1.0, 3.0]), np.array([0.0, 2.5])).round(6).tolist()
    [-2.0, -1.0]
    """
    columns = scores[:, None] if scores.ndim == 1 else scores
    slopes = np.empty_like(columns)
    for column in range(columns.shape[1]):
        step = _NEAR * np.maximum(1.0, np.abs(columns[:, column]))
        ends = []
        for sign in (1, -1):
            moved = columns.copy()
            moved[:, column] += sign * step
            ends.append(_worth(target, moved.reshape(scores.shape), labels))
        slopes[:, column] = (ends[0] - ends[1]) / (2 * step)
    if not slopes.any():
        raise DataError("target is flat: it changes for no holdout row when scores move a little", "a smooth function of the scores, such as a loss")
    return slopes.reshape(scores.shape)


def chosen_unit(target):
    """What one unit of the user's target is called."""
    return getattr(target, "__name__", "target")


def _worth(target, scores, labels):
    with border(chosen_unit(target), "judging the holdout"):
        worth = np.asarray(target(scores, labels), dtype=np.float64)
    if worth.shape != (len(labels),) or not np.isfinite(worth).all():
        raise OptionError("target", chosen_unit(target), f"a function that gives one finite number a holdout row, {len(labels)} in all")
    return worth
