"""A table as a person reads it: numbers that are numbers, and nothing where a cell stands for nothing."""

import polars as pl

from dqops.tables.meaning import meaning_of


def as_read(table, like=None):
    """A copy whose features are typed as a person reads them.

    A column of numbers becomes Float64, and empty where a cell is unreadable or infinite; in all columns a word that
    stands for missing becomes an empty cell.

    Parameters
    ----------
    table : Table
    like : Table, optional
        Columns are read as they are read there: for holdout rows, which may be too few to tell.

    Examples
    --------
    >>> from dqops.tables.io import read
    >>> table = as_read(read(pl.DataFrame({"size": ["1", "2", "N/A", "3.5", "x", "4"], "y": [0, 1, 0, 1, 1, 0]}), target="y"))
    >>> table.frame["size"].to_list()
    [1.0, 2.0, None, 3.5, None, 4.0]
    """
    columns = []
    for name in table.features:
        meaning = table.meanings[name]
        kind = meaning.kind if like is None or name not in like.meanings else like.meanings[name].kind
        if kind != meaning.kind:
            meaning = meaning_of(name, table.raw[name], table.frame[name], kind)
        if kind == "number":
            numbers = meaning.values.cast(pl.Float64, strict=False)
            columns.append(numbers.set(~numbers.is_finite().fill_null(True), None).alias(name))
        elif meaning.disguised.any():
            columns.append(table.frame[name].set(pl.Series(meaning.disguised), None))
    return table.with_columns(*columns) if columns else table
