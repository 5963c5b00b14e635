"""Whether the share of wrong labels lies in its interval, and whether doubts are as often right as they say.

    python benchmarks/label_rates.py [--repeats 2]

Simulated: 5000 rows of 2, 4 or 10 classes with known noise, from easy to hopeless problems, heard through a perfect
learner of the given labels. Planted: labels of four tables of scikit-learn are flipped, uniformly or from one class only,
and heard through 5-fold cross-validated models. Prints how often the interval of each noise source held the true share,
its mean width, and the mean distance of stated from true probabilities in ten bins.
"""

import argparse
import sys
import warnings
from itertools import product

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import dqops

TABLES = {"iris": load_iris, "wine": load_wine, "breast_cancer": load_breast_cancer, "digits": load_digits}
MODELS = {
    "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
    "forest": RandomForestClassifier(100, min_samples_leaf=3, random_state=0),
}
SOURCES = ("confident", "believed")


def simulated(rng, n_classes, sharpness, rate, one_sided, n_rows=5000):
    """What a perfect learner of given labels says, given labels, and which of them are wrong."""
    noise = np.full((n_classes, n_classes), rate / (n_classes - 1))
    np.fill_diagonal(noise, 1 - rate)
    if one_sided:
        noise[0] = np.eye(n_classes)[0]
    belief = rng.dirichlet(np.full(n_classes, sharpness), n_rows)
    true = drawn(rng, belief)
    given = drawn(rng, noise[true])
    return belief @ noise, given, given != true


def drawn(rng, chances):
    """One class for each line of chances."""
    return (rng.random((len(chances), 1)) > np.cumsum(chances, axis=1)).sum(axis=1).clip(0, chances.shape[1] - 1)


def planted(rng, table, model, rate, one_sided):
    """Out-of-fold probabilities of a model on flipped labels, these labels, and which are wrong."""
    X, true = TABLES[table](return_X_y=True)
    n_classes = true.max() + 1
    wrong = rng.random(len(true)) < rate
    if one_sided:
        wrong &= true == rng.integers(n_classes)
    given = np.where(wrong, (true + rng.integers(1, n_classes, len(true))) % n_classes, true)
    return cross_val_predict(MODELS[model], X, given, method="predict_proba"), given, wrong


def distance(stated, wrong):
    """Mean distance of stated from true probabilities in ten bins."""
    bins = np.minimum((stated * 10).astype(int), 9)
    return np.abs(np.bincount(bins, stated - wrong, minlength=10)).sum() / len(wrong)


def judged(said, given, wrong):
    """(held, width, distance) by source."""
    lines = []
    for source in SOURCES:
        found = dqops.label_doubts(given, said, noise=source)
        lines.append((found.low <= wrong.mean() <= found.high, found.high - found.low, distance(found.wrong, wrong)))
    return lines


def show(name, lines):
    lines = np.array(lines, dtype=float)
    cells = [f"{one[:, 0].sum():>4.0f} of {len(one):<4} {one[:, 1].mean():>6.3f} {one[:, 2].mean():>9.3f}" for one in lines.transpose(1, 0, 2)]
    print(f"{name:<28}" + "   ".join(cells), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{'':<28}" + "   ".join(f"{name + ': held, width, distance':<31}" for name in SOURCES))
    everything = []
    for sharpness in (0.02, 0.1, 0.3, 1.0):
        settings = product(range(options.repeats), (2, 4, 10), (0.0, 0.05, 0.1, 0.2), (False, True))
        lines = [judged(*simulated(np.random.default_rng([seed, place]), n_classes, sharpness, rate, side)) for place, (seed, n_classes, rate, side) in enumerate(settings)]
        show(f"simulated, Dirichlet {sharpness}", lines)
        everything += lines
    show("simulated, all", everything)
    everything = []
    for table, model in product(TABLES, MODELS):
        settings = product(range(options.repeats), (0.0, 0.05, 0.1, 0.2), (False, True))
        lines = [judged(*planted(np.random.default_rng([seed, place]), table, model, rate, side)) for place, (seed, rate, side) in enumerate(settings)]
        show(f"planted, {table}, {model}", lines)
        everything += lines
    show("planted, all", everything)


if __name__ == "__main__":
    sys.exit(main())
