"""Conditions are read, never run."""

import pytest

from dqops.errors import OptionError
from dqops.gates.condition import holds

FIGURES = {"gain": 0.02, "score": 0.8, "leaks": 0, "potential": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gain > 0.01", True),
        ("gain>2%", False),
        ("gain >= 2%", True),
        ("gain > 0.01 and leaks > 0", False),
        ("gain > 0.01 and leaks > 0 or score < 0.9", True),
        ("gain > 0.01 and (leaks > 0 or score > 0.9)", False),
        ("gain < -1e-3", False),
        ("potential > 0", False),
        ("score == 0.8", True),
    ],
)
def test_a_condition_holds_or_not(text, expected):
    assert holds(text, FIGURES) is expected


@pytest.mark.parametrize("text", ["", "gain", "gain >", "0.1 > gain", "gain > 0.1 extra", "(gain > 0", "__import__('os')", "gain > x", "gain = 1"])
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(OptionError):
        holds(text, FIGURES)


def test_the_nearest_name_is_offered():
    with pytest.raises(OptionError, match="such as 'gain'"):
        holds("gian > 0", FIGURES)
