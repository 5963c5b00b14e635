"""Confident joint, noise matrix, posterior and corrected score, against known numbers and simulated noise."""

import numpy as np
import pytest

from dqops.models.label_doubt import doubt_labels
from dqops.models.label_noise import (
    calibrated_joint,
    confident_joint,
    corrected_score,
    label_posterior,
    noise_matrix,
    on_simplex,
    well_conditioned,
)
from dqops.results.summary import LabelNoise

P0 = np.array([0.9, 0.8, 0.25, 0.2, 0.6, 0.1])
GIVEN = np.array([0, 0, 0, 1, 1, 1])


def test_the_worked_example():
    joint = confident_joint(np.column_stack([P0, 1 - P0]), GIVEN)
    assert joint.tolist() == [[2, 1], [0, 2]]
    shares = calibrated_joint(joint, np.bincount(GIVEN))
    assert shares == pytest.approx(np.array([[1 / 3, 1 / 6], [0, 1 / 2]]))
    assert noise_matrix(shares) == pytest.approx(np.array([[1, 0], [1 / 4, 3 / 4]]))


def simulated(rng, n_rows=20_000, n_classes=3, sharp=6.0):
    """Features' own probabilities, true and given labels, and what a perfect learner of given labels says."""
    noise = np.full((n_classes, n_classes), 0.06) + np.diag(np.full(n_classes, 1 - 0.06 * n_classes))
    noise[0] = [0.8, 0.15, 0.05]
    eta = rng.dirichlet(np.full(n_classes, 1 / sharp), n_rows)
    true = (rng.random((n_rows, 1)) > np.cumsum(eta, axis=1)).sum(axis=1).clip(0, n_classes - 1)
    given = (rng.random((n_rows, 1)) > np.cumsum(noise[true], axis=1)).sum(axis=1).clip(0, n_classes - 1)
    return noise, eta, true, given, eta @ noise


def test_lines_keep_their_sums(rng):
    _, _, _, given, said = simulated(rng, 2000)
    shares = calibrated_joint(confident_joint(said, given), np.bincount(given))
    assert shares.sum(axis=1) == pytest.approx(np.bincount(given) / 2000)
    assert noise_matrix(shares).sum(axis=1) == pytest.approx(1.0)


def test_permuted_classes_permute_the_joint(rng):
    _, _, _, given, said = simulated(rng, 2000)
    order = np.array([2, 0, 1])
    place = np.argsort(order)
    permuted = confident_joint(said[:, order], place[given])
    assert np.array_equal(permuted, confident_joint(said, given)[np.ix_(order, order)])


def test_perfect_probabilities_without_noise_have_no_noise():
    given = np.repeat([0, 1, 2], 20)
    said = np.eye(3)[given]
    assert noise_matrix(calibrated_joint(confident_joint(said, given), np.bincount(given))) == pytest.approx(np.eye(3))


def test_posterior_is_calibrated_where_the_noise_is_known(rng):
    noise, _, true, given, said = simulated(rng, 100_000)
    wrong = 1 - label_posterior(said, given, noise)[np.arange(len(given)), given]
    for low in np.arange(0, 1, 0.2):
        part = (wrong >= low) & (wrong < low + 0.2)
        assert wrong[part].mean() == pytest.approx((given != true)[part].mean(), abs=0.02)


def test_posterior_without_a_label_is_the_belief_from_features(rng):
    noise, eta, _, _, said = simulated(rng, 50)
    assert label_posterior(said, np.full(50, -1), noise) == pytest.approx(eta, abs=1e-6)


def test_projection_is_the_nearest_point(rng):
    rows = rng.normal(size=(30, 3))
    near = on_simplex(rows)
    assert near.sum(axis=1) == pytest.approx(1.0)
    others = rng.dirichlet(np.ones(3), 500)
    for row, best in zip(rows, near, strict=True):
        assert ((best - row) ** 2).sum() <= ((others - row) ** 2).sum(axis=1).min() + 1e-12


def test_a_singular_matrix_is_moved_to_where_it_inverts():
    moved, share = well_conditioned(np.full((2, 2), 0.5))
    assert share == pytest.approx(0.1)
    assert np.linalg.cond(moved) <= 50


