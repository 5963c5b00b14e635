"""`dqops audit` from the outside: what it prints, writes and refuses."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from dqops.cli.main import main


@pytest.fixture
def run():
    return lambda *words: CliRunner().invoke(main, list(map(str, words)))


@pytest.fixture
def small(tmp_path):
    """A table with a typo and holes, small enough to price in a moment."""
    path = tmp_path / "small.csv"
    rng = np.random.default_rng(0)
    sizes = [f"{size:.1f}" for size in rng.normal(20, 5, 90)]
    sizes[4], sizes[30], sizes[50], sizes[51] = "17.x", "19..2", "", ""
    lines = [f"{size},{kind},{y}" for size, kind, y in zip(sizes, rng.choice(["a", "b"], 90), rng.choice(["no", "yes"], 90), strict=True)]
    path.write_text("size,kind,y\n" + "\n".join(lines) + "\n")
    return path


def test_a_search_without_a_model(run, small):
    result = run("audit", small, "--target", "y", "--no-model")
    assert result.exit_code == 0
    assert "formats" in result.output
    assert "size" in result.output


def test_all_outputs_at_once(run, small, tmp_path):
    before = small.read_bytes()
    paths = {name: tmp_path / f"o.{name}" for name in ("json", "html", "markdown", "sarif")}
    words = [word for name, path in paths.items() for word in (f"--{name}", path)]
    result = run("audit", small, "--target", "y", "--model", "linear", "--effort", "quick", "--jobs", 1, *words, "--save", tmp_path / "run")
    assert result.exit_code == 0, result.output
    told = json.loads(paths["json"].read_text())
    assert set(told) >= {"schema_version", "data", "model", "scoring", "baseline", "findings", "gains", "ranking", "warnings", "settings", "versions", "timings"}
    assert told["ranking"][0] in {one["id"] for one in told["findings"]}
    assert paths["html"].read_text().lower().startswith("<!doctype html>")
    assert json.loads(paths["sarif"].read_text())["version"] == "2.1.0"
    cells = pl.read_parquet(tmp_path / "run" / "findings.parquet")
    assert cells.columns == ["row", "column", "kind", "score", "value", "why"]
    assert small.read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["o.html", "o.json", "o.markdown", "o.sarif", "run", "small.csv"]


def test_json_on_stdout_leaves_text_to_stderr(small):
    done = _dqops("audit", small, "--target", "y", "--no-model", "--json", "-")
    assert json.loads(done.stdout)["data"]["rows"] == 90
    assert "formats" in done.stderr


def test_the_answer_does_not_change(run, small, tmp_path):
    texts = []
    for name in ("a", "b"):
        run("audit", small, "--target", "y", "--model", "linear", "--effort", "quick", "--json", tmp_path / name)
        told = json.loads((tmp_path / name).read_text())
        told.pop("timings")
        texts.append(json.dumps(told))
    assert texts[0] == texts[1]


@pytest.mark.parametrize(("condition", "code"), [("findings > 0", 1), ("findings > 1000", 0), ("findngs > 1", 2)])
def test_a_condition_decides_the_exit_code(run, small, condition, code):
    result = run("audit", small, "--target", "y", "--no-model", "--fail-on", condition)
    assert result.exit_code == code


def test_settings_come_from_a_file_and_flags_win(run, small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dqops.toml").write_text('target = "y"\n[audit]\nno-model = true\nseed = 7\n')
    run("audit", small, "--json", "o.json", "--seed", 3)
    settings = json.loads((tmp_path / "o.json").read_text())
    assert (settings["settings"]["seed"], settings["data"]["target"], settings["model"]) == (3, "y", None)


def test_an_unknown_setting_is_named(run, small, tmp_path):
    (tmp_path / "other.toml").write_text("tarjet = 'y'\n")
    result = run("audit", small, "--config", tmp_path / "other.toml")
    assert result.exit_code == 2
    assert "tarjet" in result.output


REFUSED = {
    "missing file": ("audit", "nowhere.csv", "--target", "y"),
    "target absent": ("audit", "good.csv", "--target", "z"),
    "empty file": ("audit", "empty.csv", "--target", "y"),
    "header only": ("audit", "header.csv", "--target", "y"),
    "one class": ("audit", "one_class.csv", "--target", "y"),
    "missing target": ("audit", "no_target.csv", "--target", "y"),
    "truncated gzip": ("audit", "cut.csv.gz", "--target", "y"),
    "truncated parquet": ("audit", "cut.parquet", "--target", "y"),
    "unknown model": ("audit", "good.csv", "--target", "y", "--model", "forst"),
    "unknown module": ("audit", "good.csv", "--target", "y", "--model", "no.such:thing"),
    "pickled model": ("audit", "good.csv", "--target", "y", "--model", "model.pkl"),
    "unknown scorer": ("audit", "good.csv", "--target", "y", "--scoring", "acuracy"),
    "unknown detector": ("audit", "good.csv", "--target", "y", "--detectors", "mising"),
    "model that raises": ("audit", "good.csv", "--target", "y", "--model", "broken_model:raises"),
    "holdout with other columns": ("audit", "good.csv", "--target", "y", "--holdout", "other.csv"),
    "output that cannot be": ("audit", "good.csv", "--target", "y", "--no-model", "--json", "good.csv/o.json"),
    "model without target": ("audit", "good.csv", "--model", "linear"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    lines = ["a,b,y", *(f"{k % 7},{'uv'[k % 2]},{k % 2}" for k in range(60))]
    text = "\n".join(lines) + "\n"
    (folder / "good.csv").write_text(text)
    (folder / "empty.csv").write_text("")
    (folder / "header.csv").write_text("a,b,y\n")
    (folder / "one_class.csv").write_text("a,y\n1,no\n2,no\n3,no\n")
    (folder / "no_target.csv").write_text("a,y\n1,\n2,\n3,\n")
    (folder / "other.csv").write_text("q,y\n1,0\n2,1\n")
    (folder / "cut.csv.gz").write_bytes(gzip.compress(text.encode())[:-20])
    pl.read_csv(folder / "good.csv").write_parquet(folder / "whole.parquet")
    (folder / "cut.parquet").write_bytes((folder / "whole.parquet").read_bytes()[:-50])
    (folder / "model.pkl").write_bytes(b"\x80\x04N.")
    (folder / "broken_model.py").write_text(
        "from sklearn.base import BaseEstimator, ClassifierMixin\n"
        "class Raises(ClassifierMixin, BaseEstimator):\n"
        "    def fit(self, X, y):\n"
        "        raise RuntimeError('no luck today')\n"
        "raises = Raises()\n"
    )
    return folder


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_bad_input_gets_one_sentence(run, folder, words, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    result = run(*words, "--effort", "quick", "--jobs", 1)
    assert result.exit_code in (2, 3), result.output
    assert "Traceback" not in result.output
    assert result.output.startswith("dqops: ")
    assert len(result.output.strip().splitlines()) == 1
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


SENSIBLE = {
    "one row": "a,y\n1,0\n",
    "one column": "y\n0\n1\n0\n",
    "constant and empty columns": "a,b,c,y\n" + "1,,x,0\n1,,z,1\n" * 20,
    "duplicate names": "a,a,y\n" + "1,2,0\n3,4,1\n" * 20,
    "ragged rows": "a,b,y\n1,2,0\n1\n" + "1,2,0\n3,4,1\n" * 20,
    "infinities": "a,y\n" + "inf,0\n1,1\n-inf,0\n2,1\n" * 10,
    "integers beyond 64 bits": "a,y\n" + "99999999999999999999999,0\n1,1\n" * 20,
    "names like code": "<script>alert(1)</script>,'; DROP TABLE x; --,y\n" + "1,2,0\n3,,1\n" * 20,
    "mixed types": "a,y\n" + "1,0\nx,1\n2020-01-01,0\ntrue,1\n" * 10,
}


@pytest.mark.parametrize("text", SENSIBLE.values(), ids=SENSIBLE)
def test_odd_input_gets_a_sensible_search(run, tmp_path, text):
    path = tmp_path / "odd.csv"
    path.write_text(text)
    result = run("audit", path, "--target", "y", "--no-model", "--html", tmp_path / "o.html")
    assert result.exit_code == 0, result.output
    assert "<script>alert" not in (tmp_path / "o.html").read_text()


def test_ten_thousand_columns_end_with_a_result(run, tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text(",".join(f"c{k}" for k in range(10_000)) + "\n" + (",".join("1" for _ in range(10_000)) + "\n") * 3)
    assert run("audit", path, "--no-model").exit_code == 0


def test_an_interrupt_ends_cleanly(tmp_path):
    rng = np.random.default_rng(0)
    numbers = [",".join("" if hole else f"{one:.4f}" for one, hole in zip(row, rng.random(8) < 0.1, strict=True)) for row in rng.normal(size=(8000, 8))]
    lines = [f"{row},{'yes' if row.startswith('-') else 'no'}" for row in numbers]
    large = tmp_path / "large.csv"
    large.write_text(",".join("abcdefgh") + ",y\n" + "\n".join(lines) + "\n")
    words = [sys.executable, "-m", "dqops", "audit", large, "--target", "y", "--effort", "thorough", "--json", tmp_path / "o.json"]
    child = subprocess.Popen(list(map(str, words)), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    time.sleep(4)
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=60)
    assert child.returncode != 0
    assert "Traceback" not in said
    assert [one.name for one in tmp_path.iterdir()] == ["large.csv"]


def _dqops(*words):
    environment = os.environ | {"NO_COLOR": "1"}
    return subprocess.run([sys.executable, "-m", "dqops", *map(str, words)], capture_output=True, text=True, env=environment, check=True)


def test_a_config_speaks_the_names_of_the_flags(run, small, tmp_path):
    config = tmp_path / "mine.toml"
    config.write_text(f"[audit]\ntarget = 'y'\nno-model = true\nignore = 'kind'\njson = '{tmp_path / 'told.json'}'\n")
    result = run("audit", small, "--config", config)
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "told.json").read_text())["settings"]["ignore"] == ["kind"]


@pytest.mark.parametrize("text", ["audit = 'x'", "[audit]\njson_pth = 'x'"])
def test_a_config_of_another_shape_is_wrong_usage(run, small, tmp_path, text):
    (tmp_path / "odd.toml").write_text(text)
    result = run("audit", small, "--config", tmp_path / "odd.toml")
    assert result.exit_code == 2
    assert result.output.startswith("dqops: config=")


def test_two_results_do_not_share_standard_output(run, small):
    result = run("audit", small, "--target", "y", "--no-model", "--json", "-", "--markdown", "-")
    assert result.exit_code == 2
    assert "one of them on standard output" in result.output


@pytest.mark.parametrize("jobs", [0, -2])
def test_no_jobs_are_wrong_usage(run, small, jobs):
    assert run("audit", small, "--target", "y", "--no-model", "--jobs", jobs).exit_code == 2


def test_a_column_of_infinities_is_no_fault_of_ours(run, tmp_path):
    path = tmp_path / "inf.csv"
    cells = ["inf", "-inf", "nan", "1e999", "-1e999", "1"] * 12
    path.write_text("x,y\n" + "\n".join(f"{cell},{row % 2}" for row, cell in enumerate(cells)) + "\n")
    result = run("audit", path, "--target", "y", "--model", "linear", "--effort", "quick", "--jobs", 1)
    assert result.exit_code in (0, 3)
    assert "fault" not in result.output


def test_a_column_that_tells_all_is_kept_where_it_is_the_only_one(run, tmp_path):
    path = tmp_path / "leak.csv"
    path.write_text("t,y\n" + "\n".join(f"{'ab'[row % 2]},{row % 2}" for row in range(80)) + "\n")
    result = run("audit", path, "--target", "y", "--model", "linear", "--effort", "quick", "--jobs", 1)
    assert result.exit_code == 0, result.output


def test_a_holdout_file_judges(run, small, tmp_path):
    words = ("--target", "y", "--model", "linear", "--effort", "quick", "--jobs", 1, "--json", tmp_path / "o.json")
    result = run("audit", small, "--holdout", small, "--reference", small, "--ignore", "kind", *words)
    assert result.exit_code == 0, result.output
    told = json.loads((tmp_path / "o.json").read_text())
    assert told["baseline"]["judged_on"] == "holdout"
    assert told["settings"]["ignore"] == ["kind"]
    assert told["settings"]["target"] == "y"
