"""Predictions of k-NN over all worlds: each row of the training table is one of its candidates, rows are independent.

Neighbours have one total order: distance, then row, then candidate. Vote ties go to the smallest class. Lists of
neighbours lie end to end, one for each holdout row ("test"), from ``span[test, 0]`` up to ``span[test, 1]``; rows that
occur in a list are numbered from 0 in order of the table, and described from ``row_span[test, 0]`` on.
"""

import numpy as np
from numba import prange

from dqops.kernels import kernel, parallel_kernel

SWAPS = 256  # steps after which products are made anew, so that rounding does not add up


@parallel_kernel
def count_predictions(span, places, weights, row_span, kinds, k, n_classes):
    """Probability of each prediction over all worlds, by scanning the candidates from near to far.

    At each candidate: it is its row's choice and the k-th nearest of all. The other rows of a class that are nearer
    are counted by a polynomial, truncated at k - 1 votes. Factors of rows that were passed with a probability of one
    half or less are multiplied in and divided out, which is stable; the others lie in a tree of products.

    Parameters
    ----------
    span, row_span : int64 (n_tests, 2)
    places : int32 (n_entries, 2)
        Candidate, and number of its row in the list, nearest first.
    weights : float64 (n_entries,)
        Probability of each candidate.
    kinds : int64 (n_listed, 2)
        Class and number of candidates of each row in a list.
    k : int
        Neighbours that vote; at most the number of rows.
    n_classes : int

    Returns
    -------
    probabilities : float64 (n_tests, n_classes)
    left : float64 (n_tests,)
        Probability that the list is too short to hold the k nearest; the probabilities sum to 1 less this.

    References
    ----------
    Karlaš et al. 2021, PVLDB 14(3), SortScan. arXiv 2005.05117
    """
    n_tests = len(span)
    probabilities, left = np.zeros((n_tests, n_classes)), np.zeros(n_tests)
    for test in prange(n_tests):
        mine = kinds[row_span[test, 0] : row_span[test, 1]]
        present, code = _present(mine, n_classes)
        lines, base, leaf = _crowd(code, len(present), k)
        inside = np.zeros(len(mine))
        reached, passed, n_settled = np.zeros(len(mine)), np.zeros(len(mine), dtype=np.int64), 0
        won, scratch = np.zeros(len(present)), np.empty((2 * len(present) + 3, k + 1))
        for entry in range(span[test, 0], span[test, 1]):
            row = places[entry, 1]
            label = code[row]
            if inside[row] > 0.0:
                _take_out(lines, len(present), label, base[label], leaf[row], inside[row])
                inside[row] = 0.0
            if entry % SWAPS == 0:
                _renew(lines, base, code, inside)
            _add_votes(lines, len(present), label, weights[entry], won, scratch)
            reached[row] += weights[entry]
            passed[row] += 1
            settled = passed[row] == mine[row, 1]
            inside[row] = 1.0 if settled else min(reached[row], 1.0)
            _multiply(lines, label, inside[row])
            if inside[row] <= 0.5:
                _multiply(lines, len(present) + label, inside[row])
            else:
                _plant(lines, base[label], leaf[row], inside[row])
            n_settled += settled
            if n_settled >= k:
                break
        if n_settled < k:
            left[test] = _fewer(lines, len(present), scratch)
        for label in range(len(present)):
            probabilities[test, present[label]] = won[label]
    return probabilities, left


@kernel
def _present(kinds, n_classes):
    """Classes that occur, ascending, and the place among them of each row's class."""
    counts = np.zeros(n_classes, dtype=np.int64)
    for row in range(len(kinds)):
        counts[kinds[row, 0]] += 1
    present = np.flatnonzero(counts)
    place = np.searchsorted(present, kinds[:, 0])
    return present, place


@kernel
def _leaves(code, n_present):
    """Where the tree of each class begins, and the node of each row in its tree."""
    counts = np.zeros(n_present, dtype=np.int64)
    leaf = np.empty(len(code), dtype=np.int64)
    for row in range(len(code)):
        leaf[row] = counts[code[row]]
        counts[code[row]] += 1
    base = np.zeros(n_present, dtype=np.int64)
    for label in range(1, n_present):
        base[label] = base[label - 1] + 2 * counts[label - 1]
    for row in range(len(code)):
        leaf[row] += counts[code[row]]
    return base, leaf


@kernel
def _crowd(code, n_present, k):
    """Lines of powers: the polynomial of each class, its part of small factors, then the trees; and where rows lie in them."""
    base, leaf = _leaves(code, n_present)
    lines = np.zeros((2 * n_present + 2 * len(code), k))
    lines[:, 0] = 1.0
    return lines, base + 2 * n_present, leaf


