"""What knowing the truth would gain, from a twin experiment and from the repair itself."""

from math import hypot

from dqops.results.gain import Estimate

_TRUST = 0.25  # of the cost of planted dirt: how far real dirt may cost more or less, as a 90% half width


def potential_of(twin, rate):
    """Expected gain if the truth were known.

    Parameters
    ----------
    twin : Estimate
        What dirt of the same kind and rate costs where it was planted in rows without it.
    rate : float
        Share of the rows that bear the dirt, in [0, 1].

    Returns
    -------
    Estimate
        That cost. Its interval allows for planted dirt that costs more or less than the real one does, the more
        so the fewer rows without it were left to plant in.

    Examples
    --------
    >>> print(potential_of(Estimate(0.04, 0.02, 0.06), 0.0))
    +0.040 [+0.018, +0.062]
    """
    doubt = _TRUST * (1 + rate) * abs(twin.expected)
    reach = hypot((twin.high - twin.low) / 2, doubt)
    return Estimate(twin.expected, twin.expected - reach, twin.expected + reach, twin.level)
