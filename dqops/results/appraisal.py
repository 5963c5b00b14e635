"""What each row of a table is worth to the user's model, beside what the model expects of it."""

import json
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np
import polars as pl

from dqops.files import parquet_bytes, write_bytes, write_text
from dqops.results.valuation import Valuation

SCHEMA_VERSION = "1"
# Rows that the JSON and the terminal list.
WORST = 20


@dataclass(frozen=True, eq=False)
class Appraisal(Valuation):
    """A `Valuation` of each row of a table, beside what the model expects of the row.

    Parameters
    ----------
    data : dict
        Name, rows, target and fingerprint of the table.
    model : str
    task : {"classification", "regression"}
    judged_by : str
        Which rows judged, as a sentence.
    recorded, expected : polars.Series (n,) or None
        The recorded target, and what the model says when it was not trained on the row.
    surety : float64 (n,) or None
        Probability that the model gives to what it expects.
    notes : tuple of str
        What had to be decided, or left out.
    settings : dict
    """

    data: dict = field(default_factory=dict)
    model: str = ""
    task: str = "classification"
    judged_by: str = ""
    recorded: pl.Series | None = None
    expected: pl.Series | None = None
    surety: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    settings: dict = field(default_factory=dict)

    def to_frame(self):
        """One line a row, in the order of the table: row, value, stderr, recorded, expected (null where unknown)."""
        frame = super().to_frame().with_columns(pl.col("value").fill_nan(None), pl.col("stderr").fill_nan(None))
        more = {"recorded": self.recorded, "expected": self.expected}
        return frame.with_columns(**{name: cells for name, cells in more.items() if cells is not None})

    def to_dict(self, top=WORST):
        """What the JSON holds: settings, a summary, and the `top` rows that help least."""
        frame, worst = self.to_frame(), self.worst(top)
        known = self.value[np.isfinite(self.value)]
        return {
            "schema_version": SCHEMA_VERSION,
            "data": self.data,
            "model": self.model,
            "task": self.task,
            "method": self.method,
            "why": self.why,
            "unit": self.unit,
            "error_bound": self.error_bound,
            "judged_by": self.judged_by,
            "harmful": int((known < 0).sum()),
            "valued": len(known),
            "rows": len(self),
            "worst": frame[worst].to_dicts(),
            "notes": list(self.notes),
            "settings": self.settings,
        }

    def to_json(self, top=WORST):
        """`to_dict` as text."""
        return json.dumps(self.to_dict(top), indent=2, default=str, allow_nan=False) + "\n"

    def write(self, path):
        """Write a line for each row to a ``.csv`` or ``.parquet`` file."""
        frame = self.to_frame()
        write_bytes(path, frame.write_csv().encode("utf-8") if Path(path).suffix == ".csv" else parquet_bytes(frame))

    def save(self, folder):
        """Write ``run.json`` and ``values.parquet`` (a line for each row) to a folder."""
        self.write(Path(folder) / "values.parquet")
        write_text(Path(folder) / "run.json", self.to_json())

    def __str__(self):
        return import_module("dqops.reports.appraisal").render(self)
