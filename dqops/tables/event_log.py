"""A log that loses nothing: one file for each entry, written whole or not at all, never written again."""

import json
import secrets
import time
from pathlib import Path

from dqops.errors import SourceError
from dqops.files import write_text


class EventLog:
    """Entries in the order in which they were made, in a folder that several processes may write to at once.

    Parameters
    ----------
    folder : path

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     EventLog(folder).add([{"row": 1}, {"row": 2}])
    ...     EventLog(folder).add([{"row": 3}])
    ...     [one["row"] for one in EventLog(folder).entries()]
    [1, 2, 3]
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def add(self, entries):
        """Keep these entries, plain dicts, all of them or none.

        Raises
        ------
        OutputError
            When they cannot be written.
        """
        if not entries:
            return
        last = max((int(path.name.split("-")[0]) for path in self._files()), default=0)
        # The clock of another machine may be behind: an entry never comes before one that is there.
        name = f"{max(time.time_ns(), last + 1):020d}-{secrets.token_hex(4)}.jsonl"
        write_text(self.folder / name, "".join(json.dumps(one, ensure_ascii=False, allow_nan=False) + "\n" for one in entries))

    def entries(self):
        """All entries, first to last.

        Raises
        ------
        SourceError
            Where a file is not what was written.
        """
        found = []
        for path in self._files():
            try:
                lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            except (OSError, ValueError) as cause:
                raise SourceError(path, f"it is damaged ({type(cause).__name__})", "the file as dqops wrote it") from None
            found += lines
        return found

    def _files(self):
        return sorted(path for path in self.folder.glob("*.jsonl") if path.name.split("-")[0].isdigit())
