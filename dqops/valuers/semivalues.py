"""Semivalues of training rows for any model, by sampling: Shapley, Banzhaf, Beta Shapley, leave-one-out."""

import warnings
from dataclasses import replace
from math import inf, nan

import numpy as np

from dqops.errors import ApproximationWarning, DataError, OptionError
from dqops.models.scoring import bounds_of, check_scoring, scorer_name
from dqops.results.valuation import Sampling, Valuation
from dqops.valuers.arrays import check_rows, column_names
from dqops.valuers.learner import learner_of, model_features
from dqops.valuers.sampling import Permutations, Subsets, left_out, semivalue_weights
from dqops.valuers.stopping import Stopping, agreement_of
from dqops.valuers.utility import Utility

KINDS = ("shapley", "banzhaf", "beta", "loo")
_BUDGET = 20_000
# Batches that must have found no difference at all before the utility is taken for constant.
_SAME = 2


def semivalues(
    X,
    y,
    X_holdout,
    y_holdout,
    *,
    model,
    kind="shapley",
    shape=(4.0, 1.0),
    scoring=None,
    null="majority",
    truncation="auto",
    max_stderr=None,
    agreement=0.95,
    top=None,
    confidence=0.95,
    budget=None,
    task=None,
    seed=0,
    n_jobs=1,
    progress=None,
):
    """What each training row adds to the holdout score of any model, with standard errors.

    The model is trained on random subsets of the rows; a row's value is a mean of what it adds to subsets without it.

    Parameters
    ----------
    X, y : array-like (n, d) and (n,)
        Training rows; a frame or a sparse matrix reaches the model as it is.
    X_holdout, y_holdout : array-like (n_holdout, d) and (n_holdout,)
        Rows to judge on. A class that training rows lack is always missed.
    model : estimator, pipeline or str
        Any classifier or regressor.
    kind : {"shapley", "banzhaf", "beta", "loo"}, default "shapley"
        Which subsets count: all sizes alike, all subsets alike, by Beta(shape), or only the one of all other rows.
    shape : (float, float), default (4, 1)
        Of "beta"; (1, 1) is Shapley, a larger first number favours small subsets.
    scoring : str or callable, optional
        Any scorer of scikit-learn; by default accuracy, or r2.
    null : "majority" or float, default "majority"
        Utility of subsets without rows or with one class, and of those whose training fails. "majority" is the score of
        the majority class of all rows (of the mean, for numbers).
    truncation : "auto" or float, default "auto"
        A walk through a permutation ends once the score was this close to that of all rows three times in a row. "auto"
        is the standard error of the latter over holdout rows; 0 never ends a walk early. Not for "banzhaf" and "loo".
    max_stderr : float, optional
        Stop once no standard error is larger.
    agreement : float or None, default 0.95
        Stop once values from two halves of the samples have this Spearman correlation.
    top : int, optional
        Stop once the `top` rows of most value (of least, where negative) stand apart from the others.
    confidence : float, default 0.95
        Of that separation, for all rows at once.
    budget : int, optional
        Most trainings; by default 20,000 or 4 for each row, whichever is more.
    task : {"classification", "regression"}, optional
    seed : int, default 0
    n_jobs : int, default 1
        Worker processes; the answer does not depend on it.
    progress : callable, optional
        Told ``(done, total, what)``.

    Returns
    -------
    Valuation
        Its `sampling` tells which rule stopped it, and how many trainings failed or were not possible. The standard error
        is that of the sampling, for this holdout; None for "loo", which is computed, not sampled.

    Raises
    ------
    DataError, OptionError
    ModelError
        Where the model cannot be trained on all rows, or not be scored.

    Notes
    -----
    One pair of permutations (a permutation and its reverse) takes up to 2(n - 1) trainings, "loo" takes n; for
    "banzhaf" each training serves every row. Memory O(n).

    References
    ----------
    Ghorbani, Zou 2019, ICML, algorithm 1. arXiv:1904.02868
    Kwon, Zou 2022, AISTATS. arXiv:2110.14049
    Wang, Jia 2023, AISTATS. arXiv:2205.15466

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> X, y = np.arange(12.0)[:, None], np.repeat([0, 1], 6)
    >>> y[2] = 1
    >>> holdout = [[1.9], [2.2], [9.0]], [0, 0, 1]
    >>> worth = semivalues(X, y, *holdout, model=KNeighborsClassifier(1), kind="banzhaf", max_stderr=0.06)
    >>> worth.worst(1).tolist(), worth.sampling.stopped
    ([2], 'max_stderr')
    """
    learner, held = learner_of(X, y, model, task=task, seed=seed, y_holdout=y_holdout)
    features = _holdout_features(X, X_holdout, learner, held)
    scoring = check_scoring(scoring, learner.model.task, 2 if learner.classes is None else len(learner.classes))
    _check_options(kind, shape, null, truncation, budget, len(learner))
    stopping = _checked_rules(Stopping(max_stderr, agreement, top, confidence), len(learner))
    utility = Utility(learner, features, held, scoring, seed)
    utility = replace(utility, null=utility.uninformed() if isinstance(null, str) else float(null))
    full, error = utility.full()
    close = _closeness(truncation, error, full, utility.null) if kind in ("shapley", "beta") else 0.0
    budget = budget or max(_BUDGET, 4 * len(learner))
    weights = semivalue_weights(len(learner), kind, shape)
    tell = progress or (lambda done, total, what: None)
    sampler = None
    if kind == "banzhaf":
        sampler = Subsets(utility, len(learner), seed)
    elif kind != "loo":
        sampler = Permutations(utility, len(learner), weights, full, close, seed)
    if sampler is None:
        return _left_out(utility, full, learner, scoring, n_jobs)
    samples, counts, stopped = _sampled(sampler, stopping, budget, n_jobs, tell)
    return _valuation(sampler, samples, counts, stopped, utility, full, close, kind)


