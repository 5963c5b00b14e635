"""Are fast noise curves as good as brute-force ones, for a twentieth of their CPU?

    python benchmarks/curves.py [--sets adult german ...] [--models knn linear auto forest] [--corruptions label_flips ...] [--effort thorough]

Each curve is measured by training at each rate on five folds, twice (five times in a thorough run), and estimated with ``method="fast"``, in one process. Printed, by
set, model and kind of noise: the difference of the two drops at 5, 10 and 20% in points of the score (accuracy or R2), the share of
measured drops inside the fast band (widened by their own error), and CPU of the estimate over CPU of the measurement. A measured drop has an error of its own: it is
printed beside. Nothing in the package was fitted to these sets.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

import dqops

FOLDER = Path(os.environ.get("DQOPS_DATASETS", Path(__file__).parents[2] / "shared" / "datasets"))
SETS = {
    "german": ("german_credit/table.csv.gz", "creditability", ()),
    "bank8fm": ("bank8fm_missing/clean.csv.gz", "binaryClass", ()),
    "adult": ("adult/table.csv.gz", "income-per-year", ()),
    "credit": ("credit_data/table.csv.gz", "Status", ()),
    "har": ("har/clean.csv.gz", "gt", ("Index",)),
    "nasa": ("nasa/clean.csv.gz", "sound_pressure_level", ()),
    "bike": ("bike/clean.csv.gz", "cnt", ("instant", "casual", "registered", "dteday")),
}
RATES = (0.05, 0.1, 0.2, 0.3)
JUDGED = (0.05, 0.1, 0.2)
ROWS = 4000


def table_of(name):
    """The set, at most 4,000 rows of it."""
    file, target, ignore = SETS[name]
    frame = pl.read_csv(FOLDER / file, infer_schema_length=None, null_values=["", "NA", "?"])
    if frame.height > ROWS:
        frame = frame[np.sort(np.random.default_rng(0).choice(frame.height, ROWS, replace=False))]
    return dqops.read(frame, target=target, ignore=ignore)


def kinds_of(table, asked):
    """Kinds of noise for this table: of labels, and of cells."""
    classes = not table.target().dtype.is_float() and table.target().n_unique() <= 20
    own = ["label_flips", "label_confusions"] if classes else ["target_swaps"]
    return [one for one in (*own, "missing_completely_at_random", "outliers") if not asked or one in asked]


def compared(table, model, kind, effort):
    """Differences of drops, share inside the band, error of the measured drops, ratio of CPU, and the way; None where it cannot be."""
    told, spent = {}, {}
    for method in ("brute", "fast"):
        started = time.process_time()
        with threadpool_limits(limits=1):
            told[method] = dqops.propagate(table, target=table.roles.target, model=model, corruptions=[kind], rates=RATES, method=method, effort=effort)[kind]
        spent[method] = time.process_time() - started
    places = [int(np.flatnonzero(told["brute"].rates == rate)[0]) for rate in JUDGED]
    measured = np.nanmean(told["brute"].scores[0] - told["brute"].scores, axis=1)[places]
    drops = [told["fast"].drop(rate) for rate in JUDGED]
    off = np.array([one.expected for one in drops]) - measured
    # What was measured has an error of its own, which no band of the estimate knows.
    reach = [np.hypot(max(one.high - one.expected, one.expected - one.low), 1.645 * error) for one, error in zip(drops, told["brute"].stderr[places], strict=True)]
    held = abs(off) <= reach
    return measured, off, np.mean(held), told["brute"].stderr[places], spent["fast"] / spent["brute"], told["fast"].method


def main():
    """Print a line for each curve, and what they come to by way and in all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--models", nargs="*", default=["knn", "linear", "auto", "forest"])
    parser.add_argument("--corruptions", nargs="*", default=[])
    parser.add_argument("--effort", default="standard")
    asked = parser.parse_args()
    compiled = pl.DataFrame({"x": np.random.default_rng(0).normal(size=100)}).with_columns(y=pl.col("x") > 0)
    for model in ("knn", "linear"):
        dqops.propagate(compiled, target="y", model=model, corruptions=["label_flips"], rates=[0.1, 0.2], effort="quick", fast=True)
    print(f"{'set':9}{'model':8}{'noise':30}{'way':10}{'measured drop, points':>24}{'off, points':>22}{'in band':>9}{'own error':>11}{'CPU':>8}")
    seen = []
    for name in asked.sets:
        table = table_of(name)
        for model in asked.models:
            for kind in kinds_of(table, asked.corruptions):
                try:
                    measured, off, held, error, ratio, way = compared(table, model, kind, asked.effort)
                except dqops.DqopsError as cause:
                    print(f"{name:9}{model:8}{kind:30}{cause}")
                    continue
                seen.append((way, *(100 * abs(off)), held, ratio))
                shown = (" ".join(f"{100 * one:7.2f}" for one in values) for values in (measured, off))
                print(f"{name:9}{model:8}{kind:30}{way:10}{next(shown)}{next(shown):>24}{held:9.2f}{100 * np.mean(error):11.2f}{ratio:8.3f}", flush=True)
    for way in (*sorted({one[0] for one in seen}), "all"):
        part = np.array([one[1:] for one in seen if way in (one[0], "all")])
        within = (part[:, :3] <= 0.5).mean(axis=0)
        print(f"{way}: {len(part)} curves; within 0.5 points at 5, 10, 20%: {within[0]:.0%}, {within[1]:.0%}, {within[2]:.0%}; median off {np.median(part[:, :3]):.2f}; in the band {part[:, 3].mean():.0%}; median CPU {np.median(part[:, 4]):.3f}")


if __name__ == "__main__":
    main()
