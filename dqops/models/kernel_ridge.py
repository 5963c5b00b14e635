"""Ridge regression on a Gaussian kernel with landmarks: each row heard without itself, in closed form."""

import numpy as np
from scipy.spatial.distance import cdist

MOST_LANDMARKS = 600
WIDTHS = (0.25, 1.0, 4.0)
PENALTIES = (1e-3, 1e-2, 1e-1, 0.3, 1.0, 3.0, 10.0)
_FLAT = 1e-10
_ROWS_TOLD = 1000


def kernel_features(X, rng):
    """Feature maps whose inner products are Gaussian kernels, one for each of `WIDTHS`.

    Parameters
    ----------
    X : float64 (n, d)
        Scaled columns.
    rng : numpy.random.Generator

    Returns
    -------
    list of float64 (n, n_landmarks or fewer)
        Exact up to `MOST_LANDMARKS` rows, beyond that by as many landmarks (Nystroem), and a column of ones. Widths are
        relative to the median squared distance.

    References
    ----------
    Williams, Seeger 2001, NeurIPS 13, on landmarks.
    """
    n_rows = len(X)
    landmarks = X if n_rows <= MOST_LANDMARKS else X[np.sort(rng.choice(n_rows, MOST_LANDMARKS, replace=False))]
    some = landmarks[: min(len(landmarks), _ROWS_TOLD)]
    between = cdist(some, some, "sqeuclidean")[np.triu_indices(len(some), 1)]
    usual = float(np.median(between)) if len(between) else 1.0
    distances, among = cdist(X, landmarks, "sqeuclidean"), cdist(landmarks, landmarks, "sqeuclidean")
    return [_map(distances, among, width / max(usual, 1e-12)) for width in WIDTHS]


def _map(distances, among, scale):
    sizes, axes = np.linalg.eigh(np.exp(-scale * among))
    kept = sizes > _FLAT * sizes[-1]
    features = np.exp(-scale * distances) @ (axes[:, kept] / np.sqrt(sizes[kept]))
    return np.column_stack([features, np.ones(len(features))])


def left_out(maps, targets, weights, units):
    """Predictions for each row by a ridge regression on the other units, of the width and penalty that do best.

    Parameters
    ----------
    maps : list of float64 (n, m)
        From `kernel_features`.
    targets : float64 (n, C)
        Class probabilities to learn.
    weights : float64 (n,)
    units : int64 (n,)
        Rows of one unit are left out together.

    Returns
    -------
    float64 (n, C)
        In O(n m²) for each width; exact for the maps as given.

    References
    ----------
    Cook, Weisberg 1982, Residuals and influence in regression, on leaving rows out in closed form.
    """
    best, found = np.inf, None
    for features in maps:
        sizes, axes = np.linalg.eigh(features.T @ (weights[:, None] * features))
        turned = features @ axes
        moments, squares = turned.T @ (weights[:, None] * targets), turned**2
        for penalty in PENALTIES:
            inverse = 1 / (np.maximum(sizes, 0) + penalty)
            said = turned @ (inverse[:, None] * moments)
            leverage = np.minimum(weights * (squares @ inverse), 1 - 1e-9)
            alone = said - (leverage / (1 - leverage))[:, None] * (targets - said)
            loss = float((weights[:, None] * (targets - alone) ** 2).sum())
            if loss < best:
                best, found = loss, (turned, inverse, said, alone)
    return _without_units(*found, targets, weights, units)


def _without_units(turned, inverse, said, alone, targets, weights, units):
    """Rows that share a unit are left out with all of it."""
    sizes = np.bincount(units)
    for unit in np.flatnonzero(sizes > 1):
        rows = np.flatnonzero(units == unit)
        hat = (turned[rows] * inverse) @ turned[rows].T * weights[rows]
        missed = targets[rows] - said[rows]
        alone[rows] = targets[rows] - np.linalg.solve(np.eye(len(rows)) * (1 + 1e-9) - hat, missed)
    return alone