def _sampled(sampler, stopping, budget, n_jobs, tell):
    """Samples taken, (trained, degenerate, failed) subsets, and why sampling stopped."""
    samples, counts, stopped = 0, np.zeros(3, dtype=np.int64), ""
    while not stopped:
        spent = int(counts[0] + counts[2])
        tell(spent, budget, "training on subsets")
        count = min(sampler.batch, (budget - spent) // sampler.trainings)
        if count < 1:
            stopped = "budget"
            break
        counts += sampler.take(range(samples, samples + count), n_jobs)
        samples += count
        is_constant = not sampler.value().any() and not np.nan_to_num(sampler.stderr(), posinf=0.0).any()
        if is_constant and samples >= _SAME * sampler.batch:
            stopped = "constant"
        elif not is_constant and samples >= sampler.batch:
            stopped = stopping.reached(sampler, samples)
    tell(budget, budget, "training on subsets")
    return samples, counts, stopped


def _valuation(sampler, samples, counts, stopped, utility, full, close, kind):
    value, stderr, agreement = sampler.value(), sampler.stderr(), agreement_of(sampler)
    share, truncated = sampler.loose(samples)
    lowest, highest = bounds_of(utility.scoring)
    bound = 0.0 if share == 0 else share * (highest - lowest)
    sampling = Sampling(stopped, samples, int(counts[0] + counts[2]), int(counts[2]), int(counts[1]), truncated, close, utility.null, full, agreement)
    _warn(sampling, stderr, samples)
    name = scorer_name(utility.scoring)
    return Valuation(value, stderr, kind, name, bound, why=_why(sampling, utility.learner, kind), sampling=sampling)


def _left_out(utility, full, learner, scoring, n_jobs):
    value, counts = left_out(utility, len(learner), full, n_jobs)
    trainings = int(counts[0] + counts[2]) + 1
    sampling = Sampling("complete", len(learner), trainings, int(counts[2]), int(counts[1]), 0.0, 0.0, utility.null, full, nan)
    _warn(sampling, None, len(learner))
    return Valuation(value, None, "loo", scorer_name(scoring), why=_why(sampling, learner, "loo"), sampling=sampling)


def _why(sampling, learner, kind):
    unit = {"banzhaf": "subsets", "loo": "rows left out"}.get(kind, "pairs of permutations")
    return f"{learner.model} trained {sampling.trainings} times for {sampling.samples} {unit}; stopped by {sampling.stopped}"


def _warn(sampling, stderr, samples):
    """Say what a reader should know before using the values."""
    told = []
    if sampling.stopped == "budget":
        told.append(f"the budget ended first, after {sampling.trainings} trainings: the largest standard error is {np.max(stderr):.2g}, and two halves of the samples agree by {sampling.agreement:.2f}")
    if sampling.stopped == "constant":
        told.append(f"every subset scored the same in {samples} samples: all values are 0 and have no order")
    if sampling.failures:
        told.append(f"{sampling.failures} of {sampling.trainings} trainings failed and count as {sampling.null:.4g}")
    if told:
        warnings.warn(ApproximationWarning("; ".join(told)), stacklevel=4)


def _closeness(truncation, error, full, null):
    """How close to the score of all rows a walk ends; never where knowing nothing would be about as close."""
    if not isinstance(truncation, str):
        return float(truncation)
    return error if abs(full - null) > 2 * error else 0.0


def _holdout_features(X, X_holdout, learner, held):
    names, held_names = column_names(X), column_names(X_holdout)
    if names is not None and held_names is not None and names != held_names:
        raise DataError("X_holdout has other columns than X", "the same columns in the same order")
    features = model_features(X_holdout, learner.model, "X_holdout")
    check_rows(features.shape[0], len(held), "X_holdout", "y_holdout")
    if features.shape[1] != learner.features.shape[1]:
        raise DataError(f"X has {learner.features.shape[1]} columns and X_holdout {features.shape[1]}", "the same columns in both")
    return features


def _check_options(kind, shape, null, truncation, budget, n_rows):
    if kind not in KINDS:
        raise OptionError("kind", kind, "'shapley', 'banzhaf', 'beta' or 'loo'")
    if np.shape(shape) != (2,) or not all(0 < one < inf for one in shape):
        raise OptionError("shape", shape, "two numbers above 0")
    if isinstance(null, str) and null != "majority":
        raise OptionError("null", null, "'majority' or a number")
    if isinstance(truncation, str) and truncation != "auto":
        raise OptionError("truncation", truncation, "'auto' or a number of 0 or more")
    if not isinstance(truncation, str) and not 0 <= truncation < inf:
        raise OptionError("truncation", truncation, "'auto' or a number of 0 or more")
    least = {"loo": n_rows, "banzhaf": 4}.get(kind, 4 * max(n_rows - 1, 1))
    if budget is not None and (isinstance(budget, bool) or not isinstance(budget, (int, np.integer)) or budget < least):
        unit = {"loo": "one for each row", "banzhaf": "four subsets"}.get(kind, "two pairs of permutations; kind='banzhaf' needs fewer")
        raise OptionError("budget", budget, f"at least {least} trainings ({unit})")


def _checked_rules(rules, n_rows):
    if rules.max_stderr is not None and not 0 < rules.max_stderr < inf:
        raise OptionError("max_stderr", rules.max_stderr, "a number above 0")
    if rules.agreement is not None and not 0 < rules.agreement < 1:
        raise OptionError("agreement", rules.agreement, "a number between 0 and 1")
    if rules.top is not None and not 0 < abs(rules.top) < n_rows:
        raise OptionError("top", rules.top, f"at least one row and fewer than all {n_rows}")
    if not 0 < rules.confidence < 1:
        raise OptionError("confidence", rules.confidence, "a number between 0 and 1")
    return rules
