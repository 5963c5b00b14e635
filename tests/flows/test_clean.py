"""Cleaning plans what pays and what is sure; it changes nothing itself."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

import dqops
from dqops.cleaners.impute import EmptyDisguised
from dqops.cleaners.numbers import ParseNumbers
from dqops.cleaners.recipe import Step
from dqops.cleaners.suggested import WriteSuggestion
from dqops.errors import DataError, ModelError, OptionError
from dqops.flows.repairs import _WITH_OTHERS, Repair, without_sure

ROLE_COLUMNS = ["row", "column", "before", "after", "cleaner", "why", "confidence", "who", "when"]


def dirty(rows=240, seed=0):
    """A table whose numbers are spoiled by units and typos, with a spelling slip and a repeated row."""
    rng = np.random.default_rng(seed)
    size = rng.normal(50, 5, rows).round(1)
    frame = pl.DataFrame({"size": [f"{one:.1f}" for one in size], "city": rng.choice(["london", "paris", "berlin"], rows).tolist(), "noise": rng.normal(size=rows), "more": rng.normal(size=rows)})
    frame = frame.with_columns(pl.Series("y", (size + rng.normal(0, 4, rows) > 50).astype(int)))
    size = frame["size"].to_list()
    for place in range(0, rows, 9):
        size[place] += " kg"
    frame = frame.with_columns(pl.Series("size", size))
    frame[5, "city"] = "lonndon"
    return pl.concat([frame, frame[7:8]])


def test_what_is_surely_right_is_written_without_a_model():
    plan = dqops.clean(dirty(), target="y", model=None)
    changes = plan.to_frame()
    assert changes.columns == ROLE_COLUMNS
    cleaned = plan.apply(dirty())
    assert cleaned.frame["size"].dtype == pl.Float64
    assert cleaned.frame["city"].n_unique() == 3
    assert changes.filter(pl.col("column") == "size").height == 27
    assert plan.dropped["row"].to_list() == [240]
    assert (plan.changes["confidence"] >= 0.8).all()
    assert plan.undo(cleaned).frame.equals(dirty())


def test_the_table_is_not_touched():
    table = dqops.read(dirty(), target="y")
    before = table.fingerprint
    dqops.clean(table, model=None).apply(table)
    assert table.fingerprint == before


def test_a_model_decides_by_measured_gain():
    plan = dqops.clean(dirty(), target="y", model="linear", effort="quick")
    told = {one["finding"]: one for one in plan.repairs}
    assert told["formats:size"]["applied"]
    assert told["formats:size"]["expected"] > 0.05
    assert told["all"]["expected"] > 0.05
    assert "all repairs together" in str(plan)
    assert plan.apply(dirty()).frame["size"].dtype == pl.Float64


def test_rows_of_a_holdout_judge_the_repairs():
    plan = dqops.clean(dirty(), target="y", model="linear", effort="quick", holdout=dirty(120, seed=1))
    told = {one["finding"]: one for one in plan.repairs}
    assert told["formats:size"]["applied"]
    assert told["all"]["expected"] > 0.05
    assert plan.undo(plan.apply(dirty())).frame.equals(dirty())


def test_a_repaired_column_keeps_no_wild_number(shared):
    table = dqops.read(shared("nasa/dirty.csv.gz"), target="sound_pressure_level")
    cleaned = dqops.clean(table, model="linear", effort="quick").apply(table)
    assert cleaned.frame["chord_length"].dtype == pl.Float64
    assert cleaned.frame["chord_length"].max() < 1


def test_many_gains_too_small_to_be_seen_alone_are_made_together():
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(500, 12))
    y = parts.sum(axis=1) > 0
    dirty = np.where(rng.random(parts.shape) < 0.02, parts + 40 * rng.choice([-1, 1], parts.shape), parts)
    frame = pl.DataFrame({f"part{place}": dirty[:, place] for place in range(12)}).with_columns(pl.Series("y", y.astype(int)))
    plan = dqops.clean(frame, target="y", model="linear", effort="quick")
    made = [one for one in plan.repairs if one["applied"] and one["finding"] != "all"]
    assert len(made) >= 10
    assert next(one for one in plan.repairs if one["finding"] == "all")["low"] > 0.05


def test_what_would_be_emptied_can_be_foretold_instead():
    from dqops.cleaners.numbers import ParseNumbers, TameOutliers
    from dqops.cleaners.recipe import Step
    from dqops.flows.repairs import Repair, foretold

    kept = Repair("formats:b", "keep", "it pays", (Step(ParseNumbers("keep"), "formats", "b"),), True)
    emptied = Repair("outliers:a", "empty", "it pays", (Step(TameOutliers("blank"), "outliers", "a", 0.9), Step(ParseNumbers("blank"), "formats", "a")), True)
    first, second = foretold([kept, emptied])
    assert first is kept
    assert [(step.cleaner.wild, step.kind, step.least) for step in second.steps] == [("predict", "outliers", 0.9), ("predict", "formats", 0.0)]
    assert "foretell" in second.action
    assert {step.cleaner.wild for step in foretold([emptied], "near")[0].steps} == {"near"}


def test_a_column_of_which_most_is_empty_may_be_filled_from_donors_or_emptied():
    from dqops.strategies.library import options_of

    rng = np.random.default_rng(0)
    cells = rng.choice(["a", "b", "c"], 300)
    for share, more in ((0.05, set()), (0.3, {"donors"}), (0.8, {"donors", "empty_column"})):
        table = dqops.read(pl.DataFrame({"a": pl.Series(cells).set(pl.Series(rng.random(300) < share), None), "x": rng.normal(size=300), "y": rng.integers(2, size=300)}), target="y")
        finding = next(one for one in dqops.audit(table, model=None).findings if one.kind == "missing")
        assert {option.steps[0][0].name for option in options_of(finding, table)} == {"fill", "predict"} | more


def test_same_seed_same_plan():
    first, second = (dqops.clean(dirty(), target="y", model="knn", effort="quick", seed=3) for _ in range(2))
    assert first.changes.drop("when").equals(second.changes.drop("when"))
    assert first.repairs == second.repairs


def test_pandas_and_polars_give_one_plan():
    plans = [dqops.clean(frame, target="y", model=None) for frame in (dirty(), dirty().to_pandas())]
    assert plans[0].changes.drop("when").equals(plans[1].changes.drop("when"))


@pytest.mark.parametrize("least", [0.0, 0.9, 0.96, 1.0])
def test_no_change_is_less_sure_than_asked(least):
    plan = dqops.clean(dirty(), target="y", model=None, min_confidence=least)
    sure = pl.concat([plan.changes["confidence"], plan.dropped["confidence"]])
    assert (sure >= least).all()
    cleaned = plan.apply(dirty())
    assert plan.undo(cleaned).frame.equals(dirty())
    assert cleaned.frame["size"].dtype == (pl.Float64 if least <= 0.95 else pl.String)


def test_repairs_that_cost_the_model_are_left(monkeypatch):
    from dqops.flows import clean as flow
    from dqops.results.gain import Estimate, Gain, Gains

    def harmful(table, **settings):
        found = dqops.audit(table, model=None)
        gains = [Gain(one.id, "whatever", "deployed", Estimate(-0.2, -0.3, -0.1), None, 1.0, 10) for one in found.findings]
        return type(found)(**(vars(found) | {"gains": Gains(tuple(gains))}))

    monkeypatch.setattr(flow, "audit", harmful)
    plan = dqops.clean(dirty(), target="y", model=None)
    assert len(plan) == 0
    assert {one["why"] for one in plan.repairs} == {"it costs the model"}


def test_a_gain_that_cannot_be_seen_leaves_what_is_sure():
    rng = np.random.default_rng(1)
    frame = dirty(seed=4).with_columns(pl.Series("y", rng.integers(2, size=241)))
    plan = dqops.clean(frame, target="y", model="linear", effort="quick")
    assert plan.select(column="city").changes["after"].to_list() == ["london"]


@pytest.mark.parametrize("bad", [-0.1, 1.5, "high", float("nan")])
def test_a_confidence_is_a_share(bad):
    with pytest.raises(OptionError, match="min_confidence"):
        dqops.clean(dirty(), target="y", min_confidence=bad)


def test_a_target_with_one_class_left_is_refused():
    frame = pl.DataFrame({"a": [1.25, 1.25, 3.5, 7.125, 2.875, 9.5], "b": list("uuvwxz"), "y": [0, 1, 0, 0, 0, 0]})
    table = dqops.read(frame, target="y")
    found = dqops.audit(table, model=None)
    assert "duplicates:rows" in found.findings
    from dqops.cleaners.recipe import Step
    from dqops.cleaners.rows import DropRepeats
    from dqops.flows import clean as flow
    from dqops.flows.repairs import Repair

    drop = Repair("duplicates:rows", "drop", "because", (Step(DropRepeats(), "duplicates", None),), True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow, "choose_repairs", lambda *args, **more: [drop])
        with pytest.raises(DataError, match="the target 'y' would hold one value"):
            dqops.clean(table, model=None)


def test_a_model_that_fails_is_told():
    class Broken(HistGradientBoostingClassifier):
        def fit(self, X, y):
            raise ValueError("no")

    with pytest.raises(ModelError, match="no"):
        dqops.clean(dirty(), target="y", model=Broken(), effort="quick")


def test_labels_are_repaired_where_that_pays():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    y = np.where(x[:, 0] + x[:, 1] > 0, "yes", "no").astype(object)
    wrong = rng.choice(400, 100, replace=False)
    y[wrong] = np.where(y[wrong] == "yes", "no", "yes")
    frame = pd.DataFrame(x, columns=list("abc")).assign(y=y)
    plan = dqops.clean(frame, target="y", model="knn", effort="quick")
    told = {one["finding"]: one for one in plan.repairs}["labels:y"]
    changed = plan.select(kind="labels")
    assert bool(len(changed)) == told["applied"]
    cleaned = plan.apply(frame)
    pd.testing.assert_frame_equal(plan.undo(cleaned).given, frame)


@pytest.mark.parametrize("frame", [dirty()[:1], dirty()[:0], dirty().select("y"), dirty().with_columns(pl.lit(None).alias("size"))])
def test_odd_tables_give_a_plan_or_a_reason(frame):
    try:
        plan = dqops.clean(frame, target="y", model=None)
    except dqops.DqopsError:
        return
    assert plan.undo(plan.apply(frame)).frame.equals(dqops.read(frame).frame, null_equal=True)


@pytest.mark.parametrize(("name", "target"), [("beers", "style"), ("nasa", "sound_pressure_level"), ("hospital", "Condition"), ("babyproduct", "class")])
def test_real_sets_come_back_exactly(shared, name, target):
    path = shared(f"{name}/dirty.csv.gz")
    frames = {"csv": path, "pandas": pd.read_csv(path), "polars": pl.read_csv(path, infer_schema_length=None, ignore_errors=True)}
    for form, source in frames.items():
        table = dqops.read(source, target=target)
        plan = dqops.clean(table, model=None)
        cleaned = plan.apply(table)
        assert len(plan)
        back = plan.undo(cleaned)
        assert back.frame.equals(table.frame, null_equal=True)
        assert back.raw.equals(table.raw, null_equal=True)
        assert back.row_ids.equals(table.row_ids)
        if form == "pandas":
            pd.testing.assert_frame_equal(back.given, source)
        if form == "polars":
            assert back.given.equals(source, null_equal=True)


def test_targets_that_a_rule_finds_odd_are_not_rewritten_and_misspelt_ones_are(shared):
    species = dqops.read(shared("penguins/raw.csv.gz"), target="Species")
    assert any(one.column == "Species" and one.kind == "rules" for one in dqops.audit(species, model=None).findings)
    assert "Species" not in dqops.clean(species, model=None).to_frame()["column"]
    slips = pl.DataFrame({"x": np.arange(300.0), "y": ["positive", "negative", "neutral"] * 99 + ["negatve", "neutrl", "Positive "]})
    assert dqops.clean(slips, target="y", model=None).to_frame()["after"].to_list() == ["negative", "neutral", "positive"]


def test_a_column_that_is_not_repaired_is_not_parsed_for_the_sake_of_its_repair():
    parse = Step(ParseNumbers(), "formats", "size")
    parsing = Repair("formats:size", "parse", _WITH_OTHERS, (parse,), True)
    sure = Repair("missing:size", "empty", "surely right", (Step(EmptyDisguised(), "missing", "size"),))
    paying = Repair("rules:size", "correct", "it pays", (Step(WriteSuggestion(), "rules", "size"),), True)
    assert [bool(one.steps) for one in without_sure([parsing, sure])] == [False, False]
    assert [bool(one.steps) for one in without_sure([parsing, sure, paying])] == [True, False, True]
