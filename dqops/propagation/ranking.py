"""What to do first: findings in the order of what they cost."""

import numpy as np


def ranked(findings, gains):
    """Ids of findings, best first: leaks, then shrunken gain of the deployed arm, then what was not priced.

    Parameters
    ----------
    findings : Findings
    gains : Gains

    Returns
    -------
    tuple of str
    """
    priced = [(one, gains.of(one.id)) for one in findings]
    with_gain = [(one, gain) for one, gain in priced if gain is not None]
    errors = [(gain.repair.high - gain.repair.low) / 3.3 for _, gain in with_gain]
    shrunken = dict(zip((one.id for one, _ in with_gain), shrink([g.repair.expected for _, g in with_gain], errors), strict=True))

    def place(one):
        leak = one.kind == "leakage" and one.score >= 0.5
        return (not leak, -max(shrunken.get(one.id, 0.0), 0.0), one.id not in shrunken, -one.share * one.score, one.id)

    return tuple(one.id for one in sorted(findings, key=place))


def shrink(gains, errors):
    """Gains pulled towards zero by how much of their spread is noise, so that the best is not the luckiest.

    Parameters
    ----------
    gains, errors : float64 (G,)
        Estimates and their standard errors.

    Returns
    -------
    float64 (G,)

    Examples
    --------
    >>> shrink([0.10, 0.0, 0.01], [0.001, 0.05, 0.001]).round(3).tolist()
    [0.1, 0.0, 0.01]
    """
    gains, errors = np.asarray(gains, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    finite = np.isfinite(errors)
    if finite.sum() < 2:
        return gains
    # Around zero, not around their mean: most dirt costs nothing.
    spread = max(float(np.mean(gains[finite] ** 2) - np.mean(np.minimum(errors[finite] ** 2, gains[finite] ** 2))), 1e-12)
    return np.where(finite, gains * spread / (spread + np.where(finite, errors, 0) ** 2), 0.0)
