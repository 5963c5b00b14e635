"""Files cleaned and uncleaned: what a plan does not change stays as it stands, byte for byte or value for value."""

import bz2
import gzip
import json
import lzma
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dqops.errors import DataError, OptionError, SourceError
from dqops.tables.changes import fresh_columns, prepared_for_undoing, refuse_other
from dqops.tables.columnar import PARQUET_ENDINGS
from dqops.tables.given import given_kept, patched, taken_back
from dqops.tables.own_arrow import OwnArrow
from dqops.tables.source_text import SourceText
from dqops.tables.sources import form_of

_TEXT_ENDINGS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": ",", ".dat": ",", ".psv": "|"}
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
_CELLS, _ROWS, _META = "text.cells.parquet", "text.rows.parquet", "text.meta.json"
_WIDTH = -1  # in place of a column: how many cells the record had
_ESCAPE = "surrogateescape"


def cleaned_file(path, table, plan, out, *, encoding=None, delimiter=None):
    """The bytes of the cleaned file, and what exact undoing needs beyond the plan's own cells.

    Parameters
    ----------
    path : path or None
        Where the table was read from; None where that is no file.
    table : Table
    plan : CleaningPlan
    out : path
        Its ending tells the form. Where it is that of the source, unchanged cells stay exactly as they stand.

    Returns
    -------
    data : bytes
    kept : dict of str to bytes

    Raises
    ------
    OptionError
        When the ending of `out` is none that can be written.
    DataError
        When the plan is for another table.
    """
    wanted = _form_by_name(out)
    refuse_other(table, plan)
    form, data = (None, b"") if path is None else _form_of_file(path, delimiter)
    if form == wanted == "text":
        text = SourceText.of(data, Path(path).name, encoding=encoding, delimiter=delimiter)
        changed, kept = _text_cleaned(text, table, plan)
        return packed(changed.data(), out), kept | {_META: json.dumps(text.habits).encode()}
    if form == wanted == "parquet":
        frame, own = _arrow_of(data, table)
        fresh = fresh_columns(table, plan)
        changed = own.take(patched(own, frame, table, fresh, plan), _staying(table, plan))
        return _parquet_bytes(changed, data), given_kept(own, frame, table, fresh, plan)
    return table_bytes(plan.apply(table), out), {}


def uncleaned_file(path, table, plan, part, out, *, encoding=None, delimiter=None):
    """The bytes of a cleaned file with the changes of `part`, which is some of `plan`, taken back.

    Parameters
    ----------
    path : path
        The cleaned file.
    table : Table
        As read from it.
    plan, part : CleaningPlan
    out : path
    """
    wanted = _form_by_name(out)
    form, data = _form_of_file(path, delimiter)
    if form == wanted == "text":
        if _META in plan.kept:
            text = SourceText.alike(data, Path(path).name, json.loads(plan.kept[_META]))
        else:
            text = SourceText.of(data, Path(path).name, encoding=encoding, delimiter=delimiter)
        return packed(_text_uncleaned(text, Path(path).name, plan, part).data(), out)
    if form == wanted == "parquet" and any(name.startswith("arrow.") for name in plan.kept):
        return _arrow_uncleaned(data, table, plan, part)
    return table_bytes(plan.undo_part(table, part), out)


def table_bytes(table, out):
    """The cells of a table as a file of the form that the name asks for."""
    form, buffer = _form_by_name(out), BytesIO()
    if form == "parquet":
        table.frame.write_parquet(buffer)
    elif form == "arrow":
        table.frame.write_ipc(buffer)
    elif form == "json lines":
        table.frame.write_ndjson(buffer)
    else:
        ending = next(one for one in reversed(_endings(out)) if one in _TEXT_ENDINGS)
        table.raw.write_csv(buffer, separator=_TEXT_ENDINGS[ending])
    return packed(buffer.getvalue(), out)


