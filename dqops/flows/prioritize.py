"""Prioritize: which doubts to resolve first for this model and this money."""


import numpy as np

from dqops.errors import DataError, OptionError
from dqops.flows.audit import audit as run_audit
from dqops.flows.by_strategy import rank_by
from dqops.flows.price import design_of, leaks_of, options_of
from dqops.flows.search import chosen_detectors
from dqops.models import subsample
from dqops.propagation.cell_gains import served_better, shares_of, trials_of
from dqops.propagation.costs import Costs
from dqops.propagation.effort import EFFORTS
from dqops.propagation.prioritizing import doubts_of, in_order
from dqops.results.audit import Audit
from dqops.results.ranking import Ranking
from dqops.seeds import stream
from dqops.tables.io import read

_LEAST_SHARED = 0.05  # of the summed gains, when all doubts are resolved together


def prioritize(
    table,
    *,
    target=None,
    model="auto",
    holdout=None,
    budget=None,
    cost=None,
    risk="mean",
    explore=0.0,
    strategy="dqops",
    audit=None,
    scoring=None,
    key=None,
    time=None,
    group=None,
    ignore=(),
    weight=None,
    trusted=None,
    detectors=None,
    effort="standard",
    max_seconds=None,
    seed=0,
    n_jobs=1,
    allow_pickle=False,
    progress=None,
):
    """Which doubts to resolve first, what each is expected to gain, and what it costs.

    Parameters
    ----------
    table : Table, pandas.DataFrame, polars.DataFrame, path or URL
    target, model, holdout, scoring, key, time, group, ignore, weight, trusted, detectors, effort, max_seconds, seed, n_jobs,
    allow_pickle, progress
        As in `dqops.audit`.
    budget : float, optional
        Most that may be spent, in the unit of the costs.
    cost : float or mapping, optional
        Cost of one answer, 1 by default. A mapping names findings (``"labels:y"``), columns or kinds, ``"default"``, ``"setup"``
        (a mapping from columns or kinds to what is paid once) and ``"rows"`` (a mapping from row ids to what they add).
    risk : {"mean", "lower", "upper"}
        Which end of the interval ranks.
    explore : float
        Share of the places that go to doubts drawn at random, in [0, 1).
    strategy : str, Strategy or its class
        "dqops" ranks by expected gain per cost, after an audit. Any other (``"random"``, ``"detector"``, ``"uncertainty"``,
        ``"knn_shapley"``, ``"influence"``, ``"data_oob"`` ...) needs none and ranks in its own unit, without intervals; `risk`,
        `explore`, `detectors` and `effort` are not for it.
    audit : Audit, optional
        Of the same table and model; it is run where it is not given.

    Returns
    -------
    Ranking
        Gains are those of knowing the truth of a cell, as part of its group; where no potential was measured, those of the repair.

    Raises
    ------
    DqopsError
        One clear sentence on what came and what was needed.

    Notes
    -----
    After the audit: five fits, and predictions for each finding. A gain of a single cell is too small to be measured: the measured
    gain of its group is shared out by the probability that the cell is wrong, by how far its repair moves it, and by how much better
    its own row is foretold. Intervals are those of the group, shared out alike.

    Examples
    --------
    >>> import numpy as np
    >>> import polars as pl
    >>> rng = np.random.default_rng(0)
    >>> size = rng.normal(size=400)
    >>> dirty = np.where(rng.random(400) < 0.1, 60 + 9 * rng.random(400), size)
    >>> frame = pl.DataFrame({"size": dirty, "y": 3 * size + rng.normal(size=400)})
    >>> ranking = prioritize(frame, target="y", model="linear", effort="quick", budget=10)
    >>> len(ranking), ranking.to_frame()["kind"].unique().to_list()
    (10, ['outliers'])
    """
    roles = {"target": target, "key": key, "time": time, "group": group, "weight": weight, "trusted": trusted}
    costs = Costs.of(cost)
    table = read(table, ignore=ignore, **roles)
    table.target()
    if strategy != "dqops":
        told = {"model": model, "scoring": scoring, "seed": seed, "allow_pickle": allow_pickle}
        costs.check((*chosen_detectors(), "record"), table.columns, ())
        return rank_by(strategy, table, holdout=holdout, costs=costs, budget=budget, **told)
    if audit is None:
        options = {"detectors": detectors, "effort": effort, "max_seconds": max_seconds, "n_jobs": n_jobs, "progress": progress}
        audit = run_audit(table, **roles, ignore=ignore, model=model, scoring=scoring, holdout=holdout, seed=seed, allow_pickle=allow_pickle, **options)
    _check_audit(audit, table)
    costs.check(tuple(chosen_detectors()), table.columns, [one.id for one in audit.findings])
    tell = progress or (lambda done, total, what: None)
    design = design_of(table, model=model, scoring=scoring, seed=seed, effort=effort, allow_pickle=allow_pickle, holdout=None)
    groups, unpriced = _groups(audit, table, design, EFFORTS[effort].rows, tell)
    doubts = doubts_of(groups, costs)
    ordered, left_out = in_order(doubts, costs, budget=budget, risk=risk, explore=explore, rng=stream(seed, "explore"))
    notes = [f"not priced, so not ranked: {', '.join(unpriced)}"] if unpriced else []
    return Ranking(
        doubts=ordered,
        budget=budget,
        data=audit.data,
        scoring=audit.scoring,
        risk=risk,
        shared=_shared(audit, groups),
        setup=costs.setup,
        left_out=left_out,
        warnings=(*audit.warnings, *notes),
    )


