"""Candidates: what could be true instead of what a table records, and how likely each value is."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from dqops.errors import ApproximationWarning, DataError, OptionError

# Weights of one doubt may miss 1 by this much: they were divided by their own sum.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Doubts:
    """Doubtful cells of one column, each with its plausible true values and their weights.

    `Doubts.of` makes one from lists; the candidates of all cells lie end to end.

    Parameters
    ----------
    column : str or None
        None where whole rows are doubtful: the values are then truth values, keep the row or not.
    positions : int64 (count,)
        Row positions, ascending, each once.
    rows : polars.Series (count,)
        Row ids, in the same order.
    start : int64 (count + 1,)
        The candidates of doubt ``i`` are those from ``start[i]`` up to ``start[i + 1]``.
    values : polars.Series (n_candidates,)
        True values that could be; none is null, NaN or infinite.
    weights : float64 (n_candidates,)
        More than 0; those of one doubt sum to 1.
    joint : str
        Doubts of one row that bear the same name here are drawn together, candidate by candidate; with "" each
        doubt is drawn alone.
    unexplained : float64 (count,) or None
        Weight of true values that are not among the candidates, in [0, 1).

    Examples
    --------
    >>> doubts = Doubts.of("age", [2], [[31.0, 40.0]], [[3, 1]])
    >>> doubts.count, doubts.weights.tolist()
    (1, [0.75, 0.25])
    """

    column: str | None
    positions: np.ndarray
    rows: pl.Series
    start: np.ndarray
    values: pl.Series
    weights: np.ndarray
    joint: str = ""
    unexplained: np.ndarray | None = None

    def __post_init__(self):
        if len(self.rows) != self.count or len(self.start) != self.count + 1:
            raise OptionError("start", len(self.start), f"a row id and a start for each of {self.count} doubts")
        if self.count and (self.positions[0] < 0 or np.any(np.diff(self.positions) <= 0)):
            raise OptionError("positions", self.positions.tolist()[:5], "row positions that rise, each once")
        if self.start[0] != 0 or self.start[-1] != len(self.values) or len(self.values) != len(self.weights):
            raise OptionError("start", self.start.tolist()[:5], "starts from 0 up to the number of values, and a weight each")
        self._check_sizes()
        self._check_values()
        self._check_weights()

    @property
    def count(self):
        """Doubtful cells."""
        return len(self.positions)

    @property
    def sizes(self):
        """Candidates of each doubt, int64 (count,)."""
        return np.diff(self.start)

    @property
    def place(self):
        """The doubt that each candidate belongs to, int64 (n_candidates,)."""
        return np.repeat(np.arange(self.count), self.sizes)

    @classmethod
    def of(cls, column, positions, values, weights=None, *, rows=None, joint="", unexplained=None):
        """Doubts from one list of values (and one of weights) a cell.

        Weights are divided by their sum; values of weight 0 are left out, for they are in no world.

        Parameters
        ----------
        column : str or None
        positions : sequence of int (count,)
            In any order.
        values : sequence of sequences
        weights : sequence of sequences of float, optional
            0 or more; equal where not given. All 0 is taken as equal, with a warning.
        rows : polars.Series, optional
            Row ids; the positions themselves where not given.
        joint : str
        unexplained : sequence of float, optional

        Raises
        ------
        DataError
            Where a cell has no candidate, or a candidate is empty, or a weight is negative or no number.
        """
        positions = np.asarray(positions, dtype=np.int64)
        order = np.argsort(positions, kind="stable")
        rows = pl.Series("row", positions) if rows is None else rows
        lists = [list(values[one]) for one in order]
        weighed = [np.asarray(weights[one], dtype=np.float64) if weights is not None else np.ones(len(some)) for one, some in zip(order, lists, strict=True)]
        shares = [_shares(some, given, column, rows[int(one)]) for some, given, one in zip(lists, weighed, order, strict=True)]
        kept = [[value for value, share in zip(some, given, strict=True) if share > 0] for some, given in zip(lists, shares, strict=True)]
        return cls(
            column=column,
            positions=positions[order],
            rows=rows.gather(order),
            start=np.concatenate([[0], np.cumsum([len(some) for some in kept])]).astype(np.int64),
            values=pl.Series(column or "keep", [value for some in kept for value in some], strict=False),
            weights=np.concatenate([np.empty(0), *(given[given > 0] for given in shares)]),
            joint=joint,
            unexplained=None if unexplained is None else np.asarray(unexplained, dtype=np.float64)[order],
        )

    def select_at(self, chosen):
        """The doubts at these places, in this order; positions must then still rise."""
        chosen = np.asarray(chosen, dtype=np.int64)
        return self._picked(chosen, self.positions[chosen])

    def on_rows(self, rows):
        """The doubts about these rows (ids, in their order), with the positions there."""
        places = pl.DataFrame({"row": rows, "place": np.arange(len(rows), dtype=np.int64)})
        here = pl.DataFrame({"row": self.rows, "at": np.arange(self.count, dtype=np.int64)})
        met = here.join(places, on="row", how="inner").sort("place")
        return self._picked(met["at"].to_numpy(), met["place"].to_numpy())

    def _picked(self, chosen, positions):
        sizes = self.sizes[chosen]
        start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        picked = np.repeat(self.start[chosen] - start[:-1], sizes) + np.arange(start[-1])
        return replace(
            self,
            positions=positions,
            rows=self.rows.gather(chosen),
            start=start,
            values=self.values.gather(picked),
            weights=self.weights[picked],
            unexplained=None if self.unexplained is None else self.unexplained[chosen],
        )

    def to_frame(self):
        """One line a candidate: row, column, value (as text), weight."""
        return pl.DataFrame(
            [
                self.rows.gather(self.place).alias("row"),
                pl.Series("column", [self.column], dtype=pl.String).new_from_index(0, len(self.values)),
                self.values.cast(pl.String).alias("value"),
                pl.Series("weight", self.weights),
            ]
        )

    def _check_sizes(self):
        empty = np.flatnonzero(self.sizes < 1)
        if len(empty):
            raise DataError(f"{_cell(self.column, self.rows[int(empty[0])])} has no candidate", "one or more for each doubt")

    def _check_values(self):
        wrong = self.values.is_null()
        if self.values.dtype.is_float():
            wrong = wrong | ~self.values.is_finite().fill_null(False)
        if wrong.any():
            place = int(self.place[wrong.arg_max()])
            raise DataError(f"a candidate of {_cell(self.column, self.rows[place])} is empty, NaN or infinite", "values that could be true")
        if self.column is None and self.count and self.values.dtype != pl.Boolean:
            raise OptionError("values", str(self.values.dtype), "True (keep) or False (drop) where whole rows are doubtful")

    def _check_weights(self):
        if not np.isfinite(self.weights).all() or (self.weights <= 0).any():
            raise DataError(f"column {self.column!r} has candidates with a weight of 0, below 0 or NaN", "weights above 0")
        if self.count and np.abs(np.add.reduceat(self.weights, self.start[:-1]) - 1).max() > _ROUNDING:
            raise DataError(f"weights of a doubt of column {self.column!r} do not sum to 1", "weights that do")


@dataclass(frozen=True, eq=False)
class Candidates:
    """Everything doubtful in a table, with what could be true instead; adds up with ``+``.

    A choice of one candidate for each doubt is a *world*, a table that could be true (`dqops.propagation.worlds`).
    Rows are independent of each other; within a row, doubts are independent unless they are `joint`.

    Parameters
    ----------
    groups : tuple of Doubts
        No cell stands in two of them.

    Examples
    --------
    >>> ages = Candidates((Doubts.of("age", [2, 5], [[31, 40], [7, 8]]),))
    >>> towns = Candidates((Doubts.of("town", [2], [["Bonn"]]), Doubts.of("age", [2], [[99]])))
    >>> both = ages + towns
    >>> both.count, both.columns, both.n_open
    (3, ('age', 'town'), 2)
    """

    groups: tuple[Doubts, ...] = ()

    def __post_init__(self):
        seen = {}
        for one in self.groups:
            taken = seen.setdefault(one.column, np.empty(0, dtype=np.int64))
            twice = np.intersect1d(taken, one.positions)
            if len(twice):
                raise OptionError("groups", f"{one.column!r} twice at row position {twice[0]}", "each cell once; + keeps the left one's candidates")
            seen[one.column] = np.union1d(taken, one.positions)
        for name in {one.joint for one in self.groups} - {""}:
            _check_joint([one for one in self.groups if one.joint == name])

    def __iter__(self):
        return iter(self.groups)

    def __add__(self, other):
        """Both; of a cell that both doubt, the left one's candidates are kept."""
        added = []
        for one in other.groups:
            taken = [mine.positions for mine in self.groups if mine.column == one.column]
            fresh = ~np.isin(one.positions, np.concatenate(taken)) if taken else np.ones(one.count, dtype=bool)
            added.append(one if fresh.all() else one.select_at(np.flatnonzero(fresh)))
        return Candidates(self.groups + tuple(one for one in added if one.count))

    @property
    def count(self):
        """Doubts in all."""
        return sum(one.count for one in self.groups)

    @property
    def n_open(self):
        """Doubts with two candidates or more; with one there is nothing to doubt."""
        return int(sum((one.sizes > 1).sum() for one in self.groups))

    @property
    def open_positions(self):
        """Positions of the rows with a doubt that has two candidates or more, int64, ascending, each once."""
        return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *(one.positions[one.sizes > 1] for one in self.groups)]))

    @property
    def columns(self):
        """Columns with doubts, in order, each once; None stands for whole rows."""
        return tuple(dict.fromkeys(one.column for one in self.groups))

    @property
    def positions(self):
        """Positions of the rows with a doubt, int64, ascending, each once."""
        return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *(one.positions for one in self.groups)]))

    def of_columns(self, *columns):
        """The doubts of these columns."""
        return Candidates(tuple(one for one in self.groups if one.column in columns))

    def on_rows(self, rows):
        """The doubts about these rows (ids, in their order), with the positions there: for splits and samples."""
        moved = (one.on_rows(rows) for one in self.groups)
        return Candidates(tuple(one for one in moved if one.count))

    def to_frame(self):
        """One line a candidate: row, column (null for a whole row), value (as text), weight."""
        if not self.groups:
            return pl.DataFrame(schema={"row": pl.Int64, "column": pl.String, "value": pl.String, "weight": pl.Float64})
        return pl.concat([one.to_frame() for one in self.groups])


def _shares(values, weights, column, row):
    """Weights of one doubt divided by their sum."""
    if len(weights) != len(values):
        raise DataError(f"{_cell(column, row)} has {len(values)} candidates and {len(weights)} weights", "one weight a candidate")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise DataError(f"{_cell(column, row)} has a weight that is negative, NaN or infinite", "weights of 0 or more")
    if len(weights) and not weights.any():
        said = f"all candidates of {_cell(column, row)} have weight 0: they are taken as equally likely"
        warnings.warn(said, ApproximationWarning, stacklevel=4)
        return np.full(len(weights), 1 / len(weights))
    total = weights.sum()
    return weights / total if len(weights) else weights


def _check_joint(groups):
    """Doubts of one row that are drawn together have the same weights."""
    first = {}
    for one in groups:
        for place, position in enumerate(one.positions.tolist()):
            mine = one.weights[one.start[place] : one.start[place + 1]]
            other = first.setdefault(position, mine)
            if len(other) != len(mine) or not np.array_equal(other, mine):
                raise DataError(f"doubts drawn together as {one.joint!r} have different weights in row {one.rows[place]}", "the same weights for all of a row")


def _cell(column, row):
    return f"row {row}" if column is None else f"row {row} of column {column!r}"
