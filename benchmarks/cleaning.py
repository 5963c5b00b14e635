"""Which cleaning strategy wins, over real dirty tables with truth and planted errors: area captured, answers to the goal.

    python benchmarks/cleaning.py                             all sets, models and strategies, 10 seeds
    python benchmarks/cleaning.py --sets nasa bike --seeds 4
    python benchmarks/cleaning.py --out results.jsonl --seconds 3600
    python benchmarks/cleaning.py --out results.jsonl --only-tell --plots docs/figures

Two tables come of it: the order of dqops beside other orders, and all of what dqops does (``dqops_repairs``: repairs between answers, which others
are not given) beside them. Cases that the results file holds are not run again; seeds are the outer loop, so that a run that is stopped has as many of each case. The
strategy of dqops was first developed on the sets of ``DEVELOPED_ON``, with other seeds and other numbers of rows. How sure its signs are and what cells cost
was changed after a look at seeds 0, 1 and 20 of all sets: seeds from 2 on are fresh, the sets are not. The folder of the sets is DQOPS_DATASETS, or ``../shared/datasets`` beside the repository.
"""

import argparse
import os
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl
from detection import folder
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

import dqops
from dqops.reports.bench import HEIGHT, WIDTH, colours_of, plot
from dqops.tables.pairs import paired

DEVELOPED_ON = ("nasa", "german_credit, labels", "babyproduct")
OTHERS = ("random", "detector", "uncertainty", "knn_shapley", "influence", "data_oob", "activeclean")
# The order alone, set beside other orders; and all of what dqops does, which repairs between answers what others leave as it is.
OWN = ("dqops", "dqops_repairs")
STRATEGIES = (*OTHERS, *OWN)
PROTOCOL = {"rows": (400, 200, 1000), "budgets": (0.03, 0.07, 0.15, 0.3, 0.5), "renew": 2}
MOST_ROWS = 4000
MANY_CLASSES = 5
SETS = {
    "nasa": ("nasa/dirty.csv.gz", {"clean": "nasa/clean.csv.gz", "target": "sound_pressure_level"}),
    "bike": ("bike/dirty.csv.gz", {"clean": "bike/clean.csv.gz", "target": "cnt", "ignore": ["instant", "dteday", "casual", "registered"]}),
    "beers": ("beers/dirty.csv.gz", {"clean": "beers/clean.csv.gz", "target": "style", "ignore": ["index", "id"]}),
    "hospital": ("hospital/dirty.csv.gz", {"clean": "hospital/clean.csv.gz", "target": "Condition", "ignore": ["MeasureCode", "MeasureName", "StateAverage"]}),
    "babyproduct": ("babyproduct/dirty.csv.gz", {"clean": "babyproduct/clean.csv.gz", "target": "class"}),
    "har": ("har/dirty.csv.gz", {"clean": "har/clean.csv.gz", "target": "gt", "ignore": ["Index"]}),
    "tax": ("tax/dirty.csv.gz", {"clean": "tax/clean.csv.gz", "target": "rate"}),
    "bank8fm, mnar_50": ("bank8fm_missing/dirty_mnar_50.csv.gz", {"clean": "bank8fm_missing/clean.csv.gz", "target": "binaryClass"}),
    "german_credit, labels": ("german_credit/table.csv.gz", {"planted": {"label_flips": 0.25}, "target": "creditability"}),
    "adult, labels": ("adult/table.csv.gz", {"planted": {"label_flips": 0.25}, "target": "income-per-year"}),
    "electricity, labels": ("electricity/stream.csv.gz", {"planted": {"label_confusions": 0.2}, "target": "class"}),
    "electricity, cells": ("electricity/stream.csv.gz", {"planted": {"missing_at_random": 0.2, "outliers": 0.1}, "target": "class"}),
    "adult, cells": ("adult/table.csv.gz", {"planted": {"missing_not_at_random": 0.2, "outliers": 0.1, "swapped_categories": 0.1}, "target": "income-per-year"}),
}


def models_for(task, n_classes=0):
    """Linear, forest and boosting, smaller than usual: they are fitted some ten thousand times.

    Boosting grows a tree a class and round: of many classes it gets fewer and bolder rounds.
    """
    small = {"max_iter": 50, "max_leaf_nodes": 16} if n_classes <= MANY_CLASSES else {"max_iter": 10, "learning_rate": 0.3, "max_leaf_nodes": 16}
    if task == "classification":
        return {"linear": "linear", "forest": RandomForestClassifier(50), "boosting": HistGradientBoostingClassifier(**small)}
    return {"linear": "linear", "forest": RandomForestRegressor(50), "boosting": HistGradientBoostingRegressor(**small)}


