"""Doubt in labels from out-of-fold probabilities: how surely each is wrong, and what should rather stand there."""

import warnings

import numpy as np
from scipy.special import ndtri

from dqops.errors import ApproximationWarning, DataError, OptionError
from dqops.kernels import labels as kernels
from dqops.models.evidence import calibration_error, with_temperature
from dqops.models.evidence import temperature as best_temperature
from dqops.models.label_doubt import directions, fineness_for, noise_beliefs, rates_at
from dqops.models.label_noise import calibrated_joint, noise_matrix, thresholds_of, well_conditioned
from dqops.results.label_doubts import LabelDoubts
from dqops.valuers.arrays import check_rows, column_names
from dqops.valuers.label_codes import label_codes

# Rows at a time where probabilities are tempered, and rows that tell the temperature and the calibration.
_BLOCK = 1 << 14
_TOLD = 20_000
_SOURCES = ("confident", "believed")


def label_doubts(y, probabilities, *, classes=None, noise="confident", temperature=1.0, posterior=False, level=0.9):
    """How surely each label is wrong, from out-of-fold class probabilities.

    Parameters
    ----------
    y : array-like (n,)
        Given labels: text, numbers or booleans; None or NaN for no label.
    probabilities : float32 or float64 (n, C)
        Out of fold, a column for each class in sorted order, lines that sum to 1. Read in place, never copied or changed.
    classes : array-like (C,), optional
        Labels of the columns. By default the sorted labels of `y`, or 0 .. C - 1 where `y` holds such numbers.
    noise : {"confident", "believed"} or float64 (C, C), default "confident"
        Where the noise matrix ``P(given | true)`` is from. "confident": from the confident joint, which takes all rows
        that the model is confident of for rows without chance. "believed": the cautious estimate of an audit, which
        charges to wrong labels only what chance in a hard problem does not explain. A matrix is taken as known.
    temperature : float or "fit", default 1.0
        Probabilities are raised to the power of 1/temperature before use; "fit" finds what suits the given labels best.
    posterior : bool, default False
        Whether to form the n x C posterior of the true label.
    level : float, default 0.9
        Coverage of the interval of the share of wrong labels.

    Returns
    -------
    LabelDoubts
        In O(n C^2) and, beside the input and what is returned, about 2 MB for ten classes.

    Raises
    ------
    DataError
        Where a line is no distribution, shapes differ, or labels and columns do not match.

    References
    ----------
    Northcutt, Jiang, Chuang 2021, JAIR 70. arXiv:1911.00068
    Patrini, Rozza, Menon, Nock, Qu 2017, CVPR. arXiv:1609.03683

    Examples
    --------
    >>> p = np.array([0.9, 0.8, 0.25, 0.2, 0.6, 0.1])
    >>> found = label_doubts([0, 0, 0, 1, 1, 1], np.column_stack([p, 1 - p]))
    >>> found.noise.tolist(), found.worst(1).tolist()
    ([[1.0, 0.0], [0.25, 0.75]], [2])
    """
    _check_options(noise, temperature, level)
    said = _probability_array(probabilities)
    given, names = label_codes(y, said.shape[1], classes)
    check_rows(len(said), len(given), "probabilities", "y")
    sums, counts, degree = _tempered_sums(said, given, temperature)
    if not counts.any():
        raise DataError("no row has a label", "at least one")
    thresholds = thresholds_of(sums, counts)
    confident, agreement, own, margin = _confident(said, given, thresholds, degree)
    joint = calibrated_joint(confident, counts)
    beliefs, towards = _beliefs(confident, agreement, counts)
    matrix = _noise_matrix(noise, joint, beliefs, towards)
    usable, shrunk = well_conditioned(matrix)
    wrong, likeliest, chances = _posterior(said, given, usable, degree, posterior)
    source = noise if isinstance(noise, str) else "given"
    rate, low, high = _rate(source, joint, confident, beliefs, wrong, level)
    off = _calibration(said, given, degree)
    return LabelDoubts(
        names, given, wrong, likeliest, own, margin, thresholds, confident, joint, matrix, shrunk,
        rate, low, high, level, source, degree, off, chances,
    )  # fmt: skip


def _check_options(noise, temperature, level):
    if isinstance(noise, str) and noise not in _SOURCES:
        raise OptionError("noise", noise, "'confident', 'believed' or a (C, C) matrix of P(given | true)")
    fits = isinstance(temperature, str) and temperature == "fit"
    if not fits and (isinstance(temperature, (str, bool)) or not 0 < temperature < np.inf):
        raise OptionError("temperature", temperature, "a number above 0 or 'fit'")
    if not 0 < level < 1:
        raise OptionError("level", level, "a number between 0 and 1")


def _probability_array(probabilities):
    """Probabilities as they are where that can be, float32 or float64 (n, C)."""
    array = probabilities.to_numpy() if column_names(probabilities) is not None else np.asarray(probabilities)
    if array.ndim != 2:
        raise DataError(f"probabilities have shape {array.shape}", "a line for each row and a column for each class")
    if not len(array):
        raise DataError("probabilities have no rows", "one row or more")
    if array.shape[1] < 2:
        raise DataError(f"probabilities have shape {array.shape}", "a column for each of two or more classes")
    if array.dtype.kind not in "biuf":
        raise DataError(f"probabilities are of type {array.dtype}", "numbers")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _tempered_sums(said, given, temperature):
    """Sums and counts by class, and the temperature; refuses what is no distribution."""
    sums, counts, odd = kernels.class_sums(said, given)
    if odd >= 0:
        line = ", ".join(f"{one:.4g}" for one in said[odd][:6].tolist()) + (", ..." if said.shape[1] > 6 else "")
        raise DataError(f"probabilities of row {odd} are {line}", "numbers of 0 or more that sum to 1")
    degree = temperature
    if degree == "fit":
        some = _sample(len(said))
        degree = best_temperature(said[some].astype(np.float64), given[some])
    if degree != 1:
        sums = sum(kernels.class_sums(part, codes)[0] for part, codes in _blocks(said, given, degree))
    return sums, counts, float(degree)


