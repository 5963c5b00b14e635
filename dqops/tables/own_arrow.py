"""Arrow tables, such as Parquet files hold, for `dqops.tables.given`."""

import base64
import json
from io import BytesIO

import numpy as np
import pyarrow as pa

_PANDAS = b"pandas"


class OwnArrow:
    """How cells of an Arrow table are changed in its own types, kept, and put back.

    Parameters
    ----------
    n_columns : int
        Columns that stand in the `Table`; saved row names come after them.
    """

    name = "arrow"

    def __init__(self, n_columns):
        self.n_columns = n_columns

    def width(self, frame):
        return self.n_columns

    @staticmethod
    def describe(frame):
        """The schema, with what it says to other libraries."""
        return {"schema": base64.b64encode(frame.schema.serialize()).decode()}

    @staticmethod
    def as_described(frame, meta):
        """The table with that schema again."""
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(meta["schema"])))
        return pa.Table.from_arrays(frame.columns, schema=schema)

    @staticmethod
    def column(frame, place):
        return frame.column(place)

    @staticmethod
    def with_columns(frame, columns):
        """The table with these columns, by their places."""
        retyped = {}
        for place, column in columns.items():
            field = frame.schema.field(place)
            if field.type != column.type:
                retyped[field.name] = column.type
            frame = frame.set_column(place, field.with_type(column.type), column)
        return frame.replace_schema_metadata(_told_again(frame.schema.metadata, retyped)) if retyped else frame

    @staticmethod
    def take(frame, places):
        return frame.take(pa.array(places))

    @staticmethod
    def take_column(column, places):
        return column.take(pa.array(places))

    @staticmethod
    def same_type(one, other):
        """Whether both are of one type, and of the same levels where they have levels."""
        return one.type == other.type and _levels(one) == _levels(other)

    @staticmethod
    def of_plain(cells, frame):
        """A column of plain cells as it stands in such a table."""
        return pa.chunked_array([cells.to_arrow()])

    @staticmethod
    def rewritten(column, places, values):
        """The column with plain values at these places; of another type where its own cannot hold them."""
        native = _native(values.to_arrow(), column.type)
        if native is None:
            wider = values.to_arrow().type
            column = column.cast(wider if _casts(column, wider) else pa.large_string())
            native = _native(values.to_arrow(), column.type)
        return OwnArrow.put(column, places, native)

    @staticmethod
    def put(column, places, cells):
        """The column with cells of its own type at these places."""
        order = np.arange(len(column))
        order[places] = len(column) + np.arange(len(places))
        return _joined(column, cells).take(pa.array(order))

    @staticmethod
    def cast_like(cells, column):
        """The cells in the type of the column, or None where that loses some."""
        return _native(cells, column.type)

    @staticmethod
    def rows_back(frame, rows, order):
        """The table with these rows below it, in this order."""
        columns = []
        for place in range(frame.num_columns):
            held, back = frame.column(place), rows.column(place)
            if held.type != back.type:
                cast = _native(back, held.type)
                held, back = (held, cast) if cast is not None else (held.cast(back.type), back)
            columns.append(_joined(held, back).take(pa.array(order)))
        fields = [field.with_type(column.type) for field, column in zip(frame.schema, columns, strict=True)]
        return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=frame.schema.metadata))

    @staticmethod
    def pack(column):
        """The column as bytes."""
        return OwnArrow.pack_rows(pa.table({"": column}))

    @staticmethod
    def unpack(data):
        return OwnArrow.unpack_rows(data).column(0)

    @staticmethod
    def pack_rows(frame):
        buffer = BytesIO()
        frame = frame.unify_dictionaries()
        with pa.ipc.new_file(buffer, frame.schema) as writer:
            writer.write_table(frame)
        return buffer.getvalue()

    @staticmethod
    def unpack_rows(data):
        return pa.ipc.open_file(BytesIO(data)).read_all()


def _levels(column):
    if not pa.types.is_dictionary(column.type):
        return None
    return [chunk.dictionary.to_pylist() for chunk in column.unify_dictionaries().chunks[:1]]


def _joined(held, more):
    """Both below each other."""
    chunks = more.chunks if isinstance(more, pa.ChunkedArray) else [more]
    joined = pa.chunked_array([*held.chunks, *chunks], type=held.type)
    return joined.unify_dictionaries() if pa.types.is_dictionary(held.type) else joined


def _native(values, dtype):
    """Plain values as cells of that type, or None where it cannot hold them all."""
    if values.type == dtype:
        return values
    try:
        if pa.types.is_dictionary(dtype):
            return pa.array(values.to_pylist(), type=dtype)
        if pa.types.is_timestamp(dtype) and dtype.tz is not None and values.type.tz is None:
            values = values.cast(pa.timestamp(values.type.unit, "UTC"))
        cells = values.cast(dtype)
    except (pa.ArrowException, AttributeError):
        return None
    return cells if cells.null_count == values.null_count else None


def _casts(column, dtype):
    return _native(column, dtype) is not None


def _told_again(metadata, retyped):
    """What pandas keeps of its dtypes, true again for columns of another type."""
    if not metadata or _PANDAS not in metadata:
        return metadata
    told = json.loads(metadata[_PANDAS])
    for one in told.get("columns", ()):
        if one.get("field_name") in retyped:
            name = str(retyped[one["field_name"]].to_pandas_dtype().__name__)
            one |= {"pandas_type": name, "numpy_type": name, "metadata": None}
    return {**metadata, _PANDAS: json.dumps(told).encode()}
