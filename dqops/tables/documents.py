"""JSON: an array of records, or one record a line; nested fields become columns with dotted names."""

import json

import polars as pl

from dqops.errors import SourceError
from dqops.tables.contents import Contents, clean_names
from dqops.tables.plain import plain_cells, sentences
from dqops.tables.unpack import as_utf8

_NEEDED = "an array of records, or one record a line"


def read_documents(data, source, *, encoding=None, lines=False):
    """Contents of JSON text.

    Takes an array of records, records line by line, an object of columns (``{"a": [1, 2]}``), what
    ``pandas.DataFrame.to_json`` writes, and an object with one array of records in it.

    Parameters
    ----------
    data : bytes
    source : str
        For messages.
    lines : bool
        One record a line, even if there is but one.

    Examples
    --------
    >>> read_documents(b'[{"a": 1, "b": {"c": "x"}}, {"a": 2}]', "a.json").frame.rows()
    [(1, 'x'), (2, None)]
    """
    data, warnings = as_utf8(data, source, encoding)
    text = data.decode("utf-8").strip()
    if not text:
        raise SourceError(source, "it is empty", _NEEDED)
    try:
        columns, height = _columns(_parsed(text, source, lines), source)
    except RecursionError:
        raise SourceError(source, "its records are nested too deeply", _NEEDED) from None
    if not columns or not height:
        raise SourceError(source, "it holds no records", "at least one")
    names, renamed = clean_names(columns)
    series, said = [], {}
    for name, values in zip(names, columns.values(), strict=True):
        cells, loss = plain_cells(name, values)
        series.append(cells)
        if loss:
            said.setdefault(loss, []).append(name)
    return Contents.of_values(pl.DataFrame(series), warnings=(*warnings, *renamed, *sentences(said)))


def _parsed(text, source, lines):
    """The whole as one value, or a list of the values on its lines."""
    try:
        whole = json.loads(text)
        return [whole] if lines and isinstance(whole, dict) else whole
    except ValueError as cause:
        whole_cause = cause
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if line.strip():
                records.append(json.loads(line))
        except ValueError as cause:
            at = f"line {getattr(whole_cause, 'lineno', 1)}: {whole_cause}" if number == 1 else f"line {number}: {cause}"
            raise SourceError(source, f"it is no JSON ({at[:200]})", _NEEDED) from None
    return records


def _columns(value, source):
    """Cells by column, and how many rows there are."""
    if isinstance(value, dict):
        value = _records(value)
    if isinstance(value, dict):  # of columns
        return value, len(next(iter(value.values())))
    if not isinstance(value, list):
        raise SourceError(source, f"it holds a single {type(value).__name__}", _NEEDED)
    if value and all(isinstance(record, list) for record in value):
        value = [{f"column_{place}": cell for place, cell in enumerate(record)} for record in value]
    if not all(isinstance(record, dict) for record in value):
        raise SourceError(source, "its array holds values that are no records", _NEEDED)
    columns = {}
    for row, record in enumerate(value):
        for name, cell in _flat(record):
            if name not in columns:
                columns[name] = [None] * len(value)
            columns[name][row] = cell
    return columns, len(value)


def _records(value):
    """A list of records, or columns of one length, that an object stands for."""
    held = list(value.values())
    if {"columns", "data"} <= value.keys() and isinstance(value["data"], list):  # pandas, orient="split"
        return [dict(zip(map(str, value["columns"]), record, strict=False)) for record in value["data"]]
    if held and all(isinstance(cells, list) for cells in held) and len({len(cells) for cells in held}) == 1:
        arrays_of_records = len(held) == 1 and held[0] and all(isinstance(record, dict) for record in held[0])
        return held[0] if arrays_of_records else value
    if held and all(isinstance(cells, dict) for cells in held) and len({tuple(cells) for cells in held}) == 1:
        return {name: list(cells.values()) for name, cells in value.items()}  # pandas, orient="columns"
    arrays = [cells for cells in held if isinstance(cells, list) and cells and all(isinstance(one, dict) for one in cells)]
    return arrays[0] if len(arrays) == 1 else [value]


def _flat(record, prefix=""):
    """Names and cells of a record, those of the records in it with dotted names."""
    for name, cell in record.items():
        if isinstance(cell, dict) and cell:
            yield from _flat(cell, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", cell
