"""Dependencies between columns: which value of one follows from others, and how surely.

A dependency is judged by how well it predicts the cell of a row from the *other* rows of the group that shares
its left side, in log-likelihood against the column's base rates. Three accounts compete for each group:

base
    the right side does not follow from the left one;
free
    each group has a distribution of its own (Dirichlet-multinomial): a legitimate, loose association;
noisy function
    the group has one true value, and other values are noise whose distribution is the *same in all groups*.

Only where the last account wins are exceptions errors. A threshold on the share of exceptions cannot tell 40%
of noise in a true dependency from 1% of legitimate exceptions in a loose one; the comparison of accounts can.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

_QUICK_LOOSENESS = (0.3, 10.0)
_NOISE_PRIOR = 2.0  # pseudo-exceptions, spread like the column itself
_LOOSENESS = np.geomspace(0.003, 3000.0, 11)  # concentrations tried for the free account
_HABITS = (0.3, 3.0, 1000.0)  # how much the wrong values differ between groups: a lot, some, not
_STEADINESS = (300.0, 30_000.0)  # how much the rate of wrong values differs between groups: some, not
_FREE_SHARE = 0.1  # groups expected to be free, before looking
_ROUNDS = 4
_SLIP_COUNT = 3  # cells that a slip may hold; values that hold more have a right to be there
_SLIP_SHARE = 0.2  # the same against the mean value of the column
MOST_NOISE = 0.4  # beyond it nobody can say what the function is


@dataclass(frozen=True, eq=False)
class Pairs:
    """How often each left side meets each right side; one line a pair, groups together.

    Parameters
    ----------
    keys : int64 (n_groups,)
        Distinct left sides, ascending.
    starts : int64 (n_groups,)
        First pair of each group.
    group, value, count : int64 (n_pairs,)
    n_values : int
        Codes that the right side can have.
    """

    keys: np.ndarray
    starts: np.ndarray
    group: np.ndarray
    value: np.ndarray
    count: np.ndarray
    n_values: int

    @property
    def sizes(self):
        """Rows of each group."""
        return np.add.reduceat(self.count, self.starts) if len(self.starts) else self.count

    def total(self, weights):
        """Sum of pair weights in each group."""
        return np.add.reduceat(weights, self.starts) if len(self.starts) else np.zeros(0)

    def largest(self, weights):
        """Largest pair weight in each group."""
        return np.maximum.reduceat(weights, self.starts) if len(self.starts) else np.zeros(0)


def count_pairs(key, value, n_values):
    """`Pairs` of the rows where both sides are known (codes of 0 or more)."""
    known = (key >= 0) & (value >= 0)
    joint = np.sort(key[known].astype(np.int64) * n_values + value[known])
    if not len(joint):
        none = np.zeros(0, dtype=np.int64)
        return Pairs(none, none, none, none, none, n_values)
    first = np.flatnonzero(np.concatenate(([True], joint[1:] != joint[:-1])))
    count = np.diff(np.append(first, len(joint)))
    left, right = np.divmod(joint[first], n_values)
    new = np.concatenate(([True], left[1:] != left[:-1]))
    starts = np.flatnonzero(new)
    return Pairs(left[starts], starts, np.cumsum(new) - 1, right, count, n_values)


@dataclass(frozen=True, eq=False)
class Fit:
    """How the accounts explain one dependency.

    Parameters
    ----------
    truths : int64 (n_groups,)
        Likeliest true value of each group.
    sureness : float64 (n_groups,)
        Probability that it is, given that the group has one.
    functional : float64 (n_groups,)
        Probability that the group has one true value rather than a distribution of its own.
    gain : float
        Log-likelihood gained over the base rates, in nats.
    told : float
        Share of what was to be gained that is gained in the functional groups.
    noise : float
        Share of exceptions.
    astray : float
        Exceptions whose value comes again and again.
    left_open : float
        The same as a share of what the commonest value misses.
    unevenness : float
        Variance of the rate of such exceptions between groups, beyond chance, in squares of the mean rate.
    share : float
        Rows in functional groups, among the rows that have company.
    covered : int
        Rows that have company in their group.
    proof : float
        Log-likelihood by which one true value explains the functional groups better than freedom, in nats.
    """

    truths: np.ndarray
    sureness: np.ndarray
    functional: np.ndarray
    gain: float
    told: float
    noise: float
    astray: float
    left_open: float
    unevenness: float
    share: float
    covered: int
    proof: float


def fit_dependency(pairs, base):
    """`Fit` of one dependency.

    Parameters
    ----------
    pairs : Pairs
    base : Base
        Of the right side.
    """
    rarity = np.log(base.share)[pairs.value]
    free = _likelihood_of_freedom(pairs, base)
    company = pairs.sizes >= 2
    functional = (2 * pairs.largest(pairs.count) >= pairs.sizes).astype(float)
    for _ in range(_ROUNDS - 1):
        function = _noisy_function(pairs, base, rarity, functional)
        exact = _likelihood_of_function(pairs, base, rarity, function)
        odds = np.clip(pairs.total(exact - free), -50, 50)
        functional = 1 / (1 + np.exp(-odds) * _FREE_SHARE / (1 - _FREE_SHARE))
    plain = pairs.count * rarity
    best = np.logaddexp(np.log1p(-_FREE_SHARE) + pairs.total(exact), np.log(_FREE_SHARE) + pairs.total(free))
    covered = int(pairs.sizes[company].sum())
    home = _at_home(pairs)
    weight = home * functional[pairs.group]
    rows = (weight * pairs.count).sum()
    astray = (weight * pairs.count)[pairs.value != function.truths[pairs.group]].sum()
    common = np.bincount(pairs.value, weights=weight * pairs.count, minlength=1).max() if len(pairs.value) else 0.0
    return Fit(
        truths=function.truths,
        sureness=_sureness(pairs, function.votes),
        functional=functional,
        gain=float((best - pairs.total(plain))[company].sum()),
        told=float((weight * (exact - plain)).sum() / max((weight * -plain).sum(), 1e-9)),
        noise=function.noise,
        astray=float(astray),
        left_open=float(astray / max(rows - common, 1e-9)),
        unevenness=_unevenness(pairs, weight, function.truths),
        share=float((functional * pairs.sizes)[company].sum() / max(covered, 1)),
        covered=covered,
        proof=float((weight * (exact - free)).sum()),
    )


def _at_home(pairs):
    """Pairs in company whose value comes again and again; the others are slips, and prove nothing."""
    seen = np.bincount(pairs.value, weights=pairs.count, minlength=pairs.n_values)
    usual = seen.sum() / max(np.count_nonzero(seen), 1)
    return (seen > min(_SLIP_COUNT, _SLIP_SHARE * usual))[pairs.value] & (pairs.sizes >= 2)[pairs.group]


def _unevenness(pairs, weight, truths):
    """Variance of the rate of exceptions between groups that chance does not explain, in squares of its mean."""
    rows = pairs.total(weight * pairs.count)
    astray = pairs.total(np.where(pairs.value != truths[pairs.group], weight * pairs.count, 0.0))
    mean = astray.sum() / max(rows.sum(), 1e-9)
    if mean <= 0:
        return 0.0
    held = rows > 0
    squares = ((astray[held] - mean * rows[held]) ** 2 / rows[held]).sum()
    return float((squares - np.count_nonzero(held) * mean * (1 - mean)) / (rows.sum() * mean**2))


@dataclass(frozen=True, eq=False)
class Base:
    """How common each value of a column is.

    Values that occur once share the mass of all of them, since which of them comes is equally hard to foretell
    in every account.

    Parameters
    ----------
    share : float64 (n_values,)
        Above 0.
    once : bool (n_values,)
    """

    share: np.ndarray
    once: np.ndarray

    @classmethod
    def of(cls, codes, n_values):
        """The base rates of a column of codes; -1 is left out."""
        return cls.of_counts(np.bincount(codes[codes >= 0], minlength=n_values))

    @classmethod
    def of_counts(cls, counts):
        """The base rates of values that occur so often."""
        once = counts == 1
        return cls(np.where(once, once.sum(), np.maximum(counts, 0.5)) / max(counts.sum(), 1), once)

    def sums(self, values, weights):
        """Sum of weights by value; values that occur once get the sum of all such values."""
        taken = np.bincount(values, weights=weights, minlength=len(self.share))
        return np.where(self.once, taken[self.once].sum(), taken)


@dataclass(frozen=True, eq=False)
class _Function:
    """A function with noise: true value of each group, and what each exception is worth."""

    truths: np.ndarray
    votes: np.ndarray
    evidence: np.ndarray
    noise: float
    taken: np.ndarray
    exceptions: float


def _noisy_function(pairs, base, rarity, functional):
    """The noisy function that explains the functional groups best, by alternating truths and noise."""
    votes = pairs.count.astype(float)
    weight = np.where(pairs.sizes >= 2, functional, 0.0)[pairs.group] * pairs.count
    rows = weight.sum()
    for _ in range(_ROUNDS):
        truths = _winners(pairs, votes, rarity)
        strayed = np.where(pairs.value != truths[pairs.group], weight, 0.0)
        exceptions = float(strayed.sum())
        noise = min((exceptions + 0.5) / (rows + 1.0), MOST_NOISE)
        taken = base.sums(pairs.value, strayed)
        spread = (taken + _NOISE_PRIOR * base.share) / (exceptions + _NOISE_PRIOR)
        evidence = np.log1p((1 - noise) / (noise * spread[pairs.value]))
        votes = pairs.count * evidence + rarity
    return _Function(_winners(pairs, votes, rarity), votes, evidence, noise, taken, exceptions)


def _winners(pairs, votes, rarity):
    """Value with the most votes in each group; ties go to the commoner, then to the first."""
    order = np.lexsort((-pairs.value, rarity, votes, pairs.group))
    last = np.append(pairs.starts[1:], len(pairs.value)) - 1
    return pairs.value[order[last]]


def _likelihood_of_function(pairs, base, rarity, function):
    """Log-likelihood of each pair, every row predicted from the others, if the group has one true value.

    Which wrong value comes may depend on the group (the same slip is often made twice); how often one comes
    may not.
    """
    top = pairs.largest(function.votes)
    weight = np.exp(function.votes - top[pairs.group])
    unseen = np.maximum(1.0 - pairs.total(np.exp(rarity)), 0.0) * np.exp(-top)
    without = weight * np.exp(-function.evidence)
    rest = pairs.total(weight)[pairs.group] - weight + without + unseen[pairs.group]
    right = without / np.maximum(rest, 1e-300)
    odd = pairs.value != function.truths[pairs.group]
    wrong = np.where(odd, pairs.count, 0)
    spread = (np.maximum(function.taken[pairs.value] - odd, 0.0) + _NOISE_PRIOR * base.share[pairs.value]) / (
        max(function.exceptions - 1, 0.0) + _NOISE_PRIOR
    )
    strays = pairs.total(wrong)[pairs.group]
    others = np.maximum(strays - odd, 0)
    best = None
    for habit, steadiness in product(_HABITS, _STEADINESS):
        slip = (np.maximum(wrong - odd, 0) + habit * spread) / (others + habit)
        noise = (others + steadiness * function.noise) / (pairs.sizes[pairs.group] - 1 + steadiness)
        likelihood = pairs.count * np.log(np.maximum((1 - noise) * right + noise * slip, 1e-300))
        if best is None or likelihood.sum() > best.sum():
            best = likelihood
    return best


def _likelihood_of_freedom(pairs, base, concentrations=_LOOSENESS):
    """The same if each group has a distribution of its own, at the concentration that explains most."""
    sizes, share, best = pairs.sizes[pairs.group], base.share[pairs.value], None
    for concentration in concentrations:
        chance = (pairs.count - 1 + concentration * share) / (sizes - 1 + concentration)
        likelihood = pairs.count * np.log(chance)
        if best is None or likelihood.sum() > best.sum():
            best = likelihood
    return best


def quick_gain(pairs, base):
    """What the left side tells of the right one: nats gained over base rates and nats to be gained.

    Each row is foretold by the others of its group, so that chance agreement gains nothing.
    """
    if not len(pairs.keys):
        return 0.0, 0.0
    plain = float((pairs.count * np.log(base.share)[pairs.value]).sum())
    return float(_likelihood_of_freedom(pairs, base, _QUICK_LOOSENESS).sum()) - plain, -plain


def _sureness(pairs, votes):
    """Posterior probability of the winner among the values seen in its group and those that were not."""
    top = pairs.largest(votes)
    return 1 / (pairs.total(np.exp(votes - top[pairs.group])) + np.exp(-np.maximum(top, 0.0)) * (top < 0) + 0.0)
