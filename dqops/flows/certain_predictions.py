"""Which predictions of k-NN no cleaning can change, for arrays."""

import numpy as np

from dqops.errors import DataError
from dqops.models.candidate_arrays import candidate_arrays
from dqops.models.knn_worlds import KnnWorlds
from dqops.results.certain_predictions import CertainPredictions
from dqops.valuers.arrays import check_rows, coded_labels, feature_array


def certain_predictions(candidates, y, X_holdout, *, k=3, weights=None, mask=None, metric="euclidean", y_holdout=None):
    """Exact distribution of each k-NN prediction when training rows are uncertain.

    Each training row is one of its candidates, rows are independent of each other. Neighbours are ordered by distance,
    then row, then candidate; vote ties go to the smallest class, so an even `k` is allowed.

    Parameters
    ----------
    candidates : sequence of n arrays (m_i, d), or float array (n, M, d)
        Plausible feature rows of each training row; one for a row that is known.
    y : array-like (n,)
        Labels of any kind.
    X_holdout : array-like (n_holdout, d)
    k : int, default 3
        Neighbours that vote; all rows where there are fewer.
    weights : sequence of n arrays (m_i,), or float array (n, M), optional
        0 or more; equal by default. Those of a row are divided by their sum; a candidate of weight 0 is in no world.
    mask : bool (n, M), optional
        With an array (n, M, d): which entries are candidates; the others are not read.
    metric : {"euclidean", "cosine"}
    y_holdout : array-like (n_holdout,), optional
        Adds bounds on the accuracy.

    Returns
    -------
    CertainPredictions
        ``probabilities`` (n_holdout, n_classes), ``certain`` (n_holdout,), ``classes``, ``accuracy``.

    Raises
    ------
    DataError
        Where a row has no candidate, a candidate holds NaN, a weight is negative, or shapes do not fit.
    OptionError
        Where `k` or `metric` cannot be.

    Notes
    -----
    One matrix product of holdout rows and candidates in single precision, then for each holdout row a scan of the
    candidates that can be among its nearest: about n_holdout · n_candidates · d in all.

    References
    ----------
    Karlaš, Li, Wu, Gürel, Chu, Wu, Zhang 2021, PVLDB 14(3), Nearest neighbor classifiers over incomplete information.
    arXiv 2005.05117

    Examples
    --------
    >>> candidates = [[[1.0]], [[2.0], [8.0]], [[3.0], [9.0]], [[4.0]], [[5.0], [7.0]]]
    >>> told = certain_predictions(candidates, [1, 0, 0, 1, 0], [[0.0]], k=3, y_holdout=[1])
    >>> told.probabilities.tolist(), told.certain.tolist(), told.accuracy
    ([[0.25, 0.75]], [False], (0.0, 0.75, 1.0))
    """
    labels = coded_labels(y, y_holdout)
    points, start, shares = candidate_arrays(candidates, weights, mask)
    check_rows(len(start) - 1, len(labels.codes), "candidates")
    tests = feature_array(X_holdout, "X_holdout")
    if tests.shape[1] != points.shape[1]:
        raise DataError(f"candidates have {points.shape[1]} columns and X_holdout {tests.shape[1]}", "the same columns in both")
    if labels.holdout is not None:
        check_rows(len(tests), len(labels.holdout), "X_holdout", "y_holdout")
    told = KnnWorlds(points, start, shares, labels.codes, tests, k=k, n_classes=labels.n_trained, metric=metric)
    accuracy = None
    if labels.holdout is not None:
        accuracy = told.accuracy(np.where(labels.holdout < labels.n_trained, labels.holdout, -1))
    return CertainPredictions(labels.classes[: labels.n_trained], told.probabilities, told.possible, told.k, accuracy)
