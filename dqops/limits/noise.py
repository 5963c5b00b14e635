"""What wrong labels add to the error that no model can pass, and how many to clean."""

import numpy as np
from scipy.special import softmax

from dqops.errors import OptionError
from dqops.models.label_noise import on_simplex, well_conditioned

_LEAST_POWER, _LARGEST_POWER = 0.01, 100.0
_HALVINGS = 30


def noisy_error(best, rate, n_classes, *, redraw=False):
    """Bayes error against labels of which a share is wrong, from the Bayes error against true ones.

    Parameters
    ----------
    best : float
        Against true labels, in [0, (C - 1) / C].
    rate : float
        Share of labels replaced by another class, at most (C - 1) / C; with `redraw`, share of labels drawn anew from
        all classes, so that some come out as they were.
    n_classes : int

    Examples
    --------
    >>> round(noisy_error(0.05, 0.2, 10, redraw=True), 4), round(noisy_error(0.05, 0.18, 10), 4)
    (0.22, 0.22)
    """
    chance = (n_classes - 1) / n_classes
    share = rate if redraw else rate / chance
    _check_share(rate, share, 1.0 if redraw else chance)
    return best + share * (chance - best)


def clean_error(noisy, rate, n_classes):
    """Bayes error against true labels, from the one against labels of which a share is another class; 0 at least.

    >>> round(clean_error(0.22, 0.18, 10), 4)
    0.05
    """
    chance = (n_classes - 1) / n_classes
    _check_share(rate, rate / chance, chance)
    if rate >= chance:
        return 0.0
    return float(np.clip((noisy - rate) / (1 - rate / chance), 0.0, chance))


def tolerable_rate(target, best, n_classes):
    """Highest share of labels of another class at which error `target` can be reached; 0 where it cannot.

    >>> round(tolerable_rate(0.22, 0.05, 10), 4)
    0.18
    """
    chance = (n_classes - 1) / n_classes
    return float(np.clip((target - best) / (chance - best), 0.0, 1.0) * chance) if best < chance else 0.0


def true_posterior(probabilities, noise):
    """Probability of each true class, from calibrated probabilities of the given one: float64 (n, C).

    Parameters
    ----------
    probabilities : float64 (n, C)
        Out of fold.
    noise : float64 (C, C)
        ``T[c, g] = P(given g | true c)``.
    """
    usable, _ = well_conditioned(noise)
    return on_simplex(np.linalg.solve(usable.T, probabilities.T).T)


def error_under(posterior, noise):
    """Error of the best prediction of given labels, where the posterior of the true ones is known.

    ``1 - mean max_g (T' eta)_g``.

    >>> error_under(np.array([[0.9, 0.1]]), np.eye(2))
    0.1
    """
    return round(1 - float((posterior @ noise).max(axis=1).mean()), 15)


def anchored(posterior, noise, error):
    """The posterior made surer or less sure, until the best prediction of given labels errs so often.

    Calibrated probabilities of a model that is too simple are not sure enough; a power of them, made to sum to 1, keeps
    their order and agrees with what is known of the error by other means. Where the noise alone errs more often than
    that, the surest posterior is given.

    Parameters
    ----------
    posterior : float64 (n, C)
    noise : float64 (C, C)
    error : float

    Examples
    --------
    >>> anchored(np.array([[0.6, 0.4]]), np.eye(2), 0.1).round(3).tolist()
    [[0.9, 0.1]]
    """
    logs = np.log(np.clip(posterior, 1e-12, 1.0))
    low, high = _LEAST_POWER, _LARGEST_POWER
    for _ in range(_HALVINGS):
        middle = np.sqrt(low * high)
        too_sure = error_under(softmax(middle * logs, axis=1), noise) < error
        low, high = (low, middle) if too_sure else (middle, high)
    return softmax(high * logs, axis=1)


def share_left(posterior, noise, target):
    """Largest share of the present noise at which the best prediction errs at most `target`; NaN where none does.

    With a share s left, labels are given by ``(1 - s) I + s T``; the error rises with s.

    >>> noise = np.array([[0.8, 0.2], [0.2, 0.8]])
    >>> round(share_left(np.array([[1.0, 0.0]]), noise, 0.1), 3)
    0.5
    """
    identity = np.eye(len(noise))
    if error_under(posterior, identity) > target:
        return float("nan")
    if error_under(posterior, noise) <= target:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        within = error_under(posterior, (1 - middle) * identity + middle * noise) <= target
        low, high = (middle, high) if within else (low, middle)
    return low


def _check_share(rate, share, most):
    if not 0 <= share <= 1:
        raise OptionError("rate", rate, f"a share between 0 and {most:.3g}")
