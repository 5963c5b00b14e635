"""Repairs by itself what right rows show to help, and asks a person for the rest."""

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

import dqops.detectors  # noqa: F401  (registers the detectors)
from dqops.cleaners.impute import EmptyDisguised, FillPredicted
from dqops.cleaners.numbers import TameOutliers
from dqops.cleaners.recipe import Step, fit_recipe
from dqops.cleaners.suggested import WriteSuggestion
from dqops.errors import DqopsError
from dqops.models.targets import classes_of, target_values
from dqops.strategies.doubtful_cells import doubts_of
from dqops.strategies.expected_gain import ExpectedGain, loss_of, panel_of, together
from dqops.tables.cells import in_type_of, leaving_classes, row_places, written

_FEWEST = 30  # right rows to judge by
_CLEAR = 1.5  # standard errors that a repair of cells must gain
_BEYOND = 2.0  # standard errors by which labels must be doubted more than right ones are
_TOLD = 1.0  # standard errors by which answers must speak for or against wrong labels, to be believed instead
_SURE = 0.8  # confidence of a suggestion that is written
_WRONG = 0.5  # a label that is rather wrong than right
_MADE = "before a model is fitted, it helps to {} (by {:.2g}, standard error {:.2g}, on right rows)"
_NOTHING = "no repair was measured to help on right rows: the order is all there is"
_SUGGESTED = ("rules", "categories", "formats")


