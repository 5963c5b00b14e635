"""Files are written beside their place and then named: a reader sees the old one or the whole new one.

Where the system can, the file has no name at all until it is whole, so that a process killed at any moment leaves
nothing behind. What is named has reached the disk.
"""

import json
import os
import secrets
import tempfile
from contextlib import contextmanager, suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from dqops.errors import OptionError, OutputError, SourceError


@contextmanager
def written_beside(path):
    """Path of a temporary file in the same folder that becomes `path` if the block ends well, else is gone.

    Raises
    ------
    OutputError
        When the folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = _Nameless.made(path) or _Beside(path)
    except OSError as cause:
        raise OutputError(path, cause.strerror or cause) from None
    try:
        yield fresh.place
        fresh.publish()
    except OSError as cause:
        if isinstance(cause, OutputError):
            raise
        raise OutputError(path, cause.strerror or cause) from None
    finally:
        fresh.discard()


def write_text(path, text):
    """Write `text` (UTF-8) to `path`, wholly or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path, data):
    """Write `data` to `path`, wholly or not at all."""
    with written_beside(path) as beside:
        beside.write_bytes(data)


def write_parts(folder, index_name, index, parts):
    """Write a folder of files that changes as one: the index names the parts, and is written last.

    Parameters
    ----------
    folder : path
    index_name : str
    index : dict
        Of plain values; gets ``files``, the name of each part.
    parts : dict of str to bytes or frame
        By names such as ``changes.parquet``; a frame is written as Parquet.

    Raises
    ------
    OutputError
        When the folder cannot be written to; what it held before is still there.
    """
    folder = Path(folder)
    before = _files_of(folder / index_name)
    files = {}
    for name, part in parts.items():
        data = part if isinstance(part, bytes) else parquet_bytes(part)
        stem, _, ending = name.rpartition(".")
        files[name] = f"{stem or name}-{sha256(data).hexdigest()[:12]}.{ending}"
        write_bytes(folder / files[name], data)
    write_text(folder / index_name, json.dumps(index | {"files": files}, indent=2, allow_nan=False) + "\n")
    for stale in before - {*files.values()}:
        (folder / stale).unlink(missing_ok=True)


def read_parts(folder, index_name, needed):
    """The index and the parts that `write_parts` wrote, as a dict and a dict of bytes.

    Raises
    ------
    SourceError
        When one is missing or is not what was written.
    """
    folder = Path(folder)
    try:
        index = json.loads((folder / index_name).read_text(encoding="utf-8"))
        parts = {name: (folder / Path(file).name).read_bytes() for name, file in index["files"].items()}
    except (FileNotFoundError, NotADirectoryError) as cause:
        raise SourceError(folder, f"it has no {Path(cause.filename or index_name).name}", needed) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as cause:
        raise SourceError(folder, f"its {index_name} cannot be read ({type(cause).__name__})", needed) from None
    for name, data in parts.items():
        if sha256(data).hexdigest()[:12] not in index["files"][name]:
            raise SourceError(folder, f"its {index['files'][name]} is not the file that was written", needed)
    return index, parts


def _files_of(index):
    """Names of the parts that an index names, if there is one."""
    try:
        return {Path(name).name for name in json.loads(index.read_text(encoding="utf-8"))["files"].values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def parquet_bytes(frame):
    """The frame as a Parquet file; in memory first, so that a full disk is an error of the system like any other."""
    buffer = BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


class _Nameless:
    """A file in a folder that has no name yet: the system forgets it when the process ends."""

    def __init__(self, path, handle):
        self.path, self.handle = path, handle
        self.place = Path(f"/proc/self/fd/{handle}")

    @classmethod
    def made(cls, path):
        """Such a file, or None where the system has none."""
        if not hasattr(os, "O_TMPFILE"):
            return None
        try:
            fresh = cls(path, os.open(path.parent, os.O_TMPFILE | os.O_RDWR, 0o666))
        except OSError:
            return None
        if fresh.place.exists():
            return fresh
        fresh.discard()
        return None

    def publish(self):
        os.fsync(self.handle)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            self._name(folder)
            os.fsync(folder)
        finally:
            os.close(folder)

    def _name(self, folder):
        """Link it under its name; where that is taken, under another first, for only renaming replaces."""
        with suppress(FileExistsError):
            return os.link(self.place, self.path.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)
        other = f".{self.path.name}.{secrets.token_hex(4)}"
        os.link(self.place, other, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)
        try:
            os.replace(self.path.with_name(other), self.path)
        except OSError:
            os.unlink(self.path.with_name(other))
            raise
        return None

    def discard(self):
        os.close(self.handle)


class _Beside:
    """A file under a hidden name of its own."""

    def __init__(self, path):
        self.path = path
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        self.place = Path(name)

    def publish(self):
        os.chmod(self.place, 0o666 & ~_umask())
        with self.place.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(self.place, self.path)

    def discard(self):
        self.place.unlink(missing_ok=True)


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
    write_bytes(path, parquet_bytes(frame) if frame_form(path) == "parquet" else frame.write_csv().encode("utf-8"))


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
