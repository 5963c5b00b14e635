"""Doubt in labels from class probabilities: one sweep a step, in tiles of rows that stay in the cache.

A tile holds its rows side by side, class by class, so that the loops over rows are vectorised. Labels are codes
``0 .. C - 1`` of any integer type, -1 where there is none; probabilities may be float32 or float64, in any layout, and
are never copied as a whole. Noise matrices are row-true, column-given: ``T[c, g] = P(given g | true c)``.
"""

import numpy as np

from dqops.kernels import kernel

_TILE = 128
# What probabilities of a row may miss 1 by: they were often rounded, or summed in single precision.
_ROUNDING = 1e-3
# Levels of sureness halve the doubt that is left, `2**fineness` levels to each half, down to 2**-32.
_OCTAVES = 32
_MANTISSA = 52
_SURE = 2.0**-_OCTAVES
_FIRST_LEVEL = (1023 - _OCTAVES) << _MANTISSA


@kernel
def class_sums(probabilities, given):
    """Sum of the probabilities of the given labels, and count of rows, by class; a row that is no distribution.

    Parameters
    ----------
    probabilities : float32 or float64 (n, C)
        May hold anything; what is negative, NaN, infinite or does not sum to 1 is told.
    given : int (n,)
        Codes, -1 for no label.

    Returns
    -------
    sums : float64 (C,)
    counts : int64 (C,)
    odd : int
        The last row that holds something negative or does not sum to 1 within 0.001; -1 where there is none.
    """
    n_rows, n_classes = probabilities.shape
    sums, counts, odd = np.zeros(n_classes), np.zeros(n_classes, np.int64), -1
    for row in range(n_rows):
        total, smallest = 0.0, 0.0
        for column in range(n_classes):
            total += probabilities[row, column]
            smallest = min(smallest, probabilities[row, column])
        if not abs(total - 1.0) <= _ROUNDING or smallest < 0.0:
            odd = row
        if given[row] >= 0:
            sums[given[row]] += probabilities[row, given[row]]
            counts[given[row]] += 1
    return sums, counts, odd


@kernel
def confident_rows(probabilities, given, thresholds, fineness):
    """What the model is confident of against what is given, and how well each given label is borne out.

    A row counts for the likeliest class among those whose probability reaches the threshold (of equally likely ones
    the given label, then the smallest); a row that is confident of nothing counts nowhere.

    Parameters
    ----------
    probabilities : float32 or float64 (n, C)
    given : int (n,)
        Codes, -1 for no label: such rows count nowhere.
    thresholds : float64 (C,)
        Mean probability of a class among rows where it is given; infinite where it never is.
    fineness : int
        Each level of sureness has ``2**-fineness`` of the doubt above the next power of 2.

    Returns
    -------
    confident : int64 (C, C)
        Rows by ``[given, confident]``.
    agreement : int64 (C, 32 * 2**fineness + 1, 2)
        Rows by likeliest class (the smallest of equal ones), by level of sureness, surest first, and by whether the
        given label is another one.
    own : float64 (n,)
        Probability of the given label (self-confidence), NaN without a label.
    margin : float64 (n,)
        ``(own - largest other probability + 1) / 2``, NaN without a label.

    References
    ----------
    Northcutt, Jiang, Chuang 2021, JAIR 70, section 3.1. arXiv:1911.00068
    """
    n_rows, n_classes = probabilities.shape
    n_levels = (_OCTAVES << fineness) + 1
    # Flat, with one more cell for rows that count nowhere.
    confident, agreement = np.zeros(n_classes**2 + 1, np.int64), np.zeros(2 * n_classes * n_levels + 1, np.int64)
    own, margin = np.empty(n_rows), np.empty(n_rows)
    tile, label = np.zeros((n_classes, _TILE)), np.zeros(_TILE, np.int64)
    best, other, left, said = np.empty(_TILE), np.empty(_TILE), np.empty(_TILE), np.empty(_TILE)
    sure, top = np.empty(_TILE, np.int64), np.empty(_TILE, np.int64)
    for start in range(0, n_rows, _TILE):
        n_here = min(_TILE, n_rows - start)
        _load(probabilities, given, start, n_here, tile, label)
        _compare(tile, label, thresholds, best, sure, other, left, top)
        _take_own(tile, label, said)
        _find_cells(label, n_classes, fineness, best, sure, left, top)
        for place in range(n_here):
            confident[np.uint64(sure[place])] += 1
            agreement[np.uint64(top[place])] += 1
            own[start + place] = said[place]
            margin[start + place] = (said[place] - other[place] + 1.0) / 2.0
    return confident[:-1].reshape((n_classes, n_classes)), agreement[:-1].reshape((n_classes, n_levels, 2)), own, margin


