"""``dqops certify``."""

import json

import polars as pl
import pytest
from click.testing import CliRunner

from dqops.cli.main import main

SHIPPED = "datasets/titanic/titanic.csv"


@pytest.fixture
def run(tmp_path):
    source = tmp_path / "data.csv"
    rows = [f"{place % 7}.5,{'' if place % 9 == 0 else place % 5},{'ab'[place % 2]}" for place in range(60)]
    source.write_text("size,count,y\n" + "\n".join(rows) + "\n")
    return lambda *words: CliRunner().invoke(main, ["certify", str(source), *words])


def test_it_prints_a_verdict(run):
    done = run("--target", "y")
    assert done.exit_code == 0, done.output
    assert "Cleaning can change" in done.output
    assert "predictions that no repair changes" in done.output


def test_json_goes_to_standard_output_and_the_rest_to_standard_error(run):
    done = run("--target", "y", "--json", "-", "--k", "3")
    assert json.loads(done.stdout)["settings"]["k"] == 3
    assert "Cleaning can change" in done.stderr


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_rows_are_written(run, tmp_path, ending):
    out, needs = tmp_path / f"rows.{ending}", tmp_path / f"needs.{ending}"
    assert run("--target", "y", "--out", str(out), "--needs", str(needs)).exit_code == 0
    read = pl.read_csv if ending == "csv" else pl.read_parquet
    assert read(out).columns == ["row", "predicted", "certain", "probability", "n_possible"]
    assert read(out).height == 60
    assert read(needs).columns == ["row", "cells", "need", "can_matter"]


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [
        (2, "ends in .parquet or .csv", ["--target", "y", "--out", "rows.txt"]),
        (2, "Did you mean 'size'", ["--target", "sise"]),
        (2, "Missing option '--target'", []),
        (3, "cannot be followed through all repairs", ["--target", "y", "--model", "forest"]),
        (2, "no detector is called", ["--target", "y", "--detectors", "nothing"]),
        (3, "cannot read", ["--target", "y", "--holdout", "absent.csv"]),
    ],
)
def test_what_cannot_be_is_one_sentence(run, code, said, words):
    done = run(*words)
    assert done.exit_code == code
    assert said in done.output
    assert "Traceback" not in done.output
