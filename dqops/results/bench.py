"""A benchmark of cleaning strategies: their curves, and what the curves say."""

import json
from dataclasses import dataclass, replace
from importlib import import_module

import polars as pl

from dqops.errors import OptionError

CURVES = {
    "set": pl.String,
    "model": pl.String,
    "strategy": pl.String,
    "seed": pl.Int64,
    "answers": pl.Int64,
    "cost": pl.Float64,
    "score": pl.Float64,
}
SUMMARY = {
    "set": pl.String,
    "model": pl.String,
    "strategy": pl.String,
    "seeds": pl.Int64,
    "dirty": pl.Float64,
    "full": pl.Float64,
    "area": pl.Float64,
    "captured": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "to_score": pl.Float64,
    "to_gain": pl.Float64,
    "tied": pl.Boolean,
    "seconds": pl.Float64,
}


@dataclass(frozen=True, eq=False)
class Bench:
    """Cleaning curves of strategies on one or more data sets; adds up with ``+``.

    Parameters
    ----------
    curves : polars.DataFrame
        One line a point: set, model, strategy, seed, answers, cost, score.
    cases : polars.DataFrame
        One line a curve: set, model, strategy, seed, full (score on the clean training rows), total (cost of cleaning
        everything), seconds (CPU spent on ranking), note, failed (why there is no curve, or null).
    lines : polars.DataFrame
        What the curves say: one line a set, model and strategy. See `summary`.
    scoring : str
    unit : {"record", "cell"}
    start : {"dirty", "repaired"}
    warnings : tuple of str
    """

    curves: pl.DataFrame
    cases: pl.DataFrame
    lines: pl.DataFrame
    scoring: str
    unit: str = "record"
    start: str = "dirty"
    warnings: tuple[str, ...] = ()

    def __post_init__(self):
        for name, frame, needed in (("curves", self.curves, CURVES), ("lines", self.lines, SUMMARY)):
            absent = [one for one in needed if one not in frame.columns]
            if absent:
                raise OptionError(name, frame.columns, f"the columns {', '.join(needed)}; {', '.join(absent)} is missing")

    def __len__(self):
        return self.cases.height

    def __add__(self, other):
        if (self.unit, self.start) != (other.unit, other.start):
            raise OptionError("unit and start", (other.unit, other.start), f"{self.unit} and {self.start}, to be added to this benchmark")
        frames = {name: pl.concat([getattr(self, name), getattr(other, name)]) for name in ("curves", "cases", "lines")}
        scoring = ", ".join(dict.fromkeys([*self.scoring.split(", "), *other.scoring.split(", ")]))
        return replace(self, **frames, scoring=scoring, warnings=(*self.warnings, *other.warnings))

    def __str__(self):
        return import_module("dqops.reports.bench").render(self)

    def to_frame(self):
        """One line a point of a curve: set, model, strategy, seed, answers, cost, score."""
        return self.curves.select(list(CURVES))

    def summary(self):
        """One line a set, model and strategy, the best first.

        Returns
        -------
        polars.DataFrame
            seeds; dirty and full (mean score before, and on the clean training rows); area (mean score along the curve);
            captured, low, high (share of the area between random order and the clean table, with its interval over seeds;
            null where there is nothing to win); to_score and to_gain (median cost to 95% of the full score, and to 95% of
            what cleaning gains); tied (best of its set and model, or not surely behind the best); seconds (CPU, mean).
        """
        return self.lines.select(list(SUMMARY))

    def failures(self):
        """Cases without a curve, and why."""
        return self.cases.filter(pl.col("failed").is_not_null()).select("set", "model", "strategy", "seed", "failed")

    def to_dict(self):
        """As the JSON has it."""
        return {
            "schema_version": 1,
            "scoring": self.scoring,
            "unit": self.unit,
            "start": self.start,
            "summary": self.summary().to_dicts(),
            "curves": self.to_frame().to_dicts(),
            "failures": self.failures().to_dicts(),
            "warnings": list(self.warnings),
        }

    def to_json(self):
        """JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def to_html(self, path):
        """Write one self-contained page."""
        import_module("dqops.files").write_text(path, import_module("dqops.reports.bench").page(self))

    def save(self, path):
        """Write the curves to a .csv or .parquet file."""
        import_module("dqops.files").write_frame(path, self.to_frame())
