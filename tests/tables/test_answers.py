"""What people write is understood, and what cannot be is told in a sentence."""

import re

import polars as pl
import pytest

from dqops.tables.answers import Understanding
from dqops.tables.io import read

FRAME = pl.DataFrame(
    {
        "id": ["007", "008", "009", "a1"],
        "age": [31, 42, None, 27],
        "size": [1.5, 2.0, 3.25, 90.0],
        "side": ["left", "right", "left", "lefft"],
        "member": [True, False, None, True],
        "y": ["yes", "no", "yes", "no"],
    }
)
CELLS = [("007", "age", "31", "30"), ("009", "age", None, "33"), ("a1", "size", "90.0", None), ("a1", "side", "lefft", "left"), ("009", "member", None, None), ("008", "y", "no", "yes"), ("a1", None, None, "[drop]")]


@pytest.fixture(scope="module")
def understanding():
    doubts = pl.DataFrame(CELLS, schema=dict.fromkeys(("row", "column", "recorded", "suggestion"), pl.String), orient="row")
    return Understanding(read(FRAME, key="id", target="y"), doubts)


def said(understanding, row, column, answer):
    answers, problems = understanding.of([{"line": 2, "row": row, "column": column, "answer": answer, "reviewer": None}], "ann")
    return problems[0][1] if problems else (answers[0]["verdict"], answers[0]["value"]) if answers else None


@pytest.mark.parametrize(
    ("row", "column", "answer", "understood"),
    [
        ("007", "age", "30", ("value", "30")),
        ("007", "age", "30.0", ("value", "30")),
        ("007", "age", "31", ("right", None)),
        ("007", "age", "31.0", ("right", None)),
        ("007", "age", "[right]", ("right", None)),
        ("007", "age", "[RIGHT]", ("right", None)),
        ("007", "age", "Right", ("right", None)),
        ("007", "age", "[suggestion]", ("value", "30")),
        ("007", "age", "[empty]", ("empty", None)),
        ("007", "age", "unknown", ("unknown", None)),
        ("007", "age", None, None),
        ("7", "age", "30", ("value", "30")),
        ("7.0", "age", "30", ("value", "30")),
        ("009", "age", "[right]", ("right", None)),
        ("009", "age", "[empty]", ("right", None)),
        ("a1", "size", "0.9", ("value", "0.9")),
        ("a1", "size", "-0.9", ("value", "-0.9")),
        ("a1", "side", "left", ("value", "left")),
        ("a1", "side", "[value] right", ("value", "right")),
        ("a1", "side", "[value] [right]", ("value", "[right]")),
        ("009", "member", "Yes", ("value", "true")),
        ("008", "y", "yes", ("value", "yes")),
        ("008", "y", "[value] perhaps", ("value", "perhaps")),
        ("a1", None, "[drop]", ("drop", None)),
        ("a1", None, "keep", ("keep", None)),
        ("a1", None, "[right]", ("keep", None)),
    ],
)
def test_an_answer_is_understood(understanding, row, column, answer, understood):
    assert said(understanding, row, column, answer) == understood


@pytest.mark.parametrize(
    ("row", "column", "answer", "problem"),
    [
        ("99", "age", "30", "row '99' is not in"),
        (None, "age", "30", "the row is not named"),
        ("007", "agee", "30", "'agee' is not a column of .*; did you mean 'age'"),
        ("008", "age", "30", "row '008', column 'age' was not asked about"),
        ("008", None, "[drop]", "row '008' was not asked about"),
        ("007", "age", "old", "'old' cannot stand in 'age', which holds whole numbers"),
        ("007", "age", "30.5", "'30.5' cannot stand in 'age', which holds whole numbers"),
        ("007", "age", "inf", "cannot stand in 'age'"),
        ("007", "age", "nan", "cannot stand in 'age'"),
        ("a1", "size", "x", "'x' cannot stand in 'size', which holds numbers"),
        ("a1", "size", "[suggestion]", "there is no suggestion"),
        ("a1", "side", "right", r"both a mark and a value of 'side'; need \[right\], or \[value\] right"),
        ("009", "member", "perhaps", "which holds true and false"),
        ("008", "y", "yess", "'yess' is no label of 'y'; did you mean 'yes'"),
        ("007", "age", "[drop]", r"\[drop\] is no answer about row '007', column 'age'"),
        ("a1", None, "[suggestion]", "is no answer about row 'a1'"),
        ("a1", None, "42", "no answer about a whole row"),
    ],
)
def test_what_cannot_be_is_told(understanding, row, column, answer, problem):
    told = said(understanding, row, column, answer)
    assert isinstance(told, str)
    assert re.search(problem, told), told


def test_two_answers_to_one_question_by_one_person_are_a_problem(understanding):
    lines = [{"line": place, "row": "007", "column": "age", "answer": answer, "reviewer": who} for place, (answer, who) in enumerate([("30", "ann"), ("32", "ann"), ("32", "bob"), ("32", "bob")])]
    answers, problems = understanding.of(lines, "x")
    assert [(one["value"], one["who"]) for one in answers] == [("30", "ann"), ("32", "bob"), ("32", "bob")]
    assert problems == [(1, "row '007', column 'age' is answered twice by 'ann', differently")]


def test_a_column_of_numbers_with_typos_takes_numbers_alone():
    table = read(pl.DataFrame({"size": [*(f"{size / 7:.2f}" for size in range(60)), "4.2 kg"], "y": [0, 1] * 30 + [0]}), target="y")
    doubts = pl.DataFrame({"row": [60], "column": ["size"], "recorded": ["4.2 kg"], "suggestion": ["4.2"]})
    understanding = Understanding(table, doubts)
    assert said(understanding, "60", "size", "4.2") == ("value", "4.2")
    assert "'heavy' is no number" in said(understanding, "60", "size", "heavy")


ODD = pl.DataFrame(
    {
        "id": ["a,1\n", " b ", "c"],
        "small": pl.Series([1, 2, 3], dtype=pl.Int8),
        "count": pl.Series([1, 2, 3], dtype=pl.UInt64),
        "day": pl.Series(["2024-01-04", "2024-02-01", "2024-03-01"]).str.to_date(),
        "moment": pl.Series(["2024-01-04T08:30", "2024-02-01T00:00", "2024-03-01T12:00"]).str.to_datetime(),
    }
)


@pytest.mark.parametrize(
    ("column", "answer", "understood"),
    [
        ("small", "127", ("value", "127")),
        ("small", "300", "'300' cannot stand in 'small', which holds Int8"),
        ("count", "-1", "'-1' cannot stand in 'count', which holds UInt64"),
        ("day", "2024-05-06", ("value", "2024-05-06")),
        ("day", "2024-01-04", ("right", None)),
        ("day", "2024-13-04", "'2024-13-04' cannot stand in 'day', which holds dates"),
        ("moment", "2024-05-06", ("value", "2024-05-06T00:00:00.000000000")),
        ("moment", "2024-01-04T08:30:00", ("right", None)),
        ("moment", "soon", "'soon' cannot stand in 'moment', which holds dates and times"),
    ],
)
def test_columns_of_other_types_take_what_they_hold(column, answer, understood):
    table = read(ODD, key="id")
    recorded = {"small": "1", "count": "1", "day": "2024-01-04", "moment": "2024-01-04T08:30:00.000000000"}
    doubts = pl.DataFrame([("a,1\n", name, text, None) for name, text in recorded.items()], schema=dict.fromkeys(("row", "column", "recorded", "suggestion"), pl.String), orient="row")
    assert said(Understanding(table, doubts), "a,1", column, answer) == understood
