"""What would decide an open question, or make a goal possible: rows, judged rows, cleaner labels, better features."""

import numpy as np
from scipy import special

from dqops.limits.noise import anchored, share_left
from dqops.models.label_noise import noise_at_rate
from dqops.results.feasibility import Need

# A fall of the error with each doubling of the rows goes on, the next time by this share of it.
_SLOWEST, _USUAL, _FASTEST = 0.5, 0.75, 0.95
_MOST_DOUBLINGS = 7  # a hundred times as many rows are no plan


def rows_needed(errors, sizes, target, spread):
    """Further rows after which a model's error falls to `target`, as a `Need`.

    The fall from half to all rows goes on with each doubling by a constant share of itself: 0.75, between 0.5 and 0.95
    (a power law with exponent 0.4, between 1 and 0.07).

    Parameters
    ----------
    errors : sequence of float
        After a half, then after all rows.
    sizes : sequence of int
    target : float
    spread : float
        Standard error of the fall.

    Examples
    --------
    >>> rows_needed((0.22, 0.20), (500, 1000), 0.17, 0.0).count
    7000.0
    """
    fall, rows = errors[0] - errors[1], sizes[1]
    reach = special.ndtri(0.95) * spread
    count = _rows_until(errors[1], fall, _USUAL, target, rows)
    low = _rows_until(errors[1], fall + reach, _FASTEST, target, rows)
    high = _rows_until(errors[1], fall - reach, _SLOWEST, target, rows)
    if np.isfinite(count):
        why = "to learn from, if the best model's error goes on falling as it does"
    else:
        why = "the best model's error hardly falls with more rows to learn from"
    return Need("rows", count, low, high, why)


def _rows_until(error, fall, share, target, rows):
    total = 0.0
    for doubling in range(1, _MOST_DOUBLINGS + 1):
        fall *= share
        error -= max(fall, 0.0)
        if error <= target:
            total = rows * (2.0**doubling - 1)
            return float(total)
    return float("inf")


def judged_rows_needed(errors, count, target, share=0.05):
    """Further judged rows after which the upper limit of a model's error would be `target`; None where it errs more.

    >>> judged_rows_needed(90, 1000, 0.1).kind
    'judged rows'
    """
    rate = errors / count
    if rate >= target:
        return None
    needed = special.ndtri(1 - share) ** 2 * max(rate * (1 - rate), 1 / count) / (target - rate) ** 2
    why = "a model was found that seems good enough; judged on so many more rows, that would be shown"
    return Need("judged rows", float(np.ceil(max(needed - count, 1))), float("nan"), float("nan"), why)


def labels_needed(noise, posterior, target, n_rows, observed):
    """Wrong labels to correct before the best possible prediction of recorded labels errs at most `target`.

    Parameters
    ----------
    noise : LabelNoise
    posterior : callable
        ``posterior(T)``: probabilities of the true classes, float64 (n, C), under that noise matrix.
    target : float
    n_rows : int
    observed : (float, float, float)
        Error of the best possible prediction of the labels as they are: low, expected, high.

    Returns
    -------
    Need or None
        None where there is no noise to speak of.
    """
    if noise is None or noise.rate * n_rows < 1:
        return None

    def count_at(rate, error):
        matrix = noise_at_rate(np.asarray(noise.joint), rate)
        left = share_left(anchored(posterior(matrix), matrix, error), matrix, target)
        return np.inf if np.isnan(left) else rate * n_rows * (1 - left)

    count = count_at(noise.rate, observed[1])
    ends = [count, *(count_at(rate, error) for rate in (noise.low, noise.high) for error in observed)]
    if not np.isfinite(count):
        why = f"some {noise.rate:.1%} of the labels are wrong, and were all right the goal would still be too high"
        return Need("labels", count, min(ends), max(ends), why)
    looked = count / noise.rate
    why = f"some {noise.rate:.1%} of the labels are wrong; rows looked at by chance hold so many in {looked:,.0f}, the likeliest ones in far fewer"
    return Need("labels", float(np.ceil(count)), float(min(ends)), float(max(ends)), why)


def features_needed(low, target, lossy):
    """That only other columns could help, where rows that are alike in all of them differ in the target."""
    text = f" ({', '.join(lossy[:3])} is read by its commonest letters alone)" if lossy else ""
    why = f"rows that are alike in every column still differ in the target: no use of these columns errs less than {low:.3g}, and the goal is {target:.3g}{text}"
    return Need("features", float("nan"), float("nan"), float("nan"), why)
