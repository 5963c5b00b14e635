"""Gains for k-NN: nobody is trained; worlds are counted where that is possible, and their votes are exact everywhere."""

from dataclasses import dataclass, replace

import numpy as np

from dqops.contracts import Propagator
from dqops.errors import OptionError
from dqops.kernels.distances import EUCLIDEAN, row_distances
from dqops.kernels.world_votes import nearest_in_world, vote_chances
from dqops.models.knn_worlds import KnnWorlds
from dqops.models.space import last_step
from dqops.propagation.following import gains_of, seen_in, share_of
from dqops.propagation.in_space import placed

MOST_COUNTS = 20_000  # counts of votes by class that are told apart for one judged row
_SAMPLED = 4000  # draws of votes where there are more


@dataclass(frozen=True)
class Knn(Propagator):
    """Counts the votes of the nearest rows in each world.

    Where the doubts are in features, or in labels, alone, the expected score is exact over all worlds at once; its spread
    between worlds is that of a sample. A model that is no k-NN is stood in for by one in the space of its last step.

    Parameters
    ----------
    k : int or None
        Neighbours; the model's own, or 5, by default.
    n_worlds, n_candidates, level
        As for `Retrain`.

    References
    ----------
    Karlaš et al. 2021, PVLDB 14(3), Nearest neighbor classifiers over incomplete information. arXiv 2005.05117

    Examples
    --------
    >>> Knn(k=3).name
    'knn'
    """

    name = "knn"
    k: int | None = None
    n_worlds: int = 16
    n_candidates: int = 10
    level: float = 0.9

    def refusal(self, design):
        """Neighbours vote for classes."""
        if design.task == "regression":
            return "k-NN is counted for classes, and the target is a quantity"
        weighted = getattr(last_step(design.model), "weights", "uniform") != "uniform"
        return "neighbours are counted with equal votes, and this model weighs them" if weighted and self.own_k(design) else ""

    def own_k(self, design):
        """Neighbours of the model itself; None where it is no k-NN by the usual distance."""
        step = last_step(design.model)
        usual = type(step).__name__ == "KNeighborsClassifier" and (step.metric == "euclidean" or (step.metric, step.p) == ("minkowski", 2))
        return step.n_neighbors if usual else None

    def price(self, doubts, design, splits, rng):
        """`Gains` of these doubts; see `Propagator.price`. One sort of all distances a split, then votes alone."""
        if self.k is not None and (not isinstance(self.k, (int, np.integer)) or isinstance(self.k, bool) or self.k < 1):
            raise OptionError("k", self.k, "an integer of 1 or more")
        k, seed = self.k or self.own_k(design) or 5, int(rng.integers(2**31))
        seen = []
        for _, train, judged in splits:
            place = placed(train, judged, doubts, design, seed=seed, scaled=True, n_worlds=self.n_worlds, n_candidates=self.n_candidates)
            follower = Neighbours(place, k)
            seen.append([follower.counted(at, seen_in(case, follower.of(at))) for at, case in enumerate(place.cases)])
        share, n_judged = share_of(splits)
        gains = gains_of(place.cases, seen, share=share, level=self.level, method=self.name, floor=1 / n_judged)
        said = () if self.own_k(design) else (f"k-NN (k={k}) in the space of its last step stands in for {design.model.name}",)
        return replace(gains, notes=(*gains.notes, *said))


