"""Polars frames of any dtype, for `dqops.tables.given`."""

from io import BytesIO

import numpy as np
import polars as pl

from dqops.errors import DataError
from dqops.tables.plain import plain_frame


class OwnPolars:
    """How cells of a polars frame are changed in its own dtypes, kept, and put back."""

    name = "polars"

    @staticmethod
    def width(frame):
        return frame.width

    @staticmethod
    def describe(frame):
        """What of the frame its columns do not tell; nothing here."""
        return {}

    @staticmethod
    def as_described(frame, meta):
        """The frame with what `describe` told."""
        return frame

    @staticmethod
    def column(frame, place):
        return frame.to_series(place)

    @staticmethod
    def with_columns(frame, columns):
        """The frame with these columns, by their places."""
        return frame.with_columns(column.alias(frame.columns[place]) for place, column in columns.items())

    @staticmethod
    def appended(frame, columns):
        """The frame with more columns of plain cells, by name."""
        return frame.with_columns(**columns)

    @staticmethod
    def take(frame, places):
        return frame[places]

    @staticmethod
    def take_column(column, places):
        return column.gather(places)

    @staticmethod
    def same_type(one, other):
        return one.dtype == other.dtype

    @staticmethod
    def of_plain(cells, frame):
        """A column of plain cells as it stands in such a frame."""
        return cells

    @staticmethod
    def rewritten(column, places, values):
        """The column with plain values at these places; of another dtype where its own cannot hold them."""
        native = _native(values, column.dtype)
        if native is None:
            column = plain_frame(column.to_frame())[0].to_series()
            native = _native(values, column.dtype)
        if native is None:
            column, native = column.cast(pl.String), values.cast(pl.String)
        return OwnPolars.put(column, places, native)

    @staticmethod
    def put(column, places, cells):
        """The column with cells of its own dtype at these places."""
        order = np.arange(len(column))
        order[places] = len(column) + np.arange(len(places))
        return pl.concat([column, cells.alias(column.name)]).gather(order)

    @staticmethod
    def cast_like(cells, column):
        """The cells in the dtype of the column, or None where that loses some."""
        return _native(cells, column.dtype)

    @staticmethod
    def rows_back(frame, rows, order):
        """The frame with these rows below it, in this order."""
        columns = []
        for held, back in zip(frame.get_columns(), rows.get_columns(), strict=True):
            if held.dtype != back.dtype:
                cast = _native(back, held.dtype)
                held, back = (held, cast) if cast is not None else (held.cast(back.dtype), back)
            columns.append(pl.concat([held, back]).gather(order))
        return pl.DataFrame(columns)

    @staticmethod
    def pack(column):
        """The column as bytes."""
        return OwnPolars.pack_rows(column.to_frame())

    @staticmethod
    def unpack(data):
        return pl.read_ipc(BytesIO(data)).to_series()

    @staticmethod
    def pack_rows(frame):
        buffer = BytesIO()
        try:
            frame.write_ipc(buffer)
        except pl.exceptions.PolarsError as cause:
            raise DataError(f"cells cannot be kept for undoing ({str(cause).splitlines()[0]})", "columns of a dtype that a file can hold") from None
        return buffer.getvalue()

    @staticmethod
    def unpack_rows(data):
        return pl.read_ipc(BytesIO(data))


def _native(values, dtype):
    """Plain values as cells of that dtype, or None where it cannot hold them all."""
    if values.dtype == dtype:
        return values
    if values.dtype == pl.Datetime and dtype == pl.Datetime and dtype.time_zone is not None and values.dtype.time_zone is None:
        return values.dt.replace_time_zone("UTC").dt.convert_time_zone(dtype.time_zone).cast(dtype)
    try:
        cells = values.cast(dtype, strict=False)
    except pl.exceptions.PolarsError:
        return None
    return cells if cells.null_count() == values.null_count() else None
