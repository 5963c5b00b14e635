"""One doubt, several routes: propagators agree with each other and with enumeration where they overlap."""

from dataclasses import replace
from itertools import product

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier

from dqops.kernels.world_votes import vote_chances
from dqops.models.design import Design
from dqops.models.knn_worlds import KnnWorlds
from dqops.models.resolve import resolve_model
from dqops.propagation.by_bounds import SCORES, Bounds, score_ends
from dqops.propagation.by_counting import Knn
from dqops.propagation.by_influence import Influence
from dqops.propagation.by_retraining import Retrain
from dqops.propagation.linear_head import LinearHead, with_ones
from dqops.results.candidates import Candidates, Doubts
from dqops.results.doubt import Doubt
from dqops.tables.io import read
from dqops.valuers.influence import repair_influence
from dqops.valuers.repair_values import repair_values


def table_of(n_rows, task, seed=0):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n_rows)).round(3)
    y = 2 * x - z + rng.normal(size=n_rows).round(3)
    return read(pl.DataFrame({"x": x, "z": z, "y": y if task == "regression" else (y > 0).astype(int)}), target="y")


def priced(kind, doubts, table, model, n_judged=40, seed=0, **options):
    """Gains on two halves of the judged rows: the rows to train on are the same in both."""
    task = "regression" if table.frame["y"].dtype.is_float() else "classification"
    named = resolve_model(model, task).prepared(table)
    design = Design(task=task, model=named, scoring=options.pop("scoring", "r2" if task == "regression" else "accuracy"))
    train = table.take(np.arange(table.n_rows - n_judged))
    splits = [(replace_split(fold), train, table.take(np.arange(table.n_rows - n_judged + fold, table.n_rows, 2))) for fold in range(2)]
    propagator = kind(**options)
    assert not propagator.refusal(design)
    return propagator.price(doubts, design, splits, np.random.default_rng(seed)), splits


def replace_split(fold):
    from dqops.models.splits import Split

    return Split(np.arange(1), np.arange(1), 0, fold)


def label_doubt(table, rows):
    own = table.frame["y"].gather(rows).to_list()
    return Doubt("labels:y", Candidates((Doubts.of("y", rows, [[one, 1 - one] for one in own], [[0.7, 0.3]] * len(rows), rows=table.row_ids.gather(rows)),)))


def cell_doubt(table, rows, rng, n_candidates=3):
    values = rng.normal(size=(len(rows), n_candidates)).round(3).tolist()
    truth = Candidates((Doubts.of("x", rows, values, rng.dirichlet(np.ones(n_candidates), len(rows)), rows=table.row_ids.gather(rows)),))
    fixed = Candidates((Doubts.of("x", rows, [[one[0]] for one in values], rows=table.row_ids.gather(rows)),))
    return Doubt("missing:x", truth, fixed)


KNN = KNeighborsClassifier(3)


@pytest.mark.parametrize("make", [lambda table, rng: label_doubt(table, [3, 7, 20]), lambda table, rng: cell_doubt(table, [3, 7, 20], rng)])
def test_counting_is_retraining_in_every_world_for_knn(rng, make):
    table = table_of(140, "classification")
    doubt = make(table, rng)
    known, _ = priced(Retrain, [doubt], table, KNN, n_worlds=64)
    told, _ = priced(Knn, [doubt], table, KNN, n_worlds=64)
    sampled, _ = priced(Knn, [doubt], table, KNN, n_worlds=3)
    for arm in ("deployed", "training"):
        assert told.of(doubt.finding, arm).potential.expected == pytest.approx(known.of(doubt.finding, arm).potential.expected, abs=1e-12)
        assert told.of(doubt.finding, arm).repair.expected == pytest.approx(known.of(doubt.finding, arm).repair.expected, abs=1e-12)
        # Few worlds are enough for the mean: it is counted, not sampled.
        assert sampled.of(doubt.finding, arm).potential.expected == pytest.approx(known.of(doubt.finding, arm).potential.expected, abs=1e-12)


