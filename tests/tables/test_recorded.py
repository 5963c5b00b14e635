"""The recorded view agrees with what pandas.read_csv gives a model."""

import io

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dqops.tables.frames import to_pandas
from dqops.tables.io import read
from dqops.tables.recorded import READ_AS_MISSING, beyond_int64, record

SETS = [
    "adult/table", "babyproduct/dirty", "bank8fm_missing/dirty_mnar_50", "beers/dirty", "bike/dirty",
    "california_housing/blocks", "credit_data/table", "crowd_mozafari/labels", "electricity/stream",
    "employment_ma/people", "febrl3/records", "fodors_zagats/records", "german_credit/table", "har/dirty",
    "hospital/dirty", "label_errors_cifar10/labels", "label_errors_imdb/labels", "lending_club/table",
    "nasa/dirty", "penguins/raw", "tax/dirty", "titanic/table", "youtube_weak_labels/comments",
]  # fmt: skip


def assert_same_cells(recorded, expected):
    """Both frames hold the same values under dtypes of the same sort."""
    assert recorded.columns == list(expected.columns)
    assert recorded.height == len(expected)
    for name in recorded.columns:
        ours, theirs = recorded[name], expected[name]
        if ours.dtype.is_numeric():
            theirs = theirs.to_numpy(dtype=float)
            np.testing.assert_allclose(ours.cast(pl.Float64).to_numpy(), theirs, rtol=1e-14, atol=1e-300, err_msg=name)
        else:
            assert ours.to_list() == theirs.astype(object).where(theirs.notna(), None).to_list(), name


@pytest.mark.parametrize("name", SETS)
def test_shared_sets_are_typed_as_pandas_types_them(shared, name):
    path = shared(f"{name}.csv.gz")
    recorded, expected = read(path).frame, pd.read_csv(path, low_memory=False)
    assert_same_cells(recorded, expected)
    for column, dtype in expected.dtypes.items():
        assert recorded[column].dtype.is_numeric() == (dtype.kind in "if"), column


NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.floats(allow_nan=False, width=64).map(repr),
    st.sampled_from(["+1", " 2", "3 ", "4.", ".5", "1e5", "1E-3", "007", "inf", "-Infinity", "\t6", "-0.0", "1e400"]),
)
WORDS = st.sampled_from(
    ["1_0", "0x1f", "1,5", "- 1", "1\xa0", "NAN", " nan", "nan ", "+nan", "12.0 oz", "1e", ".", "yes", "0.05%", "１"]
)
EMPTY = st.sampled_from(READ_AS_MISSING)
TRUTHS = st.sampled_from(["True", "False", "TRUE", "false", "tRue"])
CELLS = st.one_of(
    st.lists(st.one_of(NUMBERS, EMPTY), min_size=1, max_size=8),
    st.lists(st.one_of(NUMBERS, EMPTY, WORDS), min_size=1, max_size=8),
    st.lists(st.one_of(TRUTHS, EMPTY), min_size=1, max_size=8),
    st.lists(st.one_of(TRUTHS, NUMBERS, WORDS), min_size=1, max_size=8),
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n\"\ufeff", exclude_categories=["Cs"]))),
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(CELLS)
def test_made_columns_are_typed_as_pandas_types_them(cells):
    text = "a,b\n" + "".join(f'"{cell}",x\n' for cell in cells)
    expected = pd.read_csv(io.StringIO(text), low_memory=False)["a"]
    ours = record(pl.DataFrame({"a": pl.Series(cells, dtype=pl.String)}))["a"]
    if expected.dtype.kind in "iuf" and len(cells):
        assert ours.dtype.is_numeric()
        np.testing.assert_allclose(
            ours.cast(pl.Float64).to_numpy(), expected.to_numpy(float), rtol=1e-14, atol=1e-300
        )
    else:
        assert ours.to_list() == [None if pd.isna(cell) else cell for cell in expected]


def test_a_glimpse_without_cells_does_not_decide():
    cells = [""] * 200 + ["1", "2"]
    assert record(pl.DataFrame({"a": cells}))["a"].dtype == pl.Int64
    assert record(pl.DataFrame({"a": ["1"] * 200 + ["x"]}))["a"].dtype == pl.String
    assert record(pl.DataFrame({"a": ["1"] * 200 + ["1.5"]}))["a"].dtype == pl.Float64


def test_whole_numbers_beyond_64_bits_become_floats_and_are_told():
    raw = pl.DataFrame({"a": ["1", "36893488147419103232", ""], "b": ["1.5", "1e300", "2"], "c": ["1", "2", "x"]})
    frame = record(raw)
    assert frame["a"].to_list() == [1.0, 2.0**65, None]
    assert beyond_int64(raw, frame) == ["a"]


def test_empty_columns_and_tables():
    frame = record(pl.DataFrame({"a": ["", "NA"], "b": pl.Series([None, None], dtype=pl.String)}))
    assert frame.dtypes == [pl.Float64, pl.Float64]
    assert record(pl.DataFrame({"a": pl.Series([], dtype=pl.String)})).height == 0
    assert record(pl.DataFrame()).width == 0


def test_frames_go_out_as_pandas_reads_them(tmp_path):
    (tmp_path / "a.csv").write_text("a,b,c,d\n1,x,True,2.5\n,,False,\n3,z,True,1\n")
    out, expected = to_pandas(read(tmp_path / "a.csv").frame), pd.read_csv(tmp_path / "a.csv")
    pd.testing.assert_frame_equal(out, expected)
