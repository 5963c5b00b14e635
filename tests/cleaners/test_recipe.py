"""Repairs in a row: fitted on training rows, booked cell by cell, made alike at serving."""

import pickle

import numpy as np
import polars as pl
import pytest

import dqops
import dqops.detectors
from dqops.cleaners.impute import FillPredicted, FillTypical
from dqops.cleaners.numbers import ParseNumbers, TameOutliers
from dqops.cleaners.recipe import Step, fit_recipe, pieces_of_work
from dqops.cleaners.rows import DropRepeats, MergeRepeats
from dqops.cleaners.suggested import WriteSuggestion
from dqops.contracts import Cleaner
from dqops.errors import SourceError, UnknownNameError
from dqops.results.plan import CleaningPlan


def table(rows=90, seed=0):
    rng = np.random.default_rng(seed)
    size = [f"{one:.1f}" for one in rng.normal(50, 5, rows)]
    size[3], size[5], size[7] = "51 kg", "4..9", "9999999.5"
    city = rng.choice(["london", "paris", "berlin"], rows).tolist()
    city[4], city[9] = "lonndon", None
    frame = pl.DataFrame({"size": size, "city": city, "code": rng.normal(size=rows), "y": rng.integers(2, size=rows)})
    return dqops.read(pl.concat([frame, frame[:1]]), target="y")


STEPS = (
    Step(WriteSuggestion(), "categories", "city"),
    Step(ParseNumbers("blank"), "formats", "size"),
    Step(TameOutliers("typical"), "outliers", "size"),
    Step(FillPredicted(), "missing", "city"),
    Step(DropRepeats(), "duplicates", None),
)


def planned(recorded, steps):
    _, work = fit_recipe(recorded, steps)
    return CleaningPlan.of_pieces(pieces_of_work(recorded, work, steps, who="me", when=None)), work


def test_work_is_booked_by_the_step_that_changed_a_cell_last():
    recorded = table()
    plan, work = planned(recorded, STEPS)
    told = {(one["row"], one["column"]): (one["before"], one["cleaner"]) for one in plan.to_frame().iter_rows(named=True)}
    assert told[3, "size"] == ("51 kg", "parse")
    assert told[4, "city"] == ("lonndon", "suggested")
    assert told[9, "city"] == (None, "predict")
    assert told[90, None][1] == "drop_repeats"
    assert plan.apply(recorded).frame.equals(work.table.frame)
    assert plan.undo(plan.apply(recorded)).frame.equals(recorded.frame)


def test_training_rows_are_served_as_they_were_repaired():
    recorded = table().take(np.arange(90))
    recipe, work = fit_recipe(recorded, STEPS[:4])
    assert recipe.repair(recorded).frame.equals(work.table.frame)


def test_repairs_survive_pickling_and_learn_nothing_at_serving():
    recipe, _ = fit_recipe(table(), STEPS[:4])
    rows = table(seed=1)
    first = recipe.repair(rows).frame
    again = pickle.loads(pickle.dumps(recipe))
    assert again.repair(rows).frame.equals(first)
    assert recipe.repair(rows.take([3])).frame.equals(first[3:4])


def test_repairs_of_rows_and_of_the_target_are_not_made_at_serving():
    recorded = table()
    steps = (Step(DropRepeats(), "duplicates", None), Step(WriteSuggestion(), "categories", "y"))
    recipe, work = fit_recipe(recorded, steps)
    assert work.table.n_rows == 90
    assert recipe.groups == []
    assert recipe.repair(recorded) is recorded


def test_merged_rows_are_changed_and_dropped_in_one_plan():
    recorded = table()
    frame = recorded.frame.with_columns(pl.when(pl.int_range(91) == 0).then(None).otherwise(pl.col("city")).alias("city"))
    recorded = dqops.read(frame, target="y")
    plan, _ = planned(recorded, (Step(MergeRepeats(), "duplicates", None),))
    if len(plan.dropped):
        assert plan.changes.select("row", "column", "why").rows() == [(0, "city", "another row that repeats this one says so")]
    assert plan.undo(plan.apply(recorded)).frame.equals(frame)


@pytest.mark.parametrize("least", [0.0, 0.5, 0.97, 1.0])
def test_what_is_less_sure_is_not_done(least):
    recorded = table()
    plan, _ = planned(recorded, tuple(Step(one.cleaner, one.kind, one.column, least) for one in STEPS))
    sure = [*plan.changes["confidence"], *plan.dropped["confidence"]]
    assert all(one >= least for one in sure)
    assert plan.undo(plan.apply(recorded)).frame.equals(recorded.frame)


def test_steps_are_told_and_made_again():
    for name, cleaner in Cleaner.known().items():
        step = Step(cleaner(), cleaner.kinds[0], "a", 0.25)
        assert Step.from_dict(step.to_dict()) == step, name


@pytest.mark.parametrize(
    ("told", "error", "said"),
    [
        ({"cleaner": "prase", "settings": {}, "kind": "formats", "column": "a", "least": 0.0}, UnknownNameError, "Did you mean 'parse'"),
        ({"cleaner": "parse", "settings": {"wilder": 1}, "kind": "formats", "column": "a", "least": 0.0}, SourceError, "wilder"),
        ({"cleaner": "parse"}, SourceError, "settings"),
    ],
)
def test_a_step_that_is_none_is_told(told, error, said):
    with pytest.raises(error, match=said):
        Step.from_dict(told)


def test_a_column_is_served_in_the_dtype_that_it_was_trained_in():
    recorded = table()
    recipe, _ = fit_recipe(recorded, (Step(ParseNumbers("keep"), "formats", "size"), Step(FillTypical(), "missing", "size")))
    served = recipe.repair(dqops.read(pl.DataFrame({"size": ["1.5", "2.5"], "city": ["rome", None], "code": [1.0, 2.0], "y": [0, 1]}), target="y"))
    assert served.frame["size"].dtype == pl.String
    numbers = dqops.read(pl.DataFrame({"size": [1.5, 2.5], "city": ["rome", None], "code": [1.0, 2.0], "y": [0, 1]}), target="y")
    assert recipe.repair(numbers).frame["size"].to_list() == ["1.5", "2.5"]
