"""Nearest rows in nested subsets, from all distances at once."""

import numpy as np

_BITS = 2**64


def tie_order(query, row):
    mixed = (query * 0x9E3779B97F4A7C15 + row * 0xD1B54A32D192ED03) % _BITS
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 % _BITS
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB % _BITS
    return mixed ^ (mixed >> 31)


def nearest_in_nested(columns, starts, group, queries, query_group, kept, k):
    n_blocks = len(starts) - 1
    subsets = []
    width = 1
    while width <= n_blocks:
        held = n_blocks // width
        subsets += [range(starts[place * held], starts[(place + 1) * held]) for place in range(min(width, kept))]
        width *= 2
    n_queries = queries.shape[1]
    rows = np.full((n_queries, len(subsets), k), -1, dtype=np.int64)
    squares = np.full((n_queries, len(subsets), k), np.inf, dtype=np.float32)
    for query in range(n_queries):
        distance = [np.float32(0)] * columns.shape[1]
        for row in range(columns.shape[1]):
            for feature in range(columns.shape[0]):
                apart = columns[feature, row] - queries[feature, query]
                distance[row] += apart * apart
        for place, subset in enumerate(subsets):
            others = [row for row in subset if group[row] != query_group[query]]
            nearest = sorted(others, key=lambda row: (distance[row], tie_order(query, row)))[:k]
            rows[query, place, : len(nearest)] = nearest
            squares[query, place, : len(nearest)] = [distance[row] for row in nearest]
    return rows, squares
