"""Near neighbours: losses, what rows weigh in them, and cleaned labels that are followed."""

import numpy as np
import pytest

from dqops.errors import DataError
from dqops.limits.answer import one_sided
from dqops.limits.curve import POWERS, Curve, nugget
from dqops.limits.embeddings import Embedding
from dqops.limits.engine import Engine
from dqops.limits.neighbours import hopeful, nested_lists


def points_of(rng, n_rows, n_columns, name="standardised"):
    return Embedding(name, rng.normal(size=(n_rows, n_columns)).astype(np.float32))


def engine_of(rng, n_rows=300, measure="classes", votes=(1, 3), held=0, n_candidates=2):
    """An engine whose labels hang on the first column, with the last `held` rows as a holdout."""
    base = points_of(rng, n_rows + held, 2)
    other = Embedding("whitened", base.points * np.float32([1.0, 0.1]))
    every = np.arange(n_rows + held)
    known, judged = every[:n_rows], every[n_rows:] if held else every
    lists = [nested_lists(one, known, judged, every, max(votes) + 1, np.random.default_rng(1)) for one in (base, other)[:n_candidates]]
    noise = rng.normal(size=n_rows + held)
    labels = (base.points[:, 0] + noise > 0).astype(np.int64) if measure == "classes" else base.points[:, 0] + noise
    return Engine(lists, labels, known, judged, rng.random(len(judged)) < 0.5, measure, votes)


def same(first, second):
    for one, other in zip(first.curves(), second.curves(), strict=True):
        np.testing.assert_allclose(one.losses, other.losses, atol=1e-12)
        np.testing.assert_allclose(one.covariance, other.covariance, atol=1e-14)
        np.testing.assert_array_equal(one.closeness, other.closeness)
        assert one.chance == pytest.approx(other.chance)


@pytest.mark.parametrize(("measure", "votes"), [("classes", (1, 3)), ("squares", (1,)), ("distances", (1,))])
@pytest.mark.parametrize("held", [0, 60])
def test_cleaned_labels_are_followed_as_if_all_were_done_anew(rng, measure, votes, held):
    engine = engine_of(rng, 150, measure, votes, held)
    for count in (1, 1, 5, 40, 150):
        rows = rng.choice(len(engine.labels), count, replace=False)
        labels = rng.integers(2, size=count) if measure == "classes" else rng.normal(size=count)
        engine.relabel(rows, labels)
    fresh = Engine(engine.candidates, engine.labels, engine.known, engine.judged, engine.half, measure, votes)
    assert fresh.choice == engine.choice
    same(engine, fresh)


def test_a_choice_between_embeddings_follows_the_labels(rng):
    """Labels that hang on the second column alone make the embedding that shrinks it the worse one."""
    engine = engine_of(rng)
    points = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    engine.relabel(np.arange(300), (points[:, 0] > 0).astype(np.int64))
    assert engine.choice == (1, 1)
    engine.relabel(np.arange(300), (points[:, 1] > 0).astype(np.int64))
    assert engine.choice == (0, 0)
    same(engine, Engine(engine.candidates, engine.labels, engine.known, engine.judged, engine.half, "classes", (1, 3)))


@pytest.mark.parametrize("k", [1, 3])
def test_what_a_row_weighs_is_what_leaving_it_out_changes(rng, k):
    """The covariance is the jackknife's: recompute each mean without each row, from the definition."""
    engine = engine_of(rng, 60, votes=(k,), n_candidates=1)
    rows, labels, widths = engine.candidates[0].rows, engine.labels, engine.candidates[0].widths
    ends = np.cumsum(widths)

    def means(absent=None):
        found = []
        for end, width in zip(ends, widths, strict=True):
            lost = [
                np.mean([2 * sum(labels[near] != labels[own] for near in [one for one in rows[own, subset] if one != absent][:k]) > k for subset in range(end - width, end)])
                for own in range(60)
                if own != absent
            ]
            found.append(sum(lost))
        return np.array(found)

    whole = means() / 60
    left_out = np.array([means(row) + whole for row in range(60)]) / 60 - whole
    curve = engine.curves()[0]
    np.testing.assert_allclose(curve.losses, whole)
    np.testing.assert_allclose(curve.covariance, left_out.T @ left_out)


