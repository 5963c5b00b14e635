"""The folder of a review: what is asked, and a log of batches, answers and retractions that loses nothing."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from dqops.errors import SourceError
from dqops.files import read_parts, write_parts
from dqops.tables.event_log import EventLog

INDEX = "review.json"
SCHEMA_VERSION = "1.0"
_NEEDED = "a folder that dqops review wrote"


def now():
    """This second, as the log has it.

    >>> len(now())
    19
    """
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0).isoformat()


@dataclass(frozen=True, eq=False)
class ReviewFolder:
    """What is asked and what was answered, as a folder keeps it.

    Parameters
    ----------
    folder : Path
    data, settings, ranking : dict
        The table; how the review was started; what a `Ranking` holds beside its doubts.
    doubts : polars.DataFrame
        rank, row, column, kind, gain, low, high, cost, reason, recorded, suggestion, score.
    """

    folder: Path
    data: dict
    settings: dict
    ranking: dict
    doubts: pl.DataFrame

    @classmethod
    def is_there(cls, folder):
        """Whether the folder holds a review."""
        return (Path(folder) / INDEX).exists()

    def save(self):
        """Write what is asked; the log stays as it is."""
        index = {"schema_version": SCHEMA_VERSION, "data": self.data, "settings": self.settings, "ranking": self.ranking}
        write_parts(self.folder, INDEX, json.loads(json.dumps(index, default=str)), {"doubts.parquet": self.doubts})
        return self

    @classmethod
    def load(cls, folder):
        """The review that a folder holds.

        Raises
        ------
        SourceError
            When it holds none, or one that is damaged.
        """
        index, parts = read_parts(folder, INDEX, _NEEDED)
        try:
            if str(index["schema_version"]).partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
                raise SourceError(folder, f"its version is {index['schema_version']}", f"version {SCHEMA_VERSION}")
            return cls(Path(folder), index["data"], index["settings"], index["ranking"], pl.read_parquet(parts["doubts.parquet"]))
        except (KeyError, TypeError, pl.exceptions.PolarsError) as cause:
            raise SourceError(folder, f"it holds no whole review ({type(cause).__name__}: {cause})", _NEEDED) from None

    def add(self, entries):
        """Keep these entries of the log, all of them or none."""
        EventLog(self.folder / "log").add(entries)

    def told(self):
        """What the log comes to.

        Returns
        -------
        answers : dict
            ``(row, column): {who: entry}``, the last answer of each person that was not retracted.
        batches : list of dict
            number, reviewer, when, cells (row, column).
        """
        answers, batches = {}, []
        for one in EventLog(self.folder / "log").entries():
            try:
                self._take(one, answers, batches)
            except (KeyError, TypeError) as cause:
                raise SourceError(self.folder / "log", f"it holds an entry that is none ({type(cause).__name__}: {cause})", "the log as dqops wrote it") from None
        return {cell: told for cell, told in answers.items() if told}, batches

    @staticmethod
    def _take(one, answers, batches):
        if one["event"] == "batch":
            batches.append({**one, "cells": [tuple(cell) for cell in one["cells"]]})
            return
        held = answers.setdefault((one["row"], one["column"]), {})
        if one["event"] == "answer":
            held[one["who"]] = one
        elif one["who"] is None:
            held.clear()
        else:
            held.pop(one["who"], None)
