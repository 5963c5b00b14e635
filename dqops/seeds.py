"""One seed in, one random stream per name out."""

from zlib import crc32

import numpy as np


def stream(seed, name):
    """The random stream that belongs to `name`, whatever else runs beside it.

    Parameters
    ----------
    seed : int
        The user's seed, 0 or more.
    name : str
        What the numbers are for, such as ``"splits:3"``.

    Returns
    -------
    numpy.random.Generator

    Examples
    --------
    >>> bool(stream(0, "folds").random() == stream(0, "folds").random())
    True
    >>> bool(stream(0, "folds").random() == stream(0, "worlds").random())
    False
    """
    return np.random.default_rng([seed, crc32(name.encode())])


def draw_seed(seed, name):
    """A whole number for libraries that want one, below 2**31.

    >>> draw_seed(0, "forest") == draw_seed(0, "forest")
    True
    """
    return int(stream(seed, name).integers(2**31))
