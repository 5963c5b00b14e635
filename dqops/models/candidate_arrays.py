"""The door for candidates as arrays: what is handed over is checked and laid end to end here."""

import warnings

import numpy as np

from dqops.errors import ApproximationWarning, DataError


def candidate_arrays(candidates, weights=None, mask=None):
    """Candidates of all rows end to end, with weights that sum to 1 in each row.

    Parameters
    ----------
    candidates : sequence of n arrays (m_i, d), or float array (n, M, d), also masked
    weights : sequence of n arrays (m_i,), or float array (n, M), optional
        Equal by default; those of weight 0 are left out. All 0 is taken as equal, with a warning.
    mask : bool (n, M), optional
        With an array (n, M, d): which entries are candidates.

    Returns
    -------
    points : float64 (n_candidates, d)
    start : int64 (n + 1,)
        Candidates of row ``r`` are those from ``start[r]`` up to ``start[r + 1]``.
    weights : float64 (n_candidates,)
        Above 0.

    Raises
    ------
    DataError
        In one sentence, with the row.

    Examples
    --------
    >>> points, start, weights = candidate_arrays([[[1.0], [2.0]], [[5.0]]], [[3, 1], [1]])
    >>> points.ravel().tolist(), start.tolist(), weights.tolist()
    ([1.0, 2.0, 5.0], [0, 2, 3], [0.75, 0.25, 1.0])
    """
    if np.ma.isMaskedArray(candidates) and mask is None:
        candidates, mask = candidates.data, ~np.ma.getmaskarray(candidates).any(axis=2)
    points, sizes = _points(candidates, mask)
    shares = _normal(np.ones(len(points)) if weights is None else _weights(weights, sizes, mask), sizes)
    kept = shares > 0
    held = np.add.reduceat(kept, np.cumsum(sizes) - sizes, dtype=np.int64)
    return points[kept], np.concatenate([[0], np.cumsum(held)]), shares[kept]


def _points(candidates, mask):
    """Candidates end to end, float64 (n_candidates, d), and how many each row has."""
    if isinstance(candidates, np.ndarray) and candidates.dtype != object:
        return _padded(candidates, mask)
    if mask is not None:
        raise DataError("a mask beside a sequence of arrays", "an array (n, M, d) with it, or no mask")
    rows = [np.asarray(row) for row in candidates]
    empty = [place for place, row in enumerate(rows) if row.size == 0]
    if not rows or empty:
        raise DataError(f"row {empty[0]} has no candidate" if rows else "there are no candidate rows", "one candidate or more a row")
    odd = [place for place, row in enumerate(rows) if row.ndim != 2 or row.shape[1] != rows[0].shape[-1]]
    if odd:
        raise DataError(f"candidates of row {odd[0]} have shape {rows[odd[0]].shape}", f"(m, {rows[0].shape[-1]}), a line a candidate")
    sizes = np.array([len(row) for row in rows])
    return _numbers(np.concatenate(rows), sizes), sizes


def _padded(candidates, mask):
    if candidates.ndim != 3:
        raise DataError(f"candidates have shape {candidates.shape}", "(n, M, d), or a sequence of n arrays (m, d)")
    held = np.ones(candidates.shape[:2], dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    if held.shape != candidates.shape[:2]:
        raise DataError(f"the mask has shape {held.shape}", f"{candidates.shape[:2]}, one entry a candidate")
    sizes = held.sum(axis=1)
    if not len(sizes) or not sizes.all():
        raise DataError(f"row {int(np.argmin(sizes))} has no candidate" if len(sizes) else "there are no candidate rows", "one candidate or more a row")
    return _numbers(candidates[held], sizes), sizes


def _numbers(points, sizes):
    """The candidates as float64; what is not finite is refused by row."""
    if points.dtype.kind not in "biufO":
        raise DataError("candidates hold text or dates", "numbers: encode them first")
    try:
        points = points.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError("candidates hold something that is no number", "numbers: encode them first") from None
    wrong = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(wrong):
        row = int(np.searchsorted(np.cumsum(sizes), wrong[0], side="right"))
        raise DataError(f"a candidate of row {row} holds NaN or infinity", "finite numbers; a missing cell needs candidates of its own")
    return points


def _weights(weights, sizes, mask):
    if isinstance(weights, np.ndarray) and weights.ndim == 2:
        held = np.ones(weights.shape, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
        if held.shape == weights.shape and np.array_equal(held.sum(axis=1), sizes):
            return weights[held].astype(np.float64)
        raise DataError(f"weights have shape {weights.shape}", "one weight a candidate")
    rows = [np.asarray(row, dtype=np.float64).ravel() for row in weights]
    if len(rows) != len(sizes):
        raise DataError(f"there are {len(sizes)} rows of candidates and {len(rows)} of weights", "one list of weights a row")
    odd = np.flatnonzero(np.array([len(row) for row in rows]) != sizes)
    if len(odd):
        raise DataError(f"row {odd[0]} has {sizes[odd[0]]} candidates and {len(rows[odd[0]])} weights", "one weight a candidate")
    return np.concatenate(rows)


def _normal(weights, sizes):
    """Weights that sum to 1 in each row."""
    starts = np.cumsum(sizes) - sizes
    wrong = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
    totals = np.add.reduceat(weights, starts)
    if len(wrong):
        row = int(np.searchsorted(starts, wrong[0], side="right")) - 1
        raise DataError(f"row {row} has a weight that is negative, NaN or infinite", "weights of 0 or more")
    nothing = np.repeat(totals == 0, sizes)
    if nothing.any():
        said = f"all weights of row {int(np.argmin(totals))} are 0: its candidates are taken as equally likely"
        warnings.warn(said, ApproximationWarning, stacklevel=4)
        weights = np.where(nothing, 1.0, weights)
    return weights / np.repeat(np.add.reduceat(weights, starts), sizes)
