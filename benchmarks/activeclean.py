"""Whether ActiveClean's gradient is unbiased, and whether its draws beat uniform ones on convex models.

    python benchmarks/activeclean.py                      all parts
    python benchmarks/activeclean.py --parts gradient     some
    python benchmarks/activeclean.py --seeds 5

gradient   mean and spread of the estimated clean gradient: uniform draws, draws of the strategy, and with a control variate
model      sets with planted errors: by how much the objective on the clean table exceeds its optimum along the answers, as a share of
           what the dirty fit exceeds it by: of ActiveClean's own model (one step a batch), and of a model fitted anew to the table as it
           is known; draws of the strategy, draws of equal shares, and `aligned`. Lower is better. Errors, splits and draws change with
           the seed.
"""

import argparse
import warnings

import numpy as np
import polars as pl
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import dqops
from dqops.models.resolve import resolve_model
from dqops.propagation.convex import clean_gradient
from dqops.propagation.drawn import draw_keys
from dqops.strategies.activeclean import ActiveClean
from dqops.strategies.aligned import Aligned

BATCH, ROUNDS = 20, 8


class Uniform(ActiveClean):
    """The same descent with draws of equal shares."""

    name = "activeclean-uniform"

    def _sizes(self, positions):
        return np.ones(len(positions))

    def _chances(self, open_ones):
        return np.ones(open_ones.height)


def made(n_rows, n_columns, task, rng):
    values = rng.normal(size=(n_rows, n_columns)) * np.exp(rng.normal(size=n_columns) / 2)
    said = (values / values.std(axis=0)) @ rng.normal(size=n_columns)
    return values, said + rng.normal(size=n_rows) if task == "regression" else (said + rng.normal(size=n_rows) > 0).astype(int)


def sets(seed):
    """(name, values, target, task)."""
    rng = np.random.default_rng(seed)
    yield "cancer", *load_breast_cancer(return_X_y=True), "classification"
    yield "wine", *load_wine(return_X_y=True), "classification"
    digits, label = load_digits(return_X_y=True)
    yield "digits 3/8", digits[np.isin(label, (3, 8))][:, digits.std(axis=0) > 1], label[np.isin(label, (3, 8))], "classification"
    yield "diabetes", *load_diabetes(return_X_y=True), "regression"
    yield "made, classes", *made(600, 8, "classification", rng), "classification"
    yield "made, numbers", *made(600, 8, "regression", rng), "regression"


