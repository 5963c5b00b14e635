"""Out-of-bag values: how well models that did not see a row predict it."""

import warnings
from dataclasses import dataclass
from functools import partial

import numpy as np

from dqops.errors import ModelError, OptionError, SkippedWarning
from dqops.models.targets import codes_of
from dqops.parallel import map_blocks
from dqops.results.valuation import Valuation
from dqops.seeds import draw_seed, stream
from dqops.valuers.forest_bags import bags_of
from dqops.valuers.learner import learner_of, take

SCORES = ("margin", "accuracy", "loss")
_UNITS = {
    "classification": {"margin": "margin", "accuracy": "accuracy", "loss": "log likelihood"},
    "regression": {"margin": "negative absolute error", "loss": "negative squared error"},
}
# No label is less likely than this to a model: one sure miss should not outweigh all bags.
_SMALLEST = 1e-6
# Bags that are summed up together, and how many such blocks between two tellings of progress.
_BLOCK, _BLOCKS = 4, 8


def data_oob(X, y, *, model=None, score="margin", n_estimators=100, task=None, seed=0, n_jobs=1, progress=None):
    """How well each row is predicted by models that were trained without it.

    Models are trained on bags (rows drawn with replacement); a row's value is its mean score over the bags that lack it.
    Low values are rows that the others contradict: likely wrong labels. No holdout is needed.

    Parameters
    ----------
    X : array-like (n, d)
        A frame or a sparse matrix reaches the model as it is.
    y : array-like (n,)
        Labels of any kind, or numbers.
    model : estimator, pipeline or str, optional
        Any classifier or regressor. By default a random forest of `n_estimators` trees with leaves of five rows
        (`dqops`' default pipeline where a frame holds text). A random forest, extra trees or a
        bagging ensemble, fitted on these rows or not, is asked for its own bags: one ensemble is enough.
    score : {"margin", "accuracy", "loss"}, default "margin"
        margin: probability of the given label less the largest other one, in [-1, 1]; of numbers the negative absolute
        error. accuracy: whether the given label is the likeliest. loss: log probability of the given label, at least
        log(1e-6); of numbers the negative squared error.
    n_estimators : int, default 100
        Bags; a row is out of about 37 in 100. An ensemble has its own number.
    task : {"classification", "regression"}, optional
        By default what the model predicts, else what `y` looks like.
    seed : int, default 0
    n_jobs : int, default 1
        Worker processes for models, threads for trees; the answer does not depend on it.
    progress : callable, optional
        Told ``(done, total, what)``.

    Returns
    -------
    Valuation
        NaN where a row was in every bag, with a warning. The standard error is the jackknife over bags: how far values
        would differ with other bags of the same rows.

    Raises
    ------
    DataError, OptionError
    ModelError
        Where the model failed on every bag.

    Notes
    -----
    Costs `n_estimators` trainings, or one forest; memory O(n). A model without `predict_proba` is heard through its
    `decision_function` (softmax), else through its votes, where the margin is 1 or -1. A bag with one class foretells it.

    References
    ----------
    Kwon, Zou 2023, ICML. arXiv:2304.07718

    Examples
    --------
    >>> X = np.arange(40.0)[:, None]
    >>> y = np.where(X[:, 0] < 20, "low", "high")
    >>> y[3] = "high"
    >>> data_oob(X, y).worst(1).tolist()
    [3]
    """
    _check_options(score, n_estimators, task)
    ensemble = bags_of(model, X, y, n_estimators, task, seed)
    learner = ensemble.learner if ensemble is not None else learner_of(X, y, model, task=task, seed=seed)[0]
    if score not in _UNITS[learner.model.task]:
        raise OptionError("score", score, "'margin' or 'loss' for a regression")
    targets = learner.values if learner.classes is None else codes_of(learner.values, learner.classes)
    bags = ensemble or ModelBags(learner, n_estimators, seed)
    tally, failed = _over_bags(bags, partial(_scores, score=score, targets=targets), n_jobs, progress or (lambda done, total, what: None))
    value, stderr = _mean_and_error(*tally, len(bags) - failed)
    unheard = int(np.isnan(value).sum())
    if unheard:
        told = f"{unheard} of {len(value)} rows were in every bag and have no value"
        warnings.warn(SkippedWarning(f"{told}: more bags (n_estimators) would give them one"), stacklevel=2)
    unit = _UNITS[learner.model.task][score]
    return Valuation(value, stderr, "data_oob", unit, why=bags.why + (f"; {failed} bags failed" if failed else ""))


