"""One split of the table: the model before, and the same model after each repair, arm by arm."""

from dataclasses import dataclass, replace
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl

from dqops.errors import DataError, ModelError
from dqops.results.gain import ARMS
from dqops.seeds import draw_seed, stream
from dqops.tables.cells import in_type_of

_UNBOUNDED = ("r2", "explained_variance", "d2_absolute_error_score")
_WORST = -10.0


@dataclass(frozen=True)
class Option:
    """One way to resolve a finding: unfitted cleaners, each with the kind and column that it repairs.

    Parameters
    ----------
    finding : str
        Id of the finding, or "all".
    steps : tuple of (Cleaner, str, str or None)
        Cleaner, kind, column; applied in this order.
    """

    finding: str
    steps: tuple

    @property
    def action(self):
        """What it does, as an order to a person."""
        cleaner, _, column = self.steps[0]
        return f"all {len(self.steps)} repairs that pay" if self.finding == "all" else cleaner.fitted(column=column).action()

    @property
    def on_labels(self):
        """Whether it repairs doubtful labels and nothing else."""
        return all(kind == "labels" for _, kind, _ in self.steps)

    @property
    def on_rows(self):
        """Whether it only changes or drops training rows."""
        return all(cleaner.on_rows for cleaner, _, _ in self.steps)


@dataclass(frozen=True)
class Outcome:
    """What one option did on one split.

    Parameters
    ----------
    differences : dict of float
        Score after minus score before, by arm; empty where the model failed.
    changed : int
        Cells or rows that the repair changed in training and holdout rows together.
    failure : str
        Why there is no difference, or nothing.
    """

    differences: dict
    changed: int
    failure: str = ""


class Trial:
    """A split with its model before any repair; runs options against it.

    Parameters
    ----------
    train, test : Table
    design : Design
    detectors : dict of str to Detector
        Unfitted, by kind.
    seed : int
        Common to both models of a comparison, so that only the data differ.
    """

    def __init__(self, train, test, design, detectors, seed):
        self.train, self.test, self.design = train, test, design
        self.detectors, self.seed = detectors, seed
        self._fitted = {}

    @cached_property
    def taught(self):
        """The design with those rows of the holdout that judge nothing here: they may teach what a right label is."""
        if self.design.holdout is None:
            return self.design
        others = ~self.design.holdout.row_ids.is_in(self.test.row_ids.implode())
        return replace(self.design, holdout=self.design.holdout.take(np.flatnonzero(others.to_numpy())) if others.any() else None)

    @cached_property
    def before(self):
        """The model trained on the rows as they are."""
        return self.fit(self.train)

    @cached_property
    def score_before(self):
        """Its score on the rows that judge, as they are."""
        return self.score(self.before, self.test)

    def fit(self, table):
        """The user's model on that table, with the seed of this split."""
        return self.design.model.fit(table, seed=self.seed)

    def score(self, model, table):
        """The user's score of that model on these rows."""
        return bounded_score(model, table, self.design.scoring)

    def run(self, option, *, arms=ARMS):
        """`Outcome` of one option; a model that raises on repaired data is counted, not fatal.

        Parameters
        ----------
        option : Option
        arms : sequence of str
            What is asked for; deployed alone is cheapest.
        """
        try:
            return self._run(option, arms)
        except (ModelError, DataError) as failure:
            return Outcome({}, 0, failure=str(failure))

    def _run(self, option, arms):
        train, test, relabelled = self.repaired(option)
        if option.on_rows:
            return self._run_rows(train, relabelled)
        same_columns = train.features == self.train.features
        changed = _cells_changed(self.train, train) + _cells_changed(self.test, test)
        if not changed and same_columns:
            return Outcome(dict.fromkeys(ARMS, 0.0), 0)
        after = self.fit(train) if changed or not same_columns else self.before
        reached = self.score(after, test)
        differences = {"deployed": reached - self.score_before}
        if same_columns and len(arms) > 1:
            differences["training"] = reached - self.score(self.before, typed_like(test, self.test))
            differences["serving"] = reached - self.score(after, typed_like(self.test, test))
        return Outcome(differences, changed)

    def _run_rows(self, train, tainted):
        dropped = self.train.n_rows - train.n_rows
        changed = dropped or tainted
        if not changed:
            return Outcome({"deployed": 0.0, "training": 0.0}, 0)
        gain = self.score(self.fit(train), self.test) - self.score_before
        return Outcome({"deployed": gain, "training": gain}, int(changed))

    def repaired(self, option, train=None, test=None):
        """Training and holdout rows after the option, and relabelled rows; cleaners see training rows alone.

        Parameters
        ----------
        option : Option
        train, test : Table, optional
            Instead of those of the split.
        """
        train, test, relabelled = train or self.train, test or self.test, 0
        for cleaner, kind, column in option.steps:
            rng = stream(self.seed, f"clean:{cleaner.name}:{column}")
            first = train is self.train
            detector = self._detector(kind, train, cleaner.on_rows, first)
            fitted = cleaner.fit(train, detector, column, rng)
            repaired = fitted.repair(train)
            if cleaner.on_rows and repaired.n_rows == train.n_rows:
                relabelled += int((repaired.target() != train.target()).sum())
            train = repaired
            if not cleaner.on_rows:
                test = fitted.repair(test)
        return train, test, relabelled

    def _detector(self, kind, train, on_rows, cached):
        """The detector fitted on training rows; one that repairs features never sees the target."""
        if kind == "leakage":
            return None
        if cached and (kind, on_rows) in self._fitted:
            return self._fitted[kind, on_rows]
        rng = stream(self.seed, f"detect:{kind}")
        if kind == "labels":
            fitted = self.detectors[kind].fit(train, self.taught, rng)
        else:
            seen = train if on_rows else blind(train)
            fitted = _Remembering(self.detectors[kind].fit(seen, None, rng))
        if cached:
            self._fitted[kind, on_rows] = fitted
        return fitted


