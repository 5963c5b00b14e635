"""Splits that honour classes, groups, time, and rows that repeat each other."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from dqops.errors import DataError, OptionError
from dqops.models.targets import target_values
from dqops.seeds import stream
from dqops.tables.repeats import duplicate_groups

# A unit (rows that stay together) larger than this share of a fold is placed by hand, the rest are dealt.
_LARGE_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class Split:
    """Row positions to train on and to judge on.

    Parameters
    ----------
    train, test : int64
        Ascending positions, disjoint.
    repeat, fold : int
    """

    train: np.ndarray
    test: np.ndarray
    repeat: int
    fold: int


def make_splits(table, task, *, folds=5, repeats=1, seed=0):
    """Splits of the rows whose target is known.

    Stratified by class; rows of one group, and rows with equal features, stay on one side; with a time role each
    test block is later than its training rows, and repeats shift the blocks.

    Parameters
    ----------
    table : Table
    task : {"classification", "regression"}
    folds : int, default 5
        Fewer where there are fewer rows or groups.
    repeats : int, default 1
    seed : int, default 0

    Returns
    -------
    list of Split
        ``folds * repeats`` of them, repeat by repeat; a split that could not be used is left out.

    Raises
    ------
    DataError
        Where no split leaves rows (and, in classification, two classes) to train on.
    """
    if folds < 2:
        raise OptionError("folds", folds, "an integer of 2 or more")
    values, known = target_values(table, task)
    rows = np.flatnonzero(known)
    strata = _strata(values[rows], task, table.trusted()[rows])
    units = units_of(table)[rows]
    splits = []
    for repeat in range(repeats):
        if table.roles.time is not None:
            pairs = _forward(time_order(table)[rows], units, folds, repeat / repeats)
        else:
            pairs = _folded(strata, units, folds, stream(seed, f"splits:{repeat}"))
        splits += [
            Split(rows[train], rows[test], repeat, fold)
            for fold, (train, test) in enumerate(pairs)
            if len(test) and _can_learn(values[rows[train]], task)
        ]
    if not splits:
        raise _cannot_split(values[rows], task)
    return splits


def units_of(table):
    """Which rows must stay on one side: int64 (n,), equal numbers stay together."""
    units = duplicate_groups(table)
    if table.roles.group is None:
        return units
    names = table.frame[table.roles.group]
    codes = names.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    alone = names.is_null().to_numpy()
    codes = np.where(alone, codes.max(initial=0) + 1 + np.arange(len(codes)), codes)
    return _joined(units, codes)


def time_order(table):
    """Rank of each row in time, int64 (n,); rows of one moment share a rank, rows without time come first."""
    cells = table.frame[table.roles.time]
    meaning = table.meanings.get(table.roles.time)
    if cells.dtype == pl.String and meaning is not None and meaning.kind in ("date", "number"):
        cells = meaning.values
    return cells.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()


def _joined(first, second):
    """Units that are connected through either of two groupings."""
    n_rows = len(first)
    _, first = np.unique(first, return_inverse=True)
    _, second = np.unique(second, return_inverse=True)
    size = n_rows + first.max(initial=0) + second.max(initial=0) + 2
    left = np.concatenate([np.arange(n_rows), np.arange(n_rows)])
    right = np.concatenate([n_rows + first, n_rows + first.max(initial=0) + 1 + second])
    graph = coo_matrix((np.ones(2 * n_rows, dtype=np.int8), (left, right)), shape=(size, size))
    return connected_components(graph, directed=False)[1][:n_rows].astype(np.int64)


def _strata(values, task, trusted):
    codes = np.unique(values, return_inverse=True)[1] if task == "classification" else np.zeros(len(values), dtype=int)
    return codes * 2 + trusted


def _folded(strata, units, folds, rng):
    fold = assign_folds(strata, units, folds, rng)
    return [(np.flatnonzero(fold != one), np.flatnonzero(fold == one)) for one in range(folds)]


def assign_folds(strata, units, folds, rng):
    """Fold of each row, int64 (n,): units whole, strata spread evenly.

    Large units are placed one by one where they disturb the balance least, the others are dealt like cards,
    stratum by stratum, so that no two folds differ by more than one unit of a stratum.

    Parameters
    ----------
    strata : int64 (n,)
    units : int64 (n,)
    folds : int
    rng : numpy.random.Generator
    """
    strata = np.unique(strata, return_inverse=True)[1]
    _, first, unit, sizes = np.unique(units, return_index=True, return_inverse=True, return_counts=True)
    placed = np.full(len(sizes), -1, dtype=np.int64)
    counts = np.zeros((folds, strata.max(initial=0) + 1))
    large = np.flatnonzero(sizes > max(1.0, _LARGE_SHARE * len(strata) / folds))
    held = _composition(unit, strata, large, counts.shape[1])
    wanted = np.bincount(strata, minlength=counts.shape[1]) / folds
    for one in sorted(large, key=lambda one: (-sizes[one], rng.random())):
        disturbed = [_imbalance(counts, fold, held[one], wanted) for fold in range(folds)]
        placed[one] = int(np.argmin(disturbed))
        counts[placed[one]] += held[one]
    small = np.flatnonzero(placed < 0)
    small = small[rng.permutation(len(small))]
    small = small[np.argsort(strata[first[small]], kind="stable")]
    placed[small] = _dealt(strata[first[small]], sizes[small], counts, folds)
    return placed[unit]


def _composition(unit, strata, chosen, n_strata):
    """Rows by stratum of each chosen unit."""
    rows = np.flatnonzero(np.isin(unit, chosen))
    held = {one: np.zeros(n_strata) for one in chosen}
    for row in rows:
        held[unit[row]][strata[row]] += 1
    return held


def _imbalance(counts, fold, added, wanted):
    """How far the folds would be from even shares after putting these rows there."""
    after = counts[fold] + added
    scale = np.maximum(wanted, 1)
    return float((((after - wanted) / scale) ** 2 - ((counts[fold] - wanted) / scale) ** 2).sum()) + after.sum() / scale.sum()


def _dealt(strata, sizes, counts, folds):
    """Folds of small units that come stratum by stratum; the emptiest fold is served first."""
    dealt = np.empty(len(strata), dtype=np.int64)
    edges = np.flatnonzero(np.diff(strata)) + 1
    total = counts.sum(axis=1)
    for cards in np.split(np.arange(len(strata)), edges):
        if not len(cards):
            continue
        stratum = strata[cards[0]]
        room = counts[:, stratum].copy()
        needed = room.max() - room
        order = np.lexsort((np.arange(folds), total, room))
        fillers = np.repeat(np.arange(folds), needed.astype(int))[: len(cards)]
        dealt[cards[: len(fillers)]] = fillers
        rest = cards[len(fillers) :]
        dealt[rest] = order[np.arange(len(rest)) % folds]
        total += np.bincount(dealt[cards], weights=sizes[cards], minlength=folds)
    return dealt


def _forward(moments, units, folds, shift):
    """Expanding windows: blocks of nearly equal size, cut between moments."""
    ordered = np.sort(moments)
    n_rows = len(moments)
    blocks = min(folds, len(np.unique(moments)) - 1)
    starts = [int(n_rows * (block - shift * 0.5) / (blocks + 1)) for block in range(1, blocks + 1)] + [n_rows]
    cuts = [ordered[start] if start < n_rows else np.inf for start in starts]
    pairs = []
    for low, high in pairwise(cuts):
        test = np.flatnonzero((moments >= low) & (moments < high))
        train = np.flatnonzero((moments < low) & ~np.isin(units, units[test]))
        pairs.append((train, test))
    return pairs


def _can_learn(labels, task):
    return len(labels) > 0 and (task == "regression" or bool((labels != labels[0]).any()))


def _cannot_split(labels, task):
    if len(labels) < 2:
        return DataError("one row has a known target" if len(labels) else "no row has a known target", "two or more rows to split")
    if task == "classification" and len(np.unique(labels)) < 2:
        return DataError("the target holds one class", "two or more classes")
    return DataError("no split leaves something to learn from", "more rows, or more than one group or moment")