@dataclass(frozen=True, eq=False)
class ModelBags:
    """Bags of rows, each with a model of its own.

    Parameters
    ----------
    learner : Learner
    n_bags : int
    seed : int
    """

    learner: object
    n_bags: int
    seed: int
    prefer = "processes"

    @property
    def why(self):
        """What was trained, in a sentence."""
        return f"{self.learner.model} was trained on {self.n_bags} bags of the rows"

    def __len__(self):
        return self.n_bags

    def heard(self, bag):
        """Rows that the bag lacks, and what its model says of them."""
        n_rows, learner = len(self.learner), self.learner
        rows = stream(self.seed, f"bag:{bag}").integers(n_rows, size=n_rows)
        out = np.setdiff1d(np.arange(n_rows), rows)
        drawn = learner.values[rows]
        if learner.classes is not None and (drawn == drawn[0]).all():
            return out, np.tile(learner.classes == drawn[0], (len(out), 1)).astype(np.float64)
        fitted = learner.fit(rows, draw_seed(self.seed, f"bag:{bag}"))
        features = take(learner.features, out)
        return out, fitted.predict_features(features) if learner.classes is None else fitted.probabilities_of(features)


def _check_options(score, n_estimators, task):
    if score not in SCORES:
        raise OptionError("score", score, "'margin', 'accuracy' or 'loss'")
    if isinstance(n_estimators, bool) or not isinstance(n_estimators, (int, np.integer)) or n_estimators < 2:
        raise OptionError("n_estimators", n_estimators, "an integer of 2 or more")
    if task not in (None, "classification", "regression"):
        raise OptionError("task", task, "'classification' or 'regression'")


def _over_bags(bags, scores, n_jobs, tell):
    """(sum, sum of squares, count) of each row's scores, float64 (3, n), and how many bags failed."""
    tally, failed = np.zeros((3, len(bags.learner))), []
    blocks = [range(start, min(start + _BLOCK, len(bags))) for start in range(0, len(bags), _BLOCK)]
    for first in range(0, len(blocks), _BLOCKS):
        tell(min(first * _BLOCK, len(bags)), len(bags), "training on bags")
        work = partial(_one_block, bags, scores)
        for part, causes in map_blocks(work, blocks[first : first + _BLOCKS], n_jobs=n_jobs, prefer=bags.prefer):
            tally += part
            failed += causes
    tell(len(bags), len(bags), "training on bags")
    if len(failed) == len(bags):
        raise failed[0]
    return tally, len(failed)


def _one_block(bags, scores, block):
    tally, failed = np.zeros((3, len(bags.learner))), []
    for bag in block:
        try:
            out, said = bags.heard(bag)
        except ModelError as cause:
            failed.append(cause)
            continue
        one = scores(said, out)
        tally[0, out] += one
        tally[1, out] += one * one
        tally[2, out] += 1
    return tally, failed


def _scores(said, out, *, score, targets):
    """Score of each row that was out of the bag, higher is better: float64 (len(out),)."""
    if said.ndim == 1:
        missed = np.abs(said - targets[out])
        return -missed if score == "margin" else -(missed**2)
    rows, given = np.arange(len(out)), targets[out]
    if score == "accuracy":
        return (said.argmax(axis=1) == given).astype(np.float64)
    own = said[rows, given]
    if score == "loss":
        return np.log(np.maximum(own, _SMALLEST))
    others = said.copy()
    others[rows, given] = -np.inf
    return own - others.max(axis=1)


def _mean_and_error(total, squares, count, n_bags):
    """Mean score of each row, and its jackknife standard error over bags.

    Leaving a bag out moves the mean of a row by ``(mean - score) / (count - 1)`` where the row was out of that bag, and
    not at all elsewhere; the jackknife sums the squares of that.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        spread = np.maximum(squares - total * mean, 0.0)
        stderr = np.sqrt((n_bags - 1) / n_bags * spread) / (count - 1)
    return mean, np.where(count > 1, stderr, np.nan)
