"""Every tutorial runs: its Python blocks one after the other, its console lines too, and what it shows is what comes out.

A tutorial is a Markdown page in ``docs/tutorials``. Blocks of a page share their names, and run in an empty folder where
the shipped data sets stand under ``datasets``. Of a console block, lines that begin with ``$ dqops`` run; the lines below
them must come out, in their order, ``...`` standing for any. A block behind ``<!-- not run -->`` is left alone.
"""

import io
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from click.testing import CliRunner

from dqops.cli.main import main

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
BLOCK = re.compile(r"(<!-- not run -->\s*)?^```(\w+)\n(.*?)^```", re.M | re.S)


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def blocks(page):
    """(language, text) of each block that runs."""
    return [(language, text) for skipped, language, text in BLOCK.findall(page.read_text(encoding="utf-8")) if not skipped]


def check_shown(shown, came, where):
    """What a page shows stands in what came out, line after line; `...` is anything."""
    wanted = [line.strip() for line in shown.strip().splitlines() if line.strip()]
    lines = iter(" ".join(line.split()) for line in came.splitlines())
    for one in wanted:
        if one == "...":
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in " ".join(one.split()).split("...")))
        assert any(pattern.fullmatch(line) for line in lines), f"{where}: {one!r} is not (or not there) in:\n{came}"


def run_console(text, where):
    """Run the `$ dqops ...` lines of a block, and compare what is shown below each."""
    commands = re.findall(r"^\$ (.*(?:\\\n.*)*)\n?((?:(?!\$ ).*\n?)*)", text, re.M)
    for words, shown in commands:
        name, *rest = shlex.split(words.replace("\\\n", " "), comments=True)
        if name != "dqops":
            continue
        result = CliRunner().invoke(main, rest)
        assert result.exit_code in (0, 1), f"{where}: {words}: {result.output}"
        check_shown(shown, result.output, where)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_tutorial_runs(page, workplace):
    names, out = {"__name__": "tutorial"}, ""
    found = blocks(page)
    assert found, f"{page.name} shows nothing that runs"
    for language, text in found:
        if language == "python":
            heard = io.StringIO()
            with redirect_stdout(heard):
                exec(compile(text, str(page), "exec"), names)
            out = heard.getvalue()
        elif language == "text" and out:
            check_shown(text, out, page.name)
            out = ""
        elif language in ("console", "shell"):
            run_console(text, page.name)


def test_there_are_tutorials():
    assert PAGES


def test_what_does_not_come_out_is_noticed():
    with pytest.raises(AssertionError, match="is not"):
        check_shown("a 2", "a 1", "page")
    check_shown("a ... c\n...\nd", "x\na b c\ny\nd", "page")
