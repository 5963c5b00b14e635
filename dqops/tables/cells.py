"""Writing into copies of columns, in the type that the column was recorded in."""

import numpy as np
import polars as pl

from dqops.tables.meaning import meaning_of


def as_numbers(table, column):
    """The column as a person reads it in numbers: Float64, null where a cell is empty or unreadable."""
    recorded = table.frame[column]
    if recorded.dtype.is_numeric():
        return recorded.cast(pl.Float64).alias(column)
    return meaning_of(column, table.raw[column], recorded).values.cast(pl.Float64, strict=False).alias(column)


def written(recorded, positions, values):
    """A copy of `recorded` with `values` at `positions`, in the same dtype where the values allow it.

    Parameters
    ----------
    recorded : polars.Series (n,)
    positions : int64 (m,)
    values : polars.Series (m,) or None
        None empties the cells. Null leaves a cell as it is.

    Examples
    --------
    >>> written(pl.Series("a", ["x", "y"]), np.array([1]), pl.Series([3.0])).to_list()
    ['x', '3']
    >>> written(pl.Series("a", [1, 2]), np.array([0]), None).to_list()
    [None, 2]
    """
    positions = np.asarray(positions, dtype=np.int64)
    if not len(positions):
        return recorded
    if values is None:
        mask = np.zeros(len(recorded), dtype=bool)
        mask[positions] = True
        return recorded.set(pl.Series(mask), None)
    values = in_type_of(values, recorded)
    held = values.is_not_null().to_numpy()
    return recorded.clone().scatter(positions[held], values.filter(pl.Series(held)))


def leaving_classes(labels, positions, values=None, least=5):
    """Which changes of labels leave every class as many rows as `least`, or as it has: the others would empty a class.

    Parameters
    ----------
    labels : polars.Series (n,)
    positions : int64 (m,)
        Rows that change.
    values : polars.Series (m,), optional
        Their new labels; None where the rows are left out.
    least : int

    Returns
    -------
    bool (m,)

    Examples
    --------
    >>> labels = pl.Series(["a", "b", "a", "a", "b", "c"])
    >>> leaving_classes(labels, np.array([1, 4, 0]), pl.Series(["a", "a", "c"]), least=1).tolist()
    [False, False, True]
    """
    after = labels.filter(~pl.Series(np.isin(np.arange(len(labels)), positions))) if values is None else written(labels, positions, values)
    counts = labels.drop_nulls().value_counts(name="held")
    left = counts.join(after.drop_nulls().value_counts(name="left"), on=labels.name, how="left")
    emptied = left.filter(pl.col("left").fill_null(0) < pl.min_horizontal("held", least))[labels.name]
    return ~labels.gather(positions).is_in(emptied.implode()).fill_null(False).to_numpy()


def in_type_of(values, recorded):
    """`values` in the dtype of `recorded`: numbers become text without a trailing ``.0``, text is parsed.

    >>> in_type_of(pl.Series([1.0, 2.5]), pl.Series(["a"])).to_list()
    ['1', '2.5']
    """
    if values.dtype == recorded.dtype:
        return values
    if recorded.dtype == pl.String and values.dtype.is_float():
        return number_text(values)
    if recorded.dtype == pl.Boolean and values.dtype == pl.String:
        return values.str.to_lowercase().replace_strict({"true": True, "false": False}, default=None)
    if recorded.dtype.is_integer():
        return values.cast(pl.Float64, strict=False).round().cast(recorded.dtype, strict=False)
    return values.cast(recorded.dtype, strict=False)


def row_places(ids, rows):
    """Position of each of `rows` among the row ids, -1 for those that are not there.

    >>> row_places(pl.Series(["x", "y"]), pl.Series(["y", "z"])).tolist()
    [1, -1]
    """
    known = pl.DataFrame({"row": ids, "place": np.arange(len(ids), dtype=np.int64)})
    asked = pl.DataFrame({"row": rows.cast(ids.dtype, strict=False)})
    return asked.join(known, on="row", how="left", maintain_order="left")["place"].fill_null(-1).to_numpy()


def number_text(values):
    """Numbers as text, whole ones without a trailing ``.0``.

    >>> number_text(pl.Series([1.0, 2.5, None])).to_list()
    ['1', '2.5', None]
    """
    whole = (values == values.floor()) & (values.abs() < 1e15)
    return pl.select(
        pl.when(pl.lit(whole)).then(pl.lit(values).cast(pl.Int64, strict=False).cast(pl.String)).otherwise(pl.lit(values).cast(pl.String))
    ).to_series()
