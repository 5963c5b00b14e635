"""Which cell of a row is wrong, where the row breaks dependencies.

A row that breaks a dependency does not say which side is wrong. Each row is explained at the least cost: a cell
that does not follow from the others costs the rarity of its value; a broken dependency costs the rarity of
legitimate exceptions; a wrong cell costs the rate of errors in its column and the rarity of its value among
errors, and may then hold what the dependencies say, or anything. The costs are log-probabilities, so the shares
of the explanations are posterior probabilities. Rates, and what errors look like, are learned from the rows
themselves by repeating the explanation (expectation-maximisation).

References
----------
The model is a small noisy-channel one in the spirit of Rekatsinas et al. 2017, VLDB 10(11),
doi:10.14778/3137628.3137631.
"""

from dataclasses import dataclass, replace

import numpy as np

from dqops.tables.dependencies import Base
from dqops.tables.mining import left_key

UNKNOWN = -1
_START_RATE = 0.005  # errors in a column that no dependency foretells, before looking
_USUAL_NOISE = 0.03  # noise at which exceptions are as likely legitimate as wrong, before looking
_PRIOR = 2.0  # pseudo-errors, spread like the column itself
_LEAST = 1e-5
_MOST_WRONG = 6  # cells of one row
_COMMON = 0.05  # levels of a small column that are tried as its true value
_SILENT, _AGREES, _BROKEN = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Blame:
    """What errors look like in a table that keeps these dependencies.

    Parameters
    ----------
    dependencies : list of Dependency
    sizes : dict of str to int
    bases : dict of str to Base
    rates : dict of str to float
        Share of wrong cells, by column.
    slips : dict of str to float64 (n_values,)
        How common each value is among the errors of its column.
    exceptions : float64 (n_dependencies,)
        Share of rows that break each dependency legitimately.
    """

    dependencies: list
    sizes: dict
    bases: dict
    rates: dict
    slips: dict
    exceptions: np.ndarray

    @property
    def columns(self):
        """Columns that take part, in the order of their first appearance."""
        return columns_of(self.dependencies)

    def broken(self, codes):
        """bool (n,): the rows that break a dependency."""
        rows = np.zeros(len(next(iter(codes.values()))), dtype=bool) if codes else np.zeros(0, dtype=bool)
        for one in self.dependencies:
            rows |= _verdict(one, codes, self.sizes) == _BROKEN
        return rows

    def explain(self, codes):
        """The wrong cells of these rows.

        Parameters
        ----------
        codes : dict of str to int32 (n,)

        Returns
        -------
        dict of str to (float64 (n,), int32 (n,))
            Probability that the cell is wrong, and the code that should stand there, -1 where unknown.
        """
        rows = _Rows(self, codes).run()
        return {name: (rows.score[name], rows.belief[name]) for name in rows.names}


def columns_of(dependencies):
    """Columns that take part in dependencies, in the order of their first appearance."""
    return list(dict.fromkeys(name for one in dependencies for name in (*one.lhs, one.rhs)))


def learn_blame(dependencies, codes, sizes, rounds=3):
    """`Blame` learned from the rows of `codes`."""
    names = columns_of(dependencies)
    bases = {name: Base.of(codes[name], sizes[name]) for name in names}
    n_rows = len(codes[names[0]])
    verdicts = [_verdict(one, codes, sizes) for one in dependencies]
    told = np.array([max((one != _SILENT).sum(), 1) for one in verdicts])
    broken = np.array([(one == _BROKEN).mean() * n_rows for one in verdicts]) / told
    odds = np.array([one.noise / _USUAL_NOISE * np.exp(-max(one.proof, 0.0)) for one in dependencies])
    legitimate = odds / (1 + odds)
    rates, slips = {}, {}
    for name in names:
        into = [place for place, one in enumerate(dependencies) if one.rhs == name]
        wrong = [broken[place] * (1 - legitimate[place]) for place in into]
        rates[name] = max(min(wrong, default=_START_RATE), _LEAST)
        slips[name] = bases[name].share
    blame = Blame(dependencies, sizes, bases, rates, slips, np.maximum(legitimate * broken, _LEAST))
    doubtful = np.flatnonzero(blame.broken(codes))
    some = {name: codes[name][doubtful] for name in names}
    for _ in range(rounds if len(doubtful) else 0):
        blame = _relearn(blame, some, n_rows, told)
    return blame


