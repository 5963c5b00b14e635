"""Review: hand out the next doubts to people, read their answers, and say when to stop."""

from pathlib import Path

from dqops.errors import DataError, OptionError
from dqops.flows.audit import audit as run_audit
from dqops.flows.inputs import roles_of
from dqops.flows.joined import REPAIRS, not_repaired
from dqops.flows.prioritize import prioritize
from dqops.flows.reviewing import Review
from dqops.flows.suggestions import told_of_doubts
from dqops.tables.io import read
from dqops.tables.planned import described
from dqops.tables.review_folder import ReviewFolder


def review(
    table,
    *,
    folder,
    target=None,
    key=None,
    time=None,
    group=None,
    ignore=(),
    weight=None,
    trusted=None,
    model="auto",
    holdout=None,
    budget=None,
    cost=None,
    risk="mean",
    explore=0.0,
    audit=None,
    repairs=None,
    scoring=None,
    detectors=None,
    effort="standard",
    max_seconds=None,
    skill=0.9,
    certain=0.8,
    seed=0,
    n_jobs=1,
    allow_pickle=False,
    progress=None,
):
    """The review that a folder holds, or a new one of the doubts of a table.

    Parameters
    ----------
    table : Table, pandas.DataFrame, polars.DataFrame, path or URL
    folder : path
        Where the review is kept; where it holds one already, that is gone on with, and nothing is computed again.
    target, key, time, group, ignore, weight, trusted, model, holdout, budget, cost, risk, explore, audit, scoring, detectors,
    effort, max_seconds, seed, n_jobs, allow_pickle, progress
        As in `dqops.prioritize`; for a new review alone.
    repairs : CleaningPlan, optional
        Automatic repairs of the table: cells that they change as surely as `certain` are not asked about, and the plan of
        the review holds them.
    skill : float
        Share of right answers that somebody nobody knows is taken to give, in (0, 1).
    certain : float
        Confidence below which a cell is asked again, in [0, 1]; no more than `skill`, or every cell is asked twice.

    Returns
    -------
    Review

    Raises
    ------
    DqopsError
        One clear sentence, as where the folder holds the review of another table.

    Examples
    --------
    >>> import numpy as np
    >>> import polars as pl
    >>> from tempfile import TemporaryDirectory
    >>> rng = np.random.default_rng(0)
    >>> size = rng.normal(size=300)
    >>> frame = pl.DataFrame({"size": np.where(rng.random(300) < 0.1, 70.0, size), "y": 3 * size})
    >>> with TemporaryDirectory() as folder:
    ...     one = review(frame, folder=folder, target="y", model="linear", effort="quick")
    ...     batch = one.batch(2)
    ...     row = batch["row"][0]
    ...     taken = one.read([{"row": row, "column": "size", "answer": size[row], "reviewer": "ann"}])
    ...     one.plan().to_frame().select("row", "column", "who").rows() == [(row, "size", "ann")], one.status().settled
    (True, 1)
    """
    for name, value in {"skill": skill, "certain": certain}.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
            raise OptionError(name, value, "a share above 0 and below 1")
    roles = {"target": target, "key": key, "time": time, "group": group, "weight": weight, "trusted": trusted}
    if ReviewFolder.is_there(folder):
        return _gone_on_with(folder, table, {name: one for name, one in roles.items() if one is not None})
    table = read(table, ignore=ignore, **roles)
    table.target()
    if audit is None:
        limits = {"detectors": detectors, "max_seconds": max_seconds, "n_jobs": n_jobs, "progress": progress}
        audit = run_audit(table, model=model, scoring=scoring, holdout=holdout, effort=effort, seed=seed, allow_pickle=allow_pickle, **limits)
    choices = {"budget": budget, "cost": cost, "risk": risk, "explore": explore, "scoring": scoring, "effort": effort, "seed": seed}
    ranking = prioritize(table, model=model, audit=audit, allow_pickle=allow_pickle, progress=progress, **choices)
    asked, spared = not_repaired(ranking.doubts, repairs, table, certain)
    doubts = told_of_doubts(asked, audit.findings, table, seed)
    settings = roles_of(table) | {"model": str(model)[:200], "skill": float(skill), "certain": float(certain), "seed": seed, "effort": effort}
    rest = {name: one for name, one in ranking.to_dict().items() if name not in ("doubts", "schema_version")}
    if spared:
        rest["warnings"] = [*rest["warnings"], f"{spared} doubtful cells are not asked about: the repairs that were given settle them"]
        repairs.save(Path(folder) / REPAIRS)
    return Review(table, ReviewFolder(Path(folder), described(table), settings, rest, doubts).save())


def _gone_on_with(folder, table, roles):
    """The review that is there, of this table."""
    kept = ReviewFolder.load(folder)
    for name, value in roles.items():
        if kept.settings.get(name) != value:
            raise OptionError(name, value, f"{kept.settings.get(name)!r}, as the review in {folder} was started with, or another folder")
    held = {name: one for name, one in kept.settings.items() if name in ("target", "key", "time", "group", "weight", "trusted", "ignore")}
    table = read(table, **held)
    if table.fingerprint != kept.data["fingerprint"] or table.n_rows != kept.data["rows"]:
        raise DataError(f"the review in {folder} is of another table, {kept.data['name']} ({kept.data['rows']} rows)", "that table, unchanged, or another folder")
    return Review(table, kept)
