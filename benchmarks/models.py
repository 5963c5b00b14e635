"""Which models can be audited: every scikit-learn estimator, XGBoost, LightGBM and CatBoost, bare and in a pipeline.

    python benchmarks/models.py                       all of them, on a classification and a regression table
    python benchmarks/models.py --only Ridge SVC      some, by name
    python benchmarks/models.py --no-audit            fit, score and hear out of fold only

Each table has numbers with a wild one and holes, a text column, repeated rows and a few wrong labels. A model works
when the audit ends with a baseline; what cannot says why in one sentence. Those that can only tell two classes apart
are given two, those that learn from one column get one.
"""

import argparse
import inspect
import time
import warnings
from importlib import import_module

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_wine
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, MinMaxScaler, OneHotEncoder, OrdinalEncoder
from sklearn.utils import all_estimators

from dqops.errors import DqopsError
from dqops.flows.audit import audit
from dqops.models import Design, default_scoring, resolve_model
from dqops.tables.io import read

OTHERS = {"classification": ("xgboost.XGBClassifier", "lightgbm.LGBMClassifier", "catboost.CatBoostClassifier")}
OTHERS["regression"] = tuple(name.replace("Classifier", "Regressor") for name in OTHERS["classification"])
ROWS = 120
SECONDS = 1.5  # for the pricing of one model
# Small settings, so that two hundred audits end in minutes; no model is helped by them.
SMALL = {"n_estimators": 10, "max_iter": 200, "n_restarts_optimizer": 0}
SLOW_ITERATIONS = ("HistGradientBoosting", "MLP")
TWO_CLASSES = ("FixedThresholdClassifier", "TunedThresholdClassifierCV")
ONE_COLUMN = ("IsotonicRegression",)
# What a user of these would set, for their defaults cannot learn from these tables.
NEEDED = {
    "CCA": {"n_components": 1},
    "PLSCanonical": {"n_components": 1},
    "QuadraticDiscriminantAnalysis": {"reg_param": 0.1},
    "RadiusNeighborsClassifier": {"radius": 2.0, "outlier_label": "most_frequent"},
    "RadiusNeighborsRegressor": {"radius": 1e9},
    "IsotonicRegression": {"out_of_bounds": "clip"},
    "TheilSenRegressor": {"max_subpopulation": 200},
}


def dirty_table(task, n_classes=3):
    """A small table with a text column, holes, a wild number, repeats and wrong labels."""
    rng = np.random.default_rng(0)
    bunch = load_wine(as_frame=True) if task == "classification" else load_diabetes(as_frame=True, scaled=False)
    frame = bunch.frame.iloc[rng.permutation(len(bunch.frame))[:ROWS], [0, 1, 2, 3, 6, -1]].reset_index(drop=True)
    frame = frame.set_axis(["a", "b", "c", "d", "e", "y"], axis=1)
    if task == "classification":
        frame["y"] = np.array(["red", "rose", "white"])[np.minimum(frame["y"], n_classes - 1)]
        frame.loc[[3, 50, 90], "y"] = ["red", "rose", "red"]
    frame["place"] = np.where(frame["a"] > frame["a"].median(), "north side", "south side")
    frame.loc[[7, 8], "place"] = ["Nroth side", "south  side"]
    frame.loc[rng.choice(ROWS, 12, replace=False), "b"] = np.nan
    frame.loc[11, "c"] = 1e4
    return pd.concat([frame, frame.iloc[:4]], ignore_index=True)


def known_models(task):
    """(name, class) of every estimator of scikit-learn and of the boosting packages that are installed."""
    mixin = ClassifierMixin if task == "classification" else RegressorMixin
    kind = "classifier" if task == "classification" else "regressor"
    found = [(name, kept) for name, kept in all_estimators(kind) if issubclass(kept, mixin)]
    missing = []
    for place in OTHERS[task]:
        module, name = place.split(".")
        try:
            found.append((name, getattr(import_module(module), name)))
        except ImportError:
            missing.append(name)
    return found, missing


def instance(maker, task):
    """The estimator with small settings; meta-estimators are given a simple one to wrap."""
    parameters = inspect.signature(maker).parameters
    inner = LogisticRegression() if task == "classification" else Ridge()
    options = {}
    if "estimators" in parameters:
        options["estimators"] = [("one", inner), ("two", type(inner)())]
    elif "estimator" in parameters and (parameters["estimator"].default is inspect.Parameter.empty or maker.__name__ == "SelfTrainingClassifier"):
        options["estimator"] = inner
    for name, value in SMALL.items():
        if name in parameters and not (name == "max_iter" and not maker.__name__.startswith(SLOW_ITERATIONS)):
            options[name] = 20 if name == "max_iter" and "Hist" in maker.__name__ else value
    if "iterations" in parameters:
        options["iterations"] = 20
    if maker.__name__.startswith("CatBoost"):
        options = {"iterations": 20}
    return maker(**options | NEEDED.get(maker.__name__, {}))


def in_pipeline(estimator):
    """The estimator behind a ColumnTransformer by name, as users write it."""
    name = type(estimator).__name__
    if name in ONE_COLUMN:
        return make_pipeline(ColumnTransformer([("number", SimpleImputer(), ["a"])]), estimator)
    if name == "CategoricalNB":
        bins = make_pipeline(SimpleImputer(), KBinsDiscretizer(4, encode="ordinal", quantile_method="averaged_inverted_cdf"))
        words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=5)
        return make_pipeline(ColumnTransformer([("numbers", bins, list("abcde")), ("words", words, ["place"])]), estimator.set_params(min_categories=6))
    numbers = make_pipeline(SimpleImputer(), MinMaxScaler())
    columns = ColumnTransformer([("numbers", numbers, list("abcde")), ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["place"])])
    return make_pipeline(columns, estimator)


def run(table, estimator, task, audited):
    """The baseline score; raises `DqopsError` where the model cannot be used."""
    if audited:
        return audit(table, model=estimator, effort="quick", max_seconds=SECONDS).baseline.score
    design = Design(task, resolve_model(estimator, task).prepared(table), default_scoring(task))
    design.out_of_fold(table)
    return design.fitted(table).score(table, default_scoring(task))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="*", help="names of estimators")
    parser.add_argument("--no-audit", action="store_true", help="fit, score and hear out of fold only")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for task in ("classification", "regression"):
        table = read(dirty_table(task), target="y")
        two = read(dirty_table(task, n_classes=2), target="y")
        models, missing = known_models(task)
        works = tried = 0
        print(f"\n{task}: {table.n_rows} rows" + (f"; not installed: {', '.join(missing)}" if missing else ""))
        for name, maker in models:
            if options.only and name not in options.only:
                continue
            for form in ("bare", "pipeline"):
                tried += 1
                works += report(two if name in TWO_CLASSES else table, name, maker, form, task, not options.no_audit)
        print(f"{task}: {works} of {tried} work, {time.process_time():.0f} s of CPU so far")


def report(table, name, maker, form, task, audited):
    """Print one line with the CPU seconds; was it a success?"""
    began = time.process_time()
    try:
        estimator = instance(maker, task)
        score = run(table, in_pipeline(estimator) if form == "pipeline" else estimator, task, audited)
    except DqopsError as reason:
        print(f"  no   {name:32s}{form:9s}{time.process_time() - began:6.1f} s  {reason}", flush=True)
        return False
    print(f"  yes  {name:32s}{form:9s}{time.process_time() - began:6.1f} s  score {score:8.3f}", flush=True)
    return True


if __name__ == "__main__":
    main()
