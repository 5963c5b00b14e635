"""Label doubts as a user calls them: right on simulated noise, cheap in memory, clear on bad input."""

import os
import warnings
from pathlib import Path

import numba
import numpy as np
import pandas as pd
import polars as pl
import pytest

import dqops
from dqops.errors import ApproximationWarning, DataError, OptionError


def simulated(rng, n_rows, n_classes, *, sharp, rate):
    """Noise, true and given labels, and what a perfect learner of given labels says."""
    noise = np.full((n_classes, n_classes), rate / (n_classes - 1))
    np.fill_diagonal(noise, 1 - rate)
    eta = rng.dirichlet(np.full(n_classes, 1 / sharp), n_rows)
    true = (rng.random((n_rows, 1)) > np.cumsum(eta, axis=1)).sum(axis=1).clip(0, n_classes - 1)
    given = (rng.random((n_rows, 1)) > np.cumsum(noise[true], axis=1)).sum(axis=1).clip(0, n_classes - 1)
    return noise, true, given, eta @ noise


def largest_gap(wrong, is_wrong):
    """Largest distance of stated from true probability among ten bins, in standard errors of the bin or 0.004."""
    gaps = []
    for low in np.arange(0, 1, 0.1):
        part = (wrong >= low) & (wrong <= low + 0.1)
        if part.sum() >= 50:
            spread = np.sqrt((wrong[part] * (1 - wrong[part])).sum()) / part.sum()
            gaps.append(abs(wrong[part].mean() - is_wrong[part].mean()) / max(spread, 0.001))
    return max(gaps)


def quiet(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ApproximationWarning)
        return dqops.label_doubts(*args, **options)


@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_the_posterior_is_calibrated_where_the_noise_is_known(rng, n_classes):
    noise, true, given, said = simulated(rng, 60_000, n_classes, sharp=2.0, rate=0.2)
    found = dqops.label_doubts(given, said, noise=noise, posterior=True)
    assert largest_gap(found.wrong, given != true) < 4.5
    assert found.low <= (given != true).mean() <= found.high
    assert found.source == "given"
    assert largest_gap(found.posterior[np.arange(60_000), found.likeliest], true == found.likeliest) < 4.5


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_posterior_is_calibrated_where_noise_is_learned_and_the_problem_is_easy(rng, n_classes):
    _, true, given, said = simulated(rng, 30_000, n_classes, sharp=50.0, rate=0.15)
    found = quiet(given, said)
    is_wrong = given != true
    assert found.rate == pytest.approx(is_wrong.mean(), abs=0.02)
    bins = np.minimum((found.wrong * 10).astype(int), 9)
    off = sum(abs(found.wrong[bins == one].sum() - is_wrong[bins == one].sum()) for one in range(10)) / len(given)
    assert off < 0.015


@pytest.mark.parametrize("sharp", [50.0, 10.0, 3.0, 1.0])
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.2])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_the_interval_holds_the_share_of_wrong_labels(rng, n_classes, rate, sharp):
    _, true, given, said = simulated(rng, 4000, n_classes, sharp=sharp, rate=rate)
    for noise in ("confident", "believed"):
        found = quiet(given, said, noise=noise)
        assert found.low <= found.rate <= found.high
        if noise == "confident":
            assert found.low <= (given != true).mean() <= found.high


def test_a_hard_problem_is_told_from_wrong_labels_where_asked(rng):
    _, _, given, said = simulated(rng, 4000, 4, sharp=1.0, rate=0.0)
    with pytest.warns(ApproximationWarning, match="a hard problem looks like wrong labels.*noise='believed'"):
        counted = dqops.label_doubts(given, said)
    believed = dqops.label_doubts(given, said, noise="believed")
    assert counted.rate > 0.3 > 0.1 > believed.rate
    assert believed.wrong.mean() < 0.1


def test_lines_of_joint_and_noise_keep_their_sums(rng):
    _, _, given, said = simulated(rng, 3000, 5, sharp=5.0, rate=0.1)
    found = quiet(given, said)
    assert found.joint.sum(axis=1) == pytest.approx(np.bincount(given) / 3000)
    assert found.noise.sum(axis=1) == pytest.approx(1.0)
    assert found.prior.sum() == pytest.approx(1.0)


