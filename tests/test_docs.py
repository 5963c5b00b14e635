"""What is written and what is there are the same: the front door, the plug-ins, the docs, the README."""

import ast
import re
import tomllib
from importlib import import_module
from inspect import isclass, isfunction
from pathlib import Path

import pytest
from click.testing import CliRunner

import dqops
import dqops.cleaners
import dqops.detectors
from dqops.cli.main import main
from dqops.contracts import Cleaner, Detector
from dqops.errors import DqopsError

ROOT = Path(dqops.__file__).parents[1]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BUILT_IN = ["missing", "labels", "outliers", "duplicates", "categories", "formats", "rules", "leakage", "drift"]
FLAGS = """
    --target --key --time --group --ignore --weight --trusted --model --scoring --holdout --reference --schema --detectors
    --no-model --effort --max-seconds --seed --json --html --markdown --sarif --save --fail-on --show-values --config
"""
LONGEST_LINE = 90


def first_line(thing):
    return (thing.__doc__ or "").strip().split("\n")[0]


def package_of(requirement):
    return re.match(r"[\w.-]+", requirement).group().lower()


def built_in(role):
    """Plug-ins of a role that come with dqops, by name."""
    return {name: kind for name, kind in role.known().items() if kind.__module__.startswith("dqops.")}


@pytest.fixture(scope="module")
def help_of():
    return lambda command: CliRunner().invoke(main, [command, "--help"]).output


def test_the_stub_says_what_the_front_door_offers():
    stub = ast.parse((ROOT / "dqops" / "__init__.pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    told = {alias.name: node.module for node in imports for alias in node.names}
    assert told == {name: f"dqops.{home}" for name, home in dqops._HOME.items()}
    assert all(alias.asname == alias.name for node in imports for alias in node.names)


@pytest.mark.parametrize("name", dqops.__all__)
def test_the_front_door_opens_and_is_described(name):
    thing = getattr(dqops, name)
    assert thing is getattr(import_module(f"dqops.{dqops._HOME[name]}"), name)
    assert isclass(thing) or isfunction(thing) or callable(thing)
    assert 0 < len(first_line(thing)) <= LONGEST_LINE


def test_names_that_are_not_there_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'adit'"):
        dqops.adit  # noqa: B018
    assert {*dqops.__all__, "__version__"} == set(dir(dqops))


@pytest.mark.parametrize("role", [Detector, Cleaner])
def test_every_plug_in_is_described(role):
    kinds = built_in(role)
    assert kinds
    for name, kind in kinds.items():
        # A dataclass without a docstring gets its signature as one.
        assert 0 < len(first_line(kind)) <= 120, name
        assert not first_line(kind).startswith(f"{kind.__name__}("), name


def test_the_built_in_detectors_are_those_of_the_docs():
    assert sorted(built_in(Detector)) == sorted(BUILT_IN)
    text = (ROOT / "docs" / "detectors.md").read_text(encoding="utf-8")
    assert re.findall(r"^## `(\w+)`$", text, re.M) == BUILT_IN


def test_every_dependency_says_why():
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| ([\w.-]+) \|", text, re.M)[1:]
    assert sorted(told) == sorted(map(package_of, PYPROJECT["dependencies"]))
    for extra, requirements in PYPROJECT["optional-dependencies"].items():
        assert f"`{extra}`" in text
        missing = [one for one in map(package_of, requirements) if one not in text.lower()]
        assert not missing, missing


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *DOCS], ids=lambda page: page.name)
def test_what_a_page_names_exists(page):
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"(?<![\w./])(?:datasets|docs|benchmarks|tests)/[\w./-]*\w", text)
    linked = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    absent = [one for one in named if not (ROOT / one).exists()] + [one for one in linked if not (page.parent / one).exists()]
    assert not absent, absent
    assert len(text.splitlines()) < 400


def test_the_readme_names_the_data_that_its_examples_need():
    assert {"datasets/titanic/titanic.csv", "datasets/penguins/penguins.csv"} <= set(re.findall(r"datasets/[\w./]+\w", README))


def test_the_index_leads_to_every_page():
    linked = set(re.findall(r"\]\(([^)#]+)\)", (ROOT / "docs" / "index.md").read_text(encoding="utf-8")))
    docs = ROOT / "docs"
    pages = {one.relative_to(docs).as_posix() for one in docs.rglob("*") if one.suffix in (".md", ".json")} - {"index.md"}
    assert pages <= linked


def test_every_benchmark_has_its_line():
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    absent = [one.name for one in (ROOT / "benchmarks").glob("*.py") if f"`{one.name}`" not in text]
    assert not absent, absent


@pytest.mark.parametrize("flag", FLAGS.split())
def test_an_audit_has_the_flag(help_of, flag):
    assert re.search(rf"^\s+{flag}\b", help_of("audit"), re.M)


def test_commands_of_the_readme_have_the_flags_it_shows(help_of):
    shown = re.findall(r"^ {4}(?:.*&& )?dqops (\w+) ([^#|\n]*)", README, re.M)
    assert {command for command, _ in shown} == set(main.list_commands(None)) - {"datasets"}
    for command, words in shown:
        for flag in re.findall(r"--[a-z][a-z-]*", words):
            assert re.search(rf"^\s+{flag}\b", help_of(command), re.M), (command, flag)
    for flag in re.findall(r"`(--[a-z][a-z-]*)`", README):
        assert flag in FLAGS.split()


def test_exit_codes_are_those_of_the_readme():
    told = set(map(int, re.findall(r"(\d) (?:fine|a condition|wrong usage|the data)", README)))
    raised = {kind.exit_code for kind in (DqopsError, *DqopsError.__subclasses__())}
    assert told == {0, 1} | raised == {0, 1, 2, 3}
