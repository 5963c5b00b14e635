"""Distances of rows from points, as their definition has them: column by column, in double precision."""

import numpy as np

from dqops.kernels import kernel

EUCLIDEAN, MANHATTAN, COSINE = 0, 1, 2
# Rows that are turned into lines of columns at a time; a block of them stays in the first cache.
_LINES = 64


@kernel
def row_distances(X, points, metric, distances):
    """Distance of every row from every point: sums over the columns in their order, O(m n d).

    Equal rows are at equal distances, bit by bit.

    Parameters
    ----------
    X : float32 or float64 (n, d)
        Of length one, or zero, where `metric` is COSINE.
    points : float64 (m, d)
    metric : int
        EUCLIDEAN gives squared distances, MANHATTAN distances, COSINE one minus the product.
    distances : float64 (m, n)
        Filled in.
    """
    n, d = X.shape
    lines = np.empty((d, _LINES))
    for start in range(0, n, _LINES):
        count = min(_LINES, n - start)
        for row in range(count):
            for column in range(d):
                lines[column, row] = X[start + row, column]
        for point in range(len(points)):
            near = distances[point, start : start + count]
            if metric == EUCLIDEAN:
                _add_squares(lines, points[point], near)
            elif metric == MANHATTAN:
                _add_sizes(lines, points[point], near)
            else:
                _take_products(lines, points[point], near)


@kernel
def listed_distances(X, rows, point, metric):
    """Distance of the listed rows from one point, the same numbers as `row_distances` gives.

    Parameters
    ----------
    X : float32 or float64 (n, d)
    rows : int32 (count,)
    point : float64 (d,)
    metric : int

    Returns
    -------
    float64 (count,)
    """
    distances = np.empty(len(rows))
    last = len(rows) - 1
    for place in range(0, len(rows), 4):  # four at a time, so that their waits for memory overlap
        a, b = X[rows[place]], X[rows[min(place + 1, last)]]
        c, e = X[rows[min(place + 2, last)]], X[rows[min(place + 3, last)]]
        start = 1.0 if metric == COSINE else 0.0
        to_a, to_b, to_c, to_e = start, start, start, start
        for column in range(len(point)):
            there = point[column]
            to_a += _share(np.float64(a[column]), there, metric)
            to_b += _share(np.float64(b[column]), there, metric)
            to_c += _share(np.float64(c[column]), there, metric)
            to_e += _share(np.float64(e[column]), there, metric)
        distances[place] = to_a
        distances[min(place + 1, last)] = to_b
        distances[min(place + 2, last)] = to_c
        distances[min(place + 3, last)] = to_e
    return distances


@kernel
def _share(here, there, metric):
    """What one column adds to a distance."""
    apart = here - there
    if metric == EUCLIDEAN:
        return apart * apart
    if metric == MANHATTAN:
        return abs(apart)
    return -(here * there)


@kernel
def centred_rows(X, centre, rows):
    """Rows less the centre, in double precision.

    Parameters
    ----------
    X : float32 or float64 (n, d)
    centre : float64 (d,)
    rows : float64 (n, d)
        Filled in.
    """
    n, d = X.shape
    for row in range(n):
        for column in range(d):
            rows[row, column] = np.float64(X[row, column]) - centre[column]


@kernel
def shrunk_rows(X, centre, scale, rows):
    """Rows less the centre, scaled, in single precision; and their squared lengths.

    Parameters
    ----------
    X : float32 or float64 (n, d)
    centre : float64 (d,)
    scale : float
    rows : float32 (n, d or more)
        The first d columns are filled in.

    Returns
    -------
    float64 (n,)
    """
    n, d = X.shape
    sizes = np.empty(n)
    for row in range(n):
        even, odd = 0.0, 0.0  # two sums, so that one need not wait for the other
        for column in range(d):
            value = (np.float64(X[row, column]) - centre[column]) * scale
            rows[row, column] = value
            if column % 2:
                odd += value * value
            else:
                even += value * value
        sizes[row] = even + odd
    return sizes


@kernel
def _add_squares(lines, point, near):
    """Squared differences of a block, ten columns a pass so that sums stay in registers."""
    d, count = len(point), len(near)
    near[:] = 0.0
    for first in range(0, d - 9, 10):
        p = point[first : first + 10]
        p0, p1, p2, p3, p4, p5, p6, p7, p8, p9 = p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9]
        l0, l1, l2, l3, l4 = lines[first], lines[first + 1], lines[first + 2], lines[first + 3], lines[first + 4]
        l5, l6, l7, l8, l9 = lines[first + 5], lines[first + 6], lines[first + 7], lines[first + 8], lines[first + 9]
        for row in range(count):
            a, b, c, e, f = l0[row] - p0, l1[row] - p1, l2[row] - p2, l3[row] - p3, l4[row] - p4
            g, h, i, j, k = l5[row] - p5, l6[row] - p6, l7[row] - p7, l8[row] - p8, l9[row] - p9
            near[row] = near[row] + a * a + b * b + c * c + e * e + f * f + g * g + h * h + i * i + j * j + k * k
    for column in range(d - d % 10, d):
        line, place = lines[column], point[column]
        for row in range(count):
            apart = line[row] - place
            near[row] += apart * apart


@kernel
def _add_sizes(lines, point, near):
    """Sizes of the differences of a block."""
    near[:] = 0.0
    for column in range(len(point)):
        line, place = lines[column], point[column]
        for row in range(len(near)):
            near[row] += abs(line[row] - place)


@kernel
def _take_products(lines, point, near):
    """One minus the products of a block."""
    near[:] = 1.0
    for column in range(len(point)):
        line, place = lines[column], point[column]
        for row in range(len(near)):
            near[row] -= line[row] * place
