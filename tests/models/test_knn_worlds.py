"""k-NN over all worlds against enumeration, before and after rows are cleaned."""

from itertools import product

import numpy as np
import pytest

from dqops.errors import DataError, OptionError
from dqops.models.knn_worlds import KnnWorlds, entropies, mass_for


def problem(rng, n_rows=5, n_tests=4, n_classes=2, most=3, whole=True, n_columns=2):
    """Candidates of each row with weights; whole numbers, so that distances tie."""
    draw = (lambda *shape: rng.integers(-2, 3, shape).astype(float)) if whole else (lambda *shape: rng.normal(size=shape))
    rows = [draw(rng.integers(1, most + 1), n_columns) for _ in range(n_rows)]
    weights = [rng.dirichlet(np.ones(len(row))) for row in rows]
    return rows, weights, rng.integers(n_classes, size=n_rows), draw(n_tests, n_columns)


def state(rows, weights, labels, tests, **settings):
    start = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return KnnWorlds(np.concatenate(rows), start, np.concatenate(weights), labels, tests, **settings)


def enumerated(rows, weights, labels, tests, k, n_classes):
    """Probabilities of each prediction, world by world."""
    told = np.zeros((len(tests), n_classes))
    for world in product(*(range(len(row)) for row in rows)):
        chance = np.prod([weight[one] for weight, one in zip(weights, world, strict=True)])
        table = np.array([row[one] for row, one in zip(rows, world, strict=True)])
        for number, test in enumerate(tests):
            near = np.argsort(((table - test) ** 2).sum(axis=1), kind="stable")[:k]
            told[number, np.bincount(labels[near], minlength=n_classes).argmax()] += chance
    return told


@pytest.mark.parametrize("seed", range(30))
def test_probabilities_are_those_of_all_worlds(seed):
    rng = np.random.default_rng(seed)
    n_classes, k = int(rng.integers(1, 5)), int(rng.integers(1, 8))
    rows, weights, labels, tests = problem(rng, n_classes=n_classes, whole=bool(seed % 3))
    told = state(rows, weights, labels, tests, k=k, n_classes=n_classes)
    expected = enumerated(rows, weights, labels, tests, k, n_classes)
    np.testing.assert_allclose(told.probabilities, expected, atol=1e-12)
    assert np.array_equal(told.possible, expected > 1e-12)
    assert np.array_equal(told.certain, (expected > 1e-12).sum(axis=1) == 1)
    labels_of_tests = rng.integers(-1, n_classes, len(tests))
    low, mean, high = told.accuracy(labels_of_tests)
    right = [line[label] if label >= 0 else 0.0 for line, label in zip(expected, labels_of_tests, strict=True)]
    assert (low, mean, high) == pytest.approx((np.mean([one > 1 - 1e-12 for one in right]), np.mean(right), np.mean([one > 1e-12 for one in right])))


@pytest.mark.parametrize("seed", range(12))
def test_cleaning_rows_one_by_one_is_the_same_as_counting_anew(seed):
    rng = np.random.default_rng(seed)
    n_classes, k = int(rng.integers(2, 4)), int(rng.integers(1, 4))
    rows, weights, labels, tests = problem(rng, n_rows=7, n_classes=n_classes, whole=bool(seed % 2), n_tests=6)
    told = state(rows, weights, labels, tests, k=k, n_classes=n_classes)
    for step, row in enumerate(rng.permutation(7)):
        foreign = step % 2 == 1
        value = rng.integers(-2, 3, 2).astype(float) * (5 if step == 3 else 1) if foreign else rows[row][rng.integers(len(rows[row]))]
        told.update(int(row), value)
        rows[row], weights[row] = value[None], np.ones(1)
        anew = state(rows, weights, labels, tests, k=k, n_classes=n_classes)
        np.testing.assert_allclose(told.probabilities, anew.probabilities, atol=1e-12)
        assert np.array_equal(told.possible, anew.possible)
        np.testing.assert_allclose(told.expected_entropy(), anew.expected_entropy(), atol=1e-12)
    assert told.certain.all()


