"""The frame that a user gave, changed as a plan says and changed back: cells of any dtype, untouched ones as they were.

A `Table` holds cells of a few plain dtypes; the frame that it was read from may hold categories, decimals, time zones,
both NaN and null. What a plan changes there is kept in the frame's own dtypes, so that undoing is exact.
"""

import json

import numpy as np
import polars as pl

from dqops.tables.cells import row_places
from dqops.tables.exact import dtype_named, values_of
from dqops.tables.own_polars import OwnPolars

_META = "meta.json"


def own_of(frame):
    """What knows how to handle that kind of frame."""
    if isinstance(frame, pl.DataFrame):
        return OwnPolars
    # Late: who brings a pandas frame has pandas loaded, the others need not wait for it.
    from dqops.tables.own_pandas import OwnPandas

    return OwnPandas


def given_applied(table, fresh, plan, keep):
    """The user's frame with the changes of the plan, or None where the table was not read from one.

    Parameters
    ----------
    table : Table
        As it was before.
    fresh : dict of str to polars.Series
        The changed columns of its raw cells, all rows.
    plan : CleaningPlan
    keep : int64 (n_kept,)
        Positions of the rows that stay.
    """
    if table.given is None:
        return None
    own = own_of(table.given)
    changed = patched(own, table.given, table, fresh, plan)
    return changed if len(keep) == table.n_rows else own.take(changed, keep)


def patched(own, frame, table, fresh, plan):
    """A frame of a stated kind with the plan's cells changed, all its rows still there."""
    return own.with_columns(frame, _changed_columns(own, frame, table, fresh, plan))


def rewritten_like(frame, place, before, after):
    """A column of the user's frame with what changed between two columns of plain cells, in its own dtype if it can be.

    Parameters
    ----------
    frame : frame of the user
    place : int
    before, after : polars.Series (n,)
    """
    own = own_of(frame)
    if before.dtype != after.dtype:
        return own.of_plain(after, frame)
    changed = np.flatnonzero(before.ne_missing(after).to_numpy())
    column = own.column(frame, place)
    return own.rewritten(column, changed, after.gather(changed)) if len(changed) else column


def given_kept(own, frame, table, fresh, plan):
    """What `given_undone` needs beyond the plan's own cells, as bytes by name.

    Parameters
    ----------
    own : type
        Of `own_of`.
    frame : frame
        Of that kind, which the table was read from.
    table, fresh, plan
        As for `given_applied`.
    """
    kept, meta = {}, {"columns": {}, **own.describe(frame)}
    for place, column in _changed_columns(own, frame, table, fresh, plan).items():
        name = table.columns[place + _offset(own, frame, table)]
        old = own.column(frame, place)
        whole = not own.same_type(old, column)
        lines = np.sort(_places_of(table, plan, name))
        kept[f"c{place}.bin"] = own.pack(old if whole else own.take_column(old, lines))
        meta["columns"][name] = {"place": place, "rows": None if whole else lines.tolist()}
    if plan.dropped.height:
        kept["rows.bin"] = own.pack_rows(own.take(frame, plan.dropped["position"].to_numpy()))
        meta["rows"] = plan.dropped["position"].to_list()
    kept[_META] = json.dumps(meta).encode()
    return {f"{own.name}.{name}": data for name, data in kept.items()}


def given_undone(table, plan, part, rest, back, order):
    """The user's frame with the changes of `part` taken back, or None where there is none, or nothing was kept of it.

    Parameters
    ----------
    table : Table
        As it was before, with the frame in `given`.
    plan, part, rest : CleaningPlan
        The whole plan, what of it is taken back, and what stays.
    back : polars.Series of bool
        Which of the dropped rows of `part` come back.
    order : int64 (n_rows,)
        The order of all rows then, those of the table first; empty where none comes back.
    """
    if table.given is None:
        return None
    own = own_of(table.given)
    return taken_back(own, table.given, table, plan, part, rest, back, order)


def taken_back(own, frame, table, plan, part, rest, back, order):
    """The same for a frame of a stated kind, None where the plan kept nothing of it."""
    if f"{own.name}.{_META}" not in plan.kept:
        return None
    meta = json.loads(plan.kept[f"{own.name}.{_META}"])
    numbers = _numbers_before(table, plan)
    if numbers is None:
        return None
    columns = {}
    for name in part.types:
        said = meta["columns"][name]
        kept = own.unpack(plan.kept[f"{own.name}.c{said['place']}.bin"])
        known = np.arange(plan.data["rows"]) if said["rows"] is None else np.asarray(said["rows"], dtype=np.int64)
        columns[said["place"]] = _column_back(own, own.column(frame, said["place"]), kept, known, numbers, table, name, part, rest)
    changed = own.with_columns(frame, columns)
    if len(order):
        kept, place = own.unpack_rows(plan.kept[f"{own.name}.rows.bin"]), {number: at for at, number in enumerate(meta["rows"])}
        chosen = [place[number] for number in part.dropped["position"].filter(back)]
        changed = own.rows_back(changed, own.take(kept, np.asarray(chosen, dtype=np.int64)), order)
    return own.as_described(changed, meta) if not len(rest) else changed


def _column_back(own, column, kept, known, numbers, table, name, part, rest):
    """One column with the cells of `part` as they were; of the dtype it had, where that can be."""
    lines = part.changes.filter(pl.col("column") == name)
    here = row_places(table.row_ids, lines["row"])
    old = own.take_column(kept, np.searchsorted(known, numbers[here]))
    if own.same_type(column, kept):
        return own.put(column, here, old)
    if name in rest.types:
        narrow = own.cast_like(old, column)
        if narrow is not None:
            return own.put(column, here, narrow)
        still = rest.changes.filter(pl.col("column") == name)
        there = row_places(table.row_ids, still["row"])
        values = values_of(still["after"], dtype_named(part.types[name]["after"]))
        return own.rewritten(own.take_column(kept, numbers), there, values)
    return own.take_column(kept, numbers)


def _changed_columns(own, frame, table, fresh, plan):
    """The columns of the frame that the plan changes, changed, by their places."""
    offset, columns = _offset(own, frame, table), {}
    for name, cells in fresh.items():
        place = table.columns.index(name) - offset
        if place < 0:
            continue  # the index of the frame plays this column's part
        said = plan.types[name]
        if said["before"] != said["after"]:
            columns[place] = own.of_plain(cells, frame)
            continue
        lines = plan.changes.filter(pl.col("column") == name)
        columns[place] = own.rewritten(own.column(frame, place), _places_of(table, plan, name), values_of(lines["after"], dtype_named(said["after"])))
    return columns


def _offset(own, frame, table):
    """1 where the frame's index became the first column of the table, else 0."""
    return len(table.columns) - own.width(frame)


def _places_of(table, plan, name):
    return row_places(table.row_ids, plan.changes.filter(pl.col("column") == name)["row"])


def _numbers_before(table, plan):
    """Positions that the rows of the table had before, or None where they are not all there."""
    gone = plan.dropped["position"].to_numpy()[row_places(table.row_ids, plan.dropped["row"]) < 0]
    left = np.setdiff1d(np.arange(plan.data["rows"]), gone)
    return left if len(left) == table.n_rows else None
