"""The data sets that dqops is measured on: where they come from, and their files where they are at hand."""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from dqops.errors import SourceError, UnknownNameError
from dqops.files import written_beside

FOLDER_VARIABLE = "DQOPS_DATASETS"
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Dataset:
    """A data set that is known by name.

    Parameters
    ----------
    name, title : str
    source : str
        Where it was published, with the commit or version.
    licence : str
        Parts marked (*) are as generally published.
    target : str or None
    task : str
    dirt : str
        What is wrong in it.
    rows, columns : int
    files : dict of str to str
        SHA-256 by file name.
    """

    name: str
    title: str
    source: str
    licence: str
    target: str | None
    task: str
    dirt: str
    rows: int
    columns: int
    files: dict[str, str]


@cache
def registered():
    """All data sets by name.

    Returns
    -------
    dict of str to Dataset

    Examples
    --------
    >>> registered()["beers"].target
    'style'
    """
    entries = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return {entry["name"]: Dataset(**entry) for entry in entries}


def find_dataset(name, folder=None):
    """Path of a file of a registered data set, its checksum verified.

    Parameters
    ----------
    name : str
        ``set/file`` such as ``beers/dirty`` (endings may be left out), or ``set`` for its first file.
    folder : path, optional
        Where the sets lie, one folder each; by default what the environment variable ``DQOPS_DATASETS`` says.

    Raises
    ------
    UnknownNameError
        When no set, or no file of the set, has that name.
    SourceError
        When the file is not there, or is another one.
    """
    dataset, file = _entry(name)
    folder = folder or os.environ.get(FOLDER_VARIABLE)
    if not folder:
        raise SourceError(f"data set {name}", "no folder of data sets is known", f"{FOLDER_VARIABLE}, the folder they lie in")
    path = Path(folder) / dataset.name / file
    if not path.is_file():
        raise SourceError(path, "no such file", f"the set from {dataset.source}")
    if _checksum(path) != dataset.files[file]:
        raise SourceError(path, "its checksum is not the registered one", f"the set from {dataset.source}")
    return path


def at_hand(name, folder=None):
    """Whether every file of the set is in the folder, and is the registered one."""
    dataset, _ = _entry(name)
    try:
        return all(find_dataset(f"{name}/{file}", folder).is_file() for file in dataset.files)
    except SourceError:
        return False


def download(name, *, url, to):
    """Fetch one file of a registered data set; the only place in dqops that opens a network connection.

    Parameters
    ----------
    name : str
        As in `find_dataset`.
    url : str
        Where the file lies, ``https://`` or ``file://``.
    to : path
        Folder of the sets; the file goes to ``to/set/file`` if its checksum is the registered one.

    Returns
    -------
    pathlib.Path
    """
    dataset, file = _entry(name)
    path = Path(to) / dataset.name / file
    try:
        with urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:
            data = answer.read()
    except (URLError, OSError, ValueError) as cause:
        raise SourceError(url, f"the download failed ({getattr(cause, 'reason', cause)})") from None
    if hashlib.sha256(data).hexdigest() != dataset.files[file]:
        raise SourceError(url, f"its checksum is not that of {dataset.name}/{file}", f"the set from {dataset.source}")
    with written_beside(path) as beside:
        beside.write_bytes(data)
    return path


def _entry(name):
    """The set and the file that a name means."""
    set_name, _, file_name = name.partition("/")
    if set_name not in registered():
        raise UnknownNameError("data set", set_name, registered())
    dataset = registered()[set_name]
    if not file_name:
        return dataset, next(iter(dataset.files))
    by_stem = {file.split(".")[0]: file for file in dataset.files} | {file: file for file in dataset.files}
    if file_name not in by_stem:
        raise UnknownNameError(f"file of {set_name}", file_name, [file.split(".")[0] for file in dataset.files])
    return dataset, by_stem[file_name]


def _checksum(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