@dataclass
class RepairAndAsk(ExpectedGain):
    """Records in the order of `ExpectedGain`, and between answers the repairs that were measured to help the model.

    Rival repairs of cells (what is surely right; wild numbers emptied, or foretold; empty cells foretold) are each judged by a fit
    of the user's model and its losses at the holdout, against those without the repair: one is made that gains more than 1.5
    standard errors, that of the largest gain first. Labels that a panel finds rather wrong are written anew where labels are doubted
    more than those of right rows that the panel was not told of, by two standard errors, unless answers say otherwise. What is
    answered stays as it was answered. Without a holdout of 30 rows or more nothing is repaired, and the order is all there is.

    Attributes
    ----------
    made : list of (str, float, float)
        Repairs that are made now, what speaks for each (mean loss that it spares at the holdout; of labels, how much more they are
        doubted than right ones), and its standard error.

    Examples
    --------
    >>> RepairAndAsk()
    RepairAndAsk()
    """

    name = "dqops_repairs"
    made: list = field(default_factory=list, init=False, repr=False)
    plan: object = field(default=None, init=False, repr=False)
    chosen: object = field(default=None, init=False, repr=False)
    beyond: object = field(default=None, init=False, repr=False)
    asked_of: dict = field(default_factory=dict, init=False, repr=False)
    heard: object = field(default=None, init=False, repr=False)

    def rank(self, table, model, holdout, rng):
        self._measure(table, model, holdout, rng)
        ranking = super().rank(table, model, holdout, rng)
        notes = [_MADE.format(*one) for one in self.made] or [_NOTHING]
        return replace(ranking, warnings=(*ranking.warnings, *notes))

    def repaired(self, table, model, holdout, rng):
        if self.plan is None or not self.plan.table.row_ids.equals(table.row_ids):
            self._measure(table, model, holdout, rng)
        return self.plan.applied(table, self.told)

    def _measure(self, table, model, holdout, rng):
        """Choose what is repaired until the next ranking."""
        seed = int(rng.integers(2**31))
        if self.plan is None or not self.plan.table.row_ids.equals(table.row_ids):
            self.beyond = self.chosen = None
        self.plan, self.made, self.heard = _Plan(table, {}), [], None
        judges = None if holdout is None else holdout.take(np.flatnonzero(target_values(holdout, model.task)[1]))
        if judges is None or judges.n_rows < _FEWEST:
            return
        judge = _Judge(model, judges, classes_of(table, judges) if model.task == "classification" else None, seed)
        self._repair_cells(table, judge, rng)
        if model.task == "classification":
            self._repair_labels(table, judge)

    def _repair_cells(self, table, judge, rng):
        """The set of repairs of cells that gains most, where one gains; chosen once, made and judged again with more answers."""
        rows, plans = together(table, judge.rows), {}
        rivals = {} if self.chosen == "" else _rivals(rows, judge, rng)
        for said, steps in rivals.items():
            if self.chosen not in (None, said):
                continue
            try:
                _, work = fit_recipe(rows, steps, seed=judge.seed)
            except DqopsError:
                continue
            plan = _Plan(table, _fresh(table, work.table.frame, {step.column for step in steps}))
            if plan.cells and not any(plan.same_as(other) for other in plans.values()):
                plans[said] = plan
        self._take_best(table, plans, judge)
        self.chosen = self.made[0][0] if self.made else self.chosen or ""

    def _repair_labels(self, table, judge):
        """Labels that a panel finds wrong, written anew where it finds more of them than right rows let expect.

        Whether it does is seen once; what is wrong is heard again with more answers.
        """
        known, n = _answered(table, self.told, table.roles.target), table.n_rows
        rows = together(self.plan.applied(table, self.told), judge.rows)
        self.heard = panel_of(rows, np.concatenate([known, np.ones(judge.rows.n_rows, dtype=bool)]), judge.model, judge.seed)
        if self.heard is None:
            return
        if self.beyond is None:
            self.beyond = _beyond(rows, known, judge)
            self.asked_of = dict(zip(table.row_ids.to_list(), (self.heard.wrong[:n] >= _WRONG).tolist(), strict=True))
        if self._labels_pay(table.roles.target):
            self.plan = self.plan.with_labels(self.heard.wrong[:n], self.heard.suggested[:n])
            self.made.append(("relabel rows whose label is rather wrong", *self.beyond))

    def _labels_pay(self, target):
        """Whether labels that are doubted are rather wrong: by answers to them where those are clear, else by right rows."""
        if self.recorded is not None:
            answers = self._answers().filter(pl.col("column") == target)
            told = [changed for row, changed in answers.select("row", "changed").iter_rows() if self.asked_of.get(row)]
            spread = 0.5 / np.sqrt(max(len(told), 1))
            if told and abs(np.mean(told) - 0.5) > _TOLD * spread:
                return bool(np.mean(told) > 0.5)
        return self.beyond[0] > _BEYOND * self.beyond[1]

    def _take_best(self, table, plans, judge):
        """Take the plan of the largest gain, where it is clear."""
        if not plans:
            return
        before, told = judge.losses(table), []
        for said, plan in plans.items():
            try:
                gain, spread = _mean_and_error(before - judge.losses(plan.applied(table, self.told)))
            except DqopsError:
                continue
            # The fewer cells are left to it, the less it gains: what was clear once need not be so again.
            if gain > (_CLEAR * spread if self.chosen is None else 0.0):
                told.append((gain, spread, said))
        if told:
            gain, spread, said = max(told)
            self.plan = plans[said]
            self.made.append((said, gain, spread))

    def _panel(self, rows, known, model, seed):
        return self.heard.wrong if self.heard is not None else super()._panel(rows, known, model, seed)


@dataclass(frozen=True, eq=False)
class _Plan:
    """Repairs of a table: fresh columns, and what is done about labels.

    Parameters
    ----------
    table : Table
        As it was when they were made.
    cells : dict of str to (bool (n,), polars.Series (n,))
        Which cells of a column change, and the column after that.
    doubted : bool (n,) or None
        Whose label is written anew.
    suggested : array (n,) or None
        What is written there.
    """

    table: object
    cells: dict
    doubted: object = None
    suggested: object = None

    def with_labels(self, wrong, suggested):
        """The plan with labels repaired, too."""
        return _Plan(self.table, self.cells, wrong >= _WRONG, suggested)

    def same_as(self, other):
        """Do both make the same of the cells?"""
        return self.cells.keys() == other.cells.keys() and all(cells.equals(other.cells[name][1]) for name, (_, cells) in self.cells.items())

    def applied(self, table, told):
        """The table after the repairs, answered cells as they were answered."""
        columns = []
        for name, (changed, cells) in self.cells.items():
            open_to = changed & ~_answered(table, told, name)
            columns.append(table.frame[name].zip_with(pl.Series(~open_to), cells).alias(name))
        mended = table.with_columns(*columns) if columns else table
        if self.doubted is None:
            return mended
        target = table.roles.target
        places = np.flatnonzero(self.doubted & ~_answered(table, told, target))
        fresh = pl.Series(self.suggested[places].tolist())
        made = leaving_classes(mended.frame[target], places, fresh)
        return mended.with_columns(written(mended.frame[target], places[made], fresh.filter(pl.Series(made))))


