"""Scores and gains: what the model reaches today, and what resolving a doubt is expected to add."""

import json
from dataclasses import asdict, dataclass
from importlib import import_module

import polars as pl

ARMS = ("deployed", "training", "serving")


@dataclass(frozen=True)
class Estimate:
    """A number with an interval.

    Parameters
    ----------
    expected, low, high : float
        In score units, higher is better.
    level : float
        Coverage that the interval claims, in (0, 1).
    """

    expected: float
    low: float
    high: float
    level: float = 0.9

    def __str__(self):
        return f"{self.expected:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


@dataclass(frozen=True)
class Baseline:
    """The score that the model reaches on the table as it is.

    Parameters
    ----------
    score, low, high : float
        Cross-validated (or on the holdout), in units of the scorer, higher is better.
    level : float
    label_noise_corrected : bool
        Whether the score is corrected for wrong labels among the judged rows.
    corrected : Estimate or None
        The score that the same model has against true labels, where it could be estimated.
    set_aside : tuple of str
        Columns that give the target away and were left out for this score.
    with_set_aside : Estimate or None
        The score with those columns still in.
    judged_on : str
        Which rows judge: "cross-validation", "holdout" or "trusted rows".
    """

    score: float
    low: float
    high: float
    level: float = 0.9
    label_noise_corrected: bool = False
    corrected: Estimate | None = None
    set_aside: tuple[str, ...] = ()
    with_set_aside: Estimate | None = None
    judged_on: str = "cross-validation"

    def as_estimate(self):
        """The score as an `Estimate`."""
        return Estimate(self.score, self.low, self.high, self.level)

    def to_dict(self):
        """As the JSON of an audit has it."""
        return asdict(self) | {"set_aside": list(self.set_aside)}

    @classmethod
    def from_dict(cls, saved):
        """The baseline that `to_dict` wrote; what was not finite is NaN."""
        numbers = {name: _number(saved[name]) for name in ("score", "low", "high")}
        others = {name: None if saved[name] is None else _estimate(saved[name], saved[name]["level"]) for name in ("corrected", "with_set_aside")}
        return cls(**(saved | numbers | others | {"set_aside": tuple(saved["set_aside"])}))


@dataclass(frozen=True)
class Gain:
    """What one repair, or knowing the truth, adds to the score.

    Parameters
    ----------
    finding : str
        Id of the finding, or "all" for all worthwhile repairs together.
    action : str
        The repair, as an order: ``parse 'ounces' as numbers``.
    arm : {"deployed", "training", "serving"}
        deployed: rows at serving are as dirty as today and repaired alike. training: dirt in training only, judged
        on best-known values. serving: a model trained on repaired rows, served dirty ones.
    repair : Estimate
        Measured gain of the repair.
    potential : Estimate or None
        Expected gain if the truth were known, None where it cannot be estimated.
    cost : float
        Cells or rows that the repair changes.
    measured : int
        Paired score differences behind the estimate.
    method : str
        The propagator that the gain is from: "retrain", "knn", "influence" or "bounds".
    row : row id or None
        Where the gain is that of one row, or of one cell of it.
    column : str or None
        Where it is that of one cell.
    """

    finding: str
    action: str
    arm: str
    repair: Estimate
    potential: Estimate | None
    cost: float
    measured: int
    method: str = "retrain"
    row: object = None
    column: str | None = None

    def to_dict(self):
        """As the JSON of an audit has it."""
        potential = None
        if self.potential is not None:
            potential = {"expected": self.potential.expected, "low": self.potential.low, "high": self.potential.high}
        return {
            "finding": self.finding,
            "action": self.action,
            "arm": self.arm,
            "expected": self.repair.expected,
            "low": self.repair.low,
            "high": self.repair.high,
            "level": self.repair.level,
            "potential": potential,
            "cost": self.cost,
            "measured": self.measured,
            "method": self.method,
        }

    @classmethod
    def from_dict(cls, saved):
        """The gain that `to_dict` wrote; the potential takes the level of the repair."""
        known = None if saved["potential"] is None else _estimate(saved["potential"], saved["level"])
        kept = {name: saved[name] for name in ("finding", "action", "arm", "cost", "measured")}
        return cls(**kept, method=saved.get("method", "retrain"), repair=_estimate(saved, saved["level"]), potential=known)


@dataclass(frozen=True)
class Gains:
    """All gains of an audit, three arms a finding; adds up with ``+``.

    Parameters
    ----------
    entries : tuple of Gain
    notes : tuple of str
        What was done to get them, and what has to be said of them.
    """

    entries: tuple[Gain, ...] = ()
    notes: tuple[str, ...] = ()

    def __iter__(self):
        return iter(self.entries)

    def __len__(self):
        return len(self.entries)

    def __add__(self, other):
        return Gains(self.entries + other.entries, tuple(dict.fromkeys(self.notes + other.notes)))

    def __str__(self):
        return import_module("dqops.reports.gains").render(self)

    def of(self, finding, arm="deployed"):
        """The gain of that finding in that arm, or None where it was not priced."""
        return next((one for one in self.entries if one.finding == finding and one.arm == arm), None)

    def to_json(self):
        """JSON text: gains as in an audit, with row and column, and notes; null for what is not finite."""
        lines = [one.to_dict() | {"row": one.row, "column": one.column} for one in self.entries]
        return json.dumps(_finite({"gains": lines, "notes": list(self.notes)}), indent=2, ensure_ascii=False, default=str) + "\n"

    def to_frame(self):
        """One line a finding (or row, or cell) and arm; the potential as three columns."""
        lines = []
        for one in self.entries:
            line = one.to_dict()
            potential = line.pop("potential") or {"expected": None, "low": None, "high": None}
            place = {"row": one.row, "column": one.column}
            lines.append(line | {f"potential_{name}": value for name, value in potential.items()} | place)
        numbers = ["expected", "low", "high", "level", "cost", "potential_expected", "potential_low", "potential_high"]
        names = ["finding", "action", "arm", *numbers[:5], "measured", *numbers[5:], "method", "row", "column"]
        schema = {name: pl.Float64 if name in numbers else pl.String for name in names} | {"measured": pl.Int64}
        schema["row"] = pl.String if any(isinstance(one.row, str) for one in self.entries) else pl.Int64
        return pl.DataFrame(lines, schema=schema)


def _finite(value):
    """The same with None for numbers that are not finite."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and value - value != 0 else value


def _estimate(saved, level):
    return Estimate(*(_number(saved[name]) for name in ("expected", "low", "high")), level=level)


def _number(saved):
    return float("nan") if saved is None else saved
