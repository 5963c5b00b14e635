"""`appraise`: values in the pipeline's own space, by whom, with the ids of the rows."""

import numpy as np
import polars as pl
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder

import dqops
import dqops.valuers
from dqops.contracts import Valuer
from dqops.errors import DataError, OptionError, UnknownColumnError, UnknownNameError
from dqops.models.resolve import resolve_model
from dqops.models.space import looks_at_target, space_of
from dqops.tables.io import read
from dqops.valuers.choice import valuer_for


def mixed(rows=120, seed=0, wrong=(7, 40)):
    """Two measures, a city and holes; labels follow the first measure, but for the wrong ones."""
    rng = np.random.default_rng(seed)
    size, other = rng.normal(size=rows), rng.normal(size=rows)
    size[list(wrong)] = np.where(size[list(wrong)] > 0, 2.0, -2.0)
    kind = np.where(size > 0, "large", "small").astype(object)
    kind[list(wrong)] = np.where(size[list(wrong)] > 0, "small", "large")
    frame = pl.DataFrame({"id": [f"r{one}" for one in range(rows)], "size": size, "other": other, "city": rng.choice(["x", "y"], rows).tolist(), "kind": kind.tolist()})
    return frame.with_columns(pl.when(pl.col("id") == "r3").then(None).otherwise(pl.col("other")).alias("other"))


@pytest.fixture(scope="module")
def by_knn():
    return dqops.appraise(mixed(), target="kind", key="id", model="knn")


def test_wrong_labels_are_worst_and_keep_their_ids(by_knn):
    assert set(by_knn.rows.gather(by_knn.worst(2)).to_list()) == {"r7", "r40"}
    assert (by_knn.value[[7, 40]] < 0).all()
    assert np.isfinite(by_knn.stderr).all()
    frame = by_knn.to_frame()
    assert frame.columns == ["row", "value", "stderr", "recorded", "expected"]
    assert frame.filter(pl.col("row") == "r7").select("recorded", "expected").row(0) != ("large", "large")


@pytest.mark.parametrize(("model", "method"), [("linear", "influence"), ("knn", "knn_shapley")])
def test_auto_takes_what_suits_the_last_step_and_says_why(model, method):
    found = dqops.appraise(mixed(), target="kind", key="id", model=model)
    assert found.method == method
    assert "last step" in found.why
    assert {"r7", "r40"} <= set(found.rows.gather(found.worst(6)).to_list())


def test_same_seed_same_answer(by_knn):
    again = dqops.appraise(mixed().to_pandas(), target="kind", key="id", model="knn")
    assert np.allclose(again.value, by_knn.value)


def test_a_holdout_judges(by_knn):
    held = mixed(seed=1, wrong=())
    found = dqops.appraise(mixed(), target="kind", key="id", model="knn", holdout=held)
    other = dqops.appraise(mixed().to_pandas(), target="kind", key="id", model="knn", holdout=held)
    assert np.allclose(found.value, other.value, atol=1e-6)
    assert "120 rows" in found.judged_by
    assert {"r7", "r40"} == set(found.rows.gather(found.worst(2)).to_list())
    assert not np.allclose(found.value, by_knn.value)


def test_values_are_those_of_the_array_function():
    """A pipeline's own space: its scaler, fitted on the training rows."""
    rng = np.random.default_rng(3)
    X, X_held = rng.normal(size=(60, 2)) * [1, 100], rng.normal(size=(40, 2)) * [1, 100]
    frame, held = (pl.DataFrame({"a": one[:, 0], "b": one[:, 1], "y": (one[:, 0] > 0).astype(int)}) for one in (X, X_held))
    pipeline = make_pipeline(StandardScaler(), KNeighborsClassifier(3))
    found = dqops.appraise(frame, target="y", model=pipeline, holdout=held)
    scaler = StandardScaler().fit(X)
    wanted = dqops.knn_shapley(scaler.transform(X), frame["y"].to_numpy(), scaler.transform(X_held), held["y"].to_numpy(), k=3)
    assert np.allclose(found.value, wanted.value)
    linear = make_pipeline(StandardScaler(), LogisticRegression())
    found = dqops.appraise(frame, target="y", model=linear, holdout=held)
    wanted = dqops.influence(X, frame["y"].to_numpy(), X_held, held["y"].to_numpy(), model=linear)
    assert np.allclose(found.value, wanted.value)


