"""`dqops feasibility` from the outside."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from dqops.cli.main import main


@pytest.fixture
def run():
    return lambda *words: CliRunner().invoke(main, ["feasibility", *map(str, words)])


@pytest.fixture
def coin(tmp_path):
    """A threshold with a fifth of wrong labels."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=400)
    y = np.where((x > 0.5) ^ (rng.random(400) < 0.2), "yes", "no")
    path = tmp_path / "coin.csv"
    path.write_text("x,y\n" + "".join(f"{one},{label}\n" for one, label in zip(x, y, strict=True)))
    return path


def test_it_tells_the_verdict(run, coin):
    result = run(coin, "--target", "y", "--target-score", 0.95, "--effort", "quick")
    assert result.exit_code == 0, result.output
    assert "Accuracy 0.95 is infeasible" in result.output
    assert "best model found" in result.output
    assert max(map(len, result.output.splitlines())) <= 100


def test_json_on_stdout_leaves_text_to_stderr(run, coin):
    result = run(coin, "--target", "y", "--effort", "quick", "--json", "-")
    told = json.loads(result.stdout)
    assert told["verdict"] is None
    assert told["low"] < 0.2 < told["high"]
    assert "The best possible model" in result.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--target-score", 0.7, "--fail-unless", "feasible"], 0),
        (["--target-score", 0.95, "--fail-unless", "possible"], 1),
        (["--fail-unless", "possible"], 2),
        (["--target-score", 95], 2),
        (["--target-score", "high"], 2),
        (["--scoring", "acuracy"], 2),
        (["--target", "z"], 2),
        (["--holdout", "absent.csv"], 3),
    ],
)
def test_exit_codes(run, coin, words, code):
    result = run(coin, "--target", "y", "--effort", "quick", *words)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output


def test_settings_may_stand_in_a_file(run, coin, tmp_path):
    (tmp_path / "s.toml").write_text('[feasibility]\ntarget-score = 0.95\neffort = "quick"\n')
    result = run(coin, "--target", "y", "--config", tmp_path / "s.toml")
    assert "0.95 is infeasible" in result.output
