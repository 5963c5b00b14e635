"""One case of a benchmark: a strategy asks, the truth answers, the model learns anew, clean rows judge."""

from copy import deepcopy
from dataclasses import dataclass, replace
from time import process_time

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from dqops.contracts import Corruption
from dqops.errors import DataError, DqopsError
from dqops.flows.by_strategy import check_task
from dqops.flows.clean import clean as plan_cleaning
from dqops.models import classes_of, resolve_model, target_values
from dqops.seeds import stream
from dqops.tables.cells import row_places
from dqops.tables.pairs import read_alike, with_truth, wrong_cells

ORACLE = "oracle"
_CUTS = (0.5, 0.65)  # rows to train on; clean ones for the strategy; the rest judges


class Oracle:
    """Wrong rows or cells first, in random order: the order of somebody who knows the truth, for comparison."""

    name = ORACLE
    tasks = ("classification", "regression")


@dataclass(frozen=True, eq=False)
class Protocol:
    """What all strategies of a benchmark share.

    Parameters
    ----------
    unit : {"record", "cell"}
    start : {"dirty", "repaired"}
    budgets : tuple of float
        Money spent where the model is fitted and judged, rising; shares of the cost of everything where `shares`.
    shares : bool
    renew : int
        A strategy ranks anew at every so many budgets.
    rows : tuple of int
        Most rows to train on, of clean ones for the strategy, and to judge on.
    planted : tuple of (str, float)
        Corruptions and their rates.
    scoring : str
    task : str
    costs : Costs
    """

    unit: str
    start: str
    budgets: tuple
    shares: bool
    renew: int
    rows: tuple
    planted: tuple
    scoring: object
    task: str
    costs: object


@dataclass(frozen=True, eq=False)
class Ground:
    """What the strategies of one model and seed meet: rows, truth, model, and the scores at both ends."""

    dirty: object
    clean: object
    holdout: object
    test: object
    model: object
    classes: object
    columns: list
    dirty_score: float
    full_score: float


def ground_of(dirty, clean, protocol, spec, seed):
    """The `Ground` of a model and seed.

    Parameters
    ----------
    dirty, clean : Table
        Paired; what is planted, is planted here.
    protocol : Protocol
    spec : str or estimator
        The model.
    seed : int

    Raises
    ------
    DqopsError
        Where the model cannot be fitted at either end.
    """
    for name, rate in protocol.planted:
        kind, _, column = name.partition(":")
        dirty = Corruption.named(kind)(column=column or None).corrupt(dirty, rate, stream(seed, f"plant:{name}"))
    train, held, test = _split(clean, protocol, stream(seed, "bench:split"))
    recorded, truth = dirty.take(train), clean.take(train)
    if protocol.start == "repaired":
        recorded = _repaired(recorded, seed)
    recorded, truth = read_alike(recorded, truth)
    holdout, judges = (read_alike(part, part)[0] for part in (clean.take(held), clean.take(test)))
    model = resolve_model(spec, protocol.task, seed=seed).prepared(recorded)
    classes = classes_of(truth, recorded, holdout, judges) if protocol.task == "classification" else None
    columns = [*recorded.features, recorded.roles.target]
    ends = [_score(table, judges, model, classes, protocol.scoring) for table in (recorded, truth)]
    return Ground(recorded, truth, holdout, judges, model, classes, columns, *ends)


def _split(clean, protocol, rng):
    """Positions to train on, clean ones for the strategy, and those that judge; classes keep their shares."""
    values, known = target_values(clean, protocol.task)
    rows = np.flatnonzero(known)
    strata = np.unique(values[rows], return_inverse=True)[1] if protocol.task == "classification" else np.zeros(len(rows), dtype=int)
    parts = [[], [], []]
    for stratum in np.unique(strata):
        own = rng.permutation(rows[strata == stratum])
        for part, piece in zip(parts, np.split(own, [round(one * len(own)) for one in _CUTS]), strict=True):
            part.append(piece)
    whole = [rng.permutation(np.concatenate(part)) for part in parts]
    return [np.sort(part[:most]) for part, most in zip(whole, protocol.rows, strict=True)]


def _repaired(recorded, seed):
    """The rows after the repairs that are sure; none is dropped."""
    plan = plan_cleaning(recorded, model=None, effort="quick", seed=seed)
    if not plan.changes.height:
        return recorded
    whole = plan.apply(recorded)
    places = row_places(recorded.row_ids, whole.row_ids)
    fresh = []
    for name in recorded.columns:
        cells, repaired = recorded.frame[name], whole.frame[name]
        if cells.dtype != repaired.dtype:
            cells = cells.cast(pl.String)
            repaired = repaired.cast(pl.String)
        fresh.append(cells.clone().scatter(places, repaired).alias(name))
    frame = pl.DataFrame(fresh)
    return replace(recorded, frame=frame, raw=frame, given=None)


def _score(table, test, model, classes, scoring):
    return model.fit(table, classes=classes).score(test, scoring)


