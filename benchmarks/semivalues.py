"""Whether sampled semivalues lie within their errors, which kind orders rows steadiest, and what a training costs.

    python benchmarks/semivalues.py [--seeds 20] [--trainings 600]

Ten rows of scikit-learn's wine, breast_cancer and iris have values that can be computed from all 1024 subsets. Against
these: the share of values within 1.645 standard errors (0.90 where the errors are right), and the mean Spearman correlation
with the exact values after that many trainings. Then the CPU time of a training within `semivalues`, as a ratio to
bare `fit` and `score` of the same model on subsets of the same sizes.
"""

import argparse
import sys
import time
import warnings
from itertools import combinations

import numpy as np
from scipy.stats import spearmanr
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

import dqops
from dqops.valuers.sampling import semivalue_weights

TABLES = {"wine": load_wine, "breast_cancer": load_breast_cancer, "iris": load_iris}
N_ROWS, SHAPE = 10, (4.0, 1.0)


def rows_of(table, seed=0):
    """Ten rows of two classes with a wrong label, and a holdout."""
    X, y = TABLES[table](return_X_y=True)
    X, y = X[y < 2], y[y < 2]
    order = np.random.default_rng(seed).permutation(len(y))
    train, held = order[:N_ROWS], order[N_ROWS : N_ROWS + 60]
    X = (X - X[train].mean(axis=0)) / X[train].std(axis=0).clip(1e-9)
    given = y[train].copy()
    given[0] = 1 - given[0]
    return X[train], given, X[held], y[held]


def exact_values(X, y, X_held, y_held, model, weights):
    """Values from all subsets; one class scores as the majority class does."""
    majority = (y_held == np.bincount(y).argmax()).mean()
    worth = {}
    for size in range(N_ROWS + 1):
        for rows in combinations(range(N_ROWS), size):
            chosen = list(rows)
            can = len(set(y[chosen])) == 2
            worth[rows] = model.fit(X[chosen], y[chosen]).score(X_held, y_held) if can else majority
    values, counts = np.zeros((2, N_ROWS, N_ROWS))
    for rows, score in worth.items():
        for row in set(range(N_ROWS)) - set(rows):
            values[row, len(rows)] += worth[tuple(sorted((*rows, row)))] - score
            counts[row, len(rows)] += 1
    return (values / counts) @ weights


def compare(kind, seeds, trainings):
    """Share within 1.645 errors and mean rank correlation, over tables and seeds."""
    within, agree = [], []
    for table in TABLES:
        data = rows_of(table)
        exact = exact_values(*data, GaussianNB(), semivalue_weights(N_ROWS, kind, SHAPE))
        for seed in range(seeds):
            options = {"agreement": None, "truncation": 0, "budget": trainings, "seed": seed}
            found = dqops.semivalues(*data, model=GaussianNB(), kind=kind, shape=SHAPE, **options)
            within += list(np.abs(found.value - exact) <= 1.645 * found.stderr)
            agree.append(spearmanr(found.value, exact).statistic)
    return np.mean(within), np.mean(agree)


def overhead(model, n_rows=100, trainings=300):
    """CPU milliseconds of a training here and of bare fit and score."""
    rng = np.random.default_rng(0)
    X, X_held = rng.normal(size=(n_rows, 10)), rng.normal(size=(100, 10))
    y, y_held = (X[:, 0] > 0).astype(int), (X_held[:, 0] > 0).astype(int)
    before = time.process_time()
    dqops.semivalues(X, y, X_held, y_held, model=model, kind="banzhaf", budget=trainings, agreement=None)
    here = time.process_time() - before
    before = time.process_time()
    for _ in range(trainings):
        rows = np.flatnonzero(rng.random(n_rows) < 0.5)
        model.fit(X[rows], y[rows]).score(X_held, y_held)
    return 1e3 * here / trainings, 1e3 * (time.process_time() - before) / trainings


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trainings", type=int, default=600)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{'kind':<10}{'within 1.645 errors':>20}{'rank correlation':>18}   after {options.trainings} trainings")
    for kind in ("shapley", "beta", "banzhaf"):
        within, agree = compare(kind, options.seeds, options.trainings)
        print(f"{kind:<10}{within:>20.3f}{agree:>18.3f}", flush=True)
    print(f"\n{'model':<28}{'ms here':>9}{'ms bare':>9}{'ratio':>7}")
    for model in (GaussianNB(), KNeighborsClassifier(5), LogisticRegression(), RandomForestClassifier(50, random_state=0)):
        here, bare = overhead(model)
        print(f"{type(model).__name__:<28}{here:>9.2f}{bare:>9.2f}{here / bare:>7.2f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
