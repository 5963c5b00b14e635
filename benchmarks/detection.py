"""How well findings match known errors, without any label: precision, recall, F1 by set and by kind.

    python benchmarks/detection.py                        all sets with truth
    python benchmarks/detection.py --sets beers nasa --columns
    python benchmarks/detection.py --kinds formats missing
    python benchmarks/detection.py --answers 20           after a person looked at 20 rows that dqops chose, one by one

A cell counts as found when some detector gives it a score of 0.5 or more; it is wrong when the texts of the dirty
and the clean table differ. One procedure for all sets. The folder of the sets is DQOPS_DATASETS, or
``../shared/datasets`` beside the repository.
"""

import argparse
import json
import os
import time
import warnings
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

import dqops.detectors  # noqa: F401 - registers what is built in
from dqops import recalibrate, rows_to_ask
from dqops.contracts import Detector
from dqops.results.findings import Findings
from dqops.seeds import stream
from dqops.tables.io import read

FOUND = 0.5
NEEDS_MORE = {"labels", "drift", "leakage"}  # a model, a reference; leakage names columns, not cells
PAIRS = ("beers", "nasa", "babyproduct", "har", "hospital", "tax", "bike")
VERSIONS = [f"{mechanism}_{share}" for mechanism in ("mcar", "mar", "mnar") for share in (10, 50)]
BARS = {"beers": 0.85, "hospital": 0.80, "nasa": 0.90, "bike": 0.70, "har": 0.75, "tax": 0.70, "babyproduct": 1.0, "bank8fm": 0.95}
RAHA = {"beers": 1.00, "hospital": 0.72, "nasa": 0.94, "tax": 0.83}  # cell F1 after 20 labelled rows
BINS = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])


@dataclass
class Case:
    """A dirty table, where it is wrong, and what was found: score of each cell by kind."""

    name: str
    columns: list
    wrong: np.ndarray
    by_kind: dict
    seconds: float
    table: object = None
    groups: tuple = ()

    @property
    def found(self):
        return np.any([scores >= FOUND for scores in self.by_kind.values()], axis=0) if self.by_kind else np.zeros_like(self.wrong)


def folder():
    """Where the sets are."""
    for one in (os.environ.get("DQOPS_DATASETS"), Path(__file__).parents[2] / "shared" / "datasets"):
        if one and Path(one).exists():
            return Path(one)
    raise SystemExit("no data sets: set DQOPS_DATASETS")


def targets_of(root):
    """The target of each set, by name."""
    return {one["name"]: one["target"] for one in json.loads((root / "index.json").read_text())}


