"""Tables as numbers, remembered: the same cells are not encoded twice.

A price fits one model on many versions of a table that differ in one column; the other columns are the same to the
letter, and encoding columns is the dearest part of many fits.
"""

from collections import OrderedDict
from hashlib import blake2b
from threading import Lock

import numpy as np
import pandas as pd
import polars as pl
from sklearn.base import clone
from skrub import TableVectorizer

_MOST_BYTES = 64 * 2**20
_OVERHEAD = 2_000  # bytes of an entry beside its cells


class _Memory:
    """The last results, by key, as long as they are not too many; safe between threads."""

    def __init__(self):
        self.kept, self.held, self.lock = OrderedDict(), 0, Lock()

    def get(self, key):
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
            return self.kept.get(key)

    def put(self, key, value, frame):
        with self.lock:
            self.held += _size(frame) - _size(self.kept.pop(key, (None, None))[-1])
            self.kept[key] = (*value, frame)
            while self.held > _MOST_BYTES and len(self.kept) > 1:
                self.held -= _size(self.kept.popitem(last=False)[1][-1])


_MEMORY = _Memory()


class TableEncoder(TableVectorizer):
    """skrub's TableVectorizer, with the same answers; equal columns under equal settings are encoded once.

    Each column is encoded by itself, so that a table of which one column was repaired costs one column.
    """

    def fit_transform(self, X, y=None):
        """Fit the encoder and transform a table; see `skrub.TableVectorizer`."""
        settings = repr(sorted(self.get_params().items(), key=lambda one: one[0]))
        self.columns_ = [_fitted(clone(self), settings, X[[name]]) for name in X.columns]
        self.feature_names_in_, self.n_features_in_ = np.array(list(X.columns), dtype=object), len(X.columns)
        result = _beside([_indexed_like(part, X) for _, _, part in self.columns_], X)
        self.columns_ = [(encoder, key) for encoder, key, _ in self.columns_]
        self.all_outputs_ = list(result.columns)
        return result

    def transform(self, X):
        """Transform a table; see `skrub.TableVectorizer`."""
        if list(X.columns) != list(self.feature_names_in_):
            differ = [repr(str(name)) for name in {*X.columns} ^ {*self.feature_names_in_}]
            raise ValueError(f"the columns are not those that the model was fitted on: {', '.join(sorted(differ)) or 'another order'}")
        parts = [_transformed(encoder, key, X[[name]]) for (encoder, key), name in zip(self.columns_, X.columns, strict=True)]
        return _named(_beside([_indexed_like(part, X) for part in parts], X), self.all_outputs_)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "columns_")


def _fitted(encoder, settings, column):
    """(fitted encoder of one column, its key, what it makes of the column); numbers need neither."""
    if type(encoder.numeric).__name__ == "PassThrough" and not encoder.drop_if_constant and _is_numbers(column):
        return encoder, None, _single(column)
    key = (settings, _content(column))
    known = _MEMORY.get(key)
    if known is None:
        known = encoder, TableVectorizer.fit_transform(encoder, column)
        _MEMORY.put(key, known[:1], known[1])
    return known[0], key, known[1]


def _transformed(encoder, key, column):
    if key is None:
        return _single(column) if _is_numbers(column, holes=True) else _read_as_numbers(encoder, column)
    key = (*key, _content(column))
    known = _MEMORY.get(key)
    if known is None:
        known = (TableVectorizer.transform(encoder, column),)
        _MEMORY.put(key, (), known[0])
    return known[-1]


def _is_numbers(frame, *, holes=False):
    """Whether the one column holds numbers that are only made single; `holes` allows one without any."""
    column = frame[frame.columns[0]]
    if isinstance(column, pd.Series):
        numeric = isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiu"
        return numeric and (holes or column.dtype.kind != "f" or not column.isna().all())
    return column.dtype.is_numeric() and not column.dtype.is_decimal() and (holes or column.null_count() + _nans(column) < len(column))


def _nans(column):
    return int(column.is_nan().sum()) if column.dtype.is_float() else 0


def _single(frame):
    """The column in single precision, as the vectoriser has numbers."""
    return frame.astype(np.float32) if isinstance(frame, pd.DataFrame) else frame.cast(pl.Float32)


def _read_as_numbers(encoder, column):
    """What the vectoriser makes of other cells in a column that held numbers when it was fitted."""
    name = column.columns[0]
    numbers = pd.DataFrame({name: [0.0, 1.0]}) if isinstance(column, pd.DataFrame) else pl.DataFrame({name: [0.0, 1.0]})
    fitted = clone(encoder)
    TableVectorizer.fit_transform(fitted, numbers)
    return TableVectorizer.transform(fitted, column)


def _content(frame):
    """What a frame of one column holds, in 20 bytes; the index does not count."""
    name = frame.columns[0]
    column = frame[name]
    if isinstance(column, pd.Series):
        hashes = pd.util.hash_pandas_object(column, index=False).to_numpy()
        empty = column.isna().to_numpy()
    else:
        hashes, empty = column.hash().to_numpy(), column.is_null().to_numpy()
    text = blake2b(f"{type(column)}{name}{column.dtype}{len(hashes)}".encode(), digest_size=20)
    text.update(np.ascontiguousarray(hashes).tobytes())
    text.update(np.packbits(empty).tobytes())
    return text.digest()


def _indexed_like(part, table):
    return part.set_axis(table.index, axis=0) if isinstance(part, pd.DataFrame) else part


def _beside(parts, table):
    """The parts as one frame, under names that are unique."""
    names = [name for part in parts for name in part.columns]
    taken, fresh = set(), []
    for name in names:
        free, number = name, 2
        while free in taken:
            free, number = f"{name}_{number}", number + 1
        taken.add(free)
        fresh.append(free)
    if isinstance(table, pd.DataFrame):
        return _named(pd.concat(parts, axis=1) if parts else table[[]], fresh)
    named, start = [], 0
    for part in parts:
        named.append(_named(part, fresh[start : start + part.width]))
        start += part.width
    return pl.concat(named, how="horizontal") if named else table.select()


def _named(frame, names):
    if list(frame.columns) == list(names):
        return frame
    return frame.set_axis(names, axis=1) if isinstance(frame, pd.DataFrame) else frame.rename(dict(zip(frame.columns, names, strict=True)))


def _size(frame):
    if frame is None:
        return 0
    held = frame.memory_usage(deep=False).sum() if isinstance(frame, pd.DataFrame) else frame.estimated_size()
    return int(held) + _OVERHEAD
