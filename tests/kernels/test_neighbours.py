"""Kernels of neighbours against their twins, and against laws at larger sizes."""

import numpy as np
import pytest
from naive import neighbours as naive

from dqops.kernels import neighbours as kernels


def bits_of(n):
    return max(1, (n - 1).bit_length())


def packed_of(distances, n_bits):
    packed = np.empty(distances.shape, np.uint64)
    nothing = np.zeros(max(distances.shape))
    kernels.pack_distances(distances, nothing, nothing, -1.0, 0, n_bits, packed)
    return packed


@pytest.mark.parametrize(("m", "block", "first", "n"), [(1, 1, 0, 1), (2, 5, 3, 8), (3, 4, 996, 1000)])
@pytest.mark.parametrize("factor", [-1.0, 1.0, 2.0])
def test_packing_equals_its_twin(rng, m, block, first, n, factor):
    given = rng.exponential(size=(m, block)), rng.exponential(size=n), rng.exponential(size=m), factor, first, bits_of(n)
    found, wanted = np.zeros((m, n), np.uint64), np.zeros((m, n), np.uint64)
    kernels.pack_distances(*given, found)
    naive.pack_distances(*given, wanted)
    np.testing.assert_array_equal(found, wanted)


def test_a_product_above_both_lengths_is_no_distance_below_0():
    packed = np.empty((1, 1), np.uint64)
    kernels.pack_distances(np.array([[1.0 + 1e-12]]), np.ones(1), np.ones(1), 2.0, 0, 1, packed)
    assert naive.packed_distance(packed[0, 0], 1)[0] == 0


@pytest.mark.parametrize("n", [1, 2, 5, 256, 257, 600])
def test_packed_numbers_sort_by_distance_then_row(rng, n):
    distances = rng.integers(0, 50, size=(2, n)) / 7
    for line, packed in zip(distances, np.sort(packed_of(distances, bits_of(n)), axis=1), strict=True):
        order = np.empty(n, np.int32)
        kernels.unpack_order(packed, bits_of(n), 0.0, 0.0, order)
        np.testing.assert_array_equal(order, np.argsort(line, kind="stable"))


@pytest.mark.parametrize(("gap", "share"), [(0.0, 0.0), (1e-6, 0.0), (0.0, 1e-7), (3e-4, 1e-9), (10.0, 0.0)])
@pytest.mark.parametrize("n", [2, 40, 700])
def test_every_pair_in_doubt_is_in_a_run(rng, gap, share, n):
    distances = np.where(rng.random(n) < 0.2, 0.25, rng.random(n) * 10.0 ** rng.integers(-12, 3, size=n))[None]
    packed = np.sort(packed_of(distances, bits_of(n)), axis=1)[0]
    order, wanted_order = np.empty(n, np.int32), np.empty(n, np.int32)
    found = kernels.unpack_order(packed.copy(), bits_of(n), gap, share, order)
    wanted = naive.unpack_order(packed, bits_of(n), gap, share, wanted_order)
    np.testing.assert_array_equal(order, wanted_order)
    where = np.zeros(n - 1, bool)
    for start, stop in found:
        assert stop - start >= 2
        where[start : stop - 1] = True
    for start, stop in wanted:
        assert where[start : stop - 1].all()
    assert (found[1:, 0] >= found[:-1, 1]).all()


def test_few_pairs_are_in_doubt_that_are_not(rng):
    distances = 100 + 20 * rng.normal(size=(1, 5000))
    packed = np.sort(packed_of(np.abs(distances), bits_of(5000)), axis=1)[0]
    assert len(kernels.unpack_order(packed, bits_of(5000), 1e-12, 1e-14, np.empty(5000, np.int32))) < 5


def test_distances_of_next_to_nothing_are_in_doubt():
    distances = np.array([[5e-324, 0.0, 1e-310, 1.0]])
    packed = np.sort(packed_of(distances, 2), axis=1)[0]
    order = np.empty(4, np.int32)
    runs = kernels.unpack_order(packed, 2, 1e-300, 0.0, order)
    assert runs[0, 0] == 0
    assert runs[0, 1] >= 3


def test_runs_are_sorted_by_distance_then_row(rng):
    distances = rng.integers(0, 4, size=60) / 3
    order = rng.permutation(60).astype(np.int32)
    runs = np.array([[0, 2], [5, 6], [10, 40], [40, 60]])
    found, wanted = order.copy(), order.copy()
    kernels.sort_runs(found, runs, distances)
    naive.sort_runs(wanted, runs, distances)
    np.testing.assert_array_equal(found, wanted)


@pytest.fixture
def lists(rng):
    """Lower bounds of distances, and empty lists for them."""

    def make(m, n, n_levels):
        bounds = (rng.integers(0, n_levels, size=(m, n)) / n_levels).astype(np.float32)
        rows, kept = np.zeros((2, m, 2 * n), np.int32)
        return bounds, [np.full(m, np.float32(0.7).view(np.int32)), rows, kept, np.zeros(m, np.int64)]

    return make


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 64), (3, 131)])
def test_kept_rows_are_those_below_the_limit(lists, m, n):
    bounds, found = lists(m, n, 1000)
    wanted = [one.copy() for one in found]
    for first in (0, n):
        kernels.keep_near(bounds.view(np.int32), first, *found)
        naive.keep_near(bounds.view(np.int32), first, *wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("n_nearest", "longest", "room", "n_levels"), [(3, 3, 20, 1000), (3, 30, 60, 1000), (3, 3, 5, 4), (1, 1, 9, 1000)])
def test_limits_equal_their_twins(rng, lists, n_nearest, longest, room, n_levels):
    bounds, found = lists(4, 50, n_levels)
    slacks = rng.random(50).astype(np.float32) / 50, rng.random(4).astype(np.float32) / 50
    kernels.keep_near(bounds.view(np.int32), 0, *found)
    wanted = [one.copy() for one in found]
    kernels.tighten_limits(n_nearest, *slacks, longest, room, *found)
    naive.tighten_limits(n_nearest, *slacks, longest, room, *wanted)
    for one, other in zip(found[::3], wanted[::3], strict=True):
        np.testing.assert_array_equal(one, other)
    for point, count in enumerate(found[3]):
        np.testing.assert_array_equal(found[1][point, :count], wanted[1][point, :count])
        np.testing.assert_array_equal(found[2][point, :count], wanted[2][point, :count])


def test_bounds_below_0_are_near(lists):
    bounds, found = lists(1, 8, 10)
    bounds[0] = [-0.5, 0.3, -0.1, 0.2, 0.1, -1e-9, 0.0, 0.6]
    kernels.keep_near(bounds.view(np.int32), 0, *found)
    kernels.tighten_limits(3, np.zeros(8, np.float32), np.zeros(1, np.float32), 3, 8, *found)
    assert found[1][0, : found[3][0]].tolist() == [0, 2, 5, 6]


@pytest.mark.parametrize("metric", [0, 1, 2])
def test_nearest_rows_equal_their_twin(rng, metric):
    X, points = rng.integers(0, 3, size=(30, 2)).astype(float), rng.integers(0, 3, size=(4, 2)).astype(float)
    lists = np.stack([np.sort(rng.permutation(30)[:12]) for _ in points]).astype(np.int32)
    counts = np.array([12, 5, 4, 11])
    found, wanted = np.full((4, 5), -1, np.int32), np.full((4, 5), -1, np.int32)
    kernels.nearest_rows(X, points, metric, lists, counts, found)
    naive.nearest_rows(X, points, metric, lists, counts, wanted)
    np.testing.assert_array_equal(found, wanted)
    assert found[2].tolist() == [-1] * 5
