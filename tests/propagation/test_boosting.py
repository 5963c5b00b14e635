"""Boosting over repairs: by definition, its invariants, and effects on rows that no choice saw."""

import numpy as np
import pytest

from dqops.errors import OptionError
from dqops.propagation.boosting import boosted, nested_effects, vote_weight


def written_down(predictions, truth, n_classes, rounds):
    """The algorithm step by step, in plain loops."""
    columns, n = [], len(truth)
    for one in range(predictions.shape[1]):
        if not any((predictions[:, one] == predictions[:, other]).all() for other in columns):
            columns.append(one)
    u, chosen, weights = [1 / n] * n, [], []
    for _ in range(rounds):
        errors = [round(sum(u[row] for row in range(n) if predictions[row, one] != truth[row]), 12) for one in columns]
        best = errors.index(min(errors))
        if chosen and (errors[best] >= 1 - 1 / n_classes or errors[best] <= 0):
            break
        chosen.append(columns[best])
        if not 0 < errors[best] < 1 - 1 / n_classes:
            weights.append(1.0)
            break
        error = max(errors[best], 1 / (2 * n))
        a = 0.5 * np.log((1 - error) / error) if n_classes == 2 else np.log((1 - error) / error) + np.log(n_classes - 1)
        weights.append(a)
        for row in range(n):
            wrong = predictions[row, columns[best]] != truth[row]
            u[row] *= np.exp(a if wrong else -a if n_classes == 2 else 0.0)
        u = [one / sum(u) for one in u]
    return chosen, np.array(weights) / sum(weights)


@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_algorithm_as_it_is_written_down(seed):
    rng = np.random.default_rng(seed)
    n_classes = int(rng.integers(2, 5))
    truth = rng.integers(n_classes, size=30)
    said = np.where(rng.random((30, 5)) < 0.4, rng.integers(n_classes, size=(30, 5)), truth[:, None])
    found = boosted(said, truth, n_classes, 6)
    chosen, weights = written_down(said, truth, n_classes, 6)
    assert list(found.chosen) == chosen
    np.testing.assert_allclose(found.weights, weights)
    assert found.weights.sum() == pytest.approx(1)


def test_one_round_is_the_best_single_repair(rng):
    truth = rng.integers(3, size=50)
    said = np.where(rng.random((50, 4)) < [0.5, 0.2, 0.6, 0.4], 0, truth[:, None])
    found = boosted(said, truth, 3, 1)
    assert found.chosen == (int((said == truth[:, None]).mean(axis=0).argmax()),)
    assert (found.vote(said) == said[:, found.chosen[0]]).all()


def test_equal_repairs_count_once(rng):
    truth = rng.integers(2, size=40)
    said = np.where(rng.random((40, 3)) < 0.3, 1 - truth[:, None], truth[:, None])
    alone, doubled = boosted(said, truth, 2, 8), boosted(np.repeat(said, 2, axis=1), truth, 2, 8)
    assert [2 * one for one in alone.chosen] == list(doubled.chosen)
    np.testing.assert_allclose(alone.weights, doubled.weights)


def test_a_repair_without_error_speaks_alone_and_a_hopeless_one_too():
    truth = np.array([0, 1, 0, 1])
    assert boosted(np.stack([1 - truth, truth], axis=1), truth, 2).chosen == (1,)
    hopeless = boosted((1 - truth)[:, None], truth, 2)
    assert hopeless.chosen == (0,)
    assert hopeless.weights.tolist() == [1.0]
    assert np.isfinite(vote_weight(1 / 8, 2))


def test_effects_are_measured_on_rows_that_the_choice_did_not_see(rng):
    # Repairs that are noise: chosen on some rows they look good there, on others they must not.
    truth, parts = rng.integers(2, size=300), np.arange(300) % 5
    noise = np.column_stack([np.where(rng.random(300) < 0.3, 1 - truth, truth), *(np.where(rng.random(300) < 0.3, 1 - truth, truth) for _ in range(9))])
    inside = boosted(noise, truth, 2, 1)
    gained_inside = (noise[:, inside.chosen[0]] == truth).mean() - (noise[:, 0] == truth).mean()
    single = nested_effects(noise, truth, parts, 2, 1)[2]
    gained_nested = (single == truth).mean() - (noise[:, 0] == truth).mean()
    assert gained_nested <= gained_inside
    effects, voted, _ = nested_effects(noise, truth, parts, 2, 5)
    total = np.nansum(effects, axis=1)
    for part in range(5):
        here = parts == part
        assert total[part] == pytest.approx((voted[here] == truth[here]).mean() - (noise[here, 0] == truth[here]).mean())


def test_what_cannot_be_boosted_is_refused():
    with pytest.raises(OptionError, match="two classes"):
        boosted(np.zeros((3, 1), dtype=int), np.zeros(3, dtype=int), 1)
