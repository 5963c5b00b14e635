"""pandas frames of any dtype, for `dqops.tables.given`; with `frames`, the only place that knows pandas."""

import json
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO

import numpy as np
import pandas as pd
import pyarrow as pa

from dqops.errors import DataError


class OwnPandas:
    """How cells of a pandas frame are changed in its own dtypes, kept, and put back."""

    name = "pandas"

    @staticmethod
    def width(frame):
        return frame.shape[1]

    @staticmethod
    def describe(frame):
        """What of the frame its columns do not tell: a running index, the frequency of one of times."""
        index = frame.index
        if isinstance(index, pd.RangeIndex):
            return {"range": [index.start, index.stop, index.step]}
        return {"frequency": index.freqstr} if getattr(index, "freqstr", None) else {}

    @staticmethod
    def as_described(frame, meta):
        """The frame with what `describe` told."""
        index = frame.index
        if "range" in meta and not isinstance(index, pd.RangeIndex):
            frame = frame.set_axis(pd.RangeIndex(*meta["range"], name=index.name))
        if meta.get("frequency") and getattr(index, "freqstr", None) is None and isinstance(index, pd.DatetimeIndex):
            frame = frame.set_axis(pd.DatetimeIndex(index, freq=meta["frequency"]))
        return frame

    @staticmethod
    def column(frame, place):
        return frame.iloc[:, place]

    @staticmethod
    def with_columns(frame, columns):
        """The frame with these columns, by their places, for names may come twice."""
        frame = frame.copy()
        for place, column in columns.items():
            frame.isetitem(place, column.set_axis(frame.index))
        return frame

    @staticmethod
    def appended(frame, columns):
        """The frame with more columns of plain cells, by name."""
        return frame.assign(**{name: cells.to_numpy() for name, cells in columns.items()}) if columns else frame

    @staticmethod
    def take(frame, places):
        return frame.take(places)

    @staticmethod
    def take_column(column, places):
        return column.take(places)

    @staticmethod
    def same_type(one, other):
        return one.dtype == other.dtype

    @staticmethod
    def of_plain(cells, frame):
        """A column of plain cells as it stands in such a frame."""
        return cells.to_pandas().set_axis(frame.index)

    @staticmethod
    def rewritten(column, places, values):
        """The column with plain values at these places; of another dtype where its own cannot hold them."""
        cells = pd.Series(values.to_list(), dtype=object)
        for dtype in _wider(column.dtype, cells):
            native = _cast(cells, dtype)
            if native is not None and (dtype == column.dtype or _cast(column, dtype) is not None):
                held = column if dtype == column.dtype else column.astype(dtype)
                return OwnPandas.put(held, places, native)
        return OwnPandas.put(column.astype(object), places, cells)

    @staticmethod
    def put(column, places, cells):
        """The column with cells of its own dtype at these places."""
        order = np.arange(len(column))
        order[places] = len(column) + np.arange(len(places))
        return _joined(column, cells).take(order).set_axis(column.index)

    @staticmethod
    def cast_like(cells, column):
        """The cells in the dtype of the column, or None where that loses some."""
        return _cast(cells, column.dtype)

    @staticmethod
    def rows_back(frame, rows, order):
        """The frame with these rows below it, in this order."""
        columns = []
        for place in range(frame.shape[1]):
            held, back = frame.iloc[:, place], rows.iloc[:, place]
            if held.dtype != back.dtype:
                cast = _cast(back, held.dtype)
                held, back = (held, cast) if cast is not None else (held.astype(object), back.astype(object))
            columns.append(_joined(held, back).take(order))
        index = frame.index.append(rows.index).take(order)
        joined = pd.concat([one.set_axis(index) for one in columns], axis=1)
        return joined.set_axis(frame.columns, axis=1)

    @staticmethod
    def pack(column):
        """The column as bytes, which give its dtype back as well."""
        return OwnPandas.pack_rows(column.reset_index(drop=True).to_frame())

    @staticmethod
    def unpack(data):
        return OwnPandas.unpack_rows(data).iloc[:, 0]

    @staticmethod
    def pack_rows(frame):
        """Columns of Python objects as text that tells what each of them is, the rest as Arrow."""
        plain = frame.set_axis([f"{place}" for place in range(frame.shape[1])], axis=1)
        objects = [name for name in plain.columns if plain[name].dtype == object]
        told = plain.assign(**{name: [_tagged(cell) for cell in plain[name]] for name in objects})
        try:
            cells = pa.Table.from_pandas(told)
        except (pa.ArrowException, NotImplementedError) as cause:
            raise DataError(f"cells cannot be kept for undoing ({str(cause).splitlines()[0]})", "columns of a dtype that a file can hold") from None
        buffer = BytesIO()
        more = {b"objects": json.dumps(objects).encode(), b"names": json.dumps(_names(frame.columns)).encode()}
        cells = cells.replace_schema_metadata({**(cells.schema.metadata or {}), **more})
        with pa.ipc.new_file(buffer, cells.schema) as writer:
            writer.write_table(cells)
        return buffer.getvalue()

    @staticmethod
    def unpack_rows(data):
        cells = pa.ipc.open_file(BytesIO(data)).read_all()
        frame = cells.to_pandas()
        for name in json.loads(cells.schema.metadata[b"objects"]):
            frame[name] = pd.Series([_untagged(text) for text in frame[name]], dtype=object, index=frame.index)
        return frame


