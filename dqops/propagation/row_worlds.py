"""Worlds row by row: each doubtful row as a whole, with all its cells chosen."""

from dataclasses import dataclass

import numpy as np

from dqops.errors import OptionError
from dqops.propagation.worlds import draws_of, sample_worlds
from dqops.results.candidates import Candidates
from dqops.tables.cells import written


@dataclass(frozen=True, eq=False)
class RowWorlds:
    """What each doubtful row could be as a whole.

    Parameters
    ----------
    candidates : Candidates
    positions : int64 (n_choices,)
        Row position of each choice; rows rise, the choices of a row stand together.
    weights : float64 (n_choices,)
        Those of a row sum to 1.
    chosen : int32 (n_choices, n_groups)
        Candidate of the row's doubt in each group of `candidates`; -1 where it has none there.
    n_sampled : int
        Rows with too many combinations, of which a sample stands here.
    """

    candidates: Candidates
    positions: np.ndarray
    weights: np.ndarray
    chosen: np.ndarray
    n_sampled: int

    @property
    def start(self):
        """Choices of doubtful row ``i`` (in order) are those from ``start[i]`` up to ``start[i + 1]``."""
        first = np.flatnonzero(np.diff(self.positions, prepend=-1))
        return np.append(first, len(self.positions))

    @property
    def likeliest(self):
        """Place of the choice of greatest weight of each doubtful row; the first of several."""
        if not len(self.positions):
            return np.empty(0, dtype=np.int64)
        start = self.start
        order = np.lexsort((np.arange(len(self.weights)), -self.weights, self.positions))
        return order[start[:-1]]

    def table(self, table, some=slice(None)):
        """The rows of `table` that are doubtful, one for each choice (or for `some` of them), as they would be."""
        positions, chosen = self.positions[some], self.chosen[some]
        rows = table.take(positions)
        for group, one in enumerate(self.candidates):
            held = np.flatnonzero(chosen[:, group] >= 0)
            places = one.start[np.searchsorted(one.positions, positions[held])] + chosen[held, group]
            rows = rows.with_columns(written(rows.frame[one.column], held, one.values.gather(places)))
        return rows


def row_worlds(candidates, *, most=10, seed=0):
    """`RowWorlds` of all doubtful rows: every combination of a row's cells, or a sample where there are too many.

    Parameters
    ----------
    candidates : Candidates
        Of cells; whole rows that may be dropped are refused.
    most : int, default 10
        Combinations of a row from which `most` are sampled instead, each with equal weight.
    seed : int, default 0

    Examples
    --------
    >>> from dqops.results.candidates import Doubts
    >>> worlds = row_worlds(Candidates((Doubts.of("a", [3], [[1, 2]], [[3, 1]]), Doubts.of("b", [3], [["x", "y"]]))))
    >>> worlds.chosen.tolist(), worlds.weights.tolist()
    ([[0, 0], [0, 1], [1, 0], [1, 1]], [0.375, 0.375, 0.125, 0.125])
    """
    if any(one.column is None for one in candidates):
        raise OptionError("candidates", "whole rows", "doubtful cells; rows that may be dropped are no cells")
    if not isinstance(most, (int, np.integer)) or most < 1:
        raise OptionError("most", most, "an integer of 1 or more")
    draws, groups = draws_of(candidates), list(candidates)
    drawn = sample_worlds(candidates, most, seed).chosen if groups else np.zeros((most, 0), dtype=np.int32)
    rows, chosen, weights, n_sampled = candidates.positions, [], [], 0
    pairs = [np.stack([one.positions, places], axis=1) for one, places in zip(groups, draws.of_group, strict=True)]
    pairs = np.unique(np.concatenate([np.empty((0, 2), dtype=np.int64), *pairs]), axis=0)
    parts = np.split(pairs[:, 1], np.searchsorted(pairs[:, 0], rows[1:])) if len(rows) else []
    for mine in parts:
        sizes = draws.sizes[mine]
        if np.prod(sizes, dtype=np.float64) <= most:
            every = np.indices(sizes).reshape(len(mine), -1).T
            share = np.prod(draws.weights[mine, every], axis=1)
        else:
            every, counts = np.unique(drawn[:, mine], axis=0, return_counts=True)
            share, n_sampled = counts / most, n_sampled + 1
        chosen.append(every)
        weights.append(share)
    sizes = np.array([len(one) for one in weights], dtype=np.int64)
    return RowWorlds(candidates, np.repeat(rows, sizes), np.concatenate([np.empty(0), *weights]), _by_group(groups, draws, parts, chosen, rows), n_sampled)


def _by_group(groups, draws, parts, chosen, rows):
    """Candidate of each choice in each group, from the candidates of the draws of its row."""
    starts = np.cumsum([0, *(len(one) for one in chosen)])
    told = np.full((starts[-1], len(groups)), -1, dtype=np.int32)
    for group, (one, of_doubt) in enumerate(zip(groups, draws.of_group, strict=True)):
        for draw, row in zip(of_doubt, np.searchsorted(rows, one.positions), strict=True):
            told[starts[row] : starts[row + 1], group] = chosen[row][:, np.searchsorted(parts[row], draw)]
    return told
