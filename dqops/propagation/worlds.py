"""Worlds: tables that could be true, one candidate chosen for each doubt; sampled, enumerated, or the likeliest one."""

from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from math import prod

import numpy as np
import polars as pl

from dqops.errors import DataError, OptionError
from dqops.results.candidates import Candidates
from dqops.seeds import keyed_uniforms
from dqops.tables.cells import written

MOST_ENUMERATED = 10_000
METHODS = ("plain", "antithetic", "systematic")
_BLOCK = 100_000  # draws ranked at a time in systematic sampling


@dataclass(frozen=True, eq=False)
class Worlds:
    """Some of the tables that could be true.

    Parameters
    ----------
    candidates : Candidates
    chosen : int32 (n_worlds, n_draws)
        Candidate taken in each draw; a draw is a doubt, or the doubts of a row that are drawn together.
    weights : float64 (n_worlds,)
        Sum to 1: equal for a sample, probabilities where all worlds are there.
    complete : bool
        Whether these are all worlds.

    Examples
    --------
    >>> from dqops.results.candidates import Doubts
    >>> ages = Candidates((Doubts.of("age", [0], [[31, 40]], [[3, 1]]),))
    >>> every_world(ages).weights.tolist()
    [0.75, 0.25]
    """

    candidates: Candidates
    chosen: np.ndarray
    weights: np.ndarray
    complete: bool = False

    def __len__(self):
        return len(self.weights)

    def values(self, world):
        """(Doubts, its true values in that world as a polars Series), group by group."""
        draws = draws_of(self.candidates)
        for one, draw in zip(self.candidates, draws.of_group, strict=True):
            yield one, one.values.gather(one.start[:-1] + self.chosen[world, draw])

    def table(self, table, world):
        """A copy of `table` as it is in that world.

        Parameters
        ----------
        table : Table
            The one that the doubts are about: positions are those of its rows.
        world : int
        """
        gone = np.empty(0, dtype=np.int64)
        for one, values in self.values(world):
            if one.count and one.positions[-1] >= table.n_rows:
                raise DataError(f"a doubt stands at row position {one.positions[-1]} of {table.n_rows} rows", "candidates of this table")
            if one.column is None:
                gone = np.union1d(gone, one.positions[~values.to_numpy()])
            else:
                table = table.with_columns(written(table.frame[one.column], one.positions, values))
        return table.take(np.setdiff1d(np.arange(table.n_rows), gone)) if len(gone) else table


def sample_worlds(candidates, n_worlds, seed=0, *, method="plain"):
    """Worlds drawn at random, with common random numbers.

    The draw of a doubt in a world depends on the seed, the world's number, and the doubt (its row id and column)
    alone: leaving a doubt out, or changing it, leaves all other draws as they are.

    Parameters
    ----------
    candidates : Candidates
    n_worlds : int
    seed : int, default 0
    method : {"plain", "antithetic", "systematic"}
        Antithetic worlds come in pairs with opposite numbers; systematic sampling spreads the numbers of each doubt
        evenly over the worlds. Both have less variance than plain sampling where the response is nearly monotone.

    Returns
    -------
    Worlds
        Time and memory O(n_worlds · draws).

    Examples
    --------
    >>> from dqops.results.candidates import Doubts
    >>> ages = Candidates((Doubts.of("age", [0], [[31, 40]], [[3, 1]]),))
    >>> sample_worlds(ages, 4, method="systematic").chosen.ravel().tolist().count(0)
    3
    """
    if not isinstance(n_worlds, (int, np.integer)) or n_worlds < 1:
        raise OptionError("n_worlds", n_worlds, "an integer of 1 or more")
    if method not in METHODS:
        raise OptionError("method", method, "one of " + ", ".join(METHODS))
    draws = draws_of(candidates)
    if method == "systematic":
        blocks = [slice(start, start + _BLOCK) for start in range(0, len(draws.keys), _BLOCK)]
        parts = [draws.picked(spread_numbers(draws.keys[some], n_worlds, seed), some) for some in blocks]
        chosen = np.concatenate([np.empty((n_worlds, 0), dtype=np.int32), *parts], axis=1)
    else:
        chosen = np.empty((n_worlds, len(draws.keys)), dtype=np.int32)
        for world in range(n_worlds):
            chosen[world] = draws.picked(_numbers(draws.keys, world, seed, method == "antithetic"))
    return Worlds(candidates, chosen, np.full(n_worlds, 1 / n_worlds))


