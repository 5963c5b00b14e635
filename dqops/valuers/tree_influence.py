"""What each row or label is worth to boosted trees or a forest whose splits are held."""

from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import Pipeline

from dqops.errors import OptionError
from dqops.kernels.tree_influence import boosted_leaves, forest_leaves
from dqops.models.fitting import border
from dqops.valuers.arrays import check_rows
from dqops.valuers.boosted_trees import BOOSTED, boosted_trees, check_leaves
from dqops.valuers.chosen_target import chosen_slopes, chosen_unit
from dqops.valuers.estimators import checked_weights, coded_targets, fitted_on, n_rows_of, named_model, through
from dqops.valuers.forests import FORESTS, leaves_of, read_forest


@dataclass(frozen=True, eq=False)
class TreeRises:
    """How the target rises (a loss, or minus what is to be large) in a model of trees.

    Parameters
    ----------
    removal : float64 (n,) or (n_groups,)
        When a row, or a group of them, leaves.
    relabel : float64 (n, C) or None
        When a row gets each label; None for numbers.
    targets : int64 or float64 (n,)
    classes : array (C,) or None
    unit : str
    why : str
    """

    removal: np.ndarray
    relabel: np.ndarray | None
    targets: np.ndarray
    classes: np.ndarray | None
    unit: str
    why: str


def is_tree_model(model):
    """Is it a model of trees whose influence is known, bare or at the end of a pipeline?"""
    estimator = model[-1] if isinstance(model, Pipeline) else model
    return isinstance(estimator, (*BOOSTED, *FORESTS))


def tree_rises(model, X, y, X_holdout, y_holdout, target, sample_weight, groups=None):
    """`TreeRises` of boosted trees or a forest, fitted or not.

    Parameters
    ----------
    model : HistGradientBoosting*, RandomForest*, ExtraTrees*, or a pipeline that ends in one
    target : {"loss", "accuracy"} or callable
    groups : int64 (n,), optional
        Codes of rows that leave together.
    """
    transformer, estimator = named_model(model)
    n_rows = len(y) if hasattr(y, "__len__") else None
    given = checked_weights(sample_weight, n_rows)
    _, X, X_holdout = through(transformer, X, y, X_holdout)
    targets, held_targets, classes = coded_targets(estimator, y, y_holdout)
    weights = np.ones(len(targets)) if given is None else given
    for rows, held, names in ((X, targets, ("X", "y")), (X_holdout, held_targets, ("X_holdout", "y_holdout"))):
        check_rows(n_rows_of(rows, names[0]), len(held), *names)
    labels = targets if classes is None else classes[targets]
    ready = fitted_on(estimator, X, labels, given)
    work = _boosted if isinstance(estimator, BOOSTED) else _forest
    return work(ready, X, labels, targets, weights, classes, X_holdout, held_targets, target, groups)


def _boosted(model, X, labels, targets, weights, classes, X_holdout, held_targets, target, groups):
    """Backwards through the trees: what the target gains from each leaf, the answer of later trees included."""
    trees = boosted_trees(model)
    if classes is not None:
        with border(type(model).__name__, "weighing the rows"):
            weights = model._finalize_sample_weight(weights, targets.astype(np.float64))
    taught = trees.taught(targets, weights)
    rows, held = trees.rows(X, "X")[taught], trees.rows(X_holdout, "X_holdout")
    held_leaves = trees.leaves(held)
    held_scores = trees.scores(held_leaves)
    slopes, unit = _boosted_slopes(trees.loss, held_scores, held_targets, target)
    walk = Backwards(trees, trees.leaves(rows), targets[taught], weights[taught], None if groups is None else groups[taught])
    for step in range(len(held_leaves) - 1, -1, -1):
        walk.back(step, held_leaves[step], slopes)
    removal, relabel = walk.first(slopes.sum(axis=0), len(targets), taught)
    why = "splits are held"
    if len(taught) < len(targets):
        why += f"; {len(targets) - len(taught)} rows were set aside to stop early and are worth 0"
    return TreeRises(removal, None if classes is None else relabel, targets, classes, unit, why)


