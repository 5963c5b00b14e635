"""A panel of unlike learners that are heard on rows they did not learn from."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import has_fit_parameter

from dqops.models.bagged_trees import out_of_bag
from dqops.models.evidence import temperature, with_temperature
from dqops.models.fitting import border, seeded
from dqops.models.kernel_ridge import kernel_features, left_out
from dqops.models.resolve import resolve_model
from dqops.models.splits import assign_folds
from dqops.seeds import stream

FOLDS = 5
_TREES = 100
_NEIGHBOURS = 15
_SMALLEST = 1e-3
_OFTEN_ENOUGH = 1e-6


class Panel:
    """Two kinds of bagged trees, a kernel ridge, neighbours, a logistic regression, and the user's model where there is one.

    Parameters
    ----------
    X : float64 (n, d)
    n_classes : int
    model : estimator or name, optional
    seed : int
    """

    def __init__(self, X, n_classes, model, seed):
        self.n_classes, self.seed = n_classes, seed
        self.scaled = StandardScaler().fit_transform(X.astype(np.float64, copy=False))
        self.single = np.ascontiguousarray(self.scaled, dtype=np.float32)
        self.units = np.unique(X, axis=0, return_inverse=True)[1].ravel().astype(np.int64)
        self.maps = kernel_features(self.scaled, stream(seed, "landmarks"))
        self.near, self.closeness = _neighbours(self.scaled, self.units)
        self.model = None if model is None else resolve_model(model, "classification", seed=seed)
        self.X = X
        self.members = ("extra trees", "trees", "kernel", "neighbours", "logistic", *(() if model is None else ("model",)))

    def hear(self, targets, weights, given, name):
        """Log probabilities by each member for each row, float64 (L, n, C), calibrated to the given labels.

        Parameters
        ----------
        targets : float64 (n, C)
            Class probabilities to learn; the kernel ridge takes them as they are, the others the likeliest class.
        weights : float64 (n,)
            0 for rows that nobody is to learn from.
        given : int64 (n,)
        name : str
            Of the random stream.
        """
        codes = targets.argmax(axis=1)
        rng = stream(self.seed, name)
        trees = {"extra trees": ("extra", 3), "trees": ("best", 5)}
        said = [
            out_of_bag(self.single, codes, weights, self.n_classes, self.units, rng, kind=kind, n_trees=_TREES, min_leaf=leaf)
            for kind, leaf in trees.values()
        ]
        said.append(left_out(self.maps, targets, weights, self.units))
        said.append(self._voted(targets, weights))
        folds = assign_folds(given, self.units, FOLDS, rng)
        said.append(self._folded(folds, self.scaled, codes, weights, lambda: LogisticRegression(max_iter=100)))
        if self.model is not None:
            said.append(self._folded(folds, self.X, codes, weights, lambda: seeded(self.model.estimator, self.seed)))
        return np.stack([_calibrated(one, given) for one in said])

    def _voted(self, targets, weights):
        """What neighbours vote, nearer ones louder."""
        loud = self.closeness * weights[self.near]
        votes = np.einsum("nk,nkc->nc", loud, targets[self.near])
        shares = weights @ targets
        return votes + 1e-9 * shares / shares.sum()

    def _folded(self, folds, X, codes, weights, make):
        """Probabilities of each fold by a learner of the others."""
        said = np.zeros((len(X), self.n_classes))
        for fold in range(FOLDS):
            rows, held = np.flatnonzero((folds != fold) & (weights > 0)), np.flatnonzero(folds == fold)
            if not len(held):
                continue
            seen = np.unique(codes[rows])
            if len(seen) < 2:
                said[held[:, None], seen] = 1.0
                continue
            name = "panel" if self.model is None else self.model.name
            with border(name, "fit"):
                learner = make()
                learner.fit(X[rows], codes[rows], **_weighted(learner, weights[rows]))
                said[held[:, None], learner.classes_] = _said(learner, X[held])
        return said


def _neighbours(X, units):
    """Nearest rows of other units, int64 (n, k), and their closeness, falling from 1 with the distance."""
    k = min(_NEIGHBOURS + 1, len(X))
    distances, near = NearestNeighbors(n_neighbors=k).fit(X).kneighbors(X)
    own = units[near] == units[:, None]
    closeness = np.exp(-distances / max(float(np.median(distances[~own])) if not own.all() else 1.0, 1e-12))
    return near, np.where(own, 0.0, closeness)


def _weighted(learner, weights):
    return {"sample_weight": weights} if has_fit_parameter(learner, "sample_weight") else {}


def _said(learner, X):
    if hasattr(learner, "predict_proba"):
        return learner.predict_proba(X)
    return (learner.predict(X)[:, None] == learner.classes_).astype(float)


def _calibrated(said, given):
    """Log probabilities of these scores, tempered to the given labels."""
    chances = np.clip(said, _SMALLEST, None)
    chances /= chances.sum(axis=1, keepdims=True)
    return np.log(np.clip(with_temperature(chances, temperature(chances, given)), _OFTEN_ENOUGH, 1.0))