def _sample(n_rows):
    return slice(None, None, max(1, n_rows // _TOLD))


def _blocks(said, given, degree):
    """Probabilities ready for use, a block at a time: what is found in a block is copied before it leaves the cache."""
    for start in range(0, len(said), _BLOCK):
        rows = slice(start, start + _BLOCK)
        yield said[rows] if degree == 1 else with_temperature(said[rows], degree), given[rows]


def _confident(said, given, thresholds, degree):
    """Counts of confident rows and of agreement, and self-confidence and margin of each row."""
    n_classes = said.shape[1]
    fineness, counted = fineness_for(n_classes), []

    def found():
        for part, codes in _blocks(said, given, degree):
            confident, agreement, own, margin = kernels.confident_rows(part, codes, thresholds, fineness)
            counted[:] = [confident + counted[0], agreement + counted[1]] if counted else [confident, agreement]
            yield own, margin

    own, margin = _end_to_end(found(), len(said))
    return *counted, own, margin


def _end_to_end(pieces, n_rows):
    """Arrays that come in pieces (tuples, block by block) as whole ones; no piece is kept."""
    whole, start = None, 0
    for piece in pieces:
        stop = start + len(piece[0])
        if stop - start == n_rows:
            return piece
        whole = whole or tuple(np.empty((n_rows, *one.shape[1:]), one.dtype) for one in piece)
        for held, one in zip(whole, piece, strict=True):
            held[start:stop] = one
        start = stop
    return whole


def _beliefs(confident, agreement, counts):
    """What is believed of each class's rate of wrong labels, and where these labels go."""
    towards = directions(confident.T, counts / counts.sum())
    return noise_beliefs(agreement, counts, towards), towards


def _noise_matrix(noise, joint, beliefs, towards):
    if isinstance(noise, str) and noise == "confident":
        return noise_matrix(joint)
    if isinstance(noise, str):
        rates = rates_at(beliefs, 0.5)
        return np.diag(1 - rates) + towards * rates[:, None]
    matrix = np.asarray(noise, dtype=np.float64)
    if matrix.shape != joint.shape:
        raise OptionError("noise", matrix.shape, f"a {len(joint)} x {len(joint)} matrix of P(given | true)")
    if not ((matrix >= 0).all() and np.allclose(matrix.sum(axis=1), 1, atol=1e-6)):
        raise OptionError("noise", matrix.tolist(), "lines of 0 or more that sum to 1: P(given | true), a line for each true label")
    return matrix


def _posterior(said, given, usable, degree, wanted):
    """Probability of being wrong, likeliest other label and, where wanted, the whole posterior."""
    unmixing = np.linalg.inv(usable)
    wrong, likeliest = _end_to_end((kernels.wrong_labels(*block, unmixing, usable) for block in _blocks(said, given, degree)), len(said))
    if not wanted:
        return wrong, likeliest, None
    parts = ((kernels.label_posterior(*block, unmixing, usable),) for block in _blocks(said, given, degree))
    return wrong, likeliest, _end_to_end(parts, len(said))[0]


def _rate(source, joint, confident, beliefs, wrong, level):
    """Share of wrong labels with an interval that allows for what the data cannot tell.

    Wrong labels and chance look alike. Seen from below, only what is believed after allowing for chance is surely
    wrong; seen from above, all that the model is confident of may be. Sampling widens both ends.
    """
    z = ndtri((1 + level) / 2)
    if source == "given":
        rate = float(np.nanmean(wrong))
        half = z * np.sqrt(rate * (1 - rate) / max(np.isfinite(wrong).sum(), 1))
        return rate, max(rate - half, 0.0), min(rate + half, 1.0)
    counted, error = float(1 - np.trace(joint)), _sampling_error(joint, confident)
    few, many = (float(joint.sum(axis=0) @ rates_at(beliefs, (1 + side * level) / 2)) for side in (-1, 1))
    if source == "believed":
        rate = float(joint.sum(axis=0) @ rates_at(beliefs, 0.5))
        return rate, max(few - z * error, 0.0), min(max(many, rate) + z * error, 1.0)
    rate = float(np.clip(counted, 0.0, 1.0))
    low, high = max(min(few, counted - z * error), 0.0), min(max(many, counted + z * error), 1.0)
    if many < counted - z * error:
        told = f"the share of wrong labels may be anything from {low:.1%} to {high:.1%}: a hard problem looks like wrong labels"
        warnings.warn(ApproximationWarning(f"{told}; noise='believed' charges less to labels"), stacklevel=3)
    return rate, low, high


def _sampling_error(joint, confident):
    """Standard error of the share of wrong labels in the joint, the thresholds taken as they are.

    Two rows' worth of doubt are added to each line, so that a line without a miss is not taken for certain.
    """
    held, shares = confident.sum(axis=1), joint.sum(axis=1)
    missed = (held - np.diag(confident) + 1) / (held + 2)
    return float(np.sqrt((shares**2 * missed * (1 - missed) / (held + 2)).sum()))


def _calibration(said, given, degree):
    some = _sample(len(said))
    part = said[some] if degree == 1 else with_temperature(said[some], degree)
    return calibration_error(part, given[some])
