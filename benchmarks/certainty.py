"""What certain predictions cost and whether they are exact; how loose the bounds for linear models are.

    python benchmarks/certainty.py                       all parts
    python benchmarks/certainty.py --parts exact cost    some

exact   probabilities and possible predictions against every world of small tables, and after rows were cleaned
cost    5,000 rows x 10 candidates, 1,000 holdout rows, k = 3: a full pass over the matrix product that it needs, in single
        and in double precision, and one update over a full pass; candidates of four kinds
clean   1,500 rows x 10 candidates, 1,000 holdout rows: a step of CPClean (choose the row of least expected entropy, take in
        its true value) over counting everything anew, and how many rows make all predictions certain
bounds  ridge regression: outer over inner width, by number of doubtful cells; the excess that is proved of linear models
        over the worst one of a hundred repairs

Times are CPU seconds, the least of several runs, and ratios are taken within one run.
"""

import argparse
import time
from itertools import product

import numpy as np
from scipy.special import expit
from scipy.stats import norm

import dqops
from dqops.limits.certain_models import certain_model, ranges_of
from dqops.limits.linear_fits import fit_linear, objective
from dqops.models.knn_worlds import KnnWorlds
from dqops.propagation.bounds import ridge_bounds

SEED = 20_262
KINDS = ("one cell", "near", "few", "anywhere")


def cpu(work, runs=3):
    """Least CPU seconds of some runs, and the last result."""
    least = np.inf
    for _ in range(runs):
        started = time.process_time()
        result = work()
        least = min(least, time.process_time() - started)
    return least, result


def product_of(tests, flat):
    """CPU seconds of the product that distances need."""
    return cpu(lambda: tests @ flat.T, 4)[0]


def enumerated(rows, weights, labels, tests, k, n_classes):
    """Probabilities of each prediction, world by world."""
    told = np.zeros((len(tests), n_classes))
    for world in product(*(range(len(row)) for row in rows)):
        chance = np.prod([weight[one] for weight, one in zip(weights, world, strict=True)])
        table = np.array([row[one] for row, one in zip(rows, world, strict=True)])
        for number, test in enumerate(tests):
            near = np.argsort(((table - test) ** 2).sum(axis=1), kind="stable")[:k]
            told[number, np.bincount(labels[near], minlength=n_classes).argmax()] += chance
    return told


def exact(cases=200):
    """Largest difference to enumeration over random tables with ties, weights, several classes and k beyond the rows."""
    rng, worst, wrong = np.random.default_rng(SEED), 0.0, 0
    for case in range(cases):
        n_rows, n_classes, k = (int(rng.integers(*ends)) for ends in ((1, 7), (1, 5), (1, 12)))
        draw = (lambda *shape: rng.integers(-2, 3, shape).astype(float)) if case % 2 else (lambda *shape: rng.normal(size=shape))
        rows = [draw(rng.integers(1, 4), 2) for _ in range(n_rows)]
        weights = [rng.dirichlet(np.ones(len(row))) for row in rows]
        labels, tests = rng.integers(n_classes, size=n_rows), draw(5, 2)
        start = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        told = KnnWorlds(np.concatenate(rows), start, np.concatenate(weights), labels, tests, k=k, n_classes=n_classes)
        for row in [None, *rng.permutation(n_rows)[:2]]:
            if row is not None:
                value = rows[row][0] if case % 3 else draw(1, 2)[0]
                told.update(int(row), value)
                rows[row], weights[row] = value[None], np.ones(1)
            expected = enumerated(rows, weights, labels, tests, min(k, n_rows), n_classes)
            worst = max(worst, np.abs(told.probabilities - expected).max())
            wrong += int((told.possible != (expected > 1e-12)).sum())
    print(f"exact: {cases} tables and their updates, largest difference of a probability {worst:.1e}, wrong possible predictions {wrong}")


def candidates(kind, rng, n_rows=5000, n_columns=20, most=10, n_tests=1000):
    """Candidates (n, most, d), labels and holdout rows."""
    X, tests = rng.normal(size=(n_rows, n_columns)), rng.normal(size=(n_tests, n_columns))
    points = np.repeat(X[:, None], most, axis=1)
    if kind == "one cell":
        column = rng.integers(n_columns, size=n_rows)
        points[np.arange(n_rows)[:, None], np.arange(most), column[:, None]] = norm.ppf((np.arange(most) + 0.5) / most)
    elif kind == "near":
        points += 0.1 * rng.normal(size=points.shape)
    elif kind == "few":
        bad = rng.random(n_rows) < 0.2
        points[bad] += rng.normal(size=points[bad].shape)
    else:
        points = rng.normal(size=points.shape)
    return points, (X[:, 0] + 0.5 * rng.normal(size=n_rows) > 0).astype(np.int64), tests


