"""What each row, label or cell is worth to a linear model: influence with the exact curvature."""

import numpy as np
import polars as pl

from dqops.errors import OptionError
from dqops.results.cell_influence import CellInfluence
from dqops.results.relabelling import Relabelling
from dqops.results.valuation import Valuation
from dqops.valuers.arrays import check_memory, check_rows, coded_labels
from dqops.valuers.linear_holdout import holdout_target
from dqops.valuers.linear_sketch import is_sketchable, sketched_removals
from dqops.valuers.linear_steps import Steps
from dqops.valuers.linear_task import linear_task
from dqops.valuers.tree_influence import is_tree_model, tree_rises

CHANGES = ("remove", "relabel", "cell")
STEPS = ("newton", "first_order")
_LARGEST = 2**30


def influence(
    X, y, X_holdout, y_holdout, *, model="logistic", change="remove", target="loss", step="auto", groups=None, sample_weight=None
):
    """What each training row, label or cell adds to the holdout score of a model.

    The model is not trained again: the objective of a linear one is followed from its optimum, with the exact curvature,
    intercept and penalty as scikit-learn has them; the leaves of trees are worked out without the row. What a pipeline does before its last step is held fixed, and so are balanced class
    weights.

    Parameters
    ----------
    X : array-like or scipy.sparse matrix (n, d)
        Training rows: numbers, or whatever the pipeline takes.
    y : array-like (n,)
        Labels of any kind, or numbers.
    X_holdout : array-like (n_holdout, d)
    y_holdout : array-like (n_holdout,)
        Classes that training rows have.
    model : {"logistic", "ridge"}, estimator or pipeline
        LinearRegression, Ridge, RidgeCV, LogisticRegression, LogisticRegressionCV, HistGradientBoosting*, RandomForest* or
        ExtraTrees*, bare or at the end of a pipeline. A fitted one is taken as it stands (a linear one is polished where
        it stands short of its optimum); one that is not is fitted. In trees the splits are held.
    change : {"remove", "relabel", "cell"}
        What is done to a row: it leaves, it gets each other label, or one of its cells grows.
    target : {"loss", "accuracy"} or callable
        What is judged: the mean loss of the holdout (log loss or squared error), its accuracy smoothed by what the fit
        leaves open, or a smooth function ``f(scores, labels) -> float64 (n_holdout,)``, higher is better; scores are
        predictions, log odds (n_holdout,) or a column a class (of a forest: probabilities), labels numbers or class codes.
        Forests are judged by the Brier score for "loss" and the probability of the true class for "accuracy".
    step : {"auto", "newton", "first_order"}
        One Newton step of the changed objective (exact for ridge), or its derivative. For cells always the derivative.
        "auto" takes the Newton step, and for the removal of single rows from two classes with 200 rows or more for each
        unknown it sketches leverages below 0.01: a third faster than exact, and `error_bound` tells how far it may be off.
    groups : array-like (n,), optional
        Rows with one label leave together; then one value a group, in sorted order.
    sample_weight : float (n,), optional
        As the model was, or is to be, fitted.

    Returns
    -------
    Valuation
        For "remove": by how much the target would be worse without the row; positive where the row helps, NaN where
        the row alone holds a direction (leverage 1).
    Relabelling
        For "relabel": what each label would add, (n, C).
    CellInfluence
        For "cell": what one unit more in each cell would add, as thin factors.

    Raises
    ------
    DataError
        For missing or infinite cells, one class, a holdout class that training rows lack, shapes that do not match,
        classes told apart without an error and no penalty, or more than 5000 unknowns.
    OptionError
        For another model, a penalty with a kink (l1), or a setting that cannot be.
    ModelError
        Where the model or its pipeline fails.

    Notes
    -----
    O(n d² + d³) time and O(d²) memory beside the inputs; with C classes d becomes d (C - 1). No matrix of n_holdout x n is
    formed; `influence_matrix` gives it.

    References
    ----------
    Cook, Weisberg 1982, Residuals and influence in regression. Koh, Liang 2017, ICML, arXiv:1703.04730. Koh, Ang, Teo, Liang
    2019, NeurIPS, arXiv:1905.13289. Giordano et al. 2019, AISTATS, arXiv:1806.00550.

    Examples
    --------
    >>> worth = influence([[1.0], [2.0], [3.0], [4.0]], [1.0, 2.0, 3.0, 9.0], [[1.5], [2.5]], [1.5, 2.5], model="ridge")
    >>> worth.worst(1).tolist()
    [3]
    """
    _check(change, step, groups, ("auto", *STEPS))
    if is_tree_model(model):
        return _of_trees(X, y, X_holdout, y_holdout, model, change, target, step, groups, sample_weight)
    may_be_loose = step == "auto" and change == "remove" and groups is None
    task = linear_task(model, X, y, X_holdout, y_holdout, sample_weight, may_be_loose)
    judged = holdout_target(task.fit, task.holdout, task.holdout_targets, target)
    steps = Steps(task.fit, judged, step != "first_order" and change != "cell")
    if change == "cell":
        return _cells(task, steps, judged)
    if change == "relabel":
        if task.classes is None:
            raise OptionError("change", change, "'remove' or 'cell' for a target of numbers; repair_influence(labels=...) takes new ones")
        return Relabelling(0.0 - steps.relabels(), task.classes, task.fit.targets, "influence", judged.unit, why=task.why)
    if may_be_loose and is_sketchable(task.fit.loss, task.fit.rows):
        values, looseness = sketched_removals(task.fit, steps)
        return Valuation(values, None, "influence", judged.unit, error_bound=looseness, why=task.why)
    if groups is None:
        return Valuation(steps.removals(), None, "influence", judged.unit, why=task.why)
    codes, names = _grouped(groups, len(task.fit.rows))
    return Valuation(steps.groups(codes, len(names)), None, "influence", judged.unit, rows=names, why=task.why)


