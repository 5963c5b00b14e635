"""Noise curves for a twentieth of the fits: counted, refitted on held features, or anchored by two fits."""

from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from dqops.errors import DataError, ModelError
from dqops.models.feature_space import Learner, learner_of
from dqops.models.fixed_space import fixed_space
from dqops.models.space import last_step
from dqops.models.targets import codes_of, target_values
from dqops.models.voice import score_said
from dqops.propagation.anchored import anchored
from dqops.propagation.by_counting import winners
from dqops.propagation.drops import HELD, Drops
from dqops.propagation.linear_head import MOST_UNKNOWNS, ChordFit
from dqops.propagation.noise import noisy_rows
from dqops.propagation.response import fit_drawn
from dqops.results.curve import NoiseCurve
from dqops.seeds import stream

# Steps that do not look at the target: what they learned from clean labels holds under noisy ones.
_BLIND = (
    "TableEncoder", "TableVectorizer", "SimpleImputer", "StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler", "OneHotEncoder",
    "OrdinalEncoder", "PCA", "TruncatedSVD", "PolynomialFeatures", "QuantileTransformer", "PowerTransformer", "Normalizer",
)  # fmt: skip
_DRAWS = 200
_COUNTED = ("label_flips", "label_confusions", "target_swaps")
_ENOUGH = 2000  # judged rows: further folds are left


def way_of(experiment, design, n_classes):
    """How the curve can be told fast: "counted", "refitted" or "anchored"; the first two are as good as measured.

    Parameters
    ----------
    experiment : Experiment
    design : Design
    n_classes : int
        0 for numbers.
    """
    estimator, labels = design.model.estimator, experiment.corruption.on_target and experiment.arm == "training"
    if not labels or not isinstance(estimator, Pipeline) or not _is_blind(estimator):
        return "anchored"
    learner = _learner(design)
    if learner is None:
        return "anchored"
    if learner.kind == "knn":
        scores = ("accuracy",) if n_classes else ("r2", "neg_mean_squared_error")
        return "counted" if design.scoring in scores and experiment.corruption.name in _COUNTED else "anchored"
    wanted = "logistic" if n_classes else "squared"
    return "refitted" if learner.loss == wanted else "anchored"


def _learner(design):
    """The `Learner` that the last step is; None where it cannot be followed."""
    step = last_step(design.model)
    if type(step).__name__ == "KNeighborsRegressor" and step.weights == "uniform" and (step.metric, step.p) in (("minkowski", 2), ("euclidean", step.p)):
        return Learner("knn", k=step.n_neighbors)
    try:
        return learner_of(design.model.name, step)
    except ModelError:
        return None


def _is_blind(pipeline):
    return all(type(step).__name__ in _BLIND for _, step in pipeline.steps[:-1] if step != "passthrough")


def estimate(experiment, table, design, splits, kept=None):
    """The `NoiseCurve` of one experiment, at about a twentieth of the work of measuring it.

    Parameters
    ----------
    experiment : Experiment
    table : Table
    design : Design
    splits : list of (Split, Table, Table)
        Five folds; where two fits must do, the first.
    kept : dict, optional
        What curves of one run share, filled on the way.

    Returns
    -------
    NoiseCurve
        `method` says how: "counted" (votes of k-NN, exactly), "refitted" (a linear model on features that are held) or
        "anchored" (two fits and a usual shape).

    Raises
    ------
    DataError
        Where the model fails on an anchor.
    """
    kept = {} if kept is None else kept
    classes = None if design.task == "regression" else design.classes(table)
    way = way_of(experiment, design, 0 if classes is None else len(classes))
    with threadpool_limits(limits=1):
        if way != "anchored":
            held = _held(table, design, splits, classes, kept)
            if held is not None and way == "counted":
                return _curve(experiment, design, _counted(experiment, held, design), splits, way)
            if held is not None and _fits(held):
                return _curve(experiment, design, _refitted(experiment, held, design, kept), splits, way)
        return _curve(experiment, design, anchored(experiment, design, splits[0], classes, kept), splits[:1], "anchored")


