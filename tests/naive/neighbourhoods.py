"""Lists of neighbours from the definition: work out every distance, keep what is within the limit, sort."""

from itertools import pairwise

import numpy as np


def reach(screen, start, weights, norms, k, mass, rounding):
    """The k-th smallest of the rows' greatest values, or where candidates weigh enough; exact, so a lower bound."""
    limits, counts = [], []
    for line in np.asarray(screen, dtype=float):
        rows = [line[low:high] for low, high in pairwise(start)]
        farthest = sorted(max(row) for row in rows)[k - 1]
        for value in sorted(line):
            if sum(weights[line <= value]) >= mass:
                farthest = min(farthest, value)
        limits.append([farthest, farthest])
        counts.append([sum(line <= farthest), sum(min(row) <= farthest for row in rows)])
    return np.array(limits), np.array(counts)


def neighbourhoods(screen, limits, start, points, tests, spans):
    """Candidates within the limit, sorted by distance, row and candidate."""
    stops, places, distances, listed = [], [], [], []
    for number, test in enumerate(tests):
        squared = [sum((p - t) ** 2 for p, t in zip(point, test, strict=True)) for point in points]
        within = [c for c in range(len(points)) if squared[c] <= limits[number][0]]
        row_of = {c: row for row in range(len(start) - 1) for c in range(start[row], start[row + 1])}
        rows = sorted({row_of[c] for c in within})
        within.sort(key=lambda c: (squared[c], row_of[c], c))
        places += [(c, rows.index(row_of[c])) for c in within]
        distances += [squared[c] for c in within]
        listed += rows
        stops.append([len(places), len(listed)])
    return np.array(stops), np.array(places), np.array(distances), np.array(listed)


def settle_row(span, number, candidate, distance, places, weights, distances):
    """Each list anew: without the row, then with its one candidate, sorted by distance and candidate."""
    stops = []
    for (begin, end), row, far in zip(span, number, distance, strict=True):
        kept = [(distances[entry], places[entry][0], places[entry][1], weights[entry]) for entry in range(begin, end) if places[entry][1] != row]
        kept += [(far, candidate, row, 1.0)] if np.isfinite(far) else []
        for entry, (away, which, owner, weight) in enumerate(sorted(kept), begin):
            places[entry] = which, owner
            weights[entry], distances[entry] = weight, away
        stops.append(begin + len(kept))
    return np.array(stops)


def settled_ends(span, places, row_span, sizes, k):
    """The shortest beginning in which so many rows have all their candidates."""
    ends = []
    for (begin, end), (first, last) in zip(span, row_span, strict=True):
        for stop in range(begin, end + 1):
            held = [places[entry][1] for entry in range(begin, stop)]
            if sum(held.count(row) == sizes[first + row] for row in range(last - first)) >= k:
                break
        ends.append(stop)
    return np.array(ends)


def squared_distances(tests, point):
    """Column by column."""
    return np.array([sum((p - t) ** 2 for p, t in zip(point, test, strict=True)) for test in tests])
