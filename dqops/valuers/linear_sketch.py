"""Newton steps of many rows at once, where leverages are so small that a sketch of them will do."""

import numpy as np

from dqops.seeds import stream

FEWEST_ROWS = 200  # per unknown: the mean leverage is then at most 0.005
_LARGEST_SHARE = 0.01  # of its own direction that a row may hold, and of the largest value that one may be off by
_PROJECTIONS = 24
_SPREAD = 4.0 * np.sqrt(2.0 / _PROJECTIONS)  # four standard deviations of an estimated squared length, as a share of it


def is_sketchable(loss, rows):
    """Is one row so little beside the others that its leverage need not be known to many digits?"""
    return loss.n_directions == 1 and loss.bends and len(rows) >= FEWEST_ROWS * rows.width


def sketched_removals(fit, steps):
    """(rise of the target when each row leaves float64 (n,), how far it may be off).

    Leverages are estimated from the squared lengths of 24 random projections, which turns two products of n d² into one of
    n d · 25. A leverage changes a value by about that share, and its estimate is off by a third of it; rows whose share is
    0.01 or more, and rows that may be off by more than 0.01 of the largest value, are worked out exactly. The curvature of the holdout is taken to be spread as that of the fit is. Where rows
    moved by δ since the curvature was taken, a value is off by at most ``|g| √(Σ w c (e^δ - 1)² pull²)``, by Cauchy.

    References
    ----------
    Drineas, Magdon-Ismail, Mahoney, Woodruff 2012, JMLR 13 (fast leverage scores).
    """
    changes, shares, off = np.empty(len(fit.rows)), np.empty(len(fit.rows)), np.empty(len(fit.rows))
    longest, drifted = 0.0, 0.0
    lines, bend, widest = steps.sketch(stream(0, "leverages"), _PROJECTIONS)
    for taken, block in fit.rows.blocks():
        seen = fit.rows.times(block, lines)
        pull, leverage = seen[:, 0], np.einsum("nk,nk->n", seen[:, 1:], seen[:, 1:])
        weights = fit.weights_of(fit.targets[taken], taken)
        bends = weights * fit.loss.curvatures(fit.responses[taken])[:, 0, 0]
        shares[taken] = share = bends * leverage
        pulled = weights * fit.loss.slopes(fit.responses[taken], fit.targets[taken])[:, 0]
        step = pulled / (1.0 - np.minimum(share, 0.5))
        changes[taken] = pull * step + 0.5 * bend * leverage * step**2
        off[taken] = np.abs(pull * step) * share * _SPREAD + 0.5 * leverage * step**2 * (bend * _SPREAD + widest - bend)
        longest = max(longest, float((np.abs(pulled) * np.sqrt(leverage * (1 + _SPREAD))).max()))
        drifted += float(np.sum(bends * (np.expm1(fit.drift[taken]) * pull) ** 2))
    heavy = (shares > _LARGEST_SHARE) | (off > _LARGEST_SHARE * np.abs(changes).max())
    changes[heavy] = steps.removals_of(np.flatnonzero(heavy))
    return changes, float(off[~heavy].max(initial=0.0) + longest * np.sqrt(drifted))