def packed(data, out):
    """The bytes compressed as the ending of the name asks for.

    >>> packed(b"a", "a.csv.gz")[:2]
    b'\\x1f\\x8b'
    """
    ending = Path(out).suffix.lower()
    if ending == ".gz":
        return gzip.compress(data, mtime=0)
    if ending == ".bz2":
        return bz2.compress(data)
    if ending == ".xz":
        return lzma.compress(data)
    if ending == ".zst":
        return pa.compress(data, codec="zstd", asbytes=True)
    if ending == ".zip":
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(Path(out).stem), data)
        return buffer.getvalue()
    return data


def _endings(out):
    return [one.lower() for one in Path(out).suffixes]


def _form_by_name(out):
    """The form that the ending of a name asks for."""
    endings = [one for one in _endings(out) if one not in _PACKED]
    ending = endings[-1] if endings else ""
    if ending in _TEXT_ENDINGS:
        return "text"
    if ending in PARQUET_ENDINGS:
        return "parquet"
    forms = {".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow", ".jsonl": "json lines", ".ndjson": "json lines"}
    if ending not in forms:
        raise OptionError("out", str(out), "a name that ends in .csv, .tsv, .parquet, .arrow or .jsonl; .gz, .bz2, .xz, .zst or .zip may follow")
    return forms[ending]


def _form_of_file(path, delimiter):
    """The form of a file and its bytes; no form for a folder or a pattern of files."""
    path = Path(path)
    if not path.is_file():
        return None, b""
    try:
        return form_of(path.read_bytes(), path.name, path.name, delimiter)
    except OSError as cause:
        raise SourceError(path, cause.strerror or cause, "the right to read it") from None


def _staying(table, plan):
    return np.setdiff1d(np.arange(table.n_rows), plan.dropped["position"].to_numpy())


def _text_cleaned(text, table, plan):
    """The source with the plan's cells rewritten and rows left out, and how they were spelled."""
    if len(text.records) != table.n_rows or text.columns != len(table.columns):
        came = f"{table.name} holds {len(text.records)} records where {table.n_rows} rows were read"
        raise DataError(f"{came}: it cannot be rewritten cell by cell", "a form such as .parquet for --out")
    changes, kept, place = {}, [], {name: number for number, name in enumerate(table.columns)}
    for number, name, before, after in plan.changes.select("position", "column", "before", "after").iter_rows():
        own, _ = text.cells(number)
        column = place[name]
        old = own[column + text.shift] if column + text.shift < len(own) else None
        if old is not None and text.value(old) != (before or None):
            raise DataError(f"{table.name} does not hold {before!r} in row {number + 1}", "the file that the plan was made from")
        changes.setdefault(number, {})[column] = after
        if old is None:
            kept.append((number, _WIDTH, str(len(own)).encode()))
        elif old != text.spelled(before):
            kept.append((number, column, old.encode("utf-8", _ESCAPE)))
    rows = [(number, text.records[number].encode("utf-8", _ESCAPE)) for number in plan.dropped["position"]]
    cells = pl.DataFrame(kept, schema={"number": pl.Int64, "column": pl.Int64, "spelling": pl.Binary}, orient="row")
    lost = pl.DataFrame(rows, schema={"number": pl.Int64, "record": pl.Binary}, orient="row")
    changed = text.rewritten(changes)
    stays = [changed.records[number] for number in _staying(table, plan)]
    return replace(changed, records=stays), {_CELLS: _bytes(cells), _ROWS: _bytes(lost)}


