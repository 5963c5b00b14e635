"""Words and numbers that stand for a missing value."""

import numpy as np
import polars as pl

from dqops.tables.recorded import READ_AS_MISSING

# Whatever the column, nobody means these as values.
ALWAYS_MISSING = frozenset(
    [
        "na", "n/a", "n.a.", "n.a", "nan", "null", "<na>", "#n/a", "#na", "#n/a n/a", "nat", "<null>", "(null)", "?", "??",
        "???", "-", "--", "---", "_", ".", "..", "...", "missing", "unknown", "unk", "not available", "not applicable",
        "not known", "not given", "not specified", "unspecified", "undefined", "tbd", "no data", "no value", "no answer",
        "#value!", "#ref!", "#div/0!", "#null!", "#num!", "-nan", "1.#qnan", "-1.#ind", "1.#ind", "-1.#qnan",
    ]
)  # fmt: skip
# Missing beside numbers and dates, but a value of its own in a column of words ("debtors: none").
MISSING_BESIDE_NUMBERS = frozenset(["none", "nil", "empty", "x", "xx", "xxx", "*", "**", "#", "blank", "n", "void"])
EMPTY_WORDS = ALWAYS_MISSING | MISSING_BESIDE_NUMBERS | {""}

_READ_AS_MISSING = frozenset(READ_AS_MISSING)
_A_FEW = 500
_LOOKED_AT = 20_000  # numbers that show how the column is spread
_ISOLATED = 3.0  # times the spread of the rest between a sentinel and the nearest other value
_TIMES = 5.0  # and above a column without negative numbers, this many times the largest other value
_CONVENTIONAL = {-1.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, -1e30, 1e30, -32768.0, 32767.0, -2147483648.0, 2147483647.0}


def is_missing_word(texts, beside_numbers):
    """Which texts stand for a missing value (blank ones are not asked).

    Parameters
    ----------
    texts : polars.Series of String
    beside_numbers : bool
        The other cells are numbers or dates.

    Returns
    -------
    polars.Series of Boolean
    """
    words = ALWAYS_MISSING | MISSING_BESIDE_NUMBERS if beside_numbers else ALWAYS_MISSING
    if len(texts) <= _A_FEW:  # plain Python is quicker than the start of a vectorised query
        answers = [text in _READ_AS_MISSING or text.strip().lower() in words for text in texts.fill_null("").to_list()]
        return pl.Series(answers, dtype=pl.Boolean) & (texts.fill_null("") != "")
    lowered = texts.str.strip_chars().str.to_lowercase()
    return (lowered.is_in(list(words)) | texts.is_in(READ_AS_MISSING)).fill_null(False) & (lowered != "").fill_null(False)


def sentinels(values):
    """Numbers that stand for missing: extreme, far from all the rest, said again and again, or made of nines.

    Parameters
    ----------
    values : float64 (n,)
        Known numbers of a column, finite.

    Returns
    -------
    list of float
        At most one below and one above.

    Examples
    --------
    >>> sentinels(np.array([3.0, 5.0, 8.0, 2.0, 4.0, -9999999.0, 6.0, 5.0, 7.0, 3.0]))
    [-9999999.0]
    >>> sentinels(np.array([3.0, 5.0, 8.0, 2.0, 4.0, 30.0, 6.0, 5.0, 7.0, 3.0]))
    []
    """
    if len(values) < 8:
        return []
    return [float(value) for value in (values.min(), values.max()) if _looks_conventional(value) and _is_isolated(value, values)]


def _looks_conventional(value):
    """Made of one digit nine, or a number that programs use for missing."""
    if value in _CONVENTIONAL:
        return True
    digits = f"{abs(value):.0f}" if abs(value) < 1e15 else ""
    return float(value).is_integer() and len(digits) >= 2 and set(digits) == {"9"}


def _is_isolated(value, values):
    """Far from the nearest other value, against the spread of the others, also where those are skewed."""
    others = values[values != value]
    if len(others) < max(5, 0.01 * len(values)):
        return False
    least, most = others.min(), others.max()
    nearest = most if value > most else least
    low, high = np.quantile(others[:: max(1, len(others) // _LOOKED_AT)], [0.01, 0.99])
    spread = max(high - low, np.abs(others).max() * 1e-3, 1e-12)
    gap = abs(value - nearest)
    if value < -1.0 and least >= 0:  # nothing else is negative, and this is said by convention
        return True
    if value > 0 and least >= 0:  # heavy tails grow by factors, not by steps
        return gap > _ISOLATED * spread and value > _TIMES * nearest
    if value == -1.0:  # the mildest of all: only where no small number is at home
        return least >= 1.0 and np.median(others) >= 10.0
    return gap > _ISOLATED * spread