def test_regression(rng):
    size = rng.normal(size=90)
    price = 3 * size + rng.normal(size=90) * 0.1
    price[11] = 30.0
    frame = pl.DataFrame({"size": size, "price": price})
    for model in (Ridge(), "knn"):
        found = dqops.appraise(frame, target="price", model=model)
        assert found.worst(1).tolist() == [11]
        assert found.task == "regression"
        assert "expect" in str(found)


def test_rows_without_a_target_have_no_value():
    frame = mixed().with_columns(pl.when(pl.col("id") == "r5").then(None).otherwise(pl.col("kind")).alias("kind"))
    found = dqops.appraise(frame, target="kind", key="id", model="knn")
    assert len(found) == 120
    assert np.flatnonzero(np.isnan(found.value)).tolist() == [5]
    assert found.to_frame()["expected"][5] is None
    assert any("1 of 120 rows have no target" in one for one in found.notes)


def test_time_goes_forward():
    frame = mixed().with_columns(pl.int_range(120).alias("when"))
    found = dqops.appraise(frame, target="kind", key="id", time="when", model="knn")
    assert np.isnan(found.value[-10:]).all()
    assert np.isfinite(found.value[:20]).all()


def test_columns_of_names_need_no_numbers():
    """The default model takes names as they are; to compare rows they get a column each."""
    found = dqops.appraise(mixed(), target="kind", key="id", method="knn_shapley")
    assert {"r7", "r40"} <= set(found.rows.gather(found.worst(4)).to_list())


def test_transformers_that_look_at_the_target_are_crossed():
    """A column of names that each occur twice gives nothing away, however the target is encoded."""
    rng = np.random.default_rng(0)
    names = np.repeat(np.arange(100), 2).astype(str)
    y = rng.integers(2, size=200)
    frame = pl.DataFrame({"name": names.tolist(), "y": y})
    pipeline = make_pipeline(TargetEncoder(smooth=0.1, random_state=0), KNeighborsClassifier(5))
    model = resolve_model(pipeline, "classification")
    table = read(frame, target="y")
    assert looks_at_target(model, table, 0)
    assert not looks_at_target(resolve_model(make_pipeline(StandardScaler(), LinearRegression()), "regression"), read(frame.with_columns(pl.col("name").cast(int)), target="y"), 0)
    part = np.arange(0, 200, 2)
    space = space_of(model, table.take(part), None, 0, fitted_on=table.take(part + 1))
    found = dqops.appraise(frame, target="y", model=pipeline, method="knn_shapley")
    assert "learn from the target" in found.why
    assert np.isfinite(found.value).all()
    assert space.numbers[0].shape == (100, 1)
    assert abs(np.corrcoef(space.numbers[0][:, 0], space.y)[0, 1]) < 0.5


class _Peeks(TransformerMixin, BaseEstimator):
    """Gives the target itself to rows that it was fitted on."""

    def fit(self, X, y):
        self.known_ = dict(zip(np.asarray(X)[:, 0].tolist(), np.asarray(y).tolist(), strict=True))
        return self

    def transform(self, X):
        return np.array([[self.known_.get(one, 0.5)] for one in np.asarray(X)[:, 0].tolist()])