def cost():
    """Ratios to the matrix product and to a full pass."""
    dqops.certain_predictions(np.zeros((4, 2, 2)), [0, 1, 0, 1], np.zeros((3, 2)))  # compiles
    print(f"{'candidates':>10} {'columns':>7} {'product32':>9} {'product64':>9} {'pass':>6} {'/32':>5} {'/64':>5} {'update':>9} {'pass/mean':>9} {'pass/median':>11} {'other value':>11} {'certain':>7}")
    for kind in KINDS:
        for n_columns in (10, 20, 50):
            rng = np.random.default_rng(SEED)
            points, labels, tests = candidates(kind, rng, n_columns=n_columns)
            flat = points.reshape(-1, n_columns)
            single, double = (product_of(tests.astype(kept), flat.astype(kept)) for kept in (np.float32, np.float64))
            whole, told = cpu(lambda: dqops.certain_predictions(points, labels, tests, k=3))  # noqa: B023
            state = KnnWorlds(flat, np.arange(0, len(flat) + 1, 10), np.full(len(flat), 0.1), labels, tests, k=3)
            order = rng.permutation(len(points))
            one_of = [cpu(lambda row=row: state.update(int(row), points[row, rng.integers(10)]), 1)[0] for row in order[:150]]  # noqa: B023
            other = [cpu(lambda row=row: state.update(int(row), points[row].mean(axis=0) + 0.02), 1)[0] for row in order[150:250]]  # noqa: B023
            print(
                f"{kind:>10} {n_columns:>7} {single:>9.3f} {double:>9.3f} {whole:>6.3f} {whole / single:>5.1f} {whole / double:>5.1f} {np.mean(one_of):>9.5f} "
                f"{whole / np.mean(one_of):>9.0f} {whole / np.median(one_of):>11.0f} {whole / np.mean(other):>11.0f} {told.certain.mean():>7.1%}"
            )


def clean(n_rows=1500):
    """CPClean to the end, and what a step costs."""
    for kind in ("one cell", "near"):
        rng = np.random.default_rng(SEED)
        points, labels, tests = candidates(kind, rng, n_rows=n_rows)
        flat = points.reshape(-1, points.shape[2])

        def anew(flat=flat, labels=labels, tests=tests):
            state = KnnWorlds(flat, np.arange(0, len(flat) + 1, 10), np.full(len(flat), 0.1), labels, tests, k=3)
            state.expected_entropy()
            return state

        whole, state = cpu(anew, 2)
        left, steps, started = np.ones(n_rows, dtype=bool), 0, time.process_time()
        while not state.certain.all() and left.any():
            expected = np.where(left, state.expected_entropy(), np.inf)
            row = int(np.argmin(expected))
            state.update(row, points[row, rng.integers(10)])
            left[row], steps = False, steps + 1
        spent = time.process_time() - started
        print(f"clean: candidates {kind}: all counts anew {whole:.3f}, a step {spent / steps:.5f}, {whole * steps / spent:.0f} times less; {steps} of {n_rows} rows cleaned until all is certain, in {spent:.1f} s")


def bounds():
    """How loose the bounds for linear models are."""
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(2000, 10))
    y = X @ rng.normal(size=10) + rng.normal(size=2000)
    asked = rng.normal(size=(200, 10))
    for n_cells in (20, 100, 500, 2000):
        radius = np.zeros_like(X)
        radius[rng.choice(2000, n_cells, replace=False), rng.integers(10, size=n_cells)] = 0.5
        spent, told = cpu(lambda: ridge_bounds(X, y, radius, asked), 2)  # noqa: B023
        print(f"bounds: ridge, {n_cells} cells of 20,000: outer {told.looseness:.2f} times inner, mean width {np.mean(told.high - told.low):.4f}, contraction {told.contraction:.3f}, {spent:.3f} s")
    for loss in ("squared", "logistic"):
        side = y if loss == "squared" else np.where(rng.random(2000) < expit(y), 1.0, -1.0)
        for n_cells in (5, 20, 100):
            holed, place = X.copy(), rng.choice(2000, n_cells, replace=False)
            holed[place, rng.integers(10, size=n_cells)] = np.nan
            ranges = ranges_of(holed, X - 0.5, X + 0.5)
            spent, model = cpu(lambda: certain_model(ranges, side, loss=loss), 2)  # noqa: B023
            worst = 0.0
            for _ in range(100):
                table = ranges.middle + ranges.radius * rng.choice([-1.0, 1.0], X.shape)
                best = objective(table, side, *fit_linear(table, side, loss, 1.0, np.ones(10, dtype=bool)), loss, 1.0)
                worst = max(worst, objective(table, side, model.coefficients, model.intercept, loss, 1.0) - best)
            print(f"bounds: {loss} loss, {n_cells} cells: excess at most {model.excess:.2e} of the objective, worst of 100 corners {worst / model.objective:.2e}, typical {model.typical_excess:.2e}, {spent:.3f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = {"exact": exact, "cost": cost, "clean": clean, "bounds": bounds}
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    for name in parser.parse_args().parts:
        parts[name]()


if __name__ == "__main__":
    main()
