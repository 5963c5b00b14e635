"""How much of what wrong labels cost an automatic repair wins back, without a person, and whether what is told of it comes true.

    python benchmarks/wrong_labels.py [--sets adult digits] [--models linear forest] [--rates 0 0.1 0.25] [--seeds 3] [--known 200] [--out wrong_labels.jsonl]

Labels of a share of the training rows are flipped; `dqops.clean` plans (with --known, a holdout of so many true rows), the plan is applied, and the model judges
true rows that nobody has seen: fitted to the rows with wrong labels, to the repaired ones, and to the true ones. With a rate of 0 nothing
is to be won and nothing may be lost. Sets come from scikit-learn and from the folder in DQOPS_DATASETS, or ``../shared/datasets`` beside
the project; which sets the repair was developed on is told in ``DEVELOPED_ON``.
"""

import argparse
import json
import warnings

import numpy as np
import polars as pl
from detection import folder
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from threadpoolctl import threadpool_limits

import dqops
from dqops.contracts import Corruption
from dqops.seeds import stream

DEVELOPED_ON = ("german_credit", "adult", "electricity")
FILES = {
    "german_credit": ("german_credit/table.csv.gz", "creditability"),
    "adult": ("adult/table.csv.gz", "income-per-year"),
    "electricity": ("electricity/stream.csv.gz", "class"),
    "credit_data": ("credit_data/table.csv.gz", "Status"),
    "bank8fm": ("bank8fm_missing/clean.csv.gz", "binaryClass"),
    "har": ("har/clean.csv.gz", "gt"),
}
OF_SKLEARN = {"breast_cancer": load_breast_cancer, "digits": load_digits, "wine": load_wine}
SETS = (*FILES, *OF_SKLEARN)
TRAINED_ON, MOST_JUDGES = 1000, 2000
MODELS = {"linear": "linear", "knn": "knn", "forest": RandomForestClassifier(100), "boosting": HistGradientBoostingClassifier()}


def load(name):
    """(rows, target) of a set."""
    if name in FILES:
        place, target = FILES[name]
        return dqops.read(folder() / place, target=target).frame.drop_nulls(target), target
    numbers, classes = OF_SKLEARN[name](return_X_y=True)
    frame = pl.DataFrame({f"x{place}": column for place, column in enumerate(np.asarray(numbers).T)})
    return frame.with_columns(y=pl.Series([f"c{one}" for one in classes])), "y"


def judge(name, model, rate, seed, known):
    """One line: scores on true rows, and what was told of all repairs together."""
    frame, target = load(name)
    order = stream(seed, "rows").permutation(frame.height)
    count = min(TRAINED_ON, frame.height * 2 // 3)
    count -= known // 2 if frame.height < TRAINED_ON + known + MOST_JUDGES else 0
    parts = np.split(order[: count + known + MOST_JUDGES], [count, count + known])
    clean, holdout, judges = (dqops.read(frame[np.sort(one)], target=target) for one in parts)
    dirty = Corruption.named("label_flips")().corrupt(clean, rate, stream(seed, "flips")) if rate else clean
    plan = dqops.clean(dirty, model=MODELS[model], effort="quick", seed=seed, detectors=["labels"], holdout=holdout if known else None)
    fitted = dqops.models.resolve_model(MODELS[model], "classification", seed=seed).prepared(clean)
    scores = [fitted.fit(table).score(judges, "accuracy") for table in (dirty, plan.apply(dirty), clean)]
    made = next((one for one in plan.repairs if one["finding"] == "all" and one["applied"]), {})
    action = next((one["action"] for one in plan.repairs if one["finding"].startswith("labels") and one["applied"]), "nothing")
    return {"set": name, "model": model, "rate": rate, "seed": seed, "known": known, "scores": scores, "told": [made.get(one, 0.0) for one in ("expected", "low", "high")], "action": action}


def report(lines):
    """A line a set, model and rate; then what was won of all, and how often what was told held."""
    groups = {}
    for one in lines:
        groups.setdefault((one["set"], one["model"], one["rate"]), []).append(one)
    for (name, model, rate), some in groups.items():
        dirty, repaired, clean = np.mean([one["scores"] for one in some], axis=0)
        told, low, high = np.mean([one["told"] for one in some], axis=0)
        print(f"{name:<14} {model:<9} {rate:4.0%}  dirty {dirty:.3f} repaired {repaired:.3f} true {clean:.3f}   won {repaired - dirty:+.3f} of {clean - dirty:+.3f}   told {told:+.3f} [{low:+.3f}, {high:+.3f}]  made in {sum(one['action'] != 'nothing' for one in some)} of {len(some)}")
    print("\nrate      cost      won   share   made   what was told holds, where a repair was made")
    for rate in sorted({one["rate"] for one in lines}):
        some = [one for one in lines if one["rate"] == rate]
        scores = np.array([one["scores"] for one in some])
        cost, won = (scores[:, place] - scores[:, 0] for place in (2, 1))
        made = [one for one in some if one["action"] != "nothing"]
        inside = [one["told"][1] <= one["scores"][1] - one["scores"][0] <= one["told"][2] for one in made]
        worst = min(won)
        print(f"{rate:4.0%}    {cost.mean():+.4f}  {won.mean():+.4f}  {won.mean() / cost.mean() if rate else np.nan:5.0%}   {len(made)} of {len(some)}   {np.mean(inside) if inside else np.nan:.0%}   worst {worst:+.3f}")


def main():
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    asked.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    asked.add_argument("--rates", nargs="+", type=float, default=[0.0, 0.1, 0.25])
    asked.add_argument("--seeds", type=int, default=3)
    asked.add_argument("--first", type=int, default=0, help="first seed")
    asked.add_argument("--known", type=int, default=0, help="true rows that are given as a holdout")
    asked.add_argument("--out", help="JSON lines are appended to this file")
    given = asked.parse_args()
    warnings.simplefilter("ignore")
    lines = []
    with threadpool_limits(limits=1):
        for seed in range(given.first, given.first + given.seeds):
            for name in given.sets:
                for model in given.models:
                    for rate in given.rates:
                        lines.append(judge(name, model, rate, seed, given.known))
                        if given.out:
                            with open(given.out, "a") as file:
                                file.write(json.dumps(lines[-1]) + "\n")
    report(lines)


if __name__ == "__main__":
    main()
