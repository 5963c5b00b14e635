"""Delimited text (CSV and its cousins) in any common dialect."""

import csv
import io
import re
from dataclasses import dataclass
from math import log

import polars as pl

from dqops.errors import OptionError, SourceError
from dqops.tables.contents import Contents, clean_names
from dqops.tables.unpack import as_utf8

_DELIMITERS = ",;\t|"
# Stands for "no delimiter": a character that text does not hold.
_NONE = "\x1f"
_GLIMPSE = 1 << 15
_GLIMPSED_RECORDS = 200


@dataclass(frozen=True)
class Dialect:
    """How records and fields are told apart."""

    delimiter: str = ","
    quote: str = '"'
    skips_blanks: bool = False

    def records(self, text):
        """Iterator over the records of `text`, each a list of fields."""
        return csv.reader(
            io.StringIO(text, newline=""),
            delimiter=self.delimiter,
            quotechar=self.quote,
            skipinitialspace=self.skips_blanks,
        )


def read_delimited(data, source, *, encoding=None, delimiter=None):
    """Contents of delimited text whose first record names the columns.

    Parameters
    ----------
    data : bytes
        Decompressed.
    source : str
        For messages.
    encoding, delimiter : str, optional
        Guessed where they are not given.

    Returns
    -------
    Contents

    Examples
    --------
    >>> read_delimited(b"a;b\\n007;1,5\\n", "a.csv").frame.rows()
    [(7, '1,5')]
    """
    data, warnings = as_utf8(data, source, encoding)
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    data = data.strip(b"\r\n")
    if not data or data.isspace():
        raise SourceError(source, "it is empty", "a header and at least one row")
    if data[:4].lower() == b"sep=" and data[5:6] in (b"\n", b"\r"):  # a spreadsheet says its delimiter so
        delimiter, data = delimiter or chr(data[4]), data[5:].lstrip(b"\r\n")
    dialect = sniff(data, delimiter)
    header = next(dialect.records(_glimpse(data)))
    raw, rows, more = _cells(data, dialect, header, source)
    if not raw.height:
        raise SourceError(source, "it has a header but no rows", "at least one row")
    names, renamed = clean_names(header)
    raw.columns = names
    if all(_is_number(name) for name in header):
        renamed.append("the first line holds numbers only: it was taken for the column names")
    return Contents.of_text(raw, rows=rows, warnings=(*warnings, *renamed, *more))


def sniff(data, delimiter=None):
    """The dialect in which the first records are most even.

    >>> sniff(b"name;price\\nbeer, dark;1,50\\n").delimiter
    ';'
    """
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n'):
        raise OptionError("delimiter", delimiter, "one character, such as , or ; or a tab")
    text = _glimpse(data)
    best, height = Dialect(delimiter or _NONE), 0.0
    for candidate in delimiter or _DELIMITERS:
        quote = _quote(text, candidate)
        for skips_blanks in (False, True) if f'{candidate} "' in text else (False,):
            dialect = Dialect(candidate, quote, skips_blanks)
            score = _evenness(text, dialect)
            if score > height:
                best, height = dialect, score
    return best


def _glimpse(data):
    """The first whole lines, as text."""
    if len(data) <= _GLIMPSE:
        return data.decode("utf-8", "replace")
    end = data.rfind(b"\n", 0, _GLIMPSE)
    end = end if end > 0 else data.find(b"\n", _GLIMPSE)
    return data[: end if end > 0 else len(data)].decode("utf-8", "replace")


def _evenness(text, dialect):
    """Share of records as wide as the first one, more for wider ones; 0 where the first has one field."""
    with RoomyFields(text):
        records = dialect.records(text)
        width = len(next(records, []))
        if width < 2:
            return 0.0
        widths = [len(record) for record, _ in zip(records, range(_GLIMPSED_RECORDS), strict=False) if record]
    even = sum(one == width for one in widths) + 1
    return even / (len(widths) + 1) * (1 - 1 / (1 + log(width + 1)))


