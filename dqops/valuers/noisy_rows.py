"""Which labels are wrong: a panel of learners and the noise, fitted together, round by round."""

from dataclasses import dataclass

import numpy as np

from dqops.errors import DataError, OptionError
from dqops.models.noise_fit import fit_noise
from dqops.models.panel import Panel
from dqops.results.noisy_rows import NoisyRows
from dqops.seeds import stream
from dqops.valuers.arrays import check_rows, coded_labels, feature_array
from dqops.valuers.planting import fit_combination, log_odds, planted

ROUNDS = 3
# Rows of twins that are wanted to learn the combination from, and most twins.
_TWIN_ROWS, _MOST_TWINS = 600, 3


def noisy_rows(X, y, *, model=None, trusted=None, calibrate=True, seed=0):
    """How surely each label is wrong, and what should rather stand there.

    A panel of unlike learners (two kinds of bagged trees, a kernel ridge, neighbours, a logistic regression, and the
    user's model) is heard on rows that it did not learn from. Their weights and the noise (how often each class is
    recorded as which other one) are fitted together to the given labels. Rows that are probably wrong are then left out,
    the others weighted, and the panel is heard again. How the rounds are combined to one probability is learned on
    twins: the same rows with labels drawn from what was found and wrong ones planted at the estimated noise.

    Parameters
    ----------
    X : array-like (n, d)
        Numbers, none missing.
    y : array-like (n,)
        Given labels of any kind.
    model : estimator, pipeline or str, optional
        Joins the panel, by 5-fold cross-validation.
    trusted : bool (n,) or int (n_trusted,), optional
        Rows, or their positions, whose label is known to be true.
    calibrate : bool, default True
        Whether to learn the combination on twins, for twice the time; otherwise rounds are averaged.
    seed : int, default 0

    Returns
    -------
    NoisyRows

    Raises
    ------
    DataError
        For cells that are no finite numbers, missing labels, one class, or shapes that do not match.
    ModelError
        Where `model` fails.

    Notes
    -----
    Costs six hearings of the panel (each some 200 trees, O(n m²) for m = 600 landmarks of the kernel, and five logistic
    regressions), O(n m) memory. Noise is taken to depend on the true class, not on the features.

    References
    ----------
    Dawid, Skene 1979, Applied Statistics 28(1). Raykar et al. 2010, JMLR 11. Patrini et al. 2017, CVPR, arXiv:1609.03683.
    Northcutt, Jiang, Chuang 2021, JAIR 70, arXiv:1911.00068.

    Examples
    --------
    >>> X = np.arange(60.0)[:, None]
    >>> y = np.where(X[:, 0] < 30, "low", "high")
    >>> y[10] = "high"
    >>> found = noisy_rows(X, y, calibrate=False)
    >>> found.worst(1).tolist(), str(found.classes[found.suggested[10]])
    ([10], 'low')
    """
    features = feature_array(X)
    labels = coded_labels(y)
    check_rows(len(features), len(labels.codes))
    if len(labels.classes) < 2:
        raise DataError(f"y holds one class ({str(labels.classes[0])!r})", "two or more classes")
    known = _mask(trusted, len(features))
    if known.all():
        raise DataError("all rows are trusted", "some that are not")
    panel = Panel(features, len(labels.classes), model, seed)
    heard = _rounds(panel, labels.codes, known, "given")
    wrong = _combined(panel, heard, known, seed) if calibrate else 1 - _own(heard.posterior, labels.codes)
    wrong = np.where(known, 0.0, wrong)
    others = heard.posterior.copy()
    others[np.arange(len(others)), labels.codes] = -1.0
    parts = {name: np.exp(_own(said, labels.codes)) for name, said in zip(panel.members, heard.first, strict=True)}
    weights = {name: float(weight) for name, weight in zip(panel.members, heard.weights, strict=True)}
    return NoisyRows(wrong, labels.codes, others.argmax(axis=1), labels.classes, heard.noise, parts, weights, known)


@dataclass(frozen=True, eq=False)
class _Heard:
    """What came of all rounds: mean posterior, log odds of wrong by round, noise, weights, and the first hearing."""

    posterior: np.ndarray
    odds: np.ndarray
    noise: np.ndarray
    weights: np.ndarray
    first: np.ndarray


def _rounds(panel, given, known, name):
    """Hear, fit the noise, leave out what is probably wrong, and hear again."""
    targets, weights = np.eye(panel.n_classes)[given], np.ones(len(given))
    posteriors, first = [], None
    for one in range(ROUNDS):
        said = panel.hear(targets, weights, given, f"{name}:{one}")
        first = said if first is None else first
        fit = fit_noise(said, given, known)
        posteriors.append(fit.posterior)
        right = _own(fit.posterior, given)
        weights = _usable(np.where(right < 0.5, 0.0, right), given, panel.n_classes)
        weights[known] = 1.0
    odds = np.column_stack([log_odds(1 - _own(posterior, given)) for posterior in posteriors])
    return _Heard(np.mean(posteriors, axis=0), odds, fit.noise, fit.weights, first)


def _usable(weights, given, n_classes):
    """A class of which nothing would be left keeps all its rows."""
    left = np.bincount(given, weights=weights, minlength=n_classes)
    return np.where(left[given] > 0, weights, 1.0)


def _combined(panel, heard, known, seed):
    """Probability of being wrong: the rounds' log odds, weighted as planted errors are best found again."""
    n_twins = int(np.clip(-(-_TWIN_ROWS // len(known)), 1, _MOST_TWINS))
    odds, wrong = [], []
    for twin in range(n_twins):
        true, given = planted(heard.posterior, heard.noise, known, stream(seed, f"twin:{twin}"))
        if len(np.unique(given)) < 2:
            continue
        odds.append(_rounds(panel, given, known, f"twin:{twin}").odds[~known])
        wrong.append((given != true)[~known])
    if not wrong:
        return 1 / (1 + np.exp(-heard.odds.mean(axis=1)))
    return fit_combination(np.concatenate(odds), np.concatenate(wrong))(heard.odds)


def _own(lines, given):
    """Each row's entry at its given label."""
    return lines[np.arange(len(given)), given]


def _mask(trusted, n_rows):
    """Trusted rows as bool (n,)."""
    if trusted is None:
        return np.zeros(n_rows, dtype=bool)
    given = np.asarray(trusted)
    if given.dtype == bool and given.shape == (n_rows,):
        return given.copy()
    whole = given.ndim == 1 and (given.dtype.kind in "iu" or not len(given))
    if given.dtype == bool or not whole or (len(given) and (given.min() < 0 or given.max() >= n_rows)):
        raise OptionError("trusted", f"array of {given.dtype}, shape {given.shape}", f"a bool for each of {n_rows} rows, or positions below {n_rows}")
    mask = np.zeros(n_rows, dtype=bool)
    mask[given.astype(np.int64)] = True
    return mask
