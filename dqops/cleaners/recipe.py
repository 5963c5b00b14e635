"""Repairs in a row: fitted on training rows, made alike in any table with those columns."""

from dataclasses import asdict, dataclass, field
from itertools import groupby

import numpy as np
import polars as pl

from dqops.contracts import Cleaner, Detector
from dqops.errors import SourceError
from dqops.seeds import stream
from dqops.tables.cells import in_type_of
from dqops.tables.changes import converted, put
from dqops.tables.planned import plan_pieces, rewritten_cells
from dqops.tables.table import Table

_UNASKED = 0.9  # confidence of a change that no finding speaks of
_MERGED = "another row that repeats this one says so"
NOBODY = -1


@dataclass(frozen=True)
class Step:
    """One repair: what is to be repaired, and by which cleaner.

    Parameters
    ----------
    cleaner : Cleaner
        Unfitted.
    kind : str
        Of the findings that it repairs.
    column : str or None
        None where rows are dropped.
    least : float
        Changes less sure than this are not made.

    Examples
    --------
    >>> from dqops.cleaners.numbers import ParseNumbers
    >>> Step.from_dict(Step(ParseNumbers("typical"), "formats", "age").to_dict())
    Step(cleaner=ParseNumbers(wild='typical'), kind='formats', column='age', least=0.0)
    """

    cleaner: Cleaner
    kind: str
    column: str | None
    least: float = 0.0

    @property
    def action(self):
        """As an order to a person."""
        return self.cleaner.fitted(column=self.column).action()

    def to_dict(self):
        """As plain values, from which `from_dict` makes it again."""
        return {"cleaner": self.cleaner.name, "settings": asdict(self.cleaner), "kind": self.kind, "column": self.column, "least": self.least}

    @classmethod
    def from_dict(cls, told):
        """The step that `to_dict` told of.

        Raises
        ------
        UnknownNameError
            When no cleaner has that name.
        SourceError
            When it cannot be made of those settings.
        """
        try:
            return cls(Cleaner.named(told["cleaner"])(**told["settings"]), told["kind"], told["column"], told["least"])
        except (TypeError, KeyError) as cause:
            raise SourceError("the plan", f"one of its steps is none ({cause})", "a plan of this version") from None


@dataclass(eq=False)
class Work:
    """What repairs did to a table, cell by cell.

    Parameters
    ----------
    table : Table
        Afterwards, without the dropped rows.
    kept : int64 (n_kept,)
        Positions, in the table before, of its rows.
    n_rows : int
        Of the table before.
    made_by : dict of str to int64 (n,)
        For each touched column, the step that changed each cell last, -1 for none, by position before; under None
        the step that dropped the row.
    confidence, why : dict of str to array (n,)
        Of each of these changes.
    """

    table: Table
    kept: np.ndarray
    n_rows: int
    made_by: dict = field(default_factory=dict)
    confidence: dict = field(default_factory=dict)
    why: dict = field(default_factory=dict)

    def add(self, repaired, number, changes):
        """Book what step `number` changed: ``{column: (places, confidence, why)}``, None for rows that it dropped."""
        for name, (places, confidence, why) in changes.items():
            places, rows = self.kept[places], self.n_rows
            self.made_by.setdefault(name, np.full(rows, NOBODY))[places] = number
            self.confidence.setdefault(name, np.ones(rows))[places] = confidence
            self.why.setdefault(name, np.full(rows, Cleaner.unasked, dtype=object))[places] = why
        if None in changes:
            self.kept = np.delete(self.kept, changes[None][0])  # their places are those among the kept
        self.table = repaired


class FittedRecipe:
    """Detectors and cleaners fitted on training rows, in the order in which they repair rows at serving.

    Parameters
    ----------
    groups : list of (detector, [(Step, fitted cleaner)])
        Steps of one kind share their detector, which searches a table once for all of them.
    dtypes : dict of str to polars.DataType
        Of the repaired columns of the training rows: rows at serving get the same.
    """

    def __init__(self, groups, dtypes):
        self.groups, self.dtypes = groups, dtypes

    def repair(self, table):
        """The table repaired; nothing is learned from it."""
        for detector, steps in self.groups:
            once = Once(detector)
            for step, cleaner in steps:
                table, _ = made(table, step, cleaner.fitted(detector=once))
        typed = [converted(table.frame[name], dtype).alias(name) for name, dtype in self.dtypes.items() if table.frame[name].dtype != dtype]
        return table.with_columns(*typed) if typed else table


