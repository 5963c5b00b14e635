"""``dqops clean`` and ``dqops undo``: what is written, what is refused, and what a crash leaves."""

import random
import signal
import subprocess
import sys
import time

import polars as pl
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import dqops
from dqops import CleaningPlan
from dqops.cli.main import main
from dqops.errors import OutputError
from dqops.flows import rewrite

HEADER = b"size;city;y\r\n"


def rows(count=80):
    chance = random.Random(0)
    cities = ["london", "paris", "berlin"]
    lines = [f"{40 + place % 17}.5;{chance.choice(cities)};{place % 2}" for place in range(count)]
    lines[3], lines[5], lines[9] = "44.5 kg;paris;1", '41.5;"lonndon";1', "45.5;berlin ;0"
    return HEADER + "\r\n".join(lines).encode() + b"\r\n"


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(rows())
    return path


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def clean(source, *more, out="out.csv", plan="plan"):
    return run("clean", source, "--target", "y", "--no-model", "--plan", source.parent / plan, "--out", source.parent / out, *more)


def undo(source, *more, out="out.csv", back="back.csv", plan="plan"):
    return run("undo", source.parent / out, "--plan", source.parent / plan, "--out", source.parent / back, *more)


def test_rows_of_another_file_may_judge(source):
    held = source.parent / "held.csv"
    held.write_bytes(rows(60))
    done = run("clean", source, "--target", "y", "--model", "linear", "--effort", "quick", "--holdout", held, "--plan", source.parent / "plan", "--out", source.parent / "out.csv")
    assert done.exit_code == 0, done.output
    assert "cells to change" in done.output


def test_a_file_is_cleaned_and_comes_back_byte_for_byte(source):
    done = clean(source)
    assert done.exit_code == 0
    assert "cells to change" in done.output
    cleaned = (source.parent / "out.csv").read_bytes()
    lines = [one for one in zip(rows().split(b"\r\n"), cleaned.split(b"\r\n"), strict=True) if one[0] != one[1]]
    assert (b"44.5 kg;paris;1", b"44.5;paris;1") in lines
    assert (b'41.5;"lonndon";1', b'41.5;"london";1') in lines
    assert len(lines) <= 3
    assert source.read_bytes() == rows()
    back = undo(source)
    assert back.exit_code == 0
    assert (source.parent / "back.csv").read_bytes() == rows()


def test_a_part_is_taken_back_and_the_rest_later(source):
    clean(source)
    assert undo(source, "--column", "size", "--rest", source.parent / "rest").exit_code == 0
    assert b"44.5 kg;paris;1" in (source.parent / "back.csv").read_bytes()
    assert b'"london"' in (source.parent / "back.csv").read_bytes()
    assert undo(source, out="back.csv", back="whole.csv", plan="rest").exit_code == 0
    assert (source.parent / "whole.csv").read_bytes() == rows()


def test_parquet_comes_back_value_for_value(source):
    frame = dqops.read(source).frame
    path = source.parent / "data.parquet"
    frame.write_parquet(path)
    assert clean(path, out="out.parquet").exit_code == 0
    assert pq.read_table(source.parent / "out.parquet").schema.field("size").type == "double"
    assert undo(path, out="out.parquet", back="back.parquet").exit_code == 0
    assert pq.read_table(source.parent / "back.parquet").equals(pq.read_table(path))


def test_a_plan_can_be_made_first_and_used_later(source):
    assert run("clean", source, "--target", "y", "--no-model", "--plan", source.parent / "plan").exit_code == 0
    assert not (source.parent / "out.csv").exists()
    plan = CleaningPlan.load(source.parent / "plan")
    plan.select(column="size").save(source.parent / "plan")
    done = run("clean", source, "--plan", source.parent / "plan", "--out", source.parent / "out.csv")
    assert done.exit_code == 0
    assert b"lonndon" in (source.parent / "out.csv").read_bytes()
    assert b"44.5;paris" in (source.parent / "out.csv").read_bytes()
    undo(source)
    assert (source.parent / "back.csv").read_bytes() == rows()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--out", "data.csv"], 2, "another file than DATA"),
        (["--out", "out.docx"], 2, "a name that ends in"),
        (["--min-confidence", "2"], 2, "2"),
        (["--target", "Citty"], 2, "Did you mean 'city'"),
        (["--detectors", "mising"], 2, "Did you mean 'missing'"),
    ],
)
def test_wrong_usage_is_one_sentence(source, monkeypatch, words, code, said):
    monkeypatch.chdir(source.parent)
    done = run("clean", "data.csv", "--target", "y", "--no-model", "--out", "out.csv", *words)
    assert done.exit_code == code
    assert said in done.output
    assert "Traceback" not in done.output
    assert source.read_bytes() == rows()


