"""Repaired text is typed again as its file would be."""

import io

import polars as pl

import dqops
from dqops.tables.changes import read_again


def halves(sizes):
    """Two parts of a table that was read from text."""
    text = "size,y\n" + "".join(f"{size},{place % 2}\n" for place, size in enumerate(sizes))
    table = dqops.read(io.BytesIO(text.encode()), target="y")
    return table.take([0, 1]), table.take([2, 3])


def test_text_that_reads_as_numbers_throughout_is_numbers():
    train, test = (part.with_columns(pl.Series("size", ["1.5", "2"])) for part in halves(["x", "1", "2", "3 kg"]))
    assert [part.frame["size"].to_list() for part in read_again(train, test, {"size"})] == [[1.5, 2.0], [1.5, 2.0]]


def test_one_cell_that_is_no_number_keeps_the_text_in_both_parts():
    train, test = halves(["1", "2", "3", "4 kg"])
    for part in read_again(train, test, {"size", None}):
        assert part.frame["size"].dtype == pl.String
