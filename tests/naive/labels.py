"""Doubt in labels by the definition, row by row; the simplex is searched face by face."""

from itertools import combinations
from math import frexp, inf, isfinite, nan

import numpy as np


def class_sums(probabilities, given):
    n_classes = probabilities.shape[1]
    sums, counts, odd = np.zeros(n_classes), np.zeros(n_classes, dtype=np.int64), -1
    for row, line in enumerate(probabilities.tolist()):
        if not all(isfinite(one) and one >= 0 for one in line) or abs(sum(line) - 1) > 1e-3:
            odd = row
        if given[row] >= 0:
            sums[given[row]] += line[given[row]]
            counts[given[row]] += 1
    return sums, counts, odd


def confident_rows(probabilities, given, thresholds, fineness):
    n_rows, n_classes = probabilities.shape
    confident = np.zeros((n_classes, n_classes), dtype=np.int64)
    agreement = np.zeros((n_classes, 32 * 2**fineness + 1, 2), dtype=np.int64)
    own, margin = np.full(n_rows, nan), np.full(n_rows, nan)
    for row, line in enumerate(probabilities.tolist()):
        code = int(given[row])
        if code < 0:
            continue
        reached = [column for column in range(n_classes) if line[column] >= thresholds[column]]
        if reached:
            likeliest = [column for column in reached if line[column] == max(line[one] for one in reached)]
            confident[code, code if code in likeliest else likeliest[0]] += 1
        top = line.index(max(line))
        agreement[top, _level(1 - line[top], fineness), int(top != code)] += 1
        own[row] = line[code]
        margin[row] = (line[code] - max((one for column, one in enumerate(line) if column != code), default=0) + 1) / 2
    return confident, agreement, own, margin


def _level(doubt, fineness):
    """Doubt is ``(1 + part) * 2**power``; each power has 2**fineness levels, from 2**-32 on."""
    fraction, exponent = frexp(max(doubt, 2.0**-32))
    power, part = exponent - 1, 2 * fraction - 1
    return (power + 32) * 2**fineness + int(part * 2**fineness)


def wrong_labels(probabilities, given, unmixing, noise):
    wrong, likeliest = [], []
    for row, line in enumerate(label_posterior(probabilities, given, unmixing, noise)):
        code = int(given[row])
        beliefs = _true_belief(probabilities[row].astype(float), unmixing)
        chances = beliefs if code < 0 else beliefs * noise[:, code]
        others = [column for column in range(len(line)) if column != code] or [0]
        likeliest.append(max(others, key=lambda column: (chances[column], -column)))
        wrong.append(1 - line[code] if code >= 0 else nan)
    return np.array(wrong), np.array(likeliest, dtype=np.int64)


def label_posterior(probabilities, given, unmixing, noise):
    posterior = []
    for row, code in enumerate(map(int, given)):
        beliefs = _true_belief(probabilities[row].astype(float), unmixing)
        chances = beliefs if code < 0 else beliefs * noise[:, code]
        posterior.append(chances / chances.sum() if chances.sum() > 0 else np.eye(len(noise))[code])
    return np.array(posterior)


def _true_belief(line, unmixing):
    """The point of the simplex nearest to the unmixed line: the best of the nearest points of all faces."""
    wanted = np.array([sum(line[said] * unmixing[said, true] for said in range(len(line))) for true in range(len(line))])
    best, nearest = inf, None
    for size in range(1, len(wanted) + 1):
        for face in map(list, combinations(range(len(wanted)), size)):
            point = np.zeros(len(wanted))
            point[face] = wanted[face] - (wanted[face].sum() - 1) / size
            distance = ((point - wanted) ** 2).sum()
            if (point >= 0).all() and distance < best:
                best, nearest = distance, point
    return nearest
