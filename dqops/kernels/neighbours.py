"""Who is near: rows in the order of their distances, ties by row, and the few that are nearest."""

import numpy as np

from dqops.kernels import kernel
from dqops.kernels.distances import listed_distances

_CHUNK = 256


@kernel
def code_distances(products, norms, shifts, factor, first, scales, codes):
    """Write distances as whole numbers that rise with them: their leading bits, from some number on.

    The distance is ``norms[row] + shifts[point] - factor * product``, not below 0.

    Parameters
    ----------
    products : float64 (m, block)
        Of rows ``first``, ``first + 1``, ...
    norms : float64 (n,)
    shifts : float64 (m,)
    factor : float
    first : int
    scales : int64 (m, 3)
        Of each point: where codes begin, as a distance read as a whole number; the bits that are cut off; the last code.
    codes : uint32 or uint64 (m, n)
        Filled from column `first` on. Distances beyond the codes have the first, or the last.
    """
    block = products.shape[1]
    norm, near = norms[first : first + block], np.empty(block)
    bits = near.view(np.int64)
    for point in range(len(products)):
        product, shift, (low, cut, last) = products[point], shifts[point], _scale(scales[point])
        out = codes[point, first : first + block]
        for row in range(block):
            near[row] = max(norm[row] + shift - factor * product[row], 0.0)
        for row in range(block):
            out[row] = min(max(bits[row] - low, 0) >> cut, last)


@kernel
def pack_codes(codes, n_bits, packed):
    """Put code and row into one number each, so that numbers sort by code, then by row.

    Parameters
    ----------
    codes : uint32 or uint64 (n,)
        Below ``2 ** (64 - n_bits)``.
    n_bits : int
        Enough for every row number, which the lowest bits hold.
    packed : uint64 (n,)
        Filled in.
    """
    up = np.uint64(n_bits)
    for row in range(len(codes)):
        packed[row] = (np.uint64(codes[row]) << up) | np.uint64(row)