def run_case(ground, protocol, strategy, seed):
    """The curve of one strategy, as plain values.

    Parameters
    ----------
    ground : Ground
    protocol : Protocol
    strategy : Strategy
        Copied: what it remembers goes with this case.
    seed : int

    Returns
    -------
    dict
        answers, cost and score of each point, that before any answer first, with what the strategy repairs by itself; dirty, full, total,
        seconds, note, failed.
    """
    strategy = deepcopy(strategy)
    asking = _Asking(ground, protocol, stream(seed, f"ask:{strategy.name}"))
    told = {"dirty": ground.dirty_score, "full": ground.full_score, "total": asking.total, "wrong": asking.n_wrong, "note": "", "failed": None}
    points, seconds = [], 0.0
    budgets = [one * asking.total for one in protocol.budgets] if protocol.shares else list(protocol.budgets)
    try:
        check_task(strategy, protocol.task)
        with threadpool_limits(limits=1):
            for place, budget in enumerate(budgets):
                started = process_time()
                if place % protocol.renew == 0:
                    asking.rank(strategy)
                stood = [] if place else [asking.stands(strategy)]
                asking.answer_up_to(budget, strategy)
                stood.append(asking.stands(strategy))
                seconds += process_time() - started
                points += [(answers, spent, asking.score(table)) for answers, spent, table in stood]
    except DqopsError as cause:
        told["failed"] = str(cause)
    answers, cost, score = zip(*(points or [(0, 0.0, ground.dirty_score)]), strict=True)
    return {"answers": list(answers), "cost": list(cost), "score": list(score), "seconds": round(seconds, 3), **told}


class _Asking:
    """What has been asked and answered so far."""

    def __init__(self, ground, protocol, rng):
        self.ground, self.protocol, self.rng = ground, protocol, rng
        self.wrong = wrong_cells(ground.dirty, ground.clean, ground.columns)
        self.known = np.zeros_like(self.wrong)
        self.n_wrong = int(self.wrong.any(axis=1).sum() if protocol.unit == "record" else self.wrong.sum())
        self.answers, self.spent, self.order, self.next = 0, 0.0, [], 0
        self.costs = self._costs()
        self.total = float(self.costs.sum())

    def _costs(self):
        """Cost of each unit: (n,) of records, (n, columns) of cells."""
        costs, rows = self.protocol.costs, self.protocol.costs.of_rows(self.ground.dirty.row_ids.to_list())
        if self.protocol.unit == "record":
            return costs.of_finding("record", None) + rows
        return rows[:, None] + np.array([costs.of_finding("cell", name) for name in self.ground.columns])

    def table(self):
        """The training rows as they are known now."""
        return with_truth(self.ground.dirty, self.ground.clean, self.ground.columns, self.known)

    def stands(self, strategy):
        """(answers, money spent, the training rows as the strategy would have the model fitted on them now)."""
        table = self.table()
        if strategy.name != ORACLE:
            table = strategy.repaired(table, self.ground.model, self.ground.holdout, self.rng)
        return self.answers, self.spent, table

    def score(self, table):
        """Of the model fitted on these rows."""
        ground = self.ground
        if table.frame.equals(ground.dirty.frame):
            return ground.dirty_score
        return _score(table, ground.test, ground.model, ground.classes, self.protocol.scoring)

    def rank(self, strategy):
        """Ask the strategy what comes next; what it does not rank comes after that at random."""
        if strategy.name == ORACLE:
            worth = self.wrong.any(axis=1) if self.protocol.unit == "record" else self.wrong
            self.order = [one for one in self._shuffled() if worth[one]] + [one for one in self._shuffled() if not worth[one]]
        else:
            ranking = strategy.rank(self.table(), self.ground.model, self.ground.holdout, self.rng)
            self.order = list(dict.fromkeys([*self._units(ranking.doubts), *self._shuffled()]))
        self.next = 0

    def _shuffled(self):
        """All units in random order: positions, or pairs of position and place of the column."""
        if self.protocol.unit == "record":
            return self.rng.permutation(len(self.known)).tolist()
        drawn = self.rng.permutation(self.known.size)
        return list(zip(*(one.tolist() for one in np.unravel_index(drawn, self.known.shape)), strict=True))

    def _units(self, doubts):
        """Ranked units. A record stands where the summed gains of its doubts put it, or else where its first doubt stands."""
        places = row_places(self.ground.dirty.row_ids, doubts["row"])
        if self.protocol.unit == "record":
            lines = doubts.select("gain").with_columns(place=pl.Series(places), first=pl.int_range(doubts.height))
            summed = lines.group_by("place").agg(pl.col("gain").sum(), pl.col("first").min(), told=pl.col("gain").is_not_null().all())
            ordered = summed.sort(pl.when(summed["told"].all()).then(-pl.col("gain")).otherwise(pl.lit(0.0)), "first")
            return [one for one in ordered["place"].to_list() if one >= 0]
        names, units = {name: place for place, name in enumerate(self.ground.columns)}, []
        for place, column in zip(places.tolist(), doubts["column"].to_list(), strict=True):
            if place >= 0 and (column is None or column in names):
                units += [(place, one) for one in (range(len(names)) if column is None else (names[column],))]
        return units

    def answer_up_to(self, budget, strategy):
        """Answer what is ranked next, as far as the money goes."""
        while self.next < len(self.order):
            unit = self.order[self.next]
            done = self.known[unit].all() if self.protocol.unit == "record" else self.known[unit]
            if not done:
                cost = float(self.costs[unit])
                if self.spent + cost > budget + 1e-9:
                    return
                self._answer(unit, cost, strategy)
            self.next += 1

    def _answer(self, unit, cost, strategy):
        self.known[unit] = True
        self.answers, self.spent = self.answers + 1, self.spent + cost
        row, column, value = self._truth(unit)
        if strategy.name != ORACLE:
            strategy.tell(row, column, value)

    def _truth(self, unit):
        position = unit if self.protocol.unit == "record" else unit[0]
        row = self.ground.dirty.row_ids[position]
        if self.protocol.unit == "record":
            return row, None, {name: self.ground.clean.frame[name][position] for name in self.ground.columns}
        name = self.ground.columns[unit[1]]
        return row, name, self.ground.clean.frame[name][position]


def refuse_nothing_to_ask(dirty, clean, columns):
    """Raise `DataError` where both tables hold the same."""
    if not wrong_cells(*read_alike(dirty, clean), columns).any():
        raise DataError("the dirty and the clean table hold the same", "one cell or more that differs, or planted=")
