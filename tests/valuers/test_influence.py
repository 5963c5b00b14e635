"""Influence against models fitted again from nothing."""

import numpy as np
import pytest
from naive.influence import fitted_ridge, fitted_softmax
from scipy import sparse
from scipy.special import log_softmax
from scipy.stats import spearmanr
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

from dqops.valuers.influence import influence, influence_matrix, repair_influence


@pytest.fixture
def numbers(rng):
    X, truth = rng.normal(loc=[0.0, 5.0, -1.0], size=(40, 3)), np.array([1.0, -2.0, 0.5])
    held = rng.normal(size=(25, 3))
    return X, X @ truth + rng.normal(size=40), held, held @ truth + rng.normal(size=25)


@pytest.fixture
def classes(rng):
    def make(n_classes, n_rows=90, width=3):
        truth = rng.normal(size=(width, n_classes))
        rows, held = rng.normal(size=(n_rows, width)), rng.normal(size=(150, width))
        labels = [(part @ truth + rng.gumbel(size=(len(part), n_classes))).argmax(axis=1) for part in (rows, held)]
        return rows, labels[0], held, labels[1]

    return make


def ridge_loss(X, y, held, truth, alpha, weights=None, has_intercept=True):
    slopes, intercept = fitted_ridge(X, y, alpha, np.ones(len(y)) if weights is None else weights, has_intercept)
    return np.mean((held @ slopes + intercept - truth) ** 2)


def softmax_loss(X, y, held, truth, alpha, weights=None):
    n_classes = int(max(y.max(), truth.max())) + 1
    slopes, intercepts = fitted_softmax(X, y, n_classes, alpha, np.ones(len(y)) if weights is None else weights)
    scores = held @ slopes.T + intercepts
    scores = np.column_stack([np.zeros(len(held)), scores]) if n_classes == 2 else scores
    return -np.mean(log_softmax(scores, axis=1)[np.arange(len(held)), truth])


def without(data, row):
    X, y, held, truth = data
    return np.delete(X, row, axis=0), np.delete(y, row), held, truth


@pytest.mark.parametrize("has_intercept", [True, False])
@pytest.mark.parametrize("is_weighted", [True, False])
def test_ridge_without_a_row_is_exact(rng, numbers, has_intercept, is_weighted):
    X, y, held, truth = numbers
    weights = rng.uniform(0.2, 3, size=40) if is_weighted else np.ones(40)
    found = influence(*numbers, model=Ridge(alpha=2.0, fit_intercept=has_intercept), sample_weight=weights if is_weighted else None)
    now = ridge_loss(X, y, held, truth, 2.0, weights, has_intercept)
    exact = [ridge_loss(*without(numbers, row), 2.0, np.delete(weights, row), has_intercept) - now for row in range(40)]
    np.testing.assert_allclose(found.value, exact, rtol=1e-9, atol=1e-12)
    assert found.unit == "squared error"


def test_ridge_with_another_row_in_its_place_is_exact(rng, numbers):
    X, y, held, truth = numbers
    new_X, new_y = X + rng.normal(size=X.shape), y + rng.normal(size=40)
    now = ridge_loss(X, y, held, truth, 1.0)
    for options in ({"features": new_X}, {"labels": new_y}, {"features": new_X, "labels": new_y}):
        found = repair_influence(*numbers, model="ridge", **options).value
        for row in range(0, 40, 7):
            other_X, other_y = X.copy(), y.copy()
            other_X[row] = options.get("features", X)[row]
            other_y[row] = options.get("labels", y)[row]
            assert found[row] == pytest.approx(now - ridge_loss(other_X, other_y, held, truth, 1.0), rel=1e-8, abs=1e-12)


def test_repairs_of_some_rows_come_in_their_order(numbers):
    X, y, *_ = numbers
    some = repair_influence(*numbers, model="ridge", labels=y[[7, 7, 2]] + [1.0, -1.0, 1.0], rows=[7, 7, 2]).value
    every = repair_influence(*numbers, model="ridge", labels=y + 1).value
    np.testing.assert_allclose(some[[0, 2]], every[[7, 2]], rtol=1e-10)
    assert some[1] != some[0]
    assert repair_influence(*numbers, model="ridge", labels=y, features=X).value == pytest.approx(np.zeros(40), abs=1e-13)


