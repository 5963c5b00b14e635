"""What repairing a row is worth: its label, its features, or both."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from dqops.errors import DataError, OptionError
from dqops.kernels.distances import row_distances
from dqops.kernels.repairs import moved_ranks, ranks_of, repair_gains
from dqops.kernels.shapley import add_values, rank_weights
from dqops.results.repair_values import RepairValues
from dqops.valuers.arrays import check_columns, check_memory, check_order, check_rows, feature_array, feature_arrays
from dqops.valuers.holdout_parts import PART, mean_and_stderr, sum_over_holdout, worker_count
from dqops.valuers.influence import repair_influence
from dqops.valuers.knn_shapley import MAX_BYTES, check_options, exact_bytes
from dqops.valuers.neighbours import Neighbours, neighbours_of
from dqops.valuers.votes import LabelVotes, NumberVotes, SoftVotes, check_votes, n_columns, voices_of, votes_of

METHODS = ("knn", "influence")
_LIST = "the list of repairs"


def repair_values(
    X,
    y,
    X_holdout,
    y_holdout,
    *,
    labels=None,
    features=None,
    rows=None,
    method="knn",
    k=5,
    metric="euclidean",
    classes=None,
    model="logistic",
    target="loss",
    step="newton",
    sample_weight=None,
    n_jobs=1,
    max_bytes=MAX_BYTES,
):
    """What replacing the label, or the features, of each row would be worth.

    With ``method="knn"`` no model is trained: a set of rows is worth the share of right votes among its k nearest, as
    for `dqops.knn_shapley`, and a repair is worth what the row adds after it less what it adds now, averaged over all
    sets of other rows. A repair differs from a removal: a wrong label that is put right turns a wrong vote into a right
    one, a removal only forgoes it.

    Parameters
    ----------
    X : array-like (n, d)
    y : array-like (n,) or (n, n_classes)
        Labels as they are, or probabilities of classes; for influence also numbers.
    X_holdout, y_holdout : array-like (n_holdout, d) and (n_holdout,)
        Rows that repairs are judged by.
    labels : array-like (count,) or (count, n_classes), optional
        What to write instead, or, for "knn", the probability of each true label: the repair is then worth what it is
        expected to be. By default labels stay.
    features : array-like (count, d), optional
        Rows to write instead. By default features stay.
    rows : int (count,), optional
        Positions of the rows that are repaired, one at a time; all, in order, where they are not given. A row may come
        again, with another candidate.
    method : {"knn", "influence"}, default "knn"
        "influence" asks a linear `model` instead: `dqops.repair_influence`.
    k : int, default 5
    metric : {"euclidean", "cosine", "manhattan"}
        Of "knn".
    classes : array-like (n_classes,), optional
        Labels of the columns of probabilities.
    model : {"logistic", "ridge"}, estimator or pipeline
        Of "influence".
    target, step, sample_weight
        Of "influence"; as for `dqops.influence`.
    n_jobs : int, default 1
        Workers of "knn"; -1 takes all cores. Values do not depend on it.
    max_bytes : int
        Refuse work that would hold more than this beside the inputs.

    Returns
    -------
    RepairValues
        One value a repair, with its standard error over holdout rows, and beside it the effect on the score of the whole
        table. For influence both are one.

    Raises
    ------
    OptionError
        Where there is nothing to write, or a setting cannot be.
    DataError
        Where the arrays cannot be used, or the work does not fit.

    Notes
    -----
    O(n_holdout (n (d + log n) + count d log n)) time, and the memory of `dqops.knn_shapley`; labels alone take O(count)
    for each holdout row.

    References
    ----------
    Jia, Dao, Wang, Hubis, Gurel, Li, Zhang, Spanos, Song 2019, VLDB 12(11). doi:10.14778/3342263.3342637

    Examples
    --------
    >>> gains = repair_values([[0.0], [1.0]], ["no", "no"], [[0.1]], ["yes"], labels=["yes", "yes"], k=1)
    >>> gains.value.tolist(), gains.effect.tolist()
    ([1.0, 0.5], [1.0, 0.0])
    """
    if method not in METHODS:
        raise OptionError("method", method, f"one of {', '.join(map(repr, METHODS))}")
    if labels is None and features is None:
        raise OptionError("labels", None, "labels=, features= or both: what is to be written instead")
    if method == "influence":
        asked = {"labels": labels, "features": features, "rows": rows, "model": model}
        found = repair_influence(X, y, X_holdout, y_holdout, **asked, target=target, step=step, sample_weight=sample_weight)
        return replace(_named(found.value, None, found.unit, "repair_influence", rows), effect=found.value, why=found.why)
    if sample_weight is not None:
        raise OptionError("sample_weight", "weights", "none for method='knn', whose votes are equal, or method='influence'")
    check_options(k)
    check_order(X, features, "features")
    X, X_holdout = feature_arrays(X, X_holdout)
    votes = votes_of(y, y_holdout, classes=classes, n_classes=1 if labels is None else n_columns(labels))
    if isinstance(votes, NumberVotes):
        raise DataError("y holds numbers to foretell", "labels or probabilities, or method='influence'")
    check_votes(votes, len(X), len(X_holdout))
    places = _places(rows, len(X))
    voices = votes.of_rows(places) if labels is None else voices_of(votes, labels, y_holdout)
    check_rows(len(places), len(voices), _LIST, "labels")
    candidates = None if features is None else _candidates(features, X, len(places))
    n_jobs = worker_count(n_jobs)
    check_memory(exact_bytes(X, metric, n_jobs) + 80 * len(places), max_bytes, f"repair_values of {len(X)} rows")
    with threadpool_limits(1, "blas"):
        near = neighbours_of(X, X_holdout, metric, candidates=candidates)
        repairs = _Repairs(near, votes, voices, places, int(k), moves=features is not None)
        sums = sum_over_holdout(repairs.part, len(X_holdout), PART, n_jobs)
    value, stderr = mean_and_stderr(*sums[:2], len(X_holdout))
    effect, effect_stderr = mean_and_stderr(*sums[2:], len(X_holdout))
    return replace(_named(value, stderr, votes.unit, "repair_shapley", rows), effect=effect, effect_stderr=effect_stderr)


@dataclass(frozen=True, eq=False)
class _Repairs:
    """Repairs of rows, ready to be valued: what the vote of each would be worth, and where it would stand.

    Parameters
    ----------
    near : Neighbours
        With the features of the repaired rows as candidates, where rows move.
    votes, voices : LabelVotes or SoftVotes
        Of the rows as they are, and of those that are repaired.
    places : int64 (count,)
    k : int
    moves : bool
    """

    near: Neighbours
    votes: LabelVotes | SoftVotes
    voices: LabelVotes | SoftVotes
    places: np.ndarray
    k: int
    moves: bool

    def part(self, start, stop, scratch):
        """Sums over some holdout rows: of gains and their squares, of effects and their squares."""
        near, count = self.near, len(self.places)
        sums, (gains, effects) = np.zeros((4, count)), np.empty((2, count))
        ranks = scratch.array("ranks", (len(near.X),), np.int32)
        weights, away = rank_weights(len(near.X), self.k), np.empty((1, count))
        for point, order in enumerate(near.orders(np.arange(start, stop), scratch), start):
            ranks_of(order, ranks)
            new_ranks = ranks[self.places].astype(np.int64)
            if self.moves:
                there = near.points[point : point + 1]
                row_distances(near.candidates, there, near.metric, away)
                new_ranks = moved_ranks(order, ranks, near.X, there[0], near.metric, self.places, away[0])
            worth, new_worth = self.votes.utility(point), self.voices.utility(point)
            repair_gains(order, ranks, worth, weights, self.k, self.places, new_ranks, new_worth, gains, effects)
            add_values(gains, sums[0], sums[1])
            add_values(effects, sums[2], sums[3])
        return sums


def _named(value, stderr, unit, method, rows):
    """A result whose lines bear the positions of the rows, where these were listed."""
    names = None if rows is None else pl.Series("row", np.asarray(rows), dtype=pl.Int64)
    return RepairValues(value, stderr, method, unit, rows=names)


def _places(rows, n):
    """Positions of the rows that are repaired."""
    if rows is None:
        return np.arange(n)
    places = np.atleast_1d(np.asarray(rows))
    if places.ndim != 1 or not len(places) or places.dtype.kind not in "iu" or not ((places >= 0) & (places < n)).all():
        raise OptionError("rows", rows, f"positions from 0 to {n - 1}")
    return places.astype(np.int64)


def _candidates(features, X, count):
    """Features of the repaired rows, as many as are to be repaired."""
    candidates = feature_array(features, "features")
    check_columns(X, candidates, "features")
    check_rows(count, len(candidates), _LIST, "features")
    return candidates.astype(np.float64, copy=False)
