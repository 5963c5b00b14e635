"""Which predictions of k-NN some world brings; lists of neighbours are those of `dqops.kernels.certain`."""

import numpy as np
from numba import prange

from dqops.kernels import kernel, parallel_kernel


@parallel_kernel
def possible_predictions(span, places, row_span, kinds, k, n_classes):
    """Which predictions some world brings, without probabilities that may underflow.

    For a class, its rows stand as near as they can: a nearer one only adds a vote for it. At each distance the other
    classes may then have any number of rows inside from those that must be (all candidates passed) to those that can
    be (one candidate passed). The class wins where k votes can be dealt so that no other class beats it.

    Parameters
    ----------
    span, row_span : int64 (n_tests, 2)
    places : int32 (n_entries, 2)
        Candidate, and number of its row in the list, nearest first.
    kinds : int64 (n_listed, 2)
        Class and number of candidates of each row in a list.
    k : int
        At most the number of rows.
    n_classes : int

    Returns
    -------
    possible : bool (n_tests, n_classes)
    settled : bool (n_tests,)
        Whether the list holds all that counts; else there may be more possible predictions.
    """
    n_tests = len(span)
    possible, settled = np.zeros((n_tests, n_classes), dtype=np.bool_), np.zeros(n_tests, dtype=np.bool_)
    for test in prange(n_tests):
        begin = row_span[test, 0]
        passed = np.zeros(row_span[test, 1] - begin, dtype=np.int64)
        can, must = np.zeros(n_classes, dtype=np.int64), np.zeros(n_classes, dtype=np.int64)
        for entry in range(span[test, 0], span[test, 1]):
            row = places[entry, 1]
            label, size = kinds[begin + row, 0], kinds[begin + row, 1]
            passed[row] += 1
            can[label] += passed[row] == 1
            must[label] += passed[row] == size
            if passed[row] == 1 or passed[row] == size:
                for one in range(n_classes):
                    if not possible[test, one]:
                        possible[test, one] = _can_win(one, can, must, k)
                if must.sum() >= k:
                    settled[test] = True
                    break
    return possible, settled


@kernel
def _can_win(winner, can, must, k):
    """Whether k votes can be dealt so that `winner`, with all its rows that can be inside, is not beaten."""
    votes = can[winner]
    least = most = votes
    if votes > k:
        return False
    for one in range(len(can)):
        if one != winner:
            cap = votes - (one < winner)
            if must[one] > cap:
                return False
            least += must[one]
            most += min(can[one], cap)
    return least <= k <= most
