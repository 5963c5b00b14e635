"""Sheets are safe to open and give back what was written; exports of Label Studio are read."""

import csv
import json
import xml.etree.ElementTree as ElementTree

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dqops.errors import SourceError
from dqops.tables.label_studio import read_export, write_tasks
from dqops.tables.sheets import guarded, read_sheet, unguarded, write_sheet

NASTY = ["=1+1", "+cmd|'/c calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "'=x", "''-y", "-5", "+3.5e2", "plain", "'quoted'", 'a "b", c', "zwei\nZeilen", "naïve", "007"]


@pytest.mark.parametrize("text", NASTY)
def test_what_is_guarded_comes_back(text):
    assert unguarded(guarded(text)) == text


@given(st.text(alphabet="'=+-@\t\r a1.e", max_size=8))
def test_any_text_comes_back_and_none_is_a_formula(text):
    safe = guarded(text)
    assert unguarded(safe) == text
    if safe[:1] in "=+-@\t\r" and safe:
        float(safe)


def lines(texts):
    return pl.DataFrame({"row": [f"={place}" for place in range(len(texts))], "column": ["@a"] * len(texts), "recorded": texts, "answer": texts, "reviewer": ["-ann"] * len(texts), "row.=b": texts})


@pytest.mark.parametrize(("form", "ending"), [("csv", "csv"), ("excel", "xlsx")])
def test_a_sheet_comes_back_as_it_was(tmp_path, form, ending):
    path = tmp_path / f"batch.{ending}"
    write_sheet(path, lines(NASTY), form)
    found = read_sheet(path)
    assert [one["answer"] for one in found] == NASTY
    assert [one["row"] for one in found] == [f"={place}" for place in range(len(NASTY))]
    assert {one["column"] for one in found} == {"@a"}
    assert {one["reviewer"] for one in found} == {"-ann"}
    assert [one["line"] for one in found] == list(range(2, len(NASTY) + 2))


def test_no_cell_of_a_csv_begins_a_formula(tmp_path):
    path = tmp_path / "batch.csv"
    write_sheet(path, lines(NASTY), "csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "@", "\t", "\r")]
    assert [cell for cell in cells if cell[:1] in ("+", "-")] == ["-5"] * 3 + ["+3.5e2"] * 3


def test_a_workbook_holds_no_formula(tmp_path):
    import zipfile

    path = tmp_path / "batch.xlsx"
    write_sheet(path, lines(NASTY), "excel")
    with zipfile.ZipFile(path) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("text", ["row;column;answer;reviewer\r\n3;age;31;ann\r\n", "Row\tColumn\tAnswer\tReviewer\n3\tage\t31\tann\n", "note,answer,column,row,reviewer\nx,31,age,3,ann\n"])
def test_other_dialects_and_orders_are_read(tmp_path, text):
    path = tmp_path / "filled.csv"
    path.write_bytes(text.encode("utf-16" if "\t" in text else "cp1252"))
    assert read_sheet(path) == [{"line": 2, "row": "3", "column": "age", "answer": "31", "reviewer": "ann"}]


@pytest.mark.parametrize(("name", "text", "said"), [("a.csv", "row,column\n1,a\n", "no column 'answer'"), ("a.csv", "", "empty"), ("b.csv", "row,answer,column\n", "a.*row")])
def test_no_sheet_is_told(tmp_path, name, text, said):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(SourceError, match=said):
        read_sheet(path)


@pytest.fixture
def tasks(tmp_path):
    frame = pl.DataFrame({"row": [3, 7], "column": ["age", None], "recorded": ["<31>", None], "suggestion": ["30", None], "why": ["odd", "repeats"], "answer": ["", ""], "reviewer": ["", ""], "row.name": ["=Ann & Co", None]})
    write_tasks(tmp_path / "batch.json", frame)
    return tmp_path, json.loads((tmp_path / "batch.json").read_text(encoding="utf-8"))


def test_tasks_name_all_that_the_interface_shows(tasks):
    folder, found = tasks
    interface = ElementTree.fromstring((folder / "batch.xml").read_text(encoding="utf-8"))
    shown = {one.get("value").lstrip("$") for one in interface.iter() if (one.get("value") or "").startswith("$")}
    assert shown <= {*found[0]["data"]}
    assert all(set(one) == {"data"} for one in found)
    assert found[0]["data"]["recorded"] == "<31>"
    assert found[0]["data"]["context"] == {"name": "=Ann & Co"}
    assert (found[1]["data"]["recorded"], found[1]["data"]["suggestion"]) == ("(the whole row)", "(none)")
    names = {one.get("name") for one in interface.iter() if one.tag in ("Choices", "TextArea")}
    assert names == {"verdict", "answer"}


def annotated(task, number, *parts, who=1, **more):
    result = [{"from_name": name, "to_name": "recorded", "type": kind, "value": {key: [value]}} for name, kind, key, value in parts]
    return {"id": number, **task, "annotations": [{"id": number, "completed_by": who, "result": result, "was_cancelled": False, **more}]}


def test_an_export_is_read(tasks):
    folder, (first, second) = tasks
    export = [
        annotated(first, 1, ("verdict", "choices", "choices", "right as it is"), who={"id": 4, "email": "ann@example.org"}),
        annotated(first, 2, ("verdict", "choices", "choices", "the suggestion"), ("answer", "textarea", "text", " =29 "), who=2),
        annotated(second, 3, ("verdict", "choices", "choices", "drop the row")),
        annotated(second, 4, was_cancelled=True),
        {"id": 5, **second, "annotations": []},
    ]
    (folder / "export.json").write_text(json.dumps(export), encoding="utf-8")
    found = read_export(folder / "export.json")
    assert [(one["row"], one["column"], one["answer"], one["reviewer"]) for one in found] == [
        ("3", "age", "[right]", "ann@example.org"),
        ("3", "age", "[value] =29", "2"),
        ("7", None, "[drop]", "1"),
        ("7", None, None, None),
        ("7", None, None, None),
    ]


def test_a_short_export_is_read(tmp_path):
    short = [{"id": 1, "row": 3, "column": "age", "verdict": "cannot be told", "annotator": 2}, {"id": 2, "row": 4, "column": "age", "answer": "31", "annotator": 2}]
    (tmp_path / "export.json").write_text(json.dumps(short))
    assert [one["answer"] for one in read_export(tmp_path / "export.json")] == ["[unknown]", "[value] 31"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON"),
        ("{}", "no list of tasks"),
        ("[1]", "no list of tasks"),
        ('[{"data": {"text": "x"}}]', "task 1 has no row and column"),
        ('[{"data": {"row": 1, "column": "a"}, "annotations": [1]}]', "annotations of task 1"),
        ('[{"row": 1, "column": "a", "verdict": "maybe"}]', "the choice 'maybe'"),
    ],
)
def test_no_export_is_told(tmp_path, text, said):
    (tmp_path / "export.json").write_text(text)
    with pytest.raises(SourceError, match=said):
        read_export(tmp_path / "export.json")
