"""Measure noise curves: corrupt, train, judge, at rising rates on the same splits with the same draws."""

from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from dqops.errors import DataError, ModelError, OptionError
from dqops.parallel import map_blocks
from dqops.propagation.finished import Finished
from dqops.propagation.response import fit_response
from dqops.propagation.trial import bounded_score, trial_seed, typed_like
from dqops.results.curve import NoiseCurve
from dqops.results.gain import ARMS
from dqops.seeds import stream

_MOST_FAILED = 0.5  # of the fits of one curve: beyond this there is no curve


@dataclass(frozen=True, eq=False)
class Experiment:
    """One curve to be measured.

    Parameters
    ----------
    corruption : Corruption
    arm : {"training", "serving", "deployed"}
    rates : float64 (n_rates,)
        Rising, from 0.
    """

    corruption: object
    arm: str
    rates: np.ndarray

    @property
    def name(self):
        """The curve's name, for streams and progress."""
        column = self.corruption.column
        return f"{self.corruption.name}{'' if column is None else ':' + column}:{self.arm}"


def check_rates(rates):
    """Rates as float64, rising from 0.

    Raises
    ------
    OptionError
        Where they leave [0, 1] or do not rise.

    Examples
    --------
    >>> check_rates([0.1, 0.2]).tolist()
    [0.0, 0.1, 0.2]
    """
    try:
        given = np.asarray(list(rates), dtype=np.float64)
    except (TypeError, ValueError):
        raise OptionError("rates", rates, "numbers in [0, 1] that rise") from None
    if given.ndim != 1 or not len(given) or not np.isfinite(given).all() or given.min() < 0 or given.max() > 1 or np.any(np.diff(given) <= 0):
        raise OptionError("rates", given.tolist(), "numbers in [0, 1] that rise")
    given = given if given[0] == 0 else np.concatenate([[0.0], given])
    if len(given) < 2:
        raise OptionError("rates", given.tolist(), "one rate or more above 0")
    return given


def check_arm(arm):
    """The arm, where there is such a one; else `OptionError`.

    >>> check_arm("training")
    'training'
    """
    if arm not in ARMS:
        raise OptionError("arm", arm, "one of " + ", ".join(ARMS))
    return arm


def measure(experiment, table, design, splits, *, base=None, n_jobs=1, kept=None):
    """The `NoiseCurve` of one experiment.

    Parameters
    ----------
    experiment : Experiment
    table : Table
        Rows as recorded: the noise comes on top of what they bear.
    design : Design
    splits : list of (Split, Table, Table)
        Training rows and rows that judge.
    base : dict, optional
        Models and scores of uncorrupted training rows by split, filled on the way: curves of one run share them.
    n_jobs : int
        Splits worked on side by side.
    kept : Finished, optional
        Scores of an earlier run, which are not measured again.

    Returns
    -------
    NoiseCurve

    Raises
    ------
    DataError
        Where more than half of the fits fail.
    """
    base = {} if base is None else base
    kept = Finished() if kept is None else kept
    names = [f"{experiment.name}:{experiment.rates.tolist()}:{_key(one)}" for one in splits]
    left = [(name, one) for name, one in zip(names, splits, strict=True) if kept.of(name) is None]
    for start in range(0, len(left), n_jobs):
        batch = left[start : start + n_jobs]
        missing = [one for _, one in batch if _key(one) not in base]
        base |= dict(map_blocks(_fit_base, [(one, design) for one in missing], n_jobs=n_jobs))
        work = [(one, experiment, design, base[_key(one)]) for _, one in batch]
        for (name, _), reached in zip(batch, map_blocks(_run_split, work, n_jobs=n_jobs), strict=True):
            kept.keep(name, [None if np.isnan(one) else float(one) for one in reached])
    scores = np.array([kept.of(name) for name in names], dtype=np.float64).T
    failed = float(np.isnan(scores).mean())
    if failed > _MOST_FAILED or np.isnan(scores[0]).all():
        raise DataError(f"the model failed on {failed:.0%} of the corrupted tables of {experiment.name}", "a model that can be trained on them")
    share = float(np.mean([judged.n_rows / max(train.n_rows, 1) for _, train, judged in splits]))
    forms = ("linear", "quadratic", "logarithmic") if not experiment.corruption.on_target else ("linear", "quadratic")
    response = fit_response(experiment.rates, scores, stream(design.seed, f"band:{experiment.name}"), test_share=share, forms=forms)
    corruption = experiment.corruption
    return NoiseCurve(
        corruption=corruption.name,
        column=corruption.column,
        arm=experiment.arm,
        rates=experiment.rates,
        scores=scores,
        stderr=_errors(scores, share),
        response=response,
        unmet=failed,
    )


def _key(one):
    split = one[0]
    return split.repeat, split.fold


def _fit_base(work):
    one, design = work
    split, train, judged = one
    with threadpool_limits(limits=1):
        model = design.model.fit(train, seed=trial_seed(design.seed, split))
        return _key(one), (model, bounded_score(model, judged, design.scoring))


def _run_split(work):
    """Scores of one split at each rate, NaN where the model fails."""
    (split, train, judged), experiment, design, (model, score) = work
    reached = np.full(len(experiment.rates), np.nan)
    with threadpool_limits(limits=1):
        for place, rate in enumerate(experiment.rates):
            reached[place] = score if rate == 0 else _noisy_score(split, train, judged, experiment, rate, design, model)
    return reached


def _noisy_score(split, train, judged, experiment, rate, design, model):
    """The score at one rate; the draws are those of every other rate."""
    try:
        if experiment.arm != "serving":
            train = noisy_rows(experiment, train, rate, design, split, "train")
            model = design.model.fit(train, seed=trial_seed(design.seed, split))
        if experiment.arm != "training":
            judged = noisy_rows(experiment, judged, rate, design, split, "judged")
        return bounded_score(model, typed_like(judged, train), design.scoring)
    except (ModelError, DataError):
        return np.nan


def noisy_rows(experiment, table, rate, design, split, side):
    """The rows of one side of a split with that rate of errors; the draws are those of every other rate."""
    corruption = experiment.corruption
    rng = stream(design.seed, f"noise:{corruption.name}:{corruption.column}:{split.repeat}:{split.fold}:{side}")
    return corruption.corrupt(table, rate, rng)


def _errors(scores, share):
    """Standard error of the mean drop at each rate, corrected for shared training rows; that of the score at 0."""
    drops = np.vstack([scores[:1], scores[1:] - scores[0]])
    errors = np.full(len(scores), np.nan)
    for place, line in enumerate(drops):
        seen = line[np.isfinite(line)]
        if len(seen) > 1:
            errors[place] = np.sqrt((1 / len(seen) + share) * seen.var(ddof=1))
    return errors


def curve_for(corruption, column, arm, rates):
    """The `Experiment` of these settings.

    Raises
    ------
    OptionError
        For noise that cannot be at serving.
    """
    named = replace(corruption(), column=column)
    if arm != "training" and (named.on_target or not named.keeps_rows):
        raise OptionError("arm", arm, f"'training': {named.name} do not happen to served rows")
    return Experiment(named, arm, rates)