@kernel
def wrong_labels(probabilities, given, unmixing, noise):
    """How surely each given label is wrong, and the likeliest other one.

    A model that learned given labels says ``p = T' eta``. `eta` is found by inverting T and projecting on the simplex;
    the true label then has probability ``T[c, given] eta[c]``, divided by its sum.

    Parameters
    ----------
    probabilities : float32 or float64 (n, C)
        Calibrated to given labels.
    given : int (n,)
        Codes, -1 for no label.
    unmixing : float64 (C, C)
        Inverse of `noise`.
    noise : float64 (C, C)
        T.

    Returns
    -------
    wrong : float64 (n,)
        NaN without a label; 0 where no true label can bring forth the given one.
    likeliest : int64 (n,)
        The smallest of equal ones; without a label the likeliest of all. In a problem of one class that class.
    """
    n_rows, n_classes = probabilities.shape
    wrong, likeliest = np.empty(n_rows), np.empty(n_rows, np.int64)
    tile, label = np.zeros((n_classes, _TILE)), np.zeros(_TILE, np.int64)
    belief, forth = np.empty((n_classes, _TILE)), np.ascontiguousarray(noise.T)
    best, other, total, right = np.empty(_TILE), np.empty(_TILE, np.int64), np.empty(_TILE), np.empty(_TILE)
    for start in range(0, n_rows, _TILE):
        n_here = min(_TILE, n_rows - start)
        _load(probabilities, given, start, n_here, tile, label)
        _unmix(tile, unmixing, belief)
        _weigh(label, forth, n_here, tile)
        _share(belief, tile, total)
        _likeliest_other(tile, label, best, other)
        _take_own(tile, label, right)
        for place in range(n_here):
            likeliest[start + place] = other[place]
            share = right[place] / total[place] if total[place] > 0.0 else 1.0
            wrong[start + place] = 1.0 - share if label[place] >= 0 else np.nan
    return wrong, likeliest


@kernel
def label_posterior(probabilities, given, unmixing, noise):
    """Probability of each true label, given features and the given label (see `wrong_labels`).

    Parameters
    ----------
    probabilities : float32 or float64 (n, C)
        Calibrated to given labels.
    given : int (n,)
        Codes, -1 for no label: the posterior is then `eta` itself.
    unmixing : float64 (C, C)
        Inverse of `noise`.
    noise : float64 (C, C)
        T.

    Returns
    -------
    float64 (n, C)
        Lines sum to 1; where no true label can bring forth the given one, that label has all of it.
    """
    n_rows, n_classes = probabilities.shape
    posterior = np.empty((n_rows, n_classes))
    tile, label = np.zeros((n_classes, _TILE)), np.zeros(_TILE, np.int64)
    belief, forth, total = np.empty((n_classes, _TILE)), np.ascontiguousarray(noise.T), np.empty(_TILE)
    for start in range(0, n_rows, _TILE):
        n_here = min(_TILE, n_rows - start)
        _load(probabilities, given, start, n_here, tile, label)
        _unmix(tile, unmixing, belief)
        _weigh(label, forth, n_here, tile)
        _share(belief, tile, total)
        for place in range(n_here):
            for column in range(n_classes):
                alone = 1.0 if column == label[place] else 0.0
                posterior[start + place, column] = tile[column, place] / total[place] if total[place] > 0.0 else alone
    return posterior


@kernel
def _load(probabilities, given, start, n_here, tile, label):
    """Put rows into the tile, class by class; what is left of a former tile is harmless."""
    for place in range(n_here):
        label[place] = given[start + place]
        for column in range(len(tile)):
            tile[column, place] = probabilities[start + place, column]


@kernel
def _compare(tile, label, thresholds, best, sure, other, left, top):
    """Per row the class it is confident of, the largest other probability, the likeliest class and the doubt in it."""
    best[:], sure[:], other[:], left[:], top[:] = -1.0, -1, 0.0, -1.0, 0
    for column in range(len(tile)):
        # One loop for each pair of arrays: with more of them it is not vectorised.
        for place in range(_TILE):
            reached = tile[column, place] if tile[column, place] >= thresholds[column] else -1.0
            wins = (reached > best[place]) | ((reached == best[place]) & (label[place] == column))
            sure[place] = column if wins else sure[place]
            best[place] = max(reached, best[place])
        for place in range(_TILE):
            rival = 0.0 if label[place] == column else tile[column, place]
            other[place] = max(rival, other[place])
        for place in range(_TILE):
            top[place] = column if tile[column, place] > left[place] else top[place]
            left[place] = max(tile[column, place], left[place])
    for place in range(_TILE):
        left[place] = min(max(1.0 - left[place], _SURE), 1.0)


