"""The frame that a user gave is changed and changed back in its own dtypes."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import dqops
from dqops import CleaningPlan
from dqops.errors import DataError

CELLS = [
    ("whole", 1, None), ("whole", 0, "7"), ("number", 1, "7.5"), ("text", 2, "zz"), ("mixed", 2, "hi"), ("level", 0, "new"), ("level", 1, None),
    ("nullable", 3, None), ("moment", 4, "2020-03-01T00:00:00"), ("truth", 3, None), ("large", 1, None),
]  # fmt: skip


def pandas_frame(index=None):
    return pd.DataFrame(
        {
            "whole": [1, 2, 3, 4, 5, 6],
            "number": [1.0, np.nan, 3, 4, 5, 6],
            "text": ["a", "b", None, "d", "e", "f"],
            "mixed": np.array([1, "x", None, np.nan, 2.5, pd.NA], dtype=object),
            "level": pd.Categorical(["u", "v", "u", "v", "u", None], categories=["v", "u", "w"], ordered=True),
            "nullable": pd.array([1, 2, None, 4, 5, 6], dtype="Int64"),
            "moment": pd.date_range("2020-01-01", periods=6, tz="Europe/Berlin"),
            "truth": [True, False] * 3,
            "large": [2**60 + 1, 2, 3, 4, 5, 6],
            "period": pd.period_range("2020", periods=6, freq="M"),
            "y": [0, 1] * 3,
        },
        index=index,
    )


def polars_frame():
    return pl.DataFrame(
        {
            "whole": pl.Series([1, 2, 3, 4, 5, 6], dtype=pl.Int8),
            "number": [1.0, float("nan"), None, 4.0, 5.0, 6.0],
            "text": ["a", "b", None, "", "e", "f"],
            "mixed": pl.Series([Decimal("1.10"), Decimal("2.20"), None, None, None, Decimal("0.01")], dtype=pl.Decimal(10, 2)),
            "level": pl.Series(["u", "v", "u", "v", "u", None], dtype=pl.Enum(["v", "u", "w"])),
            "nullable": pl.Series(["p", "q", "p", "q", "p", "q"], dtype=pl.Categorical),
            "moment": pl.datetime_range(dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 6), "1d", time_zone="Europe/Berlin", eager=True),
            "truth": [True, False, None, True, False, True],
            "large": pl.Series([2**63 + 1, 2, 3, 4, 5, 6], dtype=pl.UInt64),
            "period": [[1], [], None, [2], [3], [4]],
            "y": [0, 1] * 3,
        }
    )


def plan_for(table, cells=CELLS, drop=(5, 0)):
    ids = table.row_ids.to_list()
    columns, places, after = zip(*cells, strict=True)
    frame = pl.DataFrame({"row": [ids[place] for place in places], "column": columns, "after": after}, schema_overrides={"after": pl.String})
    return CleaningPlan.of(table, frame, drop=[ids[place] for place in drop])


def as_saved(plan, tmp_path):
    plan.save(tmp_path / "plan")
    return CleaningPlan.load(tmp_path / "plan")


INDEXES = {
    "range": None,
    "stepped": pd.RangeIndex(10, 70, 10, name="tens"),
    "text": pd.Index(list("pqrstu"), name="id"),
    "days": pd.date_range("2021-01-01", periods=6),
    "levels": pd.MultiIndex.from_product([["a", "b"], [1, 2, 3]], names=["one", "two"]),
    "repeated": pd.Index([1, 1, 2, 2, 3, 3]),
}


@pytest.mark.parametrize("index", INDEXES)
def test_pandas_frames_come_back_with_dtypes_and_index(tmp_path, index):
    frame = pandas_frame(INDEXES[index])
    table = dqops.read(frame, target="y")
    plan = as_saved(plan_for(table), tmp_path)
    cleaned = plan.apply(frame)
    assert cleaned.given.shape == (4, 11)
    assert cleaned.given["level"].tolist()[0] != "v"
    back = plan.undo(cleaned)
    pd.testing.assert_frame_equal(back.given, frame)
    assert [type(one) for one in back.given["mixed"]] == [type(one) for one in frame["mixed"]]
    assert back.frame.equals(table.frame, null_equal=True)
    assert back.frame.schema == table.frame.schema
    pd.testing.assert_frame_equal(frame, pandas_frame(INDEXES[index]))


def test_untouched_pandas_columns_keep_their_dtypes():
    cleaned = plan_for(dqops.read(pandas_frame())).apply(pandas_frame()).given
    kept = {name: str(dtype) for name, dtype in cleaned.dtypes.items() if str(dtype) == str(pandas_frame()[name].dtype)}
    assert {"number", "text", "mixed", "nullable", "moment", "period", "y"} <= set(kept)
    assert str(cleaned.dtypes["whole"]) == "float64"
    assert cleaned["large"].iloc[1:].tolist() == [3, 4, 5]


def test_polars_frames_come_back_with_dtypes(tmp_path):
    frame = polars_frame()
    cells = [one for one in CELLS if one[:2] not in (("level", 0), ("mixed", 2))] + [("nullable", 2, "new"), ("mixed", 1, "5.5"), ("level", 0, "w")]
    cells = [one for one in cells if one[:2] != ("nullable", 3)] + [("number", 4, None), ("text", 3, None)]
    table = dqops.read(frame, target="y")
    plan = as_saved(plan_for(table, cells), tmp_path)
    cleaned = plan.apply(frame)
    assert cleaned.given.schema == frame.schema
    back = plan.undo(cleaned)
    assert_frame_equal(back.given, frame, categorical_as_str=False)
    assert back.given["number"].is_nan().to_list() == frame["number"].is_nan().to_list()
    assert back.frame.equals(table.frame, null_equal=True)


def test_levels_that_an_enum_lacks_make_it_text_until_they_are_taken_back(tmp_path):
    frame = polars_frame()
    plan = as_saved(plan_for(dqops.read(frame), [("level", 0, "new")], drop=()), tmp_path)
    cleaned = plan.apply(frame)
    assert cleaned.given["level"].dtype == pl.String
    assert_frame_equal(plan.undo(cleaned).given, frame)


@pytest.mark.parametrize("make", [pandas_frame, polars_frame])
def test_a_part_is_taken_back_in_the_frame_as_well(make):
    frame = make()
    plan = plan_for(dqops.read(frame), [("whole", 1, None), ("whole", 2, "9"), ("text", 1, "q")], drop=[4])
    part = plan.undo(plan.apply(frame), column="whole", row=1)
    rest = plan.without(column="whole", row=1)
    values = part.given["whole"].to_list() if make is polars_frame else part.given["whole"].tolist()
    assert values == [1, 2, 9, 4, 6]
    back = rest.undo(part).given
    assert back.equals(frame) if make is pandas_frame else back.equals(frame, null_equal=True)


def test_columns_of_text_that_become_numbers_are_text_again(tmp_path):
    frame = pd.DataFrame({"size": ["1.50", "2 kg", "3", " 4"], "y": [0, 1, 0, 1]}, index=list("abcd"))
    plan = as_saved(dqops.clean(frame, target="y", model=None), tmp_path)
    cleaned = plan.apply(frame)
    assert cleaned.given["size"].tolist() == [1.5, 2.0, 3.0, 4.0]
    assert plan.to_frame().select("row", "before", "after").rows() == [("b", "2 kg", "2.0")]
    assert cleaned.frame["size"].dtype == pl.Float64
    back = plan.undo(cleaned)
    pd.testing.assert_frame_equal(back.given, frame)
    assert back.frame["size"].to_list() == ["1.50", "2 kg", "3", " 4"]


def test_names_that_come_twice_are_told_apart():
    frame = pd.DataFrame([[1, "a"], [2, "b"]], columns=["v", "v"])
    plan = plan_for(dqops.read(frame), [("v_2", 1, "c")], drop=())
    cleaned = plan.apply(frame)
    assert cleaned.given.iloc[:, 1].tolist() == ["a", "c"]
    pd.testing.assert_frame_equal(plan.undo(cleaned).given, frame)


def test_cells_that_no_file_holds_are_refused():
    frame = pd.DataFrame({"a": np.array([object(), "x"], dtype=object), "b": [1, 2]})
    with pytest.raises(DataError, match="a cell of the type object cannot be kept"):
        plan_for(dqops.read(frame), [("a", 0, "y")], drop=())


def test_later_changes_of_the_users_frame_do_not_reach_the_table():
    frame = pandas_frame()
    table = dqops.read(frame)
    frame.loc[0, "whole"] = 99
    assert table.given["whole"].tolist()[0] == 1


def test_a_part_of_a_table_has_no_frame_of_the_users():
    assert dqops.read(pandas_frame()).take([0, 1]).given is None
