"""Predictions of k-NN over the worlds in which one row is known; lists of neighbours are those of `dqops.kernels.certain`."""

import numpy as np
from numba import prange

from dqops.kernels import kernel, parallel_kernel
from dqops.kernels.certain import (
    SWAPS,
    _add_votes,
    _add_winners,
    _crowd,
    _divide,
    _multiply,
    _plant,
    _present,
    _renew,
    _take_out,
)


@parallel_kernel
def conditional_predictions(span, places, weights, row_span, kinds, k, n_classes):
    """Distribution of each prediction where one row is known to be one of its candidates, for all rows in one scan.

    While the scan stands at a candidate, the chance of each winner is worked out with every other row forced inside and
    forced outside. Rows of one class that were passed with the same probability share the sums, so that a step costs
    as much as there are such groups. A row's factor is divided out of its class where that is stable (probability at
    most one half), else its class is multiplied out without it.

    Parameters
    ----------
    span, places, weights, row_span, kinds, k, n_classes
        As in `count_predictions`.

    Returns
    -------
    inside : float64 (n_entries, n_classes)
        Given that the row of the entry is this candidate; 0 where no list has the entry.
    beyond : float64 (n_listed, n_classes)
        Given that the row is none of its candidates in the list; 0 where the list has them all.
    """
    inside, beyond = np.zeros((len(places), n_classes)), np.zeros((len(kinds), n_classes))
    for test in prange(len(span)):
        begin, end = span[test]
        first, last = row_span[test]
        mine = kinds[first:last]
        present, code = _present(mine, n_classes)
        known, sure = _scan(places[begin:end], weights[begin:end], mine[:, 1], code, len(present), k)
        for label in range(len(present)):
            inside[begin:end, present[label]] = known[:, label]
            beyond[first:last, present[label]] = sure[:, label]
    return inside, beyond


@kernel
def _scan(places, weights, sizes, code, n_present, k):
    """One test of `conditional_predictions`, for the classes that are present."""
    lines, base, leaf = _crowd(code, n_present, k)
    inside = np.zeros(len(code))
    shares, levels = _shares(places, weights, sizes)
    n_levels = len(levels)
    level = code * n_levels
    links = _linked(level, n_present * n_levels)
    sums = np.zeros((n_present * n_levels, 2, n_present))
    own, since = np.zeros((len(code), 2, n_present)), np.zeros((len(code), 2, n_present))
    known = np.zeros((len(places), n_present))
    scratch, wins = np.empty((2 * n_present + 3, k + 1)), np.empty((n_present, k, n_present))
    n_settled, stop = 0, len(places)
    for entry in range(len(places)):
        row = places[entry, 1]
        label = code[row]
        if inside[row] > 0.0:
            _take_out(lines, n_present, label, base[label], leaf[row], inside[row])
            inside[row] = 0.0
        if entry % SWAPS == 0:
            _renew(lines, base, code, inside)
        own[row] += sums[level[row]] - since[row]
        _unlink(links, level, row)
        _add_votes(lines, n_present, label, 1.0, known[entry], scratch)
        _winners(lines, label, wins, scratch)
        for place in range(links[5][0]):
            group = links[3][place]
            one, share = group // n_levels, levels[group % n_levels]
            _without(lines, n_present, one, base[one], leaf[links[0][group]], share, scratch)
            _add_forced(scratch, weights[entry], wins[one], sums[group])
        known[entry] += own[row, 1] - own[row, 0]
        inside[row] = levels[shares[entry]]
        _multiply(lines, label, inside[row])
        if inside[row] <= 0.5:
            _multiply(lines, n_present + label, inside[row])
        else:
            _plant(lines, base[label], leaf[row], inside[row])
        level[row] = label * n_levels + shares[entry]
        since[row] = sums[level[row]]
        _link(links, level, row)
        n_settled += inside[row] == 1.0
        if n_settled >= k:
            stop = entry + 1
            break
    for row in range(len(code)):
        own[row] += sums[level[row]] - since[row]
    _settle(places, sizes, stop, known, own)
    return known, own[:, 1]


