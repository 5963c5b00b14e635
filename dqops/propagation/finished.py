"""Finished fits, kept line by line, so that a run that was interrupted goes on where it stopped."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from dqops.errors import OutputError, SourceError

NAME = "fits.jsonl"


class Finished:
    """Measured numbers by what was measured; on disk where a folder is given, else in memory alone.

    A line is written as soon as its fits are done, as JSON: no pickles. Lines of other tables, settings, models or versions
    stand beside and are not looked at; a line that was cut off is left out.

    Parameters
    ----------
    folder : path, optional
        Made where it is not there.
    run : str
        What the numbers hang on beside their names; see `run_key`.

    Raises
    ------
    OutputError, SourceError
        Where the folder cannot be written or read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Finished(folder, "a").keep("split 0", [0.1])
    ...     Finished(folder, "a").of("split 0"), Finished(folder, "b").of("split 0")
    ([0.1], None)
    """

    def __init__(self, folder=None, run=""):
        self.run, self.path, self._known = run, None, {}
        if folder is None:
            return
        self.path = Path(folder) / NAME
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        except (OSError, UnicodeDecodeError) as cause:
            raise SourceError(self.path, f"{type(cause).__name__}: {cause}", "a folder that can be written") from None
        for line in text.splitlines():
            with suppress(ValueError, KeyError, TypeError):
                held = json.loads(line)
                if held["run"] == run:
                    self._known[held["what"]] = held["value"]
        # A line that was cut off must not swallow the next one.
        self._open_end = bool(text) and not text.endswith("\n")

    def __len__(self):
        return len(self._known)

    def of(self, what):
        """What was kept under that name, or None."""
        return self._known.get(what)

    def keep(self, what, value):
        """Keep plain values (numbers, texts, lists, dicts of them) under a name."""
        self._known[what] = value
        if self.path is None:
            return
        line = json.dumps({"run": self.run, "what": what, "value": value})
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(("\n" if self._open_end else "") + line + "\n")
        except OSError as cause:
            raise OutputError(self.path, cause) from None
        self._open_end = False


def run_key(tables, design, *parts):
    """What measured numbers hang on, as 32 hexadecimal digits: rows in their order, model, scorer, seed, versions.

    Parameters
    ----------
    tables : sequence of Table or None
    design : Design
    parts : object
        Whatever else decides, by its repr.

    Notes
    -----
    A model is known by its name and parameters: where the code behind it changed, name another folder. One whose parameters
    are shown with their place in memory is never taken for the same.
    """
    text = hashlib.sha256()
    for table in tables:
        text.update(b"\x00" if table is None else repr((table.columns, table.roles)).encode() + table.hashed.rows.tobytes())
    estimator = design.model.estimator
    params = sorted(estimator.get_params(deep=True).items(), key=lambda one: one[0]) if hasattr(estimator, "get_params") else ()
    text.update(repr((design.task, design.model.name, type(estimator).__name__, params, design.scoring, design.seed, *parts)).encode())
    return text.hexdigest()[:32]
