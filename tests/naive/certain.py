"""k-NN over all worlds from the definition: make each world, sort its rows, count its votes."""

from itertools import product

import numpy as np


def count_predictions(span, places, weights, row_span, kinds, k, n_classes):
    """Sum of the probabilities of the worlds by prediction; left is that of worlds with fewer than k rows in the list."""
    probabilities, left = np.zeros((len(span), n_classes)), np.zeros(len(span))
    for test, lines in enumerate(worlds(span, places, weights, row_span, kinds)):
        for chance, inside in lines:
            if len(inside) < k:
                left[test] += chance
            else:
                probabilities[test, vote(inside[:k], n_classes)] += chance
    return probabilities, left


def worlds(span, places, weights, row_span, kinds):
    """For each test, the worlds: (probability, classes of the rows in the list, nearest first)."""
    for (begin, end), (low, high) in zip(span, row_span, strict=True):
        entries = [(place, int(places[place][1])) for place in range(begin, end)]
        choices = []
        for row in range(high - low):
            inside = [(place, weights[place]) for place, owner in entries if owner == row]
            beyond = kinds[low + row][1] - len(inside)
            choices.append(inside + ([(None, 1 - sum(weight for _, weight in inside))] if beyond else []))
        yield [_world(chosen, kinds[low:high]) for chosen in product(*choices)]


def vote(labels, n_classes):
    """The class with most votes, the smallest of several."""
    return int(np.bincount(labels, minlength=n_classes).argmax())


def _world(chosen, kinds):
    inside = sorted((place, int(kinds[row][0])) for row, (place, _) in enumerate(chosen) if place is not None)
    return float(np.prod([weight for _, weight in chosen])), [label for _, label in inside]
