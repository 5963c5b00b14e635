"""What doubting the labels costs, against reading their probabilities, and against cleanlab.

    python benchmarks/labels.py [--rows 1000000] [--classes 10] [--runs 7] [--cleanlab PYTHON]

Prints CPU seconds (one thread, least of several runs) and ratios. Two floors, two passes each over the probabilities:
`rows` reduces each row to a number (sum, then maximum), which is the bar's (twice that); `stream` adds all numbers up,
twice, as fast as memory gives them. Peak memory is what the process holds at most beyond its input and the arrays that it returns. With the
interpreter of an environment that has cleanlab, its default and its batched search run on the same numbers.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

import dqops

PEER = """
import json, sys, time, os
import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.experimental.label_issues_batched import find_label_issues_batched
folder, runs = sys.argv[1], int(sys.argv[2])
said, given = np.load(folder + "/said.npy"), np.load(folder + "/given.npy")
def cost(work):
    least = float("inf")
    for _ in range(runs):
        before = os.times()
        work()
        after = os.times()
        least = min(least, sum(after[:4]) - sum(before[:4]))
    return least
print(json.dumps({
    "cleanlab, default": cost(lambda: find_label_issues(given, said, n_jobs=1)),
    "cleanlab, batched": cost(lambda: find_label_issues_batched(labels=given, pred_probs=said, n_jobs=1, verbose=False)),
}))
"""


def make_labels(n_rows, n_classes, seed=0):
    """Sharp probabilities, and labels of which a fifth is drawn anew."""
    rng = np.random.default_rng(seed)
    said = np.exp(3 * rng.normal(size=(n_rows, n_classes)))
    said /= said.sum(axis=1, keepdims=True)
    given = said.argmax(axis=1)
    drawn = rng.random(n_rows) < 0.2
    given[drawn] = rng.integers(0, n_classes, drawn.sum())
    return said, given


def cost(work, runs):
    """Least CPU seconds of several runs."""
    least = np.inf
    for _ in range(runs):
        before = time.process_time()
        work()
        least = min(least, time.process_time() - before)
    return least


def peak_beyond(work):
    """Megabytes that the process holds at most during the work, beyond what it held and what it returns."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")

    def held(name):
        return int(next(line for line in status.read_text().splitlines() if line.startswith(name)).split()[1]) / 1024

    Path("/proc/self/clear_refs").write_text("5")
    before = held("VmRSS")
    found = work()
    returned = sum(one.nbytes for one in vars(found).values() if isinstance(one, np.ndarray) and one is not found.given)
    return held("VmHWM") - before - returned / 2**20


def peer_costs(python, said, given):
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/said.npy", said)
        np.save(f"{folder}/given.npy", given)
        told = subprocess.run([python, "-c", PEER, folder, "2"], capture_output=True, text=True, check=True)
    return json.loads(told.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--cleanlab", help="interpreter of an environment with cleanlab")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    said, given = make_labels(options.rows, options.classes)
    single = said.astype(np.float32)
    for one in (said, single):
        dqops.label_doubts(given[:1000], one[:1000], posterior=True)
    rows = cost(lambda: (said.sum(axis=1), said.max(axis=1)), options.runs)
    stream = cost(lambda: (said.sum(), said.sum()), options.runs)
    work = {
        "label_doubts, float64": lambda: dqops.label_doubts(given, said),
        "label_doubts, float32": lambda: dqops.label_doubts(given, single),
        "label_doubts, posterior": lambda: dqops.label_doubts(given, said, posterior=True),
        "label_doubts, temperature": lambda: dqops.label_doubts(given, said, temperature="fit"),
    }
    peaks = {name: peak_beyond(one) for name, one in work.items()}
    costs = {name: cost(one, options.runs) for name, one in work.items()}
    if options.cleanlab:
        costs |= peer_costs(options.cleanlab, said, given)
    print(f"{options.rows} rows, {options.classes} classes; floors: rows {rows:.4f} s, stream {stream:.4f} s")
    print(f"{'':<28}{'CPU s':>8}{'x rows':>9}{'x stream':>10}{'MB beyond':>11}")
    for name, seconds in costs.items():
        peak = f"{peaks[name]:.1f}" if name in peaks else ""
        print(f"{name:<28}{seconds:>8.3f}{seconds / rows:>9.2f}{seconds / stream:>10.2f}{peak:>11}")


if __name__ == "__main__":
    sys.exit(main())
