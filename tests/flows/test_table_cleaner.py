"""A plan's repairs of features in a pipeline: at serving as in training."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from skrub import TableVectorizer

import dqops
from dqops import TableCleaner
from dqops.errors import DataError, OptionError, SourceError

RNG = np.random.default_rng(0)


def frame(rows=200, kind="pandas"):
    rng = np.random.default_rng(1)
    size = rng.normal(50, 5, rows).round(1)
    cells = pl.DataFrame(
        {
            "size": [f"{one:.1f} kg" if place % 9 == 0 else f"{one:.1f}" for place, one in enumerate(size)],
            "city": ["lonndon" if place == 5 else one for place, one in enumerate(rng.choice(["london", "paris", "berlin"], rows))],
            "noise": rng.normal(size=rows),
            "y": (size + rng.normal(0, 3, rows) > 50).astype(int),
        }
    )
    return cells if kind == "polars" else cells.to_pandas()


def features(cells):
    return cells.drop("y") if isinstance(cells, pl.DataFrame) else cells.drop(columns="y")


@pytest.fixture(scope="module")
def plan():
    return dqops.clean(frame(), target="y", model=None)


@parametrize_with_checks([TableCleaner()])
def test_it_is_an_estimator(estimator, check):
    check(estimator)


def test_training_rows_come_out_as_the_plan_leaves_them(plan):
    cleaned = plan.apply(frame()).given
    served = TableCleaner(plan).fit(features(frame())).transform(features(frame()))
    pd.testing.assert_frame_equal(served, features(cleaned))


def test_rows_at_serving_are_repaired_alike(plan):
    cleaner = TableCleaner(plan).fit(features(frame()))
    served = cleaner.transform(pd.DataFrame({"size": ["7 kg", "52.0", "?"], "city": ["lonndon", "paris", "oslo"], "noise": [0.5, np.nan, 1.0]}, index=list("abc")))
    assert served.index.tolist() == list("abc")
    assert served["size"].tolist()[:2] == [7.0, 52.0]
    assert np.isnan(served["size"]["c"])
    assert served["city"].tolist() == ["london", "paris", "oslo"]
    assert served["size"].dtype == float


def test_one_row_is_repaired_as_many_are(plan):
    cleaner, X = TableCleaner(plan).fit(features(frame())), features(frame())
    whole = cleaner.transform(X)
    for row in (0, 5, 9, 20):
        pd.testing.assert_frame_equal(cleaner.transform(X.iloc[[row]]), whole.iloc[[row]])


def test_polars_stays_polars_and_pandas_pandas(plan):
    polars = TableCleaner(plan).fit_transform(features(frame(kind="polars")))
    assert isinstance(polars, pl.DataFrame)
    assert polars.schema == {"size": pl.Float64, "city": pl.String, "noise": pl.Float64}
    pandas = TableCleaner(plan).fit_transform(features(frame()))
    assert pandas["size"].tolist() == polars["size"].to_list()


def test_untouched_columns_keep_their_dtypes():
    X = features(frame()).assign(level=pd.Categorical(["u", "v"] * 100), count=pd.array([1, None] * 100, dtype="Int64"), small=np.arange(200, dtype=np.int8))
    served = TableCleaner().fit_transform(X)
    assert [str(served.dtypes[name]) for name in ("level", "count", "small")] == ["category", "Int64", "int8"]


def test_arrays_give_arrays():
    X = RNG.normal(size=(50, 3))
    assert np.array_equal(TableCleaner().fit_transform(X), X)
    mixed = np.array([["london", "1.5"]] * 30 + [["paris", "2.5"]] * 30 + [["lonndon", "3 kg"]], dtype=object)
    served = TableCleaner().fit_transform(mixed)
    assert served[-1].tolist() == ["london", 3.0]


def test_it_stands_in_a_pipeline_and_is_scored(plan):
    X, y = features(frame()), frame()["y"]
    bare = make_pipeline(TableVectorizer(), HistGradientBoostingClassifier(max_iter=20, random_state=0))
    cleaned = make_pipeline(TableCleaner(plan), TableVectorizer(), HistGradientBoostingClassifier(max_iter=20, random_state=0))
    scores = [cross_val_score(model, X, y, cv=3, error_score="raise").mean() for model in (bare, cleaned)]
    assert scores[1] > scores[0]
    assert cleaned.fit(X, y).predict(X.iloc[:3]).shape == (3,)
    assert list(cleaned[0].get_feature_names_out()) == ["size", "city", "noise"]


def test_it_is_cloned_and_pickled(plan):
    cleaner, X = TableCleaner(plan, seed=3), features(frame())
    assert clone(cleaner).get_params()["seed"] == 3
    fitted = clone(cleaner).fit(X)
    again = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_frame_equal(again.transform(X), fitted.transform(X))
    assert "TableCleaner(plan=<CleaningPlan" in repr(cleaner)


def test_a_saved_plan_will_do(plan, tmp_path):
    plan.save(tmp_path / "plan")
    X = features(frame())
    pd.testing.assert_frame_equal(TableCleaner(tmp_path / "plan").fit_transform(X), TableCleaner(plan).fit_transform(X))


def test_fitting_sees_training_rows_alone(plan):
    X = features(frame())
    cleaner = TableCleaner(plan).fit(X.iloc[:100])
    far = X.iloc[100:].assign(city="rome")
    before = cleaner.transform(X.iloc[:100])
    cleaner.transform(far)
    pd.testing.assert_frame_equal(cleaner.transform(X.iloc[:100]), before)


def test_the_target_and_rows_are_left_alone():
    plan = dqops.clean(pd.concat([frame(), frame().iloc[:1]], ignore_index=True), target="y", model=None)
    assert len(plan.dropped) == 1
    X = pd.concat([features(frame()), features(frame()).iloc[:1]], ignore_index=True)
    assert len(TableCleaner(plan).fit_transform(X)) == len(X)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda plan: TableCleaner(plan).fit(pd.DataFrame({"other": [1, 2]})), DataError, "none of the columns"),
        (lambda plan: TableCleaner("nowhere").fit(features(frame())), SourceError, "nowhere"),
        (lambda plan: TableCleaner(min_confidence=2).fit(features(frame())), OptionError, "min_confidence"),
        (lambda plan: TableCleaner(plan).fit(features(frame())).transform(features(frame())[["size"]]), ValueError, "feature names"),
        (lambda plan: TableCleaner(plan).fit(features(frame()).iloc[:0]), DataError, "0 sample"),
        (lambda plan: TableCleaner(plan).transform(features(frame())), NotFittedError, "not fitted"),
    ],
)
def test_what_cannot_be_is_told(plan, make, error, said):
    with pytest.raises(error, match=said):
        make(plan)


def test_a_plan_of_a_real_set_serves_rows_it_has_not_seen(shared):
    dirty = pd.read_csv(shared("nasa/dirty.csv.gz"))
    plan = dqops.clean(dirty, target="sound_pressure_level", model=None)
    X = dirty.drop(columns="sound_pressure_level")
    cleaner = TableCleaner(plan).fit(X.iloc[:1000])
    served = cleaner.transform(X.iloc[1000:])
    assert served.index.equals(X.index[1000:])
    assert (served.dtypes == cleaner.transform(X.iloc[:1000]).dtypes).all()


@pytest.mark.parametrize("kind", ["pandas", "polars", "array"])
def test_columns_tell_which_cells_were_empty(kind):
    rng = np.random.default_rng(0)
    size = rng.normal(size=100)
    size[::10] = np.nan
    level = np.where(np.arange(100) % 2, 1.0, 2.0)
    X = {"pandas": pd.DataFrame({"a": size, "b": level}), "polars": pl.DataFrame({"a": size, "b": level}), "array": np.column_stack([size, level])}[kind]
    cleaner = TableCleaner(indicators=True).fit(X)
    served = cleaner.transform(X)
    names = ["x0", "x1"] if kind == "array" else ["a", "b"]
    assert list(cleaner.get_feature_names_out()) == [*names, f"missing_{names[0]}"]
    marks = served[:, 2] if kind == "array" else np.asarray(served["missing_a"])
    assert marks.tolist() == np.isnan(size).astype(float).tolist()
