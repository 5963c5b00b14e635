"""Numbers with few levels, and numbers written more finely than the rest of their column."""

import numpy as np

_DIGITS = 9  # decimals looked for
_FINER = 3  # more decimals than the rest that make a number finer
_COARSE = 0.75  # share of the cells that the coarse numbers must hold
_REPEATED = 0.5  # the same where the coarse numbers stand again and again
_BETWEEN = 0.2  # numbers of middling fineness for each finer one: the finer ones whose last digits are zeros
_DOMINANT = 0.5  # share of the cells that one number holds
_ONCE = 0.8  # share of the finer numbers that stand once
_GAP = 5.0  # times rarer than the rarest usual level
_MOST_LEVELS = 60
_HELD = 0.5  # share of the cells that usual levels must hold
_FLAT = 10  # rare levels from which equal counts tell that they were drawn by chance
_SLIP = 0.01  # share of the cells that a usual level holds, and a slip does not
_MOST, _RANGES = 0.8, 5.0  # share that frequent levels hold where they tell the range; ranges that are near
_MANY, _SURELY = 30, 8.0  # rare levels that tell what chance does; its errors that a usual level stands above them
_LEAST = 10  # cells of the rarest usual level


def level_bounds(levels, counts):
    """Smallest and largest number near the frequent levels of a column of few levels.

    Levels that hold a hundredth of the cells span the column's own range; five such ranges on either side are near.

    >>> level_bounds(np.array([0.0, 1, 2, 3, 1000]), np.array([80, 30, 10, 8, 1]))
    (-15.0, 18.0)
    """
    frequent = levels[counts >= _SLIP * counts.sum()]
    if len(frequent) < 2 or counts[counts >= _SLIP * counts.sum()].sum() < _MOST * counts.sum():
        return -np.inf, np.inf
    reach = _RANGES * (frequent.max() - frequent.min())
    return float(frequent.min() - reach), float(frequent.max() + reach)


def decimals(values):
    """Decimals of each number, at most nine.

    >>> decimals(np.array([3.0, 0.25, 1 / 3])).tolist()
    [0, 2, 9]
    """
    places = np.full(len(values), _DIGITS, dtype=np.int64)
    for digits in range(_DIGITS - 1, -1, -1):
        places[has_decimals(values, digits)] = digits
    return places


def has_decimals(values, digits):
    """Which numbers have at most this many decimals, up to the noise of floats."""
    scaled = values * 10.0**digits
    return np.abs(scaled - np.rint(scaled)) <= 1e-9 * np.maximum(np.abs(scaled), 1.0) + 1e-7


def finer_than(values):
    """Decimals that nearly all numbers keep to, where some lone numbers have three or more beyond; else None.

    Parameters
    ----------
    values : float64 (n,)
        Finite numbers, or a sample.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> finer_than(np.append(rng.integers(0, 24, 200), rng.normal(size=9)))
    0
    >>> finer_than(rng.normal(size=200)) is None
    True
    """
    values = _without_most_frequent(values)
    if len(values) < 20 or not len(values[values != np.rint(values)]):
        return None
    places = decimals(values)
    shares = np.bincount(places, minlength=_DIGITS + 1) / len(values)
    for usual in range(_DIGITS - _FINER + 1):
        between, beyond = shares[usual + 1 : usual + _FINER].sum(), shares[usual + _FINER :].sum()
        if shares[: usual + 1].sum() >= _REPEATED and beyond > 0 and between <= _BETWEEN * beyond:
            coarse, fine = values[places <= usual], values[places >= usual + _FINER]
            again = len(coarse) >= _COARSE * len(values) or len(np.unique(coarse)) <= 0.5 * len(coarse)
            return usual if again and len(np.unique(fine)) >= _ONCE * len(fine) else None
    return None


def _without_most_frequent(values):
    """Without a number that holds much of the column: it says nothing of how finely the others are written."""
    middle = np.median(values) if len(values) else 0.0
    often = np.mean(values == middle) if len(values) else 0.0
    return values[values != middle] if often >= _DOMINANT else values


def usual_levels(levels, counts):
    """Levels that belong to a column of few levels, where the rest looks like slips; else None.

    Usual levels are far more frequent than all others. Rarer ones belong too where they continue the usual ones on
    the same grid, ever more rarely, as a tail does; they are slips where few cells stand off the grid, or where many of
    them, nearly all beyond the usual ones, are equally rare, as if drawn by chance.

    Parameters
    ----------
    levels : float64 (n_levels,)
    counts : int64 (n_levels,)

    Returns
    -------
    float64 array or None

    Examples
    --------
    >>> usual_levels(np.array([31.7, 39.6, 55.5, 71.3, 33, 77, 66]), np.array([281, 480, 277, 465, 12, 9, 6])).tolist()
    [31.7, 39.6, 55.5, 71.3]
    >>> usual_levels(np.array([0.0, 1, 2, 3, 4, 5]), np.array([1002, 170, 113, 8, 6, 2])) is None
    True
    """
    order = np.argsort(-counts, kind="stable")
    levels, counts = levels[order], counts[order]
    usual = _how_many_usual(counts) or _above_chance(levels, counts)
    if usual is None:
        return None
    top, rare, often = np.sort(levels[:usual]), levels[usual:], counts[usual:]
    off = _off_grid(top, rare)
    few = often.sum() <= (1 - _MOST) * counts.sum()
    if few and len(top) >= 3 and off.sum() >= 3 and often[off].sum() >= 0.5 * often.sum():
        return np.concatenate([top, rare[~off]])
    beyond = np.mean((rare < top[0]) | (rare > top[-1])) if len(rare) else 0.0
    if len(rare) >= _FLAT and often.mean() >= 3 and often.var() <= 2.0 * often.mean() and beyond >= _MOST:
        return top
    return None


def _how_many_usual(counts):
    """Number of usual levels: where counts fall most, the usual ones holding most cells."""
    most = min(len(counts) - 1, _MOST_LEVELS)
    if most < 2:
        return None
    places = np.arange(2, most + 1)
    held = np.cumsum(counts)[places - 1] >= _HELD * counts.sum()
    above, below = counts[places - 1].astype(float), counts[places].astype(float)
    surely = (above - 2 * np.sqrt(above)) / (below + 2 * np.sqrt(below))
    fits = held & (above >= np.maximum(_LEAST, _SLIP * counts.sum())) & (above >= _GAP * below) & (surely >= 2.0) & (below <= _SLIP * counts.sum())
    if not fits.any():
        return None
    return int(places[np.argmax(np.where(fits, above / below, 0))])


def _above_chance(levels, counts):
    """Number of levels that hold most cells above many others, off their range, whose counts are those of chance."""
    for usual in range(2, min(len(counts) - _MANY, _MOST_LEVELS) + 1):
        often, above = counts[usual:], counts[usual - 1]
        if counts[:usual].sum() < _HELD * counts.sum() or above < _LEAST:
            continue
        mean, top = often.mean(), levels[:usual]
        beyond = np.mean((levels[usual:] < top.min()) | (levels[usual:] > top.max()))
        if mean >= 3 and often.var() <= 2.0 * mean and above >= mean + _SURELY * np.sqrt(mean) and beyond >= _MOST:
            return usual
    return None


def _off_grid(top, rare):
    """Which rare levels do not stand on the grid of the usual ones."""
    steps = np.diff(top)
    step = steps.min()
    if not np.all(np.abs(steps / step - np.rint(steps / step)) < 0.02):
        return ~np.isin(rare, top)
    places = (rare - top[0]) / step
    return np.abs(places - np.rint(places)) > 0.02