def _boosted_slopes(loss, scores, targets, target):
    """(derivative of what is to be small by each holdout score float64 (n_holdout, c), its unit)."""
    if target == "loss":
        return loss.derivatives(scores, targets)[0] * loss.scale / len(targets), loss.unit
    if callable(target):
        shown = scores[:, 0] if scores.shape[1] == 1 else scores
        return -chosen_slopes(target, shown, targets).reshape(scores.shape) / len(targets), chosen_unit(target)
    raise OptionError("target", target, "'loss' or a function of raw scores and labels: boosted trees have no spread to smooth accuracy by")


class Backwards:
    """A walk from the last boosted tree to the first that keeps how the target follows from each training score.

    Parameters
    ----------
    trees : BoostedTrees
    leaves : sequence of int (n, c)
        Leaf of each row, by iteration.
    targets : int64 or float64 (n,)
    weights : float64 (n,)
    groups : int64 (n,) or None
    """

    def __init__(self, trees, leaves, targets, weights, groups):
        self._trees, self._leaves, self._targets, self._weights, self._groups = trees, leaves, targets, weights, groups
        self._scores = trees.scores(leaves)
        self._pulls = np.zeros_like(self._scores)
        self._strengths = np.zeros_like(self._scores)
        self._removal = np.zeros(len(targets) if groups is None else groups.max(initial=-1) + 1)

    def back(self, step, held_leaves, slopes):
        """Undo the trees of one iteration."""
        loss, rate, l2 = self._trees.loss, self._trees.model.learning_rate, self._trees.model.l2_regularization
        kept = self._trees.kept[step]
        for score, (values, _) in enumerate(kept):
            self._scores[:, score] -= values[self._leaves[step][:, score]]
        gradients, hessians = loss.derivatives(self._scores, self._targets)
        strengths, saids = np.zeros_like(self._scores), np.zeros_like(self._scores)
        for score, (values, counts) in enumerate(kept):
            if len(values) == 1:
                continue
            leaf = self._leaves[step][:, score]
            held = np.bincount(held_leaves[:, score], slopes[:, score], minlength=len(values))
            gradient, hessian = gradients[:, score] * self._weights, hessians[:, score] * self._weights
            said, strength, removal = boosted_leaves(leaf, gradient, hessian, self._pulls[:, score], held, rate, l2)
            check_leaves(said, counts, values, leaf)
            strengths[:, score], saids[:, score] = strength[leaf], said[leaf] / rate
            self._removal += removal if self._groups is None else self._together(leaf, gradient, hessian, said, strength)
        self._strengths += strengths
        self._pulls -= self._weights[:, None] * loss.backwards(self._scores, gradients, hessians, strengths, saids)

    def first(self, slope, n_rows, taught):
        """(rise when each row, or group, leaves; rise when each row gets each label (n, C)), the first score included.

        Parameters
        ----------
        slope : float64 (c,)
            Of the target by the first score on the holdout.
        n_rows : int
        taught : int64 (n,)
            Where the rows of this walk stand among all of them; the others have 0.
        """
        pull, total = slope + self._pulls.sum(axis=0), self._weights.sum()
        parts = self._trees.loss.means(self._targets) * self._weights[:, None]
        mean = parts.sum(axis=0) / total
        first = self._trees.loss.first_scores(mean[None])
        left, gone = self._weights[:, None], parts
        if self._groups is not None:
            gone = np.column_stack([np.bincount(self._groups, column) for column in parts.T])
            left = np.bincount(self._groups, self._weights)[:, None]
        without = (mean * total - gone) / np.maximum(total - left, np.finfo(float).tiny)
        removal = self._removal + (self._trees.loss.first_scores(without) - first) @ pull
        if self._groups is None:
            removal = _among(removal, taught, n_rows)
        return removal, _among(self._relabel(pull, mean, first, total), taught, n_rows) if self._trees.loss.name == "log_loss" else None

    def _relabel(self, pull, mean, first, total):
        loss, weights = self._trees.loss, self._weights[:, None]
        n_classes = max(2, loss.n_scores)
        own = loss.means(self._targets)
        rises = np.empty((len(own), n_classes))
        for label in range(n_classes):
            move = (loss.means(np.full(len(own), label)) - own) * weights
            rises[:, label] = np.einsum("nc,nc->n", self._strengths, move) + (loss.first_scores(mean + move / total) - first) @ pull
        return rises

    def _together(self, leaf, gradient, hessian, said, strength):
        """Rise of the target when a tree's leaves lose all rows of a group at once, float64 (n_groups,)."""
        rate, l2, n_groups = self._trees.model.learning_rate, self._trees.model.l2_regularization, len(self._removal)
        pairs, place = np.unique(leaf.astype(np.int64) * n_groups + self._groups, return_inverse=True)
        held = pairs // n_groups
        slope, bend = np.bincount(leaf, gradient, minlength=len(said)), np.bincount(leaf, hessian, minlength=len(said))
        left = bend[held] - np.bincount(place, hessian)
        kept = left > 1e-12 * bend[held]
        without = np.where(kept, -rate * (slope[held] - np.bincount(place, gradient)) / np.where(kept, left + l2, 1.0), 0.0)
        wanted = strength[held] * (bend[held] + l2) / rate
        return np.bincount(pairs % n_groups, wanted * (without - said[held]), minlength=n_groups)


