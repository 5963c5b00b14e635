"""What several learners say and how labels are confused, fitted together to the given labels."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

# What is believed before looking; chosen on sixteen tables of which none is reported on.
_USUAL_RATE = -1.5  # log odds of a wrong label: 18%
_RATE_SPREAD = 1.0
_CLASS_SPREAD = 0.8  # of the log odds of single classes around the common ones
_TOWARDS_ROWS = 3.0  # rows' worth of belief that a class's wrong labels go to all other classes alike
_USUAL_WEIGHT = 0.9  # log weight of a learner, times their number: learners that learned from wrong labels are too unsure
_WEIGHT_SPREAD = 1.0  # 1 / (2 variance) of these
_SHIFT_SPREAD = 5.0  # 1 / (2 variance) of the shifts of the classes
_MOST_STEPS = 100


@dataclass(frozen=True, eq=False)
class NoiseFit:
    """Weights of the learners, true labels and noise that make the given labels likeliest.

    Parameters
    ----------
    true : float64 (n, C)
        Probability of each true label from the features alone.
    posterior : float64 (n, C)
        Probability of each true label, given the recorded one as well.
    noise : float64 (C, C)
        ``noise[c, g] = P(given g | true c)``.
    weights : float64 (L,)
        Of the learners.
    """

    true: np.ndarray
    posterior: np.ndarray
    noise: np.ndarray
    weights: np.ndarray


def fit_noise(heard, given, known):
    """`NoiseFit` of out-of-fold log probabilities.

    True labels are ``eta_i = softmax(sum_l w_l log p_l,i + b)``, given ones ``P(g | i) = sum_c eta_i(c) T[c, g]``, and
    ``T[c, g] = r_c D[c, g]`` off the diagonal. All of w, b, r and D maximise the likelihood of the given labels times a
    prior: rates of classes scatter around a common one, and wrong labels go everywhere alike until rows tell otherwise.

    Parameters
    ----------
    heard : float64 (L, n, C)
        Log probabilities by L learners, of rows that they did not learn from.
    given : int64 (n,)
        Codes.
    known : bool (n,)
        Rows whose given label is known to be true.

    Returns
    -------
    NoiseFit
        In O(n (L + C) C) for each of at most a hundred steps.

    References
    ----------
    Dawid, Skene 1979, Applied Statistics 28(1). Raykar et al. 2010, JMLR 11. Patrini et al. 2017, CVPR, arXiv:1609.03683.
    """
    n_learners, _, n_classes = heard.shape
    likelihood = _Likelihood(heard, given, known)
    start = np.zeros(n_learners + 2 * n_classes + 1 + n_classes**2)
    start[:n_learners], start[n_learners + n_classes] = _USUAL_WEIGHT, _USUAL_RATE
    found = minimize(likelihood, start, jac=True, method="L-BFGS-B", options={"maxiter": _MOST_STEPS})
    parts = likelihood.parts(found.x)
    true = np.exp(likelihood.true(parts))
    noise = likelihood.noise(parts)
    joint = true * noise[:, given].T
    posterior = joint / joint.sum(axis=1, keepdims=True)
    posterior[known] = np.eye(n_classes)[given[known]]
    return NoiseFit(true, posterior, noise, np.exp(parts[0]) / n_learners)


class _Likelihood:
    """Minus the log posterior of (log weights, shifts, common rate, rates, directions), and its gradient."""

    def __init__(self, heard, given, known):
        self.heard, self.given, self.known = heard, given, known
        self.n_classes = heard.shape[2]
        self.apart = ~np.eye(self.n_classes, dtype=bool)
        self.hot = np.eye(self.n_classes)[given]
        self.counted = self.hot * ~known[:, None]
        self.spread = np.where(self.apart, _TOWARDS_ROWS / max(self.n_classes - 1, 1), 0.0)

    def parts(self, point):
        n_learners, n_classes = len(self.heard), self.n_classes
        ends = np.cumsum([n_learners, n_classes, 1, n_classes])
        weights, shifts, common, rates, towards = np.split(point, ends)
        towards = np.where(self.apart, towards.reshape(n_classes, n_classes), -np.inf)
        return weights, shifts, float(common[0]), rates, log_softmax(towards, axis=1)

    def true(self, parts):
        """Log probabilities of the true labels."""
        weights, shifts, *_ = parts
        return log_softmax(np.einsum("l,lnc->nc", np.exp(weights) / len(self.heard), self.heard) + shifts, axis=1)

    def noise(self, parts):
        _, _, common, rates, towards = parts
        wrong = expit(common + rates)
        return np.where(self.apart, wrong[:, None] * np.exp(towards), np.diag(1 - wrong))

    def __call__(self, point):
        parts = self.parts(point)
        weights, shifts, common, rates, towards = parts
        log_true, noise = self.true(parts), self.noise(parts)
        true, wrong = np.exp(log_true), expit(common + rates)
        joint = true * noise[:, self.given].T
        likely = joint.sum(axis=1) + 1e-300
        posterior = joint / likely[:, None]
        posterior[self.known] = self.hot[self.known]
        fit = np.log(likely)[~self.known].sum() + log_true[self.known, self.given[self.known]].sum()
        pull = posterior - true
        confused = posterior.T @ self.counted
        leaving, held = (confused * self.apart).sum(axis=1), confused.sum(axis=1)
        to_rates = leaving - wrong * held
        counts = np.where(self.apart, confused, 0.0) + self.spread
        to_towards = np.where(self.apart, counts - counts.sum(axis=1, keepdims=True) * np.exp(towards), 0.0)
        away = weights - _USUAL_WEIGHT
        prior = (self.spread * np.where(self.apart, towards, 0.0)).sum() - _WEIGHT_SPREAD * (away**2).sum()
        prior -= _SHIFT_SPREAD * (shifts**2).sum() + ((rates / _CLASS_SPREAD) ** 2).sum() / 2
        prior -= ((common - _USUAL_RATE) / _RATE_SPREAD) ** 2 / 2
        slope = np.concatenate([
            np.einsum("nc,lnc->l", pull, self.heard) * np.exp(weights) / len(self.heard) - 2 * _WEIGHT_SPREAD * away,
            pull.sum(axis=0) - 2 * _SHIFT_SPREAD * shifts,
            [to_rates.sum() - (common - _USUAL_RATE) / _RATE_SPREAD**2],
            to_rates - rates / _CLASS_SPREAD**2,
            to_towards.ravel(),
        ])  # fmt: skip
        return -(fit + prior), -slope
