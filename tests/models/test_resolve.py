"""Which model is meant, and what is said where none is."""

import joblib
import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, MultiTaskLasso, Ridge
from sklearn.naive_bayes import CategoricalNB, ComplementNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from dqops.errors import ModelError, OptionError, UnknownNameError
from dqops.models import resolve_model
from dqops.tables.table import Roles, Table


def table_of(frame, **roles):
    return Table(frame, frame, pl.int_range(frame.height, eager=True), Roles(target="y", **roles))


@pytest.fixture
def mixed(rng):
    n_rows = 80
    y = rng.integers(0, 2, n_rows)
    city = np.where(rng.random(n_rows) < 0.8, np.where(y, "north", "south"), "east")
    size = rng.normal(y, 1.0)
    size[:5] = np.nan
    frame = pl.DataFrame({"size": size, "city": city, "y": np.where(y, "yes", "no")})
    return table_of(frame.with_columns(pl.col("size").fill_nan(None)))


@pytest.mark.parametrize("name", ["auto", "linear", "knn", "forest", "boosting"])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_named_models_take_mixed_tables(mixed, name, task):
    table = mixed if task == "classification" else mixed.with_columns(pl.Series("y", np.arange(80) * 0.1))
    fitted = resolve_model(name, task).prepared(table).fit(table)
    assert fitted.predict(table).shape == (80,)


def test_a_place_in_a_module(tmp_path, monkeypatch, mixed):
    (tmp_path / "my_model_here.py").write_text(
        "from sklearn.tree import DecisionTreeClassifier\n"
        "tree = DecisionTreeClassifier(max_depth=2)\n"
        "def make():\n    return DecisionTreeClassifier(max_depth=3)\n"
        "class Holder:\n    tree = tree\n"
        "def broken():\n    raise ValueError('no such thing')\n"
    )
    monkeypatch.chdir(tmp_path)
    assert resolve_model("my_model_here:tree", "classification").estimator.max_depth == 2
    assert resolve_model("my_model_here:make", "classification").estimator.max_depth == 3
    assert resolve_model("my_model_here:Holder.tree", "classification").estimator.max_depth == 2
    with pytest.raises(UnknownNameError, match="Did you mean 'tree'"):
        resolve_model("my_model_here:tre", "classification")
    with pytest.raises(ModelError, match="no such thing"):
        resolve_model("my_model_here:broken", "classification")


@pytest.mark.parametrize(
    ("spec", "kind", "said"),
    [
        ("forrest", UnknownNameError, "Did you mean 'forest'"),
        ("no_such_module_at_all:x", OptionError, "no 'no_such_module_at_all' here"),
        (KMeans, ModelError, None),
        (StandardScaler(), ModelError, "no predict"),
        (make_pipeline(StandardScaler()), ModelError, "no predict"),
        (VotingClassifier, ModelError, "needs the argument estimators"),
        (42, ModelError, "no fit"),
    ],
)
def test_what_is_no_model_says_so(spec, kind, said):
    if spec is KMeans:
        assert resolve_model(spec, "classification").name.startswith("KMeans")
        return
    with pytest.raises(kind, match=said):
        resolve_model(spec, "classification")


def test_pickles_only_where_allowed(tmp_path, mixed):
    path = tmp_path / "model.pkl"
    joblib.dump(DecisionTreeClassifier(), path)
    with pytest.raises(OptionError, match="allow_pickle"):
        resolve_model(str(path), "classification")
    assert resolve_model(str(path), "classification", allow_pickle=True).prepared(mixed).fit(mixed)


def test_a_bare_estimator_gets_what_it_needs_and_says_so(mixed):
    model = resolve_model(Ridge(), "regression").prepared(mixed)
    assert "text or dates and missing" in model.notes[0]
    assert [name for name, _ in model.estimator.steps] == ["tableencoder", "simpleimputer", "standardscaler", "ridge"]
    tree = resolve_model(DecisionTreeClassifier(), "classification").prepared(mixed)
    assert [name for name, _ in tree.estimator.steps] == ["tableencoder", "decisiontreeclassifier"]


def test_a_bare_estimator_is_left_alone_where_it_can(rng):
    table = table_of(pl.DataFrame({"x": rng.normal(size=30), "y": rng.integers(0, 2, 30)}))
    model = resolve_model(KNeighborsClassifier(), "classification").prepared(table)
    assert isinstance(model.estimator, KNeighborsClassifier)
    assert model.notes == ()


def test_a_pipeline_is_taken_as_it_is(mixed):
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    model = resolve_model(pipeline, "classification").prepared(mixed)
    assert model.estimator is pipeline
    with pytest.raises(ModelError, match="failed in fit: ValueError"):
        model.fit(mixed)


@pytest.mark.parametrize("estimator", [ComplementNB(), CategoricalNB(), SVC()])
def test_special_inputs_are_met(mixed, estimator):
    assert resolve_model(estimator, "classification").prepared(mixed).fit(mixed).predict(mixed).shape == (80,)


@pytest.mark.parametrize(("estimator", "said"), [(MultiTaskLasso(), "several targets at once"), (IsotonicRegression(), "one feature, and the table has 2")])
def test_what_cannot_learn_this_table_says_so_before_any_fit(mixed, estimator, said):
    with pytest.raises(ModelError, match=said):
        resolve_model(estimator, "regression").prepared(mixed)


def test_the_estimator_tells_the_task():
    assert resolve_model(Ridge(), "classification").task == "regression"


def test_what_offers_predict_only_once_fitted_is_a_model(mixed):
    stack = StackingClassifier([("tree", DecisionTreeClassifier()), ("line", LogisticRegression())])
    assert resolve_model(stack, "classification").prepared(mixed).fit(mixed).predict(mixed).shape == (80,)


def test_the_given_estimator_is_never_fitted(mixed):
    tree = DecisionTreeClassifier()
    resolve_model(tree, "classification").prepared(mixed).fit(mixed)
    assert not hasattr(tree, "tree_")


def test_auto_is_a_forest_where_classes_are_many():
    frame = pl.DataFrame({"size": np.arange(300) * 0.1, "y": [f"class {place % 30}" for place in range(300)]})
    ready = resolve_model("auto", "classification", seed=0).prepared(table_of(frame))
    assert isinstance(ready.estimator[-1], RandomForestClassifier)
    assert ready.notes == ("with 30 classes, auto is a forest of 100 trees",)
