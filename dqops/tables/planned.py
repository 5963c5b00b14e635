"""What a plan is made of: cells that are to change and rows that are to go, in the terms of the table's source."""

from importlib.metadata import version

import numpy as np
import polars as pl

from dqops.errors import DataError, PlanConflictError, UnknownColumnError
from dqops.tables.cells import in_type_of, row_places
from dqops.tables.changes import converted, holds_text
from dqops.tables.exact import dtype_name, dtype_named, texts_of, values_of

_DROPPED = "the row is dropped"


def rewritten_cells(table, name, repaired, looked):
    """Cells of a column that a repair changed, as they are to stand in the source.

    Parameters
    ----------
    table : Table
        As it was before.
    name : str
    repaired : polars.Series (n,)
        The column afterwards, of any plain dtype; null where it empties a cell.
    looked : bool (n,)
        Cells that may have been changed at all.

    Returns
    -------
    places : int64 (m,)
    after : polars.Series of String (m,)
    dtype : polars.DataType
        Of the whole column afterwards.

    Examples
    --------
    >>> from dqops.tables.table import Table
    >>> cells = pl.DataFrame({"size": ["1 kg", "2.0", "x"]})
    >>> table = Table(cells, cells.clone(), pl.Series([0, 1, 2]))
    >>> rewritten_cells(table, "size", pl.Series([1.0, 2.0, None]), np.ones(3, dtype=bool))[1].to_list()
    ['1', None]
    """
    recorded = table.raw[name]
    if holds_text(table, name):
        after = _as_spelled(recorded, repaired)
        same = after.eq_missing(recorded) | (after.is_null() & (recorded.str.strip_chars() == "").fill_null(True))
        if repaired.dtype.is_numeric():
            same |= (repaired.cast(pl.Float64) == recorded.str.strip_chars().cast(pl.Float64, strict=False)).fill_null(False)
        places = np.flatnonzero(looked & ~same.to_numpy())
        return places, after.gather(places), recorded.dtype
    if recorded.dtype.is_integer() and repaired.dtype.is_float() and (repaired == repaired.round()).fill_null(True).all():
        repaired = repaired.cast(recorded.dtype, strict=False)
    same = converted(recorded, repaired.dtype).eq_missing(repaired)
    places = np.flatnonzero(looked & ~same.to_numpy())
    return places, texts_of(repaired.gather(places)), repaired.dtype


def _as_spelled(recorded, repaired):
    """The repaired cells as text, spelled as the column spells the same value elsewhere."""
    if repaired.dtype == pl.String:
        return repaired
    values = converted(recorded, repaired.dtype)
    known = pl.DataFrame({"value": values, "text": recorded}).drop_nulls()
    common = known.group_by("value", "text").len().sort(["len", "text"], descending=[True, False]).unique("value", keep="first")
    asked = pl.DataFrame({"value": repaired})
    found = asked.join(common, on="value", how="left", maintain_order="left")["text"]
    return found.fill_null(in_type_of(repaired, recorded)) if repaired.dtype != pl.Boolean else found.fill_null(texts_of(repaired))


def plan_pieces(table, columns, drop):
    """The parts of a plan, by name.

    Parameters
    ----------
    table : Table
    columns : dict of str to tuple
        (places, after, dtype, kind, trail): as `rewritten_cells` has them, the kind of finding that a change of dtype
        belongs to, and a frame of kind, cleaner, why, confidence, who, when with one line a change.
    drop : tuple
        (places, trail) of the rows that go.

    Returns
    -------
    dict
        data, changes, dropped, types, spelled, cells, versions.
    """
    gone, trail = drop
    stays = np.ones(table.n_rows, dtype=bool)
    stays[gone] = False
    lines, types, spelled = [], {}, []
    for name, (places, after, dtype, kind, own) in columns.items():
        recorded = table.raw[name]
        kept = stays[places]
        places, after, own = places[kept], after.filter(pl.Series(kept)), own.filter(pl.Series(kept))
        if not len(places) and dtype == recorded.dtype:
            continue
        types[name] = {"before": dtype_name(recorded.dtype), "after": dtype_name(dtype), "kind": kind}
        spelled.append(_spelled(table, name, dtype, places))
        cells = {"row": table.row_ids.gather(places), "position": places, "column": pl.Series([name]).new_from_index(0, len(places)), "before": texts_of(recorded.gather(places)), "after": after}
        lines.append(pl.DataFrame(cells).with_columns(own))
    order = {name: place for place, name in enumerate(table.columns)}
    changes = pl.concat(lines).sort("position", pl.col("column").replace_strict(order, default=None), maintain_order=True) if lines else None
    rows = pl.DataFrame({"row": table.row_ids.gather(gone), "position": gone}).with_columns(trail).sort("position") if len(gone) else None
    return {
        "data": described(table),
        "changes": changes,
        "dropped": rows,
        "types": types,
        "spelled": pl.concat(spelled) if spelled else None,
        "cells": table.raw[np.sort(gone)] if len(gone) else None,
        "versions": {"dqops": version("dqops"), "polars": pl.__version__},
    }


