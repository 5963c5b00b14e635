"""Check by check: which cells of a table fail what a pandera schema says."""

import re
from collections import Counter

import numpy as np
import pandera.pandas
import polars as pl
from pandera import dtypes
from pandera.errors import SchemaDefinitionError, SchemaError, SchemaInitError

from dqops.tables.casting import cast_cells, same_family
from dqops.tables.contents import listed
from dqops.tables.frames import to_pandas

# What a check may raise on cells that it was not written for, or a file that is no schema.
FAILS = (
    ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, ImportError, SyntaxError,
    SchemaDefinitionError, SchemaError, SchemaInitError, pl.exceptions.PolarsError,
)  # fmt: skip


def outcomes(table, said):
    """(column, check, failing row positions or None where it fails as a whole, remark), check by check."""
    seen = Counter()
    for column, check, failing, remark in _outcomes(table, said):
        seen[column, check] += 1
        number = seen[column, check]
        yield column, f"{check} #{number}" if number > 1 else check, failing, remark


def _outcomes(table, said):
    named, cast = _named(said, table.columns), {}
    for name, column in said.columns.items():
        if column.required and not any(one is column for one in named.values()):
            yield name, "column present", None, "the table has no such column"
    for name, column in named.items():
        values, wrong = table.frame[name], np.zeros(table.n_rows, dtype=bool)
        dtype = _polars_dtype(column.dtype if column.dtype is not None else said.dtype)
        if dtype is not None:
            stands = _may_stand_for(table, name, dtype, coerce=column.coerce or said.coerce)
            if not stands:
                yield name, f"dtype {dtype}", None, f"the column is {values.dtype}"
            if stands or values.dtype == pl.String:
                values, odd = cast_cells(values, table.raw[name], dtype)
                wrong = odd.to_numpy()
                yield name, f"dtype {dtype}" if stands else f"cells of {dtype}", np.flatnonzero(wrong), ""
        cast[name] = values
        if not column.nullable:
            yield name, "not null", np.flatnonzero(values.is_null().to_numpy() & ~wrong), ""
        if column.unique:
            yield name, "unique", np.flatnonzero((values.is_duplicated() & values.is_not_null()).to_numpy()), ""
    frame = table.frame.with_columns([values.alias(name) for name, values in cast.items()])
    yield from _checked(frame, named, said)
    yield from _checked_as_a_whole(frame, named, said)


def _may_stand_for(table, name, dtype, *, coerce):
    """Whether cells of the column may be read as that dtype; those of a source that has types of its own may not."""
    cells = table.frame[name]
    has_types = table.raw is table.frame and cells.null_count() < len(cells)
    return coerce or not has_types or same_family(cells.dtype, dtype)


def _checked(frame, named, said):
    """Outcomes of the checks of cells and of rows."""
    if not frame.height:
        return
    for_pandas = isinstance(said, pandera.pandas.DataFrameSchema)
    cells = to_pandas(frame) if for_pandas else frame.lazy()
    places = [(name, check) for name, column in named.items() for check in column.checks or ()]
    places += [(None, check) for check in said.checks or ()]
    for name, check in places:
        label = str(check.error or check.name or "check")
        try:
            if for_pandas:
                output = check(cells if name is None else cells[name]).check_output
            else:
                output = check(cells, name).check_output
            yield name, label, *_failing(output, frame, name)
        except FAILS as cause:
            yield name, label, None, f"the check cannot be made here ({first_line(cause)})"


def _failing(output, frame, name):
    """Failing row positions, or None, and a remark; a missing cell passes."""
    if isinstance(output, pl.LazyFrame):
        output = output.collect()
    if isinstance(output, pl.DataFrame):
        kept = output.to_series(-1).fill_null(True).to_numpy()
        if len(kept) == frame.height:
            kept = kept | (frame[name].is_null().to_numpy() if name is not None else False)
            return np.flatnonzero(~kept), ""
        output = bool(kept.all())
    if hasattr(output, "index"):  # pandas, where missing cells were left out
        if getattr(output, "ndim", 1) > 1:
            output = output.all(axis=1)
        return np.sort(output.index.to_numpy()[~output.fillna(True).to_numpy(dtype=bool)]).astype(np.int64), ""
    return (np.zeros(0, dtype=np.int64), "") if bool(output) else (None, "the column as a whole fails")


def _checked_as_a_whole(frame, named, said):
    """Outcomes of joint uniqueness, of columns too many, and of their order."""
    none, together = np.zeros(0, dtype=np.int64), [said.unique] if isinstance(said.unique, str) else list(said.unique or ())
    if together and set(together) <= set(frame.columns):
        cells = frame.select(together)
        repeated = cells.is_duplicated() & ~cells.select(pl.all_horizontal(pl.all().is_null())).to_series()
        yield None, f"unique together ({', '.join(together)})", np.flatnonzero(repeated.to_numpy()), ""
    if said.strict is True:
        extra = [name for name in frame.columns if name not in named]
        remark = f"{len(extra)} columns are not in the schema: {listed(extra)}" if extra else ""
        yield None, "no other columns", None if extra else none, remark
    if said.ordered:
        stated = [name for name in said.columns if name in named]
        kept = stated == [name for name in frame.columns if name in stated]
        yield None, "order of columns", none if kept else None, "" if kept else "the columns stand in another order"


def _named(said, columns):
    """The pandera column of each column of the table that the schema speaks of."""
    named = {}
    for name, column in said.columns.items():
        if column.regex:
            named |= {one: column for one in columns if re.match(name, one)}
        elif name in columns:
            named[name] = column
    return named


def _polars_dtype(dtype):
    """The polars dtype that a pandera dtype stands for, or None for any."""
    if dtype is None:
        return None
    own = getattr(dtype, "type", None)
    if isinstance(own, pl.DataType) or (isinstance(own, type) and issubclass(own, pl.DataType)):
        return own() if isinstance(own, type) else own
    kinds = {
        dtypes.Bool: pl.Boolean(),
        dtypes.Int: pl.Int64(),
        dtypes.Float: pl.Float64(),
        dtypes.Date: pl.Date(),
        dtypes.DateTime: pl.Datetime("us"),
        dtypes.Category: pl.String(),
        dtypes.String: pl.String(),
    }
    return next((plain for kind, plain in kinds.items() if isinstance(dtype, kind)), None)


def first_line(cause):
    return " ".join(str(cause).split())[:200] or type(cause).__name__
