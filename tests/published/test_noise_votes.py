"""Votes under label noise against the worked numbers of the handbook."""

import numpy as np
import pytest

from dqops.kernels.world_votes import vote_chances


@pytest.mark.parametrize(("n_right", "chance"), [(3, 0.65408), (4, 0.84992), (5, 0.94208)])
def test_five_votes_of_two_classes_flipped_one_in_five(n_right, chance):
    votes = np.array([[[0.8, 0.2]] * n_right + [[0.2, 0.8]] * (5 - n_right)])
    assert vote_chances(votes, 100)[0, 0] == pytest.approx(chance, abs=1e-12)


def test_three_votes_of_three_classes_redrawn():
    noise = 0.7 * np.eye(3) + 0.1
    told = vote_chances(noise[[[0, 0, 1]]], 100)[0]
    assert told[:2] == pytest.approx([0.818, 0.154], abs=1e-12)
