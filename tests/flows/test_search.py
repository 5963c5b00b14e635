"""Which detectors search a table, and what they are given."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import dqops
from dqops.contracts import Detector
from dqops.errors import OptionError, UnknownNameError
from dqops.flows.search import chosen_detectors, search


@pytest.fixture
def frame():
    sizes = [f"{size / 7:.2f}" for size in range(60)]
    return pl.DataFrame({"size": [*sizes, "4..2", "3.x"], "hole": [None, *range(61)], "y": [0, 1] * 31})


def test_all_detectors_are_chosen_by_default():
    assert list(chosen_detectors()) == list(Detector.known())


@pytest.mark.parametrize("names", [["formats", "missing"], ("formats", "missing"), "formats,missing", "formats, missing"])
def test_detectors_are_chosen_by_name(names):
    chosen = chosen_detectors(names)
    assert list(chosen) == ["formats", "missing"]
    assert all(isinstance(one, Detector) and one.name == name for name, one in chosen.items())


def test_an_unknown_detector_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'missing'"):
        chosen_detectors(["mising"])


def test_no_detector_at_all_is_refused():
    with pytest.raises(OptionError, match="detectors"):
        chosen_detectors([])


def test_only_the_chosen_search(frame):
    found, seconds, notes = search(dqops.read(frame, target="y"), chosen_detectors(["missing"]), None, 0)
    assert [one.id for one in found] == ["missing:hole"]
    assert list(seconds) == ["missing"]
    assert notes == ()


def test_what_needs_a_model_or_a_reference_is_left_out_without(frame):
    found, seconds, _ = search(dqops.read(frame, target="y"), chosen_detectors(["drift", "labels", "formats"]), None, 0)
    assert list(seconds) == ["formats"]
    assert {one.kind for one in found} == {"formats"}


def test_what_had_to_be_skipped_is_said(frame):
    table = dqops.read(frame, target="y")
    _, _, notes = search(table, chosen_detectors(["drift"]), None, 0, reference=table.take(range(5)))
    assert notes == ("drift: fewer than 30 rows to compare",)


def test_progress_is_told(frame):
    told = []
    search(dqops.read(frame), chosen_detectors(["formats", "missing"]), None, 0, tell=lambda *news: told.append(news))
    assert told == [(0, 2, "searching: formats"), (1, 2, "searching: missing"), (2, 2, "searching")]


def test_the_answer_of_one_detector_does_not_hang_on_the_others(frame):
    table = dqops.read(frame, target="y")
    alone, _, _ = search(table, chosen_detectors(["formats"]), None, 0)
    beside, _, _ = search(table, chosen_detectors(["missing", "formats"]), None, 0)
    assert alone.to_cells().equals(beside.of_kind("formats").to_cells())


@pytest.mark.parametrize("name", ["count", "level", "value", "proportion", "rows"])
def test_any_name_will_do_for_a_column(frame, name):
    words = pl.Series("w", [*(["red"] * 30), *(["blue"] * 29), "bleu", None, "N/A"])
    numbers = pl.Series("n", [None, *(f"{size}.5 kg" for size in range(60)), "x"])
    for cells in (words, numbers, pl.Series("i", [None, *(size % 4 for size in range(61))])):
        renamed = frame.drop("hole").with_columns(cells.alias(name))
        found, _, _ = search(dqops.read(renamed, target="y"), chosen_detectors("missing,formats,outliers,categories,duplicates,rules"), None, 0)
        assert f"missing:{name}" in found


def test_a_search_without_a_model_loads_no_library_of_models():
    """Such a search is to start at once; scikit-learn alone takes a second to load."""
    code = "import sys, dqops; dqops.audit('datasets/penguins/penguins.csv', model=None); print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "False"
