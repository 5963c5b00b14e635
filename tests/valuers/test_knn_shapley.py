"""KNN-Shapley of arrays: the order by definition, ties, forms that must agree, and input that cannot be."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import parallel_config
from naive.distances import row_distances
from naive.shapley import average_gain, vote_worth
from scipy import sparse

from dqops.errors import DataError, OptionError, UnknownNameError
from dqops.valuers.knn_shapley import knn_shapley
from dqops.valuers.nearest import nearest_of
from dqops.valuers.neighbours import METRICS, Neighbours, neighbours_of

N, WIDE, NARROW = 400, 24, 5


def orders_by_definition(X, points, metric):
    """Each point's rows by their distance, summed up column by column, ties by row."""
    X, points = X.astype(np.float64), points.astype(np.float64)
    if metric == "cosine":
        X, points = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (X, points))
    distances = np.empty((len(points), len(X)))
    row_distances(X, points, METRICS[metric], distances)
    return np.argsort(distances, axis=1, kind="stable")


def values_by_definition(orders, utility, k):
    """Mean and standard error over holdout rows, from the recursion written out."""
    m, n = orders.shape
    ranks = np.arange(1, n + 1)
    weights = np.minimum(k, ranks) / (ranks * k)
    near = np.take_along_axis(utility, orders, axis=1)
    steps = near * weights
    steps[:, :-1] -= near[:, 1:] * weights[:-1]
    values = np.empty((m, n))
    np.put_along_axis(values, orders, np.cumsum(steps[:, ::-1], axis=1)[:, ::-1], axis=1)
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(m)


@pytest.fixture
def made(rng):
    """Rows, labels, holdout rows and labels."""

    def make(d=WIDE, n=N, n_holdout=17, n_classes=3):
        X, held = rng.normal(size=(n, d)), rng.normal(size=(n_holdout, d))
        return X, rng.integers(0, n_classes, n), held, rng.integers(0, n_classes, n_holdout)

    return make


@pytest.mark.parametrize("metric", list(METRICS))
@pytest.mark.parametrize("d", [NARROW, WIDE])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_are_those_of_the_definition(made, metric, d, dtype):
    X, y, held, answers = made(d)
    X, held = X.astype(dtype), held.astype(dtype)
    if metric == "cosine":  # the reference takes lengths in its own way, which moves last bits only
        assert np.array_equal([one.copy() for one in neighbours_of(X, held, metric).orders(np.arange(17))], orders_by_definition(X, held, metric))
    found = knn_shapley(X, y, held, answers, k=4, metric=metric)
    value, stderr = values_by_definition(orders_by_definition(X, held, metric), (y == answers[:, None]).astype(float), 4)
    np.testing.assert_allclose(found.value, value, atol=1e-14)
    np.testing.assert_allclose(found.stderr, stderr, atol=1e-9)
    assert (found.method, found.unit, found.error_bound, found.rows) == ("knn_shapley", "accuracy", 0.0, None)


def test_values_add_up_to_the_share_of_right_neighbours(made):
    X, y, held, answers = made(n=1500)
    right = [(y[order[:5]] == answer).mean() for order, answer in zip(orders_by_definition(X, held, "euclidean"), answers, strict=True)]
    assert knn_shapley(X, y, held, answers).value.sum() == pytest.approx(np.mean(right), abs=1e-12)


def test_values_of_a_permuted_table_are_permuted(rng, made):
    X, y, held, answers = made()
    shuffle = rng.permutation(N)
    straight, shuffled = knn_shapley(X, y, held, answers), knn_shapley(X[shuffle], y[shuffle], held, answers)
    np.testing.assert_allclose(shuffled.value, straight.value[shuffle], atol=1e-15)


@pytest.mark.parametrize("max_error", [0.0, 0.02])
def test_values_do_not_depend_on_workers_or_tiles(made, monkeypatch, max_error):
    given = made(n=1500, n_holdout=300)
    one = knn_shapley(*given, max_error=max_error)
    three = knn_shapley(*given, max_error=max_error, n_jobs=3)
    monkeypatch.setattr("dqops.valuers.holdout_parts.TILE_BYTES", 50_000)
    small = knn_shapley(*given, max_error=max_error)
    for other in (three, small):
        assert other.value.tobytes() == one.value.tobytes()
        assert other.stderr.tobytes() == one.stderr.tobytes()


