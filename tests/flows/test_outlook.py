"""What stands beside an audit: there at standard effort, told in every form, the same each time, cheap."""

import json
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from jsonschema import Draft202012Validator

import dqops
from dqops.flows import outlook as module

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "audit.schema.json").read_text(encoding="utf-8"))


def dirty(task="classification", n_rows=500, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, 4))
    y = x[:, 0] + 0.5 * x[:, 1] + 0.4 * rng.normal(size=n_rows)
    frame = pl.DataFrame(x.round(4), schema=["a", "b", "c", "d"])
    frame = frame.with_columns(a=pl.Series([None if one < 0.1 else value for one, value in zip(rng.random(n_rows), x[:, 0].round(4), strict=True)]))
    return frame.with_columns(y=pl.Series(y if task == "regression" else np.where(y > 0, "up", "down")))


def audited(frame, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dqops.audit(frame, target="y", model="linear", **options)


@pytest.fixture(scope="module")
def audit():
    return audited(dirty())


def test_an_audit_looks_ahead(audit):
    told = audit.outlook
    assert [one["corruption"] for one in told["curves"]] == ["label_flips", "missing_completely_at_random"]
    assert told["curves"][0]["method"] == "refitted"
    assert 0 <= told["band"]["low"] <= told["band"]["high"] <= 1
    assert told["band"]["high"] == pytest.approx(1 - audit.baseline.low)
    assert 0 <= told["certainty"]["certain"] <= 1
    assert told["certainty"]["accuracy_low"] <= told["certainty"]["accuracy_high"]
    assert told["certainty"]["columns"] == ["a"]


def test_the_outlook_is_in_every_form(audit, tmp_path):
    for text in (str(audit), audit.to_markdown()):
        for said in ("more wrong labels", "more missing cells", "least error of any model", "whatever is true of"):
            assert said in text
    audit.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count('<svg class="curve"') == 2
    assert "What is certain already" in page
    Draft202012Validator(SCHEMA).validate(json.loads(audit.to_json()))


def test_a_saved_run_keeps_it(audit, tmp_path):
    audit.save(tmp_path / "run")
    again = dqops.load_run(tmp_path / "run")
    assert again.to_dict()["outlook"] == audit.to_dict()["outlook"]
    assert "more wrong labels" in str(again)


def test_the_outlook_is_the_same_each_time(audit):
    assert audited(dirty()).to_dict()["outlook"] == audit.to_dict()["outlook"]


def test_numbers_have_an_outlook_without_certainty():
    told = audited(dirty("regression")).outlook
    assert [one["corruption"] for one in told["curves"]] == ["target_swaps", "missing_completely_at_random"]
    assert told["band"]["unit"] == "1 - R2"
    assert told["certainty"] is None


def test_quick_and_modelless_audits_have_none():
    assert audited(dirty(n_rows=120), effort="quick").outlook is None
    assert "outlook" not in json.loads(dqops.audit(dirty(n_rows=120), model=None).to_json())


def test_scorers_without_a_band_have_none():
    told = audited(dirty(n_rows=200), scoring="f1_macro").outlook
    assert told["band"] is None
    assert told["curves"]


def test_a_part_that_fails_is_a_note(monkeypatch):
    def fails(*_):
        raise dqops.DqopsError("no neighbours today")

    monkeypatch.setattr(module, "_band", fails)
    told = audited(dirty(n_rows=200))
    assert told.outlook["band"] is None
    assert any("no band beside the audit: no neighbours today" in one for one in told.warnings)


def test_it_takes_a_small_part_of_an_audit(monkeypatch):
    spent, real = [], module.outlook

    def timed(*given, **options):
        started = time.process_time()
        told = real(*given, **options)
        spent.append(time.process_time() - started)
        return told

    monkeypatch.setattr(module, "outlook", timed)
    frame = dirty(n_rows=2000)
    audited(frame)
    started = time.process_time()
    audited(frame)
    # A linear model is the cheapest to audit: of others it is a smaller part.
    assert spent[1] < 0.4 * (time.process_time() - started)
