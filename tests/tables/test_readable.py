"""A table as a person reads it."""

import polars as pl

import dqops
from dqops.tables.readable import as_read


def test_numbers_become_numbers_and_stand_ins_nothing():
    frame = pl.DataFrame({"weight": ["5 kg", "6 kg", "?", "6.5", "heavy", *["5 kg"] * 15], "town": ["Bonn", "N/A", *["Ulm"] * 18], "y": [0, 1] * 10})
    read = as_read(dqops.read(frame, target="y"))
    assert read.frame["weight"].to_list() == [5.0, 6.0, None, 6.5, None, *[5.0] * 15]
    assert read.frame["town"].to_list() == ["Bonn", None, *["Ulm"] * 18]
    assert read.frame["y"].to_list() == frame["y"].to_list()


def test_infinite_numbers_are_nothing():
    frame = pl.DataFrame({"a": [1.0, float("inf"), 2.5, float("nan")], "y": [0, 1, 0, 1]})
    assert as_read(dqops.read(frame, target="y")).frame["a"].to_list() == [1.0, None, 2.5, None]


def test_few_rows_are_read_like_the_many():
    many = dqops.read(pl.DataFrame({"size": ["1", "2", "3", "4", "5", "x"], "y": [0, 1] * 3}), target="y")
    few = dqops.read(pl.DataFrame({"size": ["x"], "y": [0]}), target="y")
    assert as_read(few, like=many).frame["size"].to_list() == [None]
    assert as_read(few, like=many).frame["size"].dtype == pl.Float64
