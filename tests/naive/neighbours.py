"""Neighbours from their definition: Python's own sort of (distance, row)."""

import struct

import numpy as np
from naive.distances import listed_distances


def pack_distances(products, norms, shifts, factor, first, n_bits, packed):
    for point, line in enumerate(products):
        for place, product in enumerate(line):
            row = first + place
            distance = max(0.0, norms[row] + shifts[point] - factor * product)
            (bits,) = struct.unpack("<Q", struct.pack("<d", distance))
            packed[point, row] = ((2 * bits) >> n_bits << n_bits) + row


def packed_distance(number, n_bits):
    """The distance that was packed, cut off, and what it may have been at most."""
    steps = int(number) >> n_bits
    low, high = (struct.unpack("<d", struct.pack("<Q", (one << n_bits) // 2))[0] for one in (steps, steps + 1))
    return low, high


def unpack_order(packed, n_bits, gap, share, order):
    """Runs of the pairs that are surely in doubt; others may be told of as well."""
    order[:] = [int(number) % (1 << n_bits) for number in packed]
    near = [packed_distance(number, n_bits) for number in packed]
    runs = []
    for place in range(len(order) - 1):
        if near[place + 1][0] - near[place][1] <= gap + share * near[place + 1][0]:
            if runs and runs[-1][1] == place + 1:
                runs[-1][1] = place + 2
            else:
                runs.append([place, place + 2])
    return np.array(runs, dtype=np.int64).reshape(-1, 2)


def sort_runs(order, runs, distances):
    for start, stop in runs:
        order[start:stop] = sorted(order[start:stop].tolist(), key=lambda row: (distances[row], row))


def keep_near(bits, first, limits, rows, kept, counts):
    for point, line in enumerate(bits):
        for place, here in enumerate(line.tolist()):
            if here < limits[point]:
                rows[point, counts[point]], kept[point, counts[point]] = first + place, here
                counts[point] += 1


def tighten_limits(n_nearest, row_slack, point_slack, longest, room, limits, rows, kept, counts):
    for point in range(len(limits)):
        count = int(counts[point])
        if count <= longest or count <= n_nearest:
            continue
        pairs = list(zip(rows[point, :count].tolist(), kept[point, :count].tolist(), strict=True))
        lower = [np.array([bits], np.int32).view(np.float32)[0] for _, bits in pairs]
        upper = sorted(low + row_slack[row] + point_slack[point] for low, (row, _) in zip(lower, pairs, strict=True))
        highest = max(upper[n_nearest - 1], np.float32(0))
        left = [pair for low, pair in zip(lower, pairs, strict=True) if low <= highest]
        if len(left) > room:
            counts[point], limits[point] = 0, -(2**31)
            continue
        for place, pair in enumerate(left):
            rows[point, place], kept[point, place] = pair
        counts[point] = len(left)
        limits[point] = np.array([highest], np.float32).view(np.int32)[0] + 1


def nearest_rows(X, points, metric, lists, counts, found):
    for place, point in enumerate(points):
        rows = lists[place, : counts[place]].tolist()
        if len(rows) >= found.shape[1]:
            near = dict(zip(rows, listed_distances(X, rows, point, metric), strict=True))
            found[place] = sorted(rows, key=lambda row: (near[row], row))[: found.shape[1]]
