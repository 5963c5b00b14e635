"""Compiled loops: arrays in, arrays out.

A kernel takes arrays and numbers and returns arrays; it never raises, prints, or meets a NaN that it was not told of.
Each has a twin of the same name and signature in ``tests/naive/``, written from the definition. There is no
``fastmath``: it lets the compiler assume that NaN does not occur. `prange` runs only over an axis whose iterations
write to different places, so that answers do not depend on the number of threads.

Compiled code is kept on disk beside the package (``NUMBA_CACHE_DIR`` names another folder). Where that goes stale or
clashes between processes, ``DQOPS_NO_CACHE=1`` compiles afresh in each process.
"""

import os
from contextlib import contextmanager

from numba import get_num_threads, njit, set_num_threads

_CACHE = "DQOPS_NO_CACHE" not in os.environ

kernel = njit(cache=_CACHE, nogil=True)
parallel_kernel = njit(cache=_CACHE, nogil=True, parallel=True)


@contextmanager
def one_thread():
    """Keep parallel kernels on one thread: work that is small costs less than waking the others, who wait by spinning.

    Examples
    --------
    >>> with one_thread():
    ...     get_num_threads()
    1
    """
    before = get_num_threads()
    set_num_threads(1)
    try:
        yield
    finally:
        set_num_threads(before)
