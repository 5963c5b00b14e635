"""How far a column reaches: bounds beyond which a number no longer belongs to its tail."""

import numpy as np

_LIGHTEST = 0.05  # shape below which no tail is taken to be: a normal column looks bounded from its middle
_LEAP = 0.75  # growth of the steps between letter values, in doublings, by which a tail of its own hardly accelerates
_FIRST = 1.3  # growth that a tail may start with
_FEWEST_LEVELS = 20  # distinct numbers from which a column has tails at all
_NOISE = 2.0  # standard errors of that growth allowed on top
_LEFT = 24  # values beyond the outermost letter value
_CHANCE = 0.01  # expected number of clean cells beyond a bound
_FLIPPED = 0.05  # largest share of numbers with the wrong sign
_DOMINANT = 0.3  # share from which one value (a zero, say) is set aside before the rest is judged
_FEWEST = 30  # values from which a tail can be read


def tail_bounds(values, n_rows=None):
    """Smallest and largest number that the column's own tails explain.

    The letter values (the median, the quarter, the eighth ...) of each side are followed outwards as long as their
    steps grow as a tail's do; where they leap, the rest is foreign. The tail is drawn out from there as a generalised
    Pareto one, to where it lets pass one clean cell in a hundred tables. Skewed and heavy tails get far bounds.
    (Pickands 1975, Annals of Statistics 3:119-131, doi:10.1214/aos/1176343003; Hofmann, Wickham and Kafadar 2017,
    J. Computational and Graphical Statistics 26:469-477, doi:10.1080/10618600.2017.1305277.)

    Parameters
    ----------
    values : float64 (n,)
        Finite numbers, or a sample of them.
    n_rows : int, optional
        Cells of the whole column, where `values` is a sample.

    Returns
    -------
    tuple of float
        Infinite where nothing can be said.

    Examples
    --------
    >>> low, high = tail_bounds(np.random.default_rng(0).normal(size=2000))
    >>> bool(-15 < low < -4.5 and 4.5 < high < 15)
    True
    """
    ordered = np.sort(values)
    rest = _without_dominant(ordered)
    if len(rest) < _FEWEST or _n_levels(rest) < _FEWEST_LEVELS:
        return -np.inf, np.inf
    wanted = _CHANCE / max(n_rows or 0, len(ordered))
    spread = _spread_ties(rest)
    low, high = -_upper_bound(-spread[::-1], wanted), _upper_bound(spread, wanted)
    if len(rest) < len(ordered):  # the value set aside is the column's own
        own = np.setdiff1d(ordered, rest)
        return min(low, own.min()), max(high, own.max())
    return low, high


def _n_levels(ordered):
    return 1 + int(np.count_nonzero(np.diff(ordered)))


def _upper_bound(ordered, wanted):
    """Bound above, of sorted values."""
    depth = max(int(np.log2(len(ordered) / _LEFT)), 2) + 1
    letters = np.quantile(ordered, 1.0 - 0.5 ** np.arange(1, depth + 1))
    steps = np.diff(letters)
    for place in range(1, len(steps)):  # a flat column's steps halve; only heaped numbers make them shrink faster
        steps[place] = max(steps[place], 0.5 * steps[place - 1])
    last, shape = _followed(steps, len(ordered))
    if last is None:
        return np.inf
    halvings = max(np.log2(0.5 ** (last + 2) / wanted), 0.0)
    with np.errstate(over="ignore"):
        return letters[last + 1] + steps[last] * 2.0**shape * (2.0 ** (shape * halvings) - 1.0) / (2.0**shape - 1.0)


def _followed(steps, count):
    """Last step that is still the tail's own, and the growth a halving there; None where there is no tail."""
    if steps[0] <= 0 or np.any(steps <= 0):
        steps = steps[: int(np.argmax(steps <= 0))]
    if not len(steps):
        return None, 0.0
    shape, weight, shapes = 0.0, 0.0, [0.0]
    for place in range(1, len(steps)):
        growth, left = np.log2(steps[place] / steps[place - 1]), count * 0.5 ** (place + 1)
        limit = max(shape, 0.0) + _LEAP if place > 1 else _FIRST
        if growth > limit + _NOISE * 1.44 * np.sqrt(3.0 / left):
            sound = max(place - 2, 0)  # the step before a leap is partly foreign already
            return sound, max(shapes[sound], 0.0) + _LIGHTEST
        shape, weight = (shape * weight + growth * left) / (weight + left), 0.5 * (weight + left)
        shapes.append(shape)
    return len(steps) - 1, max(shape, 0.0) + _LIGHTEST


def _spread_ties(ordered):
    """Equal numbers spread evenly over the gap to the nearest other one: counts as if they were measured."""
    levels, first, counts = np.unique(ordered, return_index=True, return_counts=True)
    if len(levels) < 2 or len(levels) == len(ordered):
        return ordered
    gaps = np.diff(levels)
    width = np.minimum(np.append(gaps, gaps[-1]), np.insert(gaps, 0, gaps[0]))
    place = (np.arange(len(ordered)) - np.repeat(first, counts) + 0.5) / np.repeat(counts, counts) - 0.5
    return ordered + np.repeat(width, counts) * place


def _without_dominant(ordered):
    """Without the value that holds much of the column, if there is one."""
    if not len(ordered):
        return ordered
    places = np.linspace(0, len(ordered) - 1, 12).astype(int)
    for value in np.unique(ordered[places]):
        first, last = np.searchsorted(ordered, value), np.searchsorted(ordered, value, side="right")
        if last - first >= _DOMINANT * len(ordered):
            return np.concatenate([ordered[:first], ordered[last:]])
    return ordered


def strange_sign(values):
    """Whether the few negative numbers of a column look like positive ones whose sign was flipped.

    A tail that passes zero brings small negative numbers first; flipped ones are as large as the positive ones.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> lengths = rng.normal(50, 10, 500)
    >>> strange_sign(np.append(lengths, [-48, -51, -60])), strange_sign(rng.normal(10, 5, 500))
    (True, False)
    """
    negative, positive = -values[values < 0], values[values > 0]
    if not 0 < len(negative) <= _FLIPPED * len(values) or len(positive) < 0.5 * len(values):
        return False
    return bool(np.median(negative) >= np.quantile(positive, 0.25) and negative.min() > 0.1 * np.quantile(positive, 0.1))
