"""What is asked of a linear model on the holdout, as a slope and a curvature in its coefficients."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from dqops.errors import OptionError
from dqops.valuers.chosen_target import chosen_slopes, chosen_unit
from dqops.valuers.linear_curvature import data_curvature
from dqops.valuers.linear_fit import check_finite

TARGETS = ("loss", "accuracy")
_NARROWEST = 1e-3  # of the median margin


@dataclass(frozen=True, eq=False)
class HoldoutTarget:
    """The mean loss over the holdout, or what takes its place, near the fitted coefficients.

    Parameters
    ----------
    slope : float64 (m, p)
        Of what is to be small: a loss, or minus what is to be large.
    curvature : float64 (m p, m p) or None
        Second derivative; None where the target is only followed to first order.
    unit : str
    """

    slope: np.ndarray
    curvature: np.ndarray | None
    unit: str


def holdout_target(fit, rows, targets, target):
    """`HoldoutTarget` of a fit on these rows.

    Parameters
    ----------
    fit : LinearFit
    rows : LinearRows (n_holdout)
    targets : int64 or float64 (n_holdout,)
    target : {"loss", "accuracy"} or callable
    """
    asked = _asked(fit, rows, targets, target)
    check_finite(asked.slope, 0.0 if asked.curvature is None else asked.curvature)
    return asked


def _asked(fit, rows, targets, target):
    if target == "loss":
        return _loss(fit, rows, targets)
    if callable(target):
        return _chosen(fit, rows, targets, target)
    if target != "accuracy":
        raise OptionError("target", target, "'loss', 'accuracy' or a function of scores and labels")
    if not fit.loss.bends:
        raise OptionError("target", target, "'loss' or a function: a model of numbers has no accuracy")
    return _accuracy(fit, rows, targets)


def _loss(fit, rows, targets):
    share = fit.loss.scale / len(rows)
    responses = np.concatenate([fit.loss.responses(fit.scores(block)) for _, block in rows.blocks()])
    slope = _gathered(rows, fit.loss.slopes(responses, targets) * share)
    return HoldoutTarget(slope, data_curvature(rows, fit.loss, responses, np.full(len(rows), share)), fit.loss.unit)


def _accuracy(fit, rows, targets):
    """Expected accuracy under the spread that the fit leaves to its coefficients; that spread is held fixed.

    ``mean Φ(margin / width)``, the width of each margin being its standard deviation for coefficients distributed as
    ``N(θ, H⁻¹)``.
    """
    margins, widths = np.empty(len(rows)), np.empty(len(rows))
    edges = np.empty((len(rows), fit.loss.n_directions))
    root = fit.whitening.root.reshape(fit.loss.n_directions, rows.width, -1)
    for taken, block in rows.blocks(8 * root.shape[0] * root.shape[2]):
        margins[taken], edges[taken] = _margins(fit, fit.scores(block), targets[taken])
        seen = sum(edges[taken, one, None] * rows.times(block, root[one]) for one in range(len(root)))
        widths[taken] = np.sqrt(np.einsum("nr,nr->n", seen, seen))
    widths = np.maximum(widths, max(_NARROWEST * np.median(np.abs(margins)), np.finfo(float).tiny))
    heights = np.exp(-0.5 * (margins / widths) ** 2) / np.sqrt(2 * np.pi) / widths
    return HoldoutTarget(_gathered(rows, -edges * heights[:, None] / len(rows)), None, "accuracy")


def smooth_accuracy(margins, widths):
    """The accuracy that a fit may expect, each margin being known up to its width.

    >>> float(smooth_accuracy(np.array([0.0, 50.0]), np.array([1.0, 1.0])))
    0.75
    """
    return ndtr(margins / widths).mean()


def _margins(fit, scores, targets):
    """Lead of the given class before its best rival, and its slope by the directions, float64 (count, m)."""
    shown = scores @ fit.loss.basis.T
    lines = np.arange(len(shown))
    own = shown[lines, targets]
    shown[lines, targets] = -np.inf
    rival = shown.argmax(axis=1)
    return own - shown[lines, rival], fit.loss.basis[targets] - fit.loss.basis[rival]


def _chosen(fit, rows, targets, target):
    """A function of the user's, followed to first order by differences."""
    shown = fit.loss.shown(np.concatenate([fit.scores(block) for _, block in rows.blocks()]))
    slopes = chosen_slopes(target, shown, targets)
    return HoldoutTarget(_gathered(rows, -fit.loss.shown_slopes(slopes) / len(rows)), None, chosen_unit(target))


def _gathered(rows, slopes):
    """Sum of ``slope ⊗ row``, float64 (m, p)."""
    total = np.zeros((slopes.shape[1], rows.width))
    for taken, block in rows.blocks():
        total += rows.gather(block, slopes[taken])
    return total
