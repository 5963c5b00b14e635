"""What a verb was given beside the table: settings that can be, and other tables that fit it."""

from dataclasses import replace
from math import isnan
from numbers import Integral, Real

import polars as pl

from dqops.errors import DataError, OptionError
from dqops.propagation.effort import EFFORTS
from dqops.tables.cells import in_type_of
from dqops.tables.contents import listed
from dqops.tables.io import read

ROLES = ("target", "key", "time", "group", "weight", "trusted")


def check_settings(*, effort, seed, n_jobs, max_seconds):
    """Raise `OptionError` for the first setting that cannot be.

    >>> check_settings(effort="quick", seed=0, n_jobs=1, max_seconds=None)
    """
    if effort not in EFFORTS:
        raise OptionError("effort", effort, "one of " + ", ".join(EFFORTS))
    if not isinstance(seed, Integral) or seed < 0:
        raise OptionError("seed", seed, "an integer of 0 or more")
    if not isinstance(n_jobs, Integral) or n_jobs < 1:
        raise OptionError("n_jobs", n_jobs, "an integer of 1 or more")
    if max_seconds is not None and (not isinstance(max_seconds, Real) or isnan(max_seconds) or max_seconds <= 0):
        raise OptionError("max_seconds", max_seconds, "a number of seconds above 0")


def holdout_of(source, table):
    """The rows that judge, with the columns and types of `table`; and what had to be changed for that.

    Parameters
    ----------
    source : what `read` takes
    table : Table
        Its roles hold for the rows that judge, too.

    Returns
    -------
    Table, tuple of str

    Raises
    ------
    DataError
        Where a feature or the target is missing.
    """
    held = _read_beside(source, table, "the holdout")
    if table.roles.target is not None and table.roles.target not in held.columns:
        raise DataError(f"the holdout has no target {table.roles.target!r}", "the columns of the table")
    absent = [name for name in table.features if name not in held.columns]
    if absent:
        raise DataError(f"the holdout has no column {listed(absent)}", "the columns of the table")
    held, said = _typed(held, table)
    _check_target(held, table)
    extra = [name for name in held.features if name not in table.features]
    if extra:
        held = held.with_roles(ignored=(*held.roles.ignored, *extra))
        said.append(f"the holdout holds {listed(extra)}, which the table does not: left out")
    return replace(held, flavour=table.flavour), (*held.warnings, *said)


def reference_of(source, table):
    """The rows that drift is judged against, and what of the table they lack.

    Parameters and returns are those of `holdout_of`; columns may be missing.
    """
    known = _read_beside(source, table, "the reference")
    absent = [name for name in table.searched if name not in known.columns]
    if len(absent) == len(table.searched):
        raise DataError("the reference has no column of the table", "one or more")
    said = [f"the reference has no column {listed(absent)}: its drift is not judged"] if absent else []
    return known, (*known.warnings, *said)


def roles_of(table):
    """The roles of a table as settings tell them: those that are given, and what is ignored.

    >>> roles_of(read(pl.DataFrame({"a": [1], "y": [0]}), target="y"))
    {'target': 'y', 'ignore': []}
    """
    given = {role: column for role in ROLES if (column := getattr(table.roles, role)) is not None}
    return given | {"ignore": list(table.roles.ignored)}


def _read_beside(source, table, name):
    """Another table with those roles and ignored columns of `table` that it has."""
    other = read(source)
    named = {role: column for role in ROLES if (column := getattr(table.roles, role)) in other.columns}
    ignored = [column for column in table.roles.ignored if column in other.columns]
    return replace(read(other, ignore=ignored, **named), name=name)


def _check_target(held, table):
    """Rows that judge need a target that differs, and labels that the model can know."""
    if table.roles.target is None:
        return
    known = held.target().drop_nulls()
    if known.n_unique() < 2:
        came = f"the target of the holdout holds one value in {len(known)} rows" if len(known) else "no row of the holdout has a known target"
        raise DataError(came, "two or more rows that differ")
    if not known.dtype.is_numeric() and not known.is_in(table.target().drop_nulls().implode()).any():
        raise DataError("no label of the holdout is a label of the table", "the same labels in both")


def _typed(other, table):
    """`other` with cells in the types of `table` where the two cannot be compared, and a sentence on each."""
    changed, said = [], []
    for name in [*table.features, *([] if table.roles.target is None else [table.roles.target])]:
        cells, model = other.frame[name], table.frame[name]
        if cells.dtype == model.dtype or (cells.dtype.is_numeric() and model.dtype.is_numeric()) or not cells.is_not_null().any():
            continue
        fresh = in_type_of(cells, model)
        lost = fresh.null_count() - cells.null_count()
        if fresh.null_count() == len(fresh):
            raise DataError(f"{other.name} holds {_kind(cells)} in {name!r} and the table {_kind(model)}", "the same in both")
        changed.append(fresh.alias(name))
        said.append(f"{name!r} is of another type in {other.name} than in the table" + (f": {lost} cells that do not fit are empty" if lost else ""))
    return (other.with_columns(*changed) if changed else other), said


def _kind(cells):
    return "numbers" if cells.dtype.is_numeric() else "text" if cells.dtype == pl.String else str(cells.dtype)
