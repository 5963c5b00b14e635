"""The walls of the house, as code."""

import ast
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "dqops"
FILES = sorted(path for path in HOUSE.rglob("*.py") if path.parent != HOUSE or path.name not in ("__init__.py", "__main__.py"))
FLOORS = [
    {"cli", "hooks"},
    {"flows", "reports"},
    {"strategies"},
    {"detectors", "cleaners", "valuers", "propagation", "limits", "gates", "monitoring", "schema"},
    {"contracts", "models"},
    {"results", "tables"},
    {"kernels", "parallel", "seeds", "files"},
    {"errors", "version"},
]
FLOOR = {room: len(FLOORS) - level for level, rooms in enumerate(FLOORS) for room in rooms}
# One file knows each of these libraries; the rest of the house does not.
OWNERS = {"numba": "kernels", "pandera": "schema", "matplotlib": "reports", "click": "cli"}


def room(path):
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def rooms_of(path):
    return {name.split(".")[1] for name in imported(path) if re.fullmatch(r"dqops\.\w+.*", name)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_go_down(path):
    here = room(path)
    upward = {there for there in rooms_of(path) if there != here and FLOOR[there] >= FLOOR[here]}
    assert not upward, f"{here} stands on floor {FLOOR[here]} and may not import {sorted(upward)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_nothing_inside_imports_the_front_door(path):
    assert "dqops" not in set(imported(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_each_special_library_has_one_room(path):
    strangers = {
        name.split(".")[0]
        for name in imported(path)
        if (owner := OWNERS.get(name.split(".")[0])) and room(path) != owner
    }
    assert not strangers


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_no_assert_and_no_catch_all(path):
    nodes = list(ast.walk(ast.parse(path.read_text())))
    assert not [node for node in nodes if isinstance(node, ast.Assert)]
    borders = room(path) == "models" or path == HOUSE / "cli" / "main.py"  # a user's model runs; the last word to a user
    if not borders:
        handlers = [node for node in nodes if isinstance(node, ast.ExceptHandler)]
        broad = [one for one in handlers if one.type is None or getattr(one.type, "id", "") in ("Exception", "BaseException")]
        assert not broad


def test_results_compute_nothing():
    allowed = {"numpy", "polars", "dqops", "dataclasses", "json", "importlib", "pathlib", "typing", "warnings"}
    for path in (HOUSE / "results").rglob("*.py"):
        assert {name.split(".")[0] for name in imported(path)} <= allowed, path


def test_every_kernel_has_its_twin():
    twins = Path(__file__).parent / "naive"
    for path in sorted((HOUSE / "kernels").glob("[!_]*.py")):
        kernels = {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}
        twin = twins / path.name
        assert twin.exists(), f"{path.name} has no twin"
        assert kernels <= {node.name for node in ast.parse(twin.read_text()).body if isinstance(node, ast.FunctionDef)}


def test_no_import_circles():
    graph = {}
    for path in FILES:
        module = ".".join(path.relative_to(HOUSE.parent).with_suffix("").parts).removesuffix(".__init__")
        graph[module] = {name for name in imported(path) if name.startswith("dqops.")}
    seen, trail = set(), []

    def visit(module):
        assert module not in trail, f"circle: {' -> '.join([*trail, module])}"
        if module in seen:
            return
        trail.append(module)
        for there in graph.get(module, ()):
            visit(there)
        trail.pop()
        seen.add(module)

    for module in graph:
        visit(module)
