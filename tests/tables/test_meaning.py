"""A column is read as a person would read it."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from dqops.tables.meaning import meaning_of
from dqops.tables.recorded import record


def read(cells, kind=None):
    raw = pl.Series("c", cells, dtype=pl.String)
    return meaning_of("c", raw, record(pl.DataFrame([raw]))["c"], kind)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.0 oz", 12.0), ("12.0 oz.", 12.0), ("12.0 ounce", 12.0), ("$5", 5.0), ("-$5.50", -5.5), ("€ 1,234.50", 1234.5),
        ("5 kg", 5.0), ("(12)", -12.0), ("1e3", 1000.0), ("1,234,567", 1234567.0), ("1.234,5", 1234.5), ("1 234", 1234.0),
        ("1'234.5", 1234.5), ("5k", 5000.0), ("$5M", 5e6), ("12,34,567", 1234567.0), (" 7 ", 7.0), ("−3", -3.0),
    ],
)  # fmt: skip
def test_a_dressed_number_is_a_number(text, number):
    meaning = read([*map(str, range(1, 30)), text])
    assert meaning.kind == "number"
    assert meaning.values[-1] == number


@pytest.mark.parametrize("text", ["12 Main St", "1.2.3", "1..2", "12-13", "(5", "abc", "1,2,3", "--5"])
def test_other_texts_among_numbers_are_unreadable(text):
    meaning = read([*map(str, range(1, 30)), text])
    assert meaning.kind == "number"
    assert meaning.unreadable.tolist() == [False] * 29 + [True]


def test_the_column_decides_what_a_comma_is():
    assert read(["1,5", "2,25", "1,234", "3,1"]).values.to_list() == [1.5, 2.25, 1.234, 3.1]
    assert read(["1,500", "2,250", "1,234", "3,100,000"]).values.to_list() == [1500, 2250, 1234, 3_100_000]


def test_a_percent_sign_scales_only_where_that_fits_the_rest():
    plain = [str(value / 1000) for value in range(40, 90)]
    assert read([*plain, "0.05%"]).values[-1] == 0.05
    assert read([*plain, "5%"]).values[-1] == 0.05


def test_units_are_brought_to_the_most_frequent_one():
    meaning = read(["70 kg", "65 kg", "81 kg", "90 kg", "72 kg", "68000 g"])
    assert (meaning.unit, meaning.values[-1]) == ("kg", 68.0)


@pytest.mark.parametrize("word", ["N/A", "?", "-", "n/a", "NULL", "unknown", "none", "--", "#N/A", "NaN"])
def test_words_for_missing_do_not_spoil_a_number_column(word):
    meaning = read(["1", "2.5", word, "4", ""])
    assert meaning.kind == "number"
    assert meaning.disguised.tolist() == [False, False, True, False, False]
    assert meaning.blank.tolist() == [False, False, False, False, True]


def test_none_is_a_value_among_words_and_unknown_is_not():
    meaning = read(["none", "bank", "stores", "none", "unknown", "bank", "none"])
    assert meaning.kind == "category"
    assert meaning.disguised.tolist() == [False] * 4 + [True, False, False]


def test_a_word_said_again_and_again_beside_numbers_stands_for_missing():
    meaning = read([f"{value}%" for value in range(40)] + ["not measured"] * 6)
    assert meaning.kind == "number"
    assert meaning.disguised.sum() == 6


@pytest.mark.parametrize("sentinel", ["-9999999", "-999", "999999", "99999.0", "-1e30"])
def test_sentinels_are_disguised(sentinel):
    meaning = read([str(value % 30) for value in range(100)] + [sentinel] * 5)
    assert meaning.disguised.sum() == 5
    assert meaning.values.max() == 29


@pytest.mark.parametrize("extreme", ["99", "-1", "120", "999", "-99"])
def test_numbers_near_the_rest_are_no_sentinels(extreme):
    meaning = read([str(value * 7 - 300) for value in range(100)] + [extreme] * 5)
    assert meaning.disguised.sum() == 0


def test_codes_are_not_quantities():
    assert read([f"{value:05d}" for value in range(700, 60_000, 97)]).kind == "identifier"
    assert read([f"{a}-{b}" for a, b in zip(range(100, 200), range(1000, 1100), strict=True)]).kind == "identifier"
    boats = ["1", "2", "3", "4", "5", "6", "7", "8", "9"] * 9 + ["A", "B", "C", "D", "13 15", "5 7"] * 3
    assert read(boats).kind == "category"
    addresses = [f"{number} {name} street" for number in range(10) for name in ("oak", "elm", "ash", "main", "high")]
    assert read(addresses).kind == "text"


def test_dates_in_several_forms():
    meaning = read(["2011-01-31", "31/01/2011", "1 Feb 2011", "2011-02-30", "", "20110203", "2011-03-04 05:06"])
    assert meaning.kind == "date"
    assert meaning.values[1] == dt.datetime(2011, 1, 31)
    assert meaning.values[2] == dt.datetime(2011, 2, 1)
    assert meaning.values[6] == dt.datetime(2011, 3, 4, 5, 6)
    assert meaning.unreadable.tolist() == [False, False, False, True, False, False, False]


def test_month_or_day_first_as_the_unambiguous_cells_have_it():
    assert read(["03/04/2011", "13/05/2011", "01/02/2012"]).values[0] == dt.datetime(2011, 4, 3)
    assert read(["03/04/2011", "05/13/2011", "01/02/2012"]).values[0] == dt.datetime(2011, 3, 4)


def test_eight_digits_are_a_date_and_bad_ones_are_unreadable():
    meaning = read([f"19{year}{month:02d}15" for year in range(50, 80) for month in range(1, 13)] + ["19801341"])
    assert (meaning.kind, meaning.recorded_as) == ("date", "number")
    assert meaning.unreadable.sum() == 1


def test_kinds_of_words():
    assert read(["True", "False", "True"]).kind == "boolean"
    assert read(["true", "FALSE", "T", "f", "true", "maybe", *["false"] * 20]).kind == "boolean"
    assert read(["red", "blue"] * 30).kind == "category"
    assert read([f"this is the long remark number {n} of a person" for n in range(50)]).kind == "text"
    assert read([None, "", " "]).kind == "empty"


@pytest.mark.parametrize(
    "series",
    [
        pl.Series("c", [], dtype=pl.String), pl.Series("c", [], dtype=pl.Int64), pl.Series("c", [None], dtype=pl.Null),
        pl.Series("c", ["x"]), pl.Series("c", [1.0, None, float("nan"), float("inf")]), pl.Series("c", [True, None]),
        pl.Series("c", [[1], [2]]), pl.Series("c", [{"a": 1}, None]), pl.Series("c", [b"a", None]),
        pl.Series("c", [dt.date(2020, 1, 1), None]), pl.Series("c", [dt.time(1), None]), pl.Series("c", [dt.timedelta(1), None]),
        pl.Series("c", ["a", "b"], dtype=pl.Categorical), pl.Series("c", [1, 2], dtype=pl.UInt8),
    ],
    ids=lambda series: str(series.dtype),
)  # fmt: skip
def test_any_dtype_has_a_meaning(series):
    meaning = meaning_of("c", series, series)
    for mask in (meaning.blank, meaning.disguised, meaning.unreadable, meaning.known):
        assert mask.dtype == bool
        assert len(mask) == len(series)
    assert not np.any(meaning.known & (meaning.blank | meaning.disguised | meaning.unreadable))


def test_nan_is_blank_and_infinity_unreadable():
    series = pl.Series("c", [1.0, None, float("nan"), float("inf")])
    meaning = meaning_of("c", series, series)
    assert meaning.blank.tolist() == [False, True, True, False]
    assert meaning.unreadable.tolist() == [False, False, False, True]


def test_a_batch_is_read_as_the_column_was():
    assert read(["12.0 oz"], "number").values.to_list() == [12.0]
    assert read([".."], "number").disguised.tolist() == [True]
    assert read(["31/01/2011"], "date").kind == "date"
    assert read(["01907"], "identifier").values.to_list() == ["01907"]
