"""Kernels of label doubt against their twins, and against laws at large sizes."""

import numpy as np
import pytest
from naive import labels as naive

from dqops.kernels import labels as kernels


def said_and_given(rng, n_rows, n_classes, dtype=np.float64, missing=True):
    """Sharp probabilities and labels that often disagree; some rows are tied, some have no label."""
    said = rng.dirichlet(np.full(n_classes, 0.4), n_rows)
    said[rng.random(n_rows) < 0.2] = 1 / n_classes
    given = rng.integers(-1 if missing else 0, n_classes, n_rows)
    return said.astype(dtype), given


def noise_of(rng, n_classes):
    noise = 0.7 * np.eye(n_classes) + 0.3 * rng.dirichlet(np.ones(n_classes), n_classes)
    return np.linalg.inv(noise), noise


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n_rows", "n_classes"), [(1, 2), (7, 1), (8, 3), (130, 5), (300, 6)])
def test_each_kernel_is_its_definition(rng, n_rows, n_classes, dtype):
    said, given = said_and_given(rng, n_rows, n_classes, dtype)
    unmixing, noise = noise_of(rng, n_classes)
    sums, counts, odd = kernels.class_sums(said, given)
    for found, wanted in zip((sums, counts, odd), naive.class_sums(said, given), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    for fineness in (0, 4):
        wanted = naive.confident_rows(said, given, thresholds, fineness)
        for found, one in zip(kernels.confident_rows(said, given, thresholds, fineness), wanted, strict=True):
            np.testing.assert_allclose(found, one, rtol=1e-12)
    wrong, likeliest = kernels.wrong_labels(said, given, unmixing, noise)
    wanted, other = naive.wrong_labels(said, given, unmixing, noise)
    np.testing.assert_allclose(wrong, wanted, atol=1e-9)
    posterior = naive.label_posterior(said, given, unmixing, noise)
    np.testing.assert_allclose(kernels.label_posterior(said, given, unmixing, noise), posterior, atol=1e-9)
    rows = np.arange(n_rows)
    np.testing.assert_allclose(posterior[rows, likeliest], posterior[rows, other], atol=1e-9)


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda said: np.repeat(said, 2, axis=1)[:, ::2]])
def test_any_layout_is_read_in_place(rng, layout):
    said, given = said_and_given(rng, 50, 4)
    unmixing, noise = noise_of(rng, 4)
    np.testing.assert_array_equal(kernels.wrong_labels(layout(said), given, unmixing, noise)[0], kernels.wrong_labels(said, given, unmixing, noise)[0])


@pytest.mark.parametrize("line", [[0.5, 0.6], [1.2, -0.2], [np.nan, 0.5], [np.inf, 0.0], [0.0, 0.0]])
def test_what_is_no_distribution_is_told(line):
    said = np.array([[0.4, 0.6], line, [0.5, 0.5]])
    assert kernels.class_sums(said, np.array([0, 1, 1]))[2] == 1 == naive.class_sums(said, np.array([0, 1, 1]))[2]


def test_a_label_that_no_true_label_brings_forth_keeps_its_row():
    noise = np.eye(3)
    said = np.array([[1.0, 0.0, 0.0]])
    wrong, _ = kernels.wrong_labels(said, np.array([2]), noise, noise)
    assert wrong.tolist() == [0.0]
    assert kernels.label_posterior(said, np.array([2]), noise, noise).tolist() == [[0.0, 0.0, 1.0]]


def test_sums_hold_on_many_rows(rng):
    n_rows = 5000
    said, given = said_and_given(rng, n_rows, 7)
    unmixing, noise = noise_of(rng, 7)
    sums, counts, odd = kernels.class_sums(said, given)
    known = given >= 0
    assert odd == -1
    assert sums.sum() == pytest.approx(said[known, given[known]].sum())
    confident, agreement, own, _ = kernels.confident_rows(said, given, sums / counts, 5)
    assert agreement.sum() == known.sum() >= confident.sum()
    assert agreement[:, :, 1].sum() == (said[known].argmax(axis=1) != given[known]).sum()
    assert np.array_equal(own[known], said[known, given[known]])
    posterior = kernels.label_posterior(said, given, unmixing, noise)
    assert posterior.sum(axis=1) == pytest.approx(1.0)
    assert (posterior >= 0).all()
    wrong, likeliest = kernels.wrong_labels(said, given, unmixing, noise)
    assert wrong[known] == pytest.approx(1 - posterior[known, given[known]], abs=1e-12)
    posterior[np.flatnonzero(known), given[known]] = -1
    assert (posterior.argmax(axis=1) == likeliest).all()