def test_the_error_of_neighbours_is_not_told_too_surely():
    """Over fresh tables the error varies no more than its standard error says, and not much less."""
    errors, told = [], []
    for seed in range(80):
        curve = engine_of(np.random.default_rng([3, seed]), 200, n_candidates=1).curves()[0]
        errors.append(curve.losses[:3])
        told.append(curve.stderr[:3])
    ratio = np.mean(told, axis=0) / np.std(errors, axis=0)
    assert (ratio > 0.95).all()
    assert (ratio < 1.8).all()


def made_curve(rest, spread=0.004, chance=0.5, smooth=1.0, speed=2.0, near=0.3, span=12):
    """A curve that follows the law of `nugget`, with equal independent errors."""
    share = near * np.geomspace(1, span, 6)
    closeness = np.column_stack([share**power for power in POWERS])
    losses = chance - (chance - rest) * np.exp(-speed * share**smooth)
    return Curve(1, 6400 >> np.arange(6), losses, np.eye(6) * spread**2, closeness, chance)


@pytest.mark.parametrize("smooth", POWERS)
@pytest.mark.parametrize("rest", [0.05, 0.2, 0.4])
def test_the_rest_is_found_where_neighbours_are_near(rest, smooth):
    found = nugget(made_curve(rest, smooth=smooth, near=0.005), one_sided(1))
    assert found.low <= rest <= found.high
    assert found.high - found.low < 0.15
    assert found.misfit < 3


def test_far_neighbours_say_little():
    near, far = (nugget(made_curve(0.2, near=one, span=2), one_sided(1)) for one in (0.001, 0.4))
    assert far.low <= 0.2 <= far.high
    assert far.high - far.low > 3 * (near.high - near.low)


def test_a_flat_curve_of_far_neighbours_has_not_converged():
    """Neighbours that know nothing from 50 rows to 1,600 may know all at last: think of the product of twenty signs."""
    curve = made_curve(0.5, near=0.4)
    curve = Curve(1, curve.sizes, curve.losses - 0.002, curve.covariance, np.minimum(curve.closeness, 1.0), 0.5)
    found = nugget(curve, one_sided(1))
    assert not found.converged
    assert found.low == 0


def test_no_error_at_all_is_no_error():
    curve = made_curve(0.0)
    exact = nugget(Curve(1, curve.sizes, np.zeros(6), np.zeros((6, 6)), curve.closeness, 0.5), one_sided(1))
    assert (exact.expected, exact.low, exact.high) == (0, 0, 0)


def test_two_gaussians_in_three_dimensions():
    """Bayes error .1151, neighbours' error .1661 with rows without end: the bound lies below the first, near .09."""
    rng = np.random.default_rng(5)
    labels = rng.integers(2, size=6400)
    points = rng.normal(size=(6400, 3))
    points[:, 0] += 2.4 * labels
    every = np.arange(6400)
    lists = [nested_lists(Embedding("standardised", points.astype(np.float32)), every, every, every, 2, rng)]
    least = Engine(lists, labels, every, every, rng.random(6400) < 0.5, "classes", (1,)).least(one_sided)
    assert least.nugget.low <= 0.1661 <= least.nugget.high
    assert 0.06 < least.low < 0.1151
    assert least.expected == pytest.approx(0.091, abs=0.02)


def test_groups_are_no_neighbours(rng):
    points, group = points_of(rng, 80, 2), np.repeat(np.arange(20), 4)
    every = np.arange(80)
    rows = nested_lists(points, every, every, group, 3, rng).rows
    assert (group[rows] != group[every][:, None, None]).all()
    with pytest.raises(DataError, match="another group"):
        nested_lists(points, every, every, np.zeros(80, dtype=np.int64), 3, rng)


def test_embeddings_that_lose_leave_before_all_rows_are_seen(rng):
    labels = rng.integers(2, size=9000)
    good = Embedding("good", (labels[:, None] + rng.normal(size=(9000, 1)) / 10).astype(np.float32))
    noise = points_of(rng, 9000, 3, "noise")
    every = np.arange(9000)

    def loss(own, near):
        return (labels[own] != labels[near]).astype(float)

    assert [one.name for one in hopeful([noise, good], every, every, every, loss, rng)] == ["good"]
    assert hopeful([noise], every, every, every, loss, rng) == [noise]
