"""The arithmetic of influence: curvature added up, rows seen from the optimum, one Newton step a row."""

import numpy as np
from numba import prange

from dqops.kernels import kernel, parallel_kernel

_LEVERAGE_ONE = 1e-9  # a pivot this small: the row alone holds a direction, and without it there is no optimum


def weighted_gram(rows, weights, centre, room):
    """The sum of ``weight · row rowᵀ`` over centred rows, by one symmetric product and no copy but the room.

    Parameters
    ----------
    rows : float64 (n, d)
    weights : float64 (n,)
        0 or more.
    centre : float64 (d,) or (0,)
        Taken off each row; nothing where it is empty.
    room : float64 (n, p)
        Room to work in; columns beyond d stand for ones.

    Returns
    -------
    float64 (p, p)

    Notes
    -----
    O(n p²), half of what a product of two different arrays costs: numpy takes the symmetric routine where an array meets
    its own transpose.
    """
    roots, width = np.sqrt(weights)[:, None], rows.shape[1]
    if len(centre):
        np.subtract(rows, centre, out=room[:, :width])
        room[:, :width] *= roots
    else:
        np.multiply(rows, roots, out=room[:, :width])
    room[:, width:] = roots
    return room.T @ room


@parallel_kernel
def projections(whitened, slope, curvature):
    """Each row's own leverage, its weight in the holdout's curvature, and its pull along the holdout's slope.

    Parameters
    ----------
    whitened : float64 (n, m, r)
        Row i's m directions in coordinates where the curvature of the fit is the identity.
    slope : float64 (r,)
        Of the holdout loss, in those coordinates.
    curvature : float64 (r,)
        Of the holdout loss, diagonal in those coordinates.

    Returns
    -------
    leverage, bend : float64 (n, m, m)
        ``U Uᵀ`` and ``U diag(curvature) Uᵀ`` for each row's ``U`` (m, r).
    pull : float64 (n, m)
        ``U slope``.

    Notes
    -----
    O(n m² r).
    """
    n_rows, n_directions, n_coordinates = whitened.shape
    leverage = np.empty((n_rows, n_directions, n_directions))
    bend = np.empty((n_rows, n_directions, n_directions))
    pull = np.empty((n_rows, n_directions))
    for row in prange(n_rows):
        for one in range(n_directions):
            along = 0.0
            for place in range(n_coordinates):
                along += whitened[row, one, place] * slope[place]
            pull[row, one] = along
            for other in range(one + 1):
                own, held = 0.0, 0.0
                for place in range(n_coordinates):
                    product = whitened[row, one, place] * whitened[row, other, place]
                    own += product
                    held += product * curvature[place]
                leverage[row, one, other] = own
                leverage[row, other, one] = own
                bend[row, one, other] = held
                bend[row, other, one] = held
    return leverage, bend, pull


@parallel_kernel
def step_changes(leverage, bend, pull, curvature_change, gradient_change):
    """How the holdout loss changes when one row's part of the objective does: one Newton step, each row alone.

    Parameters
    ----------
    leverage, bend : float64 (n, m, m)
    pull : float64 (n, m)
        As `projections` gives them.
    curvature_change : float64 (n, m, m)
        What the row's curvature becomes, less what it is: minus its own for a removal.
    gradient_change : float64 (n, m)
        What its gradient becomes, less what it is: minus its own for a removal.

    Returns
    -------
    float64 (n,)
        ``slope · Δ + ½ Δᵀ diag(curvature) Δ`` for the step ``Δ = -(I + Uᵀ J U)⁻¹ Uᵀ ρ``, by the push-through identity
        ``-Uᵀ (I + J U Uᵀ)⁻¹ ρ``; NaN where that matrix is singular (leverage 1).

    Notes
    -----
    O(n m³).
    """
    n_rows, n_directions = pull.shape
    changes = np.empty(n_rows)
    for row in prange(n_rows):
        system = np.eye(n_directions) + _product(curvature_change[row], leverage[row])
        weight = gradient_change[row].copy()
        if not _solved(system, weight):
            changes[row] = np.nan
            continue
        change = 0.0
        for one in range(n_directions):
            change -= pull[row, one] * weight[one]
            for other in range(n_directions):
                change += 0.5 * weight[one] * bend[row, one, other] * weight[other]
        changes[row] = change
    return changes


@kernel
def _product(left, right):
    n_directions = left.shape[0]
    product = np.zeros((n_directions, n_directions))
    for one in range(n_directions):
        for middle in range(n_directions):
            for other in range(n_directions):
                product[one, other] += left[one, middle] * right[middle, other]
    return product


@kernel
def _solved(system, weight):
    """Solve in place by elimination with row exchanges; False where a pivot vanishes."""
    n_directions = len(weight)
    for step in range(n_directions):
        best = step
        for row in range(step + 1, n_directions):
            if abs(system[row, step]) > abs(system[best, step]):
                best = row
        if not abs(system[best, step]) > _LEVERAGE_ONE:
            return False
        if best != step:
            for column in range(n_directions):
                system[step, column], system[best, column] = system[best, column], system[step, column]
            weight[step], weight[best] = weight[best], weight[step]
        for row in range(step + 1, n_directions):
            factor = system[row, step] / system[step, step]
            for column in range(step, n_directions):
                system[row, column] -= factor * system[step, column]
            weight[row] -= factor * weight[step]
    for step in range(n_directions - 1, -1, -1):
        for column in range(step + 1, n_directions):
            weight[step] -= system[step, column] * weight[column]
        weight[step] /= system[step, step]
    return True
