"""Databases and workbooks: sources that need a driver."""

import re
from importlib import import_module
from pathlib import Path
from urllib.parse import quote, urlsplit

import polars as pl

from dqops.errors import MissingExtraError, OptionError, SourceError
from dqops.tables.contents import Contents, clean_names
from dqops.tables.plain import plain_cells, plain_frame, sentences

_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name",
    "duckdb": "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY table_name",
}
_SERVER_TABLES = (
    "SELECT table_name FROM information_schema.tables "
    "WHERE table_schema NOT IN ('information_schema', 'pg_catalog') ORDER BY table_name"
)
# A colon before a word, which SQLAlchemy would take for the name of a value to be put in.
_BIND = re.compile(r"(?<![:\w\\]):(?=\w)")


def read_database(url, query=None):
    """Contents of the answer to `query`, or of the only table.

    Parameters
    ----------
    url : str
        ``sqlite:///people.db``, ``duckdb:///people.duckdb``, or any address that SQLAlchemy takes, such as
        ``postgresql://user@host/base``. Nothing is written: the connection is opened for reading only.
    query : str, optional

    Raises
    ------
    SourceError, MissingExtraError
    """
    kind = urlsplit(url).scheme.split("+")[0]
    shown = _without_password(url)
    if kind in _TABLES:
        path = Path(url.split("://", 1)[1].removeprefix("/"))
        if not path.is_file():
            raise SourceError(shown, "no such file")
        names, rows, problem = {"sqlite": _ask_sqlite, "duckdb": _ask_duckdb}[kind](path, query, shown)
    else:
        names, rows, problem = _ask_server(url, query, shown)
    if problem:
        raise SourceError(shown, problem)
    if not rows:
        raise SourceError(shown, "the query brings no rows", "at least one")
    names, renamed = clean_names(names)
    series, said = [], {}
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        cells, loss = plain_cells(name, list(values))
        series.append(cells)
        if loss:
            said.setdefault(loss, []).append(name)
    return Contents.of_values(pl.DataFrame(series), warnings=(*renamed, *sentences(said)))


def read_workbook(data, source):
    """Contents of the first sheet of an Excel or OpenDocument workbook."""
    fastexcel = _extra("fastexcel", "reading Excel files", "excel")
    try:
        book = fastexcel.read_excel(data)
        sheet = book.load_sheet(0, schema_sample_rows=None)
        frame = sheet.to_polars()
    except fastexcel.FastExcelError as cause:
        raise SourceError(source, f"it is no workbook that can be read ({_first_line(cause)})") from None
    names, renamed = clean_names("" if name.startswith("__UNNAMED__") else name for name in frame.columns)
    frame.columns = names
    if not frame.height:
        raise SourceError(source, "its first sheet has no rows", "a header and at least one row")
    frame, warnings = plain_frame(frame)
    if len(book.sheet_names) > 1:
        warnings = (*warnings, f"{source} has {len(book.sheet_names)} sheets: the first was read")
    return Contents.of_values(frame, warnings=(*renamed, *warnings))


def _ask_sqlite(path, query, shown):
    sqlite3 = import_module("sqlite3")
    try:
        link = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)
        try:
            query = query or _only_table([name for (name,) in link.execute(_TABLES["sqlite"])], shown)
            answer = link.execute(query)
            return [one[0] for one in answer.description or ()], answer.fetchall(), None
        finally:
            link.close()
    except sqlite3.Error as cause:
        return [], [], _first_line(cause)


def _ask_duckdb(path, query, shown):
    duckdb = _extra("duckdb", "reading DuckDB files", "databases")
    try:
        with duckdb.connect(str(path), read_only=True) as link:
            query = query or _only_table([name for (name,) in link.execute(_TABLES["duckdb"]).fetchall()], shown)
            answer = link.execute(query)
            return [one[0] for one in answer.description or ()], answer.fetchall(), None
    except duckdb.Error as cause:
        return [], [], _first_line(cause)


def _ask_server(url, query, shown):
    sqlalchemy = _extra("sqlalchemy", "reading databases", "databases")
    try:
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as link:
            if engine.dialect.name == "postgresql":
                link.execute(sqlalchemy.text("SET TRANSACTION READ ONLY"))
            if query is None:
                query = _only_table([name for (name,) in link.execute(sqlalchemy.text(_SERVER_TABLES))], shown)
            answer = link.execute(sqlalchemy.text(_BIND.sub(r"\\:", query)))
            names, rows = list(answer.keys()), [tuple(row) for row in answer]
            link.rollback()
            return names, rows, None
    except sqlalchemy.exc.NoSuchModuleError:
        return [], [], f"no driver knows addresses that begin with {urlsplit(url).scheme}://"
    except sqlalchemy.exc.ArgumentError:
        raise OptionError("source", shown, "an address such as sqlite:///people.db or postgresql://host/base") from None
    except sqlalchemy.exc.SQLAlchemyError as cause:
        return [], [], _first_line(cause)
    except ImportError as cause:
        return [], [], f"its driver is not installed ({_first_line(cause)})"


def _only_table(names, shown):
    if len(names) != 1:
        known = f"it holds {len(names)} tables" + (f" ({', '.join(names[:8])})" if names else "")
        raise SourceError(shown, known, "a query, as query= or --query")
    quoted = names[0].replace('"', '""')
    return f'SELECT * FROM "{quoted}"'


def _extra(module, purpose, extra):
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtraError(purpose, module, extra) from None


def _without_password(url):
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":***@")).geturl()


def _first_line(cause):
    return str(cause).strip().splitlines()[0][:200] if str(cause).strip() else type(cause).__name__

