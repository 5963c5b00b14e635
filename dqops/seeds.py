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


def keyed_uniforms(seed, name, keys):
    """One number in [0, 1) for each key: a key's number does not depend on which other keys are asked for.

    What is compared on common random numbers is drawn with these, such as worlds that share all doubts but one.

    Parameters
    ----------
    seed : int
        The user's seed, 0 or more.
    name : str
        What the numbers are for, such as ``"world:3"``.
    keys : uint64 (n,)

    Returns
    -------
    float64 (n,)

    References
    ----------
    The bits are mixed as in Steele, Lea, Flood 2014, OOPSLA, fast splittable generators. doi:10.1145/2660193.2660195

    Examples
    --------
    >>> keys = np.array([7, 8, 9], dtype=np.uint64)
    >>> keyed_uniforms(0, "worlds", keys)[1:].tolist() == keyed_uniforms(0, "worlds", keys[1:]).tolist()
    True
    """
    base = stream(seed, name).integers(2**64, size=2, dtype=np.uint64)
    mixed = _mixed(_mixed(np.asarray(keys, dtype=np.uint64) + base[0]) ^ base[1])
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(bits):
    """Whole numbers of 64 bits, one to one, with every bit a function of all bits."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
