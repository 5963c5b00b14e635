"""The strategy that repairs by itself: only what right rows show to help, and never what was answered."""

import numpy as np
import polars as pl
import pytest
from contract import table_of
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

import dqops
from dqops.models.resolve import resolve_model
from dqops.strategies.expected_gain import ExpectedGain
from dqops.strategies.repair_and_ask import RepairAndAsk


def numbers(rows=300, seed=0, wild=0):
    """A target that follows one number; every so many cells of it are wild."""
    rng = np.random.default_rng(seed)
    size, idle = rng.normal(size=(2, rows))
    y = 3 * size + 0.3 * rng.normal(size=rows)
    if wild:
        size[::wild] = rng.choice([-400.0, 900.0], len(size[::wild]))
    return pl.DataFrame({"size": size, "idle": idle, "y": y})


def labels(rows=240, seed=0, hard=0.0, flipped=0.0):
    """Three classes that two numbers decide but for a `hard` share; a share is flipped afterwards. (dirty, clean)"""
    rng = np.random.default_rng(seed)
    size, wide = rng.normal(size=(2, rows))
    decided = np.where(size > 0.4, 2, np.where(wide > 0, 1, 0))
    names = np.array(["low", "mid", "top"])
    own = np.where(rng.random(rows) < hard, rng.integers(3, size=rows), decided)
    given = np.where(rng.random(rows) < flipped, (own + rng.integers(1, 3, size=rows)) % 3, own)
    return tuple(pl.DataFrame({"size": size, "wide": wide, "y": names[one]}) for one in (given, own))


def met(frame, holdout, task, model="linear", strategy=None, seed=0):
    """(strategy, table to fit on, ranking)."""
    strategy, table = strategy or RepairAndAsk(), table_of(frame)
    made, held = resolve_model(model, task).prepared(table), None if holdout is None else table_of(holdout)
    ranking = strategy.rank(table, made, held, np.random.default_rng(seed))
    return strategy, strategy.repaired(table, made, held, np.random.default_rng(seed)), ranking


def right(table, clean):
    return (table.frame["y"] == clean["y"]).mean()


def test_wrong_labels_of_several_classes_are_written_anew():
    dirty, clean = labels(flipped=0.25)
    strategy, table, ranking = met(dirty, labels(150, seed=1)[1], "classification", LogisticRegression())
    assert right(table_of(dirty), clean) < 0.8
    assert right(table, clean) > 0.9
    assert table.frame.select("size", "wide").equals(dirty.select("size", "wide"))
    assert strategy.made[0][0].startswith("relabel")
    assert any("relabel" in one for one in ranking.warnings)


def test_hard_labels_that_are_right_stay():
    dirty, _ = labels(hard=0.3)
    strategy, table, _ = met(dirty, labels(150, seed=1, hard=0.3)[1], "classification")
    assert table.frame.equals(dirty)
    assert strategy.made == []


def test_wild_numbers_are_repaired_where_the_model_suffers_from_them():
    dirty, holdout = numbers(wild=15), numbers(150, seed=1)
    strategy, table, _ = met(dirty, holdout, "regression")
    assert strategy.made[0][1] > 0
    assert table.frame["size"].abs().max() < 10
    assert table.frame["y"].equals(dirty["y"])
    assert table.frame.schema == dirty.schema


def test_clean_numbers_stay():
    _, table, _ = met(numbers(), numbers(150, seed=1), "regression")
    assert table.frame.equals(numbers())


def test_answers_are_never_overwritten():
    dirty, holdout = numbers(wild=15), numbers(150, seed=1)
    strategy, _, _ = met(dirty, holdout, "regression")
    strategy.tell(0, None, dict(zip(dirty.columns, dirty.row(0), strict=True))).tell(15, "size", dirty[15, "size"])
    for _ in ("asked at once", "ranked anew"):
        table = strategy.repaired(table_of(dirty), resolve_model("linear", "regression").prepared(table_of(dirty)), table_of(holdout), np.random.default_rng(1))
        assert table.frame.row(0) == dirty.row(0)
        assert table.frame[15, "size"] == dirty[15, "size"]
        assert table.frame["size"][30] != dirty["size"][30]
        met(dirty, holdout, "regression", strategy=strategy)


def test_answered_labels_stand_and_answers_overrule_right_rows():
    dirty, _ = labels(flipped=0.25)
    holdout = labels(150, seed=1)[1]
    strategy, table, _ = met(dirty, holdout, "classification")
    changed = np.flatnonzero((table.frame["y"] != dirty["y"]).to_numpy())
    for row in changed[:12].tolist():
        strategy.tell(row, "y", dirty[row, "y"])
    made = resolve_model("linear", "classification").prepared(table_of(dirty))
    between = strategy.repaired(table_of(dirty), made, table_of(holdout), np.random.default_rng(0))
    assert between.frame["y"].gather(changed[:12]).equals(dirty["y"].gather(changed[:12]))
    assert not between.frame["y"].equals(dirty["y"])
    _, after, _ = met(dirty, holdout, "classification", strategy=strategy)
    assert after.frame.equals(dirty)


def test_without_a_holdout_nothing_is_repaired_and_the_order_is_that_of_dqops():
    dirty, _ = labels(flipped=0.25)
    for holdout in (None, labels(20, seed=1)[1]):
        _, table, ranking = met(dirty, holdout, "classification")
        assert table.frame.equals(dirty)
        assert any("no repair" in one for one in ranking.warnings)
    assert set(ranking.doubts["row"]) == set(met(dirty, None, "classification", strategy=ExpectedGain())[2].doubts["row"])


def test_the_same_seed_repairs_alike():
    dirty, holdout = labels(120, flipped=0.25)[0], labels(60, seed=1)[1]
    one, two = (met(dirty, holdout, "classification", seed=3)[1] for _ in range(2))
    assert one.frame.equals(two.frame)


@pytest.fixture(scope="module")
def digits():
    """Three of ten digits, some pixels of each."""
    whole = load_digits(n_class=3)
    frame = pl.DataFrame(whole.data[:, 10:40:3], schema=[f"p{one}" for one in range(10)], orient="row")
    return frame.with_columns(y=pl.Series([f"digit {one}" for one in whole.target]))


def test_a_curve_starts_at_the_repaired_score(digits):
    found = dqops.bench(
        digits, target="y", planted={"label_flips": 0.3}, strategies=["dqops_repairs"], models={"logistic": LogisticRegression()}, seeds=1, budgets=(0.1, 0.2), rows=(120, 80, 200)
    )
    start = found.curves.filter(pl.col("answers") == 0).sort("strategy")
    by_name = dict(zip(start["strategy"], start["score"], strict=True))
    lines = found.summary()
    assert by_name["dqops_repairs"] > by_name["random"] + 0.03
    assert lines["dirty"].unique().to_list() == [by_name["random"]]
    assert found.failures().is_empty()


def test_it_ranks_through_the_front_door():
    dirty, holdout = labels(flipped=0.25)[0], labels(150, seed=1)[1]
    found = dqops.prioritize(dirty, target="y", model="linear", holdout=holdout, strategy="dqops_repairs")
    assert found.strategy == "dqops_repairs"
    assert len(found)
