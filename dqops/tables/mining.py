"""The dependencies that a table keeps: found on a sample of rows, each one or two columns to one."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from dqops.tables.dependencies import MOST_NOISE, Base, count_pairs, fit_dependency, quick_gain

MAX_COLUMNS = 120  # columns searched; those with the fewest levels come first
PER_COLUMN = 6  # dependencies kept into one column
_SCREEN_ROWS = 5000  # rows on which every pair of columns is looked at
_FIT_ROWS = 20_000  # rows on which the promising ones are fitted
_DENSE = 1 << 16  # left sides looked up in a plain array
_MAX_TRIPLES = 2500
_HINTS = 4  # single columns from which pairs into a column are built
_LEAST_HINT = 8.0  # nats told about the screening rows that make a pair worth fitting
_LEAST_EXPLAINED = 0.05  # and the share of what was to be told
_LEAST_BETTER = 0.2  # of what its better half leaves open, told by a left side of two columns
_LEAST_GAIN = 20.0  # nats beyond the base rates, before the price of the search
_LEAST_SHARE = 0.5  # rows in groups that have one true value
_LEAST_COVER = 0.1  # rows that have company in their group
_LEAST_REPEATS = 3.0  # cells a level of a measure; rarer ones agree by chance
_LEAST_PROOF = 0.5  # nats an exception by which noise must explain better than loose association
_NOISE_PROOF = 10.0  # and more where there is much noise
_GROUP_PROOF = 1.0  # or nats a group, where groups are so large that each tells noise from looseness
_LARGE = 8.0
_BULK_SHARE = 0.03  # rows in groups without one clear value that are taken for damaged, not for free
_MUCH_CLEANER = 0.75  # share of the exceptions that a second column may leave, to be worth asking
_MOST_NOISE = 0.3
_UNEVEN = 0.5  # variance of the noise between groups, in squares of its mean
_LEFT_OPEN = 0.6  # share of the errors of the commonest value that may be left
_MUCH_NOISIER = 2.0  # than the cleanest dependency into the same column: of no more use
_STRICT_NOISE, _STRICT_GAIN = 0.02, 0.85  # so nearly exact that no proof against looseness is asked


@dataclass(frozen=True, eq=False)
class Dependency:
    """The value of one column follows from others, but for noise.

    Parameters
    ----------
    lhs : tuple of str
    rhs : str
    keys : int64 (n_groups,)
        Left sides, ascending (see `left_key`).
    truths : int32 (n_groups,)
        Code of the true value; -1 where the group has none that is sure.
    noise : float
        Share of exceptions.
    gain : float
        Log-likelihood gained over base rates, in nats a covered row.
    told : float
        The same in nats a row.
    proof : float
        Nats an exception, or a group if these are fewer, by which noise explains it better than looseness does.
    """

    lhs: tuple[str, ...]
    rhs: str
    keys: np.ndarray
    truths: np.ndarray
    noise: float
    gain: float
    told: float
    proof: float

    def predict(self, key):
        """int32 (n,): the code that follows from each left side, -1 where none does."""
        if not len(self.keys):
            return np.full(len(key), -1, dtype=np.int32)
        if self.keys[-1] < _DENSE + 4 * len(key):
            follows = np.full(self.keys[-1] + 2, -1, dtype=np.int32)
            follows[self.keys] = self.truths
            return follows[np.where(key > self.keys[-1], -1, key)]
        place = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
        return np.where(self.keys[place] == key, self.truths[place], -1).astype(np.int32)


def left_key(lhs, codes, sizes):
    """int64 (n,): one number a left side, -1 where a part is missing.

    Parameters
    ----------
    lhs : tuple of str
    codes : dict of str to int32 (n,)
    sizes : dict of str to int
        Codes that each column can have.
    """
    key = codes[lhs[0]].astype(np.int64)
    for name in lhs[1:]:
        part = codes[name]
        key = np.where((key >= 0) & (part >= 0), key * sizes[name] + part, -1)
    return key


def mine(codes, sizes, measures=()):
    """Dependencies of a table, the best `PER_COLUMN` into each column.

    Parameters
    ----------
    codes : dict of str to int32 (n,)
        Code of each cell, -1 where it is missing. The order of rows carries no meaning: the first ones are looked
        at first.
    sizes : dict of str to int
    measures : collection of str
        Columns that measure rather than name: searched only where their values come again and again.

    Returns
    -------
    list of Dependency
        By right side, best first. O(columns^2 · n log n).
    """
    names = _searchable(codes, sizes, measures)
    if len(names) < 2:
        return []
    search = _Search(codes, sizes, {name: Base.of(codes[name], sizes[name]) for name in names})
    hints = {(lhs, rhs): search.hint((lhs,), rhs) for rhs in names for lhs in names if lhs != rhs}
    kept = {rhs: [] for rhs in names}
    for (lhs, rhs), (gain, entropy) in hints.items():
        if gain > _LEAST_HINT + _LEAST_EXPLAINED * entropy:
            search.add(kept[rhs], (lhs,), rhs)
    for lhs, rhs in _pairs_to_try(names, hints, kept):
        alone = max(hints[name, rhs][0] for name in lhs)
        gain, entropy = search.hint(lhs, rhs)
        if gain > alone + _LEAST_HINT + _LEAST_BETTER * max(entropy - alone, 0.0):
            search.add(kept[rhs], lhs, rhs)
    return [one for rhs in names for one in _best(kept[rhs])]


def recount(dependencies, codes, sizes):
    """The same dependencies with their groups counted on these rows, but for those that do not hold there."""
    bases = {one.rhs: Base.of(codes[one.rhs], sizes[one.rhs]) for one in dependencies}
    again = []
    for one in dependencies:
        pairs = count_pairs(left_key(one.lhs, codes, sizes), codes[one.rhs], sizes[one.rhs])
        again.append(_dependency(one.lhs, one.rhs, pairs, bases[one.rhs], len(sizes)))
    return [one for one in again if one is not None]


@dataclass(frozen=True, eq=False)
class _Search:
    """A table under search: quick looks on few rows, fits on more."""

    codes: dict
    sizes: dict
    bases: dict

    def rows(self, lhs, most):
        """Both sides' rows for a look at `most` rows: whole groups where the groups are small."""
        key = left_key(lhs, self.codes, self.sizes)
        if len(key) <= most:
            return key, slice(None)
        if np.prod([float(self.sizes[name]) for name in lhs]) * 8 <= most:
            return key[:most], slice(most)
        chosen = np.flatnonzero(_scatter(key) < most / len(key))
        return key[chosen], chosen

    def hint(self, lhs, rhs):
        """Nats that the left side tells of the right one, and nats to be told."""
        key, rows = self.rows(lhs, _SCREEN_ROWS)
        return quick_gain(count_pairs(key, self.codes[rhs][rows], self.sizes[rhs]), self.bases[rhs])

    def add(self, kept, lhs, rhs):
        """Fit one dependency and keep it where it holds."""
        key, rows = self.rows(lhs, _FIT_ROWS)
        pairs = count_pairs(key, self.codes[rhs][rows], self.sizes[rhs])
        one = _dependency(lhs, rhs, pairs, self.bases[rhs], len(self.sizes))
        if one is not None:
            kept.append(one)