def test_a_newton_step_is_retraining_in_every_world_for_ridge(rng):
    table = table_of(100, "regression")
    doubt = cell_doubt(table, [3, 7, 20], rng)
    known, _ = priced(Retrain, [doubt], table, Ridge(2.0), n_worlds=64)
    told, _ = priced(Influence, [doubt], table, Ridge(2.0), n_worlds=64)
    rough, _ = priced(Influence, [doubt], table, Ridge(2.0), n_worlds=64, step="first_order")
    exact, newton, first = (one.of("missing:x", "training").potential.expected for one in (known, told, rough))
    assert newton == pytest.approx(exact, abs=1e-9)
    assert 1e-9 < abs(first - exact) < 0.3 * abs(exact) + 1e-3


def test_a_newton_step_is_nearly_retraining_for_logistic_regression(rng):
    table = table_of(240, "classification")
    doubts = [label_doubt(table, [3, 7, 20]), cell_doubt(table, [30, 31, 32], rng)]
    model = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000)
    known, _ = priced(Retrain, doubts, table, model, n_worlds=64, scoring="neg_log_loss")
    told, _ = priced(Influence, doubts, table, model, n_worlds=64, scoring="neg_log_loss")
    rough, _ = priced(Influence, doubts, table, model, n_worlds=64, scoring="neg_log_loss", step="first_order")
    for doubt in doubts:
        exact, newton, first = (one.of(doubt.finding, "training").potential.expected for one in (known, told, rough))
        assert abs(newton - exact) < 0.1 * abs(exact) + 1e-5
        assert abs(newton - exact) <= abs(first - exact) + 1e-7


def test_one_label_four_routes():
    """Enumeration, soft-label k-NN values, influence, and Monte Carlo over worlds, each for its own model."""
    table = table_of(120, "classification", seed=3)
    doubt = label_doubt(table, [11])
    features, labels = table.frame.select("x", "z").to_numpy(), table.frame["y"].to_numpy()
    X, y, J, truth = features[:80], labels[:80], features[80:], labels[80:]
    # Soft votes of k-NN: the full-table effect of the expected repair is the mean change of the share of right votes.
    soft, wrong = np.eye(2)[y], np.array([[0.7, 0.3] if y[11] == 0 else [0.3, 0.7]])
    effect = repair_values(X, soft, J, truth, labels=wrong, rows=[11], k=3, classes=[0, 1]).effect[0]

    def share_of_right_votes(given):
        model = KNeighborsClassifier(3).fit(X, given)
        return model.predict_proba(J)[np.arange(len(J)), truth].mean()

    other = y.copy()
    other[11] = 1 - other[11]
    assert effect == pytest.approx(0.3 * (share_of_right_votes(other) - share_of_right_votes(y)), abs=1e-12)
    # Influence: log loss after one Newton step against training again, and against the valuer's own step.
    model = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000)
    exact, _ = priced(Retrain, [doubt], table, model, scoring="neg_log_loss")
    told, _ = priced(Influence, [doubt], table, model, scoring="neg_log_loss")
    valued = 0.3 * repair_influence(X, y, J, truth, labels=[other[11]], rows=[11], model=model).value[0]
    newton = told.of("labels:y").potential.expected
    assert newton == pytest.approx(exact.of("labels:y").potential.expected, rel=0.05)
    assert newton == pytest.approx(valued, rel=0.05)
    # Monte Carlo over worlds of the same doubt, with k-NN: within four standard errors of enumeration.
    wide = label_doubt(table, list(range(0, 24, 2)))
    sampled, _ = priced(Retrain, [wide], table, KNN, n_worlds=48)
    counted, _ = priced(Knn, [wide], table, KNN, n_worlds=48)
    one, other = sampled.of("labels:y").potential, counted.of("labels:y").potential
    spread = abs(one.high - one.expected) / 1.645
    assert abs(one.expected - other.expected) < 4 * spread / np.sqrt(48) + 1e-3


