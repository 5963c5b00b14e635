"""Certainty: which predictions no repair of a table can change, and whether cleaning is needed at all."""

import json
from dataclasses import dataclass, field
from importlib import import_module

import numpy as np
import polars as pl

from dqops.results.certain_model import CertainModel


@dataclass(frozen=True, eq=False)
class Certainty:
    """Which predictions no repair of a table can change, and whether cleaning is needed at all.

    Parameters
    ----------
    data : dict
        name, rows, columns, target, task and fingerprint of the table; doubtful_cells and doubtful_rows (judged in
        every repair), and left_to_model, doubtful cells without candidates.
    model : str
    kind : {"knn", "linear"}
    predictions : polars.DataFrame
        A line a judged row: row, predicted, certain; probability and n_possible for k-NN, low and high for numbers.
    accuracy : tuple of float or None
        (low, expected, high): the accuracy of every repair lies between low and high; expected is the mean over
        repairs, None for a linear model. None for a regression.
    error : tuple of float or None
        (low, high): the mean squared error of every repair.
    needs : polars.DataFrame
        A line a row with doubtful cells: row, cells, need, can_matter, in order of need. Need is in `unit`.
    columns : polars.DataFrame
        A line a column with doubtful cells: column, cells, need (shared equally by the doubtful columns of a row).
    unit : str
        What needs are measured in.
    models : tuple of CertainModel
        Whether a certain or approximately certain linear model exists; one for each class against the rest where there
        are more than two. Empty for k-NN.
    to_clean : int or None
        Rows, in the order of `needs`, after which a linear model is approximately certain.
    warnings : tuple of str
    settings, versions, timings : dict

    Examples
    --------
    >>> frame = pl.DataFrame({"row": [1, 2], "predicted": ["a", "b"], "certain": [True, False]})
    >>> told = Certainty({}, "knn", "knn", frame, None, None, pl.DataFrame(), pl.DataFrame(), "nats")
    >>> told.share_certain, told.cleaning_needed
    (0.5, True)
    """

    data: dict
    model: str
    kind: str
    predictions: pl.DataFrame
    accuracy: tuple | None
    error: tuple | None
    needs: pl.DataFrame
    columns: pl.DataFrame
    unit: str
    models: tuple[CertainModel, ...] = ()
    to_clean: int | None = None
    warnings: tuple[str, ...] = ()
    settings: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    timings: dict = field(default_factory=dict)

    @property
    def share_certain(self):
        """Share of the judged rows whose prediction no repair can change; NaN where none was judged."""
        return float(self.predictions["certain"].mean()) if self.predictions.height else float("nan")

    @property
    def certain_model(self):
        """Whether one linear model is the best in every repair."""
        return bool(self.models) and all(one.certain for one in self.models)

    @property
    def approximately_certain_model(self):
        """Whether one linear model is within the wanted excess of the best one in every repair."""
        return bool(self.models) and all(one.approximately_certain for one in self.models)

    @property
    def cleaning_needed(self):
        """Whether cleaning can change anything that was asked for; False is proved for the cells with candidates.

        True means that it is not ruled out, also where only cells without candidates are doubtful.
        """
        if self.data and not self.data["doubtful_cells"]:
            return self.data["left_to_model"] > 0
        if self.kind == "linear":
            return not self.approximately_certain_model
        return self.share_certain < 1

    @property
    def verdict(self):
        """One sentence or two: is cleaning needed at all."""
        return import_module("dqops.reports.certainty").verdict(self)

    def to_frame(self):
        """One line a judged row; see `predictions`."""
        return self.predictions

    def to_dict(self):
        """As its JSON has it: no raw values but predicted labels; at most 1,000 rows of needs."""
        return {
            "schema_version": "1.0",
            "data": self.data,
            "model": self.model,
            "kind": self.kind,
            "verdict": self.verdict,
            "cleaning_needed": self.cleaning_needed,
            "judged_rows": self.predictions.height,
            "share_certain": _number(self.share_certain),
            "accuracy": None if self.accuracy is None else dict(zip(("low", "expected", "high"), map(_number, self.accuracy), strict=True)),
            "mean_squared_error": None if self.error is None else dict(zip(("low", "high"), map(_number, self.error), strict=True)),
            "certain_model": self.certain_model if self.models else None,
            "approximately_certain_model": self.approximately_certain_model if self.models else None,
            "excess": _number(max(one.excess for one in self.models)) if self.models else None,
            "typical_excess": _number(max(one.typical_excess for one in self.models)) if self.models else None,
            "rows_to_clean": self.to_clean,
            "need_unit": self.unit,
            "needs": self.needs.head(1000).to_dicts(),
            "columns": self.columns.to_dicts(),
            "warnings": list(self.warnings),
            "settings": self.settings,
            "versions": self.versions,
            "timings": self.timings,
        }

    def to_json(self):
        """The result as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n"

    def __str__(self):
        return import_module("dqops.reports.certainty").render(self)


def _number(value):
    """A float as JSON may hold it: nothing where it is infinite or no number."""
    return float(value) if value is not None and np.isfinite(value) else None
