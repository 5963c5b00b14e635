"""`dqops appraise` from the outside."""

import json

import polars as pl
import pytest
from click.testing import CliRunner

from dqops.cli.main import main


@pytest.fixture
def run():
    return lambda *words: CliRunner().invoke(main, list(map(str, words)))


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.csv"
    lines = [f"k{row},{row / 7:.2f},{'a' if row % 3 else 'b'},{'low' if (row < 30) != (row == 12) else 'high'}" for row in range(60)]
    path.write_text("id,size,kind,y\n" + "\n".join(lines) + "\n")
    return path


def test_the_worst_rows_are_listed_with_a_sentence(run, small):
    result = run("appraise", small, "--target", "y", "--key", "id", "--model", "knn", "--top", 3)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    worst = lines[lines.index(next(one for one in lines if one.startswith("row "))) + 1]
    assert worst.startswith("k12")
    assert "recorded 'high'; the others lead to expect 'low'" in worst
    assert "knn_shapley: the last step, KNeighborsClassifier" in result.stdout
    assert "±" in worst


def test_json_on_stdout_leaves_the_text_to_stderr(run, small):
    result = run("appraise", small, "--target", "y", "--key", "id", "--model", "knn", "--top", 2, "--json", "-")
    told = json.loads(result.stdout)
    assert told["worst"][0]["row"] == "k12"
    assert len(told["worst"]) == 2
    assert "recorded 'high'" in result.stderr


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_all_rows_are_written(run, small, tmp_path, ending):
    out = tmp_path / f"values.{ending}"
    assert run("appraise", small, "--target", "y", "--key", "id", "--model", "linear", "--out", out, "--save", tmp_path / "run").exit_code == 0
    frame = pl.read_csv(out) if ending == "csv" else pl.read_parquet(out)
    assert frame.height == 60
    assert {"row", "value", "stderr"} <= set(frame.columns)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["method"] == "influence"


@pytest.mark.parametrize(("words", "code", "told"), [
    (("--target", "z"), 2, "'z' is not a column"),
    ((), 3, "no target"),
    (("--target", "y", "--method", "knn"), 2, "no valuer is called 'knn'"),
    (("--target", "y", "--out", "values.txt"), 2, ".csv or .parquet"),
    (("--target", "y", "--holdout", "absent.csv"), 3, "absent.csv"),
    (("--target", "y", "--top", "-1"), 2, "--top"),
])  # fmt: skip
def test_wrong_usage_ends_in_one_sentence(run, small, words, code, told):
    result = run("appraise", small, *words)
    assert result.exit_code == code
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_settings_of_a_file(run, small, tmp_path):
    settings = tmp_path / "dqops.toml"
    settings.write_text('[appraise]\nmodel = "linear"\ntarget = "y"\nkey = "id"\n')
    assert "influence" in run("appraise", small, "--config", settings).stdout
