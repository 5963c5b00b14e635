"""Influence against the cheapest way to get at it, against peers, and against models fitted again.

    python benchmarks/influence.py                                       everything but the peers
    python benchmarks/influence.py --only speed --pyinfluence PYTHON --pydvl PYTHON
    python benchmarks/influence.py --only linear trees --seeds 3         rank correlations with fitting again

`speed`: logistic influence of 100 000 rows x 200 columns on one summed target, after the fit, in CPU seconds over one weighted
Gram matrix and its solve; peak memory over the inputs. `tree-speed`: boosted trees, 100 000 rows x 100 trees, over the fit.
`linear` and `trees`: Spearman correlation with leaving rows, or groups of them, out and fitting again. A peer is
the interpreter of an environment that has it; it makes the same rows, times the same floor, and its ratio is to its own floor.
"""

import argparse
import os
import subprocess
import time
import tracemalloc
import warnings

import numba
import numpy as np
from scipy.stats import spearmanr
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

PARTS = ("speed", "tree-speed", "linear", "trees")
ROWS, COLUMNS, HELD = 100_000, 200, 1000
# What a peer runs: the same rows, the same floor, its own influence on the summed target.
MADE = """
import time, warnings
import numpy as np
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X = rng.normal(size=({rows}, {columns})); truth = rng.normal(size={columns}) / 10
y = (X @ truth + rng.logistic(size={rows}) > 0).astype(int)
held = rng.normal(size=({held}, {columns})); seen = (held @ truth + rng.logistic(size={held}) > 0).astype(int)

def cpu(work, times):
    best = np.inf
    for _ in range(times):
        began = time.process_time(); work(); best = min(best, time.process_time() - began)
    return best

def floor():
    p = 1 / (1 + np.exp(-X @ truth))
    return np.linalg.solve((X * (p * (1 - p))[:, None]).T @ X + np.eye({columns}), truth)
"""
PEERS = {
    "pyinfluence": """
from pyinfluence import InfluenceFunctions
from sklearn.linear_model import LogisticRegression
model = LogisticRegression(solver="newton-cholesky", tol=1e-8).fit(X, y)
work = lambda: InfluenceFunctions().fit(model, X, y).explain(held, seen).sum(axis=0)
""",
    "pydvl": """
import torch
from torch.utils.data import DataLoader, TensorDataset
from pydvl.influence.torch import DirectInfluence
from sklearn.linear_model import LogisticRegression
torch.set_num_threads(1)
fitted = LogisticRegression(solver="newton-cholesky", tol=1e-8).fit(X, y)
model = torch.nn.Sequential(torch.nn.Linear({columns}, 1), torch.nn.Flatten(0)).double()
model[0].weight.data[:] = torch.tensor(fitted.coef_); model[0].bias.data[:] = torch.tensor(fitted.intercept_)
rows, labels = torch.tensor(X), torch.tensor(y, dtype=torch.float64)
kept, known = torch.tensor(held), torch.tensor(seen, dtype=torch.float64)
loss = lambda said, given: torch.nn.functional.binary_cross_entropy_with_logits(said, given)
def work():
    found = DirectInfluence(model, loss, regularization=1 / {rows}).fit(DataLoader(TensorDataset(rows, labels), batch_size=10_000))
    factors = found.influence_factors(kept, known).sum(dim=0, keepdim=True)
    return [found.influences_from_factors(factors, rows[a : a + 10_000], labels[a : a + 10_000]) for a in range(0, {rows}, 10_000)]
""",
}