def _relearn(blame, codes, n_rows, told):
    """The same with the rates that its own explanations show."""
    rows = _Rows(blame, codes).run()
    rates = {name: float(share.sum() + n_rows * _LEAST) / n_rows for name, share in rows.share.items()}
    slips = {name: _slips(codes[name], share, blame.bases[name]) for name, share in rows.share.items()}
    left = {name: np.where(rows.score[name] >= 0.5, rows.belief[name], codes[name]) for name in rows.names}
    still = [(_verdict(one, left, blame.sizes) == _BROKEN).sum() for one in blame.dependencies]
    exceptions = np.maximum((np.array(still) + 0.5) / told, _LEAST)
    return replace(blame, rates=rates, slips=slips, exceptions=exceptions)


def _slips(codes, weights, base):
    """How common each value is among errors, shrunk towards the column."""
    held = codes >= 0
    weights = np.broadcast_to(weights, codes.shape)[held]
    return (base.sums(codes[held], weights) + _PRIOR * base.share) / (weights.sum() + _PRIOR)


def _verdict(one, codes, sizes):
    """int8 (n,): whether each row keeps a dependency, breaks it, or is not spoken of."""
    follows = one.predict(left_key(one.lhs, codes, sizes))
    cells = codes[one.rhs]
    return np.where((follows < 0) | (cells < 0), _SILENT, np.where(follows == cells, _AGREES, _BROKEN)).astype(np.int8)


class _Rows:
    """Rows under explanation: what is believed of each cell so far, and what that costs."""

    def __init__(self, blame, codes):
        self.blame = blame
        self.codes = codes
        self.names = blame.columns
        self.belief = {name: codes[name].copy() for name in self.names}
        self.score = {name: np.zeros(len(codes[name])) for name in self.names}
        self.share = {name: np.zeros(len(codes[name])) for name in self.names}
        self.n_rows = len(codes[self.names[0]]) if self.names else 0
        self.live = np.ones(self.n_rows, dtype=bool)
        self.into = {name: [] for name in self.names}
        self.out_of = {name: [] for name in self.names}
        for place, one in enumerate(blame.dependencies):
            self.into[one.rhs].append(place)
            for name in one.lhs:
                self.out_of[name].append(place)

    def run(self):
        """Blame cell after cell, until nothing is gained."""
        for _ in range(_MOST_WRONG):
            if not self.blame_next():
                break
        self.pardon()
        return self

    def pardon(self):
        """Take back what later blame has made needless."""
        rows = np.flatnonzero(sum((score > 0).astype(int) for score in self.score.values()) > 1) if self.names else []
        if not len(rows):
            return
        for name in self.names:
            view = _View(self, rows)
            free = view.blamed[name] & (view.pardon_gain(name) > 0)
            self.score[name][rows[free]] = 0.0
            self.belief[name][rows[free]] = self.codes[name][rows[free]]

    def blame_next(self):
        """Blame the cell of each live row whose error explains most; False when no row has one."""
        live = np.flatnonzero(self.live)
        if not len(live):
            return False
        view = _View(self, live)
        gains, values = zip(*(view.best_change(name) for name in self.names), strict=True)
        gains = np.array(gains)
        best = gains.argmax(axis=0)
        top = np.maximum(gains.max(axis=0), 0.0)
        weights = np.exp(gains - top)
        shares = weights / (weights.sum(axis=0) + np.exp(-top))
        won = gains.max(axis=0) > 0
        for place, name in enumerate(self.names):
            here = won & (best == place)
            rows = live[here]
            self.share[name][live] = np.maximum(self.share[name][live], shares[place])
            self.score[name][rows] = shares[place][here]
            self.belief[name][rows] = values[place][here]
        self.live[live[~won]] = False
        return bool(won.any())


