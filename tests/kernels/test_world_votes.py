"""Votes in worlds against sorting and listing, and laws at large sizes."""

import numpy as np
import pytest
from naive import world_votes as naive

from dqops.kernels import world_votes


@pytest.mark.parametrize(("n_rows", "n_moved", "k"), [(1, 0, 1), (1, 1, 3), (6, 2, 3), (7, 7, 2), (5, 0, 9), (8, 3, 8)])
@pytest.mark.parametrize("grid", [3, 1000])
def test_nearest_rows_are_those_of_the_table_made_anew(rng, n_rows, n_moved, k, grid):
    distances = rng.integers(grid, size=(4, n_rows)).astype(float)
    order = np.argsort(distances, axis=1, kind="stable").astype(np.int32)
    gone = np.zeros(n_rows, dtype=bool)
    gone[rng.choice(n_rows, n_moved, replace=False)] = True
    moved = np.flatnonzero(gone)[: max(n_moved - 1, 0)] if n_moved > 1 else np.flatnonzero(gone)
    away = rng.integers(grid, size=(4, len(moved))).astype(float)
    told = world_votes.nearest_in_world(order, distances, gone, moved, away, k)
    np.testing.assert_array_equal(told, naive.nearest_in_world(order, distances, gone, moved, away, k))


@pytest.mark.parametrize(("k", "n_classes"), [(1, 2), (3, 2), (4, 2), (3, 3), (4, 4), (2, 1)])
@pytest.mark.parametrize("sparse", [False, True])
def test_chances_of_winners_are_those_of_all_outcomes(rng, k, n_classes, sparse):
    votes = rng.dirichlet(np.ones(n_classes), size=(6, k))
    if sparse:
        votes = np.eye(n_classes)[rng.integers(n_classes, size=(6, k))] * 0.5 + 0.5 * np.eye(n_classes)[rng.integers(n_classes, size=(6, k))]
    told = world_votes.vote_chances(votes, 10**6)
    np.testing.assert_allclose(told, naive.vote_chances(votes, 10**6), atol=1e-14)
    np.testing.assert_allclose(told.sum(axis=1), 1.0)


def test_what_would_take_too_many_counts_is_left(rng):
    votes = rng.dirichlet(np.ones(4), size=(2, 3))
    assert (world_votes.vote_chances(votes, 63) == -1).all()
    assert (world_votes.vote_chances(votes, 64) >= 0).all()


def test_known_votes_win_as_counted(rng):
    labels = rng.integers(3, size=(500, 7))
    told = world_votes.vote_chances(np.eye(3)[labels], 10**4)
    counts = np.stack([(labels == one).sum(axis=1) for one in range(3)], axis=1)
    np.testing.assert_array_equal(told.argmax(axis=1), counts.argmax(axis=1))
    assert (told.max(axis=1) == 1).all()


def test_moving_nothing_changes_nothing(rng):
    distances = rng.random((50, 400))
    order = np.argsort(distances, axis=1, kind="stable").astype(np.int32)
    nothing = np.zeros(400, dtype=bool), np.empty(0, dtype=np.int64), np.empty((50, 0))
    np.testing.assert_array_equal(world_votes.nearest_in_world(order, distances, *nothing, 11), order[:, :11])