def _forest(model, X, labels, targets, weights, classes, X_holdout, held_targets, target, groups):
    """Tree by tree: a prediction is a vote of the rows that share its leaves."""
    forest = read_forest(model, X, labels, weights)
    held_leaves = leaves_of(model, X_holdout, "X_holdout")
    with border(type(model).__name__, "predict"):
        said = model.predict(X_holdout)[:, None] if classes is None else model.predict_proba(X_holdout)
    slopes, unit = _forest_slopes(said, held_targets, classes, target)
    slopes = slopes / len(model.estimators_)
    products = np.einsum("nc,nc->n", slopes, said)
    outcome = targets[:, None].astype(np.float64) if classes is None else np.eye(len(classes))[targets]
    removal, relabel = np.zeros(len(targets)), np.zeros(outcome.shape)
    for tree, grown in enumerate(model.estimators_):
        leaf, place, n_nodes = forest.leaves[:, tree], held_leaves[:, tree], grown.tree_.node_count
        held = np.column_stack([np.bincount(place, column, minlength=n_nodes) for column in slopes.T])
        share, rise = forest_leaves(leaf, forest.weights_of(tree), outcome, held, np.bincount(place, products, minlength=n_nodes))
        removal += rise
        if classes is not None:
            relabel += share[:, None] * (held[leaf] - np.einsum("nc,nc->n", held[leaf], outcome)[:, None])
    removal = removal if groups is None else np.bincount(groups, removal)
    return TreeRises(removal, None if classes is None else relabel, targets, classes, unit, "splits and draws are held")


def _forest_slopes(said, targets, classes, target):
    """(derivative of what is to be small by each holdout prediction float64 (n_holdout, c), its unit)."""
    n_holdout = len(targets)
    if callable(target):
        shown = said[:, 0] if classes is None else said
        return -chosen_slopes(target, shown, targets).reshape(said.shape) / n_holdout, chosen_unit(target)
    if target == "loss" and classes is None:
        return 2 * (said - targets[:, None]) / n_holdout, "squared error"
    if target not in ("loss", "accuracy") or classes is None:
        raise OptionError("target", target, "'loss' or a function" + ("" if classes is None else ", or 'accuracy'"))
    own = np.eye(len(classes))[targets]
    return (2 * (said - own) / n_holdout, "Brier score") if target == "loss" else (-own / n_holdout, "probability of the true class")


def _among(values, positions, n_rows):
    """Values of some rows among all of them, 0 elsewhere."""
    whole = np.zeros((n_rows, *values.shape[1:]))
    whole[positions] = values
    return whole
