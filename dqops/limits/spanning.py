"""The minimum spanning tree over near neighbours: how often its edges join rows of different classes."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import minimum_spanning_tree


def differing_share(near, closeness, labels):
    """Share of the edges of the spanning tree that join different classes.

    Parameters
    ----------
    near : int (n, k)
        Nearest rows of each row.
    closeness : float (n, k)
        Their squared distances.
    labels : int64 (n,)

    Notes
    -----
    The tree is that of the graph of near neighbours: where it falls apart, each part has a tree of its own. Edges of
    equal length are taken in the order of the rows.

    Examples
    --------
    >>> near, closeness = np.array([[1], [0], [1]]), np.array([[1.0], [1.0], [2.0]])
    >>> differing_share(near, closeness, np.array([0, 0, 1]))
    0.5
    """
    n_rows, k = near.shape
    rows, others = np.repeat(np.arange(n_rows), k), near.ravel()
    # Ranks keep the order of the lengths and are never 0, which would be no edge.
    low, high = np.minimum(rows, others), np.maximum(rows, others)
    order = np.lexsort((high, low, closeness.ravel()))
    ends = np.unique(low[order] * n_rows + high[order], return_index=True)[1]
    order = order[np.sort(ends)]
    graph = coo_matrix((np.arange(1.0, len(order) + 1), (low[order], high[order])), shape=(n_rows, n_rows))
    tree = minimum_spanning_tree(graph.tocsr()).tocoo()
    return float((labels[tree.row] != labels[tree.col]).mean()) if tree.nnz else 0.0