def test_corrected_score_recovers_clean_accuracy(rng):
    _, eta, true, given, _ = simulated(rng, 40_000)
    predicted = eta.argmax(axis=1)
    joint = np.zeros((3, 3))
    np.add.at(joint, (given, true), 1 / len(given))
    rate = 1 - np.trace(joint)
    names = ("a", "b", "c")
    label_noise = LabelNoise(names, tuple(map(tuple, joint.tolist())), rate, rate - 0.01, rate + 0.01)
    told = np.array(names)
    estimate = corrected_score(told[given], told[predicted], label_noise)
    clean, noisy = (predicted == true).mean(), (predicted == given).mean()
    assert noisy < clean - 0.05
    assert estimate.expected == pytest.approx(clean, abs=0.01)
    assert estimate.low < clean < estimate.high


def test_corrected_score_without_noise_is_the_plain_one():
    noise = LabelNoise(("0", "1"), ((0.5, 0.0), (0.0, 0.5)), 0.0, 0.0, 0.0)
    assert corrected_score(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]), noise).expected == 0.75


def test_planted_flips_are_found_and_calibrated(rng):
    n_rows = 3000
    true = rng.integers(0, 2, n_rows)
    flipped = rng.random(n_rows) < 0.08
    given = np.where(flipped, 1 - true, true)
    margin = rng.normal(3.0, 1.2, n_rows) * np.where(true == 1, 1, -1)
    eta = 1 / (1 + np.exp(-margin))
    said = 0.08 + 0.84 * eta
    doubt = doubt_labels(np.column_stack([1 - said, said]), given)
    sure = doubt.wrong >= 0.5
    assert flipped[sure].mean() > 0.85
    assert flipped[sure].sum() > 0.7 * flipped.sum()
    assert doubt.low <= 0.08 <= doubt.high + 0.01
    assert (doubt.likeliest[sure & flipped] == true[sure & flipped]).all()
    assert doubt.joint.sum() == pytest.approx(1.0)


def test_a_hard_problem_is_not_a_table_of_wrong_labels(rng):
    n_rows = 3000
    said = 1 / (1 + np.exp(-rng.normal(0.8, 1.3, n_rows)))
    given = (rng.random(n_rows) < said).astype(int)
    assert (said.round() != given).mean() > 0.2
    doubt = doubt_labels(np.column_stack([1 - said, said]), given)
    assert (doubt.wrong >= 0.5).mean() < 0.005
    assert doubt.rate < 0.05


def test_a_model_that_knows_nothing_doubts_nothing(rng):
    given = (rng.random(2000) < 0.03).astype(int)
    said = np.full(2000, 0.03) + rng.normal(0, 0.002, 2000)
    doubt = doubt_labels(np.column_stack([1 - said, said]), given)
    assert (doubt.wrong >= 0.5).sum() == 0


@pytest.mark.parametrize("given", [[-1, -1, -1], [0, -1, -1]])
def test_too_few_labels_bring_no_doubt(given):
    doubt = doubt_labels(np.full((3, 2), 0.5), np.array(given))
    assert doubt.wrong.tolist() == [0.0, 0.0, 0.0]


def test_human_judgement_of_doubted_labels(shared):
    """Crowd workers judged what was flagged: of the labels that score high more must be wrong, and about as many."""
    import pandas as pd

    from dqops.models.evidence import temperature, with_temperature

    judged = pd.read_csv(shared("label_errors_imdb/labels.csv.gz"))
    said = pd.read_csv(shared("label_errors_imdb/pred_probs.csv.gz")).to_numpy()
    given = judged["given_label"].to_numpy()
    wrong = doubt_labels(with_temperature(said, temperature(said, given)), given).wrong
    asked = judged["audited"].to_numpy() == 1
    surely_wrong = judged["verdict"].isin(["guessed", "neither"]).to_numpy()
    doubtful = asked & (wrong >= 0.2)
    assert surely_wrong[doubtful].mean() > 2 * surely_wrong[asked & (wrong < 0.2)].mean()
    assert surely_wrong[doubtful].mean() == pytest.approx(wrong[doubtful].mean(), abs=0.1)
