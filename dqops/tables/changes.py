"""A plan's changes made in a table, and taken back from it, exactly."""

from dataclasses import replace

import numpy as np
import polars as pl

from dqops.errors import DataError
from dqops.tables.cells import in_type_of, row_places
from dqops.tables.exact import alike, dtype_named, texts_of, values_of
from dqops.tables.given import given_applied, given_kept, given_undone, own_of
from dqops.tables.recorded import record

_VERSION = pl.__version__


def holds_text(table, name):
    """Whether the column stands as text in the source, and is typed by whoever reads it."""
    return table.raw is not table.frame and table.raw[name].dtype == pl.String


def applied(table, plan):
    """The table with every change of the plan; see `CleaningPlan.apply`."""
    refuse_other(table, plan)
    fresh = fresh_columns(table, plan)
    keep = np.ones(table.n_rows, dtype=bool)
    keep[_places(table, plan.dropped["row"], plan)] = False
    changed = with_cells(table, fresh)
    if not keep.all():
        changed = _retyped(changed.take(np.flatnonzero(keep)), changed)
    return replace(changed, given=given_applied(table, fresh, plan, np.flatnonzero(keep)))


def keeping(table, plan):
    """The plan with what exact undoing needs of the frame that the table was read from, if it was."""
    if table.given is None:
        return plan
    fresh = fresh_columns(table, plan)
    return replace(plan, kept=plan.kept | given_kept(own_of(table.given), table.given, table, fresh, plan))


def fresh_columns(table, plan):
    """The changed columns as they stand in the source afterwards, all rows."""
    places, fresh = _places(table, plan.changes["row"], plan), {}
    for name, one in plan.types.items():
        hit = (plan.changes["column"] == name).to_numpy()
        values = values_of(plan.changes["after"].filter(pl.Series(hit)), dtype_named(one["after"]))
        fresh[name] = put(converted(table.raw[name], values.dtype), places[hit], values)
    return fresh


def undone(table, plan, part):
    """The table with the changes of `part` taken back, which is some of `plan`; see `CleaningPlan.undo`."""
    table, back, order = prepared_for_undoing(table, plan, part)
    rest = plan.less(part.changes, part.dropped, {*plan.types} - {*part.types})
    changed = with_cells(table, {name: _restored(table, name, plan, part, rest) for name in part.types})
    if len(order):
        changed = _with_rows(changed, part.cells.filter(back), part.dropped["row"].filter(back), order)
    return replace(changed, given=given_undone(table, plan, part, rest, back, order))


def prepared_for_undoing(table, plan, part):
    """The table under the row ids of the plan, which dropped rows of `part` come back, and the order of all rows then.

    Returns
    -------
    table : Table
    back : polars.Series of bool (n_dropped,)
    order : int64
        Rows of the table first; empty where none comes back.
    """
    table = _numbered_as_before(table, plan)
    return table, *_missing_rows(table, plan, part)


def with_cells(table, columns):
    """A copy of the table with these columns as they stand in the source; text is typed again as readers type it.

    Parameters
    ----------
    table : Table
    columns : dict of str to polars.Series
    """
    if not columns:
        return table
    raw = table.raw.with_columns(**columns)
    if table.raw is table.frame:
        return replace(table, frame=raw, raw=raw, given=None)
    return replace(table, frame=table.frame.with_columns(record(raw.select([*columns]))), raw=raw, given=None)


def read_again(train, test, columns):
    """Both tables with text columns of a source of text as numbers, where every cell of both now reads as one.

    Parameters
    ----------
    train, test : Table
        Parts of one table, repaired alike.
    columns : iterable of str
        Those that were repaired.
    """
    typed = ([], [])
    for name in sorted(one for one in columns if one in train.columns and holds_text(train, one)):
        cells = [part.frame[name] for part in (train, test)]
        if any(one.dtype != pl.String for one in cells):
            continue
        numbers = [converted(one, pl.Float64()) for one in cells]
        if all(one.null_count() == now.null_count() for one, now in zip(cells, numbers, strict=True)):
            for part, now in zip(typed, numbers, strict=True):
                part.append(now.alias(name))
    return tuple(part.with_columns(*fresh) if fresh else part for part, fresh in zip((train, test), typed, strict=True))


def converted(cells, dtype):
    """The cells as that dtype: text read as numbers, whole numbers as floats; null where that cannot be.

    >>> converted(pl.Series([" 1.5", "x"]), pl.Float64()).to_list()
    [1.5, None]
    """
    if cells.dtype == dtype:
        return cells
    if cells.dtype == pl.String:
        return values_of(cells.str.strip_chars(), dtype)
    return in_type_of(cells, pl.Series([], dtype=dtype))


def put(cells, places, values):
    """A copy of the cells with `values` at `places`, nulls among them.

    >>> put(pl.Series([1, 2]), np.array([0]), pl.Series([None], dtype=pl.Int64)).to_list()
    [None, 2]
    """
    if not len(places):
        return cells
    return cells.clone().scatter(places, values.cast(cells.dtype, strict=False))


def _places(table, rows, plan):
    """Positions of these rows in the table, all of which it must have."""
    places = row_places(table.row_ids, rows)
    if len(places) and places.min() < 0:
        lost = rows.filter(pl.Series(places < 0))
        raise DataError(f"{table.name} has no row {lost[0]!r}", f"the rows of {plan.data['name']}, which the plan is for")
    return places