def test_a_plan_for_another_table_is_refused(source):
    clean(source)
    other = source.parent / "other.csv"
    other.write_bytes(rows(50))
    done = clean(other, out="other_out.csv")
    assert done.exit_code == 3
    assert "is for another table" in done.output
    same_shape = source.parent / "same.csv"
    same_shape.write_bytes(rows().replace(b"41.5", b"39.5"))
    done = clean(same_shape, out="other_out.csv")
    assert done.exit_code == 3
    assert "its cells are others" in done.output
    assert not (source.parent / "other_out.csv").exists()


def test_a_plan_made_with_other_settings_is_not_used(source):
    clean(source)
    done = clean(source, "--min-confidence", "0.5")
    assert done.exit_code == 2
    assert "min_confidence" in done.output


def test_what_cannot_be_undone_is_told(source):
    clean(source)
    out = source.parent / "out.csv"
    out.write_bytes(out.read_bytes().replace(b"44.5;paris", b"77.7;paris"))
    done = undo(source)
    assert done.exit_code == 3
    assert "does not hold '44.5'" in done.output
    assert run("undo", out, "--plan", source.parent / "none", "--out", source.parent / "b.csv").exit_code == 3
    assert run("undo", out, "--plan", source.parent / "plan", "--out", out).exit_code == 2
    assert run("undo", out, "--plan", source.parent / "plan", "--out", source.parent / "b.csv", "--row", "x").exit_code == 2


def test_a_full_disk_leaves_nothing_half_written(source, monkeypatch):
    def full(path, data):
        raise OutputError(path, "No space left on device")

    monkeypatch.setattr(rewrite, "write_bytes", full)
    done = clean(source)
    assert done.exit_code == 3
    assert "No space left on device" in done.output
    assert not (source.parent / "out.csv").exists()
    monkeypatch.undo()
    assert clean(source).exit_code == 0  # the plan was saved first, and is made as it is
    undo(source)
    assert (source.parent / "back.csv").read_bytes() == rows()


def test_a_killed_process_loses_nothing(source):
    words = ["clean", str(source), "--target", "y", "--no-model", "--plan", str(source.parent / "plan"), "--out", str(source.parent / "out.csv")]
    clean(source, out="whole.csv", plan="whole")
    whole = (source.parent / "whole.csv").read_bytes()
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "dqops", *words], capture_output=True, check=True)
    took = time.monotonic() - started
    (source.parent / "out.csv").unlink()
    chance = random.Random(1)
    for _ in range(12):
        killed = subprocess.Popen([sys.executable, "-m", "dqops", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            killed.wait(timeout=took * chance.uniform(0.6, 1.05))
        except subprocess.TimeoutExpired:
            killed.send_signal(signal.SIGKILL)
            killed.wait()
        assert source.read_bytes() == rows()
        out = source.parent / "out.csv"
        assert not out.exists() or out.read_bytes() == whole
        if out.exists():
            assert undo(source).exit_code == 0
            assert (source.parent / "back.csv").read_bytes() == rows()
            out.unlink()
        left = {one.name for one in source.parent.iterdir()} - {"data.csv", "plan", "whole", "whole.csv", "back.csv"}
        assert all(name.startswith(".out.csv.") and (source.parent / name).read_bytes() == whole for name in left)
        if chance.random() < 0.5 and (source.parent / "plan").exists():
            for one in (source.parent / "plan").iterdir():
                one.unlink()
    assert clean(source).exit_code == 0
    assert (source.parent / "out.csv").read_bytes() == whole


def test_settings_of_a_file_count(source, monkeypatch):
    monkeypatch.chdir(source.parent)
    (source.parent / "dqops.toml").write_text('[clean]\ntarget = "y"\nno-model = true\nmin-confidence = 1.0\n')
    done = run("clean", "data.csv", "--plan", "plan")
    assert done.exit_code == 0
    assert CleaningPlan.load("plan").settings["min_confidence"] == 1.0
    assert CleaningPlan.load("plan").changes.is_empty()


def test_keys_name_rows(tmp_path):
    frame = pl.DataFrame({"id": [f"r{place}" for place in range(60)], "size": [f"{place}.5" for place in range(59)] + ["9 kg"], "y": [0, 1] * 30})
    frame.write_csv(tmp_path / "a.csv")
    run("clean", tmp_path / "a.csv", "--target", "y", "--key", "id", "--no-model", "--plan", tmp_path / "plan", "--out", tmp_path / "out.csv")
    assert CleaningPlan.load(tmp_path / "plan").changes["row"].to_list() == ["r59"]
    assert run("undo", tmp_path / "out.csv", "--plan", tmp_path / "plan", "--out", tmp_path / "back.csv", "--row", "r59").exit_code == 0
    assert (tmp_path / "back.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()