def planted(values, target, task, rng):
    """A table with errors in four tenths of the rows, and the clean one.

    In each of the first columns large values are lost more often than small ones, and a few cells are wild, most of them upwards.
    """
    dirty, spread = values.copy(), values.std(axis=0)
    rows = rng.choice(len(values), 2 * len(values) // 5, replace=False)
    for row in rows:
        columns = rng.permutation(min(5, values.shape[1]))
        if rng.random() < 0.25:
            dirty[row, columns[0]] += rng.choice([10.0, 20.0]) * spread[columns[0]] * (1 if rng.random() < 0.8 else -1)
        else:
            dirty[row, columns[np.argmax((values[row] - values.mean(axis=0))[columns[:3]] / np.maximum(spread[columns[:3]], 1e-12))]] = np.nan
    names = [f"x{place}" for place in range(values.shape[1])]
    y = [f"c{one}" for one in target] if task == "classification" else target
    return (pl.DataFrame(dict(zip(names, one.T, strict=True))).fill_nan(None).with_columns(y=pl.Series(y)) for one in (dirty, values))


def cleaned(frame, clean, rows):
    places = np.array(sorted(rows))
    return frame.with_columns([frame[name].scatter(places, clean[name].gather(places)) for name in frame.columns])


def followed(kind, table, dirty, clean, model, held, seed):
    """Excess of the objective on the clean table along the answers, as a share of its start: of ActiveClean's own model, and refitted."""
    strategy, rng, asked, now, curve = kind(), np.random.default_rng(seed), [], table, []
    truth = None
    for _ in range(ROUNDS + 1):
        ranking = strategy.rank(now, model, held, rng)
        records, usable = strategy.records, strategy.records.usable
        if truth is None:
            whole = dqops.read(clean, target="y")
            truth = records.placed(whole), records.convex.loss.targets(records.values_of(whole)[0])
            best = records.convex.objective(records.convex.fitted(*truth), *truth)
        refitted = records.convex.fitted(records.rows[usable], records.targets[usable])
        own = getattr(strategy, "coefficients", refitted)
        curve.append([records.convex.objective(theta, *truth) - best for theta in (own, refitted)])
        batch = ranking.doubts["row"].head(BATCH).to_list()
        for row in batch:
            strategy.tell(row, None, clean.row(row, named=True))
        asked += batch
        if not batch:
            break
        now = dqops.read(cleaned(dirty, clean, asked), target="y")
    curve += [curve[-1]] * (ROUNDS + 1 - len(curve))
    return np.array(curve) / curve[0][1]


def learners(task):
    if task == "regression":
        return {"ridge": Ridge()}
    return {"logistic": LogisticRegression(max_iter=2000), "hinge": SVC(kernel="linear")}


def model_part(n_seeds):
    """Mean excess along the answers: 0 where the model is at once that of the clean table, 1 where there is no progress."""
    print(f"{'set':>14} {'model':>8} {'draws':>8} {'even':>8} {'better':>14} | fitted anew: {'draws':>8} {'even':>8} {'aligned':>8}")
    wins = []
    for place, (name, _, _, _) in enumerate(sets(0)):
        areas = {}
        for seed in range(n_seeds):
            _, values, target, task = list(sets(1000 + seed))[place]
            rng = np.random.default_rng([seed, place])
            order = rng.permutation(len(values))
            cut = 2 * len(order) // 3
            dirty, clean = planted(values[order[:cut]], np.asarray(target)[order[:cut]], task, rng)
            _, held = planted(values[order[cut:]], np.asarray(target)[order[cut:]], task, rng)
            table, held = dqops.read(dirty, target="y"), dqops.read(held, target="y")
            for learner, estimator in learners(task).items():
                made_model = resolve_model(make_pipeline(SimpleImputer(), StandardScaler(), estimator), task).prepared(table)
                for kind in (ActiveClean, Uniform, Aligned):
                    if kind is Aligned and learner == "hinge":
                        continue
                    curve = followed(kind, table, dirty, clean, made_model, held, seed)
                    areas.setdefault((learner, kind.name), []).append(curve[1:].mean(axis=0))
        for learner in dict.fromkeys(one for one, _ in areas):
            told = {kind: np.array(found) for (own, kind), found in areas.items() if own == learner}
            gain = told["activeclean-uniform"][:, 0] - told["activeclean"][:, 0]
            wins.append(gain.mean())
            last = f"{told['aligned'][:, 1].mean():8.3f}" if "aligned" in told else f"{'-':>8}"
            print(
                f"{name:>14} {learner:>8} {told['activeclean'][:, 0].mean():8.3f} {told['activeclean-uniform'][:, 0].mean():8.3f} {gain.mean():+6.3f} ± {gain.std(ddof=1) / np.sqrt(len(gain)):5.3f} |"
                f"              {told['activeclean'][:, 1].mean():8.3f} {told['activeclean-uniform'][:, 1].mean():8.3f} {last}"
            )
    print(f"draws of the strategy leave less than even draws on {sum(one > 0 for one in wins)} of {len(wins)} pairs, by {np.mean(wins):+.3f} in the mean")


def gradient_part(n_seeds):
    """Mean and spread of the estimated clean gradient over many draws."""
    print(f"{'set':>14} {'bias/SE':>8} {'spread even':>12} {'strategy':>9} {'foreseen':>9}")
    for name, values, target, task in sets(7):
        rng = np.random.default_rng(7)
        dirty, clean = planted(values, np.asarray(target), task, rng)
        table = dqops.read(dirty, target="y")
        strategy = ActiveClean()
        estimator = Ridge() if task == "regression" else LogisticRegression(max_iter=2000)
        model = resolve_model(make_pipeline(SimpleImputer(), StandardScaler(), estimator), task).prepared(table)
        ranking = strategy.rank(table, model, None, rng)
        records, theta, drawn = strategy.records, strategy.coefficients, strategy._drawn
        whole = records.placed(dqops.read(clean, target="y"))
        own = records.convex.gradients(theta, whole[drawn], records.targets[drawn])
        today = records.convex.gradients(theta, records.rows[drawn], records.targets[drawn])
        told = {"even": [], "strategy": [], "foreseen": []}
        for _ in range(400 * n_seeds):
            for way, shares in (("even", np.full(len(drawn), 1 / len(drawn))), ("strategy", strategy._shares), ("foreseen", strategy._shares)):
                first = np.argsort(-draw_keys(shares, rng))[:BATCH]
                extra = {"foreseen": today.sum(axis=0), "foreseen_drawn": today[first]} if way == "foreseen" else {}
                told[way].append(clean_gradient(0.0, own[first], shares[first], **extra)[0])
        error = np.std(told["strategy"], axis=0) / np.sqrt(len(told["strategy"]))
        bias = np.abs(np.mean(told["strategy"], axis=0) - own.sum(axis=0)) / np.maximum(error, 1e-12)
        spread = {way: np.sqrt(np.var(found, axis=0).sum()) / np.linalg.norm(own, axis=1).sum() for way, found in told.items()}
        print(f"{name:>14} {bias.max():8.2f} {spread['even']:12.4f} {spread['strategy']:9.4f} {spread['foreseen']:9.4f}   ({len(ranking)} records to draw from, {BATCH} drawn)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = {"gradient": gradient_part, "model": model_part}
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--seeds", type=int, default=10)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in given.parts:
        parts[name](given.seeds)


if __name__ == "__main__":
    main()
