"""`noisy_rows`: planted errors come first, chances mean what they say, and what cannot be used is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.optimize import check_grad
from sklearn.datasets import load_wine, make_blobs
from sklearn.metrics import average_precision_score
from sklearn.svm import LinearSVC

import dqops
from dqops.errors import DataError, ModelError, OptionError
from dqops.models.bagged_trees import out_of_bag
from dqops.models.kernel_ridge import PENALTIES, kernel_features, left_out
from dqops.models.noise_fit import _Likelihood, fit_noise
from dqops.valuers.planting import fit_combination, planted


@pytest.fixture(scope="module")
def blobs():
    """Three classes with some overlap, of which the last is often recorded as the first."""
    X, true = make_blobs(420, centers=3, n_features=4, cluster_std=3.0, random_state=3)
    rng = np.random.default_rng(0)
    given = np.where((true == 2) & (rng.random(420) < 0.35), 0, true)
    return X, true, given


@pytest.fixture(scope="module")
def found(blobs):
    return dqops.noisy_rows(blobs[0], blobs[2], seed=1)


def test_planted_errors_come_first(blobs, found):
    _, true, given = blobs
    alone = max(average_precision_score(given != true, -said) for said in found.parts.values())
    assert average_precision_score(given != true, found.wrong) > max(alone, 0.9)


def test_the_noise_is_found(blobs, found):
    _, true, given = blobs
    assert abs(found.noise[2, 0] - (given[true == 2] == 0).mean()) < 0.1
    assert found.noise[0, 0] > 0.9
    assert found.noise[1, 1] > 0.9


def test_chances_mean_what_they_say(blobs, found):
    _, true, given = blobs
    assert found.rate == pytest.approx((given != true).mean(), abs=0.04)
    sure = found.wrong > 0.8
    assert (given != true)[sure].mean() > 0.8
    assert ((found.wrong - (given != true)) ** 2).mean() < 0.04


def test_the_suggestion_is_the_true_label(blobs, found):
    _, true, given = blobs
    wrong = (given != true) & (found.wrong > 0.5)
    assert (found.suggested[wrong] == true[wrong]).mean() > 0.95
    assert (found.suggested != found.given).all()


def test_trusted_rows_are_right_and_help(blobs):
    X, true, given = blobs
    rng = np.random.default_rng(5)
    trusted = rng.random(len(true)) < 0.3
    mixed = np.where(trusted, true, given)
    found = dqops.noisy_rows(X, mixed, trusted=trusted, calibrate=False)
    assert (found.wrong[trusted] == 0).all()
    assert average_precision_score((mixed != true)[~trusted], found.wrong[~trusted]) > 0.9
    by_position = dqops.noisy_rows(X, mixed, trusted=np.flatnonzero(trusted), calibrate=False)
    assert np.array_equal(by_position.wrong, found.wrong)


def test_same_seed_same_answer(blobs):
    X, given = blobs[0][:60], blobs[2][:60]
    once, again, other = (dqops.noisy_rows(X, given, seed=seed).wrong for seed in (1, 1, 2))
    assert np.array_equal(again, once)
    assert not np.array_equal(other, once)


def test_clean_labels_are_left_alone():
    X, y = load_wine(return_X_y=True)
    found = dqops.noisy_rows(X, y)
    assert (found.wrong >= 0.5).sum() <= 3


def test_the_users_model_joins_the_panel(blobs):
    found = dqops.noisy_rows(blobs[0][:120], blobs[2][:120], model=LinearSVC(), calibrate=False)
    assert set(found.parts) == {"extra trees", "trees", "kernel", "neighbours", "logistic", "model"}
    assert found.weights["model"] > 0


def test_labels_of_any_kind_and_forms_of_X(blobs):
    X, _, given = blobs
    names = np.array(["a", "b", "c"])[given]
    X, given, names = X[:80], given[:80], names[:80]
    plain = dqops.noisy_rows(X, given, calibrate=False)
    for other in (pd.DataFrame(X), sparse.csr_matrix(X), X.tolist()):
        again = dqops.noisy_rows(other, names, calibrate=False)
        assert np.allclose(again.wrong, plain.wrong)
    frame = again.to_frame()
    assert frame.columns == ["row", "given", "suggested", "wrong"]
    assert frame["given"].to_list() == names.tolist()


def test_repeated_rows_do_not_vouch_for_each_other():
    X, y = make_blobs(90, centers=[[0, 0, 0], [5, 5, 5]], cluster_std=1.0, random_state=0)
    y[0] = 1 - y[0]
    once, twice = dqops.noisy_rows(X, y, calibrate=False), dqops.noisy_rows(np.vstack([X, X[:1]]), np.append(y, y[0]), calibrate=False)
    assert twice.wrong[0] == pytest.approx(once.wrong[0], abs=0.2)
    assert twice.wrong[0] > 0.5


@pytest.mark.parametrize(("X", "y"), [
    (np.arange(4.0)[:, None], [0, 1, 0, 1]),
    (np.ones((20, 2)), [0, 1] * 10),
    (np.repeat(np.arange(4.0), 10)[:, None], [0, 0, 0, 1] * 10),
    (np.arange(30.0)[:, None], [0] * 29 + [1]),
    (np.arange(12, dtype=np.int8)[:, None], list("abcdefabcdef")),
])  # fmt: skip
def test_small_and_odd_tables_give_chances(X, y):
    found = dqops.noisy_rows(X, y)
    assert np.isfinite(found.wrong).all()
    assert ((found.wrong >= 0) & (found.wrong <= 1)).all()


@pytest.mark.parametrize(("X", "y", "told"), [
    ([[1.0], [np.nan]], [0, 1], "missing"),
    ([[1.0], [np.inf]], [0, 1], "infinite"),
    ([[1.0], [2.0]], [0, 0], "one class"),
    ([[1.0], [2.0]], [0], "one target a row"),
    ([["a"], ["b"]], [0, 1], "numbers"),
    (np.empty((0, 2)), [], "no rows"),
    ([[1.0], [2.0]], [None, 1], "missing"),
])  # fmt: skip
def test_what_cannot_be_used_is_refused(X, y, told):
    with pytest.raises(DataError, match=told):
        dqops.noisy_rows(X, y)


def test_trusted_rows_that_cannot_be(blobs):
    X, _, given = blobs
    for wrong in ([True], [420], [-1], [[0, 1]], ["a"], [0.5]):
        with pytest.raises(OptionError, match="trusted"):
            dqops.noisy_rows(X, given, trusted=wrong)
    with pytest.raises(DataError, match="all rows are trusted"):
        dqops.noisy_rows(X, given, trusted=np.ones(len(X), dtype=bool))


def test_a_model_that_fails_is_named(blobs):
    class Broken(LinearSVC):
        def fit(self, X, y, sample_weight=None):
            raise ValueError("no")

    with pytest.raises(ModelError, match="Broken"):
        dqops.noisy_rows(blobs[0], blobs[2], model=Broken())


def test_left_out_rows_are_predicted_as_if_trained_again(rng):
    """The closed form against a fit without the unit, for the width and penalty that are best on these rows."""
    X, units = rng.normal(size=(12, 2)), np.array([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9])
    targets, weights = np.eye(2)[rng.integers(2, size=12)], rng.uniform(0.2, 1, 12)
    maps = kernel_features(X, rng)[:1]
    came = left_out(maps, targets, weights, units)
    features, refits = maps[0], []
    for penalty in PENALTIES:
        alone = np.empty((12, 2))
        for row in range(12):
            kept = units != units[row]
            gram = features[kept].T @ (weights[kept, None] * features[kept]) + penalty * np.eye(features.shape[1])
            alone[row] = features[row] @ np.linalg.solve(gram, features[kept].T @ (weights[kept, None] * targets[kept]))
        refits.append(alone)
    assert min(abs(came - alone).max() for alone in refits) < 1e-6


def test_kernel_features_are_the_kernel(rng):
    X = rng.normal(size=(9, 3))
    features = kernel_features(X, rng)[1][:, :-1]
    squares = ((X[:, None] - X[None]) ** 2).sum(axis=2)
    assert np.allclose(features @ features.T, np.exp(-squares / np.median(squares[np.triu_indices(9, 1)])))


def test_trees_are_not_heard_on_what_they_saw(rng):
    """Labels at random can only be guessed by trees that did not see them; units stay together."""
    X = np.repeat(rng.normal(size=(150, 3)).astype(np.float32), 2, axis=0)
    codes, units = np.repeat(rng.integers(2, size=150), 2), np.repeat(np.arange(150), 2)
    said = out_of_bag(X, codes, np.ones(300), 2, units, rng, kind="best", n_trees=60, min_leaf=1)
    assert np.allclose(said.sum(axis=1), 1)
    assert 0.3 < (said.argmax(axis=1) == codes).mean() < 0.7


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_slope_of_the_likelihood_is_its_slope(rng, n_classes):
    heard = np.log(rng.dirichlet(np.ones(n_classes), size=(3, 30)))
    likelihood = _Likelihood(heard, rng.integers(n_classes, size=30), rng.random(30) < 0.3)
    point = rng.normal(0, 0.5, 3 + 2 * n_classes + 1 + n_classes**2)
    assert check_grad(lambda at: likelihood(at)[0], lambda at: likelihood(at)[1], point) < 1e-4


def test_noise_is_told_from_chance(rng):
    """Learners that know the chances of the true labels: what they do not foretell of the given ones is noise."""
    noise = np.array([[0.7, 0.3, 0.0], [0.0, 1.0, 0.0], [0.1, 0.1, 0.8]])
    chances = np.exp(3 * rng.normal(size=(4000, 3)))
    chances /= chances.sum(axis=1, keepdims=True)
    true = (rng.random(4000)[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    given = (rng.random(4000)[:, None] > noise[true].cumsum(axis=1)).sum(axis=1)
    fit = fit_noise(np.log(np.clip(chances, 1e-6, 1))[None], given, np.zeros(4000, dtype=bool))
    assert np.allclose(fit.noise, noise, atol=0.06)
    assert (fit.posterior.argmax(axis=1) == true).mean() > (given == true).mean() + 0.05


def test_twins_have_the_noise_that_was_found(rng):
    posterior, noise = np.tile([0.2, 0.8], (20_000, 1)), np.array([[0.9, 0.1], [0.3, 0.7]])
    known = np.arange(20_000) < 5000
    true, given = planted(posterior, noise, known, rng)
    assert (given == true)[known].all()
    assert true.mean() == pytest.approx(0.8, abs=0.02)
    assert (given != true)[~known & (true == 1)].mean() == pytest.approx(0.3, abs=0.02)


def test_a_combination_is_calibrated(rng):
    truth = rng.normal(size=8000)
    odds = truth[:, None] * 2 + rng.normal(size=(8000, 2))
    wrong = rng.random(8000) < 1 / (1 + np.exp(-truth))
    said = fit_combination(odds, wrong)(odds)
    for low, high in ((0, 0.3), (0.3, 0.7), (0.7, 1)):
        some = (said >= low) & (said < high)
        assert said[some].mean() == pytest.approx(wrong[some].mean(), abs=0.04)
