"""Sums over holdout rows, in parts that do not depend on the number of workers."""

from functools import partial
from itertools import pairwise
from numbers import Integral

import numpy as np
from joblib import effective_n_jobs

from dqops.errors import OptionError
from dqops.parallel import stream_blocks
from dqops.valuers.neighbours import TILE_BYTES, Scratch

# Holdout rows that are summed together.
PART = 48
# Parts among which halves pay.
_MANY = 4


def worker_count(n_jobs):
    """How many workers that is, under joblib's rules.

    >>> worker_count(3)
    3
    """
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, Integral) or n_jobs == 0:
        raise OptionError("n_jobs", n_jobs, "an integer of 1 or more, or -1 for all cores")
    return effective_n_jobs(int(n_jobs))


def sum_over_holdout(work, n_holdout, n_part, n_jobs):
    """What `work` sums over parts of the holdout rows, added up in the order of the parts.

    Parameters
    ----------
    work : callable
        Called with the first holdout row, the one behind the last, and a `Scratch`; returns arrays or numbers.
    n_holdout, n_part : int
        Holdout rows in all, and in a part; of many parts the last ones are halves, so that no worker waits long for
        another.
    n_jobs : int
        Workers, 1 or more. They share one tile's worth of memory.

    Returns
    -------
    list of float64 arrays or numbers
    """
    parts = _parts(n_holdout, n_part)
    n_jobs = min(n_jobs, len(parts))
    pool, sums = _Pool(TILE_BYTES // n_jobs), None
    for found in stream_blocks(partial(_with_scratch, work, pool), parts, n_jobs=n_jobs):
        if sums is None:
            sums = list(found)
            continue
        for place, one in enumerate(found):
            sums[place] += one
    return sums


def mean_and_stderr(total, squares, n_holdout):
    """Mean over holdout rows and its standard error, or None where there is only one.

    >>> mean_and_stderr(np.array([4.0]), np.array([10.0]), 2)
    (array([2.]), array([1.]))
    """
    mean = total / n_holdout
    if n_holdout == 1:
        return mean, None
    variance = (squares - total * mean) / (n_holdout - 1)
    return mean, np.sqrt(np.maximum(variance, 0) / n_holdout)


def _parts(n_holdout, n_part):
    """First holdout row of each part, and the one behind its last.

    >>> _parts(9, 4)
    [(0, 4), (4, 8), (8, 9)]
    >>> _parts(17, 4)
    [(0, 4), (4, 8), (8, 12), (12, 14), (14, 16), (16, 17)]
    """
    n_whole = n_holdout // n_part
    halves = n_whole >= _MANY
    whole = (n_whole - halves) * n_part
    starts = [*range(0, whole, n_part), *range(whole, n_holdout, n_part // 2 if halves else n_part)]
    return list(pairwise([*starts, n_holdout]))


class _Pool:
    """Scratches that are not in use; a copy in another process starts without any."""

    def __init__(self, n_bytes):
        self.n_bytes, self.free = n_bytes, []

    def __reduce__(self):
        return _Pool, (self.n_bytes,)

    def take(self):
        try:
            return self.free.pop()
        except IndexError:
            return Scratch(self.n_bytes)


def _with_scratch(work, pool, part):
    """`work` on one part, with arrays that parts before it have left."""
    scratch = pool.take()
    found = work(*part, scratch)
    pool.free.append(scratch)
    return found