def _check_audit(audit, table):
    if not isinstance(audit, Audit) or audit.baseline is None:
        raise OptionError("audit", audit if audit is None else type(audit).__name__, "an audit that priced its findings on a model")
    if audit.data["fingerprint"] != table.fingerprint:
        raise DataError(f"the audit is of another table (fingerprint {audit.data['fingerprint']})", f"one of {table.name}, with {table.fingerprint}")
    if any(len(one.positions) and one.positions[0] < 0 for one in audit.findings):
        raise DataError("the audit was read from a saved run, which keeps row ids but not positions", "an audit of this session")


def _groups(audit, table, design, most_rows, tell):
    """(finding, expected gain, share of each cell) of the findings that were priced; ids of those that were not."""
    leaks = leaks_of(audit.findings)
    honest = table.with_roles(ignored=(*table.roles.ignored, *leaks)) if leaks else table
    detectors = chosen_detectors([name for name in audit.settings["detectors"] if name != "drift"])
    looked = subsample(honest, most_rows, design.seed)
    trials = trials_of(looked, design, detectors)
    groups, unpriced, found = [], [], [one for one in audit.findings if not one.whole and one.count]
    for done, finding in enumerate(found):
        gain = audit.gains.of(finding.id)
        if gain is None:
            unpriced.append(finding.id)
            continue
        tell(done, len(found), f"sharing out {finding.id}")
        whole = gain.potential or gain.repair
        groups.append((finding, whole, _shares(finding, gain, honest, looked, trials)))
    return groups, unpriced


def _shares(finding, gain, table, looked, trials):
    """Shares of all cells of a finding; rows that were not looked at weigh by their scores and moves alone."""
    option = next((one for one in options_of(finding, table) if one.action == gain.action), None)
    if option is None or option.on_rows or finding.column not in table.features:
        return finding.scores / finding.scores.sum()
    losses, mended = served_better(option, looked, trials)
    if looked is not table and losses is not None:
        places = {row: place for place, row in enumerate(looked.row_ids.to_list())}
        whole, mended = np.zeros(table.n_rows), None
        for position, row in zip(finding.positions.tolist(), finding.rows.to_list(), strict=True):
            whole[position] = losses[places[row]] if row in places else 0.0
        losses = whole
    return shares_of(finding, table, mended, losses)


def _shared(audit, groups):
    """How much of the summed gains is left when all are resolved together."""
    together = audit.gains.of("all")
    known = together and (together.potential or together.repair)
    total = sum(max(whole.expected, 0.0) for _, whole, _ in groups)
    if known is None or total <= 0:
        return 1.0
    return float(np.clip(known.expected / total, _LEAST_SHARED, 1.0))
