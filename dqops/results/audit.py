"""An audit: what is wrong with a table, and what each thing costs the model."""

import json
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np
import polars as pl

from dqops.errors import SourceError
from dqops.files import parquet_bytes, write_bytes, write_text
from dqops.results.findings import Finding, Findings
from dqops.results.gain import Baseline, Gain, Gains
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
    outlook : dict or None
        What stands beside: noise curves (how much worse the data may get), the band of the least error of any model, the share
        of predictions that no repair can change. Plain values, as in the JSON; None for a quick audit and one without a model.
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
    outlook: dict | None = None

    def to_dict(self, *, show_values=False):
        """All of it as plain values; row-level doubts are in `findings.to_cells()`.

        Names of levels and classes are raw values: they are left out unless `show_values`. What is not finite is
        None, for JSON has no other word for it.
        """
        shown = {} if show_values else {"levels": ()}
        noise = None if self.label_noise is None else asdict(self.label_noise) | ({} if show_values else {"classes": ()})
        plain = {
            "schema_version": SCHEMA_VERSION,
            "data": self.data,
            "model": self.model,
            "scoring": self.scoring,
            "baseline": None if self.baseline is None else self.baseline.to_dict(),
            "findings": [one.to_dict() for one in self.findings],
            "gains": [one.to_dict() for one in self.gains],
            "ranking": list(self.ranking),
            "columns": [vars(one) | shown for one in self.columns],
            "label_noise": noise,
            "warnings": list(self.warnings),
            "settings": self.settings,
            "versions": self.versions,
            "timings": self.timings,
        }
        return _plain(plain | ({} if self.outlook is None else {"outlook": self.outlook}))

    def to_json(self, *, show_values=False):
        """The audit as JSON text, as ``docs/audit.schema.json`` describes it."""
        return json.dumps(self.to_dict(show_values=show_values), indent=2, allow_nan=False, default=str) + "\n"

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
        """Write the run: ``run.json``, ``findings.parquet`` (a line a doubt), ``gains.parquet``, ``page.html``.

        ``findings.parquet`` holds the doubtful cells themselves, whatever `show_values` says: keep the folder as
        you keep the table. `load_run` reads it back.
        """
        folder = Path(folder)
        _write_parquet(folder / "findings.parquet", self.findings.to_cells())
        _write_parquet(folder / "gains.parquet", self.gains.to_frame())
        self.to_html(folder / "page.html", show_values=show_values)
        write_text(folder / "run.json", self.to_json(show_values=show_values))

    def __str__(self):
        return _render("terminal", self, False)

    def _repr_html_(self):
        return _render("notebook", self, False)


def load_run(folder):
    """The audit that `Audit.save` wrote to `folder`, so that any report can be made again.

    Row positions, suggestions and related rows are not part of a saved run: positions are -1, rows keep their ids.

    Parameters
    ----------
    folder : path

    Returns
    -------
    Audit

    Raises
    ------
    SourceError
        When the folder holds no run, or one that cannot be read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> run = Audit({"rows": 0, "columns": 0, "fingerprint": ""}, None, None, None, Findings(), Gains(), ())
    >>> with TemporaryDirectory() as folder:
    ...     run.save(folder)
    ...     load_run(folder).data["rows"]
    0
    """
    needed = "a folder that dqops audit --save wrote"
    try:
        run = json.loads((Path(folder) / "run.json").read_text(encoding="utf-8"))
        cells = pl.read_parquet(Path(folder) / "findings.parquet")
        if str(run["schema_version"]).partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
            raise SourceError(folder, f"its version is {run['schema_version']}", f"version {SCHEMA_VERSION}")
        return _audit_of(run, cells)
    except FileNotFoundError as cause:
        raise SourceError(folder, f"it has no {Path(cause.filename or 'run.json').name}", needed) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pl.exceptions.PolarsError) as cause:
        if isinstance(cause, SourceError):
            raise
        raise SourceError(folder, f"it holds no whole run ({type(cause).__name__}: {cause})", needed) from None


def _audit_of(run, cells):
    """The audit of the plain values of a run and its doubtful cells."""
    own = cells.partition_by("kind", "column", as_dict=True)
    held = ((one, own.get((one["kind"], one["column"]), cells.clear())) for one in run["findings"])
    findings = Findings(tuple(Finding.from_saved(one, part, run["data"]["rows"]) for one, part in held))
    parts = {name: run[name] for name in ("data", "model", "scoring", "settings", "versions", "timings")}
    return Audit(
        **parts,
        baseline=None if run["baseline"] is None else Baseline.from_dict(run["baseline"]),
        findings=findings,
        gains=Gains(tuple(Gain.from_dict(one) for one in run["gains"])),
        ranking=tuple(run["ranking"]),
        columns=tuple(ColumnSummary(**_tuples(one)) for one in run["columns"]),
        label_noise=None if run["label_noise"] is None else LabelNoise(**_tuples(run["label_noise"])),
        warnings=tuple(run["warnings"]),
        outlook=run.get("outlook"),
    )


def _tuples(value):
    """The same with tuples for lists, as frozen results hold them."""
    if isinstance(value, dict):
        return {name: _tuples(one) for name, one in value.items()}
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def _plain(value):
    """The same with lists for tuples and None for what is not finite."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _render(form, audit, show_values):
    """Reports stand above results and are asked for by name: the one door upstairs (see docs/design.md)."""
    return import_module(f"dqops.reports.{form}").render(audit, show_values=show_values)


def _write_parquet(path, frame: pl.DataFrame):
    write_bytes(path, parquet_bytes(frame))
