"""Certify: tables in, what is certain out."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from jsonschema import Draft202012Validator
from sklearn.linear_model import Lasso, LogisticRegression, Ridge, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import dqops
from dqops.errors import DataError, ModelError, OptionError
from dqops.flows.followed import followed
from dqops.models import resolve_model, target_values
from dqops.propagation.worlds import sample_worlds
from dqops.results.candidates import Candidates, Doubts
from dqops.tables.readable import as_read

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "certainty.schema.json").read_text())


def made(rng, n_rows=120, holes=12, classes=2):
    x = rng.normal(size=n_rows)
    frame = pl.DataFrame(
        {
            "x": x,
            "z": x + 0.5 * rng.normal(size=n_rows),
            "town": rng.choice(["Bonn", "Köln", "Ulm"], n_rows).tolist(),
            "y": np.digitize(x, np.quantile(x, np.linspace(0, 1, classes + 1)[1:-1])).tolist(),
        }
    )
    return frame.with_columns(_emptied(frame["z"], rng.choice(n_rows, holes, replace=False)), _emptied(frame["town"], rng.choice(n_rows, holes, replace=False)))


def _emptied(column, places):
    mask = np.zeros(len(column), dtype=bool)
    mask[places] = True
    return column.set(pl.Series(mask), None)


def test_sampled_repairs_keep_what_is_certain(rng):
    frame = made(rng)
    table, asked = as_read(dqops.read(frame[:80], target="y")), dqops.read(frame[80:].drop_nulls(), target="y")
    candidates = Candidates(
        tuple(
            Doubts.of(name, positions, [values] * len(positions))
            for name, values in (("z", [-1.0, 0.0, 1.5]), ("town", ["Bonn", "Ulm"]))
            if len(positions := np.flatnonzero(table.frame[name].is_null().to_numpy()))
        )
    )
    told = dqops.certify(table, target="y", holdout=asked, candidates=candidates)
    model = resolve_model("knn", "classification").prepared(table)
    space, encoded, values, _, _ = followed(model, table, candidates)
    truth, _ = target_values(asked, "classification")
    tests, scores = space.encode(asked), []
    certain = told.predictions["certain"].to_numpy()
    for world in range(40):
        rows = space.encode(sample_worlds(candidates, 40, seed=3).table(table, world))
        predicted = KNeighborsClassifier(5).fit(rows, values).predict(tests)
        assert (predicted == told.predictions["predicted"].to_numpy())[certain].all()
        scores.append((predicted == truth).mean())
    low, expected, high = told.accuracy
    assert low <= min(scores)
    assert max(scores) <= high
    assert abs(np.mean(scores) - expected) <= 4 * np.std(scores) / np.sqrt(40) + 1e-9
    assert 0 < certain.mean() < 1
    assert encoded.rows.shape[0] == 80


def test_rows_that_cannot_matter_do_not(rng):
    frame = made(rng, holes=30)
    told = dqops.certify(frame, target="y", k=3, holdout=made(rng, holes=0))
    idle = told.needs.filter(~pl.col("can_matter"))
    assert (idle["need"] == 0).all()
    assert told.needs["need"].is_sorted(descending=True)
    assert told.needs["row"].n_unique() == told.data["doubtful_rows"]
    assert told.columns["column"].sort().to_list() == ["town", "z"]
    assert told.columns["need"].sum() == pytest.approx(told.needs["need"].sum())
    assert f"{told.needs['can_matter'].sum()} rows can matter" in told.verdict


def test_every_row_of_the_table_is_judged_once(rng):
    told = dqops.certify(made(rng), target="y")
    assert told.predictions["row"].to_list() == list(range(120))
    assert told.kind == "knn"
    assert told.cleaning_needed == (told.share_certain < 1)


def test_a_clean_table_needs_no_cleaning(rng):
    frame = made(rng, holes=0)
    for model in ("knn", "linear"):
        told = dqops.certify(frame, target="y", model=model)
        assert told.share_certain == 1
        assert not told.cleaning_needed
        assert told.accuracy[0] == told.accuracy[2]
        assert told.verdict == "Cleaning is not needed: no cell of the table is doubtful."
        assert told.needs.height == told.columns.height == 0
    assert told.certain_model


@pytest.mark.parametrize("model", [Ridge(), LogisticRegression(), RidgeClassifier(), SVC(kernel="linear")])
def test_linear_models_hold_in_sampled_repairs(rng, model):
    frame = made(rng, n_rows=300, holes=0).drop("town")
    if isinstance(model, Ridge):
        frame = frame.with_columns(y=pl.col("x") + 0.1 * pl.col("z"))
    table, asked = dqops.read(frame[:250], target="y"), dqops.read(frame[250:], target="y")
    # Far from the other class, so that no repair makes a support vector of them.
    far = np.argsort(-np.abs(table.frame["x"].to_numpy()))[:3].tolist()
    candidates = Candidates((Doubts.of("z", far, [[table.frame["z"][row] - 0.05, table.frame["z"][row] + 0.05] for row in far]),))
    pipeline = make_pipeline(StandardScaler(), model)
    told = dqops.certify(table, target="y", model=pipeline, holdout=asked, candidates=candidates)
    space, _, values, _, _ = followed(resolve_model(pipeline, "classification").prepared(table), table, candidates)
    for world in range(8):
        rows = space.encode(sample_worlds(candidates, 8, seed=1).table(table, world))
        predicted = type(model)(**model.get_params()).set_params(**({"tol": 1e-10} if isinstance(model, LogisticRegression) else {})).fit(rows, values).predict(space.encode(asked))
        if isinstance(model, Ridge):
            assert (told.predictions["low"].to_numpy() <= predicted).all()
            assert (predicted <= told.predictions["high"].to_numpy()).all()
            assert told.error[0] <= ((predicted - asked.frame["y"].to_numpy()) ** 2).mean() <= told.error[1]
        else:
            certain = told.predictions["certain"].to_numpy()
            assert (predicted == told.predictions["predicted"].to_numpy())[certain].all()
    if not isinstance(model, Ridge):
        assert told.share_certain > 0.8
    assert told.approximately_certain_model


def test_three_classes_are_judged_against_the_rest(rng):
    frame = made(rng, n_rows=300, holes=2, classes=3)
    told = dqops.certify(frame, target="y", model="linear", ignore=["town"])
    assert len(told.models) == 3
    assert any("each class against the rest" in one for one in told.warnings)
    assert np.isfinite(told.models[0].typical_excess)


def test_the_same_seed_gives_the_same(rng):
    frame = made(rng)
    first, again = (dqops.certify(frame, target="y", seed=4) for _ in range(2))
    assert first.predictions.equals(again.predictions)
    assert first.needs.equals(again.needs)


def test_pandas_and_polars_agree(rng):
    frame = made(rng)
    one, other = dqops.certify(frame, target="y"), dqops.certify(frame.to_pandas(), target="y")
    assert one.predictions.equals(other.predictions)


def test_the_json_has_no_raw_cells_and_parses(rng):
    told = dqops.certify(made(rng), target="y")
    read = json.loads(told.to_json())
    assert read["cleaning_needed"] == told.cleaning_needed
    assert read["accuracy"]["low"] <= read["accuracy"]["expected"] <= read["accuracy"]["high"]
    assert "Bonn" not in told.to_json()
    linear = json.loads(dqops.certify(made(rng), target="y", model="linear").to_json())
    for one in (read, linear):
        Draft202012Validator(SCHEMA).validate(one)
        assert set(one) == set(SCHEMA["properties"])
    assert linear["need_unit"] == "share of the training objective"
    assert "accuracy in every repair" in str(told) or told.accuracy is None


def test_labels_count_as_they_are_recorded(rng):
    frame = made(rng)
    doubts = Candidates((Doubts.of("y", [3], [[0, 1]]), Doubts.of("z", [4], [[0.0, 9.0]]), Doubts.of("z", [999], [[0.0]])))
    told = dqops.certify(frame, target="y", candidates=doubts, ignore=["town"])
    assert told.data["doubtful_cells"] == 1
    assert any("2 doubts are not about features of rows of the table" in one for one in told.warnings)


def test_rows_without_a_label_are_not_trained_on(rng):
    frame = made(rng).with_columns(_emptied(made(rng)["y"], [0, 5, 9]))
    told = dqops.certify(frame, target="y")
    assert told.predictions.height == 117


@pytest.mark.parametrize(
    ("error", "said", "settings"),
    [
        (ModelError, "HistGradientBoostingClassifier cannot be followed", {"model": "boosting"}),
        (ModelError, "weights='uniform'", {"model": make_pipeline(StandardScaler(), KNeighborsClassifier(weights="distance"))}),
        (ModelError, "without class weights", {"model": make_pipeline(StandardScaler(), RidgeClassifier(class_weight="balanced"))}),
        (ModelError, "linear kernel", {"model": SVC()}),
        (ModelError, "leave cells empty", {"model": make_pipeline(StandardScaler(), KNeighborsClassifier()), "ignore": ["town"], "candidates": Candidates()}),
        (OptionError, "k=0", {"k": 0}),
        (OptionError, "a linear model has no neighbours", {"k": 3, "model": "linear"}),
        (OptionError, "excess=0", {"excess": 0, "model": "linear"}),
        (OptionError, "n_candidates=1", {"n_candidates": 1}),
        (OptionError, "candidates='list'", {"candidates": []}),
        (DataError, "row ids|ids of another type", {"candidates": Candidates((Doubts.of("z", [0], [[1.0]], rows=pl.Series(["a"])),))}),
        (LookupError, "no detector is called 'mising'", {"detectors": ["mising"]}),
        (LookupError, "not a column", {"target": "why"}),
    ],
)
def test_what_cannot_be_certified_is_said_in_one_sentence(rng, error, said, settings):
    with pytest.raises(error, match=said):
        dqops.certify(made(rng), **{"target": "y", **settings})


def test_a_quantity_needs_a_linear_model(rng):
    frame = made(rng).with_columns(y=pl.col("x") * 1.5)
    with pytest.raises(DataError, match="is a quantity, and k-NN is counted for classes; need model='linear'"):
        dqops.certify(frame, target="y")
    with pytest.raises(ModelError, match="Lasso cannot be followed"):
        dqops.certify(frame, target="y", model=Lasso())
    told = dqops.certify(frame, target="y", model="linear")
    assert told.accuracy is None
    assert told.error is not None


@pytest.mark.parametrize("frame", [pl.DataFrame({"x": [1.0], "y": [0]}), pl.DataFrame({"x": [1.0, 2.0, None], "y": [0, 0, 0]}), pl.DataFrame({"y": [0, 1]}), pl.DataFrame(schema={"x": pl.Float64, "y": pl.Int64})])
def test_tables_that_are_too_small_give_a_reason(frame):
    with pytest.raises(dqops.DqopsError, match="need"):
        dqops.certify(frame, target="y")


def test_more_neighbours_than_rows_let_all_vote():
    frame = pl.DataFrame({"x": [1.0, 2.0, None, 4.0, 5.0, 6.0, 7.0, 8.0], "y": ["a", "b"] * 4})
    told = dqops.certify(frame, target="y", k=99)
    assert told.share_certain == 1
