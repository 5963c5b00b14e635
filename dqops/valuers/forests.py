"""Forests of scikit-learn, read from the fitted model: leaves of any rows, and the weight of each row in each tree."""

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from dqops.errors import DataError, OptionError
from dqops.models.fitting import border

FORESTS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
_MEANS = ("gini", "entropy", "log_loss", "squared_error", "friedman_mse", "poisson")


@dataclass(frozen=True, eq=False)
class Forest:
    """A fitted forest, tree by tree, with the rows that it was fitted to.

    Parameters
    ----------
    model : fitted forest
    leaves : int64 (n, n_trees)
        Node that each training row ends in.
    drawn : sequence of int64
        Positions of the rows that each tree was given, with repeats.
    weights : float64 (n,)
        Sample weights.
    labels : array (n,)
        As the forest was taught.
    """

    model: object
    leaves: np.ndarray
    drawn: list
    weights: np.ndarray
    labels: np.ndarray

    def weights_of(self, tree):
        """Weight of each row in one tree, float64 (n,).

        Whether sample weights count in the leaves, or only in the draw, hangs on the version and the kind of forest: what
        agrees with the tree's own leaves is taken.

        Raises
        ------
        DataError
            Where nothing does: these are not the rows of the fit.
        """
        counts = np.bincount(self.drawn[tree], minlength=len(self.leaves)).astype(np.float64)
        nodes = self.model.estimators_[tree].tree_
        for weights in self._candidates(counts, tree):
            found = np.bincount(self.leaves[:, tree], weights, minlength=nodes.node_count)
            known = np.where(nodes.children_left == -1, nodes.weighted_n_node_samples, 0.0)
            if np.allclose(found, known, rtol=1e-6, atol=1e-9 * known.max()):
                return weights
        raise DataError("X, y and sample_weight are not what the forest was fitted to: its leaves hold other rows", "the rows, labels and weights of the fit")

    def _candidates(self, counts, tree):
        given = getattr(self.model, "class_weight", None)
        yield counts
        yield counts * self.weights
        if isinstance(given, dict):
            yield counts * self.weights * compute_sample_weight(given, self.labels)
        elif given is not None:
            drawn = self.drawn[tree] if self.model.bootstrap else None
            own = compute_sample_weight("balanced", self.labels, indices=drawn)
            classes, codes = np.unique(self.labels, return_inverse=True)
            whole = compute_class_weight("balanced", classes=classes, y=self.labels, sample_weight=self.weights)[codes]
            yield from (counts * own, counts * own * self.weights, counts * whole * self.weights)


def read_forest(model, X, labels, weights):
    """`Forest` of a fitted model and the rows that it was fitted to.

    Parameters
    ----------
    model : fitted forest
    X : array-like (n, d)
    labels : array (n,)
        Labels themselves, not codes; numbers for a regressor.
    weights : float64 (n,)
        Sample weights.
    """
    if model.criterion not in _MEANS:
        raise OptionError("criterion", model.criterion, f"one of {', '.join(map(repr, _MEANS))}: leaves that are means")
    if getattr(model, "warm_start", False):
        raise OptionError("warm_start", True, "False: all trees taught the same rows")
    if getattr(model, "monotonic_cst", None) is not None:
        raise OptionError("monotonic_cst", model.monotonic_cst, "none: a leaf that is held by its neighbours does not follow its rows")
    if model.n_outputs_ != 1:
        raise DataError(f"the forest predicts {model.n_outputs_} targets", "one")
    leaves = leaves_of(model, X, "X")
    if len(leaves) != len(labels):
        raise DataError(f"X has {len(leaves)} rows and y {len(labels)}", "one target a row")
    if getattr(model, "_n_samples", len(leaves)) != len(leaves):
        raise DataError(f"the forest was fitted to {model._n_samples} rows and X has {len(leaves)}", "the rows of the fit")
    drawn = model.estimators_samples_ if model.bootstrap else [np.arange(len(labels))] * len(model.estimators_)
    return Forest(model, leaves, drawn, weights, labels)


def leaves_of(model, X, name):
    """Node that each row ends in, int64 (n, n_trees)."""
    with border(type(model).__name__, f"reading {name}"):
        return model.apply(X)