def test_work_travels_to_other_processes(made):
    X, y, held, answers = made(n=300, n_holdout=60)
    with parallel_config(backend="multiprocessing"):
        away = knn_shapley(X, y, held, answers, n_jobs=2)
    assert away.value.tobytes() == knn_shapley(X, y, held, answers).value.tobytes()


HARD = {
    "duplicated rows": lambda X, rng: X[rng.integers(0, 60, len(X))],
    "zeros and ones": lambda X, rng: (X > 0.8).astype(float),
    "scaled zeros and ones": lambda X, rng: (X > 0.8) * rng.random(X.shape[1]) + 0.1,
    "last bits": lambda X, rng: np.nextafter(X[rng.integers(0, 20, len(X))], np.where(rng.random(X.shape) < 0.5, -9, 9)),
    "far from the origin": lambda X, rng: X + 1e7,
    "outliers": lambda X, rng: np.where(rng.random(X.shape) < 0.002, 1e9, X),
    "huge": lambda X, rng: X * 1e200,
    "tiny": lambda X, rng: X * 1e-200,
    "constant columns": lambda X, rng: np.where(np.arange(X.shape[1]) % 2, X, 3.3),
    "all the same": lambda X, rng: np.full(X.shape, 0.1),
    "one column matters": lambda X, rng: X * 10.0 ** -np.arange(X.shape[1]),
}


@pytest.mark.parametrize("kind", list(HARD))
@pytest.mark.parametrize("d", [NARROW, WIDE])
def test_near_ties_are_settled_by_the_definition(rng, made, kind, d):
    X, _, held, _ = made(d)
    X, held = np.split(HARD[kind](np.vstack([X, held]), rng), [len(X)])
    by_definition = orders_by_definition(X / X.max(), held / X.max(), "euclidean") if kind in ("huge", "tiny") else None
    if kind == "constant columns":
        by_definition = orders_by_definition(X[:, 1::2], held[:, 1::2], "euclidean")
    for by_sums, is_fine in product((True, False, None), (True, False)):
        near = replace(neighbours_of(X, held, by_sums=by_sums), is_fine=is_fine)
        if by_definition is None:
            by_definition = orders_by_definition(X, held, "euclidean")
        found = np.array([order.copy() for order in near.orders(np.arange(len(held)))])
        if kind in ("huge", "tiny"):  # dividing by the largest number moves last bits
            np.testing.assert_array_equal(found[:, :50], by_definition[:, :50])
        else:
            np.testing.assert_array_equal(found, by_definition)
        np.testing.assert_array_equal(nearest_of(near).find(0, len(held), 30), found[:, :30])


def test_many_rows_are_sorted_by_few_bits_where_these_tell_them_apart(rng):
    X, held = rng.normal(size=(1 << 15, NARROW)), rng.normal(size=(64, NARROW))
    assert not neighbours_of(X, held).is_fine
    assert neighbours_of(X[:1000], held).is_fine
    assert neighbours_of(X[rng.integers(0, 300, len(X))], held).is_fine


