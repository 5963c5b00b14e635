"""Doubts of whole rows and of labels, and what automatic repairs settle before a person is asked."""

import numpy as np
import polars as pl
import pytest

import dqops
from dqops.errors import DataError
from dqops.flows.joined import not_repaired
from dqops.flows.review import review as run
from dqops.flows.reviewing import Review
from dqops.flows.suggestions import told_of_doubts
from dqops.results.plan import CleaningPlan
from dqops.results.ranking import COLUMNS
from dqops.tables.planned import described
from dqops.tables.review_folder import ReviewFolder

ROWS = 90
LABELS = ["cat", "dog", "owl"]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    return dqops.read(pl.DataFrame({"size": rng.normal(size=ROWS).round(2), "y": rng.choice(LABELS, ROWS)}), target="y")


def doubts_of(*cells):
    """A ranking's lines of (row, column, kind), best first."""
    lines = {name: [] for name in COLUMNS}
    for rank, (row, column, kind) in enumerate(cells, start=1):
        for name, value in zip(COLUMNS, (rank, row, column, kind, 1 / rank, 0.0, 2 / rank, 1.0, "odd"), strict=True):
            lines[name].append(value)
    return pl.DataFrame(lines, schema={name: kind or pl.Int64 for name, kind in COLUMNS.items()})


@pytest.fixture
def one(table, tmp_path):
    cells = [(row, "y", "labels") for row in range(60)] + [(70, None, "duplicates"), (71, None, "duplicates")]
    doubts = told_of_doubts(doubts_of(*cells), dqops.Findings(), table)
    ranking = {"budget": None, "data": described(table), "scoring": "accuracy", "strategy": "dqops", "risk": "mean", "shared": 1.0, "level": 0.9, "setup": {}, "left_out": 0, "warnings": []}
    settings = {"target": "y", "ignore": [], "model": "linear", "skill": 0.9, "certain": 0.8}
    return Review(table, ReviewFolder(tmp_path / "state", described(table), settings, ranking, doubts).save())


def test_a_whole_row_is_kept_or_dropped(one, table, tmp_path):
    path, count = one.write_batch(tmp_path / "batch.csv", 62)
    assert count == 62
    sheet = pl.read_csv(path, infer_schema=False)
    answers = ["[right]"] * 60 + ["[drop]", "[keep]"]
    sheet.with_columns(pl.Series("answer", answers), reviewer=pl.lit("ann")).write_csv(tmp_path / "filled.csv")
    assert one.read(tmp_path / "filled.csv")["taken"] == 62
    plan = one.plan()
    assert plan.to_frame().select("row", "column", "who", "cleaner").rows() == [(70, None, "ann", "review")]
    cleaned = plan.apply(table)
    assert cleaned.n_rows == ROWS - 1
    assert plan.undo(cleaned).frame.equals(table.frame)
    assert one.status().wrong == 1
    assert one.retract(70).plan().dropped.is_empty()


def test_a_kept_row_is_not_dropped_by_repairs(one, table):
    repairs = CleaningPlan.of(table, pl.DataFrame(schema={"row": pl.Int64, "column": pl.String, "after": pl.String}), drop=[70, 71])
    one.read([{"row": 71, "column": None, "answer": "[keep]"}])
    assert one.plan(repairs).dropped["row"].to_list() == [70]


def test_labels_by_three_people_are_resolved_by_their_tables(one, table):
    """Eve calls every owl a dog; her answers about owls count for little, those about cats for much."""
    rng = np.random.default_rng(1)
    truth = rng.choice(LABELS, 60)
    people = {
        "ann": [one if rng.random() < 0.93 else rng.choice(LABELS) for one in truth],
        "bob": [one if rng.random() < 0.9 else rng.choice(LABELS) for one in truth],
        "eve": ["dog" if one == "owl" else one for one in truth],
    }
    for who, said in people.items():
        one.read([{"row": row, "column": "y", "answer": str(label), "reviewer": who} for row, label in enumerate(said)])
    recorded = table.frame["y"].to_list()
    cells = one.answers().sort("row")
    found = [recorded[row] if verdict == "right" else value for row, verdict, value in cells.select("row", "verdict", "value").iter_rows()]
    assert np.mean(np.array(found) == truth) > 0.97
    skills = {(line["reviewer"], line["column"]): line["skill"] for line in one.status().reviewers}
    assert set(skills) == {(who, "y") for who in people}
    assert skills["eve", "y"] < skills["ann", "y"]


def test_a_new_label_is_refused_with_the_nearest(one):
    with pytest.raises(DataError, match="'catt' is no label of 'y'; did you mean 'cat'"):
        one.read([{"row": 0, "column": "y", "answer": "catt"}])


def test_what_repairs_settle_is_not_asked(table):
    cells = pl.DataFrame({"row": [0, 1], "column": ["y", "y"], "after": ["owl", "owl"], "confidence": [0.95, 0.5]})
    cells = cells.with_columns(after=pl.when(table.frame["y"].head(2) == "owl").then(pl.lit("dog")).otherwise("after"))
    repairs = CleaningPlan.of(table, cells, drop=[5])
    doubts = doubts_of((0, "y", "labels"), (1, "y", "labels"), (5, "y", "labels"), (5, None, "duplicates"), (6, "y", "labels"))
    rest, spared = not_repaired(doubts, repairs, table, 0.8)
    assert (rest["row"].to_list(), rest["rank"].to_list(), spared) == ([1, 6], [1, 2], 3)
    assert not_repaired(doubts, None, table, 0.8) == (doubts, 0)


def test_a_review_after_repairs_holds_them_in_its_plan(tmp_path):
    rng = np.random.default_rng(0)
    size = rng.normal(size=300).round(2)
    spoilt = np.where(rng.random(300) < 0.1, rng.uniform(30, 90, 300).round(1), size)
    frame = pl.DataFrame({"size": spoilt, "y": 3 * size})
    table = dqops.read(frame, target="y")
    wild = np.flatnonzero(spoilt > 20)[:6]
    repairs = CleaningPlan.of(table, pl.DataFrame({"row": wild, "column": ["size"] * 6, "after": ["0.5"] * 6}))
    options = {"model": "linear", "effort": "quick", "detectors": ["outliers"], "repairs": repairs}
    one = run(table, folder=tmp_path / "state", **options)
    assert not set(one.batch(100)["row"]) & set(wild.tolist())
    assert len(one.plan()) == 6
    assert any("not asked about" in said for said in one.status().warnings)
    with pytest.raises(DataError, match="the repairs are for another table"):
        run(frame.with_columns(pl.col("size") + 1), folder=tmp_path / "other", target="y", **options)
