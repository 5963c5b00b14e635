"""Certify: which predictions no repair can change, and whether cleaning is needed at all."""

from importlib.metadata import version
from platform import python_version
from time import perf_counter

import numpy as np

from dqops.cleaners.proposals import propose_candidates
from dqops.errors import DataError, OptionError
from dqops.flows.followed import followed, outer_bounds
from dqops.flows.inputs import check_settings, holdout_of, roles_of
from dqops.flows.search import chosen_detectors, search
from dqops.limits.certified import Certified
from dqops.models import agreed_task, classes_of, make_splits, resolve_model, task_of
from dqops.results.candidates import Candidates
from dqops.results.certainty import Certainty
from dqops.seeds import stream
from dqops.tables.io import read
from dqops.tables.readable import as_read

DETECTORS = ("missing", "formats", "outliers", "categories")
_FOLDS = 5
_MOST_JUDGED = 1000  # rows of a fold


def certify(
    table,
    *,
    target=None,
    model="knn",
    holdout=None,
    k=None,
    candidates=None,
    n_candidates=10,
    excess=0.01,
    detectors=DETECTORS,
    key=None,
    time=None,
    group=None,
    ignore=(),
    seed=0,
    allow_pickle=False,
    progress=None,
):
    """Which predictions no repair of a table can change, and whether cleaning is needed at all.

    Parameters
    ----------
    table : Table, pandas.DataFrame, polars.DataFrame, path or URL
    target : str
        Column that the model predicts.
    model : str or estimator
        "knn", "linear", or a pipeline that ends in a KNeighborsClassifier, Ridge, LinearRegression, RidgeClassifier,
        LogisticRegression or SVC(kernel="linear"). Its other steps are fitted once, to the likeliest repair.
    holdout : what `read` takes, optional
        Rows whose predictions are judged; else five folds of the table judge each other, at most 1,000 rows of each.
    k : int, optional
        Neighbours of k-NN, instead of the model's own.
    candidates : Candidates, optional
        What the doubtful cells could be; by default proposed from the other columns and the target.
    n_candidates : int, default 10
        Most candidates of a cell, and most combinations of the cells of a row.
    excess : float, default 0.01
        Share of its training objective by which a linear model may miss the best one and still count as certain.
    detectors : sequence of str
        What finds doubtful cells: missing, formats, outliers, categories, rules.
    key, time, group, ignore
        As in `dqops.audit`.
    seed : int
        Same seed, same answer.
    allow_pickle : bool
        Load `model` from a pickle file. Pickles run code: only for files that you made.
    progress : callable, optional
        Called with (done, total, what).

    Returns
    -------
    Certainty

    Raises
    ------
    DqopsError
        One clear sentence on what came and what was needed.

    Notes
    -----
    For k-NN one product of judged rows and candidates for each fold, and a scan; for linear models one fit for each fold.
    What is certain is certain with respect to the candidates (k-NN) or the ranges that they span (linear models), with
    labels as they are recorded.

    References
    ----------
    Karlaš et al. 2021, PVLDB 14(3), arXiv 2005.05117. Zhen et al. 2024, SIGMOD, arXiv 2402.17926.

    Examples
    --------
    >>> import polars as pl
    >>> x = np.random.default_rng(0).normal(size=80)
    >>> frame = pl.DataFrame({"x": x, "z": [None, *x[1:]], "y": x > 0})
    >>> told = certify(frame, target="y", k=3)
    >>> told.predictions.height, told.data["doubtful_cells"], told.share_certain > 0.9
    (80, 1, True)
    """
    started, tell = perf_counter(), progress or (lambda done, total, what: None)
    check_settings(effort="standard", seed=seed, n_jobs=1, max_seconds=None)
    table = read(table, target=target, key=key, time=time, group=group, ignore=ignore)
    table.target()
    if model == "knn" and task_of(table) == "regression":
        raise DataError(f"target {table.roles.target!r} is a quantity, and k-NN is counted for classes", "model='linear' for it")
    named = resolve_model(model, task_of(table), seed=seed, allow_pickle=allow_pickle)
    task = agreed_task(table, named.task, named.name)
    seen = as_read(table)
    held, said = (None, ()) if holdout is None else holdout_of(holdout, table)
    ready = named.prepared(seen)
    notes = [*table.warnings, *ready.notes, *said]
    candidates, more, n_left = _candidates(table, seen, candidates, detectors, n_candidates, seed, tell)
    certified = Certified(task, classes_of(table, *([] if held is None else [held])) if task == "classification" else None, k, excess)
    splits = _splits(seen, None if held is None else as_read(held, like=table), task, seed)
    for done, (train, test) in enumerate(splits):
        tell(done, len(splits), "judging")
        space, encoded, *rest = followed(ready, train, candidates, n_candidates=n_candidates, seed=seed)
        bounds = outer_bounds(space, encoded, rest[0], test) if task == "regression" else None
        certified.judge(space, encoded, *rest, test, bounds)
    if len(splits) > 1 and certified.kind == "linear":
        certified.settle(*followed(ready, seen, candidates, n_candidates=n_candidates, seed=seed))
    tell(len(splits), len(splits), "judging")
    return Certainty(
        data={
            "name": table.name,
            "rows": table.n_rows,
            "columns": len(table.columns),
            "target": table.roles.target,
            "task": task,
            "fingerprint": table.fingerprint,
            "doubtful_cells": candidates.n_open,
            "doubtful_rows": len(candidates.open_positions),
            "left_to_model": n_left,
        },
        model=named.name,
        **certified.told(candidates),
        warnings=(*notes, *more, *certified.notes),
        settings={"k": k, "n_candidates": n_candidates, "excess": excess, "detectors": list(detectors), "seed": seed} | roles_of(table),
        versions={name: version(name) for name in ("dqops", "numpy", "pandas", "polars", "scikit-learn")} | {"python": python_version()},
        timings={"all": round(perf_counter() - started, 3)},
    )


def _candidates(table, seen, given, detectors, n_candidates, seed, tell):
    """Candidates of the table's features, notes, and how many doubtful cells have none: those given, or those proposed."""
    if given is None:
        findings, _, notes = search(table, chosen_detectors(detectors), None, seed, tell=tell)
        proposed, left = propose_candidates(seen, findings, n_candidates=n_candidates, seed=seed)
        said = [f"{count} doubtful cells of {name!r} have no candidates and are left to the model: {why}" for name, (count, why) in left.items()]
        return proposed, (*notes, *said), sum(count for count, _ in left.values())
    if not isinstance(given, Candidates):
        raise OptionError("candidates", type(given).__name__, "dqops.Candidates")
    if any(one.rows.dtype != table.row_ids.dtype for one in given):
        raise DataError("candidates name rows by ids of another type than the table", f"ids of type {table.row_ids.dtype}")
    kept = given.of_columns(*seen.features).on_rows(table.row_ids)
    left = given.count - kept.count
    said = (f"{left} doubts are not about features of rows of the table (labels count as recorded): left out",) if left else ()
    return kept, said, 0


def _splits(table, held, task, seed):
    """(rows to train on, rows that are judged)."""
    if held is not None:
        return [(table, held)]
    rng = stream(seed, "judged")
    splits = []
    for one in make_splits(table, task, folds=_FOLDS, seed=seed):
        test = one.test if len(one.test) <= _MOST_JUDGED else np.sort(rng.choice(one.test, _MOST_JUDGED, replace=False))
        splits.append((table.take(one.train), table.take(test)))
    return splits