def _curve(experiment, design, told, splits, way):
    """A `NoiseCurve` through the predicted scores, with draws for what is not known of them."""
    rates, rng = experiment.rates, stream(design.seed, f"fast:{experiment.name}")
    normal = rng.standard_normal((_DRAWS, 3))
    drops = np.repeat(told.drops[None], _DRAWS, axis=0)
    if told.powers is not None:
        power, spread = told.powers
        drops = told.drops[-1] * (rates / rates[-1]) ** np.maximum(power + spread * normal[:, :1], 0.01)
        drops[:, 0] = 0.0
    scores = told.today + told.today_error * normal[:, :1] - drops * (1 + told.off * normal[:, 1:2]) - told.errors * normal[:, 2:]
    response = fit_drawn(rates, told.today - told.drops, scores)
    corruption, errors = experiment.corruption, told.errors.copy()
    errors[0] = told.today_error
    return NoiseCurve(
        corruption=corruption.name,
        column=corruption.column,
        arm=experiment.arm,
        rates=rates,
        scores=(told.today - told.drops)[:, None],
        stderr=errors,
        response=response,
        fast=True,
        method=way,
    )


@dataclass(frozen=True, eq=False)
class _Held:
    """Features of all rows, in a space that is fitted once, and the folds.

    Parameters
    ----------
    X : float64 (n, d)
    y : int64 (n,) codes or float64 (n,) numbers
    judged : float64 (n_judged, d), truth (n_judged,)
        The same rows, or those of a holdout.
    folds : list of (int64, int64)
        Places of training rows among `X`, and of the rows that judge.
    classes : array (C,) or None
    learner : Learner
    splits : list of (Split, Table, Table)
    """

    X: np.ndarray
    y: np.ndarray
    judged: np.ndarray
    truth: np.ndarray
    folds: list
    classes: np.ndarray | None
    learner: object
    splits: list


def _held(table, design, splits, classes, kept):
    """`_Held` rows of one repeat; None where the steps cannot be held."""
    if "held" in kept:
        return kept["held"]
    learner, splits = _learner(design), _enough(splits)
    judge = table if design.holdout is None else design.holdout
    try:
        space = fixed_space(design.model, table, design.seed, scaled=False)
        X = space.encode(table)
        J = X if judge is table else space.encode(judge)
    except (ModelError, DataError):
        kept["held"] = None
        return None
    y, truth = (_targets(one, design.task, classes) for one in (table, judge))
    here = {row: place for place, row in enumerate(judge.row_ids.to_list())}
    tests = [split.test if judge is table else np.array([here[row] for row in judged.row_ids.to_list()]) for split, _, judged in splits]
    folds = [(split.train, test) for (split, _, _), test in zip(splits, tests, strict=True)]
    kept["held"] = _Held(X, y, J, truth, folds, classes, learner, splits)
    return kept["held"]


def _enough(splits):
    """As many of the folds as judge enough rows."""
    judged = np.cumsum([one.n_rows for _, _, one in splits])
    return splits[: int(np.searchsorted(judged, _ENOUGH)) + 1]


def _targets(table, task, classes):
    values, _ = target_values(table, task)
    return values if task == "regression" else codes_of(values, classes)


def _fits(held):
    n_scores = 1 if held.classes is None or len(held.classes) == 2 else len(held.classes)
    return n_scores * (held.X.shape[1] + 1) <= MOST_UNKNOWNS


def _counted(experiment, held, design):
    """Expected score of k-NN at each rate: neighbours stay, what they say is independent."""
    if held.classes is None:
        return _counted_numbers(experiment, held, design)
    n_classes, k, tests, counts = len(held.classes), held.learner.k, [], []
    for train, test in held.folds:
        nearest = _nearest(held.X[train], held.judged[test], min(k, len(train)), held.learner.metric)
        labels = held.y[train][nearest]
        counts.append(np.stack([(labels == one).sum(axis=1) for one in range(n_classes)], axis=1))
        tests.append(test)
    # Chances hang on how many neighbours bear each label: few such counts occur.
    kinds, kind = np.unique(np.concatenate(counts), axis=0, return_inverse=True)
    votes = np.array([np.repeat(np.arange(n_classes), line) for line in kinds[kinds.sum(axis=1) == kinds.sum(axis=1).max()]])
    truth, kind = held.truth[np.concatenate(tests)], kind.ravel()
    right = np.zeros((len(experiment.rates), len(truth)))
    for place, rate in enumerate(experiment.rates):
        if rate == 0:
            right[place] = kinds.argmax(axis=1)[kind] == truth
        else:
            won = winners(_noise_matrix(experiment.corruption.name, rate, n_classes)[votes], np.arange(len(votes)))
            right[place] = np.where(truth >= 0, won[kind, np.maximum(truth, 0)], 0.0)
    return _of_rows(right, held)


