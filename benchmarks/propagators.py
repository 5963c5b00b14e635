"""Do the prices of worlds hold, and what do they cost? Four propagators against the truth of planted dirt.

    python benchmarks/propagators.py [--sets bank8fm german ...] [--seeds 2]

Missing cells, wild numbers and wrong labels are planted in clean tables. Each finding is priced by each method on the dirty table; then
its doubtful cells get their true values, and the model is trained and judged before and after, on fresh splits: the realised
gain in the training arm. Printed by method: how often the realised gain lies in the interval of the potential (two standard errors of
the realised gain allowed for), rank correlation and slope of realised on predicted, the median width, and CPU over that of retraining.
Nothing in the package was fitted to these figures.
"""

import argparse
import time
import warnings

import numpy as np
import polars as pl
from curves import table_of
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

import dqops
from dqops.errors import DqopsError
from dqops.flows.price import design_of
from dqops.flows.search import chosen_detectors, search
from dqops.propagation.intervals import paired_interval

ROWS = 1500
MODELS = {"classification": ("linear", "knn"), "regression": ("linear",)}
METHODS = ("retrain", "knn", "influence", "bounds")
FRESH = 101


def planted(name, seed):
    """A clean table, and the same with dirt in two columns and, where there are classes, in the labels."""
    table = table_of(name)
    rng = np.random.default_rng([seed, len(name)])
    rows = np.sort(rng.choice(table.n_rows, min(ROWS, table.n_rows), replace=False))
    clean, target = table.frame[rows].select(*table.features, table.roles.target), table.roles.target
    numbers = [one for one in table.features if clean[one].dtype.is_numeric() and clean[one].n_unique() > 10 and not clean[one].null_count()]
    columns = rng.permutation(numbers)[:2].tolist()
    dirty = clean
    if columns:
        gone = rng.random(clean.height) < rng.uniform(0.1, 0.4)
        dirty = dirty.with_columns(pl.when(pl.Series(gone)).then(None).otherwise(pl.col(columns[0])).alias(columns[0]))
    if len(columns) > 1:
        wild = rng.random(clean.height) < rng.uniform(0.02, 0.08)
        spread = float(clean[columns[1]].std() or 1.0)
        far = clean[columns[1]].cast(pl.Float64) + pl.Series(rng.choice([-1, 1], clean.height) * rng.uniform(8, 40, clean.height) * spread)
        dirty = dirty.with_columns(pl.when(pl.Series(wild)).then(far).otherwise(pl.col(columns[1]).cast(pl.Float64)).alias(columns[1]))
    if clean[target].n_unique() <= 10:
        classes = clean[target].unique().sort()
        other = classes.gather(rng.integers(len(classes), size=clean.height))
        dirty = dirty.with_columns(pl.when(pl.Series(rng.random(clean.height) < rng.uniform(0.05, 0.2))).then(other).otherwise(pl.col(target)).alias(target))
    return clean, dirty, target


def realised(clean, dirty, finding, target, model):
    """Gain of writing the truth into the cells of a finding, in the training arm; None where it has no column."""
    if finding.column is None or finding.column not in clean.columns:
        return None
    here = finding.at_least(0.5).positions if finding.column != target else np.arange(clean.height)
    truth = clean[finding.column].cast(dirty[finding.column].dtype).gather(here)
    mended = dirty.with_columns(dirty[finding.column].clone().scatter(here, truth))
    before, after, true = (dqops.read(one, target=target) for one in (dirty, mended, mended.with_columns(clean[target])))
    design = design_of(before, model=model, scoring=None, seed=FRESH, effort="standard", allow_pickle=False, holdout=None)
    gains = []
    for split in design.splits(before, folds=5, repeats=3):
        old, new = (design.model.fit(one.take(split.train), seed=FRESH) for one in (before, after))
        gains.append(new.score(true.take(split.test), design.scoring) - old.score(true.take(split.test), design.scoring))
    return paired_interval(gains, 0.25)


def main():
    """Price, realise, and print."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sets", nargs="*", default=["bank8fm", "german", "har", "credit", "nasa", "bike"])
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    lines = []
    for name in asked.sets:
        for seed in range(asked.seeds):
            clean, dirty, target = planted(name, seed)
            task = "classification" if clean[target].n_unique() <= 10 else "regression"
            for model in MODELS[task]:
                lines += _priced(name, clean, dirty, target, model)
    for method in METHODS:
        part = [one for one in lines if one[0] == method]
        if len(part) > 2:
            told, low, high, real, error, cost = (np.array([one[at] for one in part], dtype=float) for at in (1, 2, 3, 4, 5, 6))
            inside = (low - 2 * error <= real) & (real <= high + 2 * error)
            slope = np.polyfit(told, real, 1)[0] if np.ptp(told) else np.nan
            print(f"{method}: {len(part)} gains, inside {inside.mean():.0%}, Spearman {spearmanr(told, real)[0]:.2f}, slope {slope:.2f}, median width {np.median(high - low):.3f}, CPU over retraining {np.median(cost):.2f}")


def _priced(name, clean, dirty, target, model):
    """(method, expected, low, high, realised, its standard error, CPU ratio) of each finding and method."""
    lines, cost, truth = [], {}, {}
    table = dqops.read(dirty, target=target)
    design = design_of(table, model=model, scoring=None, seed=0, effort="standard", allow_pickle=False, holdout=None)
    found, _, _ = search(table, chosen_detectors(), design, 0)
    for method in METHODS:
        started = time.process_time()
        try:
            with threadpool_limits(limits=1):
                gains = dqops.price(table, target=target, model=model, method=method, findings=[one.id for one in found if one.kind in ("missing", "outliers", "labels")])
        except DqopsError:
            continue
        cost[method] = time.process_time() - started
        for gain in gains:
            if gain.arm != "training" or gain.finding == "all" or gain.potential is None or gain.finding not in found:
                continue
            if gain.finding not in truth:
                truth[gain.finding] = realised(clean, dirty, found[gain.finding], target, model)
            real, told = truth[gain.finding], gain.potential
            if real is not None:
                error = (real.high - real.low) / 3.5
                lines.append((method, told.expected, told.low, told.high, real.expected, error, cost[method] / cost.get("retrain", np.nan)))
                print(f"{name:8}{model:8}{method:10}{gain.finding:34}{told.expected:+.3f} [{told.low:+.3f}, {told.high:+.3f}]  realised {real.expected:+.3f} +- {error:.3f}", flush=True)
    return lines


if __name__ == "__main__":
    main()
