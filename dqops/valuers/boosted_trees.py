"""Boosted trees of scikit-learn, read from the fitted model: leaves of any rows, and what each loss slopes and bends like."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit, log_softmax, softmax
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.model_selection import train_test_split

from dqops.errors import DataError, OptionError
from dqops.models.fitting import border

BOOSTED = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
_LOSSES = ("squared_error", "log_loss", "poisson", "gamma")


@dataclass(frozen=True)
class BoostedLoss:
    """A loss of gradient boosting in its raw scores, float64 (n, c) with one column, or one a class.

    Parameters
    ----------
    name : {"squared_error", "log_loss", "poisson", "gamma"}
    n_scores : int
    """

    name: str
    n_scores: int

    @property
    def unit(self):
        """What one unit of it is called."""
        return {"squared_error": "squared error", "log_loss": "log loss"}.get(self.name, f"half {self.name} deviance")

    @property
    def scale(self):
        """Of the loss that is reported, in units of the one that is minimised."""
        return 2.0 if self.name == "squared_error" else 1.0

    def derivatives(self, scores, targets):
        """Gradients, and hessians on the diagonal, by the scores: float64 (n, c) each."""
        if self.name == "squared_error":
            return scores - targets[:, None], np.ones_like(scores)
        if self.name == "log_loss" and self.n_scores == 1:
            sure = expit(scores)
            return sure - targets[:, None], sure * (1 - sure)
        if self.name == "log_loss":
            sure = softmax(scores, axis=1)
            hessian = sure * (1 - sure)
            sure[np.arange(len(targets)), targets] -= 1
            return sure, hessian
        if self.name == "poisson":
            rate = np.exp(scores)
            return rate - targets[:, None], rate
        ratio = targets[:, None] * np.exp(-scores)
        return 1 - ratio, ratio

    def backwards(self, scores, gradients, hessians, strength, said):
        """How the target falls by each score through the leaves that learn from it, float64 (n, c).

        Parameters
        ----------
        scores, gradients, hessians : float64 (n, c)
            Before the trees, weights left out.
        strength, said : float64 (n, c)
            Of the leaf that each row is in, by tree; `said` before the learning rate.
        """
        if self.name == "squared_error":
            return strength
        if self.name == "poisson":
            return strength * hessians * (1 + said)
        if self.name == "gamma":
            return strength * hessians * (1 - said)
        if self.n_scores == 1:
            return strength * hessians * (1 + said * (1 - 2 * expit(scores)))
        sure = softmax(scores, axis=1)
        share = strength * sure * (1 + said * (1 - 2 * sure))
        return share - sure * share.sum(axis=1, keepdims=True)

    def means(self, targets):
        """What the first score is made of, by row: float64 (n, c)."""
        return np.eye(self.n_scores)[targets] if self.n_scores > 1 else np.asarray(targets, dtype=np.float64)[:, None]

    def first_scores(self, means):
        """The score before any tree, from the mean target: float64 (n, c)."""
        tiny = np.finfo(np.float64).eps
        if self.name == "squared_error":
            return means
        if self.name != "log_loss":
            return np.log(np.maximum(means, tiny))
        sure = np.clip(means, tiny, 1 - tiny)
        if self.n_scores == 1:
            return np.log(sure) - np.log1p(-sure)
        return log_softmax(np.log(sure), axis=1) - log_softmax(np.log(sure), axis=1).mean(axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class BoostedTrees:
    """A fitted ensemble, tree by tree.

    Parameters
    ----------
    model : fitted HistGradientBoostingClassifier or HistGradientBoostingRegressor
    loss : BoostedLoss
    """

    model: object
    loss: BoostedLoss

    def rows(self, X, name):
        """Features as the trees see them, float64 (n, d); missing cells stay missing."""
        with border(type(self.model).__name__, f"reading {name}"):
            return np.ascontiguousarray(self.model._preprocess_X(X, reset=False))

    def leaves(self, rows):
        """Leaf of each row by iteration and score: a list of arrays (n, c), leaves numbered from 0 in each tree."""
        known, places = self.model._bin_mapper.make_known_categories_bitsets()
        found = []
        for trees in self.model._predictors:
            widest = max(int(tree.nodes["is_leaf"].sum()) for tree in trees)
            numbers = np.empty((len(rows), len(trees)), dtype=np.uint8 if widest <= 256 else np.uint16 if widest <= 65536 else np.int32, order="F")
            for one, tree in enumerate(trees):
                nodes = tree.nodes.copy()
                nodes["value"] = np.cumsum(nodes["is_leaf"]) - 1
                numbers[:, one] = TreePredictor(nodes, tree.binned_left_cat_bitsets, tree.raw_left_cat_bitsets).predict(rows, known, places, 1)
            found.append(numbers)
        return found

    @cached_property
    def kept(self):
        """(what each leaf says, rows that it was learned from) by iteration and score."""
        nodes = [[tree.nodes[tree.nodes["is_leaf"] == 1] for tree in trees] for trees in self.model._predictors]
        return [[(np.ascontiguousarray(one["value"]), one["count"].astype(np.int64)) for one in trees] for trees in nodes]

    def scores(self, leaves):
        """Raw scores of rows in these leaves, float64 (n, c)."""
        total = np.repeat(self.model._baseline_prediction.astype(np.float64), len(leaves[0]), axis=0)
        for numbers, trees in zip(leaves, self.kept, strict=True):
            for score, (values, _) in enumerate(trees):
                total[:, score] += values[numbers[:, score]]
        return total

    def taught(self, targets, weights):
        """Positions of the rows that the trees were taught; the others were set aside to stop early."""
        model = self.model
        if not getattr(model, "do_early_stopping_", False) or model.validation_fraction is None or not getattr(model, "_use_validation_data", True):
            return np.arange(len(targets))
        options = {"test_size": model.validation_fraction, "random_state": model._random_seed}
        stratify = targets if self.loss.name == "log_loss" else None
        return train_test_split(np.arange(len(targets)), stratify=stratify, **options)[0]


def boosted_trees(model):
    """`BoostedTrees` of a fitted model.

    Raises
    ------
    OptionError
        For a loss whose leaves are medians or quantiles, or monotonic constraints.
    """
    name = "log_loss" if isinstance(model, HistGradientBoostingClassifier) else model.loss
    if name not in _LOSSES:
        raise OptionError("loss", name, f"one of {', '.join(map(repr, _LOSSES))}: leaves that are means")
    if model.monotonic_cst is not None:
        raise OptionError("monotonic_cst", model.monotonic_cst, "none: a leaf that is held by its neighbours does not follow its rows")
    if getattr(model, "warm_start", False):
        raise OptionError("warm_start", True, "False: all trees taught the same rows")
    return BoostedTrees(model, BoostedLoss(name, model.n_trees_per_iteration_))


def check_leaves(said, counts, kept, leaf):
    """Refuse rows that the tree was not taught: other counts, or leaves that say something else.

    Parameters
    ----------
    said : float64 (n_leaves,)
        As worked out from the rows.
    counts : int64 (n_leaves,)
        Rows that each leaf was learned from.
    kept : float64 (n_leaves,)
        What the leaves of the fitted model say.
    leaf : int (n,)
    """
    if len(counts) == 1:
        return
    far = np.abs(said - kept) > 1e-3 * np.abs(kept).max() + 1e-6
    if not np.array_equal(np.bincount(leaf, minlength=len(counts)), counts) or far.any():
        raise DataError("X, y and sample_weight are not what the trees were fitted to: their leaves would say something else", "the rows, labels and weights of the fit")