class Neighbours:
    """The nearest rows of each judged row, and who they are in a world."""

    def __init__(self, place, k):
        self.place, self.k, self.at = place, min(k, len(place.X)), None
        self.distances, self.order = self._sorted(place.J)

    def of(self, at):
        """The same for one case."""
        self.at = at
        return self

    def _sorted(self, J):
        """Distances to all training rows, and the rows, nearest first, ties by row."""
        distances = squared_distances(J, self.place.X)
        return distances, np.argsort(distances, axis=1, kind="stable").astype(np.int32)

    def model(self, case, part, chosen):
        """Which training rows changed, and to what."""
        return None if part == "today" else self.place.changed(self.at, part, chosen)

    def votes(self, model, J=None):
        """Labels of the nearest rows of each judged row in a world, int64 (n_judged, k); -1 for nobody."""
        place, distances, order = self.place, self.distances, self.order
        if J is not None:
            elsewhere = np.flatnonzero((J != place.J).any(axis=1))
            distances, order = distances.copy(), order.copy()
            distances[elsewhere], order[elsewhere] = self._sorted(J[elsewhere])
        J = place.J if J is None else J
        gone, labels = np.zeros(len(place.X), dtype=bool), np.append(place.y, -1)
        rows, away = np.empty(0, dtype=np.int64), np.empty((len(J), 0))
        if model is not None:
            positions, kept, features, targets = model
            same = kept & (features == place.X[positions]).all(axis=1)
            labels[positions] = targets
            gone[positions[~same]] = True
            moved = kept & ~same
            rows, away = positions[moved], squared_distances(J, features[moved])
        return labels[nearest_in_world(order, distances, gone, rows, away, self.k)]

    def score(self, model, case, part, chosen):
        """Score of the votes in a world."""
        J = self.place.judged(self.at, part, chosen)
        votes = self.votes(model, None if J is self.place.J else J)
        return self.place.score(shares_of_votes(votes, len(self.place.classes)))

    def counted(self, at, seen):
        """`seen` with the expected score over all worlds in place of that of a sample, where it can be counted."""
        case, place = self.place.cases[at], self.place
        if case.worlds.complete or not len(case.train.positions) or place.scoring != "accuracy" or not seen.truth or len(case.judged.positions):
            return seen
        mean = self._mean_accuracy(case, at)
        if mean is None:
            return seen
        base = place.score(shares_of_votes(self.votes(None), len(place.classes)))
        seen.truth = {arm: (mean - base, between) for arm, (_, between) in seen.truth.items()}
        return seen

    def _mean_accuracy(self, case, at):
        """Mean accuracy over all worlds of the training rows; None where rows both move and change their label, or may go."""
        choices, place = case.train, self.place
        features, targets = place.moved[at]["train"]
        if not choices.kept.all():
            return None
        own = np.repeat(choices.positions, choices.sizes)
        moves, relabels = (features != place.X[own]).any(), (targets != place.y[own]).any()
        if moves and relabels:
            return None
        if relabels:
            chances = np.eye(len(place.classes))[place.y]
            chances[choices.positions] = 0.0
            np.add.at(chances, (own, targets), choices.weights)
            nearest = self.order[:, : self.k]
            return accuracy_of(winners(chances[nearest], self.order[:, 0]), place.truth)
        worlds = KnnWorlds(*_all_points(place.X, choices, features), place.y, place.J, k=self.k, n_classes=len(place.classes))
        return worlds.accuracy(place.truth)[1]


def _all_points(X, choices, features):
    """Choices of all training rows end to end, where each row's begin, and their weights."""
    sizes = np.ones(len(X), dtype=np.int64)
    sizes[choices.positions] = choices.sizes
    start = np.concatenate([[0], np.cumsum(sizes)])
    points, weights = np.repeat(X, sizes, axis=0), np.ones(start[-1])
    doubtful = np.zeros(len(X), dtype=bool)
    doubtful[choices.positions] = True
    here = np.repeat(doubtful, sizes)
    points[here], weights[here] = features, choices.weights
    return points, start, weights


def winners(votes, keys):
    """Chance of each class to win, float64 (n, C), from chances of each vote (n, k, C); sampled where counting is too much.

    Parameters
    ----------
    votes : float64 (n, k, C)
    keys : int (n,)
        What the draws of a row hang on, where they are needed.
    """
    chances = vote_chances(np.ascontiguousarray(votes), MOST_COUNTS)
    for row in np.flatnonzero(chances[:, 0] < 0):
        rng = np.random.default_rng([int(keys[row]), votes.shape[1], votes.shape[2]])
        drawn = (rng.random((_SAMPLED, votes.shape[1], 1)) > np.cumsum(votes[row], axis=1)[None, :, :-1]).sum(axis=2)
        counts = np.stack([(drawn == label).sum(axis=1) for label in range(votes.shape[2])], axis=1)
        chances[row] = np.bincount(counts.argmax(axis=1), minlength=votes.shape[2]) / _SAMPLED
    return chances


def accuracy_of(chances, truth):
    """Mean chance of the true class; a class that no row has is never right."""
    return float(np.where(truth >= 0, chances[np.arange(len(truth)), np.maximum(truth, 0)], 0.0).mean())


def shares_of_votes(labels, n_classes):
    """Share of the votes of each class, float64 (n, C); -1 is nobody."""
    counts = np.stack([(labels == one).sum(axis=1) for one in range(n_classes)], axis=1).astype(np.float64)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)


def squared_distances(points, rows):
    """Squared distances, float64 (n_points, n_rows); equal rows are equally far, bit by bit."""
    found = np.empty((len(points), len(rows)))
    row_distances(np.ascontiguousarray(rows), np.ascontiguousarray(points), EUCLIDEAN, found)
    return found
