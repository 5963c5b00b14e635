"""Newton steps of many rows at once, where leverages are so small that a sketch of them will do."""

import numpy as np

from dqops.seeds import stream

FEWEST_ROWS = 200  # per unknown: the mean leverage is then at most 0.005
_LARGEST_SHARE = 0.01  # of its own direction that a row may hold; rows with more are worked out whole
_PROJECTIONS = 24
_SPREAD = 4.0 * np.sqrt(2.0 / _PROJECTIONS)  # four standard deviations of an estimated squared length, as a share of it


def is_sketchable(loss, rows):
    """Is one row so little beside the others that its leverage need not be known to many digits?"""
    return loss.n_directions == 1 and loss.bends and len(rows) >= FEWEST_ROWS * rows.width


def sketched_removals(fit, steps):
    """(rise of the target when each row leaves float64 (n,), how far it may be off).

    Leverages are estimated from the squared lengths of 24 random projections, which turns two products of n d² into one of
    n d · 25. A leverage changes a value by about that share, and its estimate is off by a third of it; rows whose share is
    0.01 or more are worked out exactly. The curvature of the holdout is taken to be spread as that of the fit is.

    References
    ----------
    Drineas, Magdon-Ismail, Mahoney, Woodruff 2012, JMLR 13 (fast leverage scores).
    """
    changes, shares, looseness = np.empty(len(fit.rows)), np.empty(len(fit.rows)), 0.0
    lines, bend, widest = steps.sketch(stream(0, "leverages"), _PROJECTIONS)
    pull_length = np.linalg.norm(steps.slope) * np.expm1(fit.slack)
    for taken, block in fit.rows.blocks():
        seen = fit.rows.times(block, lines)
        pull, leverage = seen[:, 0], np.einsum("nk,nk->n", seen[:, 1:], seen[:, 1:])
        weights = fit.weights_of(fit.targets[taken], taken)
        shares[taken] = share = weights * fit.loss.curvatures(fit.responses[taken])[:, 0, 0] * leverage
        pulled = weights * fit.loss.slopes(fit.responses[taken], fit.targets[taken])[:, 0]
        step = pulled / (1.0 - np.minimum(share, 0.5))
        changes[taken] = pull * step + 0.5 * bend * leverage * step**2
        off = np.abs(pull * step) * share * _SPREAD + 0.5 * leverage * step**2 * (bend * _SPREAD + widest - bend)
        off += pull_length * np.abs(pulled) * np.sqrt(leverage)
        looseness = max(looseness, float(off[share <= _LARGEST_SHARE].max(initial=0.0)))
    heavy = np.flatnonzero(shares > _LARGEST_SHARE)
    changes[heavy] = steps.removals_of(heavy)
    return changes, looseness