@pytest.mark.parametrize("seed", range(40))
def test_values_that_nobody_thought_of_are_taken_in(seed):
    rng = np.random.default_rng(seed)
    n_classes, k = int(rng.integers(2, 5)), int(rng.integers(1, 5))
    rows, weights, labels, tests = problem(rng, n_rows=6, n_classes=n_classes, whole=False, n_tests=8)
    told = state(rows, weights, labels, tests, k=k, n_classes=n_classes)
    for row in rng.permutation(6)[:4]:
        value = rng.normal(size=2) * rng.choice([0.3, 1.0, 3.0])
        told.update(int(row), value)
        rows[row], weights[row] = value[None], np.ones(1)
        expected = enumerated(rows, weights, labels, tests, k, n_classes)
        np.testing.assert_allclose(told.probabilities, expected, atol=1e-12)
        assert np.array_equal(told.possible, expected > 1e-12)


@pytest.mark.parametrize("foreign", [True, False])
def test_lists_that_are_cut_off_stay_exact(rng, foreign):
    # A rare class far away: whether it is possible at all is decided beyond the lists, by worlds without weight.
    rows = [rng.normal(size=(8, 2)) for _ in range(300)]
    rows += [10 + rng.normal(size=(2, 2)) for _ in range(4)]
    rows[0], rows[1] = np.array([[0.1, 0.0], [30.0, 0.0]]), np.array([[0.0, 0.1], [0.0, 30.0]])
    weights = [np.full(len(row), 1 / len(row)) for row in rows]
    labels = np.concatenate([rng.integers(2, size=300), np.full(4, 2)])
    tests = rng.normal(size=(12, 2))
    told = state(rows, weights, labels, tests, k=3, n_classes=3)
    assert told._wide.any()
    for step in range(60):
        row = int(rng.integers(304))
        value = rng.normal(size=2) * 4 if foreign else rows[row][-1]
        told.update(row, value)
        rows[row], weights[row] = value[None], np.ones(1)
        if step % 10 == 9:
            anew = state(rows, weights, labels, tests, k=3, n_classes=3)
            np.testing.assert_allclose(told.probabilities, anew.probabilities, atol=1e-12)
            assert np.array_equal(told.possible, anew.possible)


@pytest.mark.parametrize("seed", range(12))
def test_what_if_a_row_were_a_candidate(seed):
    rng = np.random.default_rng(seed)
    n_classes, k = int(rng.integers(2, 4)), int(rng.integers(1, 5))
    rows, weights, labels, tests = problem(rng, n_classes=n_classes, whole=bool(seed % 2))
    told = state(rows, weights, labels, tests, k=k, n_classes=n_classes)
    expected_entropy = told.expected_entropy()
    gains = told.entropy().mean() - expected_entropy
    for row in range(len(rows)):
        known = told.conditional(row)
        np.testing.assert_allclose(np.tensordot(weights[row], known, 1), told.probabilities, atol=1e-12)
        for one in range(len(rows[row])):
            only = [*rows[:row], rows[row][one][None], *rows[row + 1 :]]
            sure = [*weights[:row], np.ones(1), *weights[row + 1 :]]
            np.testing.assert_allclose(known[one], enumerated(only, sure, labels, tests, k, n_classes), atol=1e-12)
        mean = sum(weight * entropies(known[one]).mean() for one, weight in enumerate(weights[row]))
        assert expected_entropy[row] == pytest.approx(mean, abs=1e-12)
    assert (gains >= -1e-12).all()
    assert (gains <= told.most_gain() + 1e-12).all()


def large(rng, n_rows=400, most=10, n_classes=3, spread=1.0, n_tests=40):
    centres = rng.normal(size=(n_rows, 4))
    rows = [centre + spread * rng.normal(size=(rng.integers(1, most + 1), 4)) for centre in centres]
    return rows, [rng.dirichlet(np.ones(len(row))) for row in rows], rng.integers(n_classes, size=n_rows), rng.normal(size=(n_tests, 4))


