"""Propagate: how the score of a model falls as each kind of noise rises."""

from importlib.metadata import version
from platform import python_version
from time import monotonic, perf_counter

import dqops.propagation.corruptions  # noqa: F401  (registers the corruptions)
from dqops.contracts import Corruption
from dqops.errors import DataError, OptionError
from dqops.flows.inputs import check_settings, holdout_of, roles_of
from dqops.flows.price import design_of
from dqops.models import subsample
from dqops.propagation.effort import EFFORTS, FOLDS
from dqops.propagation.extrapolation import without_label_noise
from dqops.propagation.fast_noise import estimate, way_of
from dqops.propagation.finished import Finished, run_key
from dqops.propagation.noise import check_arm, check_rates, curve_for, measure
from dqops.results.curve import NoiseCurves
from dqops.seeds import stream
from dqops.tables.io import read

METHODS = ("brute", "fast", "auto")
RATES = (0.0, 0.05, 0.1, 0.2, 0.3)
USUAL = {
    "classification": ("label_flips", "missing_completely_at_random", "outliers", "typos"),
    "regression": ("target_swaps", "missing_completely_at_random", "outliers", "typos"),
}


def propagate(
    table,
    *,
    target=None,
    model="auto",
    corruptions=None,
    columns=None,
    rates=RATES,
    arm="training",
    loss=0.01,
    scoring=None,
    holdout=None,
    key=None,
    time=None,
    group=None,
    ignore=(),
    weight=None,
    effort="standard",
    method="brute",
    fast=False,
    max_seconds=None,
    seed=0,
    n_jobs=1,
    allow_pickle=False,
    keep=None,
    progress=None,
):
    """How the score of a model falls as each kind of noise rises.

    Parameters
    ----------
    table : Table, pandas.DataFrame, polars.DataFrame, path or URL
    target : str
        Column that the model predicts.
    model, scoring, holdout, key, time, group, ignore, weight
        As in `dqops.audit`.
    corruptions : sequence of str, optional
        Names of kinds of noise (``dqops.Corruption.known()``); by default wrong labels, missing cells, wild numbers and
        typos, where the table has columns that can bear them.
    columns : sequence of str, optional
        A curve for each of these columns; by default one in which all columns bear the noise.
    rates : sequence of float
        Share of cells, labels or rows corrupted, in [0, 1], rising; 0 is put in front. For gaussian noise its standard
        deviation over that of the column.
    arm : {"training", "serving", "deployed"}
        Noise in the training rows, in the served rows of a fixed model, or in both.
    loss : float
        Loss of score, 0 or more, that tolerances are told for.
    effort : {"quick", "standard", "thorough"}
        One, two or five repeats of five folds, on at most 2,000, 4,000 or 10,000 rows.
    method : {"brute", "fast", "auto"}
        "brute" trains at each rate; "fast" takes about a twentieth of that: it counts the votes of k-NN, refits a linear model
        on features that are held, or draws a usual shape through two fits, and the band says how little is then known. "auto" is
        fast where that is as good as measured (wrong labels with k-NN and linear models), and brute elsewhere.
    fast : bool
        Short for ``method="fast"``.
    max_seconds : float, optional
        No curve is begun after this time; what is missing is said.
    seed : int
        Same seed, same answer.
    n_jobs : int
        Splits worked on side by side.
    allow_pickle : bool
        Load `model` from a pickle file. Pickles run code: only for files that you made.
    keep : path, optional
        Folder in which finished fits are kept line by line: the same call goes on from them after it was interrupted, or when
        its time was up.
    progress : callable, optional
        Called with (done, total, what).

    Returns
    -------
    NoiseCurves

    Raises
    ------
    DqopsError
        One clear sentence on what came and what was needed.

    Notes
    -----
    One fit for each split, curve and rate above 0, and one for each split. Noise comes on top of what the table bears; at
    all rates the splits and draws are the same, and the errors of a lower rate are among those of a higher one.

    References
    ----------
    Zhu, Wu 2004, Artificial Intelligence Review 22. doi:10.1007/s10462-004-0751-8

    Examples
    --------
    >>> import numpy as np
    >>> import polars as pl
    >>> x = np.random.default_rng(0).normal(size=300)
    >>> frame = pl.DataFrame({"x": x, "y": x > 0})
    >>> curves = propagate(frame, target="y", model="knn", corruptions=["label_flips"], rates=[0.2, 0.4], effort="quick")
    >>> bool(curves["label_flips"].drop(0.4).expected > 0.1)
    True
    """
    started, tell = perf_counter(), progress or (lambda done, total, what: None)
    check_settings(effort=effort, seed=seed, n_jobs=n_jobs, max_seconds=max_seconds)
    rates, loss, arm, method = check_rates(rates), _checked_loss(loss), check_arm(arm), _checked_method(method, fast)
    table = read(table, target=target, key=key, time=time, group=group, ignore=ignore, weight=weight)
    table.target()
    held, said = (None, ()) if holdout is None else holdout_of(holdout, table)
    design = design_of(table, model=model, scoring=scoring, seed=seed, effort=effort, allow_pickle=allow_pickle, holdout=held)
    priced = subsample(table, EFFORTS[effort].rows, seed)
    notes = [*table.warnings, *design.model.notes, *said]
    if priced.n_rows < table.n_rows:
        notes.append(f"curves were measured on {priced.n_rows} of {table.n_rows} rows, sampled with seed {seed}")
    experiments, skipped = _experiments(priced, design.task, corruptions, columns, arm, rates)
    splits, base, curves, kept = _splits(priced, held, design, EFFORTS[effort].rounds), {}, [], {}
    first = [one for one in splits if one[0].repeat == splits[0][0].repeat]
    known = None if keep is None else Finished(keep, run_key((priced, held), design, effort, version("dqops"), version("scikit-learn"), version("numpy")))
    deadline = None if max_seconds is None else monotonic() + max_seconds
    for done, experiment in enumerate(experiments):
        if deadline is not None and monotonic() > deadline and curves:
            notes.append(f"the time budget ended before {len(experiments) - done} of {len(experiments)} curves: the answer is partial")
            break
        tell(done, len(experiments), f"measuring {experiment.name}")
        if _is_fast(method, experiment, design, priced):
            curves.append(estimate(experiment, priced, design, first, kept))
        else:
            curves.append(measure(experiment, priced, design, splits, base=base, n_jobs=n_jobs, kept=known))
    tell(len(experiments), len(experiments), "measuring")
    curves = [without_label_noise(one, design, priced) if one.corruption == "label_flips" and not one.fast else one for one in curves]
    return NoiseCurves(
        curves=tuple(curves),
        data=_described(table, design),
        model=design.model.name,
        scoring=design.scoring,
        loss=loss,
        warnings=(*notes, *skipped, *_failures(curves)),
        settings={"effort": effort, "seed": seed, "rates": rates.tolist(), "arm": arm, "method": method, "loss": loss} | roles_of(table),
        versions={name: version(name) for name in ("dqops", "numpy", "pandas", "polars", "scikit-learn", "skrub")} | {"python": python_version()},
        timings={"all": round(perf_counter() - started, 3)},
    )


