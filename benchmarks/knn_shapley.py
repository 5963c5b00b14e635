"""What KNN-Shapley costs, against the cheapest way to do its steps one by one, plain numpy, and pyDVL.

    python benchmarks/knn_shapley.py [--rows 100000] [--holdout 1000] [--columns 50] [--runs 3] [--pydvl PYTHON]

Prints CPU seconds (least of several runs, taken in turns) and ratios. The exact floor: distances of a tile by one product in
single precision, numpy's vectorised sort of (distance bits, row) packed into 64 bits, and the recursion, compiled,
added up by row. Writing the packed numbers is told apart, as is the copy to single precision, which is not counted. The
truncated floor: the product, and `numpy.partition` for the 100 nearest. Floors do less than the function: their order is
that of single precision, and they give no standard errors. Peak memory is what numpy holds at most beyond the inputs.
With the interpreter of an environment that has pyDVL, its KNN-Shapley runs on a few of the holdout rows; its cost, and that of
plain numpy, is for all of them, in proportion.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import tracemalloc

import numpy as np
from numba import njit
from threadpoolctl import threadpool_limits

import dqops

K, TILE, FEW, NEAREST = 5, 64, 8, 100
PEER = """
import json, sys, time
import numpy as np
from pydvl.valuation import Dataset, KNNShapleyValuation
from sklearn.neighbors import KNeighborsClassifier
X, y, held, answers = (np.load(f"{sys.argv[1]}/{name}.npy") for name in ("X", "y", "held", "answers"))
valuation = KNNShapleyValuation(KNeighborsClassifier(5, algorithm="brute"), Dataset(held, answers), progress=False)
before = time.process_time()
valuation.fit(Dataset(X, y))
seconds = time.process_time() - before
print(json.dumps({"seconds": seconds, "values": valuation.result.values.tolist()[:50]}))
"""


@njit(nogil=True)
def recursion(packed, y, answers, k, total):
    """The textbook loop over rows sorted by distance, added up by row."""
    below = np.uint64(0xFFFFFFFF)
    for test in range(len(packed)):
        n = packed.shape[1]
        row = np.int64(packed[test, n - 1] & below)
        far = np.float64(y[row] == answers[test])
        value = far * min(k, n) / (n * k)
        total[row] += value
        for rank in range(n - 1, 0, -1):
            row = np.int64(packed[test, rank - 1] & below)
            near = np.float64(y[row] == answers[test])
            value += (near - far) / max(k, rank)
            far = near
            total[row] += value


class Floor:
    """Buffers and steps of both floors."""

    def __init__(self, X, y, held, answers):
        self.X, self.held = X.astype(np.float32), held.astype(np.float32)
        self.y, self.answers = y, answers
        self.products = np.empty((TILE, len(X)), np.float32)
        self.packed = np.empty((TILE, len(X)), np.uint64)
        self.norms = (self.X**2).sum(axis=1)
        self.rows = np.arange(len(X), dtype=np.uint64)

    def tiles(self):
        for start in range(0, len(self.held), TILE):
            points = self.held[start : start + TILE]
            yield start, points, self.products[: len(points)], self.packed[: len(points)]

    def exact(self):
        """CPU seconds of product, packing, sort and recursion; and the values."""
        spent, total = np.zeros(4), np.zeros(len(self.X))
        for start, points, products, packed in self.tiles():
            marks = [time.process_time()]
            np.matmul(points, self.X.T, out=products)
            marks.append(time.process_time())
            products *= -2
            products += self.norms
            products += (points**2).sum(axis=1)[:, None]
            np.maximum(products, 0, out=products)
            packed[:] = products.view(np.uint32)
            packed <<= np.uint64(32)
            packed |= self.rows
            marks.append(time.process_time())
            packed.sort(axis=1)
            marks.append(time.process_time())
            recursion(packed, self.y, self.answers[start : start + TILE], K, total)
            marks.append(time.process_time())
            spent += np.diff(marks)
        return spent, total / len(self.held)

    def truncated(self):
        """CPU seconds of product and selection."""
        spent = np.zeros(2)
        for _, points, products, _ in self.tiles():
            marks = [time.process_time()]
            np.matmul(points, self.X.T, out=products)
            marks.append(time.process_time())
            np.partition(products, NEAREST, axis=1)
            marks.append(time.process_time())
            spent += np.diff(marks)
        return spent


def cpu(work):
    """CPU and wall seconds of one call."""
    before, began = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - before, time.perf_counter() - began


def peak(work):
    """Megabytes that numpy holds at most during the work."""
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1e6


def plain(X, y, held, answers):
    """What a user would write: distances, argsort, one cumulative sum."""
    n, total = len(X), np.zeros(len(X))
    ranks = np.arange(1, n + 1)
    weights = np.minimum(K, ranks) / (ranks * K)
    norms = (X**2).sum(axis=1)
    for point, answer in zip(held, answers, strict=True):
        order = np.argsort(norms - 2 * (X @ point), kind="stable")
        near = (y[order] == answer).astype(float)
        steps = near * weights
        steps[:-1] -= near[1:] * weights[:-1]
        total[order] += np.cumsum(steps[::-1])[::-1]
    return total / len(held)


def peer(python, *arrays):
    with tempfile.TemporaryDirectory() as folder:
        for name, one in zip(("X", "y", "held", "answers"), arrays, strict=True):
            np.save(f"{folder}/{name}.npy", one)
        told = subprocess.run([python, "-c", PEER, folder], capture_output=True, text=True, check=True)
    return json.loads(told.stdout.splitlines()[-1])


def measure(given, runs):
    """Least CPU seconds of floors and of the function, taken in turns."""
    floor, values = Floor(*given), lambda **more: dqops.knn_shapley(*given, k=K, **more)
    small = [one[:300] for one in given]
    for max_error in (0, 0.05):  # compile
        dqops.knn_shapley(*small, max_error=max_error)
    floor.exact()
    exact, truncated, ours = [], [], {name: [] for name in ("exact", "two", "truncated")}
    for _ in range(runs):
        exact.append(floor.exact()[0])
        ours["exact"].append(cpu(values))
        ours["two"].append(cpu(lambda: values(n_jobs=2)))
        truncated.append(floor.truncated())
        ours["truncated"].append(cpu(lambda: values(max_error=1 / NEAREST)))
    return np.min(exact, axis=0), np.min(truncated, axis=0), {name: np.min(one, axis=0) for name, one in ours.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--holdout", type=int, default=1000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--classes", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--dtype", default="float64", choices=["float32", "float64"])
    parser.add_argument("--pydvl", help="interpreter of an environment with pyDVL")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    X, held = (rng.normal(size=(n, options.columns)).astype(options.dtype) for n in (options.rows, options.holdout))
    given = X, rng.integers(0, options.classes, options.rows), held, rng.integers(0, options.classes, options.holdout)
    with threadpool_limits(1):
        exact, truncated, ours = measure(given, options.runs)
        _, once = Floor(*given).exact()
        few = [*given[:2], given[2][:FEW], given[3][:FEW]]
        others = {"plain numpy": cpu(lambda: plain(*few))[0]}
    if options.pydvl:
        told = peer(options.pydvl, *few)
        others["pyDVL"] = told["seconds"]
    value = dqops.knn_shapley(*given).value
    peaks = {"exact": peak(lambda: dqops.knn_shapley(*given)), "two": peak(lambda: dqops.knn_shapley(*given, n_jobs=2))}
    peaks["truncated"] = peak(lambda: dqops.knn_shapley(*given, max_error=1 / NEAREST))
    strict, packed = exact.sum() - exact[1], exact.sum()
    print(f"{options.rows} rows, {options.holdout} holdout rows, {options.columns} columns, {options.dtype}; CPU seconds")
    print("floor, exact:     product {:.3f}  packing {:.3f}  sort {:.3f}  recursion {:.3f}".format(*exact))
    print("floor, truncated: product {:.3f}  selection {:.3f}".format(*truncated))
    print(f"exact      {ours['exact'][0]:.3f}   x floor {ours['exact'][0] / packed:.2f}, without packing {ours['exact'][0] / strict:.2f}   peak {peaks['exact']:.0f} MB")
    wall = ours["two"][1] / strict
    print(f"  two threads: CPU {ours['two'][0]:.3f}   wall x floor without packing {wall:.2f} (on an idle machine)   peak {peaks['two']:.0f} MB")
    cut = ours["truncated"][0]
    print(f"truncated  {cut:.3f}   x floor {cut / truncated.sum():.2f}, x product {cut / truncated[0]:.2f}   peak {peaks['truncated']:.0f} MB")
    for name, seconds in others.items():
        whole = seconds * options.holdout / FEW
        print(f"{name:<11}{whole:.1f}   x floor without packing {whole / strict:.1f}, x exact {whole / ours['exact'][0]:.1f}, x truncated {whole / cut:.0f}")
    print(f"largest difference of the floor's values from ours (their order is in single precision): {np.abs(once - value).max():.1e}")


if __name__ == "__main__":
    sys.exit(main())