@pytest.mark.parametrize("n_groups", [40, 15, 3])
def test_ridge_without_a_group_is_exact(rng, numbers, n_groups):
    # Many small groups are solved among their rows, few large ones among the coefficients.
    X, y, held, truth = numbers
    codes = np.append(np.arange(n_groups), rng.integers(n_groups, size=40 - n_groups))
    found = influence(*numbers, model="ridge", groups=[f"g{code:02d}" for code in codes])
    now = ridge_loss(X, y, held, truth, 1.0)
    exact = [ridge_loss(X[codes != group], y[codes != group], held, truth, 1.0) - now for group in range(n_groups)]
    np.testing.assert_allclose(found.value, exact, rtol=1e-8, atol=1e-12)
    assert found.rows.to_list() == [f"g{group:02d}" for group in range(n_groups)]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_groups_of_one_row_are_rows_and_larger_groups_do_not_add_up(rng, classes, n_classes):
    data = classes(n_classes)
    single = influence(*data).value
    np.testing.assert_allclose(influence(*data, groups=np.arange(90)).value, single, rtol=1e-9)
    X, y, held, truth = (np.concatenate([part] * 2) for part in data)  # each row twice, and its copy leaves with it
    pairs = influence(X, y, held, truth, groups=np.tile(np.arange(90), 2)).value
    exact = [softmax_loss(X[keep], y[keep], held, truth, 1.0) - softmax_loss(X, y, held, truth, 1.0) for keep in (np.tile(np.arange(90), 2) != row for row in range(12))]
    doubled = 2 * influence(X, y, held, truth).value[:12]
    assert np.abs(pairs[:12] - exact).max() < np.abs(doubled - exact).max()


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_classes_without_a_row_are_near_to_fitting_again(classes, n_classes):
    data = classes(n_classes)
    now = softmax_loss(*data, 1.0)
    exact = np.array([softmax_loss(*without(data, row), 1.0) - now for row in range(90)])
    newton, first = influence(*data).value, influence(*data, step="first_order").value
    assert spearmanr(newton, exact)[0] > 0.995
    assert np.abs(newton - exact).max() < 0.15 * np.abs(exact).max()
    assert np.linalg.norm(newton - exact) < 0.5 * np.linalg.norm(first - exact)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_other_labels_are_near_to_fitting_again(classes, n_classes):
    data = classes(n_classes)
    X, y, held, truth = data
    found = influence(*data, change="relabel")
    now = softmax_loss(*data, 1.0)
    assert (found.value[np.arange(90), y] == 0).all()
    rows, exact = np.arange(30), []
    for row in rows:
        other = y.copy()
        other[row] = (y[row] + 1) % n_classes
        exact.append(now - softmax_loss(X, other, held, truth, 1.0))
    assert np.corrcoef(found.value[rows, (y[rows] + 1) % n_classes], exact)[0, 1] > 0.995
    named = found.best()[0]
    replaced = repair_influence(*data, labels=named)
    np.testing.assert_allclose(replaced.value, found.best()[1], rtol=1e-9)
    np.testing.assert_allclose(found.valuation().value, -replaced.value, rtol=1e-9)


def test_labels_that_change_their_weight_bend_the_objective(classes):
    data = classes(3)
    X, y, held, truth = data
    heavy = np.array([1.0, 4.0, 0.5])
    model = LogisticRegression(class_weight=dict(enumerate(heavy)))
    found = influence(*data, model=model, change="relabel").value
    now, exact = softmax_loss(*data, 1.0, heavy[y]), []
    for row in range(30):
        other = y.copy()
        other[row] = (y[row] + 1) % 3
        exact.append(now - softmax_loss(X, other, held, truth, 1.0, heavy[other]))
    assert np.corrcoef(found[np.arange(30), (y[:30] + 1) % 3], exact)[0, 1] > 0.98
    removed = influence(*data, model=model).value
    exact = [softmax_loss(*without(data, row), 1.0, np.delete(heavy[y], row)) - now for row in range(30)]
    assert np.corrcoef(removed[:30], exact)[0, 1] > 0.998


@pytest.mark.parametrize("n_classes", [2, 3])
def test_cells_are_derivatives(classes, n_classes):
    data = classes(n_classes)
    cells = influence(*data, change="cell")
    matrix, small = cells.matrix(), 1e-4
    for row, column in ((0, 0), (11, 2), (40, 1)):
        ends = []
        for sign in (1, -1):
            moved = data[0].copy()
            moved[row, column] += sign * small
            ends.append(-softmax_loss(moved, *data[1:], 1.0))
        assert matrix[row, column] == pytest.approx((ends[0] - ends[1]) / (2 * small), rel=1e-3, abs=1e-7)
        assert cells.slopes([row], [column])[0] == pytest.approx(matrix[row, column])
        assert cells.gains([row], [column], [0.1])[0] == pytest.approx(0.1 * matrix[row, column])


