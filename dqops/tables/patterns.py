"""The build of a text: which characters stand where, and how numbers are written."""

_FEW = 0.15  # share of numbers without a point that may be slips


def pattern_of(texts):
    """The build of each text: letters as A, digits as 9, other characters as they are; cut at 40 characters.

    >>> import polars as pl
    >>> pattern_of(pl.Series(["MA-01907", "ny 12"])).to_list()
    ['AA-99999', 'AA 99']
    """
    return texts.str.slice(0, 40).str.replace_all(r"\d", "9").str.replace_all(r"\pL", "A")


def without_runs(patterns):
    """Patterns in which a number of any length is one 9.

    >>> import polars as pl
    >>> without_runs(pl.Series(["A99A9"])).to_list()
    ['A9A9']
    """
    return patterns.str.replace_all("9+", "9")


def writes_no_point(texts):
    """Which texts are whole numbers written without a decimal point."""
    return texts.str.contains(r"^\s*[-+]?\d+\s*$").fill_null(False)


def point_habit(texts):
    """Whether whole numbers, too, are written with a point and zeros (800.0), and hardly ever without.

    >>> import polars as pl
    >>> point_habit(pl.Series(["800.0", "12.5", "5.0", "3.0", "2.2", "7.0", "9.1", "55"]))
    True
    >>> point_habit(pl.Series(["800", "12.5", "5", "3", "2.2", "7", "9.1", "55"]))
    False
    """
    if not len(texts):
        return False
    bare = int(writes_no_point(texts).sum())
    if bare == 0 or bare > _FEW * len(texts):
        return False
    pointed = int(texts.str.contains(r"^\s*[-+]?\d+\.0+\s*$").sum())
    return pointed > bare