def described(table):
    """What a plan says of the table that it is for."""
    numbered = table.row_ids.dtype.is_integer() and bool((table.row_ids == pl.int_range(table.n_rows, eager=True)).all())
    return {"name": table.name, "rows": table.n_rows, "columns": table.columns, "fingerprint": table.fingerprint, "numbered": numbered}


def _spelled(table, name, dtype, places):
    """row, column, text of the cells that keep their value in a column of another dtype, but not their spelling."""
    recorded = table.raw[name]
    if dtype == recorded.dtype:
        chosen = np.zeros(0, dtype=np.int64)
    else:
        again = converted(converted(recorded, dtype), recorded.dtype)
        chosen = np.setdiff1d(np.flatnonzero(again.ne_missing(recorded).to_numpy()), places)
    column = pl.Series([name]).new_from_index(0, len(chosen))
    return pl.DataFrame({"row": table.row_ids.gather(chosen), "column": column, "text": texts_of(recorded.gather(chosen))})


def stated_pieces(table, cells, drop, trail):
    """The parts of a plan that writes stated values; see `CleaningPlan.of`.

    Parameters
    ----------
    table : Table
    cells : polars.DataFrame
        row, column, after and what of the trail it says.
    drop : list
        Row ids.
    trail : dict
        kind, cleaner, why, confidence, who, when of the lines that do not say.
    """
    lacking = [name for name in ("row", "column", "after") if name not in cells.columns]
    if lacking:
        raise DataError(f"the changes have no column {lacking[0]!r}", "row, column and after")
    cells = cells.with_columns(pl.lit(value).alias(name) for name, value in trail.items() if name not in cells.columns)
    columns = {}
    for name in cells["column"].unique(maintain_order=True):
        if name not in table.columns:
            raise UnknownColumnError("column", name, table.columns, table.name)
        own = cells.filter(pl.col("column") == name)
        places = _known_places(table, own["row"])
        after = _checked(table, name, own["after"].cast(pl.String))
        _refuse_twice(own, name)
        changed = after.ne_missing(texts_of(table.raw[name].gather(places)))
        own = own.filter(changed).select([*trail])
        columns[name] = (places[changed.to_numpy()], after.filter(changed), table.raw[name].dtype, trail["kind"], own)
    gone = np.unique(_known_places(table, pl.Series(drop, dtype=table.row_ids.dtype, strict=False)))
    return plan_pieces(table, columns, (gone, pl.DataFrame([trail] * len(gone))))


def _refuse_twice(own, name):
    twice = own.filter(own["row"].is_duplicated())
    if twice.height:
        raise PlanConflictError(twice["row"][0], name, *twice.filter(twice["row"] == twice["row"][0])["after"].cast(pl.String)[:2])


def _known_places(table, rows):
    places = row_places(table.row_ids, rows)
    if len(places) and places.min() < 0:
        raise DataError(f"{table.name} has no row {rows[int(np.argmin(places))]!r}", "row ids of the table")
    return places


def _checked(table, name, after):
    """The new cells as the source holds such; refused where the column is of another type."""
    dtype, recorded = table.frame[name].dtype, table.raw[name].dtype
    values = values_of(after, dtype)
    wrong = after.filter(values.is_null() & after.is_not_null())
    if dtype.is_integer() and holds_text(table, name):
        wrong = wrong.filter(wrong.cast(pl.Float64, strict=False).is_null())
    if len(wrong):
        raise DataError(f"{wrong[0]!r} is no cell for the column {name!r} of {table.name}", f"a {dtype_name(dtype)}, or nothing")
    return after if recorded == pl.String else texts_of(values)


