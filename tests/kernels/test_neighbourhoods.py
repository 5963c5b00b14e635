"""Lists of neighbours hold every candidate within their limit, in the one order, and the limit is far enough."""

from itertools import pairwise

import numpy as np
import pytest
from naive import neighbourhoods as naive

from dqops.kernels import neighbourhoods as kernels

ROUNDING = 12 * 2.0**-23


def screened(rng, n_rows, most, n_tests, n_columns=2, whole=True):
    sizes = rng.integers(1, most + 1, n_rows)
    start = np.concatenate([[0], np.cumsum(sizes)])
    draw = (lambda *shape: rng.integers(-3, 4, shape).astype(float)) if whole else (lambda *shape: rng.normal(size=shape))
    points, tests = draw(start[-1], n_columns), draw(n_tests, n_columns)
    screen = ((points**2).sum(axis=1) - 2 * tests @ points.T).astype(np.float32)
    weights = np.concatenate([rng.dirichlet(np.ones(size)) for size in sizes])
    return screen, start, points, tests, weights, np.sqrt((tests**2).sum(axis=1))


@pytest.mark.parametrize(("n_rows", "most", "k"), [(1, 1, 1), (5, 3, 2), (7, 4, 7), (40, 3, 3)])
@pytest.mark.parametrize("mass", [np.inf, 2.0])
def test_no_list_ends_too_early(rng, n_rows, most, k, mass):
    screen, start, _, _, weights, norms = screened(rng, n_rows, most, 4)
    limits, counts = kernels.reach(screen, start, weights, norms, k, mass, ROUNDING)
    least, least_counts = naive.reach(screen, start, weights, norms, k, mass, ROUNDING)
    assert (limits[:, 0] >= least[:, 0]).all()
    assert (limits[:, 1] > limits[:, 0]).all()
    assert (counts >= least_counts).all()
    expected = [[(line <= limit).sum(), sum(line[a:b].min() <= limit for a, b in pairwise(start))] for line, limit in zip(screen, limits[:, 1], strict=True)]
    np.testing.assert_array_equal(counts, expected)
    if np.isinf(mass):
        assert (limits[:, 0] - least[:, 0] < 1e-3).all()


def test_long_lists_are_cut_where_they_weigh_enough(rng):
    start, weights = np.arange(0, 20_001, 5), np.full(20_000, 0.2)
    screen, norms = rng.normal(size=(3, 20_000)).astype(np.float32), np.full(3, 3.0)
    limits, _ = kernels.reach(screen, start, weights, norms, 3, 40.0, ROUNDING)
    for line, limit in zip(screen, limits[:, 0], strict=True):
        held = weights[line <= limit].sum()
        assert 40 <= held <= 80


@pytest.mark.parametrize(("n_rows", "most"), [(1, 1), (6, 3)])
def test_lists_are_sorted_by_distance_then_row_then_candidate(rng, n_rows, most):
    screen, start, points, tests, _, norms = screened(rng, n_rows, most, 4)
    near = np.full(4, 9.0)
    limits = np.stack([near, near - norms**2 + 1e-3], axis=1)
    within = screen <= limits[:, 1:]
    counts = np.array([[line.sum(), sum(line[a:b].any() for a, b in pairwise(start))] for line in within])
    spans = np.concatenate([[[0, 0]], np.cumsum(counts, axis=0)])
    stops, places, distances, rows = kernels.neighbourhoods(screen, limits, start, points, tests, spans)
    expected = naive.neighbourhoods(screen, limits, start, points, tests, spans)
    np.testing.assert_array_equal(stops, expected[0])
    np.testing.assert_array_equal(places, expected[1].reshape(-1, 2))
    np.testing.assert_array_equal(distances, expected[2])
    np.testing.assert_array_equal(rows, expected[3])


def test_what_is_screened_but_too_far_is_left_out(rng):
    screen, start, points, tests, _, _ = screened(rng, 6, 3, 3)
    limits = np.stack([np.full(3, 4.0), np.full(3, np.inf)], axis=1)
    spans = np.arange(4)[:, None] * [[start[-1], 6]]
    stops, places, distances, _ = kernels.neighbourhoods(screen, limits, start, points, tests, spans)
    for test in range(3):
        squared = ((points - tests[test]) ** 2).sum(axis=1)
        held = places[spans[test, 0] : stops[test, 0], 0]
        assert sorted(held) == np.flatnonzero(squared <= 4).tolist()
        np.testing.assert_array_equal(distances[spans[test, 0] : stops[test, 0]], np.sort(squared[squared <= 4]))


@pytest.mark.parametrize("seed", range(5))
def test_a_settled_row_stands_once_in_its_place(seed):
    rng = np.random.default_rng(seed)
    span = np.array([[0, 6], [6, 7], [9, 14]])
    places = np.stack([np.arange(14), rng.integers(3, size=14)], axis=1).astype(np.int32)
    weights, distances = rng.uniform(size=14), np.concatenate([np.sort(rng.integers(4, size=part)) for part in (6, 1, 2, 5)]).astype(float)
    number = places[[2, 6, 11], 1].astype(np.int64)
    settled = np.array([float(rng.integers(4)), np.inf, float(rng.integers(4))])
    given = [np.array(one) for one in (places, weights, distances)]
    stops = kernels.settle_row(span, number, 3, settled, places, weights, distances)
    expected = naive.settle_row(span, number, 3, settled, *given)
    np.testing.assert_array_equal(stops, expected)
    for (begin, _), stop in zip(span, stops, strict=True):
        for told, known in zip((places, weights, distances), given, strict=True):
            np.testing.assert_array_equal(told[begin:stop], known[begin:stop])


def test_distances_of_one_point_are_those_of_the_lists(rng):
    tests, point = rng.normal(size=(7, 5)), rng.normal(size=5)
    np.testing.assert_array_equal(kernels.squared_distances(tests, point), naive.squared_distances(tests, point))


@pytest.mark.parametrize("k", [1, 2, 9])
def test_lists_end_where_enough_rows_are_whole(rng, k):
    sizes = rng.integers(1, 4, size=12)
    span, row_span, places = [], [], []
    for one in range(3):
        rows = np.repeat(np.arange(4), sizes[4 * one : 4 * one + 4])
        listed = rng.permutation(rows)[: len(rows) - one]  # the last candidates may lie beyond the list
        span.append((len(places), len(places) + len(listed)))
        row_span.append((4 * one, 4 * one + 4))
        places += [(0, row) for row in listed]
    given = np.array(span), np.array(places, dtype=np.int32), np.array(row_span), sizes, k
    np.testing.assert_array_equal(kernels.settled_ends(*given), naive.settled_ends(*given))
