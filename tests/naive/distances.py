"""Distances from their definition: one pair at a time, one column at a time."""

import numpy as np


def _distance(row, point, metric):
    total = 1.0 if metric == 2 else 0.0
    for here, there in zip(row.tolist(), point.tolist(), strict=True):
        total += ((here - there) * (here - there), abs(here - there), -here * there)[metric]
    return total


def row_distances(X, points, metric, distances):
    for place, point in enumerate(points):
        for row in range(len(X)):
            distances[place, row] = _distance(X[row], point, metric)


def listed_distances(X, rows, point, metric):
    return np.array([_distance(X[row], point, metric) for row in rows])


def centred_rows(X, centre, rows):
    rows[:] = np.array([[float(cell) - middle for cell, middle in zip(row, centre, strict=True)] for row in X])


def shrunk_rows(X, centre, scale, rows):
    sizes = np.zeros(len(X))
    for row in range(len(X)):
        for column in range(X.shape[1]):
            value = (float(X[row, column]) - centre[column]) * scale
            rows[row, column] = value
            sizes[row] += value * value
    return sizes