def as_text(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def search(table, kinds=None):
    """Findings of every detector that needs no model, and the seconds of CPU it took, by name."""
    found, spent = [], {}
    for name, detector in Detector.known().items():
        if name in NEEDS_MORE or (kinds and name not in kinds):
            continue
        started = time.process_time()
        found.extend(detector().fit_find(table, None, stream(0, name)))
        spent[name] = time.process_time() - started
    return found, spent


def case(name, dirty, clean, target, kinds=None):
    """One table searched and compared."""
    texts, truth = as_text(dirty), as_text(clean)
    table = read(dirty, target=target)
    started = time.process_time()
    _ = table.meanings
    groups, _ = search(table, kinds)
    seconds = time.process_time() - started
    by_kind = grids(groups, list(texts.columns), texts.shape)
    return Case(name, list(texts.columns), (texts.to_numpy() != truth.to_numpy()), by_kind, seconds, table, tuple(groups))


def grids(groups, columns, shape):
    """Score of each cell by kind."""
    place = {column: number for number, column in enumerate(columns)}
    by_kind = {}
    for group in groups:
        if group.column is None or group.whole:
            continue
        scores = by_kind.setdefault(group.kind, np.zeros(shape))
        cells = (group.positions, place[group.column])
        scores[cells] = np.maximum(scores[cells], group.scores)
    return by_kind


def answered(one, n_rows):
    """Cells found, and rows asked, after a person told of every cell of that many rows whether it is wrong."""
    findings, rows, lines = Findings(one.groups), [], []
    place = {row: number for number, row in enumerate(one.table.row_ids.to_list())}
    for _ in range(n_rows):
        said = pl.DataFrame(lines, schema={"row": one.table.row_ids.dtype, "column": pl.String, "wrong": pl.Boolean}, orient="row")
        asked = rows_to_ask(findings, one.table, said, 1)
        if not len(asked):
            break
        rows.append(place[asked[0]])
        lines += [(asked[0], column, bool(one.wrong[rows[-1], number])) for number, column in enumerate(one.columns)]
    said = pl.DataFrame(lines, schema={"row": one.table.row_ids.dtype, "column": pl.String, "wrong": pl.Boolean}, orient="row")
    by_kind = grids(recalibrate(findings, said, one.table), one.columns, one.wrong.shape)
    return replace(one, by_kind=by_kind).found, rows


def after_answers(all_cases, n_rows):
    """F1 before and after answers, beside Raha's; once more over the rows that were not asked."""
    print(f"\nafter {n_rows} rows that a person looked at, cell by cell")
    before, after = [], []
    for one in all_cases:
        found, rows = answered(one, n_rows)
        rest = np.setdiff1d(np.arange(len(one.wrong)), rows)
        before.append(scored(one.found, one.wrong)[2])
        after.append(scored(found, one.wrong)[2])
        bar = RAHA.get(one.name)
        told = "" if bar is None else f"   Raha {bar:.2f} {'reached' if round(after[-1], 2) >= bar else 'MISSED'}"
        print(f"{one.name:<16} F1 {before[-1]:.4f} -> {after[-1]:.4f}   rows not asked {scored(one.found[rest], one.wrong[rest])[2]:.4f} -> {scored(found[rest], one.wrong[rest])[2]:.4f}   rows {len(rows)}{told}")
    print(f"mean of {len(after)} tables: {np.mean(before):.4f} -> {np.mean(after):.4f}")
    with_bar = [score for one, score in zip(all_cases, after, strict=True) if one.name in RAHA]
    if len(with_bar) == len(RAHA):
        print(f"mean of the four of Raha: {np.mean(with_bar):.3f}, Raha {np.mean([*RAHA.values()]):.3f}")


def scored(found, wrong):
    """Precision, recall, F1 of a mask of cells."""
    hits = int((found & wrong).sum())
    precision = hits / max(int(found.sum()), 1)
    recall = hits / max(int(wrong.sum()), 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)


def cases(root, wanted, kinds):
    """All sets with truth; the versions of bank8fm are cases of their own."""
    targets = targets_of(root)
    for name in PAIRS:
        if not wanted or name in wanted:
            yield case(name, root / name / "dirty.csv.gz", root / name / "clean.csv.gz", targets[name], kinds)
    if not wanted or "bank8fm" in wanted:
        place = root / "bank8fm_missing"
        for version in VERSIONS:
            yield case(f"bank8fm {version}", place / f"dirty_{version}.csv.gz", place / "clean.csv.gz", "binaryClass", kinds)


def describe(one, columns):
    """Lines on one set: all kinds together, then each kind, then each column."""
    precision, recall, f1 = scored(one.found, one.wrong)
    print(f"{one.name:<16} precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}   wrong {one.wrong.sum():>6}  CPU {one.seconds:.2f} s")
    for kind, scores in sorted(one.by_kind.items()):
        mask = scores >= FOUND
        print(f"    {kind:<14} precision {scored(mask, one.wrong)[0]:.3f}  cells {mask.sum():>6}")
    for number, column in enumerate(one.columns if columns else ()):
        mask, wrong = one.found[:, number], one.wrong[:, number]
        if mask.any() or wrong.any():
            parts = " ".join(f"{kind}:{(s[:, number] >= FOUND).sum()}/{((s[:, number] >= FOUND) & wrong).sum()}" for kind, s in sorted(one.by_kind.items()) if s[:, number].any())
            print("      {:<20} P {:.3f} R {:.3f} F1 {:.3f}  wrong {:>6}  found/right {}".format(column, *scored(mask, wrong), wrong.sum(), parts))


def calibration(all_cases):
    """Share of truly wrong cells by score, each detector's scores taken together and apart."""
    kinds = sorted({kind for one in all_cases for kind in one.by_kind})
    print("\ncalibration: score bin -> share truly wrong (cells); each set weighs by its cells")
    for kind in ["all", *kinds]:
        scores, wrong = [], []
        for one in all_cases:
            for each, grid in one.by_kind.items():
                if kind in ("all", each):
                    seen = grid > 0
                    scores.append(grid[seen])
                    wrong.append(one.wrong[seen])
        if not scores:
            continue
        scores, wrong = np.concatenate(scores), np.concatenate(wrong)
        places = np.clip(np.digitize(scores, BINS, right=False) - 1, 0, len(BINS) - 2)
        parts = [f"{BINS[b]:.2f}: {wrong[places == b].mean():.2f} ({(places == b).sum()})" for b in range(len(BINS) - 1) if (places == b).any()]
        gap = sum((places == b).sum() * abs(wrong[places == b].mean() - scores[places == b].mean()) for b in np.unique(places)) / max(len(scores), 1)
        print(f"  {kind:<12} gap {gap:.3f}   " + "  ".join(parts))


def clusters(links):
    """Connected components of pairs of row positions."""
    leader = {}

    def lead(row):
        while leader.setdefault(row, row) != row:
            leader[row] = leader[leader[row]]
            row = leader[row]
        return row

    for one, other in links:
        leader[lead(one)] = lead(other)
    groups = {}
    for row in list(leader):
        groups.setdefault(lead(row), []).append(row)
    return [sorted(group) for group in groups.values()]


def all_pairs(groups):
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


def duplicates(root, name, truth, key):
    """Pair-level scores of the duplicates detector; clusters count with all their pairs."""
    if "duplicates" not in Detector.known():
        return
    table = read(root / name / "records.csv.gz", key=key)
    started = time.process_time()
    groups = Detector.named("duplicates")().fit_find(table, None, stream(0, "duplicates"))
    seconds = time.process_time() - started
    links = [
        (int(row), int(other))
        for group in groups
        if group.related is not None
        for row, other, score in zip(group.positions, group.related, group.scores, strict=True)
        if other >= 0 and score >= FOUND
    ]
    found = all_pairs(clusters(links))
    hits = len(found & truth)
    precision, recall = hits / max(len(found), 1), hits / max(len(truth), 1)
    print(f"{name:<16} pairs: precision {precision:.3f}  recall {recall:.3f}  F1 {2 * precision * recall / max(precision + recall, 1e-12):.3f}   true {len(truth)}  CPU {seconds:.2f} s")


def true_pairs(root):
    """True pairs of row positions in the two sets with duplicates."""
    records, matches = as_text(root / "fodors_zagats" / "records.csv.gz"), as_text(root / "fodors_zagats" / "matches.csv.gz")
    place = {row: number for number, row in enumerate(records["row"])}
    yield "fodors_zagats", all_pairs([[place[a], place[b]] for a, b in zip(matches.row_a, matches.row_b, strict=True)])
    records, truth = as_text(root / "febrl3" / "records.csv.gz"), as_text(root / "febrl3" / "truth.csv.gz")
    place = {row: number for number, row in enumerate(records["row"])}
    yield "febrl3", all_pairs([[place[row] for row in rows] for rows in truth.groupby("entity").row.apply(list)])


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--sets", nargs="*", help="only these")
    asked.add_argument("--kinds", nargs="*", help="only these detectors")
    asked.add_argument("--columns", action="store_true", help="a line a column")
    asked.add_argument("--answers", type=int, metavar="N", help="rows that a person looks at")
    options = asked.parse_args()
    warnings.simplefilter("ignore")
    root = folder()
    done = []
    for one in cases(root, options.sets, options.kinds):
        describe(one, options.columns)
        done.append(one)
    scores = {}
    for one in done:
        scores.setdefault(one.name.split()[0], []).append(scored(one.found, one.wrong)[2])
    print()
    for name, values in scores.items():
        print(f"{name:<16} F1 {np.mean(values):.3f}   bar {BARS[name]:.2f} {'reached' if round(np.mean(values), 3) >= BARS[name] else 'MISSED'}")
    if scores:
        print(f"macro mean F1 {np.mean([np.mean(values) for values in scores.values()]):.3f}")
        calibration(done)
    if options.answers:
        after_answers(done, options.answers)
    if not options.kinds or "duplicates" in options.kinds:
        for name, truth in true_pairs(root):
            if not options.sets or name in options.sets:
                duplicates(root, name, truth, "row")


if __name__ == "__main__":
    main()
