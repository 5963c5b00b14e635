"""Appraise: what each row of a table is worth to the user's model."""

from importlib import import_module

import numpy as np
import polars as pl

from dqops.errors import DataError
from dqops.flows.inputs import check_settings, holdout_of, roles_of
from dqops.models.design import Design
from dqops.models.resolve import resolve_model
from dqops.models.splits import make_splits
from dqops.models.targets import agreed_task, classes_of, target_values, task_of
from dqops.results.appraisal import Appraisal
from dqops.seeds import stream
from dqops.tables.io import read
from dqops.valuers.choice import valuer_for
from dqops.valuers.crossed import crossed_values

FOLDS = 5


def appraise(
    table,
    *,
    target=None,
    key=None,
    time=None,
    group=None,
    ignore=(),
    weight=None,
    trusted=None,
    model="auto",
    holdout=None,
    method="auto",
    seed=0,
    allow_pickle=False,
    progress=None,
):
    """What each row of a table is worth to a model.

    Parameters
    ----------
    table : Table, pandas.DataFrame, polars.DataFrame, path or URL
    target, key, time, group, weight, trusted : str, optional
        Columns by role; see `dqops.Roles`.
    ignore : sequence of str
        Columns that nobody looks at.
    model : str, estimator or pipeline
        "auto", "linear", "knn", "forest", "boosting", ``"package.module:attribute"``, any scikit-learn-compatible
        estimator or pipeline.
    holdout : Table or what `read` takes, optional
        Rows that judge. Without it each fifth of the rows judges the others.
    method : str
        Name of a valuer, or "auto": the one that suits the model's last step. `why` of the result tells which and why.
    seed : int
        Same seed, same answer.
    allow_pickle : bool
        Load `model` from a pickle file. Pickles run code: only for files that you made.
    progress : callable, optional
        Called with (done, total, what).

    Returns
    -------
    Appraisal
        A `Valuation` with row ids; rows without a target have NaN.

    Raises
    ------
    DqopsError
        One clear sentence on what came and what was needed.

    Notes
    -----
    Values are made in the pipeline's own feature space: the rows as the steps before the last one give them. The cost is
    that of the valuer (five times over without a holdout), and of five fits for what the model expects of each row.

    Examples
    --------
    >>> import polars as pl
    >>> sizes = [size / 7 for size in range(60)]
    >>> kinds = ["small" if size < 30 else "large" for size in range(60)]
    >>> kinds[7] = "large"
    >>> found = appraise(pl.DataFrame({"size": sizes, "kind": kinds}), target="kind", model="knn")
    >>> found.method, found.worst(1).tolist()
    ('knn_shapley', [7])
    """
    import_module("dqops.valuers")
    tell = progress or (lambda done, total, what: None)
    check_settings(effort="standard", seed=seed, n_jobs=1, max_seconds=None)
    roles = {"target": target, "key": key, "time": time, "group": group, "weight": weight, "trusted": trusted}
    table = read(table, ignore=ignore, **roles)
    if not table.features or not table.n_rows:
        raise DataError("there is nothing to predict from", "rows, and one column or more beside the target")
    named = resolve_model(model, task_of(table), seed=seed, allow_pickle=allow_pickle)
    task = agreed_task(table, named.task, named.name)
    held, said = (None, ()) if holdout is None else holdout_of(holdout, table)
    rows, held, kept = _judged_rows(table, held, task)
    ready = named.prepared(rows)
    valuer, why = valuer_for(method, ready)
    worth, judges = _values(valuer, rows, held, ready, seed, tell)
    recorded, expected, surety = _expectations(rows, ready, task, seed)
    everywhere = _spread(worth, kept, table.n_rows)
    notes = [*table.warnings, *said, *ready.notes]
    if len(kept) < table.n_rows:
        notes.append(f"{table.n_rows - len(kept)} of {table.n_rows} rows have no target and no value")
    return Appraisal(
        **{**everywhere, "rows": table.row_ids, "why": "; ".join(filter(None, [why, worth.why]))},
        data={"name": table.name, "rows": table.n_rows, "target": table.roles.target, "fingerprint": table.fingerprint},
        model=ready.name,
        task=task,
        judged_by=judges,
        recorded=_placed(recorded, kept, table.n_rows),
        expected=_placed(expected, kept, table.n_rows),
        surety=None if surety is None else _filled(surety, kept, table.n_rows),
        notes=tuple(notes),
        settings={"method": method, "seed": seed} | roles_of(table),
    )


def _judged_rows(table, holdout, task):
    """Rows with a target, the holdout's rows with one, and the positions of the former."""
    kept = np.flatnonzero(target_values(table, task)[1])
    if not len(kept):
        raise DataError("no row has a known target", "some")
    rows = table if len(kept) == table.n_rows else table.take(kept)
    if task == "classification" and len(classes_of(rows)) < 2:
        raise DataError(f"target {table.roles.target!r} holds one class ({str(classes_of(rows)[0])!r})", "two or more classes")
    if holdout is None:
        return rows, None, kept
    known = np.flatnonzero(target_values(holdout, task)[1])
    if not len(known):
        raise DataError("no row of the holdout has a known target", "some")
    return rows, holdout.take(known), kept


def _values(valuer, rows, holdout, model, seed, tell):
    """The valuation, and who judged."""
    if not valuer.needs_holdout:
        tell(0, 1, "valuing rows")
        return valuer.value(rows, None, model, stream(seed, "appraise")), "the other rows of the table"
    if holdout is not None:
        tell(0, 1, "valuing rows")
        return valuer.value(rows, holdout, model, stream(seed, "appraise")), f"{holdout.n_rows} rows of {holdout.name}"
    splits = make_splits(rows, model.task, folds=FOLDS, seed=seed)
    return crossed_values(valuer, rows, model, splits, seed, tell), f"each of {len(splits)} parts of the table judges the others"


def _expectations(rows, model, task, seed):
    """Recorded target, what the model says of rows that it was not trained on, and how surely."""
    said = Design(task=task, model=model, seed=seed).out_of_fold(rows)
    recorded = rows.target()
    if task == "regression":
        return recorded, pl.Series(said), None
    probabilities, classes = said
    return recorded, pl.Series(list(classes[probabilities.argmax(axis=1)])), probabilities.max(axis=1)


def _spread(worth, kept, n_rows):
    """The fields of a valuation, with NaN where a row has no target."""
    stderr = None if worth.stderr is None else _filled(worth.stderr, kept, n_rows)
    fields = {"value": _filled(worth.value, kept, n_rows), "stderr": stderr}
    return {**{name: getattr(worth, name) for name in ("method", "unit", "error_bound")}, **fields}


def _filled(numbers, kept, n_rows):
    full = np.full(n_rows, np.nan)
    full[kept] = numbers
    return full


def _placed(cells, kept, n_rows):
    """Cells at their rows, null elsewhere."""
    if len(kept) == n_rows:
        return cells
    places = np.zeros(n_rows, dtype=np.int64)
    places[kept] = np.arange(len(kept))
    there = np.zeros(n_rows, dtype=bool)
    there[kept] = True
    gathered = cells.gather(places)
    return pl.select(pl.when(pl.Series(there)).then(gathered)).to_series()
