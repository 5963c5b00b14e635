"""Reading: any common source in, a `Table` out."""

from dataclasses import replace

import polars as pl

from dqops.errors import SourceError, UnknownColumnError
from dqops.tables.contents import column_name
from dqops.tables.parts import doubts_of_roles
from dqops.tables.sources import contents_of
from dqops.tables.table import Table


def read(
    source,
    *,
    target=None,
    key=None,
    time=None,
    group=None,
    ignore=(),
    weight=None,
    trusted=None,
    query=None,
    encoding=None,
    delimiter=None,
):
    """A `Table` of what stands in `source`, with the roles of its columns.

    Parameters
    ----------
    source : str, path, frame or Table
        A file (CSV in any dialect, also compressed, Parquet, Arrow, Feather, JSON, JSON Lines, Excel, SQLite,
        DuckDB), a folder or glob of Parquet files, ``-`` for standard input, the address of a database, the name
        of a registered data set (``dataset:beers/dirty``), a pandas or polars frame, or a table (its roles are
        replaced by those given).
    target, key, time, group, weight, trusted : str, optional
        Columns by role, see `Roles`. A name that differs from one column in case only is taken for it; a name in
        levels, as pandas has them, is joined by dots.
    ignore : sequence of str
        Columns that nobody looks at.
    query : str, optional
        What to ask a database for.
    encoding, delimiter : str, optional
        Of text; guessed where they are not given.

    Returns
    -------
    Table
        Row ids are the key, or else an index that the source carries, or else positions from 0. What reading had
        to decide stands in its `warnings`.

    Raises
    ------
    SourceError, OptionError, UnknownColumnError, MissingExtraError
        In one sentence.

    Examples
    --------
    >>> table = read(pl.DataFrame({"Age": [31, None], "who": ["x", "y"]}), target="age", key="who")
    >>> table.roles.target, table.row_ids.to_list(), table.warnings
    ('Age', ['x', 'y'], ("target 'age' is taken for the column 'Age'",))
    """
    named = {"target": target, "key": key, "time": time, "group": group, "weight": weight, "trusted": trusted}
    named = {role: column_name(name) for role, name in named.items() if name is not None}
    ignore = [ignore] if isinstance(ignore, str) else [str(name) for name in ignore]
    if isinstance(source, Table):
        return _with_roles(source, named, ignore)
    contents, name = contents_of(source, query=query, encoding=encoding, delimiter=delimiter)
    if not contents.frame.width:
        raise SourceError(name, "it has no columns", "a table with columns")
    wanted = {*named.values(), *ignore}
    if contents.rows is not None and contents.rows.name in wanted - set(contents.frame.columns):
        contents = replace(contents.with_column(contents.rows), rows=None)  # an index that plays a role is a column
    rows = contents.rows
    if rows is None:
        rows = pl.int_range(contents.frame.height, eager=True)
    flavour = "polars" if isinstance(source, (pl.DataFrame, pl.LazyFrame)) else "pandas"
    table = Table(contents.frame, contents.raw, rows.alias("row"), name=name, flavour=flavour, warnings=contents.warnings, given=_own(source))
    return _with_roles(table, named, ignore)


def _own(source):
    """The user's frame, safe from later changes in place; None for any other source."""
    if isinstance(source, pl.DataFrame):
        return source.clone()
    pandas = any(kind.__module__.startswith("pandas") and kind.__name__ == "DataFrame" for kind in type(source).__mro__)
    return source.copy(deep=False) if pandas else None


def _with_roles(table, named, ignore):
    """The table with these roles in place of its old ones, and its key as row ids."""
    warnings = list(table.warnings)
    found = {role: _column(role, name, table, warnings) for role, name in named.items()}
    if ignore:
        found["ignored"] = tuple(_column("ignore", name, table, warnings) for name in ignore)
    elif found.get("target") in table.roles.ignored:
        found["ignored"] = tuple(name for name in table.roles.ignored if name != found["target"])
    table = replace(table, roles=replace(table.roles, **found))
    table = replace(table, warnings=(*warnings, *doubts_of_roles(table, found)))
    return _keyed(table) if "key" in found else table


def _column(role, name, table, warnings):
    """The column that is meant: of that name, or the only one that differs in case alone."""
    if name in table.columns:
        return name
    alike = [column for column in table.columns if column.casefold() == name.casefold()]
    if len(alike) != 1:
        raise UnknownColumnError(role, name, table.columns, table.name)
    warnings.append(f"{role} {name!r} is taken for the column {alike[0]!r}")
    return alike[0]


def _keyed(table):
    """The table with its key as row ids, or a warning where the key does not tell rows apart."""
    key = table.roles.key
    cells, text = table.frame[key], table.raw[key]
    if text.dtype == pl.String and cells.dtype == pl.Int64 and (cells.cast(pl.String) != text).any():
        cells = text  # leading zeros belong to an id
    whole = cells.dtype.is_integer() or (cells.dtype.is_float() and (cells == cells.round()).all())
    ids = cells.cast(pl.Int64 if whole else pl.String, strict=False).alias("row")
    empty, repeated = ids.null_count(), len(ids) - ids.n_unique()
    if not empty and not repeated:
        return replace(table, row_ids=ids)
    came = "has empty cells" if empty else "repeats itself"
    said = f"the key {key!r} {came} ({empty or repeated} of {len(ids)} rows): rows are numbered from 0 instead"
    return replace(table, warnings=(*table.warnings, said))
