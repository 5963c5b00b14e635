"""The worked example of the confident joint, by hand."""

import numpy as np
import pytest

import dqops

P0 = np.array([0.9, 0.8, 0.25, 0.2, 0.6, 0.1])
SAID = np.column_stack([P0, 1 - P0])
GIVEN = [0, 0, 0, 1, 1, 1]


def test_the_worked_example():
    found = dqops.label_doubts(GIVEN, SAID, posterior=True)
    assert found.thresholds == pytest.approx([0.65, 0.70])
    assert found.confident.tolist() == [[2, 1], [0, 2]]
    assert found.joint == pytest.approx(np.array([[1 / 3, 1 / 6], [0, 1 / 2]]))
    assert found.noise == pytest.approx(np.array([[1, 0], [1 / 4, 3 / 4]]))
    assert found.rate == pytest.approx(1 / 6)
    assert found.shrunk == 0
    assert found.self_confidence == pytest.approx([0.9, 0.8, 0.25, 0.8, 0.4, 0.9])
    assert found.margin == pytest.approx(found.self_confidence)
    # Row 2: T' eta = p has eta = (0, 1), so that a given 0 can only be a flipped 1.
    assert found.wrong[2] == pytest.approx(1)
    assert found.worst(1).tolist() == [2]
    # Row 0: eta = (0.9 - 0.1 / 3, 0.4 / 3), weighed by T[:, 0] = (1, 1/4).
    assert found.wrong[0] == pytest.approx((0.4 / 3 / 4) / (0.4 / 3 / 4 + 0.9 - 0.1 / 3))
    assert found.posterior[np.arange(6), GIVEN] == pytest.approx(1 - found.wrong)
