"""Sheets that people fill in: CSV and Excel, safe to open, and read back as they were meant."""

import csv
import io
import re

import polars as pl

from dqops.errors import MissingExtraError, SourceError
from dqops.files import write_bytes
from dqops.tables.io import read

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_WIDEST = 60  # letters of a column of a workbook
_NEEDED = "a CSV or Excel file with the columns row, column and answer"


def guarded(text):
    """The text as a spreadsheet shows it without running it; `unguarded` gives it back.

    >>> [guarded(one) for one in ("=1+1", "-5", "@home", "'=x", "plain")]
    ["'=1+1", '-5', "'@home", "''=x", 'plain']
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unguarded(text):
    """The text that `guarded` was given.

    >>> [unguarded(guarded(one)) for one in ("=1+1", "-5", "@home", "'=x", "plain", "'quoted'")]
    ['=1+1', '-5', '@home', "'=x", 'plain', "'quoted'"]
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def write_sheet(path, lines, form):
    """Write a frame as CSV (with a byte order mark, so that Excel reads its letters) or as an Excel workbook.

    Parameters
    ----------
    path : path
    lines : polars.DataFrame
        Of text; null is an empty cell.
    form : {"csv", "excel"}
    """
    safe = lines.select(pl.all().cast(pl.String))
    rows = [[guarded(cell or "") for cell in row] for row in safe.iter_rows()]
    head = [guarded(name) for name in lines.columns]
    write_bytes(path, _workbook(head, rows) if form == "excel" else _text(head, rows))


def _text(head, rows):
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([head, *rows])
    return buffer.getvalue().encode("utf-8-sig")


def _workbook(head, rows):
    try:
        import xlsxwriter
    except ImportError:
        raise MissingExtraError("writing Excel files", "xlsxwriter", "excel") from None
    buffer = io.BytesIO()
    # Every cell is text: what Excel would take for a formula, a link or a date stays what it is.
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        sheet = book.add_worksheet("review")
        sheet.freeze_panes(1, 0)
        for place, name in enumerate(head):
            longest = max([len(name), *(len(row[place]) for row in rows)])
            sheet.set_column(place, place, min(longest + 2, _WIDEST), text)
            sheet.write_string(0, place, name, bold)
        for number, row in enumerate(rows, start=1):
            for place, cell in enumerate(row):
                if cell:
                    sheet.write_string(number, place, cell, text)
    return buffer.getvalue()


def read_sheet(path):
    """The filled lines of a sheet: dicts of line, row, column, answer, reviewer, each text or None.

    Raises
    ------
    SourceError
        Where the file is no table, or has no such columns.
    """
    table = read(path)
    names = {unguarded(name.strip()).casefold(): name for name in table.columns}
    absent = [name for name in ("row", "column", "answer") if name not in names]
    if absent:
        raise SourceError(path, f"it has no column {absent[0]!r}", _NEEDED)
    cells = {name: _texts(table.raw[names[name]]) for name in ("row", "column", "answer", "reviewer") if name in names}
    cells.setdefault("reviewer", [None] * table.n_rows)
    return [{"line": place + 2, **dict(zip(cells, line, strict=True))} for place, line in enumerate(zip(*cells.values(), strict=True))]


def _texts(cells):
    """The cells as text without blanks around it; whole numbers of a workbook without a trailing ``.0``."""
    if cells.dtype.is_float():
        whole = ((cells == cells.floor()) & (cells.abs() < 1e15)).fill_null(False).to_list()
        texts = [None if one is None else str(int(one)) if even else str(one) for one, even in zip(cells.to_list(), whole, strict=True)]
    else:
        texts = cells.cast(pl.String).to_list()
    return [None if one is None or not one.strip() else unguarded(one.strip()) for one in texts]
