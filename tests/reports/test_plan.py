"""A plan tells what will change, what will not, and what people answered."""

from dataclasses import replace

import polars as pl
import pytest

import dqops
from dqops.results.plan import CleaningPlan


def weighed(finding, action, applied=True, why="it pays", expected=0.1):
    return {"finding": finding, "action": action, "applied": applied, "why": why, "expected": expected, "low": -0.1, "high": 0.2}


@pytest.fixture
def table():
    return dqops.read(pl.DataFrame({"city": ["rome", "roome", "oslo"], "size": [1.0, 99.0, 2.0]}))


@pytest.fixture
def plan(table):
    cells = pl.DataFrame({"row": [1], "column": ["city"], "after": ["rome"], "kind": ["categories"], "cleaner": ["suggested"]})
    plan = CleaningPlan.of(table, cells)
    repairs = (weighed("categories:city", "correct doubtful cells of 'city'"), weighed("outliers:size", "write the likeliest value"), weighed("missing:size", "fill it", False, "it costs the model"))
    return replace(plan, repairs=(*repairs, weighed("all", "all repairs together")))


def test_a_finding_without_a_change_is_not_said_to_be_changed(plan):
    told = str(plan)
    changed, rest = told.split("Looked at")
    assert "1 cell  categories:city: correct doubtful cells of 'city' (it pays; gain +0.100 [-0.100, +0.200])" in changed
    assert "outliers:size" not in changed
    assert "nothing is sure enough to be written: outliers:size." in rest
    assert "missing:size: fill it (it costs the model; gain" in rest.split("Left as it is:")[1]
    assert "all repairs together: gain +0.100" in told


def test_what_people_answered_is_told_by_name(plan, table):
    answers = CleaningPlan.of(table, pl.DataFrame({"row": [1], "column": ["size"], "after": ["9.0"]}), who="ann")
    assert "1 change  ann" in str(plan.merge(answers))


def test_a_column_that_becomes_numbers_is_told():
    frame = pl.DataFrame({"size": [*(f"{size / 7:.2f}" for size in range(60)), "4.2 kg", "3.9 kg"], "y": [0, 1] * 31})
    told = str(dqops.clean(frame, target="y", model=None))
    assert "2 cells  formats:size" in told
    assert "Left as it is" not in told


def test_an_empty_plan_is_one_line(table):
    assert str(CleaningPlan.of(table, pl.DataFrame(schema={"row": pl.Int64, "column": pl.String, "after": pl.String}))) == "Plan for the table (3 rows): 0 cells to change, 0 rows to drop."


def test_names_of_columns_cannot_fake_a_line():
    table = dqops.read(pl.DataFrame({"a\nLeft as it is:\x1b[31m": ["x", "y"]}))
    plan = CleaningPlan.of(table, pl.DataFrame({"row": [0], "column": [table.columns[0]], "after": ["y"], "kind": ["rules"], "cleaner": ["suggested"]}))
    told = str(replace(plan, repairs=(weighed(f"rules:{table.columns[0]}", "correct it"),)))
    assert "\x1b" not in told
    assert len(told.splitlines()) == 4