def every_world(candidates, *, most=MOST_ENUMERATED):
    """All worlds with their probabilities, in order of the candidates; the last doubt changes fastest.

    Raises
    ------
    OptionError
        Where there are more than `most`.
    """
    n_worlds = count_worlds(candidates)
    if n_worlds > most:
        raise OptionError("most", most, f"at least {n_worlds if n_worlds < 10**15 else f'10**{len(str(n_worlds)) - 1}'}, the number of worlds")
    draws = draws_of(candidates)
    chosen = np.empty((n_worlds, len(draws.sizes)), dtype=np.int32)
    weights = np.ones(n_worlds)
    repeats = n_worlds
    for draw, size in enumerate(draws.sizes.tolist()):
        repeats //= size
        chosen[:, draw] = np.tile(np.repeat(np.arange(size), repeats), n_worlds // (repeats * size))
        weights *= draws.weights[draw, chosen[:, draw]]
    return Worlds(candidates, chosen, weights, complete=True)


def worlds_of(candidates, n_worlds, seed=0, *, method="plain"):
    """All worlds where there are no more than `n_worlds`, else a sample of that size."""
    if count_worlds(candidates) <= n_worlds:
        return every_world(candidates, most=n_worlds)
    return sample_worlds(candidates, n_worlds, seed, method=method)


def likeliest_world(candidates):
    """The one world in which each draw has its candidate of greatest weight; ties go to the first."""
    draws = draws_of(candidates)
    best = draws.weights.argmax(axis=1).astype(np.int32) if len(draws.sizes) else np.empty(0, dtype=np.int32)
    return Worlds(candidates, best[None, :], np.ones(1), complete=bool((draws.sizes == 1).all()))


def count_worlds(candidates):
    """How many worlds there are, as a Python integer of any size."""
    return prod(draws_of(candidates).sizes.tolist())


@dataclass(frozen=True, eq=False)
class Draws:
    """What is drawn: a key, a number of candidates and their weights for each draw, and the draw of each doubt.

    Parameters
    ----------
    keys : uint64 (n_draws,)
    sizes : int64 (n_draws,)
    weights : float64 (n_draws, most)
        0 beyond the candidates of a draw.
    of_group : tuple of int64 (count,)
        Draw of each doubt, group by group; doubts of one row with one joint name share theirs.
    """

    keys: np.ndarray
    sizes: np.ndarray
    weights: np.ndarray
    of_group: tuple

    def picked(self, numbers, some=slice(None)):
        """Candidate of each draw by inverse distribution: int32, of the shape of `numbers` (..., n_draws)."""
        reached = np.zeros(len(self.sizes[some]))
        chosen = np.zeros(numbers.shape, dtype=np.int32)
        for candidate in range(self.weights.shape[1] - 1):
            reached = reached + self.weights[some, candidate]
            chosen += numbers >= reached
        return np.minimum(chosen, (self.sizes[some] - 1).astype(np.int32))


def draws_of(candidates):
    """`Draws` of these candidates; worked out once."""
    kept = candidates.__dict__.get("_draws")
    if kept is None:
        kept = _drawn(list(candidates))
        object.__setattr__(candidates, "_draws", kept)
    return kept


def _drawn(groups):
    keys = [row_keys(one.rows) ^ _name_key(one) for one in groups]
    joined = np.concatenate([np.empty(0, dtype=np.uint64), *keys])
    distinct, first, draw = np.unique(joined, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(distinct), dtype=np.int64)
    rank[order] = np.arange(len(distinct))
    cuts = np.cumsum([0, *(one.count for one in groups)])
    of_group = tuple(rank[draw[low:high]] for low, high in pairwise(cuts))
    sizes = np.concatenate([np.empty(0, dtype=np.int64), *(one.sizes for one in groups)])[first[order]]
    weights = np.zeros((len(distinct), int(sizes.max(initial=1))))
    for one, places in zip(groups, of_group, strict=True):
        within = np.arange(len(one.weights)) - one.start[one.place]
        weights[places[one.place], within] = one.weights
    return Draws(distinct[order], sizes, weights, of_group)


def row_keys(rows):
    """64 bits for each row id, the same whatever else is in the table."""
    if rows.dtype.is_integer():
        return rows.cast(pl.Int64).to_numpy().astype(np.uint64)
    texts = rows.cast(pl.String).to_list()
    return np.array([_bits(text) for text in texts], dtype=np.uint64)


def _name_key(doubts):
    name = f"joint:{doubts.joint}" if doubts.joint else "row" if doubts.column is None else f"cell:{doubts.column}"
    return np.uint64(_bits(name))


def _bits(text):
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _numbers(keys, world, seed, in_pairs):
    if not in_pairs:
        return keyed_uniforms(seed, f"world:{world}", keys)
    numbers = keyed_uniforms(seed, f"world:{world // 2}", keys)
    return 1 - numbers if world % 2 else numbers


def spread_numbers(keys, n_worlds, seed):
    """Numbers of each draw, one in each of `n_worlds` equal parts of [0, 1), in an order of the draw's own."""
    marks = np.stack([keyed_uniforms(seed, f"order:{world}", keys) for world in range(n_worlds)])
    part = marks.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    within = np.stack([keyed_uniforms(seed, f"world:{world}", keys) for world in range(n_worlds)])
    return (part + within) / n_worlds
