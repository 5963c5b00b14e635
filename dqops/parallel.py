"""Work on blocks side by side, over whatever backend joblib is told to use."""

from joblib import Parallel, delayed


def map_blocks(work, blocks, *, n_jobs=1, prefer="threads"):
    """Results of `work` on each block, in the order of the blocks.

    Parameters
    ----------
    work : callable
        Called with one block; must not depend on the other blocks.
    blocks : iterable
    n_jobs : int, default 1
        Workers; -1 takes all cores. The answer does not depend on it.
    prefer : {"threads", "processes"}
        Hint for joblib; ``joblib.parallel_config`` overrules it.

    Returns
    -------
    list

    Examples
    --------
    >>> map_blocks(len, ["ab", "c"], n_jobs=2)
    [2, 1]
    """
    return Parallel(n_jobs=n_jobs, prefer=prefer)(delayed(work)(block) for block in blocks)


def stream_blocks(work, blocks, *, n_jobs=1, prefer="threads"):
    """What `map_blocks` gives, each result as soon as it and those before it are there.

    Examples
    --------
    >>> list(stream_blocks(len, ["ab", "c"], n_jobs=2))
    [2, 1]
    """
    try:
        parallel = Parallel(n_jobs=n_jobs, prefer=prefer, return_as="generator")
    except ValueError:  # a backend that gives all results at once
        return iter(map_blocks(work, blocks, n_jobs=n_jobs, prefer=prefer))
    return parallel(delayed(work)(block) for block in blocks)