def test_knn_accuracy_over_worlds_is_one_number_whatever_counts_it(rng):
    """SortScan, enumeration, the Poisson-binomial, and Monte Carlo."""
    n_rows, k = 30, 3
    X, y, J, truth = rng.normal(size=(n_rows, 2)), rng.integers(2, size=n_rows), rng.normal(size=(25, 2)), rng.integers(2, size=25)
    order = np.argsort(((J[:, None] - X) ** 2).sum(axis=2), axis=1, kind="stable")
    flips = np.zeros(n_rows)
    flips[[2, 5, 9, 14, 20]] = [0.1, 0.4, 0.3, 0.5, 0.2]
    chances = np.where(np.eye(2)[y] == 1, 1 - flips[:, None], flips[:, None])
    counted = vote_chances(chances[order[:, :k]], 10**4)[np.arange(25), truth].mean()

    def accuracy(labels):
        return (labels[order[:, :k]].mean(axis=1) > 0.5).astype(int) == truth

    listed = 0.0
    for flipped in product([False, True], repeat=5):
        given, weight = y.copy(), 1.0
        for row, flip in zip([2, 5, 9, 14, 20], flipped, strict=True):
            weight *= flips[row] if flip else 1 - flips[row]
            given[row] = 1 - given[row] if flip else given[row]
        listed += weight * accuracy(given).mean()
    assert counted == pytest.approx(listed, abs=1e-12)
    drawn = [accuracy(np.where(rng.random(n_rows) < flips, 1 - y, y)).mean() for _ in range(400)]
    assert abs(np.mean(drawn) - counted) < 4 * np.std(drawn) / 20
    # A row whose label is a doubt votes as two rows do that are there or far away: SortScan counts those.
    sizes = np.where(flips > 0, 2, 1)
    far = 1e6 + np.arange(2 * n_rows, dtype=float)
    points, start, weights, labels = [], [0], [], []
    for row in range(n_rows):
        for label in range(2):
            share = chances[row, label]
            places = [(X[row], share), (np.array([far[2 * row + label], 0.0]), 1 - share)]
            held = [(point, one) for point, one in places if one > 0]
            points += [point for point, _ in held]
            weights += [one for _, one in held]
            start.append(len(points))
            labels.append(label)
    assert sizes.sum() == n_rows + 5
    # Doubtful label = two independent half rows: equal in each single vote, so that k = 1 has the same chances where one row is near.
    one = KnnWorlds(np.array(points), np.array(start), np.array(weights), np.array(labels), X[flips == 0] + 1e-9, k=1, n_classes=2)
    np.testing.assert_allclose(one.probabilities[np.arange((flips == 0).sum()), y[flips == 0]], 1.0)


def test_sortscan_is_enumeration_and_monte_carlo_for_cells(rng):
    table = table_of(100, "classification", seed=5)
    doubt = cell_doubt(table, list(range(4)), rng)
    every, _ = priced(Retrain, [doubt], table, KNN, n_worlds=1000)
    counted, _ = priced(Knn, [doubt], table, KNN, n_worlds=2)
    sampled, _ = priced(Knn, [doubt], table, KNN, n_worlds=70)
    exact = every.of("missing:x", "training").potential.expected
    assert counted.of("missing:x", "training").potential.expected == pytest.approx(exact, abs=1e-12)
    assert sampled.of("missing:x", "training").potential.expected == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("scoring", SCORES)
def test_every_world_lies_in_the_bounds(seed, scoring):
    rng = np.random.default_rng(seed)
    table = table_of(90, "regression", seed)
    doubt = cell_doubt(table, sorted(rng.choice(50, 5, replace=False).tolist()), rng)
    bounds, splits = priced(Bounds, [doubt], table, Ridge(1.0), scoring=scoring)
    ends = bounds.of("missing:x", "training").potential
    assert ends.level == 1.0
    assert np.isfinite([ends.low, ends.high]).all()
    model = resolve_model(Ridge(1.0), "regression").prepared(table)
    for _ in range(60):
        gains = []
        for _, train, judged in splits:
            [group] = doubt.truth
            low, high = (np.array([group.values.to_numpy()[a:b].min() if end == 0 else group.values.to_numpy()[a:b].max() for a, b in zip(group.start[:-1], group.start[1:], strict=True)]) for end in (0, 1))
            values = low + (high - low) * rng.choice([0.0, 1.0, rng.random()], len(low))
            world = train.with_columns(train.frame["x"].clone().scatter(group.positions, pl.Series(values)))
            gains.append([model.fit(world, seed=0).score(judged, scoring) - model.fit(train, seed=0).score(judged, scoring)])
        assert ends.low - 1e-9 <= np.mean(gains) <= ends.high + 1e-9