def tables_of(root, name):
    """(dirty or clean table, options of the benchmark): at most so many rows, drawn with one seed; of beers the ten commonest styles."""
    place, options = SETS[name]
    options = dict(options)
    table = dqops.read(root / place, target=options["target"])
    clean = paired(table, dqops.read(root / options["clean"], target=options["target"])) if "clean" in options else table
    known = clean.target().is_not_null()
    if name == "beers":
        common = clean.target().value_counts(sort=True).head(10)[options["target"]]
        known &= clean.target().is_in(common.implode())
    rows = np.flatnonzero(known.to_numpy())
    rows = np.sort(np.random.default_rng(0).choice(rows, min(len(rows), MOST_ROWS), replace=False))
    if "clean" in options:
        options["clean"] = clean.take(rows)
    return table.take(rows), options


def run(names, models, strategies, seeds, out, until, tell=print):
    """Run what is missing, seed by seed, until the time is over; how many seeds are whole."""
    root, tables = folder(), {}
    for seed in range(seeds):
        for name in names:
            for model in models:
                if time.time() > until:
                    return
                tables.setdefault(name, tables_of(root, name))
                found = told(name, tables[name], [model], strategies, [seed], out)
                tell(f"seed {seed}  {name}, {model}: {len(found)} cases", flush=True)


def told(name, read, models, strategies, seeds, out, **more):
    """The `Bench` of a set."""
    table, options = read
    truth = options.get("clean", table).with_roles(target=options["target"])
    task = dqops.models.task_of(truth)
    chosen = {one: spec for one, spec in models_for(task, truth.target().n_unique() if task == "classification" else 0).items() if one in models}
    return dqops.bench(table, **options, models=chosen, strategies=strategies, seeds=seeds, name=name, out=out, **PROTOCOL, **more)


def held(out, name, model, strategies):
    """Seeds of which the results file has all strategies of a set and model."""
    by_seed = {}
    if Path(out).exists():
        for one in pl.read_ndjson(out, infer_schema_length=None).select("set", "model", "strategy", "seed").iter_rows(named=True):
            if (one["set"], one["model"]) == (name, model):
                by_seed.setdefault(one["seed"], set()).add(one["strategy"])
    return sorted(seed for seed, there in by_seed.items() if set(strategies) <= there)


def gather(names, models, strategies, out):
    """One `Bench` of all that the results file holds whole."""
    whole, root = None, folder()
    for name in names:
        read = tables_of(root, name)
        for model in models:
            seeds = held(out, name, model, strategies)
            if seeds:
                found = told(name, read, [model], strategies, seeds, out)
                whole = found if whole is None else whole + found
    return whole


def report(found, own_name):
    """The table of pairs, then the bars, of one strategy beside the others."""
    lines, starts = found.summary(), starts_of(found, own_name)
    print(f"\n{own_name} and {', '.join(one for one in lines['strategy'].unique(maintain_order=True).sort() if one != own_name)}")
    print(f"\n{'set':<22} {'model':<9} {'seeds':>5} {'dirty':>6} {'at 0':>6} {'clean':>6} | {'own':>6} {'interval':>14} {'':<4} | {'best other':<12} {'':>6} | {'to gain':>7} {'other':>7} | {'to score':>8} {'other':>7}")
    stands, seeds_of, halves, goals, begun, shares, above = [], [], [], [], [], {}, {}
    for (name, model), part in lines.group_by("set", "model", maintain_order=True):
        own = part.row(by_predicate=pl.col("strategy") == own_name, named=True)
        others = part.filter(pl.col("strategy") != own_name)
        best, near, quick = (others.sort(by, descending=by == "area").row(0, named=True) for by in ("area", "to_gain", "to_score"))
        base = part.row(by_predicate=pl.col("strategy") == "random", named=True)["area"]
        interval = f"[{own['low']:.2f}, {own['high']:.2f}]" if own["captured"] is not None else "one seed" if own["seeds"] == 1 else "nothing to win"
        share, rival = ("" if one["captured"] is None else f"{one['captured']:.2f}" for one in (own, best))
        stands.append("1st" if own["area"] >= best["area"] else "open" if own["seeds"] == 1 else "tied" if own["tied"] else "LOST")
        print(f"{name:<22} {model:<9} {own['seeds']:>5} {own['dirty']:>6.3f} {starts[name, model]:>6.3f} {own['full']:>6.3f} | {share:>6} {interval:>14} {stands[-1]:<4} | {best['strategy']:<12} {rival:>6} | {own['to_gain']:>7.0f} {near['to_gain']:>7.0f} | {own['to_score']:>8.0f} {quick['to_score']:>7.0f}")
        if max(own["to_score"], quick["to_score"]) > 0:
            goals.append(own["to_score"] / max(quick["to_score"], 1e-9))
        seeds_of.append(own["seeds"])
        for one in part.iter_rows(named=True):
            above.setdefault(one["strategy"], []).append(one["area"] - base)
            if own["captured"] is not None:
                shares.setdefault(one["strategy"], []).append(one["captured"])
        if own["captured"] is not None:
            begun.append((starts[name, model] - own["dirty"], own["full"] - own["dirty"]))
            halves.append(own["to_gain"] / max(near["to_gain"], 1e-9))
    judged = [one for one, seeds in zip(stands, seeds_of, strict=True) if seeds > 1]
    print(f"\n{len(stands)} pairs: {own_name} first on {stands.count('1st')}; tied on {stands.count('tied')}, behind on {stands.count('LOST')}, not to be told from one seed on {stands.count('open')}")
    if judged:
        print(f"first or tied on {np.mean([one != 'LOST' for one in judged]):.0%} of {len(judged)} pairs of two seeds or more (bar 80%); ties are easy while seeds are few")
    print("mean score along the curve above that of random order, over the pairs that a strategy serves; share captured where there surely is something to win:")
    for one in sorted(above, key=lambda one: -np.mean(above[one])):
        won = f"{np.mean(shares[one]):.2f} of {len(shares[one])}" if one in shares else ""
        print(f"  {one:<13} {np.mean(above[one]):>+7.3f} of {len(above[one]):<3} pairs   captured {won}")
    for what, ratios in (("full-clean score", goals), ("gain", halves)):
        if ratios:
            print(f"answers to 95% of the {what}, over the fastest other's: median {np.median(ratios):.2f} (bar 0.50), at most one half on {np.mean(np.array(ratios) <= 0.5):.0%} of {len(ratios)} pairs")
    if any(abs(won) > 1e-9 for won, _ in begun):
        won, room = np.array(begun).T
        print(f"before the first answer, where there surely is something to win: {won.mean():+.3f} of score by repairs alone, {won.sum() / room.sum():.0%} of what cleaning everything gains")


