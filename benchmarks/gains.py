"""Predicted gains against realised ones, on tables whose true cells are known.

    python benchmarks/gains.py [--sets nasa beers] [--models linear forest] [--effort quick]

For each set and model the dirty table is audited as a user would. Then the truth is looked at: the doubtful cells of each
finding are replaced by the true ones, and the same model is trained and judged before and after, on fresh five-fold
splits. Printed for each finding: the repair's predicted gain, the predicted potential (knowing the truth), the realised
gain of the truth, and whether it fell inside; for the whole table, all repairs and their potential against the cost of all
dirt. `calibration.py` does the same on more cases and holds the repairs themselves to what they promise.
Sets come from the folder in DQOPS_DATASETS, or ``../shared/datasets`` beside the project; nothing in the package was
fitted to them.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

import dqops
from dqops.models import Design, default_scoring, resolve_model, task_of
from dqops.propagation.intervals import paired_interval
from dqops.results.gain import ARMS
from dqops.tables.cells import in_type_of

FOLDER = Path(os.environ.get("DQOPS_DATASETS", Path(__file__).parents[2] / "shared" / "datasets"))
SETS = {
    "nasa": ("nasa/dirty", "nasa/clean", "sound_pressure_level", ()),
    "bike": ("bike/dirty", "bike/clean", "cnt", ("instant", "casual", "registered")),
    "babyproduct": ("babyproduct/dirty", "babyproduct/clean", "class", ()),
    "beers": ("beers/dirty", "beers/clean", "style", ("index", "id")),
    "hospital": ("hospital/dirty", "hospital/clean", "Condition", ("MeasureCode", "MeasureName", "StateAverage")),
    "bank8fm": ("bank8fm_missing/dirty_mnar_50", "bank8fm_missing/clean", "binaryClass", ()),
    "har": ("har/dirty", "har/clean", "gt", ("Index",)),
    "tax": ("tax/dirty", "tax/clean", "rate", ()),
}
MOST_ROWS = 4000


def load(name):
    """Dirty and clean text of a set, row by row alike: at most 4000 rows, frequent classes only, target known in both."""
    dirty_file, clean_file, target, ignore = SETS[name]
    dirty, clean = (pl.read_csv(FOLDER / f"{one}.csv.gz", infer_schema=False) for one in (dirty_file, clean_file))
    if name == "beers":
        common = clean[target].value_counts(sort=True)[target].head(10)
        keep = clean[target].is_in(common.implode())
        dirty, clean = dirty.filter(keep), clean.filter(keep)
    if dirty.height > MOST_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(dirty.height, MOST_ROWS, replace=False))
        dirty, clean = dirty[rows], clean[rows]
    # The target is the same in both arms: what is measured is dirt in the features.
    return dirty.with_columns(clean[target]), clean, target, ignore


def as_table(frame, target, ignore):
    """The table that a user would read from a file with these cells."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        frame.write_csv(path)
        return dqops.read(path, target=target, ignore=ignore)


class Fresh:
    """Splits that no audit saw, with the model trained on the table as it is; each fit is made once.

    Parameters
    ----------
    before : Table
    model : str or estimator
    seed : int
    """

    def __init__(self, before, model, seed=1):
        self.task = task_of(before)
        self.ready, self.seed, self.before = resolve_model(model, self.task, seed=seed).prepared(before), seed, before
        self.scoring = default_scoring(self.task)
        design = Design(task=self.task, model=self.ready, scoring=self.scoring, seed=seed)
        self.splits = list(design.splits(before, folds=5, repeats=2))
        self.old = {}

    def realised(self, after):
        """Gain of replacing the table by `after`, by arm."""
        gains = {arm: [] for arm in ARMS}
        for place, split in enumerate(self.splits):
            old_test, new_train, new_test = self.before.take(split.test), after.take(split.train), after.take(split.test)
            if place not in self.old:
                model = self.ready.fit(self.before.take(split.train), seed=self.seed)
                self.old[place] = model, self._score(model, old_test)
            old, score_before = self.old[place]
            new = self.ready.fit(new_train, seed=self.seed)
            best = self._score(new, new_test)
            gains["deployed"].append(best - score_before)
            gains["training"].append(best - self._score(old, like(new_test, old_test)))
            gains["serving"].append(best - self._score(new, like(old_test, new_test)))
        return {arm: paired_interval(seen, 0.25) for arm, seen in gains.items()}

    def _score(self, model, rows):
        return max(model.score(rows, self.scoring), -10)


def like(table, model):
    """The cells of one table in the types of another."""
    names = [name for name in table.features if table.frame[name].dtype != model.frame[name].dtype]
    return table.with_columns(*[in_type_of(table.frame[name], model.frame[name]).alias(name) for name in names]) if names else table


def judge(name, model, effort, lines):
    """Audit a set and hold its promises against the truth."""
    dirty, clean, target, ignore = load(name)
    before = as_table(dirty, target, ignore)
    audit = dqops.audit(before, model=model, effort=effort, n_jobs=2)
    print(f"\n{name}, {model}: baseline {audit.baseline.score:.3f} [{audit.baseline.low:.3f}, {audit.baseline.high:.3f}], {audit.timings['all']:.0f} s", flush=True)
    fresh = Fresh(before, model)
    truth = fresh.realised(as_table(clean, target, ignore))
    for arm in ARMS:
        whole = audit.gains.of("all", arm)
        known = whole and whole.potential
        print(f"  all repairs, {arm:9} {shown(whole and whole.repair):26} potential {shown(known):26} cost of all dirt {shown(truth[arm])}")
    for gain in sorted(audit.gains, key=lambda one: one.finding):
        finding = gain.finding
        if gain.arm != "deployed" or gain.potential is None or finding == "all" or audit.findings[finding].column in (None, target):
            continue
        mended = with_truth(dirty, clean, audit.findings[finding].at_least(0.5))
        if mended.equals(dirty):
            continue
        real = fresh.realised(as_table(mended, target, ignore))
        for arm in ARMS:
            told = audit.gains.of(finding, arm)
            if told is None or told.potential is None:
                continue
            inside = told.potential.low <= real[arm].expected <= told.potential.high
            lines.append((name, model, finding, arm, told.repair.expected, told.potential, real[arm].expected, inside))
            print(f"  {finding:26} {arm:9} repair {shown(told.repair):26} potential {shown(told.potential):26} truth {real[arm].expected:+.3f} {'' if inside else 'OUTSIDE'}")


def with_truth(dirty, clean, finding):
    """The dirty text with the true text in the doubtful cells of one finding."""
    cells = dirty[finding.column].clone().scatter(finding.positions, clean[finding.column].gather(finding.positions))
    return dirty.with_columns(cells)


def shown(estimate):
    return "not measured" if estimate is None else str(estimate)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--models", nargs="+", default=["linear", "forest", "boosting", "knn"])
    parser.add_argument("--effort", default="standard")
    given = parser.parse_args()
    lines = []
    for name in given.sets:
        for model in given.models:
            judge(name, model, given.effort, lines)
    for arm in ARMS:
        part = [line for line in lines if line[3] == arm]
        if len(part) > 2:
            told, real = np.array([line[5].expected for line in part]), np.array([line[6] for line in part])
            order = np.corrcoef(told.argsort().argsort(), real.argsort().argsort())[0, 1]
            width = np.median([line[5].high - line[5].low for line in part])
            print(f"{arm}: {np.mean([line[7] for line in part]):.0%} of {len(part)} inside 90% intervals, rank correlation {order:.2f}, median width {width:.3f}")


if __name__ == "__main__":
    main()
