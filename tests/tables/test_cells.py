"""Writing into copies of columns."""

import numpy as np
import polars as pl
import pytest

from dqops.tables.cells import leaving_classes, written


def test_the_column_that_is_written_into_stays_as_it_was():
    recorded = pl.Series("a", [1, 2, 3])
    assert written(recorded, np.array([1]), pl.Series([9])).to_list() == [1, 9, 3]
    assert recorded.to_list() == [1, 2, 3]


@pytest.mark.parametrize("labels", [["a"] * 8 + ["b"] * 6, [0] * 8 + [1] * 6, [False] * 8 + [True] * 6])
def test_no_class_is_emptied(labels):
    recorded = pl.Series("y", labels)
    few, most = np.array([8]), np.arange(8, 14)
    fresh = pl.Series([labels[0]] * 6)
    assert leaving_classes(recorded, few, fresh.head(1)).tolist() == [True]
    assert leaving_classes(recorded, most, fresh).tolist() == [False] * 6
    assert leaving_classes(recorded, most).tolist() == [False] * 6
    assert leaving_classes(recorded, np.append(0, most)).tolist() == [True] + [False] * 6
    assert leaving_classes(recorded, np.array([], dtype=int), fresh.head(0)).tolist() == []
