"""Repairs: what they learn from training rows they do alike at serving."""

import pickle

import numpy as np
import polars as pl
import pytest

import dqops
import dqops.detectors
from dqops.cleaners.columns import DropColumn
from dqops.cleaners.foretelling import Later
from dqops.cleaners.impute import EmptyColumn, EmptyDisguised, FillPredicted, FillTypical
from dqops.cleaners.likeliest import WriteLikeliest
from dqops.cleaners.neighbours import FillDonors, FillIterative, FillNeighbours
from dqops.cleaners.numbers import ParseNumbers, TameOutliers
from dqops.cleaners.rows import DropRepeats, MendTarget, MergeRepeats
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


@pytest.mark.parametrize("cleaner", [TameOutliers("predict"), ParseNumbers("predict")])
def test_wild_cells_get_what_the_other_columns_foretell(cleaner):
    months = np.tile(np.arange(1.0, 13.0), 20)
    dirty = np.where(np.arange(240) == 30, 9e6, months)
    cells = dirty if isinstance(cleaner, TameOutliers) else ["?" if place == 31 else f"{cell:g}" for place, cell in enumerate(dirty)]
    table = table_of(month=cells, name=[f"m{month:g}" for month in months], y=[0, 1] * 120)
    detector = _Marked("month", [30]) if isinstance(cleaner, TameOutliers) else Detector.named("formats")().fit(table, None, np.random.default_rng(0))
    repaired = fitted(cleaner, table, detector, "month").repair(table).frame["month"]
    assert repaired.to_list() == months.tolist()


def test_where_nothing_foretells_a_wild_cell_the_median_is_written():
    table = table_of(size=[1.0, 2.0, 3.0, 4.0, 5.0, 1e6], y=[0, 1] * 3)
    assert fitted(TameOutliers("predict"), table, _Marked("size", [5]), "size").repair(table).frame["size"][5] == 3.0


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


def test_targets_are_corrected_in_training_rows_or_their_rows_left_out():
    table = dqops.read(pl.DataFrame({"x": [1, 2, 3, 4], "y": ["yes", "yse", "no", "?"]}), target="y")
    detector = _Marked("y", [1, 3], ["yes", None])
    mended = fitted(MendTarget(), table, detector, "y").repair(table)
    assert mended.target().to_list() == ["yes", "yes", "no"]
    assert fitted(MendTarget(drop=True), table, detector, "y").repair(table).target().to_list() == ["yes", "no"]
    assert table.target().to_list() == ["yes", "yse", "no", "?"]


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


def related(table, pairs, score=0.9):
    """A detector that says of each (row, earlier row) that the one repeats the other."""

    class Related(Detector):
        def __init__(self):
            self.name = "duplicates"

        def find(self, table):
            rows, first = zip(*pairs, strict=True)
            return self.findings([self.finding(table, None, rows, score, "repeats", "repeats", related=first)])

    return Related()


def test_repeats_are_merged_cell_by_cell_as_most_rows_say():
    table = table_of(
        name=["ann lee", "ann lee", "anne lee", "bob", "bob"],
        city=[None, "rome", "rome", "oslo", None],
        size=[1.5, 2.5, 2.5, 7.5, None],
        y=[0, 1, 1, 0, 0],
    )
    repaired = fitted(MergeRepeats(), table, related(table, [(1, 0), (2, 1), (4, 3)]), None).repair(table)
    assert repaired.row_ids.to_list() == [0, 3]
    assert repaired.frame.rows() == [("ann lee", "rome", 2.5, 1), ("bob", "oslo", 7.5, 0)]


def test_of_values_said_as_often_that_of_the_most_complete_row_survives():
    table = table_of(name=["a b", "a c"], city=[None, "rome"], y=[0, 0])
    repaired = fitted(MergeRepeats(), table, related(table, [(1, 0)]), None).repair(table)
    assert repaired.frame.rows() == [("a c", "rome", 0)]


def test_outliers_are_moved_to_the_end_of_the_usual_range():
    table = table_of(size=[1.0, 2.0, 3.0, 4.0, 5.0, 1e6, -1e6], y=[0, 1, 0, 1, 0, 1, 0])
    clipped = fitted(TameOutliers("clip"), table, _Marked("size", [5, 6]), "size").repair(table)
    assert clipped.frame["size"].to_list() == [1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 1.0]


