"""How much of what dirt costs an automatic repair wins back, without a person and without any label.

    python benchmarks/won_back.py [--sets nasa bike] [--models linear forest] [--effort quick] [--rows 1500] [--out won_back.jsonl]

A dirty table with known truth is cleaned as a user would (`dqops.clean`, then `CleaningPlan.apply`), with the model that is
judged. Then the truth is looked at, on the same splits of the dirty, the repaired and the true table: *training* trains on
each and judges on true rows (words for missing that the plan empties are empty there, too), *both* trains and judges on rows of the same table. The cost of the dirt is what the true table
scores more than the dirty one; won back is the share of it that the repaired table has. The target is the true one
throughout, since what is repaired are features. Models stand on one vectoriser, as in the reference of what the dirt of
these sets costs: skrub's TableVectorizer with ten components for a text column.
Sets come from the folder in DQOPS_DATASETS, or ``../shared/datasets`` beside the project; nothing was fitted to them.
"""

import argparse
import json
import warnings

import numpy as np
import pandas as pd
import polars as pl
from gains import MOST_ROWS, SETS, as_table, load
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skrub import StringEncoder, TableVectorizer
from threadpoolctl import threadpool_limits

import dqops
from dqops.propagation.intervals import paired_interval
from dqops.tables.meaning import meaning_of

LEAST = -10.0  # a score below it is counted as this: a wild number may send R2 anywhere


def pipelines(name, classify):
    """The reference's pipeline of that name."""
    last = {
        "linear": lambda: LogisticRegression(max_iter=1000) if classify else Ridge(),
        "forest": lambda: (RandomForestClassifier if classify else RandomForestRegressor)(200, random_state=0),
        "boosting": lambda: (HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor)(random_state=0),
        "knn": lambda: (KNeighborsClassifier if classify else KNeighborsRegressor)(5),
    }[name]()
    scaled = [SimpleImputer(), StandardScaler()] if name in ("linear", "knn") else [SimpleImputer()] if name == "forest" else []
    return make_pipeline(TableVectorizer(high_cardinality=StringEncoder(n_components=10, random_state=0)), *scaled, last)


def judge(name, model, effort, most):
    """One line: scores by arm, and what was won back."""
    dirty, clean, target, ignore = load(name)
    known = clean[target].is_not_null()
    dirty, clean = dirty.filter(known), clean.filter(known)
    if dirty.height > most:
        rows = np.sort(np.random.default_rng(0).choice(dirty.height, most, replace=False))
        dirty, clean = dirty[rows], clean[rows]
    before, truth = as_table(dirty, target, ignore), as_table(clean, target, ignore)
    known = np.flatnonzero(truth.target().is_not_null().to_numpy())  # some classes are words for missing
    before, truth = before.take(known), truth.take(known)
    classify = truth.target().dtype == "String" or truth.target().n_unique() <= 10
    pipeline = pipelines(model, classify)
    plan = dqops.clean(before, model=pipeline, effort=effort)
    after = plan.apply(before)
    kept = before.row_ids.is_in(after.row_ids.implode()).to_numpy()
    frames = [table.frame.select(table.features).to_pandas() for table in (before, after, truth)]
    frames[1].index = np.flatnonzero(kept)
    judges = {"training": [frames[2], _without_words(frames[2], plan), frames[2]], "both": frames}
    y = truth.target().to_pandas()
    y = y.astype(str) if classify else y.astype(float)
    splitter = (RepeatedStratifiedKFold if classify else RepeatedKFold)(n_splits=5, n_repeats=2, random_state=7)
    seen = {"training": [], "both": []}
    for train, test in splitter.split(frames[0], y):
        for arm, lines in seen.items():
            judged = test if arm == "training" else np.intersect1d(test, frames[1].index)  # the same rows judge all three
            lines.append([_score(pipeline, one, judge, y, train, judged) for one, judge in zip(frames, judges[arm], strict=True)])
    told = next((one for one in plan.repairs if one["finding"] == "all"), {})
    line = {"set": name, "model": model, "effort": effort, "cells": plan.changes.height, "told": [told.get(one) for one in ("expected", "low", "high")]}
    for arm, lines in seen.items():
        scores = np.array(lines)
        cost, won = (paired_interval((scores[:, place] - scores[:, 0]).tolist(), 0.25) for place in (2, 1))
        line[arm] = {"dirty": scores[:, 0].mean(), "repaired": scores[:, 1].mean(), "clean": scores[:, 2].mean(), "cost": vars_of(cost), "won": vars_of(won)}
    return line


def _without_words(rows, plan):
    """The true rows with the words for missing empty that the plan empties: one model cannot be judged on two spellings."""
    emptied = plan.changes.filter((pl.col("kind") == "missing") & pl.col("after").is_null() & pl.col("before").is_not_null())
    for (column,), part in emptied.group_by("column"):
        rows = rows.assign(**{column: rows[column].mask(rows[column].astype(str).isin(part["before"].unique().to_list()))})
    return rows


def vars_of(estimate):
    return [estimate.expected, estimate.low, estimate.high]


def _score(pipeline, rows, judges, y, train, test):
    """Score of the pipeline trained on rows, which may lack some that a repair dropped, and judged on judges."""
    train, judged = rows.index.intersection(train), judges.index.intersection(test)
    wanted, given = rows.loc[train], judges.loc[judged]
    for column in wanted.columns:
        # Judged rows come in the types that the model was trained on.
        if pd.api.types.is_numeric_dtype(wanted[column]) and not pd.api.types.is_numeric_dtype(given[column]):
            given = given.assign(**{column: _as_numbers(given[column])})
        elif pd.api.types.is_string_dtype(wanted[column]) and not pd.api.types.is_string_dtype(given[column]):
            given = given.assign(**{column: given[column].astype("str").where(given[column].notna())})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return max(pipeline.fit(wanted, y.loc[train]).score(given, y.loc[judged]), LEAST)


def _as_numbers(cells):
    """Text as the numbers that a person reads in it, units and signs aside, as a repair that parses the column does."""
    text = pl.Series(cells.name, cells.astype(object).where(cells.notna(), None).tolist(), dtype=pl.String)
    return meaning_of(cells.name, text, text).values.cast(pl.Float64, strict=False).to_numpy()


def shown(line):
    """Lines for a person."""
    text = f"{line['set']}, {line['model']}: {line['cells']} cells changed, told {line['told'][0] if line['told'][0] is None else round(line['told'][0], 3)}"
    for arm in ("training", "both"):
        one = line[arm]
        share = f"{one['won'][0] / one['cost'][0]:.0%}" if one["cost"][1] > 0 else "no cost"
        text += f"\n  {arm:9} dirty {one['dirty']:.3f} repaired {one['repaired']:.3f} clean {one['clean']:.3f}"
        text += f"  cost {one['cost'][0]:+.3f} [{one['cost'][1]:+.3f}, {one['cost'][2]:+.3f}]  won back {one['won'][0]:+.3f} [{one['won'][1]:+.3f}, {one['won'][2]:+.3f}]  {share}"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--models", nargs="+", default=["linear", "forest", "boosting", "knn"])
    parser.add_argument("--effort", default="quick")
    parser.add_argument("--rows", type=int, default=MOST_ROWS, help="most rows of a set, drawn once")
    parser.add_argument("--out", help="JSON lines are appended to this file")
    given = parser.parse_args()
    with threadpool_limits(limits=1):
        for name in given.sets:
            for model in given.models:
                line = judge(name, model, given.effort, given.rows)
                print(shown(line), flush=True)
                if given.out:
                    with open(given.out, "a") as file:
                        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
