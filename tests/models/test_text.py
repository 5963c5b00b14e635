"""Remembered encodings are those that would have been made."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from skrub import StringEncoder, TableVectorizer

from dqops.models.text import TextEncoder

WORDS = [f"{one} {two}" for one in ("red", "green", "blue", "grey") for two in ("house", "boat", "tree", "stone", "river")] * 3


@pytest.mark.parametrize("series", [pd.Series, pl.Series], ids=["pandas", "polars"])
def test_the_answers_are_those_of_skrub(series):
    train, test = series(WORDS[:40]), series([*WORDS[40:50], None])
    ours, theirs = (kind(n_components=5, random_state=0) for kind in (TextEncoder, StringEncoder))
    for _ in range(2):
        np.testing.assert_array_equal(np.asarray(ours.fit_transform(train)), np.asarray(theirs.fit_transform(train)))
        np.testing.assert_array_equal(np.asarray(ours.transform(test)), np.asarray(theirs.transform(test)))


def test_another_column_or_setting_is_another_answer():
    first = TextEncoder(n_components=5, random_state=0).fit_transform(pd.Series(WORDS))
    other = TextEncoder(n_components=5, random_state=0).fit_transform(pd.Series(WORDS[::-1]))
    fewer = TextEncoder(n_components=3, random_state=0).fit_transform(pd.Series(WORDS))
    assert not np.array_equal(first, other)
    assert fewer.shape[1] == 3


def test_the_index_is_the_callers():
    encoder = TextEncoder(n_components=2, random_state=0)
    encoder.fit_transform(pd.Series(WORDS))
    again = encoder.fit_transform(pd.Series(WORDS, index=range(100, 100 + len(WORDS))))
    assert list(again.index) == list(range(100, 100 + len(WORDS)))


def test_it_works_inside_the_vectorizer():
    frame = pd.DataFrame({"a": [f"{w} {k}" for k, w in enumerate(WORDS)], "b": range(len(WORDS))})
    vectorizer = TableVectorizer(high_cardinality=TextEncoder(n_components=4, random_state=0))
    first = vectorizer.fit_transform(frame)
    pd.testing.assert_frame_equal(first, vectorizer.transform(frame), check_exact=False, atol=1e-4)
