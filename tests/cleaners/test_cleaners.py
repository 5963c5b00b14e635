"""Repairs: what they learn from training rows they do alike at serving."""

import numpy as np
import polars as pl
import pytest

import dqops
import dqops.detectors
from dqops.cleaners.columns import DropColumn
from dqops.cleaners.impute import EmptyDisguised, FillPredicted, FillTypical
from dqops.cleaners.numbers import ParseNumbers, TameOutliers
from dqops.cleaners.rows import DropRepeats
from dqops.cleaners.suggested import WriteSuggestion
from dqops.contracts import Cleaner, Detector
from dqops.tables.cells import in_type_of, written


class _Marked(Detector):
    """A detector that doubts stated cells."""

    def __init__(self, column, positions, suggestions=None):
        self.name = "marked"
        self.marks = column, positions, suggestions

    def find(self, table):
        column, positions, suggestions = self.marks
        inside = [place for place in positions if place < table.n_rows]
        series = None if suggestions is None else pl.Series(suggestions[: len(inside)])
        return self.findings([self.finding(table, column, inside, 0.9, "marked", "marked cells", suggestions=series)])


def table_of(**columns):
    return dqops.read(pl.DataFrame(columns), target="y")


def fitted(cleaner, table, detector, column):
    return cleaner.fit(table, detector, column, np.random.default_rng(0))


def test_every_cleaner_tells_what_it_does():
    for name, cleaner in Cleaner.known().items():
        assert cleaner.name == name
        assert cleaner().fitted(column="age").action()


def test_text_is_parsed_as_numbers_with_the_range_of_the_training_rows():
    train = table_of(size=["1", "2", "3 kg", "4", "1e9", "x", "2", "3"] * 4, y=[0, 1] * 16)
    serving = table_of(size=["5 kg", "1e9", "?"], y=[0, 1, 0])
    detector = Detector.named("formats")().fit(train, None, np.random.default_rng(0))
    parsed = fitted(ParseNumbers("blank"), train, detector, "size")
    assert parsed.repair(train).frame["size"].to_list()[:6] == [1.0, 2.0, 3.0, 4.0, None, None]
    assert parsed.repair(serving).frame["size"].to_list() == [5.0, None, None]
    assert train.frame["size"].dtype == pl.String


def test_outliers_are_emptied_or_made_typical():
    table = table_of(size=[1.0, 2.0, 3.0, 4.0, 5.0, 1e6], y=[0, 1] * 3)
    detector = _Marked("size", [5])
    assert fitted(TameOutliers("blank"), table, detector, "size").repair(table).frame["size"][5] is None
    assert fitted(TameOutliers("typical"), table, detector, "size").repair(table).frame["size"][5] == 3.5


def test_empty_cells_get_the_typical_value_of_training_rows():
    train = table_of(age=[1.0, None, 3.0, 100.0], city=["a", "a", None, "b"], y=[0, 1, 0, 1])
    serving = table_of(age=[None, 7.0], city=[None, "b"], y=[0, 1])
    nothing = _Marked("age", [])
    assert fitted(FillTypical(), train, nothing, "age").repair(serving).frame["age"].to_list() == [3.0, 7.0]
    assert fitted(FillTypical(), train, nothing, "city").repair(serving).frame["city"].to_list() == ["a", "b"]


def test_disguised_cells_become_empty_and_nothing_else_changes():
    table = table_of(age=[1, -999, 3, 4], y=[0, 1, 0, 1])
    repaired = fitted(EmptyDisguised(), table, _Marked("age", [1]), "age").repair(table)
    assert repaired.frame["age"].to_list() == [1, None, 3, 4]
    assert repaired.frame["y"].to_list() == table.frame["y"].to_list()


def test_cells_that_follow_from_others_are_predicted(rng):
    kind = rng.choice(["a", "b"], 200)
    weight = np.where(kind == "a", 10.0, 20.0) + rng.normal(0, 0.1, 200)
    holes = [None if hole else one for one, hole in zip(kind.tolist(), rng.random(200) < 0.2, strict=True)]
    table = table_of(kind=holes, weight=weight, y=rng.integers(2, size=200))
    repaired = fitted(FillPredicted(), table, _Marked("kind", []), "kind").repair(table)
    assert (repaired.frame["kind"].to_numpy() == kind).mean() > 0.98


def test_suggestions_are_written_and_the_rest_kept():
    table = table_of(city=["paris", "pariss", "rome"], y=[0, 1, 0])
    repaired = fitted(WriteSuggestion(), table, _Marked("city", [1], ["paris"]), "city").repair(table)
    assert repaired.frame["city"].to_list() == ["paris", "paris", "rome"]


def test_repeats_are_dropped_from_training():
    table = table_of(a=[1, 2, 1], y=[0, 1, 0])
    repaired = fitted(DropRepeats(), table, _Marked(None, [2]), None).repair(table)
    assert repaired.row_ids.to_list() == [0, 1]


def test_a_dropped_column_is_no_feature():
    table = table_of(a=[1, 2, 1], b=[1, 2, 3], y=[0, 1, 0])
    assert fitted(DropColumn(), table, None, "a").repair(table).features == ["b"]


@pytest.mark.parametrize(
    ("values", "recorded", "expected"),
    [
        (pl.Series([1.0, 2.5]), pl.Series(["x"]), ["1", "2.5"]),
        (pl.Series(["3", "y"]), pl.Series([1]), [3, None]),
        (pl.Series([1.6, None]), pl.Series([1]), [2, None]),
        (pl.Series(["true", "no"]), pl.Series([True]), [True, None]),
    ],
)
def test_values_take_the_recorded_type(values, recorded, expected):
    assert in_type_of(values, recorded).to_list() == expected


def test_null_suggestions_leave_a_cell_as_it_is():
    assert written(pl.Series("a", ["x", "y"]), np.array([0, 1]), pl.Series([None, "z"])).to_list() == ["x", "z"]
