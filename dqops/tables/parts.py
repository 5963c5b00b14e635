"""What is odd about the parts that columns play: said at the door, so that no part is guessed in silence."""

import polars as pl

from dqops.tables.meaning import meaning_of


def doubts_of_roles(table, roles):
    """A sentence for each of these roles whose column does not say what the role needs.

    Parameters
    ----------
    table : Table
    roles : collection of str
        The roles that were just given.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from dqops.tables.table import Table
    >>> frame = pl.DataFrame({"w": [1.0, None], "y": [0, 1]})
    >>> doubts_of_roles(Table(frame, frame, pl.Series([0, 1])).with_roles(weight="w"), ["weight"])
    ["1 of 2 rows have no weight in 'w': each counts 1"]
    """
    ways = {"weight": _of_weight, "trusted": _of_trusted, "time": _of_time}
    return [said for role, way in ways.items() if role in roles and table.n_rows and (said := way(table, getattr(table.roles, role)))]


def _of_weight(table, name):
    numbers = table.frame[name].cast(pl.Float64, strict=False).fill_nan(None)
    empty = numbers.null_count()
    return f"{empty} of {table.n_rows} rows have no weight in {name!r}: each counts 1" if 0 < empty < table.n_rows else None


def _of_trusted(table, name):
    return None if table.trusted().any() else f"no row is marked in {name!r} (by true, yes, y, t or 1): none is taken as trusted"


def _of_time(table, name):
    cells = table.frame[name]
    empty = cells.null_count()
    if cells.dtype == pl.String and meaning_of(name, table.raw[name], cells).kind not in ("date", "number"):
        return f"the time {name!r} holds text that is no date and no number: rows go forward in its alphabet"
    return f"{empty} of {table.n_rows} rows have no time in {name!r}: they come first" if empty else None
