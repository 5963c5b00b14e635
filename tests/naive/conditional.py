"""Predictions where one row is known, from the definition: count all worlds anew for each candidate."""

import numpy as np
from naive.certain import count_predictions


def conditional_predictions(span, places, weights, row_span, kinds, k, n_classes):
    """The count of `count_predictions` anew for each row and candidate, with that candidate alone."""
    inside, beyond = np.zeros((len(places), n_classes)), np.zeros((len(kinds), n_classes))
    for test, ((begin, end), (low, high)) in enumerate(zip(span, row_span, strict=True)):
        for row in range(high - low):
            own = [entry for entry in range(begin, end) if places[entry][1] == row]
            for known in own if len(own) == kinds[low + row][1] else [*own, None]:
                sure = np.array(weights, dtype=float)
                sure[own] = 0.0
                if known is not None:
                    sure[known] = 1.0
                told = np.array(kinds)
                told[low + row, 1] = len(own) + (known is None)
                only = slice(test, test + 1)
                counted = count_predictions(span[only], places, sure, row_span[only], told, k, n_classes)[0][0]
                if known is None:
                    beyond[low + row] = counted
                else:
                    inside[known] = counted
    return inside, beyond