@pytest.mark.parametrize("spread", [0.1, 5.0])
def test_many_rows_agree_with_sampled_worlds(rng, spread):
    rows, weights, labels, tests = large(rng, spread=spread)
    told = state(rows, weights, labels, tests, k=5, n_classes=3)
    np.testing.assert_allclose(told.probabilities.sum(axis=1), 1, atol=1e-12)
    seen, n_worlds = np.zeros((len(tests), 3)), 400
    for _ in range(n_worlds):
        world = np.array([row[rng.choice(len(row), p=weight)] for row, weight in zip(rows, weights, strict=True)])
        near = np.argsort(((world[None] - tests[:, None]) ** 2).sum(axis=2), axis=1, kind="stable")[:, :5]
        votes = (labels[near][:, :, None] == np.arange(3)).sum(axis=1)
        seen[np.arange(len(tests)), votes.argmax(axis=1)] += 1 / n_worlds
    error = np.sqrt(told.probabilities * (1 - told.probabilities) / n_worlds)
    assert (np.abs(seen - told.probabilities) <= 4 * error + 1e-9).all()
    assert not (seen > 0)[~told.possible].any()


def test_many_rows_keep_what_must_hold(rng):
    rows, weights, labels, tests = large(rng, spread=3.0)
    told = state(rows, weights, labels, tests, k=3, n_classes=3)
    split = [np.repeat(row, 2, axis=0) for row in rows], [np.repeat(weight / 2, 2) for weight in weights]
    np.testing.assert_allclose(state(*split, labels, tests, k=3, n_classes=3).probabilities, told.probabilities, atol=1e-12)
    row = int(np.argmin(told.expected_entropy()))
    np.testing.assert_allclose(np.tensordot(weights[row], told.conditional(row), 1), told.probabilities, atol=1e-12)
    before = told.entropy().mean()
    for _ in range(20):
        row = int(np.argmin(told.expected_entropy()))
        told.update(row, rows[row][0])
        rows[row], weights[row] = rows[row][:1], np.ones(1)
    anew = state(rows, weights, labels, tests, k=3, n_classes=3)
    np.testing.assert_allclose(told.probabilities, anew.probabilities, atol=1e-12)
    np.testing.assert_allclose(told.expected_entropy(), anew.expected_entropy(), atol=1e-12)
    assert told.entropy().mean() < before


def test_rows_that_are_far_in_every_world_change_nothing(rng):
    rows, weights, labels, tests = problem(rng, n_rows=6, whole=False)
    far = [100 + rng.normal(size=(4, 2)) for _ in range(5)]
    near = state(rows, weights, labels, tests, k=3)
    both = state([*rows, *far], [*weights, *[np.full(4, 0.25)] * 5], np.concatenate([labels, rng.integers(2, size=5)]), tests, k=3)
    np.testing.assert_allclose(both.probabilities, near.probabilities, atol=1e-14)
    assert both.update(7, far[1][0]) == 0
    assert both.expected_entropy()[6:] == pytest.approx(both.entropy().mean())


def test_the_cosine_compares_directions():
    rows = [np.array([[1.0, 0.0]]), np.array([[0.0, 100.0], [5.0, 0.1]])]
    told = state(rows, [np.ones(1), np.full(2, 0.5)], np.array([0, 1]), np.array([[0.1, 3.0], [2.0, 0.04]]), k=1, metric="cosine")
    assert told.probabilities.tolist() == [[0.0, 1.0], [0.5, 0.5]]
    with pytest.raises(DataError, match="zeros only"):
        state(rows, [np.ones(1), np.full(2, 0.5)], np.array([0, 1]), np.zeros((1, 2)), metric="cosine")


def test_large_and_tiny_numbers_are_compared_alike(rng):
    rows, weights, labels, tests = problem(rng, whole=False)
    plain = state(rows, weights, labels, tests, k=3)
    for scale in (1e-250, 1e250):
        scaled = state([row * scale for row in rows], weights, labels, tests * scale, k=3)
        np.testing.assert_allclose(scaled.probabilities, plain.probabilities, atol=1e-12)
    shifted = state([row * 1e-3 + 1e6 for row in rows], weights, labels, tests * 1e-3 + 1e6, k=3)
    np.testing.assert_allclose(shifted.probabilities, plain.probabilities, atol=1e-12)


