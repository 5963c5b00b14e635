"""What a cleaning curve says: the area under it, the answers to a goal, and how strategies compare over seeds."""

import numpy as np
from scipy.stats import t as student

LEVEL = 0.9


def area(cost, score):
    """Mean score over the money spent, from the first point to the last.

    Parameters
    ----------
    cost : float64 (n,)
        Rising.
    score : float64 (n,)

    Examples
    --------
    >>> float(area([0, 10, 20], [0.5, 0.7, 0.7]))
    0.65
    """
    cost, score = np.asarray(cost, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if len(cost) < 2 or cost[-1] == cost[0]:
        return score[-1]
    return np.trapezoid(score, cost) / (cost[-1] - cost[0])


def cost_to_reach(cost, score, goal, total):
    """Money spent when the score first reaches a goal and stays within reach: linear between points; `total` where none does.

    Parameters
    ----------
    cost, score : float64 (n,)
    goal : float
    total : float
        What cleaning everything costs: it reaches the goal by definition.

    Examples
    --------
    >>> round(float(cost_to_reach([0, 10, 20], [0.5, 0.6, 0.8], 0.7, 100)), 9), cost_to_reach([0, 10], [0.5, 0.6], 0.7, 100)
    (15.0, 100)
    """
    there = np.flatnonzero(np.asarray(score) >= goal)
    if not len(there):
        return total
    first = there[0]
    if first == 0:
        return float(cost[0])
    rise = score[first] - score[first - 1]
    return cost[first - 1] + (goal - score[first - 1]) / rise * (cost[first] - cost[first - 1])


def over_seeds(values, level=LEVEL):
    """(mean, low, high) of one number a seed, by the t interval; no interval from one seed.

    >>> [round(float(one), 3) for one in over_seeds([0.1, 0.2, 0.3])]
    [0.2, 0.031, 0.369]
    """
    values = np.asarray(values, dtype=np.float64)
    mean = values.mean() if len(values) else np.nan
    if len(values) < 2:
        return mean, np.nan, np.nan
    half = student.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return mean, mean - half, mean + half


def captured(areas, random_areas, full_scores, level=LEVEL):
    """Share of what lies between random order and a clean table that a strategy wins: (share, low, high).

    Parameters
    ----------
    areas, random_areas, full_scores : float64 (n_seeds,)
        Areas under the curves, and the score on the clean table, of the same seeds.

    Returns
    -------
    tuple of float
        A ratio of means over seeds, and the interval of Fieller's kind to first order; NaN where the clean table is not
        surely better than the random order (never from one seed): there is nothing to win.

    Examples
    --------
    >>> [round(float(one), 2) for one in captured([0.8, 0.9], [0.7, 0.8], [0.9, 1.0])]
    [0.5, 0.5, 0.5]
    """
    won, room = (np.asarray(one, dtype=np.float64) - np.asarray(random_areas, dtype=np.float64) for one in (areas, full_scores))
    mean, low, _ = over_seeds(room, level)
    if not low > 0:
        return np.nan, np.nan, np.nan
    share = won.mean() / mean
    spread = over_seeds((won - share * room) / mean, level)
    return share, share + spread[1] - spread[0], share + spread[2] - spread[0]


def standing(areas):
    """Which strategies are best or tied: {strategy: (difference to the best, low, high, tied)}, paired over seeds.

    Parameters
    ----------
    areas : dict of str to float64 (n_seeds,)

    Examples
    --------
    >>> found = standing({"a": [0.9, 0.8], "b": [0.5, 0.41]})
    >>> found["a"][3], found["b"][3]
    (True, False)
    """
    best = max(areas, key=lambda name: (np.mean(areas[name]), name))
    found = {}
    for name, own in areas.items():
        told = over_seeds(np.asarray(own) - np.asarray(areas[best]))
        found[name] = (*told, bool(name == best or not told[2] < 0))
    return found