def merged_pieces(first, second, prefer):
    """The parts of the plan that does what both do; see `CleaningPlan.merge`."""
    if first.data["fingerprint"] != second.data["fingerprint"] or first.data["rows"] != second.data["rows"]:
        raise DataError(f"the plans are for different tables, {first.data['name']} and {second.data['name']}", "two plans for one table")
    first, second = _settled(first, second, prefer)
    changes = pl.concat([first.changes, second.changes]).unique(["row", "column"], keep="first", maintain_order=True)
    both = pl.concat([first.dropped.with_row_index("at"), second.dropped.with_row_index("at").with_columns(pl.col("at") + first.dropped.height)])
    both = both.unique("row", keep="first", maintain_order=True).sort("position")
    cells = [plan.cells for plan in (first, second) if plan.cells is not None]
    types = {name: _common_type(name, first, second) for name in {**first.types, **second.types}}
    spelled = pl.concat([first.spelled, second.spelled]).unique(["row", "column"], maintain_order=True)
    spelled = spelled.filter(pl.col("column").is_in([name for name, one in types.items() if one["before"] != one["after"]]))
    return {
        "changes": changes.sort("position", maintain_order=True),
        "dropped": both.drop("at"),
        "types": types,
        "spelled": spelled.join(changes.select("row", "column"), on=["row", "column"], how="anti", maintain_order="left"),
        "cells": pl.concat(cells)[both["at"].to_numpy()] if cells else None,
        "steps": tuple({repr(one): one for one in (*first.steps, *second.steps)}.values()),
        "repairs": (*first.repairs, *second.repairs),
        "warnings": tuple(dict.fromkeys((*first.warnings, *second.warnings))),
        "kept": {},
    }


def _settled(first, second, prefer):
    """Both plans without the changes that the other one's stand against."""
    clash = first.changes.join(second.changes, on=["row", "column"], suffix="_second", maintain_order="left")
    clash = clash.filter(pl.col("after").ne_missing(pl.col("after_second")))
    if prefer is None:
        _refuse_clashes(first, second, clash)
        return first, second
    if prefer == "surer":
        weaker = clash["confidence"] < clash["confidence_second"]
    else:
        weaker = pl.Series([prefer == "second"] * clash.height, dtype=pl.Boolean)
    first, second = _less_cells(first, clash.filter(weaker)), _less_cells(second, clash.filter(~weaker))
    first, second = _rows_settled(first, second, {"first": True, "second": False}.get(prefer))
    return _rows_settled(second, first, {"first": False, "second": True}.get(prefer))[::-1]


def _refuse_clashes(first, second, clash):
    if clash.height:
        raise PlanConflictError(*clash.select("row", "column", "after", "after_second").row(0))
    for dropping, changing in ((first, second), (second, first)):
        met = _meeting(dropping, changing)
        if met.height:
            raise PlanConflictError(met["row"][0], None, _DROPPED, met["after"][0])


def _rows_settled(dropping, changing, drop_stands):
    """One plan without the rows that the other's changes stand against, and that without the changes of the rest."""
    met = _meeting(dropping, changing)
    stands = met["confidence_row"] >= met["confidence"] if drop_stands is None else pl.Series([drop_stands] * met.height, dtype=pl.Boolean)
    kept = met.filter(~stands)["row"].unique()
    gone = met.filter(~met["row"].is_in(kept.implode()))
    return dropping.less(dropping.changes.clear(), pl.DataFrame({"row": kept})), _less_cells(changing, gone)


def _meeting(dropping, changing):
    """Changes by one plan of cells in rows that the other drops, with how surely it does."""
    return changing.changes.join(dropping.dropped.select("row", pl.col("confidence").alias("confidence_row")), on="row", maintain_order="left")


def _less_cells(plan, cells):
    return plan.less(cells, plan.dropped.clear())


def _common_type(name, first, second):
    """The dtype that a column has after both plans: the one that holds what both write."""
    one, other = first.types.get(name), second.types.get(name)
    if one is None or other is None or one["after"] == other["after"]:
        return one or other
    retyped, plain = (one, second) if one["after"] != one["before"] else (other, first)
    after = plain.changes.filter(pl.col("column") == name)["after"]
    fits = values_of(after, dtype_named(retyped["after"])).null_count() == after.null_count()
    return retyped if fits else one | {"after": one["before"]}