def _dependency(lhs, rhs, pairs, base, n_columns):
    """The dependency that these pairs show, or None."""
    known = int(pairs.count.sum())
    if not known:
        return None
    fit = fit_dependency(pairs, base)
    groups = max(int(((fit.functional >= 0.5) & (pairs.sizes >= 2)).sum()), 1)
    astray = max(fit.astray, 1.0)
    noise = astray / max(fit.covered * fit.share, 1.0)
    strict = noise <= _STRICT_NOISE and fit.told >= _STRICT_GAIN
    proven = fit.proof >= (_LEAST_PROOF + _NOISE_PROOF * noise) * astray
    proven |= fit.proof >= _GROUP_PROOF * groups and fit.covered >= _LARGE * groups
    proven &= noise <= _STRICT_NOISE or fit.unevenness <= _UNEVEN
    price = _LEAST_GAIN + (1 + len(lhs)) * np.log(n_columns)
    enough = fit.gain > price and fit.share >= _LEAST_SHARE and fit.covered >= _LEAST_COVER * known
    telling = fit.noise <= _MOST_NOISE and fit.left_open <= _LEFT_OPEN
    if not (enough and telling and (strict or proven)):
        return None
    functional = fit.functional >= 0.5
    functional |= _damaged(pairs, functional)
    sure = functional & (fit.sureness >= 0.9) & (pairs.sizes >= 2)
    truths = np.where(sure, fit.truths, -1).astype(np.int32)
    return Dependency(lhs, rhs, pairs.keys, truths, noise, fit.gain / fit.covered, fit.gain / known, fit.proof / min(astray, groups))