def starts_of(found, own_name):
    """Mean score before any answer, with what the strategy repairs by itself, by set and model."""
    begun = found.curves.filter(pl.col("strategy") == own_name, pl.col("answers") == 0).group_by("set", "model").agg(pl.col("score").mean())
    return {(name, model): score for name, model, score in begun.iter_rows()}


def report_order_and_repairs(names, models, strategies, out):
    """Both reports, each over the seeds that the file holds of what it compares; how many were told."""
    told = 0
    for own_name in OWN:
        beside = [one for one in strategies if one not in OWN]
        found = gather(names, models, [*beside, own_name], out) if own_name in strategies and "random" in beside else None
        if found is not None:
            report(found, own_name)
            told += 1
    return told


def draw(found, where):
    """One page of all pairs, and curves of each set as SVG."""
    place = Path(where)
    place.mkdir(parents=True, exist_ok=True)
    found.to_html(place / "cleaning.html")
    colours = colours_of(found.summary()["strategy"].unique(maintain_order=True).to_list())
    style = "<style>text{font:2.4px sans-serif;fill:#666}.full{stroke:#999;stroke-width:.3;stroke-dasharray:1 .8}</style>"
    key = "".join(f'<text x="{8 + 23 * (at % 4)}" y="{HEIGHT + 7 + 3.5 * (at // 4)}" style="fill:{look[0]}">{one}</text>' for at, (one, look) in enumerate(colours.items()))
    for name, model in found.summary().select("set", "model").unique(maintain_order=True).iter_rows():
        head, _, rest = str(plot(found, name, model, colours)).partition(">")
        head = head.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" width="700" ', 1).replace(f"0 0 {WIDTH} {HEIGHT + 4}", f"0 0 {WIDTH} {HEIGHT + 16}")
        (place / f"{name.replace(', ', '-')}-{model}.svg").write_text(f"{head}>{style}{key}{rest}\n", encoding="utf-8")


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--sets", nargs="*", choices=list(SETS), default=list(SETS), metavar="SET", help="only these")
    asked.add_argument("--models", nargs="*", default=["linear", "forest", "boosting"], help="only these")
    asked.add_argument("--strategies", nargs="*", default=list(STRATEGIES), help="only these")
    asked.add_argument("--seeds", type=int, default=10)
    asked.add_argument("--out", default="cleaning.jsonl", help="file of results; what it holds is not run again")
    asked.add_argument("--seconds", type=float, default=np.inf, help="begin no case after so many")
    asked.add_argument("--only-tell", action="store_true", help="run nothing, tell what the file holds")
    asked.add_argument("--plots", help="folder for a page and figures")
    options = asked.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    warnings.simplefilter("ignore")
    if not options.only_tell:
        run(options.sets, options.models, options.strategies, options.seeds, options.out, time.time() + options.seconds)
    if not report_order_and_repairs(options.sets, options.models, options.strategies, options.out):
        print("the file holds no whole case of dqops beside others: the table needs random and a strategy of dqops")
    found = gather(options.sets, options.models, options.strategies, options.out) if options.plots else None
    if found is not None:
        draw(found, options.plots)


if __name__ == "__main__":
    main()
