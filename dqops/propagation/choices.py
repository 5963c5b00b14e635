"""What doubtful rows could be as a whole, and worlds drawn of them: the same for all propagators."""

from dataclasses import dataclass
from math import prod

import numpy as np

from dqops.errors import OptionError
from dqops.propagation.row_worlds import row_worlds
from dqops.propagation.worlds import row_keys, spread_numbers
from dqops.results.candidates import Candidates
from dqops.tables.cells import written
from dqops.tables.table import Table


@dataclass(frozen=True, eq=False)
class Choices:
    """What each doubtful row of a table could be.

    Parameters
    ----------
    rows : Table or None
        One row a choice, row by row; None where nothing is doubtful.
    positions : int64 (n,)
        Doubtful rows of the table, rising.
    start : int64 (n + 1,)
        Where the choices of each begin.
    weights : float64 (n_choices,)
        Those of a row sum to 1.
    kept : bool (n_choices,)
        False where the row is not there at all.
    keys : uint64 (n,)
        What their draws hang on.
    columns : tuple of str
        Columns whose cells differ.
    """

    rows: Table | None
    positions: np.ndarray
    start: np.ndarray
    weights: np.ndarray
    kept: np.ndarray
    keys: np.ndarray
    columns: tuple[str, ...] = ()

    @property
    def sizes(self):
        """Choices of each row, int64 (n,)."""
        return np.diff(self.start)

    def single(self, place):
        """The choices of one of the rows."""
        some = slice(self.start[place], self.start[place + 1])
        here = slice(place, place + 1)
        start = np.array([0, some.stop - some.start])
        return Choices(self.rows.take(np.arange(some.start, some.stop)), self.positions[here], start, self.weights[some], self.kept[some], self.keys[here], self.columns)

    def places(self, chosen):
        """Places of the chosen choices: int64 (n,)."""
        return self.start[:-1] + chosen

    def made(self, table, chosen):
        """The table with each doubtful row as it is chosen to be."""
        if self.rows is None:
            return table
        places = self.places(chosen)
        kept = self.kept[places]
        for name in self.columns:
            table = table.with_columns(written(table.frame[name], self.positions[kept], self.rows.frame[name].gather(places[kept])))
        return table if kept.all() else table.take(np.setdiff1d(np.arange(table.n_rows), self.positions[~kept]))


NO_CHOICES = Choices(None, np.empty(0, dtype=np.int64), np.zeros(1, dtype=np.int64), np.empty(0), np.empty(0, dtype=bool), np.empty(0, dtype=np.uint64))


def choices_of(candidates, table, *, most=10, seed=0):
    """`Choices` of the rows of `table` that are doubtful.

    Parameters
    ----------
    candidates : Candidates or None
        By row ids; those of other rows are left out.
    table : Table
    most : int
        Most choices of a row; more combinations of its cells are sampled.
    seed : int

    Raises
    ------
    OptionError
        Where a row has doubtful cells and may be dropped, too.
    """
    candidates = Candidates() if candidates is None else candidates.on_rows(table.row_ids)
    if not candidates.count:
        return NO_CHOICES
    cells = Candidates(tuple(one for one in candidates if one.column is not None))
    whole = [one for one in candidates if one.column is None]
    worlds = row_worlds(cells, most=most, seed=seed)
    positions = np.concatenate([worlds.positions, *(one.positions[one.place] for one in whole)])
    both = np.intersect1d(worlds.positions, np.concatenate([np.empty(0, dtype=np.int64), *(one.positions for one in whole)]))
    if len(both):
        raise OptionError("candidates", f"row {table.row_ids[int(both[0])]!r} twice", "doubtful cells of a row, or that it may be dropped")
    weights = np.concatenate([worlds.weights, *(one.weights for one in whole)])
    kept = np.concatenate([np.ones(len(worlds.positions), dtype=bool), *(one.values.to_numpy().astype(bool) for one in whole)])
    order = np.argsort(positions, kind="stable")
    columns = tuple(dict.fromkeys(one.column for one in cells))
    rows = table.take(positions)
    if len(cells.groups):
        changed, among = worlds.table(table), np.arange(len(worlds.positions))
        rows = rows.with_columns(*(written(rows.frame[name], among, changed.frame[name]) for name in columns))
    held, first = np.unique(positions[order], return_index=True)
    keys = row_keys(table.row_ids.gather(held))
    return Choices(rows.take(order), held, np.append(first, len(positions)), weights[order], kept[order], keys, columns)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Worlds of training and judged rows together.

    Parameters
    ----------
    train, judged : int64 (n_worlds, n)
        Choice of each doubtful row, by world.
    weights : float64 (n_worlds,)
        Sum to 1.
    complete : bool
        Whether these are all worlds.
    """

    train: np.ndarray
    judged: np.ndarray
    weights: np.ndarray
    complete: bool

    def __len__(self):
        return len(self.weights)


def drawn_worlds(train, judged, n_worlds, seed):
    """All worlds of these rows where there are no more than `n_worlds`, else a sample, spread evenly for each row.

    The draws of a row depend on the seed, the number of worlds and its id alone: what is compared shares its draws.

    Parameters
    ----------
    train, judged : Choices
    n_worlds : int
    seed : int

    Returns
    -------
    Drawn
    """
    sizes = np.concatenate([train.sizes, judged.sizes])
    total, n_train = prod(sizes.tolist()), len(train.sizes)
    if total <= n_worlds:
        chosen, several = np.zeros((total, len(sizes)), dtype=np.int64), np.flatnonzero(sizes > 1)
        if len(several):
            chosen[:, several] = np.stack(np.unravel_index(np.arange(total), sizes[several]), axis=1)
        weights = np.ones(total)
        for part, columns in ((train, chosen[:, :n_train]), (judged, chosen[:, n_train:])):
            weights = weights * np.prod(part.weights[part.places(columns)], axis=1) if len(part.sizes) else weights
        return Drawn(chosen[:, :n_train], chosen[:, n_train:], weights / weights.sum(), True)
    parts = []
    for part in (train, judged):
        numbers = spread_numbers(part.keys, n_worlds, seed) if len(part.keys) else np.zeros((n_worlds, 0))
        parts.append(_picked(part, numbers))
    return Drawn(*parts, np.full(n_worlds, 1 / n_worlds), False)


def _picked(part, numbers):
    """Choice of each row by inverse distribution, int64, of the shape of `numbers`."""
    reached = np.cumsum(part.weights)
    before = np.concatenate([[0.0], reached])[part.start[:-1]]
    places = np.searchsorted(reached, numbers + before, side="right")
    return np.minimum(np.maximum(places - part.start[:-1], 0), part.sizes - 1)
