"""What stands beside an audit: how much worse the data may get, how good any model can be, what is certain already."""

from dataclasses import replace

import numpy as np

import dqops.propagation.corruptions  # noqa: F401  (registers the corruptions)
from dqops.cleaners.proposals import propose_candidates
from dqops.contracts import Corruption
from dqops.errors import DataError, DqopsError, ModelError
from dqops.flows.followed import followed
from dqops.limits.answer import one_sided
from dqops.limits.certified import Certified
from dqops.limits.metric import metric_of
from dqops.limits.near import near_engine
from dqops.limits.rows import gather
from dqops.models import classes_of, resolve_model, subsample
from dqops.models.space import last_step
from dqops.propagation.effort import EFFORTS, FOLDS
from dqops.propagation.fast_noise import estimate
from dqops.propagation.noise import check_rates, curve_for
from dqops.results.findings import Findings
from dqops.seeds import stream
from dqops.tables.readable import as_read

RATES = (0.05, 0.1, 0.2, 0.3)
LOSS = 0.01
_NEAR = {"standard": 1000, "thorough": 4000}  # rows among which near neighbours are sought
_DOUBTED = {"standard": 600, "thorough": 2000}  # rows whose doubtful cells get candidates
_MOST_COLUMNS, _CANDIDATES, _K = 4, 5, 5
_CELLS = ("missing", "formats", "outliers", "categories", "rules")


def outlook(table, findings, design, baseline, effort, *, holdout=None, tell=lambda done, total, what: None):
    """Noise curves, the band of the least error, and the share of certain predictions; and notes on what is not there.

    Parameters
    ----------
    table : Table
        Without columns that give the target away.
    findings : Findings
        Of that table.
    design : Design
    baseline : Baseline
    effort : {"quick", "standard", "thorough"}
        A quick audit has no outlook.
    holdout : Table, optional

    Returns
    -------
    dict or None, tuple of str
        Plain values, as the JSON of an audit has them.

    Notes
    -----
    Three or four fits on at most as many rows as are priced, near neighbours of at most 1,000 rows, and forests for at most
    four columns of 600 rows: about a tenth of an audit.
    """
    if effort not in _NEAR:
        return None, ()
    parts, notes = {"loss": LOSS, "curves": [], "band": None, "certainty": None}, []
    for name, work in (("curves", _curves), ("band", _band), ("certainty", _certainty)):
        tell(len(parts), len(parts), f"looking ahead: {name}")
        try:
            parts[name] = work(table, findings, design, baseline, effort, holdout)
        except DqopsError as cause:
            notes.append(f"no {name} beside the audit: {cause}")
    return parts, tuple(notes)


def _curves(table, findings, design, baseline, effort, holdout):
    """Fast curves of wrong labels and of missing cells, as plain values."""
    priced = subsample(table, EFFORTS[effort].rows, design.seed)
    judge = priced if holdout is None else holdout
    splits = [(one, priced.take(one.train), judge.take(other.test)) for one, other in design.judged_splits(priced, holdout, folds=FOLDS)]
    kinds = ("label_flips" if design.task == "classification" else "target_swaps", "missing_completely_at_random")
    told, kept, failed = [], {}, None
    for kind in kinds:
        experiment = curve_for(Corruption.named(kind), None, "training", check_rates(RATES))
        try:
            experiment.corruption.corrupt(priced, 0.0, stream(0, "trying a corruption"))
            curve = estimate(experiment, priced, replace(design, holdout=holdout), splits, kept)
        except (DataError, ModelError) as cause:
            failed = cause
            continue
        within = curve.tolerance(LOSS)
        drop = curve.drop(0.1)
        tolerance = {name: getattr(within, name) for name in ("loss", "rate", "low", "high", "reached")}
        told.append(curve.to_dict() | {"tolerance": tolerance, "drop": {"rate": 0.1, "expected": drop.expected, "low": drop.low, "high": drop.high}})
    if not told and failed is not None:
        raise failed
    return told


def _band(table, findings, design, baseline, effort, holdout):
    """Ends of the error of the best possible model: near neighbours from below, the audited model from above."""
    metric = metric_of(design.scoring, design.task)
    if not metric.bounded or baseline is None:
        return None
    high = float(metric.error(baseline.low))
    rows = gather(table, None, design.task, _NEAR[effort], design.seed)
    engine, _ = near_engine(rows, metric.measure, design.seed)
    low = 0.0 if engine is None else float(metric.from_loss(engine.least(one_sided).low, rows.labels[rows.judged]))
    if not low <= high:
        low = 0.0 if metric.unit.startswith("1 - ") or high >= 0 else None
    return {"low": low, "high": high, "unit": metric.unit, "rows": int(rows.table.n_rows)}


def _certainty(table, findings, design, baseline, effort, holdout):
    """Share of predictions of k-NN that no repair of the doubtful cells can change; None where there are none."""
    cells = [one for one in findings.of_kind(*_CELLS) if one.column in table.features and not one.whole and one.at_least(0.5).count]
    if design.task != "classification" or not cells:
        return None
    cells = sorted(cells, key=lambda one: (-one.at_least(0.5).count, one.id))
    columns = list(dict.fromkeys(one.column for one in cells))[:_MOST_COLUMNS]
    some = subsample(table, _DOUBTED[effort], design.seed)
    here = Findings(tuple(one.on_rows(some.row_ids) for one in cells if one.column in columns))
    here = Findings(tuple(one for one in here if one.count))
    read = as_read(some)
    candidates, _ = propose_candidates(read, here, n_candidates=_CANDIDATES, seed=design.seed)
    if not candidates.n_open:
        return None
    own = type(last_step(design.model)).__name__ == "KNeighborsClassifier"
    ready = design.model if own else resolve_model("knn", design.task, seed=design.seed).prepared(read)
    split = design.splits(read, folds=FOLDS)[0]
    train, test = read.take(split.train), read.take(split.test)
    classes = classes_of(read)
    certified = Certified(design.task, classes, None if own else _K, 0.01)
    certified.judge(*followed(ready, train, candidates, n_candidates=_CANDIDATES, seed=design.seed), test)
    told = certified.told(candidates)
    accuracy = told["accuracy"]
    return {
        "rows": int(told["predictions"].height),
        "certain": float(np.mean(told["predictions"]["certain"].to_numpy())),
        "accuracy_low": accuracy[0] if accuracy else None,
        "accuracy_high": accuracy[2] if accuracy else None,
        "doubtful_cells": int(candidates.n_open),
        "columns": columns,
        "model": ready.name if own else f"k-NN of {_K}",
    }