def _text_uncleaned(text, name, plan, part):
    """The cleaned text with the cells and rows of `part` as they stood."""
    left = np.setdiff1d(np.arange(plan.data["rows"]), plan.dropped["position"].to_numpy())
    if len(text.records) != len(left):
        raise DataError(f"{name} has {len(text.records)} rows, and the plan left {len(left)}", "the file that dqops clean wrote with this plan")
    if text.columns != len(plan.data["columns"]):
        raise DataError(f"{name} has {text.columns} columns, and the plan is for {len(plan.data['columns'])}", "the file that dqops clean wrote with this plan")
    spelled, widths = {}, {}
    if _CELLS in plan.kept:
        kept = {(number, column): text.decode("utf-8", _ESCAPE) for number, column, text in pl.read_parquet(plan.kept[_CELLS]).iter_rows()}
        spelled = {place: cell for place, cell in kept.items() if place[1] != _WIDTH}
        widths = {int(np.searchsorted(left, number)): int(width) for (number, column), width in kept.items() if column == _WIDTH}
    changes, own, seen = {}, [], None
    here, place = set(left.tolist()), {one: number for number, one in enumerate(plan.data["columns"])}
    for line in part.changes.iter_rows(named=True):
        number, column = line["position"], place[line["column"]]
        if number not in here:
            continue
        at = int(np.searchsorted(left, number))
        own, seen = (own, seen) if seen == at else (text.cells(at)[0], at)
        cell = own[column + text.shift] if column + text.shift < len(own) else ""
        if _holds(text, cell, line, name):
            changes.setdefault(at, {})[column] = spelled.get((number, column), text.spelled(line["before"]))
    return _with_records(text.respelled(changes, widths), plan, part, left)


def _holds(text, cell, line, name):
    """Whether the cell still holds what the plan wrote; False where it holds what stood there before."""
    now = text.value(cell)
    if now == (line["after"] or None) or _equal_numbers(now, line["after"]):
        return True
    if now == (line["before"] or None):
        return False
    came = f"row {line['row']!r}, column {line['column']!r} of {name} does not hold {line['after']!r}, which the plan wrote"
    raise DataError(came, "a selection without it")


def _equal_numbers(one, other):
    try:
        return float(one) == float(other)
    except (TypeError, ValueError):
        return False


def _with_records(text, plan, part, left):
    """The text with the dropped rows of `part` in their places."""
    if not part.dropped.height:
        return text
    if _ROWS in plan.kept:
        known = dict(pl.read_parquet(plan.kept[_ROWS]).iter_rows())
        back = [known[number].decode("utf-8", _ESCAPE) for number in part.dropped["position"]]
    else:
        back = [_record(text, cells) for cells in part.cells.iter_rows()]
    numbers = np.concatenate([left, part.dropped["position"].to_numpy()])
    records = [*text.records, *back]
    return replace(text, records=[records[place] for place in np.argsort(numbers, kind="stable")])


def _record(text, cells):
    """A record of these cells, spelled as the rest of the file."""
    end = text.cells(0)[1] if text.records else "\n"
    return text.dialect.delimiter.join(text.spelled(None if cell is None else str(cell)) for cell in cells) + (end or "\n")


def _arrow_of(data, table):
    """The file as an Arrow table whose first columns are those of the `Table`, and what handles it."""
    frame = pq.read_table(BytesIO(data))
    inner = [name for name in frame.column_names if name in set(table.columns)]
    if inner != table.columns:
        raise DataError(f"the columns of {table.name} do not stand under their own names in the file", "another ending for --out, such as .csv")
    others = [name for name in frame.column_names if name not in set(inner)]
    return frame.select([*inner, *others]), OwnArrow(len(inner))


def _arrow_uncleaned(data, table, plan, part):
    """The Parquet file with the cells and rows of `part` as they stood."""
    frame, own = _arrow_of(data, table)
    table, back, order = prepared_for_undoing(table, plan, part)
    rest = plan.less(part.changes, part.dropped, {*plan.types} - {*part.types})
    changed = taken_back(own, frame, table, plan, part, rest, back, order)
    if changed is None:
        raise DataError(f"{table.name} has {table.n_rows} rows, and the plan left {plan.data['rows'] - plan.dropped.height}", "the file that dqops clean wrote with this plan")
    return _parquet_bytes(changed, data)


def _parquet_bytes(frame, like):
    """The Arrow table as Parquet, its columns in the order of those of the file `like`, and compressed alike."""
    file, buffer = pq.ParquetFile(BytesIO(like)), BytesIO()
    about = file.metadata
    codec = about.row_group(0).column(0).compression if about.num_row_groups and about.num_columns else "SNAPPY"
    pq.write_table(frame.select(file.schema_arrow.names), buffer, compression="NONE" if codec == "UNCOMPRESSED" else codec)
    return buffer.getvalue()


def _bytes(frame):
    buffer = BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
