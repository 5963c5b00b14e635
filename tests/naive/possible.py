"""Possible predictions from the definition: make each world, count its votes."""

import numpy as np
from naive.certain import vote, worlds


def possible_predictions(span, places, row_span, kinds, k, n_classes):
    """Predictions of the worlds with k rows in the list; settled where no world has fewer."""
    possible, settled = np.zeros((len(span), n_classes), dtype=bool), np.ones(len(span), dtype=bool)
    for test, lines in enumerate(worlds(span, places, np.ones(len(places)), row_span, kinds)):
        for _, inside in lines:
            if len(inside) < k:
                settled[test] = False
            else:
                possible[test, vote(inside[:k], n_classes)] = True
    return possible, settled
