"""Kernels of neighbours against their twins, and against laws at larger sizes."""

import numpy as np
import pytest
from naive import neighbours as naive

from dqops.kernels import neighbours as kernels


def bits_of(n):
    return max(1, (n - 1).bit_length())


def fine_scale(n):
    """Nearly all bits of a distance."""
    return np.array([0, bits_of(n) - 1, 2**63 - 1])


def coarse_scale(distances):
    """Thirty-two bits from the least distance on."""
    low, high = np.array([distances.min(), distances.max()]).view(np.int64).tolist()
    return np.array([low, max((high - low).bit_length() - 32, 0), 2**32 - 1])


def sorted_numbers(distances, scale, dtype=np.uint64):
    """Packed numbers of one point, sorted."""
    n = len(distances)
    codes, packed = np.empty((1, n), dtype), np.empty(n, np.uint64)
    kernels.code_distances(distances[None], np.zeros(n), np.zeros(1), -1.0, 0, scale[None], codes)
    kernels.pack_codes(codes[0], bits_of(n), packed)
    return np.sort(packed)


@pytest.mark.parametrize(("m", "block", "first", "n"), [(1, 1, 0, 1), (2, 5, 3, 8), (3, 4, 996, 1000)])
@pytest.mark.parametrize("factor", [-1.0, 1.0, 2.0])
@pytest.mark.parametrize(("scale", "dtype"), [((0, 9, 2**63 - 1), np.uint64), ((4_600_000_000_000_000_000, 25, 2**32 - 1), np.uint32)])
def test_coding_and_packing_equal_their_twins(rng, m, block, first, n, factor, scale, dtype):
    scales = np.tile(np.array(scale), (m, 1))
    given = rng.exponential(size=(m, block)), rng.exponential(size=n), rng.exponential(size=m), factor, first, scales
    found, wanted = np.zeros((m, n), dtype), np.zeros((m, n), dtype)
    kernels.code_distances(*given, found)
    naive.code_distances(*given, wanted)
    np.testing.assert_array_equal(found, wanted)
    packed, twin = np.empty(n, np.uint64), np.empty(n, np.uint64)
    kernels.pack_codes(found[0], bits_of(n), packed)
    naive.pack_codes(wanted[0], bits_of(n), twin)
    np.testing.assert_array_equal(packed, twin)


def test_a_product_above_both_lengths_is_no_distance_below_0():
    codes = np.ones((1, 1), np.uint64)
    kernels.code_distances(np.array([[1.0 + 1e-12]]), np.ones(1), np.ones(1), 2.0, 0, fine_scale(2)[None], codes)
    assert codes[0, 0] == 0


def test_distances_beyond_the_codes_have_the_first_or_the_last():
    near, codes = np.array([[0.0, 1e-300, 1.0, 2.0, 1e300]]), np.empty((1, 5), np.uint32)
    kernels.code_distances(near, np.zeros(5), np.zeros(1), -1.0, 0, coarse_scale(near[0, 2:4])[None], codes)
    assert codes[0, [0, 1, 2, 4]].tolist() == [0, 0, 0, 2**32 - 1]
    assert 0 < codes[0, 3] < 2**32


@pytest.mark.parametrize("n", [1, 2, 5, 256, 257, 600])
@pytest.mark.parametrize("coarse", [False, True])
def test_packed_numbers_sort_by_distance_then_row(rng, n, coarse):
    distances = rng.integers(0, 50, size=n) / 7
    scale = coarse_scale(distances) if coarse else fine_scale(n)
    order = np.empty(n, np.int32)
    kernels.unpack_order(sorted_numbers(distances, scale), bits_of(n), scale, 0.0, 0.0, order)
    np.testing.assert_array_equal(order, np.argsort(distances, kind="stable"))


@pytest.mark.parametrize(("gap", "share"), [(0.0, 0.0), (1e-6, 0.0), (0.0, 1e-7), (3e-4, 1e-9), (10.0, 0.0)])
@pytest.mark.parametrize("n", [2, 40, 700])
@pytest.mark.parametrize("coarse", [False, True])
def test_every_pair_in_doubt_is_in_a_run(rng, gap, share, n, coarse):
    distances = np.where(rng.random(n) < 0.2, 0.25, rng.random(n) * 10.0 ** rng.integers(-12, 3, size=n))
    scale = coarse_scale(distances) if coarse else fine_scale(n)
    packed = sorted_numbers(distances, scale)
    order, wanted_order = np.empty(n, np.int32), np.empty(n, np.int32)
    found = kernels.unpack_order(packed.copy(), bits_of(n), scale, gap, share, order)
    wanted = naive.unpack_order(packed, bits_of(n), scale, gap, share, wanted_order)
    np.testing.assert_array_equal(order, wanted_order)
    where = np.zeros(n - 1, bool)
    for start, stop in found:
        assert stop - start >= 2
        where[start : stop - 1] = True
    for start, stop in wanted:
        assert where[start : stop - 1].all()
    assert (found[1:, 0] >= found[:-1, 1]).all()


@pytest.mark.parametrize("coarse", [False, True])
def test_few_pairs_are_in_doubt_that_are_not(rng, coarse):
    distances = np.abs(100 + 20 * rng.normal(size=5000))
    scale = coarse_scale(distances) if coarse else fine_scale(5000)
    packed = sorted_numbers(distances, scale, np.uint32 if coarse else np.uint64)
    assert len(kernels.unpack_order(packed, bits_of(5000), scale, 1e-12, 1e-14, np.empty(5000, np.int32))) < 5


def test_distances_of_next_to_nothing_are_in_doubt():
    distances = np.array([5e-324, 0.0, 1e-310, 1.0])
    runs = kernels.unpack_order(sorted_numbers(distances, fine_scale(4)), 2, fine_scale(4), 1e-300, 0.0, np.empty(4, np.int32))
    assert runs[0, 0] == 0
    assert runs[0, 1] >= 3


@pytest.mark.parametrize("metric", [0, 1, 2])
def test_runs_are_settled_by_sums(rng, metric):
    X, point = rng.integers(0, 3, size=(40, 3)).astype(float), rng.integers(0, 3, size=3).astype(float)
    found = rng.permutation(40).astype(np.int32)
    wanted, runs = found.copy(), np.array([[0, 2], [3, 5], [6, 9], [10, 40]])
    kernels.settle_runs(found, runs, X, point, metric)
    naive.settle_runs(wanted, runs, X, point, metric)
    np.testing.assert_array_equal(found, wanted)


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
