"""The shape that most texts of a column share, as a regular expression."""

import re

_LOOKED_AT = 5_000
_SHARED = 0.9  # share of distinct texts from which a shape is the column's
_LONGEST = 12  # runs in a shape
_RUN = re.compile(r"[0-9]+|[A-Z]+|[a-z]+|.", re.DOTALL)
_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|()]")


def common_shape(texts):
    """Regular expression that most distinct texts match, or None where they share no shape.

    Digits, capitals and small letters may vary within the lengths seen, all else is as it stands. Words and
    sentences have no shape: one needs a digit or a sign.

    Parameters
    ----------
    texts : polars.Series of String

    Examples
    --------
    >>> import polars as pl
    >>> common_shape(pl.Series(["AB-1", "CD-22", "EF-333", "x?"] * 3 + ["GH-4", "IJ-55", "KL-6", "MN-7", "OP-8", "QR-9"]))
    '^[A-Z]{2}-[0-9]{1,3}$'
    >>> common_shape(pl.Series(["red", "green"])) is None
    True
    """
    distinct = texts.drop_nulls().unique(maintain_order=True).head(_LOOKED_AT)
    if distinct.is_empty():
        return None
    folded = distinct.str.replace_all("[0-9]+", "9").str.replace_all("[A-Z]+", "A").str.replace_all("[a-z]+", "a")
    counts = folded.alias("shape").value_counts(sort=True)
    shape, count = counts.row(0)
    runs = _RUN.findall(shape)
    if count < _SHARED * len(distinct) or len(runs) > _LONGEST or not shape.isascii() or not shape or shape.replace(" ", "").isalpha() or " a" in shape:
        return None
    alike = [_RUN.findall(text) for text in distinct.filter(folded == shape).to_list()]
    lengths = zip(*([len(run) for run in text] for text in alike), strict=True)
    parts = [_part(run, min(seen), max(seen)) for run, seen in zip(runs, map(list, lengths), strict=True)]
    return f"^{''.join(parts)}$"


def _part(run, shortest, longest):
    letters = {"9": "[0-9]", "A": "[A-Z]", "a": "[a-z]"}.get(run)
    if letters is None:
        return _SPECIAL.sub(r"\\\g<0>", run)
    if (shortest, longest) == (1, 1):
        return letters
    return f"{letters}{{{shortest}}}" if shortest == longest else f"{letters}{{{shortest},{longest}}}"