def _checked_method(method, fast):
    if method not in METHODS:
        raise OptionError("method", method, "one of " + ", ".join(METHODS))
    return "fast" if fast else method


def _is_fast(method, experiment, design, table):
    """Whether the curve is estimated, not measured."""
    n_classes = len(design.classes(table)) if design.task == "classification" else 0
    return method == "fast" or (method == "auto" and way_of(experiment, design, n_classes) != "anchored")


def _checked_loss(loss):
    try:
        given = float(loss)
    except (TypeError, ValueError):
        given = float("nan")
    if not given >= 0:
        raise OptionError("loss", loss, "a loss of 0 or more, in score units")
    return given


def _experiments(table, task, corruptions, columns, arm, rates):
    """The curves to be measured; default kinds that no column can bear are left out, named ones are an error."""
    names = USUAL[task] if corruptions is None else corruptions.split(",") if isinstance(corruptions, str) else list(corruptions)
    experiments, skipped = [], []
    for name in names:
        kind = Corruption.named(name.strip())
        for column in columns or (None,):
            try:
                experiment = curve_for(kind, None if kind.on_target else column, arm, rates)
                experiment.corruption.corrupt(table, 0.0, stream(0, "trying a corruption"))
            except (DataError, OptionError) as cause:
                if corruptions is not None and not (columns and isinstance(cause, DataError)):
                    raise
                skipped.append(f"no curve for {name}: {cause}")
                continue
            experiments.append(experiment)
    if not experiments:
        raise DataError("; ".join(skipped) or "no kind of noise is named", "a kind of noise that a column of the table can bear")
    return list({one.name: one for one in experiments}.values()), skipped


def _splits(table, held, design, repeats):
    """(split, rows to train on, rows that judge)."""
    judge = table if held is None else held
    return [(split, table.take(split.train), judge.take(other.test)) for split, other in design.judged_splits(table, held, folds=FOLDS, repeats=repeats)]


def _failures(curves):
    return tuple(f"{one.name}: {one.unmet:.0%} of the fits failed and are left out" for one in curves if one.unmet)


def _described(table, design):
    return {
        "name": table.name,
        "rows": table.n_rows,
        "columns": len(table.columns),
        "target": table.roles.target,
        "task": design.task,
        "fingerprint": table.fingerprint,
    }