@pytest.mark.parametrize("metric", list(METRICS))
@pytest.mark.parametrize("count", [1, 7, 300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_nearest_are_the_first_of_the_order(made, monkeypatch, metric, count, dtype):
    X, _, held, _ = made(n=2500)
    near = neighbours_of(X.astype(dtype), held.astype(dtype), metric)
    wanted = [order[:count].copy() for order in near.orders(np.arange(3, 15))]
    monkeypatch.setattr(Neighbours, "orders", lambda near, places, scratch: iter([None] * len(places)))  # no whole orders
    np.testing.assert_array_equal(nearest_of(near).find(3, 15, count), wanted)


def test_rows_sorted_from_far_to_near_are_found_too(rng):
    X = np.sort(rng.normal(size=(6000, 3)) ** 2, axis=0)[::-1].copy()
    near = neighbours_of(X, np.zeros((2, 3)))
    np.testing.assert_array_equal(nearest_of(near).find(0, 2, 20), [order[:20].copy() for order in near.orders([0, 1])])


def test_data_that_products_cannot_order_are_summed_up(rng):
    assert not neighbours_of(rng.normal(size=(500, WIDE)), np.zeros((3, WIDE))).by_sums
    assert neighbours_of(rng.integers(0, 2, size=(500, WIDE)).astype(float), np.zeros((3, WIDE))).by_sums
    assert neighbours_of(rng.normal(size=(500, NARROW)), np.zeros((3, NARROW))).by_sums


@pytest.mark.parametrize("metric", list(METRICS))
@pytest.mark.parametrize("max_error", [0.1, 0.02, 0.004])
def test_the_truncated_form_keeps_its_bound(made, metric, max_error):
    given = made(n=3000)
    exact, truncated = knn_shapley(*given, metric=metric, k=3), knn_shapley(*given, metric=metric, k=3, max_error=max_error)
    assert 0 < truncated.error_bound <= max_error
    assert np.abs(truncated.value - exact.value).max() <= truncated.error_bound


def test_the_truncated_form_is_off_by_one_amount_among_the_nearest(made):
    X, y, held, answers = made(n=3000, n_holdout=1)
    exact, truncated = (knn_shapley(X, y, held, answers, max_error=max_error).value for max_error in (0, 0.01))
    kept = orders_by_definition(X, held, "euclidean")[0, :100]
    off = (truncated - exact)[kept]
    np.testing.assert_allclose(off, off[0], atol=1e-13)
    assert not truncated[np.setdiff1d(np.arange(3000), kept)].any()


@pytest.mark.parametrize("max_error", [1e-9, 0.01])
def test_few_rows_are_valued_exactly_whatever_the_error(made, max_error):
    given = made(n=80)
    found = knn_shapley(*given, max_error=max_error)
    assert found.error_bound == 0
    assert np.array_equal(found.value, knn_shapley(*given).value)


def test_soft_labels_are_the_expectation_over_label_worlds(rng, made):
    X, _, held, answers = made(n=6, n_classes=2)
    chances = rng.dirichlet([1, 1], size=6)
    expected = np.zeros(6)
    for world in product((0, 1), repeat=6):
        expected += knn_shapley(X, world, held, answers, k=3).value * np.prod(chances[np.arange(6), world])
    found = knn_shapley(X, chances, held, answers, k=3)
    np.testing.assert_allclose(found.value, expected, atol=1e-14)
    assert found.unit == "expected accuracy"


def test_sure_probabilities_are_labels(made):
    X, y, held, answers = made(n=2000)
    sure, sure_answers = np.eye(3)[y], np.eye(3)[answers]
    for max_error in (0, 0.01):
        hard = knn_shapley(X, y, held, answers, max_error=max_error)
        for one, other in [(sure, sure_answers), (sure, answers), (y, sure_answers)]:
            soft = knn_shapley(X, one, held, other, max_error=max_error)
            np.testing.assert_allclose(soft.value, hard.value, atol=1e-14)
            assert soft.error_bound == pytest.approx(hard.error_bound)
    named = knn_shapley(X, sure, held, np.array(["a", "b", "c"])[answers], classes=["a", "b", "c"])
    np.testing.assert_allclose(named.value, knn_shapley(X, y, held, answers).value, atol=1e-14)


def test_regression_shares_out_the_fall_of_the_error(rng, made):
    X, _, held, _ = made()
    targets, answers = rng.normal(size=N) + 50, rng.normal(size=17) + 50
    found = knn_shapley(X, targets, held, answers, k=4)
    foretold = targets[orders_by_definition(X, held, "euclidean")[:, :4]].mean(axis=1)
    fall = (answers - targets.mean()) ** 2 - (answers - foretold) ** 2
    assert found.value.sum() == pytest.approx(fall.mean(), abs=1e-9)
    assert found.unit == "squared error"
    assert knn_shapley(X, targets, held, answers, k=4, max_error=0.1).error_bound == 0


@pytest.mark.parametrize("k", [1, 2])
def test_units_vote_with_their_nearest_row(rng, k):
    X, y = rng.normal(size=(12, 2)), rng.integers(0, 2, 12)
    units = np.array(["a", "b", "c", "d", "e", "a", "b", "c", "a", "a", "d", "e"])
    held, answers = rng.normal(size=(4, 2)), rng.integers(0, 2, 4)
    wanted = np.zeros(5)
    for order, answer in zip(orders_by_definition(X, held, "euclidean"), answers, strict=True):
        nearest = list(dict.fromkeys(units[order]))
        utility = [y[order[list(units[order]).index(unit)]] == answer for unit in nearest]
        values = average_gain(5, vote_worth(utility, k))
        wanted += [values[nearest.index(unit)] / 4 for unit in "abcde"]
    found = knn_shapley(X, y, held, answers, k=k, groups=units)
    np.testing.assert_allclose(found.value, wanted, atol=1e-13)
    assert found.rows.to_list() == list("abcde")


def test_one_vote_of_the_nearest_is_all_rows_of_a_fork(rng):
    """For k = 1 the game over all rows is that of nearest rows: played here over all rows."""
    X, y, units = rng.normal(size=(9, 2)), rng.integers(0, 2, 9), np.array([0, 1, 2, 3, 0, 1, 2, 0, 3])
    (order,) = orders_by_definition(X, np.zeros((1, 2)), "euclidean")

    def worth(players):
        rows = [row for row in order if units[row] in players]
        return float(y[rows[0]] == 1) if rows else 0.0

    found = knn_shapley(X, y, np.zeros((1, 2)), [1], k=1, groups=units)
    np.testing.assert_allclose(found.value, average_gain(4, worth), atol=1e-13)


def test_units_of_one_row_are_rows(made):
    given = made()
    np.testing.assert_array_equal(knn_shapley(*given, groups=np.arange(N)).value, knn_shapley(*given).value)


def test_one_holdout_row_has_no_standard_error(made):
    X, y, held, answers = made()
    assert knn_shapley(X, y, held[:1], answers[:1]).stderr is None


def test_planted_wrong_labels_are_worst(rng, made):
    X, _, held, _ = made(NARROW, n=1000, n_holdout=300)
    y, answers = (X[:, 0] > 0).astype(int), (held[:, 0] > 0).astype(int)
    wrong = rng.permutation(1000)[:50]
    y[wrong] = 1 - y[wrong]
    assert np.isin(knn_shapley(X, y, held, answers).worst(50), wrong).mean() > 0.7


@pytest.mark.parametrize("max_error", [0.0, 0.02])
def test_input_of_every_kind_is_the_same(rng, max_error):
    X, y = rng.integers(0, 9, size=(600, WIDE)), rng.choice(["no", "yes"], 600)
    held, answers = rng.integers(0, 9, size=(8, WIDE)), rng.choice(["no", "yes"], 8)
    wanted = knn_shapley(X, y, held, answers, max_error=max_error)
    names = [f"c{column}" for column in range(WIDE)]
    for one, labels in [
        (X.astype(np.float32), y == "yes"),
        (X.tolist(), y.tolist()),
        (sparse.csr_array(X), pd.Series(y, dtype="category")),
        (pd.DataFrame(X, columns=names), pd.Series(y)),
        (pl.DataFrame(X, schema=names), pl.Series(y)),
        (np.asfortranarray(X), y.astype(object)),
    ]:
        told = answers == "yes" if isinstance(labels, np.ndarray) and labels.dtype.kind == "b" else answers
        found = knn_shapley(one, labels, held, told, max_error=max_error)
        np.testing.assert_array_equal(found.value, wanted.value)


def test_input_is_left_as_it_was(made):
    given = made()
    kept = [one.copy() for one in given]
    knn_shapley(*given)
    knn_shapley(*given, metric="cosine", max_error=0.01)
    assert all(np.array_equal(one, other) for one, other in zip(given, kept, strict=True))


def test_more_neighbours_than_rows_one_class_and_one_row(made):
    X, _, held, _ = made(n=3)
    np.testing.assert_allclose(knn_shapley(X, [1, 1, 1], held, np.ones(17), k=9).value, [1 / 9] * 3)
    assert knn_shapley(X[:1], ["a"], held, np.full(17, "a"), k=1).value.tolist() == [1.0]
    assert knn_shapley(X[:1], ["a"], held, np.full(17, "b"), k=1, max_error=0.5).value.tolist() == [0.0]


def test_no_vote_is_right_for_a_class_that_training_lacks(made):
    X, y, held, _ = made()
    for max_error in (0, 0.02):
        assert not knn_shapley(X, y, held, np.full(17, 7), max_error=max_error).value.any()


BAD = [
    ({"k": 0}, OptionError, "k=0: need an integer of 1 or more"),
    ({"k": 2.5}, OptionError, "k=2.5"),
    ({"k": True}, OptionError, "k=True"),
    ({"max_error": -0.1}, OptionError, "max_error=-0.1"),
    ({"max_error": "small"}, OptionError, "max_error='small'"),
    ({"metric": "euclid"}, UnknownNameError, "no metric is called 'euclid'. Did you mean 'euclidean'"),
    ({"task": "ranking"}, OptionError, "task='ranking'"),
    ({"n_jobs": 0}, OptionError, "n_jobs=0: need an integer of 1 or more, or -1"),
    ({"n_jobs": "all"}, OptionError, "n_jobs='all'"),
    ({"max_bytes": "1 GB"}, OptionError, "max_bytes='1 GB'"),
    ({"max_error": float("nan")}, OptionError, "max_error=nan"),
    ({"metric": None}, UnknownNameError, "no metric is called None"),
    ({"y": np.full((3, 2), 0.5), "y_holdout": ["a"]}, DataError, "y_holdout holds one label and probabilities have 2 columns; need classes="),
    ({"groups": [1, 2]}, DataError, "X has 3 rows and groups 2"),
    ({"X": [[1.0], [np.nan], [2.0]]}, DataError, "X column 0 is missing in 1 row of 3"),
    ({"X_holdout": [[np.inf]]}, DataError, "X_holdout column 0 is infinite in 1 row of 1"),
    ({"X_holdout": [[1.0, 2.0]]}, DataError, "X has 1 column and X_holdout 2"),
    ({"X_holdout": np.empty((0, 1)), "y_holdout": []}, DataError, "X_holdout has no rows"),
    ({"y": [0, 1]}, DataError, "X has 3 rows and y 2; need one target a row"),
    ({"y_holdout": [0, 1]}, DataError, "X_holdout has 1 row and y_holdout 2"),
    ({"y": ["a", "b", "a"]}, DataError, "y holds"),
    ({"y": [0.5, 1.5, np.nan]}, DataError, "y is missing in 1 row of 3"),
    ({"y": [[0.5, 0.5], [0.2, 0.2], [0, 1]]}, DataError, "row 1 of y is"),
    ({"y": np.eye(3), "classes": [0, 1]}, DataError, "classes has 2 entries for 3 columns"),
    ({"max_bytes": 1000}, DataError, "knn_shapley of 3 rows takes .* need at most 1.0 kB"),
]


@pytest.mark.parametrize(("change", "kind", "said"), BAD)
def test_what_cannot_be_is_refused_in_a_sentence(change, kind, said):
    given = {"X": [[1.0], [2.0], [3.0]], "y": [0, 1, 0], "X_holdout": [[1.5]], "y_holdout": [1], **change}
    arrays = [given.pop(name) for name in ("X", "y", "X_holdout", "y_holdout")]
    with pytest.raises(kind, match=said):
        knn_shapley(*arrays, **given)


def test_memory_is_refused_before_it_is_taken(made, monkeypatch):
    monkeypatch.setattr("dqops.valuers.knn_shapley.neighbours_of", lambda *given, **more: pytest.fail("it was taken"))
    with pytest.raises(DataError, match=r"knn_shapley of 400 rows takes .* need at most 500"):
        knn_shapley(*made(), max_bytes=500_000)
