"""Influence takes the linear models of scikit-learn as they are, and what is judged as it is asked for."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LassoCV, LinearRegression, LogisticRegression, LogisticRegressionCV, Ridge, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from dqops.errors import ApproximationWarning, DataError, ModelError, OptionError
from dqops.results.cell_influence import CellInfluence
from dqops.results.relabelling import Relabelling
from dqops.results.valuation import Valuation
from dqops.valuers.influence import influence, influence_matrix, repair_influence

TIGHT = {"solver": "newton-cholesky", "tol": 1e-12}


@pytest.fixture
def data(rng):
    X, held = rng.normal(size=(80, 3)), rng.normal(size=(60, 3))
    labels = [(part @ [1.0, -1.0, 0.5] + rng.logistic(size=len(part)) > 0.3).astype(int) for part in (X, held)]
    return X, labels[0], held, labels[1]


@pytest.fixture
def numbers(data):
    X, y, held, truth = data
    return X, X @ [1.0, 2.0, 3.0] + y, held, held @ [1.0, 2.0, 3.0] + truth


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    ("model", "alike"),
    [
        (LogisticRegression(C=0.3), LogisticRegression(C=0.3, **TIGHT)),
        (LogisticRegression(penalty="l2", C=0.3), LogisticRegression(C=0.3, **TIGHT)),
        (LogisticRegression(C=np.inf), LogisticRegression(C=1e14, **TIGHT)),
        (LogisticRegression(penalty=None), LogisticRegression(C=1e14, **TIGHT)),
        (LogisticRegression(solver="saga", max_iter=50, C=0.3, random_state=0), LogisticRegression(C=0.3, **TIGHT)),
        (LogisticRegression(fit_intercept=False), LogisticRegression(fit_intercept=False, **TIGHT)),
        (LogisticRegressionCV(Cs=[0.3], l1_ratios=(0,), use_legacy_attributes=False, scoring="accuracy"), LogisticRegression(C=0.3, **TIGHT)),
        (LogisticRegression(solver="liblinear", intercept_scaling=1e4), LogisticRegression(**TIGHT)),
    ],
    ids=lambda model: str(model)[:60],
)
def test_spellings_of_one_logistic_model_are_one(data, model, alike):
    expected = influence(*data, model=alike.fit(*data[:2])).value
    np.testing.assert_allclose(influence(*data, model=model).value, expected, rtol=1e-4, atol=1e-8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model.fit(*data[:2])
        given = influence(*data, model=fitted).value
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-8)


def test_an_intercept_that_is_held_back_counts(data):
    # liblinear penalises the intercept; leaving a row out by itself must agree with that, not with a free intercept.
    model = LogisticRegression(solver="liblinear", intercept_scaling=0.5, tol=1e-10, max_iter=10_000)
    X, y, held, truth = data

    def loss(keep):
        return -np.mean(np.log(model.fit(X[keep], y[keep]).predict_proba(held)[np.arange(60), truth]))

    every = np.ones(80, dtype=bool)
    exact = np.array([loss(np.arange(80) != row) for row in range(80)]) - loss(every)
    found = influence(*data, model=model.fit(X, y)).value
    assert np.corrcoef(found, exact)[0, 1] > 0.999
    assert np.abs(found - exact).max() < 0.05 * np.abs(exact).max()


@pytest.mark.parametrize("model", [Ridge(alpha=2.0), Ridge(alpha=[2.0]), Ridge(alpha=2.0, solver="sag", random_state=0), RidgeCV(alphas=[2.0])])
def test_spellings_of_one_ridge_are_one(numbers, model):
    expected = influence(*numbers, model=Ridge(alpha=2.0)).value
    np.testing.assert_allclose(influence(*numbers, model=model).value, expected, rtol=1e-7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ApproximationWarning)
        np.testing.assert_allclose(influence(*numbers, model=model.fit(*numbers[:2])).value, expected, rtol=1e-7)
    np.testing.assert_allclose(influence(*numbers, model=LinearRegression()).value, influence(*numbers, model=Ridge(alpha=0)).value, rtol=1e-9)


def test_balanced_classes_weigh_as_in_the_fit(rng, data):
    X, y = data[:2]
    weights = rng.uniform(0.5, 2.0, size=80)
    model = LogisticRegression(class_weight="balanced", **TIGHT).fit(X, y, sample_weight=weights)
    found = influence(*data, model=model, sample_weight=weights)
    assert found.why == ""  # the optimum that is looked for is the one that scikit-learn found
    counts = np.bincount(y, weights=weights)
    whole = weights * (weights.sum() / (2 * counts))[y]
    plain = influence(*data, model=LogisticRegression(**TIGHT), sample_weight=whole).value
    np.testing.assert_allclose(found.value, plain, rtol=1e-6, atol=1e-10)


def test_a_short_fit_is_polished_and_says_so(data):
    short = LogisticRegression(max_iter=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        short.fit(*data[:2])
    with pytest.warns(ApproximationWarning, match="not at the optimum"):
        found = influence(*data, model=short)
    assert "polished by" in found.why
    np.testing.assert_allclose(found.value, influence(*data, model=LogisticRegression(**TIGHT)).value, rtol=1e-5, atol=1e-8)
    assert influence(*data, model=LogisticRegression(**TIGHT).fit(*data[:2])).why == ""


def test_a_model_of_other_rows_is_noticed(data):
    elsewhere = LogisticRegression().fit(-data[0], data[1])
    with pytest.warns(ApproximationWarning, match="other rows or sample weights"):
        influence(*data, model=elsewhere)


def test_pipelines_are_taken_as_they_are(data):
    X, y, held, truth = data
    names = ["a", "b", "c"]
    frame, kept = pd.DataFrame(X, columns=names), pd.DataFrame(held, columns=names)
    frame["place"], kept["place"] = np.where(X[:, 0] > 0, "north", "south"), np.where(held[:, 0] > 0, "north", "south")
    columns = ColumnTransformer([("numbers", StandardScaler(), names), ("words", OneHotEncoder(), ["place"])])
    pipeline = make_pipeline(columns, LogisticRegression(**TIGHT))
    words = np.array(["no", "yes"])
    loose, fitted = (influence(frame, words[y], kept, words[truth], model=one) for one in (pipeline, pipeline.fit(frame, words[y])))
    np.testing.assert_allclose(loose.value, fitted.value, rtol=1e-7)
    seen = pipeline[:-1]
    plain = influence(seen.transform(frame), y, seen.transform(kept), truth, model=LogisticRegression(**TIGHT))
    np.testing.assert_allclose(fitted.value, plain.value, rtol=1e-7)
    names_seen = influence(frame, words[y], kept, words[truth], model=pipeline, change="cell").columns
    assert names_seen == ("numbers__a", "numbers__b", "numbers__c", "words__place_north", "words__place_south")
    changed = frame.copy()
    changed.loc[3, "place"] = "south" if changed.loc[3, "place"] == "north" else "north"
    gain = repair_influence(frame, words[y], kept, words[truth], model=pipeline, features=changed).value
    assert np.flatnonzero(np.abs(gain) > 1e-12).tolist() == [3]
    assert influence(frame, words[y], kept, words[truth], model=pipeline, change="relabel").classes.tolist() == ["no", "yes"]


def test_a_sparse_pipeline_stays_sparse(data):
    X, y, held, truth = data
    codes, kept = (np.round(part).astype(int) for part in (X, held))
    wide = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
    dense = make_pipeline(OneHotEncoder(handle_unknown="ignore", sparse_output=False), LogisticRegression())
    np.testing.assert_allclose(influence(codes, y, kept, truth, model=wide).value, influence(codes, y, kept, truth, model=dense).value, rtol=1e-6, atol=1e-10)


def test_each_change_has_its_result(data):
    assert isinstance(influence(*data), Valuation)
    assert isinstance(influence(*data, change="relabel"), Relabelling)
    cells = influence(*data, change="cell")
    assert isinstance(cells, CellInfluence)
    assert cells.shape == (80, 3)
    assert cells.left.shape == (80, 2)
    with pytest.raises(DataError, match="the matrix of 80 x 3 cells takes"):
        cells.matrix(max_bytes=1000)
    named = influence(pd.DataFrame(data[0], columns=["a", "b", "c"]), data[1], pd.DataFrame(data[2], columns=["a", "b", "c"]), data[3], change="cell")
    assert named.columns == ("a", "b", "c")


@pytest.mark.parametrize("n_classes", [2, 3])
def test_accuracy_is_smoothed_by_what_the_fit_leaves_open(rng, n_classes):
    X, held = rng.normal(size=(100, 3)), rng.normal(size=(70, 3))
    truth = rng.normal(size=(3, n_classes))
    y, seen = ((part @ truth + rng.gumbel(size=(len(part), n_classes))).argmax(axis=1) for part in (X, held))
    model = LogisticRegression(**TIGHT).fit(X, y)
    found = influence(X, y, held, seen, model=model, target="accuracy", step="first_order")

    def margins(fitted):
        scores = fitted.decision_function(held)
        scores = np.column_stack([-scores / 2, scores / 2]) if scores.ndim == 1 else scores
        own = scores[np.arange(70), seen]
        scores[np.arange(70), seen] = -np.inf
        return own - scores.max(axis=1), scores.argmax(axis=1)

    # Width of a margin, from the dense curvature in all C (d + 1) unknowns, and its derivative by a row's weight.
    rows, kept = np.column_stack([X, np.ones(100)]), np.column_stack([held, np.ones(70)])
    p = model.predict_proba(X)
    curvature = np.einsum("nab,nj,nk->ajbk", p[:, :, None] * np.eye(n_classes) - p[:, :, None] * p[:, None, :], rows, rows).reshape(4 * n_classes, -1)
    penalty = np.kron(np.eye(n_classes), np.diag([1.0, 1.0, 1.0, 0.0]))
    inverse = np.linalg.pinv(curvature + (2.0 if n_classes == 2 else 1.0) * penalty, rcond=1e-12)
    at, rival = margins(model)
    edges = np.einsum("nc,nj->ncj", np.eye(n_classes)[seen] - np.eye(n_classes)[rival], kept).reshape(70, -1)
    widths = np.sqrt(np.einsum("na,ab,nb->n", edges, inverse, edges))
    widths = np.maximum(widths, 1e-3 * np.median(np.abs(at)))
    for row in (0, 17, 50):
        lighter = np.ones(100)
        lighter[row] = 1 - 1e-4
        other = margins(LogisticRegression(**TIGHT).fit(X, y, sample_weight=lighter))[0]
        slope = (norm.cdf(at / widths).mean() - norm.cdf(other / widths).mean()) / 1e-4
        assert found.value[row] == pytest.approx(slope, rel=2e-3, abs=1e-7)
    assert found.unit == "accuracy"


def test_the_smooth_accuracy_is_what_coefficients_of_that_spread_would_have(rng, data):
    from dqops.valuers.linear_holdout import smooth_accuracy
    X, y, held, truth = data
    model = LogisticRegression(**TIGHT).fit(X, y)
    rows, kept = np.column_stack([X, np.ones(80)]), np.column_stack([held, np.ones(60)])
    p = model.predict_proba(X)[:, 1]
    spread = np.linalg.inv(rows.T @ ((p * (1 - p))[:, None] * rows) + np.diag([1.0, 1.0, 1.0, 0.0]))
    centre = np.append(model.coef_[0], model.intercept_)
    signs = np.where(truth == 1, 1, -1)
    drawn = rng.multivariate_normal(centre, spread, size=20_000)
    widths = np.sqrt(np.einsum("nj,jk,nk->n", kept, spread, kept))
    assert smooth_accuracy(signs * (kept @ centre), widths) == pytest.approx(np.mean((drawn @ kept.T) * signs > 0), abs=0.005)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("model", "said"),
    [
        (LogisticRegression(l1_ratio=1, solver="saga"), "an l1 penalty has a kink"),
        (LogisticRegression(penalty="l1", solver="liblinear"), "an l1 penalty has a kink"),
        (LogisticRegression(l1_ratio=0.5, solver="saga"), "an l1 penalty has a kink"),
        (LassoCV(), "a linear model"),
        (LogisticRegression, "an estimator, not its class"),
        ("forrest", "one of 'logistic', 'ridge'"),
    ],
    ids=str,
)
def test_models_without_a_smooth_optimum_are_refused(data, model, said):
    with pytest.raises(OptionError, match=said):
        influence(*data, model=model)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"change": "delete"}, "one of 'remove', 'relabel', 'cell'"),
        ({"step": 2}, "one of 'auto', 'newton', 'first_order'"),
        ({"target": "auc"}, "'loss', 'accuracy' or a function"),
        ({"target": lambda scores, labels: 1.0}, "one finite number a holdout row"),
        ({"change": "cell", "groups": np.arange(80)}, "groups leave together"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_refused(data, change, said):
    with pytest.raises(OptionError, match=said):
        influence(*data, **change)


def test_settings_that_fit_no_model_of_numbers_are_refused(numbers):
    with pytest.raises(OptionError, match="a model of numbers has no accuracy"):
        influence(*numbers, model="ridge", target="accuracy")
    with pytest.raises(OptionError, match="repair_influence"):
        influence(*numbers, model="ridge", change="relabel")
    with pytest.raises(OptionError, match="positive=False"):
        influence(*numbers, model=Ridge(positive=True))


@pytest.mark.filterwarnings("error")
def test_bad_rows_are_refused_in_a_sentence(data):
    X, y, held, truth = data
    holes = X.copy()
    holes[4, 1] = np.nan
    cases = [
        ((holes, y, held, truth), {}, "X column 1 is missing in 1 row of 80"),
        ((X, y, held * np.inf, truth), {}, "X_holdout column 0 is"),
        ((X, np.zeros(80), held, truth), {}, "y holds one class"),
        ((X, y, held, truth + 5), {}, "y_holdout holds the class 5"),
        ((X, y, np.empty((0, 3)), []), {}, "no rows"),
        ((X, y[:-1], held, truth), {}, "X has 80 rows and y 79"),
        ((X, y, held[:, :2], truth), {}, "X has 3 columns and X_holdout 2"),
        ((X, y, held, truth[:-1]), {}, "X_holdout has 60 rows and y_holdout 59"),
        ((X, y, held, truth), {"sample_weight": -np.ones(80)}, "negative"),
        ((X, y, held, truth), {"sample_weight": np.zeros(80)}, "every sample_weight is 0"),
        ((X, y, held, truth), {"sample_weight": np.ones(3)}, "y has 80 rows and sample_weight 3"),
        ((X * 1e200, y, held, truth), {}, "their squares overflow"),
        ((np.full((80, 2), 1e200), y, np.ones((60, 2)), truth), {}, "their squares overflow"),
        ((None, y, held, truth), {}, "X is None"),
        ((X, y, held, truth), {"groups": [1, 2]}, "X has 80 rows and groups 2"),
        ((X, y, held, truth), {"target": lambda scores, labels: (scores > 0) == labels}, "target is flat"),
        ((X, y, held, truth), {"model": LogisticRegression().fit(X[:, :2], y)}, "the fitted model knows 2 columns and X has 3"),
        ((X, y, held, truth), {"model": LogisticRegression().fit(X, y + 1)}, "the fitted model knows the classes"),
        ((np.ones((80, 6000)), y, np.ones((60, 6000)), truth), {"model": LogisticRegression(max_iter=1)}, "6001 unknowns"),
    ]
    for given, options, said in cases:
        with pytest.raises(DataError, match=said):
            influence(*given, **options)
    with pytest.raises(ModelError, match="judging the holdout"):
        influence(X, y, held, truth, target=lambda scores, labels: scores / 0 + labels["none"])
    with pytest.raises(DataError, match="X_holdout has no rows"):
        influence(X, y, held[:0], truth[:0], model=make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y))
    with pytest.raises(ModelError, match="pipeline failed in"):
        influence(holes, y, held, truth, model=make_pipeline(PolynomialFeatures(), LogisticRegression()))


def test_classes_that_nothing_holds_together_are_refused(data):
    X, y, held, truth = data
    apart = np.column_stack([X, np.where(y == 1, 1.0, -1.0)])
    wider = np.column_stack([held, np.where(truth == 1, 1.0, -1.0)])
    for model in (LogisticRegression(C=np.inf), LogisticRegression(C=np.inf).fit(apart, y)):
        with pytest.raises(DataError, match="told apart without an error"):
            influence(apart, y, wider, truth, model=model)
    # One level of a column holds one class only: some rows are told apart, the rest are not.
    partly = np.column_stack([X, ((y == 1) & (X[:, 0] > 0)).astype(float)])
    with pytest.raises(DataError, match=r"told apart|does not settle"):
        influence(partly, y, np.column_stack([held, np.zeros(60)]), truth, model=LogisticRegression(C=np.inf, max_iter=2000))
    assert np.isfinite(influence(apart, y, wider, truth, model=LogisticRegression(C=100.0)).value).all()


def test_bad_repairs_are_refused(data):
    X, y = data[:2]
    for options, kind, said in [
        ({}, OptionError, "labels=, features= or both"),
        ({"labels": y, "rows": [80]}, OptionError, "positions from 0 to 79"),
        ({"labels": y[:3]}, DataError, "rows has 80 rows and labels 3"),
        ({"labels": ["a"] * 80}, DataError, "labels of one kind"),
        ({"labels": y + 7}, DataError, "labels holds the class"),
        ({"features": X[:, :2]}, DataError, "features has 2 columns and X 3"),
        ({"features": X * np.nan}, DataError, "features column 0 is missing"),
    ]:
        with pytest.raises(kind, match=said):
            repair_influence(*data, **options)


def test_a_matrix_too_large_is_refused_with_its_size(data):
    with pytest.raises(DataError, match=r"the matrix of 60 x 80 influences takes 38\.4 kB"):
        influence_matrix(*data, max_bytes=1000)