class Once:
    """A fitted detector that searches once, however many columns are repaired one after the other."""

    def __init__(self, detector):
        self.detector, self.found = detector, None

    def find(self, table):
        """Doubts in the first table that it was asked of; later ones are that table, partly repaired."""
        if self.found is None:
            self.found = self.detector.find(table)
        return self.found


def fit_recipe(table, steps, *, design=None, seed=0, detectors=None):
    """Fit the steps one after the other, each kind on what the kinds before it left.

    Repairs of features never see the target. Those of the target itself, and those that drop rows, are made in the
    training rows alone.

    Parameters
    ----------
    table : Table
        Training rows.
    steps : sequence of Step
    design : Design, optional
        Needed where labels are repaired.
    seed : int
    detectors : dict of str to Detector, optional
        Unfitted, by kind, where they are not the ones with default settings.

    Returns
    -------
    FittedRecipe, Work
        What repairs any other table alike, and what was done to this one.
    """
    groups, work = [], Work(table, np.arange(table.n_rows), table.n_rows)
    aside = [step.cleaner.on_rows or step.column == table.roles.target for step in steps]
    numbered = groupby(range(len(steps)), key=lambda number: (steps[number].kind, aside[number]))
    for (kind, of_training), numbers in numbered:
        detector = _detector(kind, work.table, of_training, design, seed, detectors)
        once, served = Once(detector), []
        for number in numbers:
            step = steps[number]
            rng = stream(seed, f"clean:{step.cleaner.name}:{step.column}")
            cleaner = step.cleaner.fit(work.table, detector if kind == "labels" else once, step.column, rng)
            repaired, changes = made(work.table, step, cleaner)
            work.add(repaired, number, changes)
            served.append((step, cleaner.fitted(detector=None)))
        if not of_training:
            groups.append((detector, served))
    dtypes = {step.column: work.table.frame[step.column].dtype for _, served in groups for step, _ in served}
    return FittedRecipe(groups, dtypes), work


def pieces_of_work(table, work, steps, *, who, when):
    """The parts of the plan that does what was done; see `dqops.tables.planned.plan_pieces`.

    Parameters
    ----------
    table : Table
        As it was before.
    work : Work
    steps : sequence of Step
        Those that the work counts.
    who : str
    when : datetime
    """
    columns = {}
    for name, made_by in work.made_by.items():
        if name is None:
            continue
        repaired = _on_all_rows(work.table.frame[name], table.frame[name], work.kept)
        places, after, dtype = rewritten_cells(table, name, repaired, made_by != NOBODY)
        last = steps[made_by[made_by != NOBODY].max()].kind if (made_by != NOBODY).any() else _kind_for(name, steps)
        columns[name] = (places, after, dtype, last, _trail(work, name, places, steps, who, when))
    gone = np.flatnonzero(work.made_by.get(None, np.full(table.n_rows, NOBODY)) != NOBODY)
    return plan_pieces(table, columns, (gone, _trail(work, None, gone, steps, who, when)))


def _on_all_rows(repaired, recorded, kept):
    """The repaired column with what stood in the rows that were dropped."""
    if len(kept) == len(recorded):
        return repaired
    return put(converted(recorded, repaired.dtype), kept, repaired)


def _kind_for(name, steps):
    return next((step.kind for step in reversed(steps) if step.column == name), "formats")


def _trail(work, name, places, steps, who, when):
    """kind, cleaner, why, confidence, who, when of each change."""
    numbers = work.made_by[name][places] if name in work.made_by else np.zeros(0, dtype=np.int64)
    kinds, cleaners = ([getter(steps[number]) for number in numbers] for getter in (lambda step: step.kind, lambda step: step.cleaner.name))
    return pl.DataFrame(
        {
            "kind": pl.Series(kinds, dtype=pl.String),
            "cleaner": pl.Series(cleaners, dtype=pl.String),
            "why": pl.Series(list(work.why[name][places]) if len(places) else [], dtype=pl.String),
            "confidence": pl.Series(work.confidence[name][places] if len(places) else [], dtype=pl.Float64),
        }
    ).with_columns(pl.lit(who).alias("who"), pl.lit(when).alias("when"))


