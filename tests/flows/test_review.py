"""A review: batches, answers, several people, retraction, plan, stop rule; nothing is ever lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import numpy as np
import polars as pl
import pytest

import dqops
import dqops.files
from dqops.errors import DataError, DqopsError, OptionError, OutputError, SourceError
from dqops.results.plan import CleaningPlan
from dqops.tables.event_log import EventLog

DOCS = Path(__file__).parents[2] / "docs"
ROWS = 400


@pytest.fixture(scope="module")
def truth():
    return np.random.default_rng(0).normal(size=ROWS).round(3)


@pytest.fixture(scope="module")
def frame(truth):
    """Wild numbers in a column that decides the target; names that begin like formulas beside it."""
    rng = np.random.default_rng(1)
    size = np.where(rng.random(ROWS) < 0.1, rng.uniform(30, 90, ROWS).round(1), truth)
    names = [f"={place}+1" for place in range(ROWS)]
    return pl.DataFrame({"id": [f"r{place}" for place in range(ROWS)], "size": size, "name": names, "y": 3 * truth + 0.1 * rng.normal(size=ROWS)})


@pytest.fixture(scope="module")
def started(frame, tmp_path_factory):
    folder = tmp_path_factory.mktemp("review") / "state"
    dqops.review(frame, folder=folder, target="y", key="id", ignore=["name"], model="linear", effort="quick", detectors=["outliers"])
    return folder


@pytest.fixture
def folder(started, tmp_path):
    return shutil.copytree(started, tmp_path / "state")


@pytest.fixture
def one(frame, folder):
    return dqops.review(frame, folder=folder)


def answered(batch, truth, reviewer="ann", wrong=()):
    """The true value of each cell of a batch; 999 on the rows that this person gets wrong."""
    rows = batch["row"].to_list()
    return [{"row": row, "column": "size", "answer": 999.0 if row in wrong else truth[int(row[1:])], "reviewer": reviewer} for row in rows]


def test_a_batch_shows_what_a_person_needs(one, frame):
    batch = one.batch(5)
    assert batch.columns[:7] == ["row", "column", "recorded", "suggestion", "why", "answer", "reviewer"]
    assert batch.columns[7:] == [f"row.{name}" for name in frame.columns]
    recorded = frame.filter(pl.col("id").is_in(batch["row"].to_list()))
    assert sorted(map(float, batch["recorded"])) == sorted(recorded["size"])
    assert batch["why"].is_not_null().all()
    assert (batch["answer"] == "").all()
    assert one.batch(5)["row"].is_in(batch["row"].implode()).sum() == 0
    assert one.status().waiting == 10
    assert one.batch(10, again=True)["row"].head(5).to_list() == batch["row"].to_list()


def test_answers_move_ranking_and_stop_rule(one, truth, frame):
    before, status = one.ranking(), one.status(price=1000)
    assert status.goes_on
    batch = one.batch(10)
    told = one.read(answered(batch, truth))
    assert told == {"taken": 10, "known": 0, "blank": 0, "problems": []}
    after = one.ranking()
    assert len(after) == len(before) - 10
    assert one.status().settled == one.status().wrong == 10
    right = one.batch(10)
    one.read([{"row": row, "column": "size", "answer": "[right]"} for row in right["row"]])
    assert one.ranking().to_frame()["gain"].max() < after.to_frame()["gain"].max()
    assert one.status().wrong == 10
    assert not one.status(price=1e-6).goes_on


def test_a_review_goes_on_where_it_stopped(one, frame, folder, truth):
    batch = one.batch(4)
    one.read(answered(batch.head(2), truth))
    again = dqops.review(frame, folder=folder, target="y", key="id")
    assert again.status().to_dict() == one.status().to_dict()
    assert again.answers().equals(one.answers())
    assert not again.batch(3)["row"].is_in(one.batch(3)["row"].implode()).any()  # nothing is handed out twice


def test_answers_become_a_plan_that_is_undone(one, frame, truth):
    batch = one.batch(6)
    one.read(answered(batch, truth))
    plan = one.plan()
    lines = plan.to_frame()
    assert set(lines["row"]) == set(batch["row"])
    assert set(lines["who"]) == {"ann"}
    assert lines["when"].is_not_null().all()
    assert (lines["confidence"] >= 0.8).all()
    table = dqops.read(frame, target="y", key="id", ignore=["name"])
    cleaned = plan.apply(table)
    assert [cleaned.frame["size"][int(row[1:])] for row in lines["row"]] == [truth[int(row[1:])] for row in lines["row"]]
    assert plan.undo(cleaned).frame.equals(frame)


def test_answers_stand_before_automatic_repairs(one, frame, truth):
    table = dqops.read(frame, target="y", key="id", ignore=["name"])
    repairs = CleaningPlan.of(table, pl.DataFrame({"row": one.ranking().to_frame()["row"], "column": "size", "after": "0.0"}))
    first, second, third = one.batch(3)["row"]
    one.read([{"row": first, "column": "size", "answer": 0.5}, {"row": second, "column": "size", "answer": "[right]"}, {"row": third, "column": "size", "answer": "[unknown]"}])
    lines = {line["row"]: line for line in one.plan(repairs).to_frame().to_dicts()}
    assert lines[first]["after"] == "0.5"
    assert second not in lines
    assert lines[third]["after"] == "0.0"
    assert len(lines) == len(repairs) - 1
    assert one.plan(repairs).undo(one.plan(repairs).apply(table)).frame.equals(frame)


def test_an_answer_can_be_retracted(one, truth):
    batch = one.batch(3)
    one.read(answered(batch, truth))
    row = batch["row"][0]
    one.retract(row, "size")
    assert row not in one.plan().to_frame()["row"].to_list()
    assert row in one.ranking().to_frame()["row"].to_list()
    with pytest.raises(DataError, match="no answer for row"):
        one.retract(row, "size")
    with pytest.raises(DataError, match="no answer by 'bob'"):
        one.retract(batch["row"][1], "size", reviewer="bob")
    one.read(answered(batch.head(1), truth))
    assert len(one.plan()) == 3


def test_people_who_differ_are_asked_again_and_skill_decides(one, truth):
    batch = one.batch(12)
    rows = batch["row"].to_list()
    one.read(answered(batch, truth, "ann"))
    one.read(answered(batch, truth, "bob", wrong=rows[:3]))
    cells = one.answers()
    assert set(cells.filter(pl.col("state") == "again")["row"]) == set(rows[:3])
    one.read(answered(batch.head(6), truth, "eve"))
    cells = one.answers()
    assert set(cells["state"]) == {"settled"}
    assert cells.filter(pl.col("row") == rows[0])["who"].to_list() == ["ann, eve"]
    skills = {line["reviewer"]: line["skill"] for line in one.status().reviewers}
    assert skills["bob"] < skills["eve"] < 1
    assert cells.filter(pl.col("row") == rows[11])["confidence"][0] > 0.9


def test_what_people_differ_about_comes_first(one, truth):
    batch = one.batch(4)
    one.read(answered(batch, truth, "ann"))
    one.read(answered(batch, truth, "bob", wrong=batch["row"].to_list()[2:]))
    following = one.batch(4, reviewer="eve")["row"].to_list()
    assert set(following[:2]) == set(batch["row"][2:])
    assert not set(following) & set(batch["row"][:2])


def test_cells_can_be_shared_so_that_skill_shows(one):
    ann = one.batch(8, reviewer="ann")["row"].to_list()
    bob = one.batch(8, reviewer="bob", overlap=0.5)["row"].to_list()
    assert len(set(ann) & set(bob)) == 4


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"row": "r999", "column": "size", "answer": 1}, "row 'r999' is not in"),
        ({"column": "sise", "answer": 1}, "'sise' is not a column of .*; did you mean 'size'"),
        ({"column": "y", "answer": 1}, "was not asked about"),
        ({"column": "size", "answer": "big"}, "'big' cannot stand in 'size'"),
    ],
)
def test_nothing_is_taken_where_a_line_cannot_be(one, truth, line, said):
    batch = one.batch(2)
    lines = [*answered(batch.head(1), truth), {"row": batch["row"][1], **line}]
    with pytest.raises(DataError, match=said):
        one.read(lines)
    assert one.answers().is_empty()
    told = one.read(lines, skip_bad=True)
    assert (told["taken"], told["problems"][0][:6]) == (1, "line 2")


def test_answers_keep_to_a_schema(one, truth):
    import pandera.polars as pandera

    schema = pandera.DataFrameSchema({"size": pandera.Column(float, pandera.Check.in_range(-5, 5))})
    batch = one.batch(3)
    wrong = answered(batch, truth, wrong=[batch["row"][1]])
    with pytest.raises(DataError, match=r"line 2: '999.0' breaks the check in_range\(-5, 5\) of 'size'"):
        one.read(wrong, schema=schema)
    assert one.read(wrong, schema=schema, skip_bad=True)["taken"] == 2


def test_lines_that_are_missing_or_empty_are_not_answered(one, truth):
    batch = one.batch(5)
    told = one.read([*answered(batch.head(2), truth), {"row": batch["row"][2], "column": "size", "answer": None}])
    assert (told["taken"], told["blank"]) == (2, 1)
    assert told["problems"] == ["2 of the 5 cells of batch 1 are not in the file: they count as not answered"]


def test_what_was_said_before_is_not_said_twice(one, truth, folder):
    batch = one.batch(3)
    one.read(answered(batch, truth))
    assert one.read(answered(batch, truth)) == {"taken": 0, "known": 3, "blank": 0, "problems": []}
    assert len([entry for entry in EventLog(folder / "log").entries() if entry["event"] == "answer"]) == 3


@pytest.mark.parametrize(("form", "ending"), [("csv", "csv"), ("excel", "xlsx")])
def test_a_filled_sheet_is_read(one, truth, tmp_path, form, ending):
    path, count = one.write_batch(None, 4, form=form)
    assert (path.name, count) == (f"batch-001.{ending}", 4)
    lines = dqops.read(path).raw.with_columns(pl.lit("[right]").alias("answer"), pl.lit("ann").alias("reviewer"))
    assert lines["row.name"].str.starts_with("'=").all()
    lines.write_csv(tmp_path / "filled.csv", separator=";")
    assert one.read(tmp_path / "filled.csv")["taken"] == 4
    assert one.status().settled == 4


def test_a_labelled_export_is_read(one, tmp_path):
    path, _ = one.write_batch(tmp_path / "tasks.json", 2, form="label-studio")
    assert path.with_suffix(".xml").exists()
    export = [{"id": place, **task, "annotations": [{"completed_by": 7, "result": [{"from_name": "verdict", "value": {"choices": ["right as it is"]}}]}]} for place, task in enumerate(json.loads(path.read_text()))]
    (tmp_path / "export.json").write_text(json.dumps(export))
    assert one.read(tmp_path / "export.json")["taken"] == 2
    assert one.status().reviewers[0]["reviewer"] == "7"


def test_another_table_or_other_settings_are_refused(frame, folder, started):
    with pytest.raises(DataError, match="is of another table"):
        dqops.review(frame.with_columns(pl.col("size") + 1), folder=folder)
    with pytest.raises(OptionError, match="need 'y', as the review"):
        dqops.review(frame, folder=folder, target="size")


@pytest.mark.parametrize("options", [{"skill": 1}, {"certain": 0}, {"skill": "high"}, {"certain": True}])
def test_settings_that_cannot_be_are_refused(frame, tmp_path, options):
    with pytest.raises(OptionError, match=next(iter(options))):
        dqops.review(frame, folder=tmp_path, target="y", **options)


@pytest.mark.parametrize(("call", "said"), [(lambda one: one.batch(0), "n=0"), (lambda one: one.batch(True), "n=True"), (lambda one: one.batch(2, overlap=2), "overlap=2"), (lambda one: one.write_batch(form="word"), "form='word'"), (lambda one: one.read([1]), "answer 1 is no line")])
def test_calls_that_cannot_be_are_refused(one, call, said):
    with pytest.raises(DqopsError, match=said):
        call(one)


@pytest.mark.parametrize("damage", [lambda folder: (folder / "review.json").write_text("{"), lambda folder: next(folder.glob("doubts*")).write_bytes(b"x"), lambda folder: (folder / "review.json").write_text('{"schema_version": "9.0", "files": {}}')])
def test_a_damaged_folder_is_told(frame, folder, damage):
    damage(folder)
    with pytest.raises(SourceError, match="cannot read"):
        dqops.review(frame, folder=folder)


def test_a_damaged_log_is_told(frame, folder, one):
    one.batch(2)
    next((folder / "log").iterdir()).write_text('{"event": "answer"')
    with pytest.raises(SourceError, match="damaged"):
        dqops.review(frame, folder=folder)


def test_the_status_keeps_to_its_schema(one, truth):
    schema = json.loads((DOCS / "review.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(one.status().to_json()), schema)
    one.read(answered(one.batch(3), truth))
    told = json.loads(one.status(price=10).to_json())
    jsonschema.validate(told, schema)
    assert set(told) == set(schema["required"])


def full_disk(monkeypatch):
    """Every file that is written from now on finds the disk full."""

    def write_bytes(path, data):
        with path.open("wb") as file:
            file.write(bytes(data)[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", write_bytes)


def test_a_full_disk_leaves_everything_as_it_was(one, truth, frame, folder, monkeypatch, tmp_path):
    batch = one.batch(3)
    one.read(answered(batch.head(1), truth))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with monkeypatch.context() as full:
        full_disk(full)
        for call in (lambda: one.read(answered(batch, truth)), lambda: one.write_batch(None, 2), lambda: one.batch(2), lambda: one.retract(batch["row"][0], "size"), lambda: one.plan().save(tmp_path / "plan")):
            with pytest.raises(OutputError, match=r"cannot write .*: No space left on device"):
                call()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert not list((tmp_path / "plan").glob("*"))
    assert dqops.review(frame, folder=folder).status().settled == 1


WRITER = """
import sys
from dqops.tables.event_log import EventLog
log = EventLog(sys.argv[1])
for number in range(100000):
    log.add([{"number": number, "part": part, "who": sys.argv[2]} for part in range(3)])
    print(number, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
def test_killed_at_any_moment_the_log_loses_nothing(tmp_path):
    """Two writers at once, killed several times: all that was said to be kept is there, whole."""
    said = {}
    for round_ in range(4):
        running = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), f"{who}{round_}"], stdout=subprocess.PIPE, env={**os.environ}) for who in "ab"]
        for process in running:
            process.stdout.readline()
        time.sleep(0.05 + 0.03 * round_)
        for who, process in zip("ab", running, strict=True):
            process.kill()
            said[f"{who}{round_}"] = 1 + len(process.communicate()[0].splitlines()) - 1
    entries = EventLog(tmp_path).entries()
    for who, count in said.items():
        own = [(one["number"], one["part"]) for one in entries if one["who"] == who]
        assert own[: 3 * count] == [(number, part) for number in range(count) for part in range(3)]
        assert len(own) % 3 == 0
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".jsonl"]
