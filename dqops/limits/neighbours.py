"""Near rows of each judged row in nested subsets, for one embedding, and which embedding serves best."""

from dataclasses import dataclass

import numpy as np

from dqops.errors import DataError
from dqops.kernels.nested import nearest_in_nested

# Subsets hold this many rows at least; a level halves them; so many subsets of a level are looked at.
_LEAST_ROWS = 20
_MOST_HALVINGS = 6
_KEPT = 8
# Embeddings compete on this many rows before one of them sees all.
_SCREENED_ROWS = 4000


@dataclass(frozen=True, eq=False)
class Lists:
    """The nearest rows of each judged row, in each subset.

    Parameters
    ----------
    name : str
        Of the embedding.
    rows : int32 (n_judged, n_subsets, k)
        Positions, nearest first; levels from all rows down.
    closeness : float32 (n_judged, n_subsets, k)
        Squared distance as a share of the usual one.
    widths : tuple of int
        Subsets of each level.
    sizes : int64 (L,)
        Rows in a subset of each level.
    """

    name: str
    rows: np.ndarray
    closeness: np.ndarray
    widths: tuple[int, ...]
    sizes: np.ndarray


def nested_lists(embedding, known, judged, group, k, rng):
    """`Lists` of one embedding.

    Parameters
    ----------
    embedding : Embedding
        Of all rows, those to be neighbours and those judged.
    known, judged : int64
        Positions of rows that may be neighbours, and of rows that are judged; they may be the same.
    group : int64 (n,)
        Rows of one group are no neighbours; each row's own number where there are no groups.
    k : int
        Neighbours asked for.
    rng : numpy.random.Generator
        Orders the rows; the same for each embedding.

    Notes
    -----
    O(n_known · n_judged · d), once.
    """
    order = known[rng.permutation(len(known))]
    halvings = 0
    while halvings < _MOST_HALVINGS and len(known) >> (halvings + 1) >= _LEAST_ROWS:
        halvings += 1
    starts = np.round(np.linspace(0, len(order), 2**halvings + 1)).astype(np.int64)
    columns = np.ascontiguousarray(embedding.points[order].T)
    asked = np.ascontiguousarray(embedding.points[judged].T)
    place, squares = nearest_in_nested(columns, starts, group[order], asked, group[judged], _KEPT, k)
    _fill_gaps(place, squares)
    widths = tuple(min(2**level, _KEPT) for level in range(halvings + 1))
    sizes = np.array([len(known) >> level for level in range(halvings + 1)], dtype=np.int64)
    return Lists(embedding.name, order[place].astype(np.int32), (squares / np.float32(embedding.usual)).astype(np.float32), widths, sizes)


def _fill_gaps(place, squares):
    """Where a subset holds fewer rows than asked for, the last one stands again."""
    if (place[:, :, 0] < 0).any():
        raise DataError("some rows have no row of another group beside them", "rows of several groups, none of which holds nearly all")
    for rank in range(1, place.shape[2]):
        absent = place[:, :, rank] < 0
        place[:, :, rank] = np.where(absent, place[:, :, rank - 1], place[:, :, rank])
        squares[:, :, rank] = np.where(absent, squares[:, :, rank - 1], squares[:, :, rank])


def hopeful(candidates, known, judged, group, loss, rng):
    """The embeddings that may yet be best once all rows are seen.

    On a sample of the rows each embedding has a loss and a fall from half as many rows; the fall, continued in a
    straight line over the doublings that are left, is more than convex curves keep to. Who loses even so, leaves.

    Parameters
    ----------
    candidates : list of Embedding
    loss : callable
        ``loss(judged positions, neighbour positions)``: float64, one a pair.

    Returns
    -------
    list of Embedding
    """
    if len(candidates) < 2 or len(known) <= _SCREENED_ROWS:
        return candidates
    some = np.sort(rng.choice(known, _SCREENED_ROWS, replace=False))
    asked = some if known is judged else np.sort(rng.choice(judged, min(len(judged), _SCREENED_ROWS), replace=False))
    doublings = np.log2(len(known) / _SCREENED_ROWS)
    now, then = [], []
    for one in candidates:
        lists = nested_lists(one, some, asked, group, 1, np.random.default_rng(0))
        full, *halves = (float(loss(asked, lists.rows[:, subset, 0]).mean()) for subset in range(3))
        now.append(full)
        then.append(full - max(np.mean(halves) - full, 0.0) * doublings)
    return [one for one, best in zip(candidates, then, strict=True) if best <= min(now)]
