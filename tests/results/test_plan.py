"""A plan keeps every change, makes it, and takes it back exactly."""

import json
from datetime import datetime
from pathlib import Path

import jsonschema
import polars as pl
import pytest

import dqops
from dqops import CleaningPlan
from dqops.errors import DataError, OptionError, PlanConflictError, SourceError, UnknownColumnError

SCHEMA = json.loads((Path(dqops.__file__).parents[1] / "docs" / "plan.schema.json").read_text(encoding="utf-8"))


def table(**more):
    frame = pl.DataFrame({"name": ["ann", "bob", None, "", "eve"], "size": [1.5, None, 3.0, 4.25, 1e20], "count": [1, 2, None, 4, 2**60 + 1]})
    return dqops.read(frame, **more)


def lines(*cells, **more):
    """Changes as (row, column, after)."""
    rows, columns, after = zip(*cells, strict=True)
    return pl.DataFrame({"row": list(rows), "column": list(columns), "after": list(after)}, schema_overrides={"after": pl.String}).with_columns(
        **{name: pl.Series(values) for name, values in more.items()}
    )


def plan_of(*cells, drop=(), of=None, **more):
    return CleaningPlan.of(table() if of is None else of, lines(*cells), drop=drop, **more)


def same(first, second):
    assert first.frame.schema == second.frame.schema
    assert first.frame.equals(second.frame, null_equal=True)
    assert first.raw.equals(second.raw, null_equal=True)
    assert first.row_ids.equals(second.row_ids)


def test_what_several_people_said_alike_is_by_each_of_them():
    told = lines((0, "name", "anna"), (1, "name", "rob"), (2, "name", "cid"), who=["ann, bob", "bob", "ann-marie"])
    plan = CleaningPlan.of(table(), told)
    assert plan.select(who="ann").to_frame()["row"].to_list() == [0]
    assert plan.select(who=["bob"]).to_frame()["row"].to_list() == [0, 1]
    assert plan.select(who="ann, bob").to_frame()["row"].to_list() == [0]
    assert len(plan.without(who="bob")) == 1


def test_a_plan_changes_a_copy_and_takes_it_back():
    recorded = table()
    plan = plan_of((0, "name", "anna"), (2, "name", "cid"), (3, "name", None), (1, "size", "2.5"), (4, "count", None), drop=[3])
    cleaned = plan.apply(recorded)
    assert cleaned.frame["name"].to_list() == ["anna", "bob", "cid", "eve"]
    assert cleaned.frame["size"].to_list() == [1.5, 2.5, 3.0, 1e20]
    assert cleaned.frame["count"].to_list() == [1, 2, None, None]
    assert cleaned.row_ids.to_list() == [0, 1, 2, 4]
    same(recorded, table())
    same(plan.undo(cleaned), recorded)


def test_the_trail_says_what_why_how_surely_who_and_when():
    when = datetime(2024, 5, 1, 12)
    told = plan_of((1, "name", "rob"), drop=[0], who="ann", when=when, why="asked him", confidence=0.9).to_frame()
    assert told.columns == ["row", "column", "before", "after", "cleaner", "why", "confidence", "who", "when"]
    assert told.rows() == [
        (1, "name", "bob", "rob", "answer", "asked him", 0.9, "ann", when),
        (0, None, None, None, "answer", "asked him", 0.9, "ann", when),
    ]


def test_null_and_empty_text_are_two_things():
    plan = plan_of((2, "name", ""), (3, "name", None))
    cleaned = plan.apply(table())
    assert cleaned.frame["name"].to_list()[2:4] == ["", None]
    assert plan.undo(cleaned).frame["name"].to_list()[2:4] == [None, ""]


@pytest.mark.parametrize(
    ("chosen", "name", "size"),
    [
        ({"column": "name"}, "bob", 2.5),
        ({"column": ["name", "size"]}, "bob", None),
        ({"row": 1, "who": "ann"}, "bob", None),
        ({"who": "eve"}, "rob", 2.5),
        ({"below": 0.5}, "rob", None),
        ({"kind": "answer"}, "bob", None),
        ({"kind": "labels"}, "rob", 2.5),
        ({"cleaner": "answer", "column": "size"}, "rob", None),
    ],
)
def test_a_part_is_taken_back_and_the_rest_stays_undoable(chosen, name, size):
    recorded = table()
    changes = lines((1, "name", "rob"), (1, "size", "2.5"), confidence=[0.9, 0.4])
    plan = CleaningPlan.of(recorded, changes, who="ann")
    part = plan.undo(plan.apply(recorded), **chosen)
    assert (part.frame["name"][1], part.frame["size"][1]) == (name, size)
    same(plan.without(**chosen).undo(part), recorded)
    assert len(plan.select(**chosen)) + len(plan.without(**chosen)) == len(plan)


