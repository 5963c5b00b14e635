"""Counting over worlds against making each world, and laws at large sizes."""

import numpy as np
import pytest
from naive import certain as naive
from naive import conditional as naive_conditional
from naive import possible as naive_possible

from dqops.kernels import certain, conditional, possible


def lists(rng, n_tests, n_rows, n_classes, most, *, grid=4, equal=False, whole=0.7):
    """Lists of neighbours as the kernels take them; some are too short to hold all candidates."""
    span, places, weights, row_span, kinds = [], [], [], [], []
    for _ in range(n_tests):
        begin, first, entries = len(places), len(kinds), []
        holds_all = rng.random() < whole
        for row in range(n_rows):
            size = int(rng.integers(1, most + 1))
            shares = np.full(size, 1 / size) if equal else rng.dirichlet(np.ones(size))
            kept = np.ones(size, dtype=bool) if holds_all else rng.random(size) < 0.6
            entries += [(away, row, one, shares[one]) for one, away in enumerate(rng.integers(grid, size=size)) if kept[one]]
            kinds.append((int(rng.integers(n_classes)), size))
        entries.sort()
        places += [(0, row) for _, row, _, _ in entries]
        weights += [share for *_, share in entries]
        span.append((begin, len(places)))
        row_span.append((first, len(kinds)))
    whole_numbers = (np.array(one, dtype=np.int64).reshape(-1, 2) for one in (span, row_span, kinds))
    span, row_span, kinds = whole_numbers
    return span, np.array(places, dtype=np.int32).reshape(-1, 2), np.array(weights), row_span, kinds


CASES = [(seed, n_rows, k, n_classes) for seed, (n_rows, k, n_classes) in enumerate([(1, 1, 1), (1, 1, 3), (4, 1, 2), (4, 4, 2), (5, 2, 3), (5, 3, 4), (6, 5, 2), (5, 4, 3)])]


@pytest.mark.parametrize(("seed", "n_rows", "k", "n_classes"), CASES)
@pytest.mark.parametrize("equal", [True, False])
def test_predictions_are_counted_as_if_each_world_were_made(seed, n_rows, k, n_classes, equal):
    span, places, weights, row_span, kinds = lists(np.random.default_rng(seed), 5, n_rows, n_classes, 3, equal=equal)
    told, left = certain.count_predictions(span, places, weights, row_span, kinds, k, n_classes)
    expected, expected_left = naive.count_predictions(span, places, weights, row_span, kinds, k, n_classes)
    np.testing.assert_allclose(told, expected, atol=1e-13)
    np.testing.assert_allclose(left, expected_left, atol=1e-13)


@pytest.mark.parametrize(("seed", "n_rows", "k", "n_classes"), CASES)
def test_possible_is_what_some_world_brings(seed, n_rows, k, n_classes):
    span, places, _, row_span, kinds = lists(np.random.default_rng(seed + 100), 8, n_rows, n_classes, 3)
    told, settled = possible.possible_predictions(span, places, row_span, kinds, k, n_classes)
    expected, expected_settled = naive_possible.possible_predictions(span, places, row_span, kinds, k, n_classes)
    np.testing.assert_array_equal(told, expected)
    np.testing.assert_array_equal(settled, expected_settled)


@pytest.mark.parametrize(("seed", "n_rows", "k", "n_classes"), CASES)
@pytest.mark.parametrize("equal", [True, False])
def test_what_is_known_of_a_row_is_counted_as_if_each_world_were_made(seed, n_rows, k, n_classes, equal):
    given = lists(np.random.default_rng(seed + 200), 3, n_rows, n_classes, 3, equal=equal)
    inside, beyond = conditional.conditional_predictions(*given, k, n_classes)
    expected_inside, expected_beyond = naive_conditional.conditional_predictions(*given, k, n_classes)
    np.testing.assert_allclose(inside, expected_inside, atol=1e-12)
    np.testing.assert_allclose(beyond, expected_beyond, atol=1e-12)


@pytest.mark.parametrize(("k", "n_classes"), [(1, 2), (3, 2), (11, 2), (5, 6), (11, 4)])
def test_many_rows_keep_the_laws(rng, k, n_classes):
    span, places, weights, row_span, kinds = lists(rng, 2, 60, n_classes, 12, grid=10**6)
    told, left = certain.count_predictions(span, places, weights, row_span, kinds, k, n_classes)
    np.testing.assert_allclose(told.sum(axis=1) + left, 1, atol=1e-12)
    able, _ = possible.possible_predictions(span, places, row_span, kinds, k, n_classes)
    assert (told[~able] == 0).all()
    inside, beyond = conditional.conditional_predictions(span, places, weights, row_span, kinds, k, n_classes)
    for test in range(2):
        own = slice(*span[test])
        for row in range(60):
            mine = places[own, 1] == row
            share = weights[own][mine]
            mixed = share @ inside[own][mine] + max(1 - share.sum(), 0) * beyond[row_span[test, 0] + row]
            np.testing.assert_allclose(mixed, told[test], atol=1e-11)


def test_splitting_a_candidate_changes_nothing(rng):
    span, places, weights, row_span, kinds = lists(rng, 2, 30, 3, 6, grid=10**6, whole=1.0)
    once = certain.count_predictions(span, places, weights, row_span, kinds, 5, 3)[0]
    halves = kinds * [1, 2]
    twice = certain.count_predictions(span * 2, np.repeat(places, 2, axis=0), np.repeat(weights / 2, 2), row_span, halves, 5, 3)[0]
    np.testing.assert_allclose(twice, once, atol=1e-13)


def test_a_chance_too_small_for_a_number_is_still_possible():
    # 1,100 rows of class 0 lie before the only row of class 1 unless all of them take a far candidate.
    n_rows = 1101
    places = np.array([(0, row) for row in range(n_rows)] + [(0, row) for row in range(n_rows - 1)], dtype=np.int32)
    weights = np.concatenate([np.full(n_rows - 1, 0.5), [1.0], np.full(n_rows - 1, 0.5)])
    span, row_span = np.array([[0, len(places)]]), np.array([[0, n_rows]])
    kinds = np.array([(0, 2)] * (n_rows - 1) + [(1, 1)])
    told = certain.count_predictions(span, places, weights, row_span, kinds, 1, 2)[0]
    able, settled = possible.possible_predictions(span, places, row_span, kinds, 1, 2)
    assert told[0, 1] == 0
    assert able.all()
    assert settled.all()
