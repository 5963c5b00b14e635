"""Feasibility: can any model reach this score on this table, and what would decide it?"""

from importlib.metadata import version
from platform import python_version
from time import perf_counter

from dqops.flows.inputs import check_settings, holdout_of, roles_of
from dqops.flows.search import chosen_detectors, search
from dqops.limits.answer import Answer
from dqops.limits.effort import EFFORTS
from dqops.limits.hearing import hear
from dqops.limits.metric import check_target, metric_of
from dqops.limits.near import near_engine
from dqops.limits.reach import contenders, reach
from dqops.limits.rows import gather, ids_of
from dqops.models import agreed_task, check_scoring, doubts_of_target, resolve_model, task_of
from dqops.results.feasibility import Feasibility
from dqops.tables.io import read


def feasibility(
    table,
    *,
    target=None,
    target_score=None,
    model=None,
    scoring=None,
    holdout=None,
    key=None,
    time=None,
    group=None,
    ignore=(),
    effort="standard",
    seed=0,
    allow_pickle=False,
    progress=None,
):
    """Whether any model can reach a score on a table, and what would decide it.

    The least error that any model can have (the Bayes error) is put between two limits: near neighbours of all rows
    say from below how much rows that are alike differ in the target; the best model that a short search finds, judged
    on rows of its own, says from above.

    Parameters
    ----------
    table : Table, pandas.DataFrame, polars.DataFrame, path or URL
    target : str
        Column that is predicted.
    target_score : float, optional
        The score that is asked for, in units of the scorer; without it there is a band and no verdict.
    model : str or estimator, optional
        Competes beside simple models for the upper side; see `dqops.audit`.
    scoring : str, optional
        Any scorer of scikit-learn; accuracy or r2 by default. The band is in its own unit for accuracy, r2,
        explained variance, and the (root) mean squared and mean absolute error; else in accuracy or R2, as `unit` says.
    holdout : Table or what `read` takes, optional
        Rows that judge; a third of the table by default.
    key, time, group : str, optional
        Columns by role; see `dqops.Roles`.
    ignore : sequence of str
        Columns that no model may see.
    effort : {"quick", "standard", "thorough"}
    seed : int
        Same seed, same answer.
    allow_pickle : bool
        Load `model` from a pickle file. Pickles run code: only for files that you made.
    progress : callable, optional
        Called with (done, total, what).

    Returns
    -------
    Feasibility

    Raises
    ------
    DqopsError
        One clear sentence on what came and what was needed.

    Notes
    -----
    O(n² d) for the neighbours of up to 4,000, 20,000 or 60,000 rows, and some ten model fits.

    Examples
    --------
    >>> import numpy as np
    >>> import polars as pl
    >>> rng = np.random.default_rng(0)
    >>> x = rng.random(400)
    >>> y = (x > 0.5) ^ (rng.random(400) < 0.2)                # a fifth of the labels is wrong
    >>> answer = feasibility(pl.DataFrame({"x": x, "y": y}), target="y", target_score=0.95, effort="quick")
    >>> answer.verdict, answer.low < 0.2 < answer.high
    ('infeasible', True)
    """
    started, tell = perf_counter(), progress or (lambda done, total, what: None)
    check_settings(effort=effort, seed=seed, n_jobs=1, max_seconds=None)
    table = read(table, target=target, key=key, time=time, group=group, ignore=ignore)
    table.target()
    held, said = (None, ()) if holdout is None else holdout_of(holdout, table)
    own = None if model is None else resolve_model(model, task_of(table), seed=seed, allow_pickle=allow_pickle)
    task = agreed_task(table, own.task if own else task_of(table), own.name if own else "a model")
    rows = gather(table, held, task, EFFORTS[effort].rows, seed)
    metric = metric_of(check_scoring(scoring, task, 2 if rows.classes is None else len(rows.classes)), task)
    wanted = check_target(target_score, metric.scoring)
    notes = [*table.warnings, *said, *doubts_of_target(table, task), *rows.left_out(table, held), *_leaks(table, seed)]
    tell(0, 1, "near neighbours")
    engine, lossy = near_engine(rows, metric.measure, seed)
    models = contenders(EFFORTS[effort].models, task, own, seed, 0 if rows.classes is None else len(rows.classes))
    best = reach(rows, task, metric.scoring, models, own=own, seed=seed, tell=tell)
    tell(len(models) + 1, len(models) + 2, f"hearing {best.model.name}")
    heard = hear(rows, best.model, engine, in_accuracy=metric.scoring == "accuracy", seed=seed)
    answer = Answer(rows, engine, best, metric, wanted, seed, lossy, heard.noise, heard.posterior, ids_of(table, held))
    told, doubts = answer.told()
    return Feasibility(
        data=rows.described(table, task),
        scoring=metric.name,
        target_score=wanted,
        unit=metric.unit,
        expected=heard.expected,
        second_opinion=heard.second_opinion,
        lossy=lossy,
        noise=heard.noise,
        warnings=(*notes, *best.model.notes, *heard.notes, *doubts),
        settings={"effort": effort, "seed": seed} | roles_of(table),
        versions={name: version(name) for name in ("dqops", "numpy", "polars", "scikit-learn", "skrub")} | {"python": python_version()},
        timings={"all": round(perf_counter() - started, 3)},
        engine=answer,
        **(told | {"reached": (*told["reached"], *heard.reached)}),
    )


def _leaks(table, seed):
    """Columns that give the target away make any goal look feasible."""
    found, _, _ = search(table, chosen_detectors(["leakage"]), None, seed)
    for one in found:
        if one.whole and one.score >= 0.5:
            yield f"{one.column!r} seems to give the target away; where it is not known when a prediction is made, ask again with ignore={one.column!r}"
