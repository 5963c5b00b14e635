"""Nearest rows of each query among nested subsets of the rows, from one pass over the distances."""

import numpy as np
from numba import prange

from dqops.kernels import kernel, parallel_kernel

_TILE = 512


@kernel
def tie_order(query, row):
    """A number that orders rows at equal distance, another order for each query: uint64.

    Equal rows would otherwise lend all queries the same label, and the answer would hang on it.

    Parameters
    ----------
    query, row : int64

    References
    ----------
    Steele, Lea, Flood 2014, OOPSLA: the mixing function of SplitMix64. doi:10.1145/2660193.2660195
    """
    mixed = np.uint64(query) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(row) * np.uint64(0xD1B54A32D192ED03)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@parallel_kernel
def nearest_in_nested(columns, starts, group, queries, query_group, kept, k):
    """The `k` nearest rows of each query in each of a tree of subsets.

    Rows stand in blocks; level by level, from all rows down to single blocks, subset `s` of level `l` holds an
    equal share of the blocks. One pass over the distances fills the blocks, neighbours are merged upwards.

    Parameters
    ----------
    columns : float32 (d, n)
        Rows to be neighbours, a line a feature.
    starts : int64 (2**m + 1,)
        Where each block begins, and n.
    group : int64 (n,)
        A row is no neighbour of a query of its own group.
    queries : float32 (d, n_queries)
    query_group : int64 (n_queries,)
    kept : int
        Most subsets that are written for a level: the first ones.
    k : int
        1 or more.

    Returns
    -------
    int64 (n_queries, n_subsets, k)
        Rows, nearest first, levels from all rows down; -1 where a subset has fewer rows. Equal distances are
        ordered by `tie_order`.
    float32 (n_queries, n_subsets, k)
        Squared distances, infinite where there is no row.

    Notes
    -----
    O(n · n_queries · d).
    """
    n_features, n_queries = queries.shape
    n_blocks = len(starts) - 1
    n_subsets = 0
    width = 1
    while width <= n_blocks:
        n_subsets += min(width, kept)
        width *= 2
    rows = np.full((n_queries, n_subsets, k), -1, np.int64)
    squares = np.full((n_queries, n_subsets, k), np.inf, np.float32)
    for query in prange(n_queries):
        near = np.full((n_blocks, k), -1, np.int64)
        far = np.full((n_blocks, k), np.inf, np.float32)
        distance = np.empty(_TILE, np.float32)
        for block in range(n_blocks):
            for first in range(starts[block], starts[block + 1], _TILE):
                size = min(_TILE, starts[block + 1] - first)
                distance[:size] = np.float32(0)
                for feature in range(n_features):
                    own = queries[feature, query]
                    for place in range(size):
                        apart = columns[feature, first + place] - own
                        distance[place] += apart * apart
                for place in range(size):
                    if distance[place] <= far[block, k - 1] and group[first + place] != query_group[query]:
                        _put(near[block], far[block], query, first + place, distance[place])
        _merge_upwards(near, far, query, kept, rows[query], squares[query])
    return rows, squares


@kernel
def _put(near, far, query, row, distance):
    """Put a row in its place among the nearest, if it has one."""
    place = len(near)
    while place > 0:
        other = near[place - 1]
        if other >= 0 and (far[place - 1] < distance or (far[place - 1] == distance and tie_order(query, other) < tie_order(query, row))):
            break
        place -= 1
    for later in range(len(near) - 1, place, -1):
        near[later], far[later] = near[later - 1], far[later - 1]
    if place < len(near):
        near[place], far[place] = row, distance


@kernel
def _merge_upwards(near, far, query, kept, rows, squares):
    """Write the lists of the blocks, then of pairs of blocks, and so on up to all rows."""
    n_lists, k = near.shape
    end = len(rows)
    while n_lists >= 1:
        written = min(n_lists, kept)
        end -= written
        rows[end : end + written] = near[:written]
        squares[end : end + written] = far[:written]
        for pair in range(n_lists // 2):
            for place in range(k):
                near[pair, place], far[pair, place] = near[2 * pair, place], far[2 * pair, place]
            for place in range(k):
                if near[2 * pair + 1, place] >= 0:
                    _put(near[pair], far[pair], query, near[2 * pair + 1, place], far[2 * pair + 1, place])
        n_lists //= 2
