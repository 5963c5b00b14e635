"""Lists of the candidates that may be among the nearest of a holdout row ("test") in some world.

Each row of the training table is one of its candidates. Lists lie end to end, with room to spare, from ``spans[test, 0]``
on; rows that occur in a list are numbered from 0 in order of the table, and lie from ``spans[test, 1]`` on.
"""

import numpy as np
from numba import prange

from dqops.kernels import kernel, parallel_kernel

_BINS = 512
_SAMPLED = 500  # rows that guess where a list may end
_SPARE = 1.5  # standard errors by which the guess is put higher
# Below the smallest normal number of single precision a relative error bound does not hold.
_TINY = 1e-36


@parallel_kernel
def reach(screen, start, weights, norms, k, mass, rounding):
    """How far from each test the list of neighbours must go, and how long it will be.

    A row all of whose candidates are farther than the k-th smallest of the rows' farthest candidates is in no world
    among the k nearest. Lists are cut earlier where the candidates within have a weight of `mass` together.

    Parameters
    ----------
    screen : float32 (n_tests, n_candidates)
        Squared distances less the squared norm of the test, in single precision.
    start : int64 (n_rows + 1,)
        Candidates of row ``r`` are those from ``start[r]`` up to ``start[r + 1]``.
    weights : float64 (n_candidates,)
    norms : float64 (n_tests,)
        Norm of each test.
    k : int
        At most n_rows.
    mass : float
    rounding : float
        Relative error of a screened distance.

    Returns
    -------
    limits : float64 (n_tests, 2)
        No candidate beyond the first number counts; those screened below the second may lie within the first.
    counts : int64 (n_tests, 2)
        Candidates and rows screened below the second limit.
    """
    n_tests, n_rows = len(screen), len(start) - 1
    limits, counts = np.empty((n_tests, 2)), np.zeros((n_tests, 2), dtype=np.int64)
    for test in prange(n_tests):
        near = np.empty(n_rows, dtype=np.float32)
        lowest, farthest = _nearest_and_farthest(screen[test], start, k, near)
        radius = norms[test] + np.sqrt(max(farthest + norms[test] ** 2, 0.0)) * 1.001
        slack = 2 * rounding * (2 * norms[test] * radius + radius**2) + _TINY
        cut = _cut(screen[test], start, weights, near, lowest, farthest + slack, mass)
        # What is screened at the cut may lie a little beyond it, and where many are equally near, all of it may.
        cut = min(cut, farthest) + slack
        limits[test, 0], limits[test, 1] = cut, cut + slack
        for row in range(n_rows):
            if near[row] <= limits[test, 1]:
                counts[test, 1] += 1
                for candidate in range(start[row], start[row + 1]):
                    counts[test, 0] += screen[test, candidate] <= limits[test, 1]
    return limits, counts


@kernel
def _nearest_and_farthest(screened, start, k, near):
    """Fill `near` with each row's least value; return the least of all, and the k-th smallest of the rows' greatest."""
    smallest = np.full(k, np.inf)
    lowest = np.inf
    for row in range(len(near)):
        low = high = screened[start[row]]
        for candidate in range(start[row] + 1, start[row + 1]):
            low = min(low, screened[candidate])
            high = max(high, screened[candidate])
        near[row] = low
        lowest = min(lowest, low)
        place = k - 1
        if high < smallest[place]:
            while place > 0 and smallest[place - 1] > high:
                smallest[place] = smallest[place - 1]
                place -= 1
            smallest[place] = high
    return lowest, smallest[k - 1]


