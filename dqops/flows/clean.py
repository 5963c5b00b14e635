"""Clean: decide which cells to change and which rows to leave out, and keep the trail."""

from datetime import UTC, datetime

from dqops.cleaners.recipe import fit_recipe, pieces_of_work
from dqops.errors import DataError, OptionError
from dqops.flows.audit import audit
from dqops.flows.repairs import choose_repairs, in_order, measured_together
from dqops.results.plan import CleaningPlan
from dqops.tables.io import read


def clean(
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
    detectors=None,
    min_confidence=None,
    effort="standard",
    max_seconds=None,
    seed=0,
    n_jobs=1,
    allow_pickle=False,
    who="dqops",
    progress=None,
):
    """The plan that cleans a table as it pays for the model; it changes nothing by itself.

    Parameters
    ----------
    table : Table, pandas.DataFrame, polars.DataFrame, path or URL
    target, key, time, group, weight, trusted, ignore, scoring, holdout, detectors, effort, max_seconds, seed, n_jobs,
    allow_pickle, progress
        As for `dqops.audit`.
    model : str, estimator, or None
        Rival repairs of each finding are raced on it, and the winner is made where it pays; what is surely right and
        costs nothing measurable is made, too. With None, or without a target, only what is surely right is.
    min_confidence : float, optional
        Least confidence of a change, in [0, 1]; 0.8 by default for repairs that no gain speaks for, 0.95 for targets that break a rule.
    who : str
        Name in the trail.

    Returns
    -------
    CleaningPlan

    Raises
    ------
    DataError
        When fewer than two classes would be left.
    DqopsError
        As `dqops.audit` does.

    Notes
    -----
    The cost is that of an audit, and of fitting each chosen repair once.

    Examples
    --------
    >>> import polars as pl
    >>> sizes = [*(f"{size / 7:.2f}" for size in range(60)), "4.2 kg", "3.9 kg"]
    >>> plan = clean(pl.DataFrame({"size": sizes, "y": [0, 1] * 31}), target="y", model=None)
    >>> plan.to_frame().select("row", "before", "after").rows()
    [(60, '4.2 kg', '4.2'), (61, '3.9 kg', '3.9')]
    """
    if min_confidence is not None and not (isinstance(min_confidence, int | float) and 0 <= min_confidence <= 1):
        raise OptionError("min_confidence", min_confidence, "a number from 0 to 1, or None")
    table = read(table, target=target, key=key, time=time, group=group, weight=weight, trusted=trusted, ignore=ignore)
    choices = {"model": model, "scoring": scoring, "seed": seed, "effort": effort, "allow_pickle": allow_pickle}
    found = audit(table, holdout=holdout, detectors=detectors, max_seconds=max_seconds, n_jobs=n_jobs, progress=progress, **choices)
    repairs, design, together = choose_repairs(table, found, min_confidence=min_confidence), None, None
    if found.baseline is not None and any(one.steps for one in repairs):
        repairs, design, together = measured_together(table, repairs, found, holdout, progress, min_confidence=min_confidence, **choices)
    steps = in_order(repairs)
    _, work = fit_recipe(table, steps, design=design, seed=seed)
    _refuse_one_class(work.table, table)
    told = [one.to_dict() for one in repairs] + ([together.to_dict()] if together else [])
    plan = CleaningPlan.of_pieces(
        pieces_of_work(table, work, steps, who=who, when=datetime.now(UTC).replace(tzinfo=None, microsecond=0)),
        steps=tuple(step.to_dict() for step in steps),
        repairs=tuple(told),
        settings=found.settings | _roles(table) | _asked(model=model, scoring=scoring, holdout=holdout, min_confidence=min_confidence, who=who),
        warnings=found.warnings,
    )
    return plan.keeping(table)


def _roles(table):
    """The roles that columns play, as an audit tells of them."""
    roles = {one: name for one, name in vars(table.roles).items() if name}
    return roles | {"ignore": list(roles.pop("ignored", ()))}


def _asked(**settings):
    """Settings as a plan keeps them: what is no plain value by its name."""
    return {name: value if isinstance(value, str | int | float | None) else str(value)[:200] for name, value in settings.items()}


def _refuse_one_class(cleaned, table):
    """Raise where cleaning would leave nothing to tell apart."""
    if table.roles.target is None:
        return
    before, after = table.target().drop_nulls().n_unique(), cleaned.target().drop_nulls()
    if after.n_unique() < 2 <= before:
        came = f"after cleaning, the target {table.roles.target!r} would hold one value" if len(after) else "no row with a target would be left"
        raise DataError(came, "two or more: leave out detectors (detectors=) or ask for more confidence (min_confidence=)")
