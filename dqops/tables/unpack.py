"""Bytes of a source made readable: decompressed, and decoded to UTF-8."""

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from dataclasses import dataclass

from dqops.errors import OptionError, SourceError

_MARKS = {  # a byte order mark tells the encoding; the longer ones come first
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_GLIMPSE = 1 << 16
# Text holds next to no control characters; pictures, archives and pickles are full of them.
_MOST_CONTROLS = 0.05
_CONTROLS = bytes(sorted(set(range(32)) - set(b"\t\n\r\f\v\x1b\0")))


def unpacked(data, source):
    """The bytes, decompressed where they begin as gzip, zstandard, bzip2, xz or zip data do.

    Raises
    ------
    SourceError
        When they are cut short or damaged.

    Examples
    --------
    >>> unpacked(gzip.compress(b"a,b"), "a.csv.gz")
    b'a,b'
    """
    for magic, (name, unpack) in _PACKERS.items():
        if data.startswith(magic):
            try:
                return unpack(data)
            except _SeveralFiles as several:
                raise SourceError(source, f"it holds {several} files", "a zip file of one table") from None
            except (EOFError, OSError, ValueError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile):
                raise SourceError(source, f"its {name} data are cut short or damaged", "the whole file") from None
    return data


def as_utf8(data, source, encoding=None):
    """The bytes as UTF-8 without a mark or NUL bytes, and what had to be decided.

    Parameters
    ----------
    data : bytes
    source : str
        For messages.
    encoding : str, optional
        Guessed where it is not given: by a byte order mark, by where NUL bytes stand, by what decodes.

    Returns
    -------
    data : bytes
    warnings : list of str

    Examples
    --------
    >>> as_utf8("é".encode("latin-1"), "a.csv")
    (b'\\xc3\\xa9', ['a.csv is not UTF-8: read as cp1252; say encoding= (--encoding) if letters look wrong'])
    """
    warnings = []
    if encoding is not None:
        data = _decoded(data, source, _checked(encoding)).encode("utf-8", "replace").removeprefix(codecs.BOM_UTF8)
    elif not (data[:_GLIMPSE].isascii() and b"\0" not in data[:_GLIMPSE] and data.isascii()):
        data, warnings = _guessed(data, source)
    if data[:_GLIMPSE].translate(None, _CONTROLS) != data[:_GLIMPSE]:
        _refuse_binary(data[:_GLIMPSE], source)
    if b"\0" in data:
        warnings = [*warnings, f"{source} holds {data.count(0)} NUL bytes: left out"]
        data = data.replace(b"\0", b"")
    return data, warnings


@dataclass(frozen=True)
class Spelling:
    """How text stands as bytes: a byte order mark, an encoding, and what the guess had to overlook.

    Parameters
    ----------
    mark : bytes
    encoding : str
    broken : int
        Letters that are no good UTF-8.
    guessed : bool
        Nothing but that it decodes speaks for the encoding.
    """

    mark: bytes
    encoding: str
    broken: int = 0
    guessed: bool = False

    def decoded(self, data):
        """The text, broken letters among it, from which `encoded` makes the same bytes again."""
        return data[len(self.mark) :].decode(self.encoding, "surrogateescape" if self.broken else "strict")

    def encoded(self, text):
        """The text as bytes, with the mark."""
        return self.mark + text.encode(self.encoding, "surrogateescape" if self.broken else "strict")


def spelling_of(data, encoding=None):
    """The `Spelling` of text: by the encoding that is given, a byte order mark, NUL bytes, or what decodes.

    Returns
    -------
    Spelling or None
        None where nothing fits.

    Examples
    --------
    >>> spelling_of("é".encode("latin-1")).encoding
    'cp1252'
    """
    asked = None if encoding is None else _checked(encoding)
    for mark, marked in _MARKS.items():
        if data.startswith(mark) and (asked is None or marked.startswith(asked.removesuffix("-sig"))):
            return Spelling(mark, marked)
    if asked is not None:
        return Spelling(b"", asked)
    wide = _wide_encoding(data[:_GLIMPSE])
    if wide:
        return Spelling(b"", wide)
    if _decodes(data, "utf-8"):
        return Spelling(b"", "utf-8")
    mended = data.decode("utf-8", "replace")
    broken = mended.count("\ufffd")
    if len(data) - len(mended) - 2 * broken > broken:  # most of what is not ASCII is good UTF-8
        return Spelling(b"", "utf-8", broken)
    for one in ("cp1252", "latin-1"):
        if _decodes(data, one):
            return Spelling(b"", one, guessed=True)
    return None


def _decodes(data, encoding):
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _guessed(data, source):
    """UTF-8 bytes of text in an unknown encoding, and a warning where it was a guess."""
    found = spelling_of(data)
    if found is None:
        return data, []
    if found.broken or found.guessed:
        _refuse_binary(data[:_GLIMPSE], source)
    if found.broken:
        said = f"{source} holds {found.broken} broken UTF-8 {'letters' if found.broken > 1 else 'letter'}: shown as \ufffd"
        return data.decode("utf-8", "replace").encode("utf-8"), [said]
    if found == Spelling(b"", "utf-8"):
        return data, []
    text = _decoded(data[len(found.mark) :], source, found.encoding).encode("utf-8", "replace")
    said = f"{source} is not UTF-8: read as {found.encoding}; say encoding= (--encoding) if letters look wrong"
    return text, [said] if found.guessed else []


def _wide_encoding(glimpse):
    """UTF-16 without a mark shows by NUL bytes at every other place."""
    pairs = len(glimpse) // 2
    if pairs < 2:
        return None
    high, low = glimpse[0 : 2 * pairs : 2].count(0) / pairs, glimpse[1 : 2 * pairs : 2].count(0) / pairs
    if low > 0.5 and high < 0.1:
        return "utf-16-le"
    return "utf-16-be" if high > 0.5 and low < 0.1 else None


def _checked(encoding):
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise OptionError("encoding", encoding, "an encoding that Python knows, such as utf-8 or latin-1") from None


def _decoded(data, source, encoding):
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as cause:
        came = f"it is not {encoding} (byte 0x{data[cause.start]:02x} at place {cause.start})"
        raise SourceError(source, came, "its true encoding, as encoding= or --encoding") from None
    except UnicodeError:
        raise SourceError(source, f"it is not {encoding}", "its true encoding, as encoding= or --encoding") from None


def _refuse_binary(glimpse, source):
    controls = len(glimpse) - len(glimpse.translate(None, _CONTROLS))
    if controls > _MOST_CONTROLS * len(glimpse):
        raise SourceError(source, "it holds no text that can be read as a table", "CSV, JSON, Parquet, Arrow or Excel")


class _SeveralFiles(Exception):
    """How many files an archive of one table should not hold."""


def _unzip(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
        if len(names) != 1:
            raise _SeveralFiles(len(names))
        return archive.read(names[0])


def _unzstd(data):
    import pyarrow as pa  # late: only zstd needs it here

    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        return stream.read()


_PACKERS = {
    b"\x1f\x8b": ("gzip", gzip.decompress),
    b"\x28\xb5\x2f\xfd": ("zstandard", _unzstd),
    b"BZh": ("bzip2", bz2.decompress),
    b"\xfd7zXZ\0": ("xz", lzma.decompress),
    b"PK\x03\x04": ("zip", _unzip),
}