def _names(columns):
    return [str(name) for name in columns]


def _joined(one, other):
    """Both below each other, in the dtype that they share."""
    if isinstance(one.dtype, pd.CategoricalDtype):
        return pd.Series(pd.Categorical.from_codes(np.concatenate([one.cat.codes, other.cat.codes]), dtype=one.dtype))
    return pd.concat([one, other], ignore_index=True)


def _wider(dtype, cells):
    """Dtypes to try, from the column's own to what holds more."""
    if isinstance(dtype, pd.CategoricalDtype):
        more = [cell for cell in cells.dropna().unique() if cell not in dtype.categories]
        return [dtype, pd.CategoricalDtype([*dtype.categories, *more], ordered=dtype.ordered)] if more else [dtype]
    return [dtype, np.dtype("float64"), pd.Int64Dtype()] if dtype.kind in "iuf" else [dtype]


def _cast(cells, dtype):
    """The cells as that dtype, or None where it cannot hold them all."""
    if cells.dtype == dtype:
        return cells
    if isinstance(dtype, pd.DatetimeTZDtype):
        cells = pd.to_datetime(cells, utc=True)
    try:
        cast = cells.astype(dtype)
    except (ValueError, TypeError, OverflowError, pa.ArrowException):
        return None
    lost = (cast.isna().to_numpy() != cells.isna().to_numpy()).any()
    exact = lost or dtype.kind not in "iufb" or bool((cast.dropna().astype(object) == cells.dropna().astype(object)).all())
    return cast if exact and not lost else None


_TAGS = {str: "s", bool: "b", int: "i", float: "f", datetime: "m", date: "d", Decimal: "n"}
_READ = {
    "s": str, "b": lambda text: text == "True", "i": int, "f": float.fromhex, "m": datetime.fromisoformat,
    "d": date.fromisoformat, "n": Decimal, "j": json.loads, "x": bytes.fromhex,
    "t": pd.Timestamp, "-": lambda text: {"None": None, "NA": pd.NA, "NaT": pd.NaT}[text],
}  # fmt: skip


def _tagged(cell):
    """A Python object as text that tells its type: ``i:3``, ``s:3``, ``-:None``."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return "-:" + {id(None): "None", id(pd.NA): "NA", id(pd.NaT): "NaT"}[id(cell)]
    if isinstance(cell, pd.Timestamp):
        return f"t:{cell.isoformat()}"
    if isinstance(cell, np.generic):
        return f"y:{cell.dtype.str}:{cell.tobytes().hex()}"
    if isinstance(cell, bytes):
        return f"x:{cell.hex()}"
    tag = _TAGS.get(type(cell))
    if tag is not None:
        return f"{tag}:{_written(cell)}"
    try:
        text = json.dumps(cell)
        if json.loads(text) == cell:
            return f"j:{text}"
    except (TypeError, ValueError):
        pass
    raise DataError(f"a cell of the type {type(cell).__name__} cannot be kept for undoing", "numbers, text, truth values, times, or lists of them")


def _written(cell):
    if isinstance(cell, float):
        return cell.hex()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _untagged(text):
    tag, _, rest = text.partition(":")
    if tag == "y":
        dtype, _, data = rest.rpartition(":")
        return np.frombuffer(bytes.fromhex(data), dtype=dtype)[0]
    return _READ[tag](rest)