def _quote(text, delimiter):
    """Single quotes where fields are wrapped in them and none in double ones, else double quotes."""
    if '"' in text or f"'{delimiter}" not in text:
        return '"'
    wrapped = re.escape(delimiter)
    singles = len(re.findall(rf"(?:^|{wrapped})'[^'\n]*'(?={wrapped}|\r?$)", text, re.MULTILINE))
    lines = text.count("\n") + 1
    return "'" if singles >= lines else '"'


def _cells(data, dialect, header, source):
    """Text cells below the header, row names or None, and warnings."""
    plain = dialect.delimiter.isascii() and not dialect.skips_blanks
    if plain:
        try:
            # A last field that ends in a doubled quote is lost to polars 2.1 where no line end follows.
            data = data + b"\n" if data.endswith(dialect.quote.encode()) else data
            raw = pl.read_csv(data, separator=dialect.delimiter, quote_char=dialect.quote, infer_schema=False)
        except pl.exceptions.PolarsError:
            plain = False
    if plain and raw.width == len(header) and not _may_hold_blank_lines(raw, data):
        return raw, None, []
    return _cells_one_by_one(data, dialect, header, source)


def _may_hold_blank_lines(raw, data):
    """Readers skip blank lines; here they came as rows without any cell."""
    if raw.width and all(cells.null_count() for cells in raw.get_columns()):
        return bool(raw.select(pl.all_horizontal(pl.all().is_null())).to_series().any()) and _BLANK_LINE.search(data) is not None
    return False


_BLANK_LINE = re.compile(rb"\n[ \t]*\r?\n")


def _cells_one_by_one(data, dialect, header, source):
    """The same by the patient reader, which takes ragged rows and stray quotes."""
    text = data.decode("utf-8")
    with RoomyFields(text):
        reader = dialect.records(text)
        next(reader)
        records, lines, before = [], [], reader.line_num
        for record in reader:
            if record and not (len(record) == 1 < len(header) and not record[0].strip()):
                records.append(record)
                lines.append(before + 1)
            before = reader.line_num
    _refuse_open_quote(records, lines, text, dialect, source)
    return _squared(records, lines, header)


def _refuse_open_quote(records, lines, text, dialect, source):
    last = records[-1][-1] if records else ""
    if "\n" in last and not text.endswith(dialect.quote) and text.endswith(last.replace(dialect.quote, dialect.quote * 2)):
        raise SourceError(source, f"the quote that opens in line {lines[-1]} is never closed", "a closing quote")


def _squared(records, lines, header):
    """Records cut or filled to the width of the header, row names or None, and warnings."""
    width = len(header)
    named = bool(records) and all(len(record) == width + 1 for record in records)
    rows = None
    if named and any(record[-1] for record in records):  # one field more throughout: row names come first
        rows = pl.Series("row", [record[0] for record in records], dtype=pl.String)
        records = [record[1:] for record in records]
    long = [line for record, line in zip(records, lines, strict=True) if any(record[width:])]
    warnings = []
    if long:
        many = f"{len(long)} rows have" if len(long) > 1 else "1 row has"
        warnings.append(
            f"{many} more fields than the header (first in line {long[0]}): what stands beyond the last column was left out"
        )
    filled = [record[:width] + [""] * (width - len(record)) if len(record) != width else record for record in records]
    columns = zip(*filled, strict=True) if filled else [()] * width
    cells = [pl.Series(f"{place}", column, dtype=pl.String) for place, column in enumerate(columns)]
    return pl.DataFrame([one.set(one == "", None) for one in cells]), rows, warnings


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


class RoomyFields:
    """Let fields be as long as the text, for a while."""

    def __init__(self, text):
        self.size = max(len(text) + 1, 1 << 17)

    def __enter__(self):
        self.before = csv.field_size_limit(self.size)

    def __exit__(self, *_):
        csv.field_size_limit(self.before)
