"""Weights of a vote where they can be done by hand, and the bound that boosting is known for."""

import numpy as np
import pytest

from dqops.propagation.boosting import boosted, vote_weight


def test_weights_by_hand():
    # Error 0.2: half the log odds for two classes; for three classes the log odds and ln 2.
    assert vote_weight(0.2, 2) == pytest.approx(0.693147, abs=1e-6)
    assert vote_weight(0.2, 3) == pytest.approx(2.079442, abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_the_vote_errs_no_more_than_the_bound_of_freund_and_schapire(seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=60)
    said = np.where(rng.random((60, 6)) < 0.35, 1 - truth[:, None], truth[:, None])
    found = boosted(said, truth, 2, rounds=12)
    bound = np.prod(2 * np.sqrt(found.errors * (1 - found.errors)))
    assert (found.vote(said) != truth).mean() <= bound + 1e-12