def _scatter(key):
    """float64 (n,) in [0, 1): a number that belongs to each left side, as if drawn."""
    mixed = key.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def _best(kept):
    """The dependencies to keep into one column: no pair where a part of it does, the strongest first."""
    alone = {one.lhs[0]: one.noise for one in kept if len(one.lhs) == 1}
    minimal = [one for one in kept if len(one.lhs) == 1 or one.noise < _MUCH_CLEANER * min((alone[name] for name in one.lhs if name in alone), default=1.0)]
    useful = [one for one in minimal if not any(_outdoes(other, one) for other in minimal)]
    return sorted(useful, key=lambda one: (-one.gain, one.lhs))[:PER_COLUMN]


def _outdoes(other, one):
    """Whether another dependency says more, with far fewer exceptions."""
    return other.told >= one.told and one.noise > _MUCH_NOISIER * other.noise + _STRICT_NOISE / 2


def _damaged(pairs, functional):
    """Groups that errors have hit in bulk: the few without one clear value, where all others have one."""
    sizes = pairs.sizes
    clear = ~functional & (pairs.largest(pairs.count) >= (1 - MOST_NOISE) * sizes) & (sizes >= 2)
    return clear & (sizes[clear].sum() <= _BULK_SHARE * sizes[functional].sum())


def _searchable(codes, sizes, measures):
    """Columns with two levels or more of which some repeat, those with the fewest levels first."""
    chosen = []
    for name, cells in codes.items():
        counts = np.bincount(cells[cells >= 0], minlength=1)
        levels, held = (counts > 0).sum(), counts.sum()
        repeated = counts[counts >= 2].sum() >= _LEAST_COVER * len(cells)
        if levels >= 2 and repeated and (name not in measures or held >= _LEAST_REPEATS * levels):
            chosen.append(name)
    return sorted(chosen, key=lambda name: (sizes[name], name))[:MAX_COLUMNS]


def _pairs_to_try(names, hints, kept):
    """Left sides of two columns, where neither alone suffices and one is a hint."""
    tried = 0
    for rhs in names:
        alone = {one.lhs[0] for one in kept[rhs]}
        others = [name for name in names if name != rhs and name not in alone]
        told = {name: hints[name, rhs][0] for name in others if hints[name, rhs][0] > _LEAST_HINT}
        best = sorted(told, key=lambda name: (-told[name], name))[:_HINTS]
        both = [lhs for lhs in combinations(others, 2) if set(lhs) & set(best)]
        finest = sorted(alone, key=lambda name: (-hints[name, rhs][0], name))[:_HINTS]
        both += [(name, other) for name in finest for other in best]
        for lhs in both:
            if tried < _MAX_TRIPLES:
                tried += 1
                yield lhs, rhs