@dataclass(frozen=True, eq=False)
class _Judge:
    """The user's model, and rows that are known to be right."""

    model: object
    rows: object
    classes: object
    seed: int

    def losses(self, table):
        """Loss at each right row of the model fitted on a table, float64 (n,)."""
        values, _ = target_values(self.rows, self.model.task)
        return loss_of(self.model.fit(table, seed=self.seed, classes=self.classes), self.rows, values)


def _rivals(rows, judge, rng):
    """Sets of steps that compete, by what they do."""
    sure, wild, empty = [], [], []
    for one in doubts_of(rows, judge.model, judge.seed, rng, without=("labels", "duplicates")):
        if one.column not in rows.features:
            continue
        if one.kind in _SUGGESTED and one.suggestions is not None:
            sure.append(Step(WriteSuggestion(), one.kind, one.column, _SURE))
        if one.kind == "outliers" and rows.frame[one.column].dtype.is_numeric():
            wild.append(one.column)
        if one.kind == "missing":
            empty.append(one.column)
    filled = [Step(kind(), "missing", name) for name in empty for kind in (EmptyDisguised, FillPredicted)]
    emptied, foretold = ([Step(TameOutliers(how), "outliers", name) for name in wild] for how in ("blank", "predict"))
    sets = {
        "write what is surely right": sure,
        "empty wild numbers": [*sure, *emptied],
        "foretell wild numbers": [*sure, *foretold],
        "foretell empty cells": [*sure, *filled],
        "foretell wild numbers and empty cells": [*sure, *foretold, *filled],
    }
    return {said: steps for said, steps in sets.items() if steps}


def _fresh(table, frame, columns):
    """The columns of the table that differ after repair, in the dtype they have; one that cannot be written in it is skipped."""
    cells = {}
    for name in columns:
        recorded, repaired = table.frame[name], frame[name].head(table.n_rows)
        typed = in_type_of(repaired, recorded).alias(name)
        if typed.null_count() > repaired.null_count():
            continue
        changed = typed.ne_missing(recorded).to_numpy()
        if changed.any():
            cells[name] = changed, typed
    return cells


def _answered(table, told, column):
    """Rows whose cell in the column was answered, bool (n,)."""
    answered = np.zeros(table.n_rows, dtype=bool)
    rows = [row for row, cells in told.items() if None in cells or column in cells]
    if rows:
        places = row_places(table.row_ids, pl.Series(rows))
        answered[places[places >= 0]] = True
    return answered


def _mean_and_error(gains):
    return float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(len(gains)))


def _beyond(rows, known, judge):
    """(by how much the mean doubt of labels exceeds that of right ones, its standard error).

    The labels of one half of the right rows are told to a panel, those of the other half are among those that it judges.
    """
    n, right = len(known), rows.n_rows - len(known)
    half = np.random.default_rng(judge.seed).permutation(right) % 2
    ours, theirs = np.zeros(n), np.zeros(right)
    for one in (0, 1):
        heard = panel_of(rows, np.concatenate([known, half != one]), judge.model, judge.seed)
        if heard is None:
            return 0.0, np.inf
        ours += heard.wrong[:n] / 2
        theirs[half == one] = heard.wrong[n:][half == one]
    ours = ours[~known]
    return float(ours.mean() - theirs.mean()), float(np.sqrt(ours.var() / max(len(ours), 1) + theirs.var() / right))
