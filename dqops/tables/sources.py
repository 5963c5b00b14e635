"""Where cells come from: tells what a source is, and has the right reader read it."""

import sys
from dataclasses import replace
from difflib import get_close_matches
from glob import glob, has_magic
from io import BytesIO
from pathlib import Path

import polars as pl

from dqops.errors import OptionError, SourceError
from dqops.tables.columnar import PARQUET_ENDINGS, parquet_files, read_arrow, read_parquet
from dqops.tables.contents import Contents, clean_names
from dqops.tables.databases import read_database, read_workbook
from dqops.tables.delimited import read_delimited
from dqops.tables.documents import read_documents
from dqops.tables.plain import plain_frame
from dqops.tables.registry import find_dataset
from dqops.tables.unpack import unpacked

_TEXT_ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".dat", ".psv")
_LINE_ENDINGS = (".jsonl", ".ndjson")
_WORKBOOK_ENDINGS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_MAGICS = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow stream",
    b"SQLite format 3\0": "sqlite",
    b"\xd0\xcf\x11\xe0": "workbook",
}


def contents_of(source, *, query=None, encoding=None, delimiter=None):
    """`Contents` of any source, with unique names, and what to call it.

    See `dqops.read` for the sources.
    """
    if any(kind.__module__.startswith("pandas") for kind in type(source).__mro__):
        # Late: who brings a pandas frame has pandas loaded, the others need not wait for it.
        from dqops.tables.frames import from_pandas

        return from_pandas(source), "the table"
    if isinstance(source, pl.LazyFrame):
        source = _collected(source)
    if isinstance(source, (pl.DataFrame, pl.Series)) or hasattr(source, "__arrow_c_stream__"):
        return _of_frame(source), "the table"
    if hasattr(source, "read"):
        data = source.read()
        data = data.encode("utf-8", "replace") if isinstance(data, str) else data
        return _of_bytes(data, "the source", "", encoding, delimiter), "the source"
    if not isinstance(source, (str, Path)):
        needed = "a path, a pandas or polars frame, or a table"
        raise OptionError("source", type(source).__name__, needed)
    if str(source) == "-":
        return _of_bytes(sys.stdin.buffer.read(), "standard input", "", encoding, delimiter), "standard input"
    if str(source).startswith("dataset:"):
        source = find_dataset(str(source).removeprefix("dataset:"))
    elif "://" in str(source):
        return _of_address(str(source), query)
    return _of_path(Path(source), query, encoding, delimiter)


def _collected(lazy):
    try:
        return lazy.collect()
    except (pl.exceptions.PolarsError, OSError) as cause:
        first = next(iter(str(cause).strip().splitlines()), type(cause).__name__)
        raise SourceError("the lazy frame", f"its query fails ({first[:200]})") from None


def _of_frame(source):
    frame = pl.DataFrame(source)
    names, renamed = clean_names(frame.columns)
    frame = frame.rename(dict(zip(frame.columns, names, strict=True))) if renamed else frame
    plain, warnings = plain_frame(frame)
    return Contents.of_values(plain, warnings=(*renamed, *warnings))


def _of_address(address, query):
    if address.split("://")[0] in ("http", "https", "ftp", "s3", "gs"):
        raise SourceError(address, "it is a web address", "a local file: download it first")
    return read_database(address, query), address.split("://")[0] + " database"


def _of_path(path, query, encoding, delimiter):
    if not path.exists() and has_magic(str(path)):
        return _of_glob(str(path), encoding, delimiter), path.name
    if path.is_dir():
        return _named(read_parquet(parquet_files(path), path), path), path.name
    if not path.exists():
        raise SourceError(path, "no such file" + _nearest(path))
    try:
        kind = _magic(path) if path.is_file() else None  # a pipe can be read once only
        if kind in ("sqlite", "duckdb"):
            return read_database(f"{kind}:///{path}", query), path.name
        if query is not None:
            raise OptionError("query", query, "a database to ask it of")
        if kind == "parquet":
            return _named(read_parquet(path, path), path), path.name
        return _of_bytes(path.read_bytes(), path.name, path.name, encoding, delimiter), path.name
    except PermissionError:
        raise SourceError(path, "it may not be read", "the right to read it") from None


