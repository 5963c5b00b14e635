"""One split in the feature space of the model's last step: rows as they are, and what doubtful ones could be."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from sklearn.preprocessing import StandardScaler

from dqops.errors import DataError
from dqops.models.space import last_step, space_of
from dqops.models.targets import classes_of, codes_of, target_values
from dqops.models.voice import score_said
from dqops.propagation.following import cases_of

_BY_DISTANCE = ("KNeighbors", "RadiusNeighbors")
_PARTS = ("train", "judged", "repair_train", "repair_judged")


@dataclass(frozen=True, eq=False)
class Placed:
    """One split in feature space.

    Parameters
    ----------
    X : float64 (n, d)
    y : int64 (n,) codes or float64 (n,) numbers
    J : float64 (n_judged, d)
    truth : int64 or float64 (n_judged,)
    classes : array (C,) or None
    cases : list of Case
    moved : list of dict of str to (float64 (n_choices, d), int64 or float64 (n_choices,))
        Features and targets of the choices of each case, by part.
    scoring : str or callable
    """

    X: np.ndarray
    y: np.ndarray
    J: np.ndarray
    truth: np.ndarray
    classes: np.ndarray | None
    cases: list
    moved: list
    scoring: object

    def changed(self, place, part, chosen):
        """What becomes of training rows in a world: positions, whether they stay, their features and targets.

        Parameters
        ----------
        place : int
            Of the case.
        part : {"truth", "repair"}
        chosen : int64 (n,)
        """
        choices = self.cases[place].train if part == "truth" else self.cases[place].repair_train
        if not len(choices.positions):
            return choices.positions, choices.kept, self.X[:0], self.y[:0]
        features, targets = self.moved[place]["train" if part == "truth" else "repair_train"]
        places = choices.places(chosen)
        return choices.positions, choices.kept[places], features[places], targets[places]

    def judged(self, place, part, chosen):
        """Features of the rows that judge, in a world."""
        if part == "today" or not len(chosen):
            return self.J
        name = "judged" if part == "truth" else "repair_judged"
        choices = getattr(self.cases[place], name)
        rows = self.J.copy()
        rows[choices.positions] = self.moved[place][name][0][choices.places(chosen)]
        return rows

    def score(self, said):
        """Score of predictions of the rows that judge."""
        return score_said(said, self.truth, self.classes, self.scoring)


def placed(train, judged, doubts, design, *, seed, scaled=False, **options):
    """`Placed` rows of one split; the steps before the last one are fitted on the training rows as they are.

    Parameters
    ----------
    train, judged : Table
    doubts : sequence of Doubt
    design : Design
    seed : int
    scaled : bool
        Columns are scaled, unless the last step compares rows by their distance itself.
    options
        `n_worlds` and `n_candidates`.

    Raises
    ------
    DataError
        Where no row has a known target.
    """
    train, judged = (_known(one, design.task) for one in (train, judged))
    cases = [case for one in doubts for case in cases_of(one, train, judged, seed=seed, **options)]
    tables, spans = {"train": [train], "judged": [judged]}, []
    for case in cases:
        mine = {}
        for part in _PARTS:
            choices, side = getattr(case, part), "judged" if "judged" in part else "train"
            first = sum(one.n_rows for one in tables[side])
            if choices is not None and choices.rows is not None:
                tables[side].append(choices.rows)
                mine[part] = slice(first, first + choices.rows.n_rows)
        spans.append(mine)
    every = {side: _joined(some) for side, some in tables.items()}
    space = space_of(design.model, every["train"], every["judged"], design.seed, fitted_on=train)
    rows, held = space.numbers
    if scaled and not type(last_step(design.model)).__name__.startswith(_BY_DISTANCE):
        scaler = StandardScaler().fit(rows[: train.n_rows])
        rows, held = scaler.transform(rows), scaler.transform(held)
    classes = None if design.task == "regression" else classes_of(train, judged, every["train"])
    y, truth = (_targets(one, design.task, classes) for one in (every["train"], every["judged"]))
    rows, held = (np.ascontiguousarray(one) for one in (rows, held))
    moved = [{part: _part(part, span, rows, held, y, truth) for part, span in mine.items()} for mine in spans]
    n, v = train.n_rows, judged.n_rows
    return Placed(rows[:n], y[:n], held[:v], truth[:v], classes, cases, moved, design.scoring)


def _part(part, span, rows, held, y, truth):
    return (held[span], truth[span]) if "judged" in part else (rows[span], y[span])


def _known(table, task):
    """The rows whose target is known."""
    _, known = target_values(table, task)
    if not known.any():
        raise DataError("no row with a known target is left", "at least one to train on, and one to judge on")
    return table if known.all() else table.take(np.flatnonzero(known))


def _targets(table, task, classes):
    values, _ = target_values(table, task)
    return values if task == "regression" else codes_of(values, classes)


def _joined(tables):
    """One table of the rows of all of them."""
    if len(tables) == 1:
        return tables[0]
    frame = pl.concat([one.frame for one in tables])
    # What could be true is as it is read: nothing stands in a source.
    return replace(tables[0], frame=frame, raw=frame, row_ids=pl.concat([one.row_ids for one in tables]), given=None)