def refuse_other(table, plan):
    """Raise where the plan was made for another table."""
    needed = f"the table it was made for: {plan.data['name']}, {plan.data['rows']} rows"
    if table.columns != plan.data["columns"] or table.n_rows != plan.data["rows"]:
        raise DataError(f"the plan is for another table than {table.name} ({table.n_rows} rows, {len(table.columns)} columns)", needed)
    places = _places(table, plan.changes["row"], plan)
    holds = _holding(table.raw, plan.changes, places, "before")
    # A version of polars has its own hashes: where it differs, the cells themselves are asked.
    told = plan.versions.get("polars") != _VERSION or table.fingerprint == plan.data["fingerprint"]
    if told and holds.all():
        return
    if plan.changes.height and _holding(table.raw, plan.changes, places, "after").all():
        raise DataError(f"the cells of {table.name} are changed already", needed)
    raise DataError(f"the plan is for another table than {table.name}: its cells are others", needed)


def _holding(raw, lines, places, side):
    """bool (n_lines,): whether each cell holds what the line says it held before, or holds after."""
    same = np.zeros(lines.height, dtype=bool)
    for name in lines["column"].unique():
        hit = (lines["column"] == name).to_numpy()
        now = texts_of(raw[name].gather(places[hit]))
        same[hit] = alike(now, lines[side].filter(pl.Series(hit))).to_numpy()
    return same


def _numbered_as_before(table, plan):
    """The table with its old row ids, where it was read again from a file that does not hold them."""
    left = plan.data["rows"] - plan.dropped.height
    if not plan.data["numbered"] or not plan.dropped.height or table.n_rows != left:
        return table
    numbers = pl.int_range(left, eager=True)
    if table.row_ids.dtype != numbers.dtype or not (table.row_ids == numbers).all():
        return table
    old = np.setdiff1d(np.arange(plan.data["rows"]), plan.dropped["position"].to_numpy())
    return replace(table, row_ids=pl.Series("row", old))


def _restored(table, name, plan, part, rest):
    """The column with the cells of `part` as they stood before."""
    if name not in table.columns:
        raise DataError(f"{table.name} has no column {name!r}, which the plan changes", "the table that the plan was applied to")
    cells, lines = table.raw[name], part.changes.filter(pl.col("column") == name)
    places = _places(table, lines["row"], plan)
    mine = _holding(table.raw, lines, places, "after")
    foreign = np.flatnonzero(~mine & ~_holding(table.raw, lines, places, "before"))
    if len(foreign):
        row, wrote = lines["row"][int(foreign[0])], lines["after"][int(foreign[0])]
        raise DataError(f"row {row!r}, column {name!r} does not hold {wrote!r}, which the plan wrote: it was changed since", "a selection without it")
    lines, places = lines.filter(pl.Series(mine)), places[mine]
    before = dtype_named(plan.types[name]["before"])
    stays = cells.dtype != before and name in rest.types and _can_be(lines["before"], cells.dtype)
    if not stays and cells.dtype != before:
        cells = _spelled_again(converted(cells, before), table, plan.spelled.filter(pl.col("column") == name))
    return put(cells, places, values_of(lines["before"], cells.dtype))


def _can_be(texts, dtype):
    return values_of(texts, dtype).null_count() == texts.null_count()


def _spelled_again(cells, table, spelled):
    """The cells with the spelling that the plan kept, where they still hold that value."""
    places = row_places(table.row_ids, spelled["row"])
    here = places >= 0
    places, texts = places[here], spelled["text"].filter(pl.Series(here))
    same = alike(texts_of(cells.gather(places)), texts).to_numpy()
    return put(cells, places[same], values_of(texts.filter(pl.Series(same)), cells.dtype))


def _missing_rows(table, plan, part):
    """Mask of the dropped rows of `part` that come back, and the order of all rows then, those of the table first."""
    back = pl.Series(row_places(table.row_ids, part.dropped["row"]) < 0)
    if not back.any():
        return back, np.zeros(0, dtype=np.int64)
    gone = plan.dropped.filter(pl.Series(row_places(table.row_ids, plan.dropped["row"]) < 0))
    left = np.setdiff1d(np.arange(plan.data["rows"]), gone["position"].to_numpy())
    if len(left) != table.n_rows:
        raise DataError(f"{table.name} has {table.n_rows} rows, and the plan left {len(left)}", "the table that the plan was applied to")
    return back, np.argsort(np.concatenate([left, part.dropped["position"].filter(back).to_numpy()]), kind="stable")


def _with_rows(table, cells, ids, order):
    """The table with these rows in their places."""
    columns = []
    for name in table.columns:
        held, back = table.raw[name], cells[name]
        if held.dtype != back.dtype:
            lossless = converted(back, held.dtype).null_count() == back.null_count()
            held, back = (held, converted(back, held.dtype)) if lossless else (converted(held, back.dtype), back)
        columns.append(pl.concat([held, back]).gather(order).alias(name))
    raw = pl.DataFrame(columns)
    rows = pl.concat([table.row_ids, ids.cast(table.row_ids.dtype)]).gather(order)
    frame = raw if table.raw is table.frame else record(raw)
    return replace(table, frame=frame, raw=raw, row_ids=rows)


def _retyped(fewer, table):
    """Fewer rows of a table of text, typed as readers type them."""
    return fewer if table.raw is table.frame else replace(fewer, frame=record(fewer.raw))


