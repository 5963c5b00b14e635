"""What array users hand over: made plain, or refused in one sentence."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from dqops.errors import DataError, OptionError
from dqops.valuers.arrays import (
    check_memory,
    check_rows,
    coded_labels,
    feature_array,
    feature_arrays,
    number_targets,
    task_of_targets,
)

CELLS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0]])


@pytest.mark.parametrize(
    "given",
    [
        CELLS,
        CELLS.tolist(),
        CELLS.astype(int),
        CELLS.astype(np.float16),
        CELLS.astype(object),
        np.asfortranarray(CELLS),
        np.repeat(CELLS, 2, axis=1)[:, ::2],
        np.ma.masked_array(CELLS, mask=np.zeros((3, 2), bool)),
        pd.DataFrame(CELLS, columns=["a", "b"]),
        pd.DataFrame(CELLS, columns=["a", "a"]),
        pd.DataFrame({"a": pd.array([1, 3, 5], dtype="Int64"), "b": [2, 4, 0]}),
        pd.DataFrame({"a": [1, 3, 5], "b": pd.arrays.SparseArray([2, 4, 0])}),
        pd.DataFrame({"a": pd.Series([1, 3, 5], dtype=object), "b": [2, 4, 0]}),
        pl.DataFrame({"a": [1, 3, 5], "b": [2.0, 4.0, 0.0]}),
        sparse.csr_matrix(CELLS),
        sparse.coo_array(CELLS),
    ],
)
def test_features_become_contiguous_floats(given):
    array = feature_array(given)
    assert array.dtype == np.float64
    assert array.flags.c_contiguous
    assert np.array_equal(array, CELLS)


@pytest.mark.parametrize(
    "given",
    [
        CELLS.astype(np.float32),
        np.asfortranarray(CELLS.astype(np.float32)),
        pd.DataFrame(CELLS.astype(np.float32)),
        pl.DataFrame(CELLS.astype(np.float32)),
        sparse.csr_matrix(CELLS.astype(np.float32)),
    ],
)
def test_single_precision_is_kept(given):
    array = feature_array(given)
    assert array.dtype == np.float32
    assert np.array_equal(array, CELLS)


def test_booleans_are_numbers():
    assert feature_array(np.array([[True, False]])).tolist() == [[1.0, 0.0]]
    assert feature_array(pl.DataFrame({"a": [True, False]})).tolist() == [[1.0], [0.0]]
    assert feature_array(pd.DataFrame({"a": [True, False]})).tolist() == [[1.0], [0.0]]


def test_what_is_plain_already_is_not_copied():
    assert feature_array(CELLS) is CELLS


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([[1, np.nan], [3, 4]], "column 1 is missing in 1 row of 2 .first: row 0."),
        ([[1, 2], [np.inf, 4]], "column 0 is infinite in 1 row of 2 .first: row 1."),
        ([[np.inf, 2], [np.nan, 4]], "column 0 is missing or infinite in 2 rows of 2"),
        ([[np.nan, np.nan, np.nan]], "and 2 other columns have such rows"),
        ([[1, None], [3, 4]], "column 1 is missing in 1 row"),
        (pd.DataFrame({"height": [1.0, np.nan]}), "column 'height' is missing in 1 row of 2"),
        (pd.DataFrame({"height": pd.array([1, None], dtype="Int64")}), "column 'height' is missing in 1 row of 2"),
        (pl.DataFrame({"height": [1, None]}), "column 'height' is missing in 1 row of 2"),
        (np.ma.masked_array(CELLS, mask=CELLS == 0), "column 1 is missing in 1 row of 3"),
        (sparse.csr_matrix([[np.nan, 1.0]]), "column 0 is missing"),
        ([["1", "2"]], "X holds text"),
        ([[1, "red"]], "X holds text"),
        (np.array([[1, "red"]], dtype=object), "column 1 holds 'red' in row 0"),
        (np.array([[1j]]), "complex"),
        (np.array([[np.datetime64("2020-01-01")]]), "dates"),
        (np.array([[object()]]), "column 0 holds <object"),
        (pd.DataFrame({"colour": ["red", "blue"]}), "column 'colour' holds text"),
        (pd.DataFrame({"colour": pd.Categorical(["red", "blue"])}), "column 'colour' holds text"),
        (pd.DataFrame({"mixed": ["red", 1]}), "column 'mixed' holds text"),
        (pd.DataFrame({"day": pd.to_datetime(["2020-01-01"])}), "column 'day' holds datetime64"),
        (pl.DataFrame({"colour": ["red", "blue"]}), "column 'colour' holds text"),
        (pl.LazyFrame({"a": [1]}), "lazy frame; need a collected one"),
        ([1, 2, 3], r"shape \(3,\); need rows and columns; X.reshape\(-1, 1\)"),
        (np.ones((2, 2, 2)), r"shape \(2, 2, 2\)"),
        ([[1, 2], [3]], "rows of different lengths"),
        (np.empty((0, 3)), "no rows"),
        (np.empty((3, 0)), "no columns"),
        (pd.DataFrame(), "no rows"),
        (pd.Series([1.0, 2.0]), r"shape \(2,\)"),
        (pl.Series([1.0, 2.0]), r"shape \(2,\)"),
        (7, "X is 7"),
        (None, "X is None"),
    ],
)
def test_features_that_cannot_be_used_are_refused_in_a_sentence(given, said):
    with pytest.raises(DataError, match=said):
        feature_array(given)


def test_a_sparse_matrix_that_does_not_fit_is_refused_before_it_is_made_dense():
    huge = sparse.csr_matrix((10**6, 10**6))
    with pytest.raises(DataError, match="takes 8000"):
        feature_array(huge)
    with pytest.raises(DataError, match="need at most 100 bytes"):
        feature_array(sparse.csr_matrix(np.ones((10, 10))), max_bytes=100)


def test_both_sides_have_the_same_columns():
    train, holdout = feature_arrays(CELLS.astype(np.float32), CELLS[:1])
    assert train.dtype == holdout.dtype == np.float64
    with pytest.raises(DataError, match="X has 2 columns and X_holdout 1"):
        feature_arrays(CELLS, CELLS[:, :1])
    with pytest.raises(DataError, match="another order"):
        feature_arrays(pd.DataFrame(CELLS, columns=["a", "b"]), pd.DataFrame(CELLS, columns=["b", "a"]))
    with pytest.raises(DataError, match="X_holdout has no rows"):
        feature_arrays(CELLS, CELLS[:0])


@pytest.mark.parametrize(
    ("given", "classes"),
    [
        (["b", "a", "b"], ["a", "b"]),
        (np.array(["b", "a", "b"]), ["a", "b"]),
        (np.array(["b", "a", "b"], dtype=object), ["a", "b"]),
        (np.array(["b", "a", "b"], dtype=np.dtypes.StringDType()), ["a", "b"]),
        (pd.Series(["b", "a", "b"]), ["a", "b"]),
        (pd.Series(["b", "a", "b"], dtype="category"), ["a", "b"]),
        (pd.Categorical(["b", "a", "b"], categories=["b", "a", "never"]), ["a", "b"]),
        (pl.Series(["b", "a", "b"]), ["a", "b"]),
        (pl.Series(["b", "a", "b"], dtype=pl.Categorical), ["a", "b"]),
        ([True, False, True], [False, True]),
        ([7, 3, 7], [3, 7]),
        ([0.5, -1.0, 0.5], [-1.0, 0.5]),
        (np.array([7, 3, 7], dtype=object), [3, 7]),
        (np.array([[7], [3], [7]]), [3, 7]),
        (pd.DataFrame({"y": [7, 3, 7]}), [3, 7]),
        (pl.DataFrame({"y": [7, 3, 7]}), [3, 7]),
        (np.array([7, 3, 7], dtype=np.uint8), [3, 7]),
        (np.array([7, -3, 7]), [-3, 7]),
        (np.array([2**62, 3, 2**62]), [3, 2**62]),
        (np.array([2**64 - 1, 3, 2**64 - 1], dtype=np.uint64), [3, 2**64 - 1]),
        (pd.Series([7, 3, 7], dtype="Int64"), [3, 7]),
    ],
)
def test_labels_of_any_kind_are_coded_in_sorted_order(given, classes):
    labels = coded_labels(given)
    assert labels.codes.dtype == np.int64
    assert labels.codes.tolist() == [1, 0, 1]
    assert labels.classes.tolist() == classes
    assert labels.holdout is None


def test_a_holdout_class_unseen_in_training_comes_after_the_others():
    labels = coded_labels([5, 9, 5], [1, 9, 7, 5])
    assert labels.classes.tolist() == [5, 9, 1, 7]
    assert labels.holdout.tolist() == [2, 1, 3, 0]
    assert labels.n_trained == 2
    assert np.array_equal(labels.classes[labels.holdout], [1, 9, 7, 5])


def test_one_class_is_legal():
    assert coded_labels(["a", "a"]).codes.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "y has no rows"),
        ("yes", "y is 'yes'"),
        (np.ones((2, 2)), r"y has shape \(2, 2\); need one entry a row"),
        ([1.0, np.nan], "y is missing in 1 row of 2 .first: row 1."),
        (["a", None], "y is missing in 1 row of 2"),
        (pd.Series(["a", pd.NA]), "y is missing"),
        (pd.Series([1, None], dtype="Int64"), "y is missing"),
        (pl.Series(["a", None]), "y is missing"),
        (np.array(["a", 1], dtype=object), "text in 1 row and other things in 1"),
        (np.array([object(), object()]), "y holds <object"),
        ([1j, 2j], "complex"),
    ],
)
def test_labels_that_cannot_be_used_are_refused_in_a_sentence(given, said):
    with pytest.raises(DataError, match=said):
        coded_labels(given)


def test_text_is_no_number():
    with pytest.raises(DataError, match="y holds numbers and y_holdout"):
        coded_labels([0, 1], ["0", "1"])


@pytest.mark.parametrize("given", [[1, 2.5], np.array([1, 2.5], dtype=np.float32), np.array([1, 2.5], dtype=object), pl.Series([1.0, 2.5]), pd.Series([1, 2.5])])
def test_targets_are_numbers(given):
    numbers = number_targets(given)
    assert numbers.dtype == np.float64
    assert numbers.tolist() == [1.0, 2.5]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["1", "2"], "y holds text; need numbers"),
        (np.array([1, "2"], dtype=object), "y holds text"),
        ([1.0, np.nan, np.nan], "y is missing in 2 rows of 3 .first: row 1."),
        ([1.0, None], "y is missing"),
        ([1.0, np.inf], "y is infinite in 1 row of 2"),
        (np.array([object()]), "need numbers"),
        ([1j], "complex"),
        ([], "no rows"),
    ],
)
def test_targets_that_cannot_be_used_are_refused_in_a_sentence(given, said):
    with pytest.raises(DataError, match=said):
        number_targets(given)


@pytest.mark.parametrize(
    ("given", "task"),
    [
        ([0, 1, 5, 7], "classification"),
        (["a", "b"], "classification"),
        ([True, False], "classification"),
        ([0.0, 1.0, 1.0], "classification"),
        ([0.1, 0.9, 0.1], "classification"),
        (np.tile([1.0, 2.0, 3.0], 10), "classification"),
        ([1.0, 2.0, 3.0], "regression"),
        ([1.5, 2.0, 3.0], "regression"),
        (np.arange(100.0), "regression"),
    ],
)
def test_the_task_is_read_from_the_targets(given, task):
    assert task_of_targets(given) == task


def test_the_task_may_be_told():
    assert task_of_targets([0, 1], "regression") == "regression"
    with pytest.raises(OptionError, match="task='guess'"):
        task_of_targets([0, 1], "guess")


def test_rows_and_memory_are_checked():
    check_rows(2, 2)
    check_memory(10, 10, "this")
    with pytest.raises(DataError, match="X_holdout has 1 row and y_holdout 2"):
        check_rows(1, 2, "X_holdout", "y_holdout")
    with pytest.raises(DataError, match="this takes 11 bytes; need at most 10 bytes"):
        check_memory(11, 10, "this")
