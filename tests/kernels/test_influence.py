"""Kernels of influence against their twins, against whole Newton systems, and against laws at large sizes."""

import numpy as np
import pytest
from naive import influence as naive

from dqops.kernels import influence as kernels


@pytest.fixture
def seen(rng):
    """Rows seen from the optimum, and what the holdout asks."""

    def make(n_rows, n_directions, n_coordinates):
        return rng.normal(size=(n_rows, n_directions, n_coordinates)) / 3, rng.normal(size=n_coordinates), rng.uniform(size=n_coordinates)

    return make


@pytest.mark.parametrize(("n_rows", "width", "n_ones", "is_centred"), [(1, 1, 0, False), (5, 3, 1, False), (5, 3, 1, True), (4, 2, 0, True)])
def test_weighted_gram_is_the_sum_over_rows(rng, n_rows, width, n_ones, is_centred):
    rows, weights = rng.normal(size=(n_rows, width)), rng.uniform(size=n_rows)
    centre = rng.normal(size=width) if is_centred else np.empty(0)
    given = rows.copy()
    found = kernels.weighted_gram(rows, weights, centre, np.empty((n_rows, width + n_ones)))
    np.testing.assert_allclose(found, naive.weighted_gram(rows, weights, centre, np.empty((n_rows, width + n_ones))), atol=1e-12)
    np.testing.assert_array_equal(rows, given)


def test_weighted_gram_adds_up_over_blocks(rng):
    rows, weights, nothing = rng.normal(size=(3000, 7)), rng.uniform(size=3000), np.empty(0)
    whole = kernels.weighted_gram(rows, weights, nothing, np.empty((3000, 8)))
    parts = [kernels.weighted_gram(rows[a : a + 700], weights[a : a + 700], nothing, np.empty((len(rows[a : a + 700]), 8))) for a in range(0, 3000, 700)]
    np.testing.assert_allclose(whole, sum(parts), rtol=1e-11, atol=1e-9)
    assert whole[7, 7] == pytest.approx(weights.sum())


@pytest.mark.parametrize(("n_rows", "n_directions", "n_coordinates"), [(1, 1, 1), (4, 1, 3), (4, 3, 5), (2, 2, 1)])
def test_projections_equal_their_twin(seen, n_rows, n_directions, n_coordinates):
    given = seen(n_rows, n_directions, n_coordinates)
    for found, wanted in zip(kernels.projections(*given), naive.projections(*given), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_leverages_add_up_to_the_unknowns(rng):
    rows = rng.normal(size=(400, 6))
    root = np.linalg.inv(np.linalg.cholesky(rows.T @ rows)).T
    leverage = kernels.projections((rows @ root)[:, None, :], np.ones(6), np.ones(6))[0]
    assert leverage.sum() == pytest.approx(6.0)


@pytest.mark.parametrize(("n_rows", "n_directions", "n_coordinates"), [(1, 1, 1), (4, 1, 3), (4, 3, 5), (3, 4, 9)])
def test_step_changes_equal_their_twin(rng, seen, n_rows, n_directions, n_coordinates):
    views = kernels.projections(*seen(n_rows, n_directions, n_coordinates))
    bends, slopes = rng.normal(size=(n_rows, n_directions, n_directions)), rng.normal(size=(n_rows, n_directions))
    found = kernels.step_changes(*views, bends, slopes)
    np.testing.assert_allclose(found, naive.step_changes(*views, bends, slopes), rtol=1e-9)


@pytest.mark.parametrize("n_directions", [1, 3])
def test_a_step_is_newton_s_in_the_coordinates_of_the_model(rng, n_directions):
    # Six unknowns with any curvature; the row's own part of it is taken away.
    half, hold = rng.normal(size=(9, 6)), rng.normal(size=(4, 6))
    curvature, held, slope = half.T @ half + np.eye(6), hold.T @ hold, rng.normal(size=6)
    row, change, pull = rng.normal(size=(6, n_directions)) / 4, -0.2 * np.eye(n_directions), rng.normal(size=n_directions)
    root = np.linalg.inv(np.linalg.cholesky(curvature)).T
    diagonal, turn = np.linalg.eigh(root.T @ held @ root)
    root = root @ turn
    views = kernels.projections((row.T @ root)[None], root.T @ slope, diagonal)
    found = kernels.step_changes(*views, change[None], pull[None])
    assert found[0] == pytest.approx(naive.newton_change(curvature, slope, held, row, change, pull), rel=1e-9)


def test_leverage_one_has_no_value_and_leaves_the_others_alone(seen):
    whitened, slope, curvature = seen(3, 2, 4)
    whitened[1] = np.eye(4)[:2]
    views = kernels.projections(whitened, slope, curvature)
    own = np.repeat(-np.eye(2)[None], 3, axis=0) * np.array([0.1, 1.0, 0.1])[:, None, None]
    found = kernels.step_changes(*views, own, np.ones((3, 2)))
    assert np.isnan(found).tolist() == [False, True, False]


def test_no_change_of_curvature_is_the_first_order(rng, seen):
    whitened, slope, _ = seen(500, 3, 8)
    slopes = rng.normal(size=(500, 3))
    views = kernels.projections(whitened, slope, np.zeros(8))
    found = kernels.step_changes(*views, np.zeros((500, 3, 3)), slopes)
    np.testing.assert_allclose(found, -np.einsum("nmr,r,nm->n", whitened, slope, slopes), rtol=1e-9)