def test_dropped_rows_come_back_one_by_one():
    recorded = table()
    plan = plan_of((1, "name", "rob"), drop=[0, 3, 4])
    part = plan.undo(plan.apply(recorded), row=[3])
    assert part.row_ids.to_list() == [1, 2, 3]
    same(plan.undo(part), recorded)


def test_undoing_twice_changes_nothing_more():
    plan = plan_of((1, "name", "rob"))
    once = plan.undo(plan.apply(table()))
    same(plan.undo(once), table())


def test_text_cells_are_typed_again_as_readers_type_them(tmp_path):
    (tmp_path / "a.csv").write_text("size,city\n1.0,rome\n2 kg,oslo\n3,bonn\n")
    recorded = dqops.read(tmp_path / "a.csv")
    plan = plan_of((1, "size", "2"), of=recorded)
    cleaned = plan.apply(recorded)
    assert recorded.frame["size"].dtype == pl.String
    assert cleaned.frame["size"].to_list() == [1.0, 2.0, 3.0]
    assert cleaned.raw["size"].to_list() == ["1.0", "2", "3"]
    same(plan.undo(cleaned), recorded)


def test_rows_keep_their_ids_when_a_cleaned_file_is_read_again(tmp_path):
    recorded = table()
    plan = plan_of((1, "name", "rob"), (4, "size", "7.0"), drop=[0, 2])
    again = dqops.read(plan.apply(recorded).frame)
    assert again.row_ids.to_list() == [0, 1, 2]
    same(plan.undo(again), recorded)


def test_keys_name_rows_wherever_they_stand():
    frame = pl.DataFrame({"id": ["x", "y", "z"], "v": [1, 2, 3]})
    recorded = dqops.read(frame, key="id")
    plan = CleaningPlan.of(recorded, lines(("z", "v", "9")))
    moved = dqops.read(frame[::-1], key="id")
    assert plan.apply(moved).frame["v"].to_list() == [9, 2, 1]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (pl.DataFrame({"name": ["ann"], "size": [1.5], "count": [1]}), "another table"),
        (pl.DataFrame({"a": [1] * 5}), "another table"),
        (table().frame.with_columns(pl.lit("x").alias("name")), "its cells are others"),
        (table().frame[::-1], "its cells are others"),
    ],
)
def test_another_table_is_refused(other, said):
    with pytest.raises(DataError, match=said):
        plan_of((1, "name", "rob")).apply(other)


def test_a_table_that_is_changed_already_is_told_from_another():
    plan = plan_of((1, "name", "rob"))
    with pytest.raises(DataError, match="changed already"):
        plan.apply(plan.apply(table()))


def test_a_cell_that_somebody_changed_since_is_not_overwritten():
    plan = plan_of((1, "name", "rob"), (1, "size", "2.5"))
    edited = dqops.read(plan.apply(table()).frame.with_columns(pl.Series("name", ["ann", "roberta", None, "", "eve"])))
    with pytest.raises(DataError, match="row 1, column 'name' does not hold 'rob'"):
        plan.undo(edited)
    assert plan.undo(edited, column="size").frame["size"][1] is None


@pytest.mark.parametrize(
    ("cells", "error", "said"),
    [
        ([(1, "nmae", "x")], UnknownColumnError, "Did you mean 'name'"),
        ([(9, "name", "x")], DataError, "no row 9"),
        ([(1, "size", "big")], DataError, "'big' is no cell for the column 'size'"),
        ([(1, "count", "2.5")], DataError, "a Int64, or nothing"),
        ([(1, "name", "x"), (1, "name", "y")], PlanConflictError, "two changes of row 1, column 'name'"),
    ],
)
def test_answers_that_cannot_be_are_refused(cells, error, said):
    with pytest.raises(error, match=said):
        plan_of(*cells)


def test_rows_to_drop_must_be_there():
    with pytest.raises(DataError, match="no row 77"):
        plan_of((1, "name", "x"), drop=[77])


def test_changes_need_their_columns():
    with pytest.raises(DataError, match="no column 'after'"):
        CleaningPlan.of(table(), pl.DataFrame({"row": [1], "column": ["name"]}))


def test_plans_of_one_table_are_merged():
    recorded = table()
    both = plan_of((1, "name", "rob"), who="ann") + plan_of((1, "name", "rob"), (0, "size", "9.0"), drop=[4], who="eve")
    assert both.to_frame().select("row", "column", "after", "who").rows() == [(0, "size", "9.0", "eve"), (1, "name", "rob", "ann"), (4, None, None, "eve")]
    same(both.undo(both.apply(recorded)), recorded)


