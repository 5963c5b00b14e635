"""Intervals against the printed numbers, and against their promise."""

import numpy as np
import pytest

from dqops.propagation.intervals import paired_error, paired_interval, surely_positive
from dqops.propagation.ranking import shrink

DIFFERENCES = [0.01, 0.03, 0.02, -0.01, 0.04, 0.02, 0.00, 0.03, 0.01, 0.02]


def test_paired_interval_agrees_with_the_worked_example():
    found = paired_interval(DIFFERENCES, 1 / 9)
    assert found.expected == pytest.approx(0.017)
    assert paired_error(DIFFERENCES, 1 / 9) == pytest.approx(0.0068665, abs=1e-7)
    assert (found.low, found.high) == pytest.approx((0.00441, 0.02959), abs=1e-5)


def test_equal_differences_keep_the_floor():
    found = paired_interval([0.0] * 5, 0.25, floor=0.001)
    assert found.low < 0 < found.high


def test_one_difference_is_sure_of_nothing():
    assert paired_interval([0.1], 0.25).high == np.inf


def test_independent_differences_are_covered_at_the_level(rng):
    inside = 0
    for _ in range(400):
        found = paired_interval(rng.normal(0.02, 0.05, size=10), 0.0)
        inside += found.low <= 0.02 <= found.high
    assert 340 <= inside <= 380  # 99% range around 360 for a true 90%


def test_shrinking_never_turns_or_grows_a_gain(rng):
    gains, errors = rng.normal(size=30), rng.random(30)
    shrunk = shrink(gains, errors)
    assert np.all(np.abs(shrunk) <= np.abs(gains))
    assert np.all(shrunk * gains >= 0)


def test_pure_noise_is_rarely_called_sure(rng):
    called = [surely_positive(rng.normal(size=20), np.ones(20), np.full(20, 200)).any() for _ in range(200)]
    assert np.mean(called) <= 0.17