@kernel
def _take_own(tile, label, own):
    """What the tile holds of each row's label; NaN without one."""
    own[:] = np.nan
    for column in range(len(tile)):
        for place in range(_TILE):
            here, kept = tile[column, place], own[place]
            own[place] = here if label[place] == column else kept


@kernel
def _find_cells(label, n_classes, fineness, best, sure, left, top):
    """Make of what was compared the cells in which rows count: `sure` of confident rows, `top` of agreement."""
    doubts, n_levels = left.view(np.int64), (_OCTAVES << fineness) + 1
    cut, last = _MANTISSA - fineness, 2 * n_classes * n_levels
    for place in range(_TILE):
        cell = label[place] * n_classes + sure[place]
        sure[place] = cell if (best[place] >= 0.0) & (label[place] >= 0) else n_classes * n_classes
    for place in range(_TILE):
        cell = 2 * (top[place] * n_levels + ((doubts[place] - _FIRST_LEVEL) >> cut)) + (top[place] != label[place])
        top[place] = cell if label[place] >= 0 else last


@kernel
def _share(belief, tile, total):
    """Multiply the tile by the beliefs; and the sums over classes."""
    total[:] = 0.0
    for column in range(len(tile)):
        for place in range(_TILE):
            tile[column, place] *= belief[column, place]
        for place in range(_TILE):
            total[place] += tile[column, place]


@kernel
def _likeliest_other(tile, label, best, other):
    """The class of the largest number of each row, the smallest of equal ones, leaving out its label."""
    best[:], other[:] = -1.0, 0
    for column in range(len(tile)):
        for place in range(_TILE):
            rival = -1.0 if label[place] == column else tile[column, place]
            other[place] = column if rival > best[place] else other[place]
            best[place] = max(rival, best[place])


@kernel
def _unmix(tile, unmixing, belief):
    """`belief` becomes `eta`: the tile times `unmixing`, then the nearest point of the simplex, row by row."""
    n_classes = len(tile)
    belief[:] = 0.0
    for true in range(n_classes):
        four = n_classes - n_classes % 4
        for said in range(0, four, 4):
            first, second = unmixing[said, true], unmixing[said + 1, true]
            third, fourth = unmixing[said + 2, true], unmixing[said + 3, true]
            for place in range(_TILE):
                belief[true, place] += (tile[said, place] * first + tile[said + 1, place] * second) + (
                    tile[said + 2, place] * third + tile[said + 3, place] * fourth
                )
        for said in range(four, n_classes):
            for place in range(_TILE):
                belief[true, place] += tile[said, place] * unmixing[said, true]
    excess = _excess(belief)
    for true in range(n_classes):
        for place in range(_TILE):
            belief[true, place] = max(belief[true, place] - excess[place], 0.0)


@kernel
def _excess(belief):
    """What is taken from each entry that stays above 0, so that these sum to 1: float64 (tile,).

    Entries that fall below are dropped and the rest is shared anew, until none falls: Michelot 1986, Journal of
    Optimization Theory and Applications 50(1), doi:10.1007/BF00938486.
    """
    excess, total, held = np.full(_TILE, -np.inf), np.empty(_TILE), np.empty(_TILE)
    even = len(belief) - len(belief) % 2
    for _ in range(len(belief) + 1):
        total[:], held[:] = -1.0, 0.0
        for true in range(0, even, 2):
            for place in range(_TILE):
                first, second, least = belief[true, place], belief[true + 1, place], excess[place]
                total[place] += (first if first > least else 0.0) + (second if second > least else 0.0)
                held[place] += (1.0 if first > least else 0.0) + (1.0 if second > least else 0.0)
        for true in range(even, len(belief)):
            for place in range(_TILE):
                total[place] += belief[true, place] if belief[true, place] > excess[place] else 0.0
                held[place] += 1.0 if belief[true, place] > excess[place] else 0.0
        moved = 0.0
        for place in range(_TILE):
            shared = total[place] / held[place]
            moved = max(moved, 1.0 if shared > excess[place] else 0.0)
            excess[place] = max(shared, excess[place])
        if moved == 0.0:
            break
    return excess


@kernel
def _weigh(label, forth, n_here, tile):
    """Put into the tile how likely each true label brings forth the given one; 1 without a label."""
    for place in range(n_here):
        for true in range(len(tile)):
            tile[true, place] = forth[label[place], true] if label[place] >= 0 else 1.0
