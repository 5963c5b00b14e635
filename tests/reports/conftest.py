"""Audits made by hand: what a report has to say, without the flow that finds it."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from dqops.results.audit import Audit
from dqops.results.findings import Finding, Findings
from dqops.results.gain import Baseline, Estimate, Gain, Gains
from dqops.results.summary import ColumnSummary, LabelNoise

SECRETS = ("Mrs. Secret", "secret-class", "secret-level", "secret-repair")


def make_finding(kind, column, count, n_rows=891, *, score=0.9, whole=False, message=None, values=True, why="The cell is odd."):
    """A group of `count` doubts, spread over the rows."""
    count = 0 if whole else count
    positions = np.linspace(0, max(n_rows - 1, 0), count).astype(np.int64)
    has_values = values and column is not None and count
    return Finding(
        kind=kind,
        column=column,
        positions=positions,
        rows=pl.Series("rows", positions),
        scores=np.full(1 if whole else count, score),
        values=pl.Series([SECRETS[0]] * count, dtype=pl.String) if has_values else None,
        suggestions=pl.Series([SECRETS[3]] * count, dtype=pl.String) if has_values else None,
        reasons=(why,) if count else (),
        reason_codes=np.zeros(count, dtype=np.int32),
        related=None,
        message=message or f"{count} cells look wrong.",
        n_rows=n_rows,
        whole=whole,
    )


def make_gains(finding, expected, half, *, action="fill the empty cells and mark them", potential=None, arms=True):
    """The deployed arm, with the two others beside it."""
    known = None if potential is None else Estimate(potential, potential - half, potential + half)
    shifts = {"deployed": 0.0, "training": -0.3 * abs(expected), "serving": 0.5 * abs(expected)}
    return tuple(
        Gain(finding, action, arm, Estimate(expected + shift, expected + shift - half, expected + shift + half), known if arm == "deployed" else None, 177, 25)
        for arm, shift in shifts.items()
        if arms or arm == "deployed"
    )


def make_columns(n_columns=6):
    edges = tuple(np.linspace(0.42, 80.0, 21).tolist())
    counts = tuple(int(40 * np.exp(-((place - 7) ** 2) / 20)) + 1 for place in range(20))
    doubtful = (0,) * 17 + (2, 0, 1)
    quantiles = {"min": 0.42, "q05": 4.0, "q25": 20.125, "median": 28.0, "q75": 38.0, "q95": 56.0, "max": 512.3292, "mean": 29.7, "std": 14.5}
    kinds = [
        ColumnSummary("age", "number", "number", "", 177, 88, quantiles, edges, counts, doubtful),
        ColumnSummary("fare", "number", "text", "", 0, 248, quantiles, edges, counts, doubtful),
        ColumnSummary("cabin", "category", "text", "", 687, 147, levels=(SECRETS[2], "C23"), level_counts=(120, 30), level_doubtful=(0, 4)),
        ColumnSummary("survived", "boolean", "number", "target", 0, 2, levels=("0", "1"), level_counts=(549, 342), level_doubtful=(0, 0)),
        ColumnSummary("boat", "category", "text", "", 823, 27),
        ColumnSummary("void", "empty", "text", "ignored", 891, 0),
    ]
    more = [ColumnSummary(f"column_{place}", "number", "number", "", place % 7, 88, quantiles, edges, counts, doubtful) for place in range(n_columns - 6)]
    return tuple((kinds + more)[:n_columns])


def make_audit(findings, gains=(), **changes):
    """An audit of titanic with these findings; ranking as they come."""
    findings = tuple(findings)
    parts = {
        "data": {"name": "titanic.csv", "rows": 891, "columns": 14, "target": "survived", "task": "classification", "fingerprint": "9c" * 16},
        "model": "auto",
        "scoring": "accuracy",
        "baseline": Baseline(0.812, 0.79, 0.834),
        "findings": Findings(findings),
        "gains": Gains(tuple(gains)),
        "ranking": tuple(one.id for one in findings),
        "columns": make_columns(),
        "settings": {"effort": "standard", "seed": 0, "target": "survived"},
        "versions": {"dqops": "0.1.0", "python": "3.11.9", "polars": "2.1.0"},
        "timings": {"read": 0.1, "search": 0.4},
    }
    return Audit(**(parts | changes))


def titanic(**changes):
    """Several kinds of findings: leakage set aside, one repair that helps, one that harms, noise of labels."""
    findings = [
        make_finding("leakage", "boat", 0, whole=True, score=0.99, message="Known only after the outcome: it tells the target almost alone."),
        make_finding("leakage", "body", 0, whole=True, score=0.95, message="Filled for one class only."),
        make_finding("missing", "age", 177, message="177 cells are empty, more often for one class."),
        make_finding("formats", "fare", 12, score=0.97, message="12 cells are no numbers."),
        make_finding("missing", "cabin", 687, score=0.6, message="687 cells are empty."),
        make_finding("labels", "survived", 31, score=0.71, message="31 labels contradict what the model learns from the other rows."),
        make_finding("duplicates", None, 9, score=0.99, message="9 rows repeat another one."),
        make_finding("outliers", "fare", 4, score=0.55, message="4 values lie far out."),
        make_finding("categories", "embarked", 2, score=0.8, message="2 cells are spelled otherwise."),
        make_finding("rules", "ticket", 5, score=0.66, message="5 cells break a rule."),
    ]
    gains = [
        *make_gains("missing:age", 0.012, 0.008, potential=0.02),
        *make_gains("formats:fare", 0.0061, 0.004, action="parse 'fare' as numbers"),
        *make_gains("missing:cabin", 0.001, 0.006),
        *make_gains("labels:survived", 0.002, 0.009, action="drop the rows whose label is surely wrong", potential=0.031),
        *make_gains("duplicates:rows", -0.0004, 0.002, action="keep one row of each group"),
        *make_gains("categories:embarked", 0.0, 0.0, action="write each level in one way"),
        *make_gains("outliers:fare", -0.011, 0.005, action="clip to the usual range"),
        *make_gains("leakage:boat", -0.158, 0.02, action="leave 'boat' out", arms=False),
        *make_gains("all", 0.017, 0.009, action="all worthwhile repairs", arms=False),
    ]
    baseline = Baseline(
        0.812, 0.79, 0.834, set_aside=("boat", "body"), with_set_aside=Estimate(0.97, 0.96, 0.98), corrected=Estimate(0.843, 0.81, 0.87)
    )
    noise = LabelNoise(("no " + SECRETS[1], SECRETS[1]), ((0.56, 0.02), (0.045, 0.375)), 0.065, 0.05, 0.081)
    warnings = ("The column 'home.dest' was read as text.", "Scores are not corrected for wrong labels.")
    return make_audit(findings, gains, **({"baseline": baseline, "label_noise": noise, "warnings": warnings} | changes))


def searched_only():
    """No model was asked for."""
    audit = titanic()
    return make_audit(audit.findings, model=None, scoring=None, baseline=None)


def nothing_at_all():
    """A table without rows."""
    data = {"name": "empty.csv", "rows": 0, "columns": 0, "target": None, "task": None, "fingerprint": "0" * 32}
    return make_audit((), data=data, columns=(), model=None, scoring=None, baseline=None)


def clean():
    """Rows, but nothing doubtful in them."""
    return make_audit(())


def crowded(count=300):
    """As many findings as nobody reads."""
    findings = [make_finding("missing", f"column_{place}", 1 + place % 50) for place in range(count)]
    gains = [gain for place, one in enumerate(findings) for gain in make_gains(one.id, 0.02 / (1 + place) - 0.001, 0.004)]
    return make_audit(findings, gains, columns=make_columns(30))


def wide(count=3_600):
    """As many columns as nobody reads."""
    findings = [make_finding("missing", f"column_{place}", 3) for place in range(0, count, 9)]
    data = {"name": "wide.parquet", "rows": 891, "columns": count, "target": None, "task": None, "fingerprint": "1" * 32}
    return make_audit(findings, data=data, columns=make_columns(count), model=None, scoring=None, baseline=None)


HOSTILE = (
    "<script>alert(1)</script>",
    "'; DROP TABLE rows; --",
    "a|b`c``d\n# heading",
    "\x1b[31mred\x07",
    "[link](http://evil.example)",
    "{{ 7 * 7 }}{% raw %}",
    "\u202eright to left",
    "&amp;\"'><img src=x onerror=alert(1)>",
    "漢字" * 40,
    "x" * 500,
)


def hostile():
    """Names and sentences that would like to be code."""
    findings = [make_finding("formats", name, 3, message=f"3 cells of {name} look wrong.", why=name) for name in HOSTILE]
    gains = [gain for one in findings for gain in make_gains(one.id, 0.01, 0.004, action=f"rewrite {one.column}")]
    columns = tuple(ColumnSummary(name, "category", "text", "", 3, 9, levels=(name,), level_counts=(7,), level_doubtful=(1,)) for name in HOSTILE)
    data = {"name": HOSTILE[0], "rows": 891, "columns": len(HOSTILE), "target": HOSTILE[1], "task": "classification", "fingerprint": HOSTILE[7]}
    noise = LabelNoise(HOSTILE[:2], ((0.5, 0.01), (0.02, 0.47)), 0.03, 0.02, 0.04)
    settings = {HOSTILE[0]: HOSTILE[7], "seed": 0}
    baseline = Baseline(0.8, 0.7, 0.9, set_aside=HOSTILE[:2])
    return make_audit(findings, gains, columns=columns, data=data, label_noise=noise, settings=settings, baseline=baseline, model=HOSTILE[0], warnings=HOSTILE)


AUDITS = {"titanic": titanic, "searched_only": searched_only, "nothing_at_all": nothing_at_all, "clean": clean, "crowded": crowded, "wide": wide, "hostile": hostile}


@pytest.fixture(params=AUDITS)
def any_audit(request):
    """Each of the audits in turn."""
    return AUDITS[request.param]()


@pytest.fixture
def made():
    """The hands that make these audits, by name."""
    return SimpleNamespace(audits=AUDITS, finding=make_finding, gains=make_gains, audit=make_audit, secrets=SECRETS, hostile=HOSTILE)