def test_permuted_classes_permute_everything(rng):
    _, _, given, said = simulated(rng, 3000, 4, sharp=5.0, rate=0.1)
    order = np.array([2, 0, 3, 1])
    plain, permuted = quiet(given, said), quiet(np.argsort(order)[given], said[:, order])
    np.testing.assert_allclose(permuted.wrong, plain.wrong, atol=1e-9)
    np.testing.assert_allclose(permuted.noise, plain.noise[np.ix_(order, order)], atol=1e-12)
    doubtful = plain.wrong > 1e-9
    assert (order[permuted.likeliest] == plain.likeliest)[doubtful].all()


def test_perfect_probabilities_without_noise_have_no_noise():
    given = np.repeat([0, 1, 2], 40)
    found = dqops.label_doubts(given, np.eye(3)[given])
    assert np.array_equal(found.noise, np.eye(3))
    assert found.wrong.max() == 0
    assert found.rate == found.low == 0
    assert found.high < 0.05


def test_single_precision_is_read_in_place_and_agrees(rng):
    _, _, given, said = simulated(rng, 2000, 3, sharp=5.0, rate=0.1)
    single = said.astype(np.float32)
    before = single.copy()
    np.testing.assert_allclose(quiet(given, single).wrong, quiet(given, said).wrong, atol=1e-4)
    assert np.array_equal(single, before)


def held(name):
    """Megabytes of this process, as the system counts them: what kernels allocate is in it."""
    return int(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name)).split()[1]) / 1024


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the system does not tell its peak")
@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="many rows")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_memory_beside_the_input_and_the_answer_is_small(rng, dtype):
    n_rows, n_classes = 500_000, 10
    said = rng.dirichlet(np.full(n_classes, 0.3), n_rows).astype(dtype)
    given = rng.integers(0, n_classes, n_rows)
    quiet(given[:100], said[:100])
    Path("/proc/self/clear_refs").write_text("5")
    before = held("VmRSS")
    found = quiet(given, said)
    kept = sum(getattr(found, name).nbytes for name in ("wrong", "likeliest", "self_confidence", "margin"))
    assert kept == 4 * 8 * n_rows
    assert held("VmHWM") - before <= kept / 2**20 + 10
    assert np.shares_memory(found.given, given)
    assert found.posterior is None


def test_labels_of_any_kind_agree(rng):
    _, _, given, said = simulated(rng, 500, 3, sharp=5.0, rate=0.1)
    plain = quiet(given, said)
    names = np.array(["ant", "bee", "cat"])
    for y in (names[given], names[given].tolist(), pd.Series(names[given]), pl.Series(names[given]), pd.Categorical(names[given]), given + 5, given.astype(float)):
        found = quiet(y, said)
        np.testing.assert_array_equal(found.wrong, plain.wrong)
    assert found.classes.tolist() == [0, 1, 2]
    frame = quiet(names[given], pd.DataFrame(said, columns=names)).to_frame()
    assert frame.columns == ["row", "given", "likeliest", "wrong", "self_confidence", "margin"]
    assert frame["given"].to_list() == names[given].tolist()


def test_columns_may_be_named_in_any_order(rng):
    _, _, given, said = simulated(rng, 500, 3, sharp=5.0, rate=0.1)
    names = np.array(["ant", "bee", "cat"])
    found = quiet(names[given], said[:, [2, 0, 1]], classes=["cat", "ant", "bee"])
    plain = quiet(given, said)
    np.testing.assert_allclose(found.wrong, plain.wrong, atol=1e-12)
    doubtful = plain.wrong > 1e-9
    assert found.classes[found.likeliest[doubtful]].tolist() == names[plain.likeliest[doubtful]].tolist()


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_a_row_without_a_label_is_judged_by_its_features_alone(rng, nothing):
    noise, _, given, said = simulated(rng, 300, 3, sharp=5.0, rate=0.1)
    y = given.astype(object)
    y[[0, 7]] = nothing
    found = dqops.label_doubts(y, said, noise=noise, posterior=True)
    assert np.isnan(found.wrong[[0, 7]]).all()
    assert np.isfinite(np.delete(found.wrong, [0, 7])).all()
    assert found.posterior[7] @ noise == pytest.approx(said[7])
    assert found.to_frame()["given"].null_count() == 2
    assert set(found.worst()[-2:]) == {0, 7}


