"""What knowing the truth would gain, from a twin experiment and from the repair itself."""

from math import hypot

from dqops.results.gain import Estimate

_TRUST = 0.25  # of the cost of planted dirt: how far real dirt may cost more or less, as a 90% half width
_OTHER_ROWS = 1.3  # by how much more other rows that bear the dirt may differ than splits of the same ones
_LEAST_LEFT = 0.2  # of a difference that noise is thought to leave


def potential_of(twin, rate, scale=(1.0, 1.0, 1.0), unmatched=0.0, arm="deployed"):
    """Expected gain if the truth were known.

    Parameters
    ----------
    twin : Estimate
        What dirt of the same kind costs where it was planted in rows without it.
    rate : float
        Share of the rows that bear the dirt, in [0, 1].
    scale : (float, float, float)
        Low, expected and high rate of the dirt, as shares of the planted rate.
    unmatched : float
        Share of the dirt that sits in rows unlike all clean ones, in [0, 1].
    arm : str
        At serving the dirt shows in the rows that bear it alone, and those of the twin are others.

    Returns
    -------
    Estimate
        That cost. Its interval allows for planted dirt that costs more or less than the real one does, the more
        so the fewer rows without it were left to plant in, and for what is not known of the rate.

    Examples
    --------
    >>> print(potential_of(Estimate(0.04, 0.02, 0.06), 0.0))
    +0.040 [+0.018, +0.062]
    >>> print(potential_of(Estimate(0.04, 0.02, 0.06), 0.0, (0.0, 0.5, 1.0)))
    +0.020 [-0.007, +0.052]
    """
    fewest, middle, most = scale
    luck, doubt = (twin.high - twin.low) / 2 * (_OTHER_ROWS if arm == "serving" else 1.0), (_TRUST * (1 + rate) + unmatched) * abs(twin.expected)
    ends = sorted((fewest * twin.expected, most * twin.expected))
    expected = middle * twin.expected
    low = expected - hypot(middle * luck, middle * doubt + expected - ends[0])
    high = expected + hypot(most * luck, middle * doubt + ends[1] - expected)
    return Estimate(expected, low, high, twin.level)


def against_true_labels(gain, noise):
    """A gain judged on labels of which some are wrong, as it would be judged on true ones.

    Wrong labels that fall alike on all predictions shrink every difference of accuracies by one factor.

    Parameters
    ----------
    gain : Estimate
        Difference of two accuracies on recorded labels.
    noise : LabelNoise
        Its low and high rate widen the interval.

    Returns
    -------
    Estimate

    References
    ----------
    Natarajan, Dhillon, Ravikumar, Tewari 2013, NeurIPS, lemma 1.
    """
    low, middle, high = (_factor(one, len(noise.classes)) for one in (noise.low, noise.rate, noise.high))
    ends = [gain.low * low, gain.low * high, gain.high * low, gain.high * high]
    return Estimate(gain.expected * middle, min(ends), max(ends), gain.level)


def _factor(rate, n_classes):
    """By how much differences of accuracy are larger on true labels; wrong ones are any other class."""
    return 1 / max(1 - rate * n_classes / (n_classes - 1), _LEAST_LEFT)