@kernel
def _settle(places, sizes, stop, known, own):
    """Give each entry its row's share of what came before or after it; a row that is listed whole has none beyond."""
    listed = np.zeros(len(own), dtype=np.int64)
    for entry in range(len(places)):
        row = places[entry, 1]
        known[entry] += own[row, 0 if entry < stop else 1]
        listed[row] += 1
    for row in range(len(own)):
        if listed[row] == sizes[row]:
            own[row, 1] = 0.0


@kernel
def _shares(places, weights, sizes):
    """Place, among all such values, of the probability that the entry's row is passed; 1 exactly once all of it is."""
    reached, passed = np.zeros(len(sizes)), np.zeros(len(sizes), dtype=np.int64)
    values = np.empty(len(places) + 1)
    values[-1] = 0.0
    for entry in range(len(places)):
        row = places[entry, 1]
        reached[row] += weights[entry]
        passed[row] += 1
        values[entry] = 1.0 if passed[row] == sizes[row] else min(reached[row], 1.0 - 1e-16)
    levels = np.unique(values)
    return np.searchsorted(levels, values[:-1]), levels


@kernel
def _linked(level, n_groups):
    """Chains of the rows of each group: head by group; next and previous by row; groups in use, and the place of each."""
    heads, following, previous = np.full(n_groups, -1), np.full(len(level), -1), np.full(len(level), -1)
    used, place, n_used = np.full(n_groups, -1), np.full(n_groups, -1), np.zeros(1, dtype=np.int64)
    links = (heads, following, previous, used, place, n_used)
    for row in range(len(level)):
        _link(links, level, row)
    return links


@kernel
def _link(links, level, row):
    heads, following, previous, used, place, n_used = links
    group = level[row]
    following[row], previous[row] = heads[group], -1
    if heads[group] >= 0:
        previous[heads[group]] = row
    else:
        used[n_used[0]], place[group] = group, n_used[0]
        n_used[0] += 1
    heads[group] = row


@kernel
def _unlink(links, level, row):
    heads, following, previous, used, place, n_used = links
    group = level[row]
    if previous[row] >= 0:
        following[previous[row]] = following[row]
    else:
        heads[group] = following[row]
    if following[row] >= 0:
        previous[following[row]] = previous[row]
    if heads[group] < 0:
        n_used[0] -= 1
        moved = used[n_used[0]]
        used[place[group]], place[moved] = moved, place[group]


@kernel
def _winners(lines, label, wins, scratch):
    """wins[one, inside, winner]: chance of the winner where `inside` of the other nearer rows are of class `one`."""
    n_present, k = wins.shape[0], wins.shape[1]
    wins[:] = 0.0
    for one in range(n_present):
        for inside in range(k):
            if n_present == 2:
                second = inside if one == 1 else k - 1 - inside
                wins[one, inside, 1 if 2 * (second + label) > k else 0] = lines[1 - one, k - 1 - inside]
                continue
            for other in range(n_present):
                shift = other == label
                scratch[other, :] = 0.0
                for power in range(k):
                    scratch[other, power + shift] = lines[other, power] if other != one else power == inside
            _add_winners(scratch, n_present, k, 1.0, wins[one, inside])


@kernel
def _add_forced(scratch, weight, wins, sums):
    """Add the chance of each winner with a row forced inside (first line) and outside; others as the first of `scratch`."""
    k, n_present = wins.shape
    for power in range(k):
        chance = weight * scratch[0, power]
        if chance != 0.0:
            for winner in range(n_present):
                sums[1, winner] += chance * wins[power, winner]
                if power + 1 < k:
                    sums[0, winner] += chance * wins[power + 1, winner]


@kernel
def _without(lines, n_present, label, base, node, share, scratch):
    """Write into the first line of `scratch` the polynomial of a class without one of its rows."""
    if share <= 0.5:
        _divide(lines, label, share, scratch, 0)
        return
    k = lines.shape[1]
    for power in range(k):
        scratch[0, power] = lines[n_present + label, power]
    while node > 1:
        for power in range(k - 1, -1, -1):
            total = 0.0
            for some in range(power + 1):
                total += scratch[0, some] * lines[base + (node ^ 1), power - some]
            scratch[0, power] = total
        node >>= 1
