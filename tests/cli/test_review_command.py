"""``dqops review``: from the first sheet to a cleaned file, every mistake told in one sentence."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

import dqops
from dqops.cli.main import main

ROWS = 300


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """A table with wild numbers, and a review of it."""
    folder, rng = tmp_path_factory.mktemp("review"), np.random.default_rng(0)
    size = rng.normal(size=ROWS).round(2)
    spoilt = np.where(rng.random(ROWS) < 0.1, rng.uniform(30, 90, ROWS).round(1), size)
    pl.DataFrame({"size": spoilt, "note": ["@x"] * ROWS, "y": (3 * size).round(3)}).write_csv(folder / "data.csv")
    dqops.review(folder / "data.csv", folder=folder / "state", target="y", ignore=["note"], model="linear", effort="quick", detectors=["outliers"])
    return folder


@pytest.fixture
def run(started, tmp_path, monkeypatch):
    shutil.copytree(started, tmp_path / "place")
    monkeypatch.chdir(tmp_path / "place")

    def call(*words, code=0, command="review"):
        ends = ("--dir", "state") if command == "review" else ()
        result = CliRunner().invoke(main, [command, "data.csv", *ends, *words])
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result.output

    return call


def filled(path, answers):
    """The sheet with these answers in its first lines."""
    sheet = pl.read_csv(path, infer_schema=False)
    whole = [*answers, *[None] * (sheet.height - len(answers))]
    sheet.with_columns(pl.Series("answer", whole, dtype=pl.String)).write_csv("filled.csv")
    return sheet["row"].to_list()


def test_from_the_first_sheet_to_a_cleaned_file_and_back(run):
    said = run("--next", "10")
    assert "10 cells to be answered are in state/batch-001.csv" in said
    assert "expected gain of the next" in said
    rows = filled("state/batch-001.csv", ["0.5", "[right]", "[unknown]"])
    assert "3 answers taken, 0 known before, 7 not answered" in run("--answers", "filled.csv", "--reviewer", "ann")
    assert "0 answers taken, 3 known before" in run("--answers", "filled.csv", "--reviewer", "ann")
    said = run("--status", "--price", "1000")
    assert "2 cells settled: 1 wrong, 1 right as they are" in said
    assert "1 that nobody can tell" in said
    assert "at your price, go on" in said
    assert "ann: 2 answers" in said
    assert "1 cell to change" in run("--plan", "plan")
    CliRunner().invoke(main, ["clean", "data.csv", "--plan", "plan", "--out", "cleaned.csv"])
    assert pl.read_csv("cleaned.csv")["size"][int(rows[0])] == 0.5
    CliRunner().invoke(main, ["undo", "cleaned.csv", "--plan", "plan", "--out", "again.csv"])
    assert Path("again.csv").read_bytes() == Path("data.csv").read_bytes()
    assert f"row {rows[0]}, column size are taken back" in run("--retract", rows[0], "size")
    assert "0 cells to change" in run("--plan", "plan")


def test_answers_join_the_repairs_of_a_plan_and_give_them_back(run):
    run("--detectors", "outliers", "--no-model", "--plan", "plan", "--min-confidence", "0", command="clean")
    repairs = dqops.CleaningPlan.load("plan")
    run("--next", "5")
    rows = filled("state/batch-001.csv", ["0.5", "[right]"])
    run("--answers", "filled.csv")
    run("--plan", "plan")
    lines = {line["row"]: line for line in dqops.CleaningPlan.load("plan").to_frame().to_dicts()}
    assert lines[int(rows[0])]["cleaner"] == "review"
    assert int(rows[1]) not in lines
    for row in rows[:2]:
        run("--retract", row, "size")
    run("--plan", "plan")
    assert dqops.CleaningPlan.load("plan").to_frame().equals(repairs.to_frame())


@pytest.mark.parametrize(("form", "name"), [("excel", "batch-001.xlsx"), ("label-studio", "batch-001.json")])
def test_other_forms_are_written(run, form, name):
    assert f"3 cells to be answered are in state/{name}" in run("--next", "3", "--format", form)
    assert Path("state", name).exists()
    if form == "label-studio":
        assert Path("state/batch-001.xml").exists()


def test_the_status_as_json(run):
    told = json.loads(run("--json", "-"))
    assert told["data"]["name"] == "data.csv"
    assert told["open"] == told["doubts"] > 10


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("row,column,answer\n9999,size,1\n", 3, "row '9999' is not in data.csv"),
        ("row,column,answer\n1,sise,1\n", 3, "did you mean 'size'"),
        ("row,column,answer\n1,y,1\n", 3, "was not asked about"),
        ("row,answer\n1,1\n", 3, "no column 'column'"),
        ("", 3, "cannot read"),
    ],
)
def test_a_file_that_cannot_be_taken_is_told(run, text, code, said):
    Path("filled.csv").write_text(text)
    told = run("--answers", "filled.csv", code=code)
    assert said in told
    assert len(told.strip().splitlines()) == 1


def test_an_answer_of_the_wrong_type_is_told(run):
    run("--next", "2")
    filled("state/batch-001.csv", ["big"])
    assert "line 2: 'big' cannot stand in 'size'" in run("--answers", "filled.csv", code=3)
    assert "0 answers taken" in run("--answers", "filled.csv", "--skip-bad")


def test_an_answer_outside_the_schema_is_told(run):
    Path("schema.yaml").write_text("schema_type: dataframe\ncolumns:\n  size:\n    dtype: float64\n    checks:\n      in_range:\n        min_value: -5\n        max_value: 5\n        include_min: true\n        include_max: true\n        options:\n          check_name: in_range\n")
    run("--next", "2")
    filled("state/batch-001.csv", ["77"])
    assert "breaks the check" in run("--answers", "filled.csv", "--schema", "schema.yaml", code=3)


def test_wrong_use_is_told(run, tmp_path):
    assert "need 'y', as the review in state" in run("--target", "size", code=2)
    assert "no answer" in run("--retract", "1", "size", code=3)
    assert "row 'x' is not in" in run("--retract", "x", "size", code=3)
    run("--next", "0", code=2)
    result = CliRunner().invoke(main, ["review", "data.csv", "--dir", "elsewhere"])
    assert result.exit_code == 3
    assert "no target is named" in result.output
    pl.DataFrame({"size": [1.0], "note": ["a"], "y": [2.0]}).write_csv("data.csv")
    assert "is of another table" in run(code=3)


def test_a_full_disk_is_told_and_leaves_nothing(run, monkeypatch):
    run("--next", "3")
    filled("state/batch-001.csv", ["0.5"])
    before = {path: path.read_bytes() for path in Path("state").rglob("*") if path.is_file()}

    def write_bytes(path, data):
        with path.open("wb") as file:
            file.write(bytes(data)[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", write_bytes)
    for words in (["--answers", "filled.csv"], ["--next", "2"], ["--next", "2", "--format", "label-studio"], ["--json", "status.json"]):
        told = run(*words, code=3)
        assert "No space left on device" in told
        assert len([line for line in told.splitlines() if line.startswith("dqops: cannot write")]) == 1
    for words, out in ((["--detectors", "outliers", "--no-model", "--plan", "plan", "--out", "cleaned.csv"], "cleaned.csv"),):
        assert "cannot write" in run(*words, command="clean", code=3)
        assert not Path(out).exists()
        assert not Path("plan").exists() or not list(Path("plan").iterdir())
    assert {path: path.read_bytes() for path in Path("state").rglob("*") if path.is_file()} == before


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
def test_killed_while_it_reads_answers_it_goes_on(run):
    run("--next", "20")
    filled("state/batch-001.csv", [str(place / 8) for place in range(20)])
    words = [sys.executable, "-m", "dqops", "review", "data.csv", "--dir", "state", "--answers", "filled.csv"]
    began = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True, cwd=shutil.copytree(".", "../copy"))
    whole = time.perf_counter() - began
    for part in (0.7, 0.85, 0.95):
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(part * whole)
        process.kill()
        process.wait()
        assert json.loads(run("--json", "-"))["settled"] in (0, 20)
    assert not list(Path("state").rglob(".*"))
    run("--answers", "filled.csv")
    assert json.loads(run("--json", "-"))["settled"] == 20


def test_what_the_repairs_settle_is_not_asked(run):
    run("--detectors", "outliers", "--no-model", "--plan", "plan", "--min-confidence", "0", command="clean")
    result = CliRunner().invoke(main, ["review", "data.csv", "--dir", "other", "--target", "y", "--repairs", "plan", "--model", "linear", "--effort", "quick", "--detectors", "outliers", "--status"])
    assert result.exit_code == 0, result.output
    surely = dqops.CleaningPlan.load("plan").to_frame().filter(pl.col("confidence") >= 0.8).height
    assert not surely or "not asked about" in result.output


@pytest.mark.parametrize("words", [["--answers", "nowhere.csv"], ["--format", "word", "--next", "2"], ["--overlap", "2"], ["--price", "-1"], ["--repairs", "nowhere"]])
def test_flags_that_cannot_be_are_refused(run, words):
    run(*words, code=2)


def test_places_that_cannot_be_are_told(run):
    Path("file").write_text("x")
    assert "cannot write" in CliRunner().invoke(main, ["review", "data.csv", "--dir", "state", "--next", "2", "--out", "file/batch.csv"]).output
    assert "no JSON" in run("--answers", str(shutil.copy("file", "answers.json")), code=3)
    assert "cut short or damaged" in run("--answers", str(shutil.copy("file", "answers.xlsx")), code=3)


def test_all_handed_out_is_told(run):
    run("--next", "1000")
    said = run("--next", "5")
    assert "no batch is written" in said
    assert "--again hands them out once more" in said
    assert "5 cells to be answered" in run("--next", "5", "--again")


def test_nothing_worth_asking_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    size = rng.normal(size=200)
    pl.DataFrame({"size": size, "y": 3 * size}).write_csv("clean.csv")
    result = CliRunner().invoke(main, ["review", "clean.csv", "--dir", "state", "--target", "y", "--model", "linear", "--effort", "quick", "--detectors", "missing", "--next", "5"])
    assert result.exit_code == 0
    assert "no doubt is expected to raise the score: nothing is worth asking" in result.output
    assert not list(Path("state").glob("batch*"))


def test_costs_decide_whether_the_next_answers_pay(run):
    for cost, verdict in (("0.01", "go on"), ("10000", "stop")):
        words = ["review", "data.csv", "--dir", f"at {cost}", "--target", "y", "--ignore", "note", "--model", "linear", "--effort", "quick", "--detectors", "outliers"]
        result = CliRunner().invoke(main, [*words, "--cost", cost, "--price", "100"])
        assert result.output.rstrip().endswith(f"at your price, {verdict}."), result.output


def test_other_dialects_are_read_as_told(run):
    text = Path("data.csv").read_text().replace(",", "|")
    Path("data.csv").write_bytes(text.encode("utf-16"))
    told = json.loads(run("--json", "-", "--encoding", "utf-16", "--delimiter", "|"))
    assert told["open"] > 10
