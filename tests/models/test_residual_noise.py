"""Wrong numbers of a regression target, told from honest noise with heavy tails."""

import numpy as np
import pytest

from dqops.models.residual_noise import doubt_numbers, local_widths


def truth(rng, n_rows=1500):
    predicted = rng.normal(100, 20, n_rows)
    return predicted, predicted + rng.normal(0, 3, n_rows)


def test_planted_errors_are_found(rng):
    predicted, given = truth(rng)
    bad = np.arange(30)
    given[bad] *= 10
    wrong, rate = doubt_numbers(given, predicted)
    assert (wrong[bad] > 0.9).all()
    assert (wrong[30:] >= 0.5).sum() == 0
    assert rate == pytest.approx(0.02, abs=0.015)


@pytest.mark.parametrize("degrees", [3, 30])
def test_heavy_tails_are_no_errors(rng, degrees):
    predicted, _ = truth(rng)
    wrong, _ = doubt_numbers(predicted + 3 * rng.standard_t(degrees, len(predicted)), predicted)
    assert (wrong >= 0.5).mean() <= 0.002


def test_skewed_and_growing_noise_is_no_error(rng):
    predicted = rng.uniform(1, 100, 2000)
    wrong, _ = doubt_numbers(predicted * rng.lognormal(0, 0.4, 2000), predicted)
    assert (wrong >= 0.5).mean() <= 0.002


def test_width_follows_the_prediction(rng):
    guess = np.sort(rng.uniform(1, 100, 4000))
    own, mean = local_widths(guess * rng.normal(0, 0.1, 4000), guess)
    assert mean[-200:].mean() / mean[1000:1200].mean() == pytest.approx(guess[-200:].mean() / guess[1000:1200].mean(), rel=0.25)
    assert own.shape == (4000,)


def test_missing_and_constant_targets_are_not_doubted():
    assert doubt_numbers(np.full(50, np.nan), np.zeros(50))[0].sum() == 0
    assert doubt_numbers(np.ones(50), np.ones(50))[0].sum() == 0