def cpu(work, times=5):
    """CPU seconds, the least of several."""
    best = np.inf
    for _ in range(times):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def speed(options):
    """Logistic influence over one weighted Gram matrix and its solve."""
    from dqops.valuers.influence import influence
    place = {}
    exec(MADE.format(rows=ROWS, columns=COLUMNS, held=HELD), place)
    X, y, held, seen = (place[name] for name in ("X", "y", "held", "seen"))
    models = {"tight": LogisticRegression(solver="newton-cholesky", tol=1e-8), "lbfgs": LogisticRegression()}
    influence(X[:500], y[:500], held, seen)
    floor = cpu(place["floor"])
    print(f"\nlogistic, {ROWS} x {COLUMNS}, {HELD} holdout rows; the floor is {floor:.3f} CPU s")
    exact = None
    for name, model in models.items():
        model.fit(X, y)
        for step in ("newton", "auto", "first_order"):
            taken = cpu(lambda model=model, step=step: influence(X, y, held, seen, model=model, step=step))
            found = influence(X, y, held, seen, model=model, step=step)
            exact = found.value if exact is None else exact
            off = np.abs(found.value - exact).max() / np.abs(exact).max()
            print(f"  {name:6s}{step:12s}{taken / floor:6.2f} x the floor   off by {off:.1e} of the largest value, told {found.error_bound / np.abs(exact).max():.1e}")
    tracemalloc.start()
    influence(X, y, held, seen, model=models["lbfgs"])
    print(f"  peak over the inputs: {tracemalloc.get_traced_memory()[1] / 1e6:.1f} MB")
    tracemalloc.stop()
    for peer, code in PEERS.items():
        if (python := getattr(options, peer)) is not None:
            _peer(peer, python, code)


def _peer(name, python, code):
    measured = 'import resource\nbefore = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\nleast = cpu(floor, 3)\ntaken = cpu(work, 1)\nprint(taken / least, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3)'
    script = (MADE + code).format(rows=ROWS, columns=COLUMNS, held=HELD) + measured
    one_thread = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False, env=one_thread)
    if done.returncode:
        print(f"  {name}: failed, {done.stderr.strip().splitlines()[-1][:200]}")
        return
    ratio, memory = map(float, done.stdout.split())
    print(f"  {name:12s}{ratio:8.1f} x the floor, first order   peak over the inputs {memory:.0f} MB")


def tree_speed(options):
    """Boosted-tree influence over the fit."""
    from dqops.valuers.influence import influence
    rng = np.random.default_rng(0)
    X, held = rng.normal(size=(ROWS, 20)), rng.normal(size=(HELD, 20))
    y, seen = (part[:, 0] * part[:, 1] + part[:, 2] + rng.logistic(size=len(part)) > 0 for part in (X, held))
    model = HistGradientBoostingClassifier(max_iter=100, early_stopping=False)
    influence(X[:500], y[:500], held, seen, model=model)
    fit = cpu(lambda: model.fit(X, y), 3)
    taken = cpu(lambda: influence(X, y, held, seen, model=model), 3)
    print(f"\nboosted trees, {ROWS} rows x 100 trees: {taken / fit:.2f} of the time of the fit ({fit:.2f} CPU s)")


def linear(options):
    """Leave-one-out over 1000 rows of a multinomial model, and of a ridge."""
    from dqops.valuers.influence import influence
    print("\nrank correlation with leaving one out and fitting again; all rows, spread over seeds")
    for seed in range(options.seeds):
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=(10, 5))
        made = rng.normal(size=(2000, 10))
        labels = (made @ truth + rng.gumbel(size=(2000, 5))).argmax(axis=1)
        digits, digit = load_digits(return_X_y=True)
        order = rng.permutation(len(digits))
        digits, digit = StandardScaler().fit_transform(digits)[order], digit[order]
        _leave_one_out("drawn, 5 classes", made, labels, 1000, np.arange(1000), seed, influence)
        _leave_one_out("digits, 10 classes", digits, digit, 1000, rng.permutation(1000)[: options.refits], seed, influence)


def _leave_one_out(name, X, y, n_rows, chosen, seed, influence):
    def fitted(rows, labels):
        return LogisticRegression(solver="newton-cholesky", tol=1e-8).fit(rows, labels)

    train, held = (X[:n_rows], y[:n_rows]), (X[n_rows:], y[n_rows:])
    model = fitted(*train)
    now = _log_loss(model, *held)
    exact = [_log_loss(fitted(np.delete(train[0], row, axis=0), np.delete(train[1], row)), *held) - now for row in chosen]
    told = [f"{step} {spearmanr(influence(*train, *held, model=model, step=step).value[chosen], exact)[0]:.5f}" for step in ("newton", "first_order")]
    print(f"  seed {seed}  {name:20s}{len(chosen):5d} refits   {'   '.join(told)}")