def _counted_numbers(experiment, held, design):
    """Expected score of k-NN for numbers: a swapped target has the mean and the spread of all targets."""
    reached = np.empty((len(experiment.rates), len(held.folds)))
    for fold, (train, test) in enumerate(held.folds):
        y, truth = held.y[train], held.truth[test]
        known, judged = np.isfinite(y), np.isfinite(truth)
        nearest = _nearest(held.X[train][known], held.judged[test][judged], min(held.learner.k, int(known.sum())), held.learner.metric)
        y, truth = y[known], truth[judged]
        said, mean, spread = y[nearest], float(y.mean()), float((y**2).mean())
        for place, rate in enumerate(experiment.rates):
            expected = (1 - rate) * said + rate * mean
            variance = (1 - rate) * said**2 + rate * spread - expected**2
            lost = float(((expected.mean(axis=1) - truth) ** 2 + variance.sum(axis=1) / said.shape[1] ** 2).mean())
            reached[place, fold] = 1 - lost / truth.var() if design.scoring == "r2" else -lost
    return _of_folds(reached, held, 0.0)


def _noise_matrix(name, rate, n_classes):
    """Chance of each label that is given, by the label that was there: float64 (C, C)."""
    if n_classes < 2:
        return np.eye(n_classes)
    other = np.roll(np.eye(n_classes), 1, axis=1) if name == "label_confusions" else (1 - np.eye(n_classes)) / (n_classes - 1)
    return (1 - rate) * np.eye(n_classes) + rate * other


def _nearest(X, J, k, metric):
    """Places of the k nearest rows of each judged one, int64 (n, k); in no order among themselves."""
    if metric == "cosine":
        X, J = (one / np.maximum(np.linalg.norm(one, axis=1, keepdims=True), 1e-300) for one in (X, J))
    X, J = (np.ascontiguousarray(one - X.mean(axis=0), dtype=np.float32) for one in (X, J))
    away = (X**2).sum(axis=1)[None] - 2 * (J @ X.T)
    return np.argpartition(away, k - 1, axis=1)[:, :k]


def _of_rows(right, held):
    """`Drops` from the chance of each judged row to be right, at each rate: float64 (n_rates, n)."""
    n_rows = right.shape[1]
    lost = right[0] - right
    stretch = np.sqrt(1 + np.mean([len(test) / len(train) for train, test in held.folds]) * len(held.folds))
    return Drops(
        today=float(right[0].mean()),
        drops=lost.mean(axis=1),
        errors=stretch * lost.std(axis=1) / np.sqrt(n_rows),
        today_error=stretch * float(right[0].std()) / np.sqrt(n_rows),
    )


def _refitted(experiment, held, design, kept):
    """Scores of the linear model, fitted again to noisy targets on features that stay."""
    reached = np.full((len(experiment.rates), len(held.folds)), np.nan)
    n_classes = 0 if held.classes is None else len(held.classes)
    heads = kept.setdefault("heads", {})
    for fold, (train, test) in enumerate(held.folds):
        if fold not in heads:
            heads[fold] = ChordFit(held.X[train], n_classes, held.learner.alpha), None
        head, today = heads[fold]
        start = heads[0][1] if today is None else today
        for place, rate in enumerate(experiment.rates):
            targets = held.y[train]
            if rate:
                noisy = noisy_rows(experiment, held.splits[fold][1], rate, design, held.splits[fold][0], "train")
                targets = _targets(noisy, design.task, held.classes)
            known = targets >= 0 if n_classes else np.isfinite(targets)
            start = head.fit(targets, start, known=known, near=kept.setdefault(("bend", rate), {}))
            if not rate:
                heads[fold] = head, start
            said = head.says(start, held.judged[test])
            reached[place, fold] = score_said(said, held.truth[test], held.classes, design.scoring)
    return _of_folds(reached, held, HELD)


def _of_folds(reached, held, off):
    """`Drops` from scores by rate and fold."""
    drops, n_folds = reached[0] - reached, len(held.folds)
    wide = np.sqrt(1 / n_folds + np.mean([len(test) / len(train) for train, test in held.folds]))
    few = 1.5 if n_folds < 4 else 1.0  # so few folds tell little of their own spread
    spread = (drops.std(axis=1, ddof=1), float(reached[0].std(ddof=1))) if n_folds > 1 else (0.25 * np.abs(drops.mean(axis=1)), 0.05)
    return Drops(float(reached[0].mean()), drops.mean(axis=1), few * wide * spread[0], few * wide * spread[1], off)