@kernel
def _take_out(lines, n_present, label, base, node, share):
    """Take the factor of a row that was nearer with probability `share` out of its class."""
    if share > 0.5:
        _plant(lines, base, node, 0.0)
    else:
        _divide(lines, n_present + label, share, lines, n_present + label)
    _join(lines, n_present, label, base)


@kernel
def _renew(lines, base, code, inside):
    """Multiply the small factors anew, so that rounding does not add up."""
    n_present = len(base)
    lines[n_present : 2 * n_present] = 0.0
    lines[n_present : 2 * n_present, 0] = 1.0
    for row in range(len(code)):
        if 0.0 < inside[row] <= 0.5:
            _multiply(lines, n_present + code[row], inside[row])
    for label in range(n_present):
        _join(lines, n_present, label, base[label])


@kernel
def _join(lines, n_present, label, base):
    """The polynomial of a class: its small factors times the root of its tree."""
    for power in range(lines.shape[1]):
        total = 0.0
        for some in range(power + 1):
            total += lines[n_present + label, some] * lines[base + 1, power - some]
        lines[label, power] = total


@kernel
def _multiply(lines, line, share):
    for power in range(lines.shape[1] - 1, 0, -1):
        lines[line, power] = (1.0 - share) * lines[line, power] + share * lines[line, power - 1]
    lines[line, 0] *= 1.0 - share


@kernel
def _divide(lines, line, share, into, place):
    into[place, 0] = lines[line, 0] / (1.0 - share)
    for power in range(1, lines.shape[1]):
        into[place, power] = (lines[line, power] - share * into[place, power - 1]) / (1.0 - share)


@kernel
def _plant(lines, base, node, inside):
    """Write the factor of a row that is nearer with probability `inside`, and renew the products above it."""
    k = lines.shape[1]
    lines[base + node, 0] = 1.0 - inside
    if k > 1:
        lines[base + node, 1] = inside
    while node > 1:
        node >>= 1
        left, right = base + 2 * node, base + 2 * node + 1
        for power in range(k):
            total = 0.0
            for share in range(power + 1):
                total += lines[left, share] * lines[right, power - share]
            lines[base + node, power] = total


@kernel
def _add_votes(lines, n_present, label, weight, won, scratch):
    """Add the chance of each winner where a row of class `label` is the k-th nearest."""
    k = lines.shape[1]
    if n_present == 2:
        for second in range(k):
            chance = weight * lines[0, k - 1 - second] * lines[1, second]
            won[1 if 2 * (second + label) > k else 0] += chance
        return
    for one in range(n_present):
        shift = one == label
        scratch[one, 0], scratch[one, k] = 0.0, 0.0
        for power in range(k):
            scratch[one, power + shift] = lines[one, power]
    _add_winners(scratch, n_present, k, weight, won)


@kernel
def _add_winners(scratch, n_present, k, weight, won):
    """Winner `one` with `votes` votes: smaller classes have fewer, larger ones no more; k votes in all.

    The first lines of `scratch` hold the chances of each number of votes by class; the rest is room to work in.
    """
    prefix, after = 2 * n_present + 1, n_present
    for votes in range((k + n_present - 1) // n_present, k + 1):
        rest = k - votes
        scratch[after + n_present, : rest + 1] = 0.0
        scratch[after + n_present, 0] = 1.0
        for one in range(n_present - 1, 0, -1):
            _product(scratch, after + one + 1, one, votes, rest, after + one)
        scratch[prefix, : rest + 1] = 0.0
        scratch[prefix, 0] = 1.0
        for one in range(n_present):
            total = 0.0
            for before in range(rest + 1):
                total += scratch[prefix, before] * scratch[after + one + 1, rest - before]
            won[one] += weight * scratch[one, votes] * total
            _product(scratch, prefix, one, votes - 1, rest, prefix + 1)
            scratch[prefix, : rest + 1] = scratch[prefix + 1, : rest + 1]


@kernel
def _product(scratch, left, right, most, rest, into):
    """Product of two lines up to the power `rest`; of the right one only powers up to `most` count."""
    for power in range(rest + 1):
        total = 0.0
        for share in range(min(power, most) + 1):
            total += scratch[right, share] * scratch[left, power - share]
        scratch[into, power] = total


@kernel
def _fewer(lines, n_present, scratch):
    """Probability that fewer than k rows are inside."""
    k = lines.shape[1]
    scratch[0] = 0.0
    scratch[0, 0] = 1.0
    for one in range(n_present):
        scratch[1, :k] = lines[one]
        _product(scratch, 0, 1, k - 1, k - 1, 2)
        scratch[0, :k] = scratch[2, :k]
    return scratch[0, :k].sum()