def test_no_label_has_a_part_in_where_its_own_row_lies():
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({"x": rng.normal(size=150), "y": rng.integers(2, size=150)})
    found = dqops.appraise(frame, target="y", model=make_pipeline(_Peeks(), KNeighborsClassifier(3)), method="knn_shapley")
    own = dqops.knn_shapley(np.full((150, 1), 0.5), frame["y"].to_numpy(), np.full((150, 1), 0.5), frame["y"].to_numpy(), k=3)
    assert np.abs(found.value).max() <= np.abs(own.value).max() + 0.2


@pytest.mark.parametrize(("options", "error", "told"), [
    ({"target": "kid"}, UnknownColumnError, "Did you mean 'kind'"),
    ({"target": "kind", "method": "knn_shaply"}, UnknownNameError, "knn_shapley"),
    ({"target": "size", "method": "noisy_rows"}, OptionError, "regression"),
    ({"target": "kind", "model": "forrest"}, UnknownNameError, "forest"),
    ({"target": "same"}, DataError, "one class"),
    ({"target": "kind", "model": "knn", "method": "influence"}, OptionError, "linear"),
    ({"target": "kind", "model": "knn", "method": "tree_influence"}, OptionError, "trees"),
    ({"target": "kind", "ignore": ["id", "size", "other", "city", "same"]}, DataError, "nothing to predict from"),
    ({}, DataError, "no target"),
    ({"target": "kind", "seed": -1}, OptionError, "seed"),
])  # fmt: skip
def test_what_cannot_be_is_refused(options, error, told):
    with pytest.raises(error, match=told):
        dqops.appraise(mixed().with_columns(same=pl.lit("a")), **options)


def test_an_empty_table_and_an_empty_holdout():
    with pytest.raises(DataError):
        dqops.appraise(mixed()[:0], target="kind")
    with pytest.raises(DataError, match="holdout"):
        dqops.appraise(mixed(), target="kind", holdout=mixed()[:0])


def test_a_holdout_class_that_training_rows_lack():
    held = mixed(seed=1, wrong=()).with_columns(pl.when(pl.col("id") == "r2").then(pl.lit("huge")).otherwise(pl.col("kind")).alias("kind"))
    for model in ("linear", "knn"):
        assert np.isfinite(dqops.appraise(mixed(), target="kind", key="id", model=model, holdout=held).value).all()


def test_what_is_written_reads_back(by_knn, tmp_path):
    by_knn.save(tmp_path / "run")
    assert pl.read_parquet(tmp_path / "run" / "values.parquet").equals(by_knn.to_frame())
    by_knn.write(tmp_path / "values.csv")
    assert pl.read_csv(tmp_path / "values.csv")["value"].to_numpy() == pytest.approx(by_knn.value)
    assert by_knn.to_dict(top=3)["worst"][0]["row"] in ("r7", "r40")


@pytest.mark.parametrize(("model", "method"), [
    (RandomForestRegressor(30), "data_oob"), (HistGradientBoostingClassifier(max_iter=5), "tree_influence"), (GaussianNB(), "data_oob"),
])  # fmt: skip
def test_forests_boosting_and_all_else(model, method):
    found = dqops.appraise(mixed(), target="size" if isinstance(model, RandomForestRegressor) else "kind", key="id", model=model)
    assert found.method == method
    assert np.isfinite(found.value).sum() > 110
    assert type(model).__name__ in found.why


def test_data_oob_is_that_of_the_array_function():
    frame = mixed().select("size", "kind")
    forest = RandomForestClassifier(40, random_state=0)
    found = dqops.appraise(frame, target="kind", model=forest)
    wanted = dqops.data_oob(frame.select("size").to_numpy(), frame["kind"].to_list(), model=forest)
    assert np.allclose(found.value, wanted.value, equal_nan=True)
    assert {7, 40} == set(found.worst(2).tolist())


def test_a_named_valuer_is_taken_as_asked():
    valuer, why = valuer_for("knn_shapley", resolve_model("linear", "classification"))
    assert isinstance(valuer, Valuer)
    assert valuer.name == "knn_shapley"
    assert why == "as asked for"