def trees(options):
    """Single rows, random groups of a twentieth, and twentieths along the ranking, in five sets."""
    from dqops.valuers.influence import influence
    cancer, diabetes, wine, digits = (load(return_X_y=True) for load in (load_breast_cancer, load_diabetes, load_wine, load_digits))
    few = {"early_stopping": False, "max_iter": 50}
    cases = [
        ("boosted, breast_cancer", *cancer, HistGradientBoostingClassifier(**few), _log_loss),
        ("boosted, diabetes", *diabetes, HistGradientBoostingRegressor(**few), _squared),
        ("boosted, wine", *wine, HistGradientBoostingClassifier(**few, min_samples_leaf=5), _log_loss),
        ("boosted, digits 3 or 8", *_two(digits, 3, 8), HistGradientBoostingClassifier(**few), _log_loss),
        ("forest, breast_cancer", *cancer, RandomForestClassifier(100, random_state=0), _brier),
        ("extra trees, diabetes", *diabetes, ExtraTreesRegressor(100, min_samples_leaf=5, random_state=0), _squared),
    ]
    print(f"\nrank correlation with fitting again, mean of {options.seeds} seeds: single rows, random groups of 5%, twentieths along the ranking; spread of refits over that of values")
    for name, X, y, model, loss in cases:
        found = np.array([_agreement(X, y, model, loss, np.random.default_rng(seed), options.refits, influence) for seed in range(options.seeds)])
        rows, groups, along, spread = found.mean(axis=0)
        print(f"  {name:26s}{rows:6.2f}{groups:7.2f}{along:7.2f}   {spread:6.1f} x", flush=True)


def _agreement(X, y, model, loss, rng, n_refits, influence):
    order = rng.permutation(len(y))
    train, held = order[: len(y) // 2], order[len(y) // 2 :]
    rows, labels, kept = X[train], y[train], (X[held], y[held])
    model.fit(rows, labels)
    now, values = loss(model, *kept), influence(rows, labels, *kept, model=model).value

    def change(gone):
        return loss(type(model)(**model.get_params()).fit(np.delete(rows, gone, axis=0), np.delete(labels, gone)), *kept) - now

    single = rng.permutation(len(labels))[:n_refits]
    groups = [rng.permutation(len(labels))[: len(labels) // 20] for _ in range(n_refits // 2)]
    along = np.array_split(np.argsort(values), 20)
    exact = [[change(gone) for gone in part] for part in (single[:, None], groups, along)]
    told = [[values[gone].sum() for gone in part] for part in (single[:, None], groups, along)]
    ranks = [spearmanr(one, other)[0] for one, other in zip(told, exact, strict=True)]
    return *ranks, np.std(exact[0]) / np.std(told[0])


def _two(data, one, other):
    kept = np.isin(data[1], (one, other))
    return data[0][kept], (data[1][kept] == other).astype(int)


def _log_loss(model, X, y):
    return -np.mean(np.log(np.clip(model.predict_proba(X)[np.arange(len(y)), y], 1e-15, 1)))


def _brier(model, X, y):
    return np.mean(np.sum((model.predict_proba(X) - np.eye(int(y.max()) + 1)[y]) ** 2, axis=1))


def _squared(model, X, y):
    return np.mean((model.predict(X) - y) ** 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--refits", type=int, default=100, help="rows that are left out and fitted again, where not all are")
    parser.add_argument("--pyinfluence", help="interpreter of an environment with pyinfluence")
    parser.add_argument("--pydvl", help="interpreter of an environment with pyDVL and torch")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    numba.set_num_threads(1)
    with threadpool_limits(1):
        for part in options.only:
            {"speed": speed, "tree-speed": tree_speed, "linear": linear, "trees": trees}[part](options)


if __name__ == "__main__":
    main()