@kernel
def _cut(screened, start, weights, near, lowest, farthest, mass):
    """Value up to which candidates weigh at least `mass`; `farthest` where they weigh less.

    A sample of the rows guesses the value; where the guess is too low all rows are looked at.
    """
    step = max(len(near) // _SAMPLED, 1)
    held = np.zeros(_BINS + 1)
    guess = farthest
    if step > 1:
        guess = _weighed(screened, start, weights, near, lowest, farthest, step, (mass + _SPARE * np.sqrt(mass * step)) / step, held)
    cut = _weighed(screened, start, weights, near, lowest, guess, 1, mass, held)
    if guess == farthest or held.sum() >= mass:
        return cut
    return _weighed(screened, start, weights, near, lowest, farthest, 1, mass, held)


@kernel
def _weighed(screened, start, weights, near, lowest, farthest, step, mass, held):
    """Value up to which the candidates of every `step`-th row weigh at least `mass`, on a grid of bins."""
    width = (farthest - lowest) / _BINS
    held[:] = 0.0
    if not width > 0:
        return farthest
    for row in range(0, len(near), step):
        if near[row] <= farthest:
            for candidate in range(start[row], start[row + 1]):
                if screened[candidate] <= farthest:
                    held[max(min(int((screened[candidate] - lowest) / width), _BINS), 0)] += weights[candidate]
    total = 0.0
    for place in range(_BINS):
        total += held[place]
        if total >= mass:
            return min(lowest + (place + 1) * width, farthest)
    return farthest


@parallel_kernel
def neighbourhoods(screen, limits, start, points, tests, spans):
    """Sorted lists of the candidates that may be among the nearest of each test.

    Parameters
    ----------
    screen : float32 (n_tests, n_candidates)
    limits : float64 (n_tests, 2)
        Greatest squared distance in the list, and the screened value below which it is worked out.
    start : int64 (n_rows + 1,)
    points : float64 (n_candidates, n_columns)
    tests : float64 (n_tests, n_columns)
    spans : int64 (n_tests + 1, 2)
        Where the list, and the rows, of each test begin; as long as `reach` counts.

    Returns
    -------
    stops : int64 (n_tests, 2)
        Where lists and rows end.
    places : int32 (n_entries, 2)
        Candidate, and number of its row in the list; by distance, then row, then candidate.
    distances : float64 (n_entries,)
        Squared.
    rows : int32 (n_listed,)
        Row of each number.
    """
    n_tests = len(screen)
    stops = np.empty((n_tests, 2), dtype=np.int64)
    places = np.zeros((spans[n_tests, 0], 2), dtype=np.int32)
    distances = np.full(spans[n_tests, 0], np.inf)
    rows = np.zeros(spans[n_tests, 1], dtype=np.int32)
    for test in prange(n_tests):
        entry, listed = spans[test, 0], spans[test, 1]
        for row in range(len(start) - 1):
            before = entry
            for candidate in range(start[row], start[row + 1]):
                if screen[test, candidate] <= limits[test, 1]:
                    distance = _squared(points[candidate], tests[test])
                    if distance <= limits[test, 0]:
                        places[entry, 0], places[entry, 1] = candidate, listed - spans[test, 1]
                        distances[entry] = distance
                        entry += 1
            if entry > before:
                rows[listed] = row
                listed += 1
        stops[test, 0], stops[test, 1] = entry, listed
        begin = spans[test, 0]
        order = np.argsort(distances[begin:entry], kind="mergesort")
        distances[begin:entry] = distances[begin:entry][order]
        places[begin:entry] = places[begin:entry][order]
    return stops, places, distances, rows


@kernel
def _squared(point, test):
    """Squared distance, summed column by column: equal points are equally far to the last bit."""
    total = 0.0
    for column in range(len(test)):
        total += (point[column] - test[column]) ** 2
    return total


@parallel_kernel
def settle_row(span, number, candidate, distance, places, weights, distances):
    """Write into lists that a row is one candidate for certain; its other candidates leave the lists.

    Parameters
    ----------
    span : int64 (n_lists, 2)
        Where each list begins and ends; no two are the same list.
    number : int64 (n_lists,)
        Number of the row in each list.
    candidate : int
    distance : float64 (n_lists,)
        Squared distance of the candidate; infinite where it lies beyond the list.
    places : int32 (n_entries, 2), weights : float64 (n_entries,), distances : float64 (n_entries,)
        The lists: candidate and number of its row, its probability, its squared distance. Changed in place.

    Returns
    -------
    int64 (n_lists,)
        Where each list ends now.
    """
    stops = np.empty(len(span), dtype=np.int64)
    for one in prange(len(span)):
        end = span[one, 0]
        for entry in range(span[one, 0], span[one, 1]):
            if places[entry, 1] != number[one]:
                places[end], weights[end], distances[end] = places[entry], weights[entry], distances[entry]
                end += 1
        if np.isfinite(distance[one]):
            entry = end
            while entry > span[one, 0] and _is_after(distances[entry - 1], places[entry - 1, 0], distance[one], candidate):
                places[entry], weights[entry], distances[entry] = places[entry - 1], weights[entry - 1], distances[entry - 1]
                entry -= 1
            places[entry, 0], places[entry, 1] = candidate, number[one]
            weights[entry], distances[entry] = 1.0, distance[one]
            end += 1
        stops[one] = end
    return stops


@parallel_kernel
def settled_ends(span, places, row_span, sizes, k):
    """Where each list may end: `k` rows have all their candidates before, so that nothing beyond is among the k nearest.

    Parameters
    ----------
    span, row_span : int64 (n_lists, 2)
        Where each list, and its rows, begin and end.
    places : int32 (n_entries, 2)
        Candidate, and number of its row in the list, nearest first.
    sizes : int64 (n_listed,)
        Candidates of each row.
    k : int

    Returns
    -------
    int64 (n_lists,)
        As it ends now where there are fewer such rows.
    """
    ends = np.empty(len(span), dtype=np.int64)
    for one in prange(len(span)):
        begin, n_settled = row_span[one, 0], 0
        passed = np.zeros(row_span[one, 1] - begin, dtype=np.int64)
        ends[one] = span[one, 1]
        for entry in range(span[one, 0], span[one, 1]):
            row = places[entry, 1]
            passed[row] += 1
            n_settled += passed[row] == sizes[begin + row]
            if n_settled >= k:
                ends[one] = entry + 1
                break
    return ends


@kernel
def _is_after(distance, candidate, other_distance, other_candidate):
    """Whether the first candidate comes after the other one; candidates are numbered row by row."""
    return distance > other_distance or (distance == other_distance and candidate > other_candidate)


@parallel_kernel
def squared_distances(tests, point):
    """Squared distance of one point to each test, to the last bit as the lists have it.

    Parameters
    ----------
    tests : float64 (n_tests, n_columns)
    point : float64 (n_columns,)

    Returns
    -------
    float64 (n_tests,)
    """
    distances = np.empty(len(tests))
    for test in prange(len(tests)):
        distances[test] = _squared(point, tests[test])
    return distances