@kernel
def unpack_order(packed, n_bits, scale, gap, share, order):
    """Rows in sorted order, and the runs within which rounding may have hidden who is nearer.

    Parameters
    ----------
    packed : uint64 (n,)
        Of `pack_codes`, sorted.
    n_bits : int
    scale : int64 (3,)
        Of `code_distances`.
    gap, share : float
        Two distances a <= b are surely in order where ``b - a > gap + share * b``; what codes cut off is added.
    order : int32 (n,)
        Filled with rows, nearest first.

    Returns
    -------
    int64 (n_runs, 2)
        First place of each run and the place behind its last; runs have two rows or more and do not touch.
    """
    n = len(packed)
    cut = np.uint64(n_bits)
    below = (np.uint64(1) << cut) - np.uint64(1)
    runs = np.empty((n // 2 + 1, 2), np.int64)
    n_runs = 0
    for start in range(0, n, _CHUNK):
        stop = min(start + _CHUNK, n)
        slack = _slack(packed[start] >> cut, scale, gap, share)
        here, ahead, rows = packed[start:stop], packed[start + 1 : stop + 1], order[start:stop]
        for place in range(len(here)):
            rows[place] = np.int32(here[place] & below)
        doubts = np.uint64(0)
        for place in range(len(ahead)):
            doubts += np.uint64((ahead[place] >> cut) - (here[place] >> cut) <= slack)
        if doubts:
            for place in range(len(ahead)):
                if (ahead[place] >> cut) - (here[place] >> cut) <= slack:
                    n_runs = _lengthen(runs, n_runs, start + place)
    return runs[:n_runs]


@kernel
def sort_runs(order, runs, distances):
    """Put each run into the order of distances, ties by row.

    Parameters
    ----------
    order : int32 (n,)
        Changed within the runs.
    runs : int64 (n_runs, 2)
    distances : float64 (n,)
        By row; read only for rows in runs.
    """
    for run in range(len(runs)):
        start, stop = runs[run]
        is_sorted = True
        for place in range(start + 1, stop):
            before, after = order[place - 1], order[place]
            is_sorted &= distances[before] < distances[after] or (distances[before] == distances[after] and before < after)
        if not is_sorted:
            rows = np.sort(order[start:stop])
            near = np.empty(stop - start)
            for place in range(stop - start):
                near[place] = distances[rows[place]]
            order[start:stop] = rows[np.argsort(near, kind="mergesort")]


@kernel
def settle_runs(order, runs, X, point, metric):
    """Put each run into the order of distances from a point, summed up column by column, ties by row.

    Parameters
    ----------
    order : int32 (n,)
        Changed within the runs.
    runs : int64 (n_runs, 2)
    X : float32 or float64 (n, d)
    point : float64 (d,)
    metric : int
        Of `dqops.kernels.distances`.
    """
    for run in range(len(runs)):
        rows = order[runs[run, 0] : runs[run, 1]]
        rows.sort()
        near = listed_distances(X, rows, point, metric)
        if len(rows) == 2:
            if near[1] < near[0]:
                rows[0], rows[1] = rows[1], rows[0]
        else:
            rows[:] = rows[np.argsort(near, kind="mergesort")]


@kernel
def keep_near(bits, first, limits, rows, kept, counts):
    """Add to each list the rows of a block that are nearer than its limit.

    Parameters
    ----------
    bits : int32 (m, block)
        float32 distances of rows ``first``, ``first + 1``, ..., viewed as whole numbers: those of numbers above 0 rise
        with them.
    first : int
    limits : int32 (m,)
        Viewed alike.
    rows, kept : int32 (m, capacity)
        The lists: rows, and their bits; extended behind `counts`, which must leave room for a block.
    counts : int64 (m,)
        Changed.
    """
    for point in range(len(bits)):
        count, limit = counts[point], limits[point]
        line = bits[point]
        for start in range(0, len(line), 64):
            chunk = line[start : start + 64]
            nearest = limit
            for place in range(len(chunk)):
                nearest = min(nearest, chunk[place])
            if nearest < limit:
                for place in range(len(chunk)):
                    if chunk[place] < limit:
                        rows[point, count] = first + start + place
                        kept[point, count] = chunk[place]
                        count += 1
        counts[point] = count


@kernel
def tighten_limits(n_nearest, row_slack, point_slack, longest, room, limits, rows, kept, counts):
    """Drop from long lists what cannot be among the `n_nearest`, and lower their limits.

    Parameters
    ----------
    n_nearest : int
    row_slack, point_slack : float32 (n,) and (m,)
        The distance of a row from a point is at most its kept bits, as a number, plus both.
    longest : int
        Lists of more rows than this are shortened.
    room : int
        Rows that a shortened list may have.
    limits : int32 (m,)
        Changed; ``-2**31`` where a list stays longer than `room` because too many rows are equally near. Such
        a list is emptied and takes no more rows.
    rows, kept : int32 (m, capacity)
    counts : int64 (m,)
        Changed.
    """
    for point in range(len(limits)):
        count = counts[point]
        if count <= max(longest, n_nearest):
            continue
        lower = kept[point, :count].view(np.float32)
        upper = np.empty(count, np.float32)
        for place in range(count):
            upper[place] = max(lower[place] + row_slack[rows[point, place]] + point_slack[point], np.float32(0.0))
        limit = _smallest(upper.view(np.int32), n_nearest) + np.int32(1)
        left = 0
        for place in range(count):
            row, bits = rows[point, place], kept[point, place]
            rows[point, left], kept[point, left] = row, bits  # kept or not: a branch would often be guessed wrong
            left += np.int64(bits < limit)
        counts[point] = left if left <= room else 0
        limits[point] = limit if left <= room else np.int32(-(2**31))


@kernel
def nearest_rows(X, points, metric, lists, counts, found):
    """The nearest of listed rows by their distances summed up in double precision, ties by row.

    Parameters
    ----------
    X : float32 or float64 (n, d)
    points : float64 (m, d)
    metric : int
    lists : int32 (m, capacity)
        Rows, rising.
    counts : int64 (m,)
        How many are listed; where they are fewer than are sought nothing is found.
    found : int32 (m, n_nearest)
        Filled with rows, nearest first.
    """
    n_nearest = found.shape[1]
    for point in range(len(points)):
        if counts[point] >= n_nearest:
            rows = lists[point, : counts[point]]
            near = listed_distances(X, rows, points[point], metric)
            found[point] = rows[np.argsort(near, kind="mergesort")[:n_nearest]]


@kernel
def _scale(scale):
    return scale[0], scale[1], scale[2]


@kernel
def _slack(code, scale, gap, share):
    """By how much the codes of two rows may differ, from this one on, and still be in doubt."""
    low, cut, _ = _scale(scale)
    exponent = max((low + (np.int64(code) << cut)) >> 52, 1)
    step = 2.0 ** (exponent - 1075.0 + cut)
    return np.uint64(min(gap / step, 2.0**62)) + np.uint64(share * 2.0 ** (54 - cut)) + np.uint64(2)


@kernel
def _lengthen(runs, n_runs, place):
    """Say that this place and the next are in doubt; the number of runs then."""
    if n_runs and runs[n_runs - 1, 1] == place + 1:
        runs[n_runs - 1, 1] = place + 2
        return n_runs
    runs[n_runs, 0], runs[n_runs, 1] = place, place + 2
    return n_runs + 1


@kernel
def _smallest(numbers, count):
    """The largest of the `count` smallest whole numbers, by halving: counting is quick, moving numbers about is not."""
    low, high = numbers.min(), numbers.max()
    while low < high:
        middle = low + (high - low) // 2
        n_below = 0
        for place in range(len(numbers)):
            n_below += np.int64(numbers[place] <= middle)
        if n_below >= count:
            high = middle
        else:
            low = middle + 1
    return np.int32(low)
