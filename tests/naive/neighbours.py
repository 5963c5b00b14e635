"""Neighbours from their definition: Python's own sort of (distance, row)."""

import struct

import numpy as np
from naive.distances import listed_distances


def code_distances(products, norms, shifts, factor, first, scales, codes):
    for point, line in enumerate(products):
        low, cut, last = map(int, scales[point])
        for place, product in enumerate(line):
            row = first + place
            distance = max(0.0, norms[row] + shifts[point] - factor * product)
            (bits,) = struct.unpack("<q", struct.pack("<d", distance))
            codes[point, row] = min(max(bits - low, 0) // 2**cut, last)


def pack_codes(codes, n_bits, packed):
    packed[:] = [int(code) * 2**n_bits + row for row, code in enumerate(codes)]


def coded_distance(code, scale):
    """The least distance that has the code, and what one with it may be at most."""
    low, cut, _ = map(int, scale)
    return [struct.unpack("<d", struct.pack("<q", low + (one << cut)))[0] for one in (code, code + 1)]


def unpack_order(packed, n_bits, scale, gap, share, order):
    """Runs of the pairs that are surely in doubt; others may be told of as well."""
    order[:] = [int(number) % (1 << n_bits) for number in packed]
    near = [coded_distance(int(number) >> n_bits, scale) for number in packed]
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


def settle_runs(order, runs, X, point, metric):
    distances = listed_distances(X, range(len(X)), point, metric)
    sort_runs(order, runs, distances)


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
