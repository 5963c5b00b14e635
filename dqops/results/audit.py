"""An audit: what is wrong with a table, and what each thing costs the model."""

import json
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path

import polars as pl

from dqops.files import write_text, written_beside
from dqops.results.findings import Findings
from dqops.results.gain import Baseline, Gains
from dqops.results.summary import ColumnSummary, LabelNoise

SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, eq=False)
class Audit:
    """What is wrong with a table, what each thing costs the model, and what to do first.

    Parameters
    ----------
    data : dict
        name, rows, columns, target, task, fingerprint.
    model, scoring : str or None
        None where no model was asked for.
    baseline : Baseline or None
    findings : Findings
    gains : Gains
    ranking : tuple of str
        Finding ids, best first.
    columns : tuple of ColumnSummary
    label_noise : LabelNoise or None
    warnings : tuple of str
    settings, versions, timings : dict
    """

    data: dict
    model: str | None
    scoring: str | None
    baseline: Baseline | None
    findings: Findings
    gains: Gains
    ranking: tuple[str, ...]
    columns: tuple[ColumnSummary, ...] = ()
    label_noise: LabelNoise | None = None
    warnings: tuple[str, ...] = ()
    settings: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    timings: dict = field(default_factory=dict)

    def to_dict(self):
        """All of it as plain values; row-level doubts are in `findings.to_cells()`."""
        return {
            "schema_version": SCHEMA_VERSION,
            "data": self.data,
            "model": self.model,
            "scoring": self.scoring,
            "baseline": None if self.baseline is None else self.baseline.to_dict(),
            "findings": [one.to_dict() for one in self.findings],
            "gains": [one.to_dict() for one in self.gains],
            "ranking": list(self.ranking),
            "columns": [asdict(one) | {"levels": [], "classes": []} for one in self.columns],
            "label_noise": None if self.label_noise is None else asdict(self.label_noise),
            "warnings": list(self.warnings),
            "settings": self.settings,
            "versions": self.versions,
            "timings": self.timings,
        }

    def to_json(self):
        """The audit as JSON text, as ``docs/audit.schema.json`` describes it."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False, default=str) + "\n"

    def to_html(self, path, *, show_values=False):
        """Write one self-contained page to `path`; raw values only where `show_values`."""
        write_text(path, _render("page", self, show_values))

    def to_markdown(self, *, show_values=False):
        """The audit as Markdown text."""
        return _render("markdown", self, show_values)

    def to_sarif(self):
        """The findings as SARIF 2.1.0 text, for code-scanning tools."""
        return _render("sarif", self, False)

    def save(self, folder, *, show_values=False):
        """Write the run: ``run.json``, ``findings.parquet`` (a line a doubt), ``gains.parquet``, ``page.html``."""
        folder = Path(folder)
        _write_parquet(folder / "findings.parquet", self.findings.to_cells())
        _write_parquet(folder / "gains.parquet", self.gains.to_frame())
        self.to_html(folder / "page.html", show_values=show_values)
        write_text(folder / "run.json", self.to_json())

    def __str__(self):
        return _render("terminal", self, False)

    def _repr_html_(self):
        return _render("notebook", self, False)


def _render(form, audit, show_values):
    """Reports stand above results and are asked for by name: the one door upstairs (see docs/design.md)."""
    return import_module(f"dqops.reports.{form}").render(audit, show_values=show_values)


def _write_parquet(path, frame: pl.DataFrame):
    with written_beside(path) as beside:
        frame.write_parquet(beside)
