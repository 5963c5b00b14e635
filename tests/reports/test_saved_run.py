"""A saved run is read again, and every report can be made again from it."""

import json

import pytest

from dqops.errors import SourceError
from dqops.reports import markdown, page, sarif, terminal
from dqops.results.audit import load_run


def test_a_run_comes_back_as_it_was(any_audit, tmp_path):
    any_audit.save(tmp_path / "run", show_values=True)
    again = load_run(tmp_path / "run")
    assert again.to_dict(show_values=True) == any_audit.to_dict(show_values=True)
    for form in (page, terminal, markdown, sarif):
        assert form.render(again) == form.render(any_audit), form.__name__


def test_doubtful_cells_come_back(made, tmp_path):
    audit = made.audits["titanic"]()
    audit.save(tmp_path)
    again = load_run(tmp_path)
    assert again.findings.to_cells().equals(audit.findings.to_cells())
    assert again.findings["missing:age"].count == 177
    assert again.findings["leakage:boat"].whole
    assert (again.findings["missing:age"].positions == -1).all()


def test_names_of_levels_are_saved_only_when_asked_for(made, tmp_path):
    made.audits["titanic"]().save(tmp_path)
    assert not load_run(tmp_path).label_noise.classes
    assert load_run(tmp_path).columns[2].levels == ()
    text = page.render(load_run(tmp_path), show_values=True)
    assert "class 1" in text
    assert "level 1" in text


def test_what_is_no_run_is_said_in_one_sentence(made, tmp_path):
    with pytest.raises(SourceError, match=r"has no run\.json"):
        load_run(tmp_path)
    made.audits["clean"]().save(tmp_path)
    run = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(run | {"schema_version": "9.0"}))
    with pytest.raises(SourceError, match=r"version is 9\.0"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(SourceError, match="no whole run"):
        load_run(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(run))
    (tmp_path / "findings.parquet").write_bytes(b"PAR1")
    with pytest.raises(SourceError, match="no whole run"):
        load_run(tmp_path)
