"""Delimited text taken apart so that single cells are rewritten and everything else stays byte for byte."""

import csv
import io
from dataclasses import dataclass, replace

from dqops.errors import DataError, OutputError
from dqops.tables.delimited import Dialect, RoomyFields, sniff
from dqops.tables.unpack import Spelling, as_utf8, spelling_of


@dataclass(frozen=True, eq=False)
class SourceText:
    """The records of a delimited file, each exactly as it stands, its line end and blank lines after it included.

    Parameters
    ----------
    spelling : Spelling
        How the text stands as bytes.
    dialect : dqops.tables.delimited.Dialect
    head : str
        All before the first row: blank lines, the header.
    records : list of str
    columns : int
        Of the header.
    shift : int
        1 where each record begins with a row name that the header does not speak of, else 0.
    start : int
        Where the header begins in `head`.

    Examples
    --------
    >>> text = SourceText.of(b'a;b\\r\\n"x";1\\r\\ny;2\\r\\n', "a.csv")
    >>> text.rewritten({0: {0: "z"}, 1: {1: None}}).data()
    b'a;b\\r\\n"z";1\\r\\ny;\\r\\n'
    """

    spelling: Spelling
    dialect: Dialect
    head: str
    records: list
    columns: int
    shift: int = 0
    start: int = 0

    @classmethod
    def of(cls, data, source, *, encoding=None, delimiter=None):
        """The parts of decompressed bytes, read as `dqops.read` reads them.

        Raises
        ------
        DataError
            When the bytes cannot be made again from the text.
        """
        spelling = spelling_of(data, encoding)
        text = None if spelling is None else spelling.decoded(data)
        if text is None or spelling.encoded(text) != data:
            raise DataError(f"the text of {source} cannot be written back byte for byte", "UTF-8, UTF-16 or an 8-bit encoding")
        plain, _ = as_utf8(data, source, encoding)
        start = len(text) - len(text.lstrip("\r\n"))
        if text[start : start + 4].lower() == "sep=" and text[start + 5 : start + 6] in ("\n", "\r"):
            delimiter = delimiter or text[start + 4]
            start += len(text[start:]) - len(text[start + 5 :].lstrip("\r\n"))
            plain = plain.strip(b"\r\n")[5:]
        if b"\n" not in plain:
            plain = plain.replace(b"\r", b"\n")
        dialect = sniff(plain.strip(b"\r\n"), delimiter)
        return cls._split(spelling, dialect, text, start)

    @classmethod
    def alike(cls, data, source, habits):
        """The parts of bytes that are spelled as those of which `habits` tells, or as they seem to be."""
        spelling = Spelling(bytes.fromhex(habits["mark"]), habits["encoding"], habits["broken"])
        try:
            text = spelling.decoded(data)
        except UnicodeDecodeError:
            return cls.of(data, source, delimiter=habits["delimiter"])
        if not data.startswith(spelling.mark) or spelling.encoded(text) != data:
            return cls.of(data, source, delimiter=habits["delimiter"])
        return cls._split(spelling, Dialect(habits["delimiter"], habits["quote"], habits["skips_blanks"]), text, habits["start"])

    @property
    def habits(self):
        """How the text is spelled, as plain values."""
        told = {"mark": self.spelling.mark.hex(), "encoding": self.spelling.encoding, "broken": self.spelling.broken, "start": self.start}
        return told | vars(self.dialect)

    @classmethod
    def _split(cls, spelling, dialect, text, start):
        """Records by the lines that the csv reader takes for each; what it skips belongs to the record before."""
        lines = io.StringIO(text[start:], newline="").readlines()
        with RoomyFields(text):
            reader = csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, skipinitialspace=dialect.skips_blanks)
            header = next(reader)
            parts, widths, done = [text[:start] + "".join(lines[: reader.line_num])], [], reader.line_num
            for record in reader:
                piece = "".join(lines[done : reader.line_num])
                done = reader.line_num
                if record and not (len(record) == 1 < len(header) and not record[0].strip()):
                    parts.append(piece)
                    widths.append((len(record), bool(record[-1])))
                else:
                    parts[-1] += piece
        named = bool(widths) and all(width == len(header) + 1 for width, _ in widths) and any(last for _, last in widths)
        return cls(spelling, dialect, parts[0], parts[1:], len(header), int(named), start)

    def data(self):
        """The bytes of the file.

        Raises
        ------
        OutputError
            When a new cell holds a letter that the encoding of the file does not have.
        """
        text = self.head + "".join(self.records)
        try:
            return self.spelling.encoded(text)
        except UnicodeEncodeError as cause:
            letter = text[cause.start]
            raise OutputError("the cleaned table", f"{self.spelling.encoding}, in which the source is written, has no {letter!r}") from None

    def cells(self, row):
        """The cells of a row exactly as they stand, quotes included, and the end of the record."""
        record = self.records[row]
        spans, end = _spans(record, self.dialect)
        return [record[first:last] for first, last in spans], record[end:]

    def value(self, cell):
        """What a cell says, None where it says nothing."""
        with RoomyFields(cell):
            fields = next(self.dialect.records(cell), [""]) if cell.strip("\r\n") else [""]
        return fields[0].replace("\0", "") or None

    def spelled(self, value, old=""):
        """A value as it is to stand in the file: quoted as the cell was before, or where it has to be."""
        if value is None:
            return "" if self.columns + self.shift > 1 else self.dialect.quote * 2
        quote = self.dialect.quote
        unsafe = any(one in value for one in (self.dialect.delimiter, quote, "\n", "\r")) or value != value.strip() or not value
        if unsafe or old.lstrip(" ").startswith(quote):
            return quote + value.replace(quote, quote * 2) + quote
        return value

    def rewritten(self, changes):
        """A copy with these cells: ``{row: {column: value}}``. A record that is too short gets the cells that it lacks."""
        records = list(self.records)
        for row, cells in changes.items():
            own, end = self.cells(row)
            for column, value in cells.items():
                place = column + self.shift
                own += [""] * (place + 1 - len(own))
                own[place] = self.spelled(value, own[place])
            records[row] = self.dialect.delimiter.join(own) + end
        return replace(self, records=records)

    def respelled(self, changes, widths):
        """A copy with cells spelled just so: ``{row: {column: text}}``; short records are as wide as `widths` says again.

        Parameters
        ----------
        changes : dict of int to dict of int to str
        widths : dict of int to int
            Cells that a record had; those beyond are left out where they are empty.
        """
        records = list(self.records)
        for row, cells in changes.items():
            own, end = self.cells(row)
            for column, spelling in cells.items():
                own[column + self.shift] = spelling
            while len(own) > widths.get(row, 0) > 0 and not own[-1]:
                own.pop()
            records[row] = self.dialect.delimiter.join(own) + end
        return replace(self, records=records)


def _spans(record, dialect):
    """Where each cell of a record begins and ends, and where the record's own text ends."""
    spans, start, place, quoted, fresh = [], 0, 0, False, True
    while place < len(record):
        letter = record[place]
        if quoted:
            if letter == dialect.quote:
                if record[place + 1 : place + 2] == dialect.quote:
                    place += 1
                else:
                    quoted = False
        elif letter == dialect.delimiter:
            spans.append((start, place))
            start, fresh = place + 1, True
            place += 1
            continue
        elif letter in "\r\n":
            break
        elif fresh and letter == dialect.quote:
            quoted = True
        elif fresh and letter == " " and dialect.skips_blanks:
            place += 1
            continue
        fresh = False
        place += 1
    spans.append((start, place))
    return spans, place