def _of_glob(pattern, encoding, delimiter):
    """Contents of all files that match, one below the other."""
    paths = sorted(path for path in glob(pattern, recursive=True) if Path(path).is_file())
    if not paths:
        raise SourceError(pattern, "no file matches", "at least one")
    if all(path.lower().endswith(PARQUET_ENDINGS) for path in paths):
        return _named(read_parquet(paths, pattern), pattern)
    parts = [_of_path(Path(path), None, encoding, delimiter)[0] for path in paths]
    for path, part in zip(paths, parts, strict=True):
        if part.raw.columns != parts[0].raw.columns:
            raise SourceError(path, f"its columns are not those of {Path(paths[0]).name}", "files with the same columns")
    warnings = tuple(dict.fromkeys(said for part in parts for said in part.warnings))
    raw = pl.concat([part.raw for part in parts], how="vertical_relaxed")
    of = Contents.of_values if all(part.raw is part.frame for part in parts) else Contents.of_text
    return of(raw, warnings=warnings)


def _of_bytes(data, name, file_name, encoding, delimiter):
    """Contents of a file's bytes, by what they begin with, then by the ending of the name."""
    form, data = form_of(data, name, file_name, delimiter)
    if form == "workbook":
        return read_workbook(data, name)
    if form == "parquet":
        return _named(read_parquet(BytesIO(data), name), name)
    if form in ("arrow", "arrow stream"):
        return _named(read_arrow(BytesIO(data), name, stream=form == "arrow stream"), name)
    if form in ("json", "json lines"):
        return read_documents(data, name, encoding=encoding, lines=form == "json lines")
    return read_delimited(data, name, encoding=encoding, delimiter=delimiter)


def form_of(data, name, file_name, delimiter=None):
    """What a file's bytes hold, and those bytes unpacked.

    Parameters
    ----------
    data : bytes
    name : str
        For messages.
    file_name : str
        Its endings decide where the bytes do not.
    delimiter : str, optional
        Where one is given the bytes are delimited text.

    Returns
    -------
    form : {"workbook", "parquet", "arrow", "arrow stream", "json", "json lines", "text"}
    data : bytes
    """
    kind = _kind(data[:16])
    endings = {ending.lower() for ending in Path(file_name).suffixes}
    if kind == "workbook" or (data.startswith(b"PK") and endings & {*_WORKBOOK_ENDINGS}) or _is_workbook(data):
        return "workbook", data
    data = unpacked(data, name)
    kind = _kind(data[:16])
    if not data:
        raise SourceError(name, "it is empty", "a header and at least one row")
    if kind in ("parquet", "arrow", "arrow stream"):
        return kind, data
    if endings & {*PARQUET_ENDINGS, ".arrow", ".feather", ".ipc", *_WORKBOOK_ENDINGS}:
        raise SourceError(name, f"it holds no {Path(file_name).suffix.lower()[1:]} data, or they are cut short or damaged")
    if endings & {*_LINE_ENDINGS}:
        return "json lines", data
    if ".json" in endings or (not endings & {*_TEXT_ENDINGS} and delimiter is None and _looks_like_json(data)):
        return "json", data
    return "text", data


def _named(contents, source):
    """The contents under unique names that are not blank."""
    names, renamed = clean_names(contents.frame.columns)
    if not contents.frame.height:
        raise SourceError(source, "it has columns but no rows", "at least one row")
    if not renamed:
        return contents
    frame = contents.frame.rename(dict(zip(contents.frame.columns, names, strict=True)))
    return replace(contents, frame=frame, raw=frame, warnings=(*renamed, *contents.warnings))


def _magic(path):
    with path.open("rb") as file:
        return _kind(file.read(16))


def _kind(head):
    """What the first bytes of a file say it is, or None."""
    if head[8:12] == b"DUCK":
        return "duckdb"
    return next((kind for magic, kind in _MAGICS.items() if head.startswith(magic)), None)


def _is_workbook(data):
    return data.startswith(b"PK") and (b"[Content_Types].xml" in data[:4096] or b"opendocument.spreadsheet" in data[:200])


def _looks_like_json(data):
    head = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n\0")
    return head[:1] == b"{" or (head[:1] == b"[" and head[1:].lstrip()[:1] in (b"{", b"["))


def _nearest(path):
    """`; did you mean` the nearest file beside it, or nothing."""
    if not path.parent.is_dir():
        return f" (there is no folder {path.parent})"
    near = get_close_matches(path.name, [one.name for one in path.parent.iterdir()], n=1)
    return f". Did you mean {str(path.parent / near[0])!r}?" if near else ""

