"""How often near neighbours disagree, from fewer and fewer rows, and where that leads were there rows without end."""

from dataclasses import dataclass
from itertools import product

import numpy as np

# Rows in a tenth of the usual distance keep a third of what there is to know at least: slower targets than this
# cannot be told from noise by any number of neighbours.
FASTEST = 10.0
# Closeness counts as squared distance to these powers: 1/2 where the target jumps, 1 where it is smooth.
POWERS = (0.5, 0.75, 1.0)
_SPEEDS = np.r_[0.0, np.geomspace(0.02, FASTEST, 90)]
_STEPS = 400
_RIDGE = 1e-9


@dataclass(frozen=True, eq=False)
class Curve:
    """Mean loss of near neighbours in subsets of falling size.

    Parameters
    ----------
    k : int
        Neighbours that vote.
    sizes : int64 (L,)
        Rows of a subset, falling; the first holds all.
    losses : float64 (L,)
    covariance : float64 (L, L)
        Of the losses, over which rows there happen to be.
    closeness : float64 (L, P)
        Mean over neighbours of their squared distance, as a share of that of two random rows, to the power
        ``POWERS[p]``.
    chance : float
        Loss where neighbours know nothing.
    """

    k: int
    sizes: np.ndarray
    losses: np.ndarray
    covariance: np.ndarray
    closeness: np.ndarray
    chance: float

    @property
    def stderr(self):
        """Standard error of each loss, float64 (L,)."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


@dataclass(frozen=True)
class Nugget:
    """The loss that is left between rows at no distance.

    Parameters
    ----------
    expected, low, high : float
    misfit : float
        Chi-squared of the best curve.
    """

    expected: float
    low: float
    high: float
    misfit: float

    @property
    def converged(self):
        """Whether the rows say anything about it: else it may be anything from 0 on."""
        return self.low > 0


def nugget(curve, reach):
    """Loss of near neighbours were there rows without end, with the interval that the rows allow.

    What neighbours know, ``A = chance - loss``, fades with their distance s (as a share of the usual one) as a
    powered exponential variogram does: ``A(s) = A(0) exp(-b s^q)``, q in [1/2, 1], b in [0, 10]. To first order that is
    the power law ``e(n) = e + c n^-kappa``, with kappa tied to how fast neighbours come nearer.

    Parameters
    ----------
    curve : Curve
    reach : float
        Largest distance in standard errors at which a value is still believed: 1.645 for one-sided 95%.

    Returns
    -------
    Nugget
        The interval is that of the profile likelihood; values below 0 or beyond chance are not considered.

    Notes
    -----
    A model, not a theorem: no finite sample bounds the Bayes error of all conceivable targets from below. A target
    that changes on a scale finer than b allows looks like noise, and the interval is wrong then.

    References
    ----------
    Diggle, Ribeiro 2007, Model-based Geostatistics, section 3.4 (powered exponential family, nugget).
    Snapp, Venkatesh 1998, Annals of Statistics 26(3), doi:10.1214/aos/1024691091 (finite-sample risk of nearest neighbours).
    """
    known = curve.chance - curve.losses
    highest = min(curve.chance, curve.losses[0] + 2 * reach * curve.stderr[0])
    values = np.linspace(0.0, max(highest, 0.0), _STEPS + 1)
    spread = np.trace(curve.covariance)
    if spread <= 0:
        exact = float(max(curve.losses[0], 0.0))
        return Nugget(exact, exact, exact, 0.0)
    weights = np.linalg.inv(curve.covariance + np.eye(len(known)) * _RIDGE * spread)
    misfit = np.full(len(values), np.inf)
    for power, speed in product(range(len(POWERS)), _SPEEDS):
        kept = np.exp(-speed * curve.closeness[:, power])
        # The misfit is a parabola in A(0): its three coefficients serve all values at once.
        square, cross, own = kept @ weights @ kept, kept @ weights @ known, known @ weights @ known
        heights = curve.chance - values
        misfit = np.minimum(misfit, own - 2 * heights * cross + heights**2 * square)
    believed = np.flatnonzero(misfit <= misfit.min() + reach**2)
    best = int(misfit.argmin())
    return Nugget(float(values[best]), float(values[believed[0]]), float(values[believed[-1]]), float(misfit[best]))