class _View:
    """Costs of the live rows as they are believed now."""

    def __init__(self, rows, live):
        self.rows, self.blame = rows, rows.blame
        self.belief = {name: rows.belief[name][live] for name in rows.names}
        self.codes = {name: rows.codes[name][live] for name in rows.names}
        self.blamed = {name: rows.score[name][live] > 0 for name in rows.names}
        self.follows = [self._predict(one, self.belief) for one in self.blame.dependencies]
        self.cost = {name: self._cost(name, self.belief[name], {}) for name in rows.names}

    def best_change(self, name):
        """Log-odds that this cell is wrong, and what should stand there (n_live,)."""
        best = np.full(len(self.codes[name]), UNKNOWN, dtype=np.int32)
        gain = self._gain(name, best)
        for value in self._candidates(name):
            with_value = np.where((value >= 0) & (value != self.codes[name]), self._gain(name, value), -np.inf)
            best, gain = np.where(with_value >= gain, value, best), np.maximum(gain, with_value)
        impossible = (self.codes[name] < 0) | self.blamed[name]
        return np.where(impossible, -np.inf, gain), best

    def _candidates(self, name):
        """What could stand there: what the dependencies say, and any level where a column has few."""
        yield self._told(name)
        share = self.blame.bases[name].share
        common = np.flatnonzero(share >= _COMMON)
        if self.rows.out_of[name] and len(common) <= 1 / _COMMON / 2:
            for level in common:
                yield np.full(len(self.codes[name]), level, dtype=np.int32)

    def pardon_gain(self, name):
        """Log-odds that a blamed cell is right after all."""
        return self._move(name, self.codes[name]) - self._price(name)

    def _gain(self, name, value):
        """Log-odds of a wrong cell that should hold `value`."""
        true = np.where(value >= 0, self.blame.slips[name][np.maximum(value, 0)], 0.0)
        return self._move(name, value) + self._price(name) - np.log1p(-np.minimum(true, 0.99))

    def _price(self, name):
        """Log-odds of an error that leaves what is recorded."""
        rate = self.blame.rates[name]
        return np.log(rate / (1 - min(rate, 0.999))) + np.log(self.blame.slips[name][np.maximum(self.codes[name], 0)])

    def _move(self, name, value):
        """What it gains to believe `value` of this cell."""
        blame = self.blame
        gain = self._cost(name, value, {}) - self.cost[name]
        changed = self.belief | {name: value}
        touched = {}
        for place in self.rows.out_of[name]:
            touched.setdefault(blame.dependencies[place].rhs, {})[place] = self._predict(blame.dependencies[place], changed)
        for rhs, follows in touched.items():
            gain += self._cost(rhs, self.belief[rhs], follows) - self.cost[rhs]
        return gain

    def _predict(self, one, belief):
        return one.predict(left_key(one.lhs, belief, self.blame.sizes))

    def _cost(self, name, value, changed):
        """Log-probability of a cell given the others: an exception costs, what follows is free."""
        base = self.blame.bases[name].share
        unknown = value < 0
        agrees, least, clash, against = np.zeros(len(value), dtype=bool), np.zeros(len(value)), np.zeros(len(value)), np.zeros(len(value))
        for place in self.rows.into[name]:
            follows = changed.get(place, self.follows[place])
            breaks = (follows >= 0) & (follows != value)
            agrees = agrees | ((follows >= 0) & (follows == value))
            price = np.where(breaks, np.log(self.blame.exceptions[place]), 0.0)
            clash += price
            against = np.where(price < least, base[np.maximum(follows, 0)], against)
            least = np.minimum(least, price)
        rarity = np.log(base[np.maximum(value, 0)]) - np.log1p(-np.minimum(against, 0.999))
        # One exception breaks all that speaks of the cell; where they contradict each other, each counts. What is
        # unknown may be any value but those that follow.
        return np.where(agrees, clash, least + np.where(unknown, 0.0, np.minimum(rarity, 0.0)))

    def _told(self, name):
        """The value that the dependencies agree on most, weighed by how seldom they are broken; -1 for none."""
        into = self.rows.into[name]
        best, most = np.full(len(self.codes[name]), UNKNOWN, dtype=np.int32), np.zeros(len(self.codes[name]))
        for place in into:
            value = self.follows[place]
            votes = sum(np.where(self.follows[other] == value, -np.log(self.blame.exceptions[other]), 0.0) for other in into)
            better = (value >= 0) & (value != self.codes[name]) & (votes > most)
            best, most = np.where(better, value, best), np.where(better, votes, most)
        return best
