"""Files are written beside their place and then renamed: a reader sees the old one or the whole new one."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

from dqops.errors import OptionError, OutputError


@contextmanager
def written_beside(path):
    """Path of a temporary file in the same folder, renamed to `path` if the block ends well, else removed.

    Raises
    ------
    OutputError
        When the folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
    except OSError as cause:
        raise OutputError(path, cause.strerror or cause) from None
    try:
        yield Path(beside)
        os.chmod(beside, 0o666 & ~_umask())
        os.replace(beside, path)
    except OSError as cause:
        raise OutputError(path, cause.strerror or cause) from None
    finally:
        Path(beside).unlink(missing_ok=True)


def write_text(path, text):
    """Write `text` (UTF-8) to `path`, wholly or not at all."""
    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8")


def frame_form(path):
    """How a frame is written to that file, "parquet" or "csv", by its ending.

    >>> frame_form("rows.CSV")
    'csv'

    Raises
    ------
    OptionError
        For any other ending.
    """
    form = Path(path).suffix.lower().removeprefix(".")
    if form not in ("parquet", "csv"):
        raise OptionError("path", str(path), "a name that ends in .parquet or .csv")
    return form


def write_frame(path, frame):
    """Write a polars frame to `path` as Parquet or CSV, by its ending, wholly or not at all."""
    form = frame_form(path)
    with written_beside(path) as beside:
        frame.write_parquet(beside) if form == "parquet" else frame.write_csv(beside)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