def test_expected_and_sampled_gains_lie_in_the_bounds(rng):
    table = table_of(90, "regression", 7)
    doubt = cell_doubt(table, [1, 5, 9], rng)
    ends = priced(Bounds, [doubt], table, Ridge(1.0), n_worlds=64)[0].of("missing:x", "training").potential
    exact = priced(Retrain, [doubt], table, Ridge(1.0), n_worlds=64)[0].of("missing:x", "training").potential
    assert ends.low <= exact.expected <= ends.high
    assert ends.expected == pytest.approx(exact.expected, abs=1e-6)


def test_ends_of_scores_are_those_of_the_extreme_predictions():
    low, high, truth = np.array([0.0, 1.0]), np.array([1.0, 3.0]), np.array([0.5, 0.0])
    assert score_ends(low, high, truth, "neg_mean_absolute_error") == (-(0.5 + 3.0) / 2, -(0.0 + 1.0) / 2)
    assert score_ends(low, high, truth, "r2") == pytest.approx((1 - (0.25 + 9) / 0.125, 1 - (0.0 + 1.0) / 0.125))


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_the_head_is_scikit_learns_model(rng, n_classes):
    X = rng.normal(size=(200, 4))
    scores = X @ rng.normal(size=(4, max(n_classes, 1)))
    y = scores[:, 0] if n_classes == 0 else scores.argmax(axis=1) if n_classes == 3 else (scores[:, 0] > 0).astype(int)
    y = y + rng.normal(size=200) if n_classes == 0 else np.where(rng.random(200) < 0.2, rng.integers(n_classes, size=200), y)
    head = LinearHead.fitted(X, y, n_classes, 0.7)
    if n_classes == 0:
        np.testing.assert_allclose(head.says(head.theta, X), Ridge(0.7).fit(X, y).predict(X), atol=1e-8)
    else:
        model = LogisticRegression(C=1 / 0.7, tol=1e-10, max_iter=2000).fit(X, y)
        np.testing.assert_allclose(head.says(head.theta, X), model.predict_proba(X), atol=1e-5)


def test_rows_that_leave_leave(rng):
    X, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    head = LinearHead.fitted(X, y, 0, 1.0)
    gone = np.array([3, 8])
    theta = head.replaced(gone, np.zeros(2, dtype=bool), X[gone], y[gone])
    fresh = LinearHead.fitted(np.delete(X, gone, axis=0), np.delete(y, gone), 0, 1.0)
    np.testing.assert_allclose(with_ones(X) @ theta.T, with_ones(X) @ fresh.theta.T, atol=1e-9)


@pytest.mark.parametrize("kind", [Knn, Influence])
def test_rows_one_by_one_are_those_of_a_doubt_of_one_row(rng, kind):
    table = table_of(140, "classification", seed=2)
    whole = replace(cell_doubt(table, [2, 30, 41], rng), apart=True)
    model = KNN if kind is Knn else LogisticRegression()
    told, _ = priced(kind, [whole], table, model)
    assert [one.row for one in told if one.arm == "training"] == [2, 30, 41]
    for place, row in enumerate([2, 30, 41]):
        [group] = whole.truth
        alone = Doubt("missing:x", Candidates((group.select_at([place]),)))
        mine, _ = priced(kind, [alone], table, model)
        gain = next(one for one in told if one.row == row and one.arm == "training")
        assert gain.potential.expected == pytest.approx(mine.of("missing:x", "training").potential.expected, abs=1e-12)
