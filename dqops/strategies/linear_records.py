"""Records as rows of a convex linear model: where they lie, which are known, and what kinds of error are seen in them."""

import numpy as np

from dqops.errors import DataError, OptionError
from dqops.models.fixed_space import fixed_space
from dqops.models.space import last_step
from dqops.models.targets import classes_of, codes_of, target_values
from dqops.propagation.convex import ConvexLoss, ConvexModel, with_ones
from dqops.strategies.doubtful_cells import doubts_of, lines_of
from dqops.strategies.records import doubtful_records
from dqops.tables.cells import row_places
from dqops.tables.readable import as_read
from dqops.valuers.linear_model import is_linear, objective_of

_LEAST_SURE = 10  # records beyond one a column, to tell the scale of the columns
_FLAT = 1e-6
_HINGES = ("SVC", "LinearSVC")
_SURROGATE = "its model is {} in the space of {}, which stands for the model"
_SURROGATES = {"classification": "a logistic regression", "regression": "a ridge regression"}


class LinearRecords:
    """A table while its records are cleaned, as a convex linear model sees it.

    Parameters
    ----------
    table : Table
        As it was first seen.
    model : Model
    holdout : Table or None
    rng : numpy.random.Generator

    Attributes
    ----------
    findings : Findings
        Of the table as it was first seen.
    space : FixedSpace
    convex : ConvexModel
    classes : array or None
    rows : float64 (n, d + 1)
        Scaled by the records that nothing doubts, with a last column of ones; cleaned records as they were told.
    targets : float64 (n, n_scores)
    usable : bool (n,)
        The target is known.
    known : bool (n,)
        Not doubted by any detector, or told.
    kinds : float64 (n, n_kinds)
        1 where a record has that kind of error, as detectors see it.
    seed : int
    notes : tuple of str
    """

    def __init__(self, table, model, holdout, rng):
        self.table, self.model, self.holdout = table, model, holdout
        self.seed = int(rng.integers(2**31))
        self.findings = doubts_of(table, model, self.seed, rng)
        self.convex_of(model, table, holdout)
        seen = as_read(table)
        self.space = fixed_space(model, seen, self.seed)
        self.codes, self.usable = self.values_of(table)
        if not self.usable.any():
            raise DataError("no row has a known target", "some, to learn from")
        self.targets = self.convex.loss.targets(self.codes)
        self.kinds, self.known = self._kinds()
        self.rows = self._scaled(self.space.encode(seen))
        self._heard, self._places = {}, {row: place for place, row in enumerate(table.row_ids.to_list())}

    def convex_of(self, model, table, holdout):
        """Read the model's last step; where it is not convex and linear, another stands for it."""
        step, task = last_step(model), model.task
        self.classes = classes_of(table, *([] if holdout is None else [holdout])) if task == "classification" else None
        n_classes = 0 if self.classes is None else len(self.classes)
        if n_classes == 1:
            raise DataError("the target holds one class", "two or more")
        self.notes, self.estimator = (), None
        if is_linear(step):
            try:
                alpha, self.estimator = objective_of(step).alpha, step
            except OptionError:
                alpha, self.notes = 1.0, (_SURROGATE.format(_SURROGATES[task], type(step).__name__),)
            self.convex = ConvexModel(ConvexLoss("logistic" if n_classes else "squared", n_classes), alpha)
        elif type(step).__name__ in _HINGES and step.get_params().get("kernel", "linear") == "linear" and n_classes:
            self.convex = ConvexModel(ConvexLoss("hinge", n_classes), 1.0 / step.get_params()["C"])
        else:
            self.convex = ConvexModel(ConvexLoss("logistic" if n_classes else "squared", n_classes), 1.0)
            self.notes = (_SURROGATE.format(_SURROGATES[task], type(step).__name__),)

    def follows(self, table, model, holdout):
        """Is that table this one, as far as it may have been cleaned?"""
        return model is self.model and holdout is self.holdout and self.table.row_ids.equals(table.row_ids)

    def values_of(self, table):
        """Class codes or numbers of a table's target, 0 where there is none, and which are known."""
        values, known = target_values(table, self.model.task)
        if self.classes is None:
            return np.where(known, values, 0.0), known
        codes = codes_of(values, self.classes)
        return np.maximum(codes, 0), known & (codes >= 0)

    def fresh(self, answered):
        """Positions of records of which something was answered since the last time, rising."""
        rows = [row for row, cells in answered.items() if row in self._places and self._heard.get(row) != cells]
        return np.sort(np.array([self._places[row] for row in rows], dtype=np.int64))

    def encoded(self, table, positions):
        """(rows float64 (m, d + 1), targets, codes, usable) of some records as a table has them now."""
        told = table.take(positions)
        codes, usable = self.values_of(told)
        return self.placed(told), self.convex.loss.targets(codes), codes, usable

    def placed(self, table):
        """Rows of any table with the same columns, float64 (m, d + 1)."""
        return with_ones((self.space.encode(as_read(table, like=self.table)) - self._centre) / self._scale)

    def write(self, positions, told, answered):
        """Let these records be as they were told; they are known where no doubt is left in them."""
        self.rows[positions], self.targets[positions], self.codes[positions], self.usable[positions] = told
        left = doubtful_records(self.findings, self.table, answered)["position"].to_numpy()
        self.known[np.setdiff1d(positions, left)] = True
        for row in self.table.row_ids.gather(positions).to_list():
            self._heard[row] = set(answered[row])

    def _scaled(self, rows):
        """Rows brought to one scale by those that nobody doubts: wild cells would squeeze all others."""
        sure = rows[self.known] if self.known.sum() > rows.shape[1] + _LEAST_SURE else rows
        spread = sure.std(axis=0)
        self._centre, self._scale = sure.mean(axis=0), np.where(spread > _FLAT * (rows.std(axis=0) + _FLAT), spread, 1.0)
        return with_ones((rows - self._centre) / self._scale)

    def _kinds(self):
        """Kinds of error by record, labels by the recorded class; and records that nothing doubts."""
        lines = lines_of(self.findings, self.table)
        positions, names = row_places(self.table.row_ids, lines["row"]), []
        for position, column, kind in zip(positions.tolist(), *lines.select("column", "kind"), strict=True):
            labelled = column == self.table.roles.target and self.classes is not None
            names.append(f"{kind}:{column}:{self.codes[position]}" if labelled else f"{kind}:{column}")
        distinct, codes = np.unique(np.array(names, dtype=str), return_inverse=True)
        kinds = np.zeros((self.table.n_rows, len(distinct)))
        kinds[positions, codes] = 1.0
        return kinds, ~kinds.any(axis=1)


