"""Nearest rows in nested subsets against their definition."""

import numpy as np
import pytest
from naive import nested as naive

from dqops.kernels import nested


def case(rng, n_rows, n_queries, n_columns, n_blocks, levels=None):
    rows = rng.normal(size=(n_columns, n_rows)) if levels is None else rng.integers(levels, size=(n_columns, n_rows))
    asked = rng.normal(size=(n_columns, n_queries)) if levels is None else rng.integers(levels, size=(n_columns, n_queries))
    starts = np.round(np.linspace(0, n_rows, n_blocks + 1)).astype(np.int64)
    return np.ascontiguousarray(rows, dtype=np.float32), starts, np.ascontiguousarray(asked, dtype=np.float32)


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("pair", [(0, 0), (0, 1), (1, 0), (7, 123_456), (20_000, 3)])
def test_ties_are_ordered_as_defined(pair):
    assert int(nested.tie_order(*pair)) == naive.tie_order(*pair)


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize(
    ("n_rows", "n_queries", "n_columns", "n_blocks", "levels", "kept", "k"),
    [
        (1, 1, 1, 1, None, 8, 1),
        (3, 2, 2, 1, None, 8, 5),  # k beyond n
        (8, 3, 2, 8, None, 2, 2),  # a block holds one row
        (21, 5, 3, 4, None, 8, 3),
        (40, 6, 2, 8, 2, 3, 4),  # most distances are ties
        (16, 4, 1, 2, 1, 8, 3),  # all rows are equal
    ],
)
def test_neighbours_are_those_of_the_definition(rng, n_rows, n_queries, n_columns, n_blocks, levels, kept, k):
    columns, starts, queries = case(rng, n_rows, n_queries, n_columns, n_blocks, levels)
    group, asked = rng.integers(max(2, n_rows // 2), size=n_rows), rng.integers(max(2, n_rows // 2), size=n_queries)
    found = nested.nearest_in_nested(columns, starts, group, queries, asked, kept, k)
    told = naive.nearest_in_nested(columns, starts, group, queries, asked, kept, k)
    np.testing.assert_array_equal(found[0], told[0])
    np.testing.assert_array_equal(found[1], told[1])


def test_a_row_is_not_its_own_neighbour_and_larger_subsets_come_nearer(rng):
    columns, starts, _ = case(rng, 700, 1, 3, 8)
    own = np.arange(700)
    rows, squares = nested.nearest_in_nested(columns, starts, own, columns, own, 8, 2)
    assert (rows != own[:, None, None]).all()
    assert (squares[:, :, 0] <= squares[:, :, 1]).all()
    # All rows; the nearer of two halves; the nearest of four quarters; of eight eighths: all the same row.
    for level, part in ((0, slice(0, 1)), (1, slice(1, 3)), (2, slice(3, 7)), (3, slice(7, 15))):
        np.testing.assert_array_equal(squares[:, part, 0].min(axis=1), squares[:, 0, 0], err_msg=str(level))


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_equal_rows_lend_each_query_another_label(rng):
    columns = np.zeros((1, 60), dtype=np.float32)
    own = np.arange(60)
    rows, _ = nested.nearest_in_nested(columns, np.array([0, 60]), own, columns, own, 1, 1)
    assert len(np.unique(rows)) > 20
