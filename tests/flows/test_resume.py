"""Runs that were interrupted go on: finished fits are kept, found again, and trusted only where all is the same."""

import json
import warnings

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import dqops
from dqops.cli.main import main
from dqops.errors import SourceError
from dqops.propagation.finished import NAME, Finished


class Counted(RegressorMixin, BaseEstimator):
    """Ridge that counts its fits, and is interrupted at one of them."""

    fits = 0
    stops_at = None

    def fit(self, X, y):
        Counted.fits += 1
        if Counted.fits == Counted.stops_at:
            raise KeyboardInterrupt
        self.inner_ = Ridge().fit(np.nan_to_num(np.asarray(X, dtype=float)), y)
        return self

    def predict(self, X):
        return self.inner_.predict(np.nan_to_num(np.asarray(X, dtype=float)))


def dirty(n_rows=150, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, 2)).round(4)
    wild = np.where(rng.random(n_rows) < 0.1, 50 + rng.random(n_rows), x[:, 0]).round(4)
    return pl.DataFrame({"a": wild, "b": [None if one < 0.1 else float(v) for one, v in zip(rng.random(n_rows), x[:, 1], strict=True)], "y": (x[:, 0] + x[:, 1]).round(4)})


def run(work, *, stops_at=None, **options):
    """(result, fits); the result is None where the run was interrupted."""
    Counted.fits, Counted.stops_at = 0, stops_at
    model = options.pop("model", make_pipeline(StandardScaler(), Counted()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return work(options.pop("table", dirty()), target="y", model=model, effort="quick", **options).to_dict() | {"timings": 0}, Counted.fits
        except KeyboardInterrupt:
            return None, Counted.fits


def audit(table, **options):
    return dqops.audit(table, detectors=["outliers", "missing"], **options)


def curves(table, **options):
    return dqops.propagate(table, corruptions=["target_swaps", "missing_completely_at_random"], rates=[0.1, 0.3], **options)


@pytest.mark.parametrize("work", [audit, curves])
def test_an_interrupted_run_goes_on_to_the_same_answer(work, tmp_path):
    whole, n_fits = run(work)
    stopped, _ = run(work, stops_at=n_fits // 2, keep=tmp_path)
    assert stopped is None
    kept = len((tmp_path / NAME).read_text().splitlines())
    assert kept > 0
    again, rest = run(work, keep=tmp_path)
    assert again == whole
    assert rest < 0.8 * n_fits
    once_more, least = run(work, keep=tmp_path)
    assert once_more == whole
    assert least < 0.2 * n_fits


def test_a_run_out_of_time_is_marked_and_goes_on(tmp_path):
    short, _ = run(curves, keep=tmp_path, max_seconds=1e-9)
    assert any("the answer is partial" in one for one in short["warnings"])
    assert len(short["curves"]) == 1
    full, _ = run(curves, keep=tmp_path)
    assert full["curves"] == run(curves)[0]["curves"]
    assert not any("partial" in one for one in full["warnings"])


@pytest.mark.parametrize("change", ["rows", "order", "seed", "parameter", "version"])
def test_what_differs_is_measured_anew(change, tmp_path, monkeypatch):
    table, model, options = dirty(), make_pipeline(StandardScaler(), Counted()), {}
    run(curves, keep=tmp_path)
    _, n_fits = run(curves)
    if change == "rows":
        table = table.with_columns(pl.col("a") + 0.5)
    elif change == "order":
        table = table.reverse()
    elif change == "seed":
        options["seed"] = 1
    elif change == "parameter":
        model = make_pipeline(StandardScaler(with_mean=False), Counted())
    else:
        monkeypatch.setattr("dqops.flows.propagate.version", lambda name: "another")
    _, fits = run(curves, keep=tmp_path, table=table, model=model, **options)
    assert fits == n_fits


def test_lines_that_were_cut_off_are_left_out(tmp_path):
    Finished(tmp_path, "a").keep("one", 1.5)
    with (tmp_path / NAME).open("a") as file:
        file.write('{"run": "a", "what": "two", "va')
    kept = Finished(tmp_path, "a")
    assert kept.of("one") == 1.5
    assert kept.of("two") is None
    kept.keep("three", {"b": [1, None]})
    assert Finished(tmp_path, "a").of("three") == {"b": [1, None]}
    assert [json.loads(line)["what"] for line in (tmp_path / NAME).read_text().splitlines() if line.endswith("}")] == ["one", "three"]


def test_a_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(SourceError, match="folder that can be written"):
        run(audit, keep=tmp_path / "file")


def test_the_command_says_how_to_go_on(tmp_path, monkeypatch):
    path, folder = tmp_path / "t.csv", tmp_path / "run"
    dirty().write_csv(path)

    def interrupted(*given, keep, **options):
        Finished(keep, "another").keep("one", 1.0)
        raise KeyboardInterrupt

    asked = ["propagate", str(path), "--target", "y", "--model", "linear", "--corruptions", "target_swaps", "--rates", "0.2", "--effort", "quick", "--jobs", "1", "--save", str(folder)]
    with monkeypatch.context() as patch:
        patch.setattr("dqops.flows.propagate.propagate", interrupted)
        stopped = CliRunner().invoke(main, asked)
    assert stopped.exit_code == 1
    assert f"goes on from the 1 results that are kept in {folder}" in stopped.output
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0, done.output
    assert {one.name for one in folder.iterdir()} == {NAME, "curves.json", "page.html"}
