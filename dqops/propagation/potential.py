"""What knowing the truth would gain: the repair's own gain and a twin experiment, and their disagreement."""

from dqops.results.gain import Estimate


def potential_of(repair, twin, dirt):
    """Expected gain if the truth were known, or None where nothing can be said.

    Parameters
    ----------
    repair : Estimate
        Measured gain of the repair that dqops makes: some of the way to the truth.
    twin : Estimate or None
        Gain of removing the same dirt where it was planted, so that the truth is known.
    dirt : Dirt or None

    Returns
    -------
    Estimate or None
        The interval holds both estimates: they err differently (the repair by what it misses, the twin where dirt
        is not at random), so their disagreement is part of the doubt.

    Examples
    --------
    >>> repair, twin = Estimate(0.01, 0.0, 0.02), Estimate(0.03, 0.01, 0.05)
    >>> print(potential_of(repair, twin, None))
    +0.030 [+0.000, +0.050]
    """
    if twin is None:
        return None
    expected = max(twin.expected, repair.expected)
    return Estimate(expected, min(twin.low, repair.low), max(twin.high, repair.high), repair.level)