def test_cells_of_ridge_are_derivatives_to_many_digits(rng, numbers):
    X, y, held, truth = numbers
    weights = rng.uniform(0.5, 2, size=40)
    cells = influence(*numbers, model="ridge", change="cell", sample_weight=weights)
    small = 1e-4
    for row, column in ((0, 0), (11, 2), (39, 1)):
        move = np.zeros_like(X)
        move[row, column] = small
        slope = (ridge_loss(X - move, y, held, truth, 1.0, weights) - ridge_loss(X + move, y, held, truth, 1.0, weights)) / (2 * small)
        assert cells.matrix()[row, column] == pytest.approx(slope, rel=1e-6, abs=1e-9)
        bump = np.zeros(40)
        bump[row] = 0.1  # the loss is a parabola in the target: no step is too large
        slope = (ridge_loss(X, y - bump, held, truth, 1.0, weights) - ridge_loss(X, y + bump, held, truth, 1.0, weights)) / 0.2
        assert cells.label_slope[row] == pytest.approx(slope, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_first_order_values_add_up_to_the_pull_of_the_penalty(rng, n_classes):
    # At the optimum the rows' gradients add up to minus the penalty's: all first-order values together undo it.
    X = rng.normal(size=(20_000, 12))
    y = (X @ rng.normal(size=(12, n_classes)) + rng.gumbel(size=(20_000, n_classes))).argmax(axis=1)
    model = LogisticRegression(C=0.01).fit(X, y)
    values = influence(X, y, X[:500], y[:500], model=model, step="first_order").value
    tight = LogisticRegression(C=0.01, solver="newton-cholesky", tol=1e-10).fit(X, y)
    small = 1e-5
    # The penalty's own influence: what the loss does when it is made slightly weaker, with the rows left as they are.
    losses = []
    for strength in (100 * (1 + small), 100 * (1 - small)):
        other = LogisticRegression(C=1 / strength, solver="newton-cholesky", tol=1e-12).fit(X, y)
        held = other.predict_proba(X[:500])
        losses.append(-np.mean(np.log(held[np.arange(500), y[:500]])))
    assert tight.n_iter_[0] < 20
    assert values.sum() == pytest.approx((losses[0] - losses[1]) / (2 * small), rel=1e-3)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("step", ["newton", "first_order"])
def test_the_matrix_holds_the_parts_of_the_values(classes, n_classes, step):
    data = classes(n_classes)
    matrix = influence_matrix(*data, step=step)
    assert matrix.shape == (150, 90)
    np.testing.assert_allclose(matrix.mean(axis=0), influence(*data, step=step).value, rtol=1e-8, atol=1e-13)


def test_a_column_of_the_matrix_is_exact_for_ridge(numbers):
    X, y, held, truth = numbers
    matrix = influence_matrix(*numbers, model="ridge")
    slopes, intercept = fitted_ridge(X, y, 1.0, np.ones(40), True)
    other, shift = fitted_ridge(X[1:], y[1:], 1.0, np.ones(39), True)
    exact = (held @ other + shift - truth) ** 2 - (held @ slopes + intercept - truth) ** 2
    np.testing.assert_allclose(matrix[:, 0], exact, rtol=1e-8, atol=1e-12)


def test_a_loss_may_be_written_by_the_user(classes, numbers):
    def likelihood(scores, labels):
        scores = np.column_stack([np.zeros(len(scores)), scores]) if scores.ndim == 1 else scores
        return log_softmax(scores, axis=1)[np.arange(len(labels)), labels]

    for n_classes in (2, 3):
        data = classes(n_classes)
        own = influence(*data, target=likelihood, step="first_order")
        np.testing.assert_allclose(own.value, influence(*data, step="first_order").value, rtol=1e-6, atol=1e-9)
        assert own.unit == "likelihood"
    own = influence(*numbers, model="ridge", step="first_order", target=lambda scores, truth: -((scores - truth) ** 2))
    np.testing.assert_allclose(own.value, influence(*numbers, model="ridge", step="first_order").value, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", [np.float32, np.int64, sparse.csr_matrix, sparse.csc_array, list])
def test_features_of_any_kind_give_the_same(rng, kind):
    X, held = rng.integers(-3, 4, size=(60, 4)), rng.integers(-3, 4, size=(30, 4))
    y, truth = (X.sum(axis=1) + rng.normal(size=60) > 0).astype(int), (held.sum(axis=1) > 0).astype(int)
    plain = influence(X.astype(float), y, held.astype(float), truth).value
    turned = (X.tolist(), held.tolist()) if kind is list else (X.astype(kind), held.astype(kind)) if isinstance(kind, type) and issubclass(kind, np.number) else (kind(X.astype(float)), kind(held.astype(float)))
    np.testing.assert_allclose(influence(turned[0], y, turned[1], truth).value, plain, rtol=1e-6)


def test_rows_may_come_in_any_order_and_far_from_zero(rng, classes):
    X, y, held, truth = classes(3)
    order = rng.permutation(90)
    plain = influence(X, y, held, truth).value
    np.testing.assert_allclose(influence(X[order], y[order], held, truth).value, plain[order], rtol=1e-8)
    np.testing.assert_allclose(influence(X + 1e6, y, held + 1e6, truth).value, plain, rtol=1e-6, atol=1e-9)


def test_equal_rows_are_worth_the_same_and_weightless_ones_nothing(classes):
    X, y, held, truth = classes(2)
    X, y = np.vstack([X, X[:5]]), np.append(y, y[:5])
    value = influence(X, y, held, truth).value
    np.testing.assert_allclose(value[:5], value[-5:], rtol=1e-9)
    weights = np.ones(95)
    weights[3] = 0.0
    value = influence(X, y, held, truth, sample_weight=weights).value
    assert value[3] == 0
    keep = weights > 0
    np.testing.assert_allclose(value[keep], influence(X[keep], y[keep], held, truth).value, rtol=1e-6)


def test_constant_and_repeated_columns_change_nothing_without_a_penalty(numbers):
    X, y, held, truth = numbers
    wider = [np.column_stack([part, np.full(len(part), 3.0), part[:, 0]]) for part in (X, held)]
    for model in (LinearRegression(), Ridge(alpha=0.0)):
        plain, found = influence(*numbers, model=model), influence(wider[0], y, wider[1], truth, model=model)
        np.testing.assert_allclose(found.value, plain.value, rtol=1e-6)
        assert "held by nothing" in found.why
        assert plain.why == ""


def test_a_row_that_alone_holds_a_direction_has_no_value(numbers):
    X, y, held, truth = numbers
    alone = np.zeros(40)
    alone[7] = 1.0
    found = influence(np.column_stack([X, alone]), y, np.column_stack([held, np.zeros(25)]), truth, model=LinearRegression())
    assert np.flatnonzero(np.isnan(found.value)).tolist() == [7]
    assert np.isnan(influence(np.column_stack([X, alone]), y, np.column_stack([held, np.zeros(25)]), truth, model=LinearRegression(), groups=np.arange(40) // 10).value).tolist() == [True, False, False, False]


def test_many_rows_are_sketched_within_the_bound_that_is_told(rng):
    X, held = rng.normal(size=(3000, 4)), rng.normal(size=(400, 4))
    X[:5] *= 30  # rows of high leverage
    y, truth = (part @ [1.0, -1.0, 0.3, 0.0] + rng.logistic(size=len(part)) > 0 for part in (X, held))
    model = LogisticRegression(C=2.0)
    found, exact = influence(X, y, held, truth, model=model), influence(X, y, held, truth, model=model, step="newton")
    off = np.abs(found.value - exact.value)
    assert 0 < found.error_bound < 0.05 * np.abs(exact.value).max()
    assert off.max() <= found.error_bound
    assert off[:5].max() < 0.02 * np.abs(exact.value[:5]).max()
    first = influence(X, y, held, truth, model=model, step="first_order").value
    assert np.abs(first - exact.value)[:5].max() > off[:5].max()
    np.testing.assert_array_equal(influence(X, y, held, truth, model=model).value, found.value)
    assert exact.error_bound == 0
    few = influence(X[:500], y[:500], held, truth, model=model)
    assert few.error_bound == 0
    np.testing.assert_array_equal(few.value, influence(X[:500], y[:500], held, truth, model=model, step="newton").value)
