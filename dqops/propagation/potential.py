"""What knowing the truth would gain: the repair's own gain, and what the repair leaves on the table."""

from math import hypot

from dqops.results.gain import Estimate


def potential_of(repair, leftover, dirt):
    """Expected gain if the truth were known, or None where nothing can be said.

    Parameters
    ----------
    repair : Estimate
        Measured gain of the repair that dqops makes: some of the way to the truth.
    leftover : Estimate or None
        The rest of the way, measured by a twin experiment: dirt of the same kind was planted in repaired rows,
        where the truth is known, and repaired again; this is by how much the score then falls short. Less than
        nothing is luck, since a repair cannot know more than the truth.
    dirt : Dirt or None
        Where there was room for less dirt than was found, the leftover is scaled up.

    Returns
    -------
    Estimate or None

    Examples
    --------
    >>> print(potential_of(Estimate(0.01, 0.0, 0.02), Estimate(0.03, 0.01, 0.05), None))
    +0.040 [+0.018, +0.062]
    """
    if leftover is None:
        return None
    scale = 1.0 if dirt is None else dirt.rate / dirt.planted_rate
    expected = repair.expected + scale * max(leftover.expected, 0.0)
    reach = hypot((repair.high - repair.low) / 2, scale * (leftover.high - leftover.low) / 2)
    return Estimate(expected, expected - reach, expected + reach, repair.level)