def linked(rng, rows=300):
    """Two columns that follow from a third, with holes in both."""
    x = rng.normal(size=rows)
    kind = np.where(x > 0, "up", "down")
    holes = rng.random(rows) < 0.2
    size = np.where(holes, np.nan, 3 * x + rng.normal(0, 0.05, rows))
    return x, kind, holes, table_of(x=x, size=pl.Series(size).fill_nan(None), kind=pl.Series(kind).set(pl.Series(holes), None), y=rng.integers(2, size=rows))


@pytest.mark.parametrize("cleaner", [FillNeighbours(), FillIterative()])
def test_numbers_are_filled_from_all_columns_alike_at_serving(rng, cleaner):
    x, _, holes, table = linked(rng)
    trained = fitted(cleaner, table, _Marked("size", []), "size")
    repaired = trained.repair(table).frame["size"].to_numpy()
    assert np.abs(repaired[holes] - 3 * x[holes]).mean() < 0.5
    assert np.array_equal(repaired[~holes], table.frame["size"].to_numpy()[~holes])
    assert trained.repair(table.take([5])).frame["size"].null_count() == 0
    assert np.allclose(trained.repair(table.take(np.flatnonzero(holes))).frame["size"].to_numpy(), repaired[holes])


def test_words_are_filled_from_neighbours_and_left_by_regressions(rng):
    _, kind, holes, table = linked(rng)
    filled = fitted(FillNeighbours(), table, _Marked("kind", []), "kind")
    assert (filled.repair(table).frame["kind"].to_numpy()[holes] == kind[holes]).mean() > 0.9
    sure = filled.sureness(table, np.flatnonzero(holes))
    assert ((sure >= 0.5) & (sure <= 1)).all()
    assert fitted(FillIterative(), table, _Marked("kind", []), "kind").repair(table).frame["kind"].equals(table.frame["kind"])


@pytest.mark.parametrize("name", [name for name, one in Cleaner.known().items() if "missing" in one.kinds])
@pytest.mark.parametrize("holes", [0, 1, 6])
def test_filling_takes_any_column(name, holes):
    cells = [None] * holes + [1.5, 2.5, 3.5, 4.5, 5.5, 6.5][holes:]
    table = table_of(a=pl.Series(cells, dtype=pl.Float64), b=["x", None, "y", "x", "y", "x"], y=[0, 1] * 3)
    for column in ("a", "b"):
        repaired = fitted(Cleaner.named(name)(), table, _Marked(column, []), column).repair(table)
        assert repaired.n_rows == 6
        assert repaired.frame.schema == table.frame.schema


def test_the_likeliest_value_follows_from_the_row_and_the_text(rng):
    kind = rng.choice(["red", "blue"], 200)
    word = np.where(kind == "red", "rose", "violet").astype(object)
    kind[3:5], word[3:5] = ["red", "blue"], ["rxse", "violex"]
    word[5] = "violet" if kind[5] == "red" else "rose"
    table = table_of(kind=kind, word=word.tolist(), y=rng.integers(2, size=200))
    trained = fitted(WriteLikeliest(), table, _Marked("word", [3, 4, 5]), "word")
    repaired = trained.repair(table).frame["word"]
    assert repaired.to_list()[3:5] == ["rose", "violet"]
    assert repaired[5] == ("rose" if kind[5] == "red" else "violet")
    assert (trained.sureness(table, np.array([3, 4, 5])) > 0.9).all()


def test_nothing_is_likely_in_a_column_without_usual_values():
    table = table_of(name=[f"n{place}" for place in range(30)], y=[0, 1] * 15)
    assert fitted(WriteLikeliest(), table, _Marked("name", [3]), "name").repair(table) is table


def test_donors_keep_a_column_as_varied_as_it_is(rng):
    kind = rng.choice(["a", "b", "c", "d"], 400)
    holes = rng.random(400) < 0.7
    table = table_of(kind=pl.Series(kind).set(pl.Series(holes), None), same=["x"] * 400, y=rng.integers(2, size=400))
    trained = fitted(FillDonors(), table, _Marked("kind", []), "kind")
    repaired = trained.repair(table).frame["kind"].to_numpy()
    assert set(repaired[holes]) == {"a", "b", "c", "d"}
    assert np.array_equal(repaired[~holes], kind[~holes])
    assert np.array_equal(trained.repair(table).frame["kind"].to_numpy(), repaired)
    assert (fitted(FillNeighbours(), table, _Marked("kind", []), "kind").repair(table).frame["kind"].to_numpy()[holes] == repaired[holes]).mean() < 0.6


def test_donors_are_rows_most_alike(rng):
    _, kind, holes, table = linked(rng)
    filled = fitted(FillDonors(), table, _Marked("kind", []), "kind")
    assert (filled.repair(table).frame["kind"].to_numpy()[holes] == kind[holes]).mean() > 0.85