def made(table, step, cleaner):
    """The table after one fitted step, and what that changed: ``{column: (places, confidence, why)}``.

    Dropped rows stand under None. Changes less sure than the step asks for are not made.
    """
    repaired = cleaner.repair(table)
    score, why = _doubts(cleaner, step, table)
    changes, kept = {}, np.arange(table.n_rows)
    if repaired.n_rows < table.n_rows:
        kept, repaired, changes = _rows_left(table, repaired, step, score, why)
        table, score, why = table.take(kept), score[kept], why[kept]
    for name in table.columns:
        old, new = table.frame[name], repaired.frame[name]
        changed = _differ(old, new)
        if step.kind == "missing" and name == step.column:
            changed |= ~np.isnan(score) & new.is_null().to_numpy()  # a word for missing, which readers see as empty
        places = np.flatnonzero(changed)
        if not len(places) and old.dtype == new.dtype:
            continue
        confidence = _filled(score[places]) * cleaner.sureness(table, places)
        sure = confidence >= step.least
        if not sure.all():
            repaired = repaired.with_columns(_held_back(old, new, places, sure).alias(name))
        changes[name] = (kept[places[sure]], confidence[sure], why[places[sure]])
    return repaired, changes


def _rows_left(table, repaired, step, score, why):
    """Positions of the rows that stay, those rows repaired, and the rows that surely go."""
    gone = np.flatnonzero(~table.row_ids.is_in(repaired.row_ids.implode()).to_numpy())
    confidence = _filled(score[gone])
    sure = confidence >= step.least
    kept = np.delete(np.arange(table.n_rows), gone[sure])
    left = table.take(kept)
    if sure.all():
        left = repaired
    else:
        here = np.flatnonzero(~np.isin(kept, gone))
        fresh = [put(left.frame[name], here, repaired.frame[name]) for name in table.columns]
        left = left.with_columns(*fresh)
    return kept, left, {None: (gone[sure], confidence[sure], why[gone[sure]])}


def _held_back(old, new, places, sure):
    """The column with its sure changes alone; of its old dtype where the new one cannot hold what stood there."""
    weak = old.gather(places[~sure])
    before = converted(weak, new.dtype)
    if (before.is_not_null() | weak.is_null()).all():
        return put(new, places[~sure], before)
    return put(old, places[sure], in_type_of(new.gather(places[sure]), old))


def _filled(score):
    return np.where(np.isnan(score), _UNASKED, score)


def _doubts(cleaner, step, table):
    """Score of each row or cell that the step is about, NaN where nothing was found, and why."""
    score, why = np.full(table.n_rows, np.nan), np.full(table.n_rows, cleaner.unasked, dtype=object)
    groups = cleaner.doubts_ if step.kind == "labels" else cleaner.detector_.find(table) if cleaner.detector_ else ()
    for group in groups:
        if group.kind == step.kind and group.column in (step.column, None) and not group.whole:
            score[group.positions], why[group.positions] = group.scores, group.why
            if step.kind == "duplicates" and group.related is not None:
                first = np.setdiff1d(group.related, group.positions)
                why[first] = _MERGED
                np.fmax.at(score, group.related[np.isin(group.related, first)], group.scores[np.isin(group.related, first)])
    return score, why


def _differ(old, new):
    """bool (n,): cells that say something else."""
    if old.dtype == new.dtype:
        return old.ne_missing(new).to_numpy().copy()
    read = converted(old, new.dtype)
    return (read.ne_missing(new) | (new.is_null() & old.is_not_null())).to_numpy().copy()


def _detector(kind, table, of_training, design, seed, detectors):
    """The detector of a kind, fitted on these rows; one that repairs features never sees the target."""
    unfitted = (detectors or {}).get(kind) or Detector.named(kind)()
    rng = stream(seed, f"detect:{kind}")
    if kind == "labels":
        return unfitted.fit(table, design, rng)
    return unfitted.fit(table if of_training else blind(table), None, rng)


def blind(table):
    """The table as it stands at serving: the target unknown."""
    target = table.roles.target
    return table if target is None else table.with_roles(target=None, ignored=(*table.roles.ignored, target))