def influence_matrix(X, y, X_holdout, y_holdout, *, model="logistic", step="newton", sample_weight=None, max_bytes=_LARGEST):
    """What each training row adds to the score of each holdout row.

    Parameters
    ----------
    X, y, X_holdout, y_holdout, model, step, sample_weight
        As for `influence`.
    max_bytes : int
        Largest matrix that is formed.

    Returns
    -------
    float64 (n_holdout, n)
        By how much the loss of a holdout row would rise without the training row; the mean over the holdout rows is the
        value that `influence` gives.

    Raises
    ------
    DataError
        Before more than `max_bytes` are taken, and as `influence` does.

    Notes
    -----
    O(n n_holdout d) time after the fit.

    Examples
    --------
    >>> influence_matrix([[1.0], [2.0], [3.0]], [1.0, 2.0, 2.0], [[1.0]], [1.0], model="ridge").shape
    (1, 3)
    """
    _check("remove", step, None)
    task = linear_task(model, X, y, X_holdout, y_holdout, sample_weight)
    fit, n_rows, n_holdout = task.fit, len(task.fit.rows), len(task.holdout)
    check_memory(8 * n_rows * n_holdout, max_bytes, f"the matrix of {n_holdout} x {n_rows} influences")
    judged = holdout_target(fit, task.holdout, task.holdout_targets, "loss")
    steps = Steps(fit, judged, step == "newton")
    responses = np.concatenate([fit.loss.responses(fit.scores(block)) for _, block in task.holdout.blocks()])
    slopes = fit.loss.slopes(responses, task.holdout_targets) * fit.loss.scale
    bends = fit.loss.curvatures(responses) * fit.loss.scale * steps.is_newton
    matrix = np.empty((n_holdout, n_rows))
    length = max(1, 2**22 // (8 * n_holdout * slopes.shape[1]))
    for start in range(0, n_rows, length):
        moved = steps.score_changes(task.holdout, np.arange(start, min(start + length, n_rows)))
        matrix[:, start : start + length] = np.einsum("nvm,vm->vn", moved, slopes) + 0.5 * np.einsum("nvm,vmk,nvk->vn", moved, bends, moved, optimize=True)
    return matrix


def repair_influence(
    X, y, X_holdout, y_holdout, *, labels=None, features=None, rows=None, model="logistic", target="loss", step="newton", sample_weight=None
):
    """What repairing the label or features of rows would add to the holdout score.

    Parameters
    ----------
    X, y, X_holdout, y_holdout, model, target, step, sample_weight
        As for `influence`.
    labels : array-like (count,), optional
        Labels or numbers to write instead; by default those that are there.
    features : array-like (count, d), optional
        Rows to write instead, before the pipeline; by default those that are there.
    rows : int (count,), optional
        Positions of the rows that are repaired; by default all, in order. A row may come again, for another candidate.

    Returns
    -------
    Valuation
        One value a candidate; positive where the repair helps.

    Raises
    ------
    OptionError
        Where neither labels nor features are given, or positions are beyond the rows; else as `influence` does.

    Notes
    -----
    One Newton step of the objective with the row replaced, its curvature included: exact for ridge. O(count d²) beside what
    `influence` costs.

    References
    ----------
    As for `influence`.

    Examples
    --------
    >>> X, y = [[1.0], [2.0], [3.0], [4.0]], [1.0, 2.0, 3.0, 9.0]
    >>> gain = repair_influence(X, y, [[1.5], [2.5]], [1.5, 2.5], labels=[4.0], rows=[3], model="ridge")
    >>> bool(gain.value[0] > 0)
    True
    """
    _check("remove", step, None)
    if labels is None and features is None:
        raise OptionError("labels", None, "labels=, features= or both: what is to be written instead")
    task = linear_task(model, X, y, X_holdout, y_holdout, sample_weight)
    n_rows = len(task.fit.rows)
    positions = np.arange(n_rows) if rows is None else np.atleast_1d(np.asarray(rows))
    if positions.dtype.kind not in "iu" or positions.ndim != 1 or not ((positions >= 0) & (positions < n_rows)).all():
        raise OptionError("rows", rows, f"positions from 0 to {n_rows - 1}")
    targets = task.fit.targets[positions] if labels is None else task.targets_of(labels, "labels")
    check_rows(len(positions), len(targets), "rows", "labels")
    replaced = task.fit.rows.features[positions] if features is None else task.features_of(features, "features")
    check_rows(len(positions), replaced.shape[0], "rows", "features")
    judged = holdout_target(task.fit, task.holdout, task.holdout_targets, target)
    steps = Steps(task.fit, judged, step == "newton")
    return Valuation(0.0 - steps.replacements(positions, replaced, targets), None, "repair_influence", judged.unit, why=task.why)


def _of_trees(X, y, X_holdout, y_holdout, model, change, target, step, groups, sample_weight):
    """The result for boosted trees or a forest."""
    if change == "cell":
        raise OptionError("change", change, "'remove' or 'relabel' for trees: what they say has no slope in a cell")
    if step == "first_order":
        raise OptionError("step", step, "'auto' for trees: a leaf is followed as far as it goes")
    codes, names = (None, None) if groups is None else _grouped(groups, len(y))
    rises = tree_rises(model, X, y, X_holdout, y_holdout, target, sample_weight, codes)
    if change == "remove":
        return Valuation(rises.removal, None, "influence", rises.unit, rows=names, why=rises.why)
    if rises.relabel is None:
        raise OptionError("change", change, "'remove' for a target of numbers")
    return Relabelling(0.0 - rises.relabel, rises.classes, rises.targets, "influence", rises.unit, why=rises.why)


def _grouped(groups, n_rows):
    """(codes int64 (n,), names of the groups, sorted)."""
    labels = coded_labels(groups, name="groups")
    check_rows(n_rows, len(labels.codes), targets="groups")
    return labels.codes, pl.Series("group", labels.classes.tolist())


def _cells(task, steps, judged):
    """Derivative of the target by each cell, as factors: ``left @ right``."""
    fit, width = task.fit, task.fit.rows.features.shape[1]
    m = fit.loss.n_directions
    left = np.empty((len(fit.rows), 2 * m))
    for taken, block in fit.rows.blocks():
        weights = fit.weights_of(fit.targets[taken], taken)[:, None]
        left[taken, :m] = fit.loss.slopes(fit.responses[taken], fit.targets[taken]) * weights
        pulls = fit.rows.times(block, steps.sensitivity.T) * weights
        left[taken, m:] = np.einsum("nmk,nk->nm", fit.loss.curvatures(fit.responses[taken]), pulls)
    right = np.vstack([steps.sensitivity[:, :width], fit.coefficients[:, :width]])
    slope = None if task.classes is not None else -left[:, 1]
    return CellInfluence(left, right, slope, "influence", judged.unit, task.columns, task.why)


def _check(change, step, groups, known=STEPS):
    if change not in CHANGES:
        raise OptionError("change", change, f"one of {', '.join(map(repr, CHANGES))}")
    if step not in known:
        raise OptionError("step", step, f"one of {', '.join(map(repr, known))}")
    if groups is not None and change != "remove":
        raise OptionError("groups", "given", "change='remove': groups leave together")
