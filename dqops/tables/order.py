"""Whether rows follow one another, and how far a number is from its neighbours in row order."""

import numpy as np
import polars as pl

_REACH = 5  # rows looked at on either side
_BLOCKS, _BLOCK = 16, 256  # runs of rows that tell whether a column follows the row order
_FOLLOWS = 0.2  # distance to neighbours against the distance to any rows, below which it does


def follows_order(values):
    """Whether neighbouring rows have like numbers.

    Parameters
    ----------
    values : float64 (n,)
        NaN where unknown.

    Examples
    --------
    >>> follows_order(np.sin(np.arange(1000) / 50)), follows_order(np.random.default_rng(0).random(1000))
    (True, False)
    """
    if len(values) < 8 * _REACH:
        return False
    starts = np.unique(np.linspace(0, max(len(values) - _BLOCK, 0), _BLOCKS).astype(int))
    rows = np.unique((starts[:, None] + np.arange(min(_BLOCK, len(values)))).ravel())
    looked = values[rows]
    near, far = _to_adjacent(looked), _to_adjacent(looked[_scattered(len(looked))])
    return bool(len(near) and len(far) and np.median(far) > 0 and np.median(near) < _FOLLOWS * np.median(far))


def _to_adjacent(values):
    """Distance of each known number to the nearer of the two beside it."""
    gaps = np.abs(np.diff(values))
    gaps[np.isnan(gaps)] = np.inf
    nearer = np.minimum(gaps[1:], gaps[:-1])
    return nearer[np.isfinite(nearer) & np.isfinite(values[1:-1])]


def neighbour_distance(values):
    """Distance of each number to the second nearest of the ten numbers around it in row order.

    Two neighbours that agree are enough, so that steps, edges and interleaved series are at home; a lone jump is not.

    Parameters
    ----------
    values : float64 (n,)
        NaN where unknown.

    Returns
    -------
    float64 (n,)
        NaN where unknown, infinite where fewer than two neighbours are known.
    """
    nearest = np.full(len(values), np.inf)
    second = nearest.copy()
    for shift in range(1, _REACH + 1):
        gap = np.abs(values[shift:] - values[:-shift])
        gap[np.isnan(gap)] = np.inf
        for here in (slice(shift, None), slice(None, -shift)):
            np.minimum(second[here], np.maximum(nearest[here], gap), out=second[here])
            np.minimum(nearest[here], gap, out=nearest[here])
    second[np.isnan(values)] = np.nan
    return second


def lone_share(values, suspects):
    """Share of the suspects that have no near equal beside them: slips come singly, short spells in twos.

    Parameters
    ----------
    values : float64 (n,)
    suspects : bool (n,)
    """
    inner = np.flatnonzero(suspects)
    inner = inner[(inner > 0) & (inner < len(values) - 1)]
    if not len(inner):
        return 1.0
    beside = np.fmin(np.abs(values[inner] - values[inner - 1]), np.abs(values[inner] - values[inner + 1]))
    usual = _to_adjacent(values)
    near = beside <= 2.0 * np.median(usual) if len(usual) else np.zeros(len(inner), dtype=bool)
    return float(1.0 - near.mean())


def jump_sizes(values):
    """How many times its usual distance each number is from its neighbours; NaN where unknown.

    The usual distance is the median around the row (calm and lively stretches differ), and no less than the median
    of the column or, where most neighbours are equal, than the usual gap between its repeated values.
    """
    distance = neighbour_distance(values)
    known = np.isfinite(distance)
    if not known.any():
        return np.full(len(values), np.nan)
    floor = max(float(np.median(distance[known])), _usual_gap(values) if np.median(distance[known]) == 0 else 0.0)
    local = pl.Series(np.where(known, distance, np.nan)).fill_nan(None).rolling_median(41, min_samples=5, center=True)
    local = np.maximum(local.fill_null(floor).to_numpy(), floor)
    return distance / np.maximum(local, 1e-300)


def between_neighbours(values, wanted):
    """Numbers interpolated in row order at the rows `wanted`, from the known rest."""
    rows = np.arange(len(values))
    good = ~wanted & np.isfinite(values)
    if not good.any():
        return np.full(int(wanted.sum()), np.nan)
    return np.interp(rows[wanted], rows[good], values[good])


def where_neighbours_agree(values, wanted):
    """The number that the nearest known rows before and after both hold, NaN where they differ, at the rows `wanted`."""
    held = pl.Series(np.where(wanted, np.nan, values)).fill_nan(None)
    before, after = (held.fill_null(strategy=way).fill_null(np.nan).to_numpy()[wanted] for way in ("forward", "backward"))
    return np.where(before == after, before, np.nan)


def _usual_gap(values):
    """Median gap between values that stand at least three times."""
    levels, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    repeated = levels[counts >= 3]
    return float(np.median(np.diff(repeated))) if len(repeated) > 2 else 0.0


def _scattered(count):
    """The rows in an order that parts neighbours, always the same."""
    return np.argsort((np.arange(count) * 0.6180339887498949) % 1.0, kind="stable")