def test_a_column_that_is_mostly_empty_can_be_emptied_and_says_why():
    table = table_of(a=["x", None, None, None], b=[1, 2, 3, 4], y=[0, 1, 0, 1])
    cleaner = fitted(EmptyColumn(), table, _Marked("a", []), "a")
    assert cleaner.repair(table).frame["a"].to_list() == [None] * 4
    assert "mostly empty" in cleaner.unasked
    assert "usual range" in Cleaner.unasked


def test_trees_that_guess_are_not_called_sure(rng):
    brand = rng.choice([f"b{one}" for one in range(12)], 400)
    table = table_of(brand=pl.Series(brand).set(pl.Series(rng.random(400) < 0.3), None), size=rng.normal(size=400), y=rng.integers(2, size=400))
    filled = fitted(FillPredicted(), table, _Marked("brand", []), "brand")
    assert filled.sureness(table, np.flatnonzero(table.frame["brand"].is_null())).max() < 0.5


def hours(rng, rows=600):
    """Rows in the order of an hourly log, some of which lack the hour."""
    hour, day = np.arange(rows) % 24.0, np.arange(rows) // 24.0
    holes = rng.random(rows) < 0.1
    return hour, holes, table_of(hour=pl.Series(hour).set(pl.Series(holes), None), day=day, load=rng.normal(size=rows), y=rng.integers(2, size=rows))


def test_rows_before_and_after_foretell_what_goes_on_from_row_to_row(rng):
    hour, holes, table = hours(rng)
    filled = fitted(FillPredicted(), table, _Marked("hour", []), "hour")
    assert np.abs(filled.repair(table).frame["hour"].to_numpy() - hour)[holes].mean() < 2
    held_out = table.take(np.arange(0, 600, 5))  # their neighbours are among the training rows
    assert np.abs(filled.repair(held_out).frame["hour"].to_numpy() - hour[::5])[holes[::5]].mean() < 3


def test_rows_before_and_after_are_not_asked_where_they_know_nothing(rng):
    _, _, table = hours(rng)
    mixed = table.take(rng.permutation(600))
    mixed = table_of(hour=mixed.frame["hour"], day=mixed.frame["day"], load=mixed.frame["load"], y=mixed.frame["y"])
    assert fitted(FillPredicted(), mixed, _Marked("hour", []), "hour").foretold_().beside is None
    trained = fitted(FillPredicted(), table, _Marked("hour", []), "hour").foretold_()
    empty = np.flatnonzero(mixed.frame["hour"].is_null())
    assert trained.beside is not None
    assert trained.at(mixed, mixed.frame["hour"], empty)[0] is trained.alone
    assert trained.at(table.take([3]), table.take([3]).frame["hour"], np.array([0]))[0] is trained.alone


def test_cells_far_from_all_that_is_known_are_emptied_where_only_near_ones_are_foretold(rng):
    hour, _, table = hours(rng)
    scattered = np.arange(303, 600, 17)
    doubtful = _Marked("hour", [*range(250), *scattered])
    wild = table_of(hour=pl.Series(hour).scatter(np.arange(250), 99.0).scatter(scattered, 99.0), day=table.frame["day"], load=table.frame["load"], y=table.frame["y"])
    near = fitted(TameOutliers("near"), wild, doubtful, "hour").repair(wild).frame["hour"]
    assert np.abs(near.gather(scattered).to_numpy() - hour[scattered]).mean() < 3
    assert near.head(240).null_count() == 240
    assert fitted(TameOutliers("predict"), wild, doubtful, "hour").repair(wild).frame["hour"].null_count() == 0


def test_a_column_that_nothing_foretells_is_emptied_where_only_what_goes_well_is_foretold(rng):
    table = table_of(a=np.append(rng.normal(size=299), 99.0), b=rng.normal(size=300), y=rng.integers(2, size=300))
    assert fitted(TameOutliers("near"), table, _Marked("a", [299]), "a").repair(table).frame["a"].null_count() == 1
    told = table.with_columns((table.frame["b"] * 2).scatter([299], 99.0).alias("a"))
    repaired = fitted(TameOutliers("near"), told, _Marked("a", [299]), "a").repair(told).frame["a"]
    assert repaired[299] == pytest.approx(2 * table.frame["b"][299], abs=1)


def test_what_is_worked_out_later_is_worked_out_once_and_kept_in_a_file():
    asked = []
    later = Later(lambda: asked.append(1) or len(asked))
    assert not asked
    assert pickle.loads(pickle.dumps(later))() == later() == later() == 1
    assert asked == [1]
