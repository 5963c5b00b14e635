"""How often an automatic repair writes the true value, without any label and without a model: F1 by set.

    python benchmarks/repair.py                      all sets with truth
    python benchmarks/repair.py --sets nasa --columns
    python benchmarks/repair.py --model forest       repairs chosen by measured gain, and what is sure

Of the cells that a plan changes, precision is the share that then holds the true value; recall is the share of the
wrong cells that do. Numbers are compared as numbers, everything else as text; an empty cell is a value like any other.
Rows that a plan drops count as neither. One procedure for all sets, and none of its numbers was chosen by the sets
named under ``held out``. The folder of the sets is DQOPS_DATASETS, or ``../shared/datasets`` beside the repository.
"""

import argparse
import time
import warnings

import numpy as np
from detection import PAIRS, VERSIONS, as_text, folder, targets_of

import dqops

BARS = {"nasa": 0.80, "hospital": 0.85, "beers": 0.70, "tax": 0.50}


def same(texts, truth):
    """bool (m,): equal as text, or as numbers."""
    numbers = [np.array([number(one) for one in side]) for side in (texts, truth)]
    return (np.asarray(texts, dtype=object) == np.asarray(truth, dtype=object)) | np.isclose(*numbers, rtol=1e-9, atol=0.0)


def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return np.nan


def case(dirty, clean, target, model, seed=0):
    """By column: cells changed, of them right now, wrong cells; and seconds of CPU."""
    recorded, truth = as_text(dirty), as_text(clean)
    started = time.process_time()
    plan = dqops.clean(dirty, target=target, model=model, effort="quick", seed=seed)
    seconds = time.process_time() - started
    counts = {name: np.array([0, 0, (recorded[name] != truth[name]).sum()]) for name in recorded.columns}
    for (name,), part in plan.changes.group_by("column", maintain_order=True):
        rows = part["position"].to_numpy()
        right = same(part["after"].fill_null("").to_list(), truth[name].to_numpy()[rows])
        wrong = recorded[name].to_numpy()[rows] != truth[name].to_numpy()[rows]
        counts[name][:2] = len(rows), (right & wrong).sum()
    return counts, plan, seconds


def scored(changed, right, wrong):
    """Precision, recall, F1."""
    precision, recall = right / max(changed, 1), right / max(wrong, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)


def cases(root, wanted):
    targets = targets_of(root)
    for name in PAIRS:
        if not wanted or name in wanted:
            yield name, root / name / "dirty.csv.gz", root / name / "clean.csv.gz", targets[name]
    if not wanted or "bank8fm" in wanted:
        place = root / "bank8fm_missing"
        for version in VERSIONS:
            yield f"bank8fm {version}", place / f"dirty_{version}.csv.gz", place / "clean.csv.gz", "binaryClass"


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--sets", nargs="*", help="only these")
    asked.add_argument("--model", help="choose repairs by their gain for this model")
    asked.add_argument("--columns", action="store_true", help="a line a column")
    options = asked.parse_args()
    warnings.simplefilter("ignore")
    for name, dirty, clean, target in cases(folder(), options.sets):
        counts, plan, seconds = case(dirty, clean, target, options.model)
        total = sum(counts.values())
        precision, recall, f1 = scored(*total)
        bar = f"   bar {BARS[name]:.2f} {'reached' if f1 >= BARS[name] else 'MISSED'}" if name in BARS else ""
        print(f"{name:<16} precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}   changed {total[0]:>6}  right {total[1]:>6}  wrong {total[2]:>6}  dropped {plan.dropped.height:>4}  CPU {seconds:.1f} s{bar}", flush=True)
        for column, counted in counts.items() if options.columns else ():
            if counted.any():
                print("      {:<20} P {:.3f} R {:.3f} F1 {:.3f}".format(column, *scored(*counted)), f"  changed {counted[0]:>6}  right {counted[1]:>6}  wrong {counted[2]:>6}")


if __name__ == "__main__":
    main()
