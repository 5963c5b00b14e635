"""Remembered encodings are those that would have been made."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from skrub import StringEncoder, TableVectorizer

from dqops.models import encoding
from dqops.models.encoding import TableEncoder

ROWS = 120


def table(kind=pd.DataFrame, start=0):
    """Numbers, words, long text, dates, holes, a boolean, an empty column."""
    rng = np.random.default_rng(start)
    words = [f"{one} {two} {row % 97}" for row, (one, two) in enumerate(zip(["red", "green", "blue"] * 40, ["house", "boat"] * 60, strict=True))]
    return kind(
        {
            "number": np.where(rng.random(ROWS) < 0.1, np.nan, rng.normal(size=ROWS)),
            "whole": rng.integers(0, 9, ROWS),
            "word": rng.choice(["a", "b", "c"], ROWS).tolist(),
            "two": rng.choice(["yes", "no"], ROWS).tolist(),
            "text": rng.permutation(words).tolist(),
            "day": [f"2020-01-{1 + row % 28:02d}" for row in range(ROWS)],
            "flag": (rng.random(ROWS) < 0.5).tolist(),
            "empty": [None] * ROWS,
        }
    )


def encoders(**options):
    text = StringEncoder(n_components=4, random_state=0)
    return TableEncoder(high_cardinality=text, **options), TableVectorizer(high_cardinality=text, **options)


def assert_same(ours, theirs):
    """To the last digits: text is encoded by iterations that may differ in them."""
    if isinstance(ours, pd.DataFrame):
        pd.testing.assert_frame_equal(ours, theirs, rtol=1e-5, atol=1e-5)
    else:
        assert ours.schema == theirs.schema
        pd.testing.assert_frame_equal(ours.to_pandas(), theirs.to_pandas(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_the_answers_are_those_of_skrub(kind):
    ours, theirs = encoders()
    for _ in range(2):
        assert_same(ours.fit_transform(table(kind)), theirs.fit_transform(table(kind)))
        assert_same(ours.transform(table(kind, start=1)), theirs.transform(table(kind, start=1)))
    assert list(ours.get_feature_names_out()) == list(theirs.get_feature_names_out())


def test_only_what_changed_is_encoded_anew(monkeypatch):
    monkeypatch.setattr(encoding, "_MEMORY", encoding._Memory())
    seen = []
    told = TableVectorizer.fit_transform
    monkeypatch.setattr(TableVectorizer, "fit_transform", lambda self, X, y=None: (seen.extend(X.columns), told(self, X))[1])
    first = table(start=5)
    encoders()[0].fit_transform(first)
    assert seen == [name for name in first.columns if name not in ("number", "whole")]
    seen.clear()
    encoders()[0].fit_transform(first.assign(number=first["number"].fillna(0.0), word=first["word"].str.upper()))
    assert seen == ["word"]


NUMBERS = {
    "floats": [0.1, float("nan"), 1e300, float("-inf"), 5.0, 7.0],
    "whole": [1, 2**62, -3, 0, 5, 6],
    "unsigned": np.array([0, 1, 2**64 - 1, 3, 4, 5], dtype=np.uint64),
    "half": np.array([0, 1, 2, 3, 4, 5], dtype=np.float16),
    "constant": [1.0] * 6,
    "empty": [float("nan")] * 6,
}


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_numbers_are_made_single_as_skrub_makes_them(kind):
    ours, theirs = encoders()
    frame = kind({name: cells for name, cells in NUMBERS.items() if kind is pd.DataFrame or name != "half"})
    assert_same(ours.fit_transform(frame), theirs.fit_transform(frame))
    other = kind({name: ["1", "x", None, "2.5", " 3", "?"] if name in ("floats", "whole") else NUMBERS["floats"] for name in frame.columns})
    assert_same(ours.transform(other), theirs.transform(other))


def test_another_column_or_setting_is_another_answer():
    ours = encoders()[0].fit_transform(table())
    assert not ours["number"].equals(encoders()[0].fit_transform(table(start=3))["number"])
    fewer = TableEncoder(high_cardinality=StringEncoder(n_components=2, random_state=0)).fit_transform(table())
    assert fewer.shape[1] == ours.shape[1] - 2


def test_the_index_is_the_callers():
    ours, _ = encoders()
    ours.fit_transform(table())
    again = ours.fit_transform(table().set_axis(range(100, 100 + ROWS)))
    assert list(again.index) == list(range(100, 100 + ROWS))


def test_names_that_meet_are_told_apart():
    frame = pd.DataFrame({"a": ["x", "y", "z"] * 10, "a_x": range(30)})
    assert list(encoders()[0].fit_transform(frame).columns) == ["a_x", "a_y", "a_z", "a_x_2"]


def test_other_columns_are_refused():
    ours, _ = encoders()
    ours.fit_transform(table())
    with pytest.raises(ValueError, match="'more'"):
        ours.transform(table().assign(more=1))


def test_the_memory_does_not_grow_without_end(monkeypatch):
    monkeypatch.setattr(encoding, "_MEMORY", encoding._Memory())
    monkeypatch.setattr(encoding, "_MOST_BYTES", 50_000)
    for start in range(20):
        encoders()[0].fit_transform(table(start=start)[["word", "two"]])
    assert encoding._MEMORY.held <= 50_000
    assert encoding._MEMORY.held == sum(encoding._size(kept[-1]) for kept in encoding._MEMORY.kept.values())
