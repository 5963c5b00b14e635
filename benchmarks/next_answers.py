"""Whether the expected gain of the next answers holds what they then gain: the stop rule of prioritize and review.

    python benchmarks/next_answers.py
    python benchmarks/next_answers.py --sets bank8fm --answers 50 --seeds 4

Wild numbers are planted into one cell in ten of two features of a clean table. `dqops.prioritize` ranks the doubts and foretells
the gain of the next answers; these cells then get their true values, and the same model is cross-validated (six times
five-fold, the same splits) before and after. The folder of the sets is
DQOPS_DATASETS, or ``../shared/datasets`` beside the repository.
"""

import argparse
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from scipy.stats import beta
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import RepeatedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import dqops

SETS = {"nasa": ("nasa/clean.csv.gz", "sound_pressure_level"), "bank8fm": ("bank8fm_missing/clean.csv.gz", "binaryClass")}
MODELS = {
    "linear": (Ridge(), LogisticRegression(max_iter=1000)),
    "knn": (KNeighborsRegressor(n_neighbors=10), KNeighborsClassifier(n_neighbors=10)),
    "forest": (RandomForestRegressor(60, random_state=0), RandomForestClassifier(60, random_state=0)),
}
ROWS = 700
RATE = 0.1


def folder():
    """Where the sets are."""
    for one in (os.environ.get("DQOPS_DATASETS"), Path(__file__).parents[2] / "shared" / "datasets"):
        if one and Path(one).exists():
            return Path(one)
    raise SystemExit("no data sets: set DQOPS_DATASETS")


def spoilt(clean, target, rng):
    """A copy with wild numbers in two features."""
    dirty = clean.copy()
    features = [name for name in clean.columns if name != target]
    for name in rng.choice(features, 2, replace=False):
        hit = rng.random(len(clean)) < RATE
        away = rng.choice([-1, 1], hit.sum()) * rng.uniform(5, 12, hit.sum())
        dirty.loc[hit, name] += clean[name].std() * away
    return dirty


def realised(before, after, target, learner):
    """Gain of the score, over the same splits."""
    model = make_pipeline(SimpleImputer(), StandardScaler(), learner)
    splits = RepeatedKFold(n_splits=5, n_repeats=6, random_state=0)
    first, second = (cross_val_score(model, one.drop(columns=target), one[target], cv=splits).mean() for one in (before, after))
    return second - first


def case(clean, target, kind, n_answers, seed):
    """What was foretold, and what came true; None where there is nothing to ask."""
    dirty = spoilt(clean, target, np.random.default_rng(seed))
    ranking = dqops.prioritize(pl.from_pandas(dirty), target=target, model=kind, effort="quick", detectors=["outliers"], seed=seed)
    if not len(ranking):
        return None
    foretold, mended = ranking.next(n_answers), dirty.copy()
    for row, column in ranking.head(n_answers).to_frame().select("row", "column").iter_rows():
        mended.loc[row, column] = clean.loc[row, column]
    learner = MODELS[kind][clean[target].nunique() == 2]
    return foretold, realised(dirty, mended, target, learner)


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--answers", type=int, default=50)
    asked.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    asked.add_argument("--seeds", type=int, default=4)
    options = asked.parse_args()
    warnings.simplefilter("ignore")
    inside, foretold, came = [], [], []
    for name in options.sets:
        path, target = SETS[name]
        whole = pd.read_csv(folder() / path)
        for seed in range(options.seeds):
            clean = whole.sample(min(ROWS, len(whole)), random_state=seed).reset_index(drop=True)
            clean = clean.astype({column: float for column in clean.columns if column != target})
            for kind in MODELS:
                found = case(clean, target, kind, options.answers, seed)
                if found is None:
                    print(f"{name:<8} {kind:<7} seed {seed}  nothing to ask")
                    continue
                told, gain = found
                inside.append(told.low <= gain <= told.high)
                foretold.append(told.expected)
                came.append(gain)
                print(f"{name:<8} {kind:<7} seed {seed}  foretold {told}  came true {gain:+.3f}  {'inside' if inside[-1] else 'OUTSIDE'}", flush=True)
    hits, misses = sum(inside), len(inside) - sum(inside)
    low, high = beta.ppf(0.05, hits, misses + 1), beta.ppf(0.95, hits + 1, misses) if misses else 1.0
    print(f"\nin the 90% interval: {hits} of {len(inside)} = {hits / len(inside):.2f} [{low:.2f}, {high:.2f}]")
    print(f"mean gain foretold {np.mean(foretold):+.4f}, came true {np.mean(came):+.4f}")


if __name__ == "__main__":
    main()
