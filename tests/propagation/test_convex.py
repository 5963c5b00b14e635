"""Gradients, the optimum, and the estimate of the clean gradient: unbiased by enumeration and by Monte Carlo."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import LinearSVC

from dqops.errors import OptionError
from dqops.propagation.convex import ConvexLoss, ConvexModel, clean_gradient, shifts_by_kind, with_ones
from dqops.propagation.drawn import draw_keys, estimated_total, mixed_shares

KINDS = [("squared", 0), ("logistic", 2), ("logistic", 3), ("hinge", 2), ("hinge", 3), ("squared", 3)]


@pytest.fixture
def problem(rng):
    def make(kind, n_classes, n_rows=40):
        rows = with_ones(rng.normal(size=(n_rows, 3)))
        model = ConvexModel(ConvexLoss(kind, n_classes), 0.7)
        values = rng.integers(n_classes, size=n_rows) if n_classes else rng.normal(size=n_rows)
        return model, rows, model.loss.targets(values), rng.normal(size=(4, model.loss.n_scores)), values

    return make


@pytest.mark.parametrize(("kind", "n_classes"), KINDS)
def test_gradients_are_the_slopes_of_the_losses(problem, kind, n_classes):
    model, rows, targets, theta, _ = problem(kind, n_classes)
    told = model.gradients(theta, rows, targets)
    for place in range(theta.size):
        step = np.zeros(theta.size)
        step[place] = 1e-6
        up, down = (model.loss.losses(rows @ (theta + sign * step.reshape(theta.shape)), targets) for sign in (1, -1))
        np.testing.assert_allclose(told[:, place], (up - down) / 2e-6, atol=1e-5)
    np.testing.assert_allclose(told.sum(axis=0), model.total(theta, rows, targets))


@pytest.mark.parametrize(("kind", "n_classes"), KINDS)
def test_a_foreseen_gradient_is_the_true_one_for_small_moves(problem, rng, kind, n_classes):
    model, rows, targets, theta, _ = problem(kind, n_classes)
    moves = 1e-5 * np.column_stack([rng.normal(size=(len(rows), 3)), np.zeros(len(rows))])
    target_moves = 1e-5 * rng.normal(size=targets.shape) * (kind != "hinge")
    told = model.foreseen_sizes(theta, rows, targets, moves, target_moves)
    true = np.linalg.norm(model.gradients(theta, rows + moves, targets + target_moves), axis=1)
    np.testing.assert_allclose(told, true, atol=1e-8)
    today = np.linalg.norm(model.gradients(theta, rows, targets), axis=1)
    np.testing.assert_allclose(model.foreseen_sizes(theta, rows, targets, 0 * moves, 0 * targets), today)


def test_the_optimum_is_that_of_scikit_learn(problem):
    model, rows, targets, _, y = problem("squared", 0)
    ridge = Ridge(alpha=0.7).fit(rows[:, :3], y)
    np.testing.assert_allclose(model.fitted(rows, targets)[:, 0], [*ridge.coef_, ridge.intercept_], atol=1e-4)
    model, rows, targets, _, y = problem("logistic", 3)
    softmax = LogisticRegression(C=1 / 0.7, tol=1e-10, max_iter=5000).fit(rows[:, :3], y)
    fitted = model.fitted(rows, targets)
    np.testing.assert_allclose(fitted[:-1], softmax.coef_.T, atol=1e-3)
    model, rows, targets, _, y = problem("hinge", 2)
    hinge = LinearSVC(C=1 / 0.7, loss="hinge", intercept_scaling=100, max_iter=100_000).fit(rows[:, :3], y)
    best = model.objective(np.append(hinge.coef_[0], hinge.intercept_)[:, None], rows, targets)
    assert model.objective(model.fitted(rows, targets), rows, targets) < 1.03 * best


@pytest.mark.parametrize(("kind", "n_classes"), KINDS)
def test_steps_of_the_safe_rate_never_raise_the_objective(problem, kind, n_classes):
    model, rows, targets, theta, _ = problem(kind, n_classes)
    if kind == "hinge":
        return  # a subgradient need not point downhill
    for _ in range(20):
        lower = theta - model.rate(rows) * ((model.total(theta, rows, targets) + model.held_back(theta)) / len(rows)).reshape(theta.shape)
        assert model.objective(lower, rows, targets) <= model.objective(theta, rows, targets) + 1e-12
        theta = lower


def orders(shares, count):
    """Every order of so many draws, with its probability."""
    for order in permutations(range(len(shares)), count):
        chance, left = 1.0, 1.0
        for one in order:
            chance, left = chance * shares[one] / left, left - shares[one]
        yield list(order), chance


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_estimated_total_is_right_on_average_over_all_draws(rng, count):
    values, shares = rng.normal(size=(5, 2)), rng.dirichlet(np.ones(5))
    mean, spread, told = np.zeros(2), np.zeros((2, 2)), np.zeros((2, 2))
    for order, chance in orders(shares, count):
        total, covariance = estimated_total(values[order], shares[order])
        mean += chance * total
        spread += chance * np.outer(total - values.sum(axis=0), total - values.sum(axis=0))
        told += chance * (covariance if count > 1 else 0.0)
    np.testing.assert_allclose(mean, values.sum(axis=0), atol=1e-12)
    if count > 1:
        np.testing.assert_allclose(told, spread, atol=1e-12)  # and so is its covariance
    assert (spread < 1e-20).all() == (count == 5)


@pytest.mark.parametrize(("kind", "n_classes"), KINDS)
@pytest.mark.parametrize("foreseen", [False, True])
def test_the_clean_gradient_is_unbiased(problem, rng, kind, n_classes, foreseen):
    model, rows, targets, theta, _ = problem(kind, n_classes, 12)
    open_rows, known = np.arange(5), np.arange(5, 12)
    clean = model.gradients(theta, rows, targets)
    guess = clean[open_rows] + rng.normal(size=(5, clean.shape[1])) if foreseen else np.zeros((5, clean.shape[1]))
    shares, mean = mixed_shares(rng.random(5)), np.zeros(clean.shape[1])
    for order, chance in orders(shares, 2):
        extra = {"foreseen": guess.sum(axis=0), "foreseen_drawn": guess[order]} if foreseen else {}
        mean += chance * clean_gradient(clean[known].sum(axis=0), clean[order], shares[order], **extra)[0]
    np.testing.assert_allclose(mean, clean.sum(axis=0), atol=1e-12)


def test_the_clean_gradient_is_unbiased_in_simulation_and_foresight_narrows_it(problem):
    rng = np.random.default_rng(3)
    model, rows, targets, theta, _ = problem("logistic", 2, 200)
    clean = model.gradients(theta, rows, targets)
    dirty = model.gradients(theta, rows + 0.3 * np.column_stack([rng.normal(size=(200, 3)), np.zeros(200)]), targets)
    shares = mixed_shares(np.linalg.norm(dirty, axis=1))
    plain, foreseen, even = [], [], []
    for _ in range(3000):
        drawn = np.argsort(-draw_keys(shares, rng))[:20]
        plain.append(clean_gradient(0.0, clean[drawn], shares[drawn])[0])
        foreseen.append(clean_gradient(0.0, clean[drawn], shares[drawn], foreseen=dirty.sum(axis=0), foreseen_drawn=dirty[drawn])[0])
        some = rng.permutation(200)[:20]
        even.append(clean_gradient(0.0, clean[some], np.full(20, 1 / 200))[0])
    for told in (plain, foreseen, even):
        error = np.std(told, axis=0) / np.sqrt(len(told))
        assert (np.abs(np.mean(told, axis=0) - clean.sum(axis=0)) < 4 * error).all()
    assert np.var(plain, axis=0).sum() < np.var(even, axis=0).sum()
    assert np.var(foreseen, axis=0).sum() < 0.3 * np.var(plain, axis=0).sum()


def test_draws_follow_their_shares(rng):
    shares = np.array([0.5, 0.3, 0.2])
    seen = {}
    for _ in range(20_000):
        order = tuple(np.argsort(-draw_keys(shares, rng))[:2].tolist())
        seen[order] = seen.get(order, 0) + 1
    for order, chance in orders(shares, 2):
        assert abs(seen[tuple(order)] / 20_000 - chance) < 4 * np.sqrt(chance / 20_000)


def test_moves_are_learned_by_kind(rng):
    kinds = np.repeat(np.eye(3), 200, axis=0)
    moves = kinds @ np.array([[1.0, 0.0], [0.0, -2.0], [0.0, 0.0]]) + 0.01 * rng.normal(size=(600, 2))
    np.testing.assert_allclose(shifts_by_kind(kinds, moves), [[1, 0], [0, -2], [0, 0]], atol=0.06)
    assert np.abs(shifts_by_kind(kinds[:1], moves[:1])).max() < 0.2


def test_losses_that_cannot_be_are_refused():
    with pytest.raises(OptionError, match="kind='cosine'"):
        ConvexLoss("cosine")
    with pytest.raises(OptionError, match="logistic"):
        ConvexLoss("logistic", 0)