def test_two_plans_for_one_cell_need_a_preference():
    first, second = plan_of((1, "name", "rob"), confidence=0.6), plan_of((1, "name", "robin"), confidence=0.8)
    with pytest.raises(PlanConflictError, match="row 1, column 'name': to 'rob' and to 'robin'"):
        first.merge(second)
    written = {prefer: first.merge(second, prefer=prefer).changes["after"].to_list() for prefer in ("first", "second", "surer")}
    assert written == {"first": ["rob"], "second": ["robin"], "surer": ["robin"]}
    with pytest.raises(OptionError, match="prefer"):
        first.merge(second, prefer="mine")


def test_a_row_dropped_by_one_plan_and_changed_by_the_other_is_a_conflict():
    changing, dropping = plan_of((1, "name", "rob"), confidence=0.6), plan_of((0, "name", "x"), drop=[1], confidence=0.8)
    with pytest.raises(PlanConflictError, match="row 1"):
        changing + dropping
    kept = changing.merge(dropping, prefer="first")
    assert (len(kept.changes), len(kept.dropped)) == (2, 0)
    for gone in (changing.merge(dropping, prefer="surer"), dropping.merge(changing, prefer="first")):
        assert (gone.changes["column"].to_list(), gone.dropped["row"].to_list()) == (["name"], [1])
        same(gone.undo(gone.apply(table())), table())


def test_plans_of_different_tables_are_not_merged():
    with pytest.raises(DataError, match="different tables"):
        plan_of((1, "name", "rob")).merge(CleaningPlan.of(dqops.read(pl.DataFrame({"name": ["a", "b"]})), lines((1, "name", "c"))))


def test_a_diff_tells_where_plans_part():
    first, second = plan_of((0, "name", "x"), (1, "name", "rob"), (2, "size", None)), plan_of((1, "name", "robin"), (2, "size", None), drop=[4])
    assert first.diff(second).rows() == [
        (0, "name", "ann", "x", None, "only first"),
        (1, "name", "bob", "rob", "robin", "differs"),
        (4, None, None, None, None, "only second"),
    ]


def test_a_saved_plan_is_the_plan(tmp_path):
    recorded = table()
    plan = plan_of((0, "name", "x"), (3, "name", None), (1, "size", "0.1"), (4, "count", "7"), drop=[2], when=datetime(2024, 5, 1))
    plan.save(tmp_path / "plan")
    again = CleaningPlan.load(tmp_path / "plan")
    assert again.to_frame().equals(plan.to_frame(), null_equal=True)
    assert again.to_frame().schema == plan.to_frame().schema
    same(again.undo(again.apply(recorded)), recorded)
    saved = json.loads((tmp_path / "plan" / "plan.json").read_text())
    jsonschema.validate(saved, SCHEMA)
    assert {*saved["files"].values()} | {"plan.json"} == {one.name for one in (tmp_path / "plan").iterdir()}


def test_saving_again_leaves_the_new_plan_alone(tmp_path):
    plan_of((0, "name", "x"), drop=[2]).save(tmp_path)
    plan_of((1, "name", "y")).save(tmp_path)
    assert CleaningPlan.load(tmp_path).changes["after"].to_list() == ["y"]
    assert len(list(tmp_path.glob("changes-*.parquet"))) == 1


@pytest.mark.parametrize("harm", ["gone", "no json", "cut", "other version", "swapped"])
def test_a_damaged_plan_is_told(tmp_path, harm):
    plan_of((0, "name", "x")).save(tmp_path)
    index, part = tmp_path / "plan.json", next(tmp_path.glob("changes-*"))
    if harm == "gone":
        part.unlink()
    elif harm == "no json":
        index.write_text("{")
    elif harm == "cut":
        part.write_bytes(part.read_bytes()[:50])
    elif harm == "other version":
        index.write_text(index.read_text().replace('"schema_version": "1.0"', '"schema_version": "9.0"'))
    else:
        index.write_text(json.dumps(json.loads(index.read_text()) | {"types": None, "data": 3}))
    with pytest.raises(SourceError):
        CleaningPlan.load(tmp_path)


def test_a_folder_without_a_plan_is_told(tmp_path):
    with pytest.raises(SourceError, match=r"no plan\.json"):
        CleaningPlan.load(tmp_path)


def test_an_empty_plan_does_nothing():
    plan = CleaningPlan.of(table(), lines((0, "name", "ann")))
    assert len(plan) == 0
    same(plan.undo(plan.apply(table())), table())


def test_a_selection_names_columns_that_are_there():
    with pytest.raises(UnknownColumnError, match="Did you mean 'size'"):
        plan_of((0, "name", "x")).select(column="sizes")


def test_one_cell_is_changed_once():
    plan = plan_of((0, "name", "x"))
    with pytest.raises(PlanConflictError):
        CleaningPlan(plan.data, pl.concat([plan.changes, plan.changes]), plan.dropped)
