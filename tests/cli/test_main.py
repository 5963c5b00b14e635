"""The outermost border: whatever happens, a user reads one sentence."""

from click.testing import CliRunner

import dqops.flows.audit
from dqops.cli.main import main


def test_a_fault_of_our_own_is_one_sentence(monkeypatch, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,y\n1,0\n2,1\n")

    def broken(*args, **options):
        raise RuntimeError("something\nnobody thought of")

    monkeypatch.setattr(dqops.flows.audit, "audit", broken)
    result = CliRunner().invoke(main, ["audit", str(path), "--target", "y"])
    assert result.exit_code == 3
    assert result.output == "dqops: a fault of dqops itself (RuntimeError: something nobody thought of); DQOPS_DEBUG=1 shows where\n"


def test_help_names_every_command():
    output = CliRunner().invoke(main, ["--help"]).output
    assert all(name in output for name in ("audit", "schema", "validate", "datasets"))


def test_wrong_usage_exits_with_2():
    assert CliRunner().invoke(main, ["audit", "--no-such-flag"]).exit_code == 2
    assert CliRunner().invoke(main, ["adit"]).exit_code == 2