class _Remembering:
    """A fitted detector that searches a table once, however many columns of it are repaired."""

    def __init__(self, detector):
        self.detector, self.known = detector, WeakKeyDictionary()

    def find(self, table):
        if table not in self.known:
            self.known[table] = self.detector.find(table)
        return self.known[table]


def blind(table):
    """The table as it stands at serving: the target unknown."""
    target = table.roles.target
    return table.with_roles(target=None, ignored=(*table.roles.ignored, target))


def bounded_score(model, table, scoring):
    """Score of a fitted model; an R2 below -10 counts as -10.

    One wild row can send R2 to -1e20; how far below nothing a score falls tells nobody anything, and would drown
    all other rows of the table in its spread.
    """
    reached = model.score(table, scoring)
    return max(reached, _WORST) if scoring in _UNBOUNDED else reached


def trial_seed(seed, split):
    """The seed of one split, common to every model that is fitted on it."""
    return draw_seed(seed, f"trial:{split.repeat}:{split.fold}")


def _cells_changed(before, after):
    """Cells that differ, and rows that were dropped."""
    dropped = before.n_rows - after.n_rows
    if dropped:
        before = before.take(np.flatnonzero(before.row_ids.is_in(after.row_ids.implode()).to_numpy()))
    changed = dropped
    for name in before.features:
        old, new = before.frame[name], after.frame[name]
        if old is new:
            continue
        if old.dtype.is_numeric() and new.dtype.is_numeric():
            changed += int(old.cast(pl.Float64).ne_missing(new.cast(pl.Float64)).sum())
        elif old.dtype != new.dtype:
            changed += len(new)
        else:
            changed += int(old.ne_missing(new).sum())
    return changed


def typed_like(table, model):
    """The cells of `table` in the dtypes of `model`, so that a model fitted on the one can read the other."""
    changed = [
        in_type_of(table.frame[name], model.frame[name]).alias(name)
        for name in table.features
        if table.frame[name].dtype != model.frame[name].dtype
    ]
    return table.with_columns(*changed) if changed else table