def test_mass_is_enough_for_rows_of_any_sort(rng):
    for k in (1, 3, 11):
        mass = mass_for(k, 1e-6)
        shares = rng.uniform(0, 1, 400)
        shares = shares[: int(np.searchsorted(np.cumsum(shares), mass)) + 1]
        counts = (rng.random((20_000, len(shares))) < shares).sum(axis=1)
        assert (counts < k).mean() < 1e-4
        assert mass_for(k, 1e-17) > mass


@pytest.mark.parametrize("k", [0, -1, 2.5, True])
def test_k_is_a_number_of_neighbours(rng, k):
    with pytest.raises(OptionError, match="k="):
        state(*problem(rng), k=k)


def test_what_cannot_be_compared_is_refused(rng):
    rows, weights, labels, tests = problem(rng)
    with pytest.raises(OptionError, match="metric='manhatten'"):
        state(rows, weights, labels, tests, metric="manhatten")
    with pytest.raises(DataError, match="other rows 3"):
        state(rows, weights, labels, np.zeros((1, 3)))
    with pytest.raises(DataError, match="NaN"):
        state(rows, weights, labels, np.array([[np.nan, 1.0]]))
    told = state(rows, weights, labels, tests)
    with pytest.raises(OptionError, match="row=9"):
        told.update(9, [0.0, 0.0])
    with pytest.raises(DataError, match="NaN"):
        told.update(0, [np.nan, 0.0])
    with pytest.raises(DataError, match="2 columns and other rows 3"):
        told.update(0, [0.0, 0.0, 0.0])


@pytest.mark.parametrize("seed", range(6))
def test_many_equal_rows_are_all_seen_though_screening_rounds(seed):
    # More rows at one distance than a list needs: their distance in single precision must not cut them off.
    rng = np.random.default_rng(seed)
    few, labels = rng.normal(size=(4, 18)), np.arange(800) % 2
    rows, tests = few[np.arange(800) // 200], few[rng.integers(4, size=60)] + 0.3 * rng.normal(size=(60, 18))
    told = KnnWorlds(rows, np.arange(801), np.ones(800), labels, tests, k=3)
    assert told.certain.all()
    assert (told.probabilities[:, 0] == 1).all()  # the first three rows at any place vote 0, 1, 0


@pytest.mark.parametrize("seed", range(8))
def test_a_true_label_that_was_recorded_wrongly_is_taken_in(seed):
    rng = np.random.default_rng(seed)
    n_classes, k = int(rng.integers(2, 4)), int(rng.integers(1, 4))
    rows, weights, labels, tests = problem(rng, n_rows=7, n_classes=n_classes, whole=bool(seed % 2), n_tests=6)
    told = state(rows, weights, labels, tests, k=k, n_classes=n_classes)
    before = labels.copy()
    for row in rng.permutation(7)[:5]:
        rows[row], weights[row], labels[row] = rows[row][:1], np.ones(1), (labels[row] + 1) % n_classes
        told.update(int(row), rows[row][0], int(labels[row]))
        expected = enumerated(rows, weights, labels, tests, min(k, 7), n_classes)
        np.testing.assert_allclose(told.probabilities, expected, atol=1e-12)
        assert np.array_equal(told.possible, expected > 1e-12)
    assert (before != labels).any()
    with pytest.raises(OptionError, match="label"):
        told.update(0, rows[0][0], n_classes)


@pytest.mark.parametrize("seed", range(12))
def test_rows_may_be_told_again_and_move_away_after_lists_were_cut(seed):
    rng = np.random.default_rng([9, seed])
    n_classes, k = int(rng.integers(2, 4)), int(rng.integers(1, 4))
    rows, weights, labels, tests = problem(rng, n_rows=7, n_classes=n_classes, whole=bool(seed % 2), n_tests=5)
    told = state(rows, weights, labels, tests, k=k, n_classes=n_classes)
    for row in rng.integers(7, size=20).tolist():
        value = rng.choice([0.3, 3.0, 30.0]) * rng.normal(size=2).round(1)
        told.update(row, value)
        rows[row], weights[row] = value[None], np.ones(1)
        expected = enumerated(rows, weights, labels, tests, min(k, 7), n_classes)
        np.testing.assert_allclose(told.probabilities, expected, atol=1e-12)
        assert np.array_equal(told.possible, expected > 1e-12)
