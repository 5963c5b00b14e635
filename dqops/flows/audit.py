"""Audit: what is wrong with a table, what each thing costs the model, and what to do first."""

from importlib.metadata import version
from platform import python_version
from time import perf_counter

from dqops.errors import DataError
from dqops.flows.inputs import check_settings, holdout_of, reference_of, roles_of
from dqops.flows.search import chosen_detectors, search
from dqops.flows.summarise import column_summaries
from dqops.propagation.ranking import ranked
from dqops.results.audit import Audit
from dqops.results.findings import Findings
from dqops.results.gain import Gains
from dqops.tables.io import read


def audit(
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
    scoring=None,
    holdout=None,
    reference=None,
    schema=None,
    detectors=None,
    effort="standard",
    max_seconds=None,
    seed=0,
    n_jobs=1,
    allow_pickle=False,
    keep=None,
    progress=None,
):
    """What is wrong with a table, what each thing costs the model, and what to do first.

    Parameters
    ----------
    table : Table, pandas.DataFrame, polars.DataFrame, path or URL
    target, key, time, group, weight, trusted : str, optional
        Columns by role; see `dqops.Roles`.
    ignore : sequence of str
        Columns that nobody looks at.
    model : str, estimator, or None
        "auto", "linear", "knn", "forest", "boosting", ``"package.module:attribute"``, any scikit-learn-compatible
        estimator or pipeline; None searches without pricing.
    scoring : str, optional
        Any scorer name of scikit-learn, higher is better; accuracy or r2 by default.
    holdout, reference : Table or what `read` takes, optional
        Rows that judge; rows that drift is judged against.
    schema : path, optional
        A pandera schema (YAML or JSON); what breaks it becomes findings.
    detectors : sequence of str, optional
        Names; all by default.
    effort : {"quick", "standard", "thorough"}
    max_seconds : float, optional
        Time for pricing; what is then missing is said.
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
    Audit

    Raises
    ------
    DqopsError
        One clear sentence on what came and what was needed.

    Notes
    -----
    The cost is that of the detectors (about linear in the cells) and of some tens to hundreds of model fits.

    Examples
    --------
    >>> import polars as pl
    >>> sizes = [*(f"{size / 7:.2f}" for size in range(60)), "4..2", "3.x"]
    >>> frame = pl.DataFrame({"size": sizes, "y": [0, 1] * 31})
    >>> audit(frame, target="y", model=None).findings.to_frame()["id"].to_list()
    ['formats:size']
    """
    started, tell = perf_counter(), progress or (lambda done, total, what: None)
    check_settings(effort=effort, seed=seed, n_jobs=n_jobs, max_seconds=max_seconds)
    roles = {"target": target, "key": key, "time": time, "group": group, "weight": weight, "trusted": trusted}
    table = read(table, ignore=ignore, **roles)
    kinds = chosen_detectors(detectors)
    held, of_held = (None, ()) if holdout is None else holdout_of(holdout, table)
    known, of_known = (None, ()) if reference is None else reference_of(reference, table)
    wanted = _wants_model(table, model)
    if wanted:
        # Late, like all that only a price needs: a mere search starts at once.
        from dqops.flows.outlook import outlook
        from dqops.flows.price import design_of, price_findings, without_leaks
        from dqops.models import scorer_name

        design = design_of(table, model=model, scoring=scoring, seed=seed, effort=effort, allow_pickle=allow_pickle, holdout=held)
    else:
        design = None
    findings, seconds, notes = search(table, kinds, design, seed, reference=known, tell=tell)
    if schema is not None:
        findings = _with_schema(findings, table, schema)
    baseline, gains, order, ahead = None, Gains(), ranked(findings, Gains()), None
    if design is not None:
        began = perf_counter()
        baseline, gains, order, said = price_findings(
            table, findings, design, kinds, effort, holdout=design.holdout, n_jobs=n_jobs, max_seconds=max_seconds, keep=keep, tell=tell
        )
        notes, seconds["pricing"], began = (*notes, *said), perf_counter() - began, perf_counter()
        honest, judge = without_leaks(table, design.holdout, findings)
        ahead, said = outlook(honest, findings, design, baseline, effort, holdout=judge, tell=tell)
        notes, seconds["outlook"] = (*notes, *said), perf_counter() - began
    seconds["all"] = perf_counter() - started
    return Audit(
        data=_described(table, design),
        model=None if design is None else design.model.name,
        scoring=None if design is None else scorer_name(design.scoring),
        baseline=baseline,
        findings=Findings(tuple(findings[id] for id in order)),
        gains=gains,
        ranking=order,
        columns=column_summaries(table, findings),
        label_noise=design.label_noise(table) if design is not None and "labels" in kinds else None,
        warnings=(*table.warnings, *of_held, *of_known, *(() if design is None else design.model.notes), *notes),
        settings={"effort": effort, "seed": seed, "max_seconds": max_seconds, "detectors": list(kinds)} | roles_of(table),
        versions={name: version(name) for name in ("dqops", "numpy", "pandas", "polars", "scikit-learn", "skrub")} | {"python": python_version()},
        timings={name: round(value, 3) for name, value in seconds.items()},
        outlook=ahead,
    )


def _wants_model(table, model):
    """Whether anything is to be priced."""
    if model is not None and table.roles.target is None and model != "auto":
        raise DataError("a model is named but no target", "target=, the column that the model predicts")
    return model is not None and table.roles.target is not None


def _with_schema(findings, table, schema):
    """What breaks the schema, beside or instead of what was found as rules in the same column."""
    from dqops.schema import load_schema, schema_findings

    broken = schema_findings(table, load_schema(schema))
    taken = {one.id for one in broken}
    return Findings(tuple(one for one in findings if one.id not in taken)) + broken


def _described(table, design):
    return {
        "name": table.name,
        "rows": table.n_rows,
        "columns": len(table.columns),
        "target": table.roles.target,
        "task": None if design is None else design.task,
        "fingerprint": table.fingerprint,
    }
