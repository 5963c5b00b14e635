"""Kernels of distances against their twins."""

import numpy as np
import pytest
from naive import distances as naive

from dqops.kernels import distances as kernels

METRICS = [kernels.EUCLIDEAN, kernels.MANHATTAN, kernels.COSINE]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d", "m"), [(1, 1, 1), (3, 2, 4), (70, 9, 2), (65, 23, 3), (129, 31, 1)])
def test_distances_are_summed_in_the_order_of_columns_bit_by_bit(rng, metric, dtype, n, d, m):
    X, points = rng.normal(size=(n, d)).astype(dtype), rng.normal(size=(m, d))
    found, wanted = np.empty((m, n)), np.empty((m, n))
    kernels.row_distances(X, points, metric, found)
    naive.row_distances(X, points, metric, wanted)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 11])
def test_distances_of_a_list_are_the_same_numbers(rng, metric, count):
    X, point = rng.normal(size=(40, 13)), rng.normal(size=13)
    rows = rng.permutation(40)[:count].astype(np.int32)
    everywhere = np.empty((1, 40))
    kernels.row_distances(X, point[None], metric, everywhere)
    found = kernels.listed_distances(X, rows, point, metric)
    np.testing.assert_array_equal(found, naive.listed_distances(X, rows, point, metric))
    np.testing.assert_array_equal(found, everywhere[0, rows])


@pytest.mark.parametrize("metric", METRICS)
def test_equal_rows_are_equally_far(rng, metric):
    X = rng.normal(size=(150, 17))
    X[130] = X[2]
    found = np.empty((5, 150))
    kernels.row_distances(X, rng.normal(size=(5, 17)), metric, found)
    np.testing.assert_array_equal(found[:, 130], found[:, 2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_are_centred_in_double_precision(rng, dtype):
    X, centre = rng.normal(size=(7, 3)).astype(dtype), rng.normal(size=3)
    found, wanted = np.empty((7, 3)), np.empty((7, 3))
    kernels.centred_rows(X, centre, found)
    naive.centred_rows(X, centre, wanted)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_rows_are_shrunk_to_single_precision(rng, dtype, d):
    X, centre = rng.normal(size=(7, d)).astype(dtype), rng.normal(size=d)
    found, wanted = np.zeros((2, 7, d + 2), np.float32)
    sizes = kernels.shrunk_rows(X, centre, 0.25, found)
    np.testing.assert_allclose(sizes, naive.shrunk_rows(X, centre, 0.25, wanted), rtol=1e-15)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_allclose(sizes, (((X.astype(np.float64) - centre) / 4) ** 2).sum(axis=1), rtol=1e-14)
