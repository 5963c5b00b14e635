"""Whether answers of several people are resolved better than by majority, and how surely, on real crowds.

    python benchmarks/crowd.py

Accuracy of `dqops.resolve_answers` beside the majority of votes (ties and items without a vote fall to the commonest
answer), the mean confidence beside it, and how well workers' skills are found, without the truth and with that of a few items. Intervals are 90%
percentile intervals over items drawn again. No setting was chosen on these sets. The folder of the sets is
DQOPS_DATASETS, or ``../shared/datasets`` beside the repository.
"""

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd

from dqops import resolve_answers

_DRAWS = 2000
KNOWN = (20, 50, 100)


def folder():
    """Where the sets are."""
    for one in (os.environ.get("DQOPS_DATASETS"), Path(__file__).parents[2] / "shared" / "datasets"):
        if one and Path(one).exists():
            return Path(one)
    raise SystemExit("no data sets: set DQOPS_DATASETS")


def crowds(root):
    """Name, answers (worker, item, label) and truth by item of each set."""
    labels = pd.read_csv(root / "crowd_mozafari" / "labels.csv.gz")
    truth = pd.read_csv(root / "crowd_mozafari" / "truth.csv.gz").set_index("item")["truth"]
    yield "crowd_mozafari", labels, truth
    comments = pd.read_csv(root / "youtube_weak_labels" / "comments.csv.gz").reset_index(names="item")
    voters = [name for name in comments.columns if name.startswith("lf")]
    votes = comments[["item", *voters]].melt("item", voters, "worker", "label")
    yield "youtube_weak_labels", votes[votes["label"] >= 0], comments.set_index("item")["label"]


def majority(labels, items):
    """The commonest answer of each item; ties, and items without one, get the commonest answer of all."""
    counts = labels.groupby(["item", "label"]).size().unstack(fill_value=0).reindex(items, fill_value=0)
    usual = labels["label"].mode()[0]
    tied = (counts.eq(counts.max(axis=1), axis=0)).sum(axis=1) > 1
    return counts.idxmax(axis=1).where(~tied, usual)


def interval(values, rng):
    """Mean and its 90% interval over items drawn again."""
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(_DRAWS)]
    return f"{values.mean():+.3f} [{np.quantile(means, 0.05):+.3f}, {np.quantile(means, 0.95):+.3f}]"


def main():
    rng = np.random.default_rng(0)
    for name, labels, truth in crowds(folder()):
        started = time.process_time()
        found = resolve_answers(labels["worker"].tolist(), labels["item"].tolist(), labels["label"].tolist())
        seconds = time.process_time() - started
        votes = majority(labels, truth.index)
        resolved = pd.Series(found.values, index=found.items).reindex(truth.index).fillna(labels["label"].mode()[0])
        right, voted = (resolved == truth).to_numpy(), (votes == truth).to_numpy()
        answered = truth.index.isin(found.items)
        print(f"{name}: {len(labels)} answers by {len(found.workers)} workers about {len(truth)} items ({answered.sum()} answered), CPU {seconds:.2f} s")
        print(f"  resolved {right.mean():.3f}   majority {voted.mean():.3f}   gain {interval(right.astype(float) - voted, rng)}")
        print(f"  answered items alone: resolved {right[answered].mean():.3f}, mean confidence {found.confidence.mean():.3f}; majority {voted[answered].mean():.3f}")
        print(f"  {skills(found, labels, truth)}")
        with_known(labels, truth.reindex(list(found.items)))


def skills(found, labels, truth):
    """How far skills are from the share of right answers."""
    told = labels.assign(right=labels["label"].to_numpy() == truth.reindex(labels["item"]).to_numpy())
    own = told.groupby("worker")["right"].agg(["mean", "size"]).reindex(list(found.workers))
    often = (own["size"] >= 20).to_numpy()
    apart = np.abs(found.skill - own["mean"].to_numpy())[often].mean()
    within = ((found.low <= own["mean"]) & (own["mean"] <= found.high)).to_numpy()[often].mean()
    return f"skill of the {often.sum()} workers with 20 answers or more: off by {apart:.3f} in the mean, in its 90% interval for {within:.0%}"


def with_known(labels, truth):
    """The same on the other items where the truth of some is told, over ten draws of them."""
    lists = [labels[name].tolist() for name in ("worker", "item", "label")]
    for count in KNOWN:
        right, sure = [], []
        for draw in range(10):
            known = truth.sample(count, random_state=draw).to_dict()
            found = resolve_answers(*lists, known=known)
            rest = np.array([item not in known for item in found.items])
            right.append((np.array(found.values)[rest] == truth.to_numpy()[rest]).mean())
            sure.append(found.confidence[rest].mean())
        print(f"  truth of {count} items told: of the others {np.mean(right):.3f} right, mean confidence {np.mean(sure):.3f}; {skills(found, labels, truth)}")


if __name__ == "__main__":
    main()