def test_a_class_without_labels_keeps_its_column(rng):
    _, _, given, said = simulated(rng, 400, 3, sharp=5.0, rate=0.1)
    kept = given != 2
    found = quiet(given[kept], said[kept])
    assert found.thresholds[2] == np.inf
    assert found.noise[2].tolist() == [0, 0, 1]
    assert np.isfinite(found.wrong).all()


def test_a_singular_matrix_is_shrunk_and_says_so(rng):
    given = rng.integers(0, 2, 200)
    found = quiet(given, np.full((200, 2), 0.5), noise=np.full((2, 2), 0.5))
    assert found.shrunk == pytest.approx(0.1)
    assert np.isfinite(found.wrong).all()


def test_too_sure_probabilities_can_be_tempered(rng):
    noise, true, given, said = simulated(rng, 40_000, 3, sharp=2.0, rate=0.2)
    sharper = said**3 / (said**3).sum(axis=1, keepdims=True)
    plain, tempered = (dqops.label_doubts(given, sharper, noise=noise, temperature=one) for one in (1.0, "fit"))
    assert tempered.temperature == pytest.approx(3, rel=0.1)
    assert tempered.calibration_error < 0.02 < 0.05 < plain.calibration_error
    assert largest_gap(tempered.wrong, given != true) < 6 < 15 < largest_gap(plain.wrong, given != true)
    assert tempered.wrong.shape == tempered.self_confidence.shape == (40_000,)


def test_rows_of_a_block_do_not_depend_on_the_others(rng):
    noise, _, given, said = simulated(rng, 40_000, 3, sharp=2.0, rate=0.2)
    whole = dqops.label_doubts(given, said, noise=noise, temperature=2.0, posterior=True)
    part = dqops.label_doubts(given[30_000:30_010], said[30_000:30_010], noise=noise, temperature=2.0)
    np.testing.assert_allclose(whole.wrong[30_000:30_010], part.wrong, atol=1e-12)
    np.testing.assert_allclose(1 - whole.posterior[np.arange(40_000), given], whole.wrong, atol=1e-12)


SAID = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])


@pytest.mark.parametrize(
    ("y", "said", "options", "kind", "told"),
    [
        ([0, 1], SAID, {}, DataError, "probabilities has 3 rows and y 2"),
        ([0, 1, 1], SAID[:, 0], {}, DataError, "shape .3,."),
        ([0, 1, 1], SAID[:, :1] * 0 + 1, {}, DataError, "shape .3, 1.; need a column for each of two or more"),
        ([], np.empty((0, 2)), {}, DataError, "no rows"),
        (["a", "b", "c"], SAID, {}, DataError, "y holds 3 labels and probabilities have 2 columns; need classes="),
        (["a", "a", "a"], SAID, {}, DataError, "y holds one label"),
        (["a", "b", "a"], SAID, {"classes": ["a", "c"]}, DataError, "label 'b' of y is not among classes"),
        (["a", "b", "a"], SAID, {"classes": ["a", "b", "c"]}, DataError, "names 3 labels"),
        (np.array(["a", "b", 1], dtype=object), SAID, {}, DataError, "text in 2 rows and other things"),
        ([None, None, None], SAID, {}, DataError, "no row has a label"),
        ([0, 1, 1], SAID * 2, {}, DataError, "row 2 are 1.2, 0.8; need numbers of 0 or more that sum to 1"),
        ([0, 1, 1], SAID * np.nan, {}, DataError, "row 2 are nan, nan"),
        ([0, 1, 1], SAID.astype(str), {}, DataError, "are of type"),
        ([0, 1, 1], SAID, {"noise": "confidant"}, OptionError, "noise='confidant'"),
        ([0, 1, 1], SAID, {"noise": np.eye(3)}, OptionError, "2 x 2"),
        ([0, 1, 1], SAID, {"noise": np.ones((2, 2))}, OptionError, "sum to 1"),
        ([0, 1, 1], SAID, {"temperature": 0}, OptionError, "temperature=0"),
        ([0, 1, 1], SAID, {"temperature": "fitted"}, OptionError, "or 'fit'"),
        ([0, 1, 1], SAID, {"level": 1.0}, OptionError, "level=1.0"),
    ],
)
def test_bad_input_is_told_in_a_sentence(y, said, options, kind, told):
    with pytest.raises(kind, match=told):
        dqops.label_doubts(y, said, **options)
