"""Repairs of training rows: repeats and doubtful labels."""

from dataclasses import dataclass

import numpy as np

from dqops.contracts import Cleaner
from dqops.tables.cells import written
from dqops.tables.repeats import describing


@dataclass(frozen=True)
class DropRepeats(Cleaner):
    """Drops training rows that repeat an earlier one.

    Parameters
    ----------
    near : bool
        Those that repeat it only nearly, too.

    Examples
    --------
    >>> DropRepeats().on_rows
    True
    """

    name = "drop_repeats"
    kinds = ("duplicates",)
    on_rows = True
    near: bool = True

    def repair(self, table):
        """The table without doubtful repeats."""
        keep = np.ones(table.n_rows, dtype=bool)
        for group in self.detector_.find(table):
            sure = group.at_least(0.5)
            keep[sure.positions if self.near else _word_by_word(table, sure)] = False
        return table.take(np.flatnonzero(keep))

    def action(self):
        """As an order."""
        return "drop repeated rows from training"


def _word_by_word(table, repeats):
    """Positions of the repeats that say just what the earlier row says, its target included."""
    said = [name for name in (*table.features, table.roles.target) if name is not None]
    cells = table.frame.select(describing(table.frame, said))
    same = [cells[name].gather(repeats.positions).eq_missing(cells[name].gather(repeats.related)).to_numpy() for name in cells.columns]
    return repeats.positions[np.all(same, axis=0)] if same else repeats.positions[:0]


@dataclass(frozen=True)
class Relabel(Cleaner):
    """Gives doubtful training rows their likeliest label, or drops them.

    Parameters
    ----------
    drop : bool
        Drop the rows instead of relabelling them.

    Examples
    --------
    >>> Relabel(drop=True)
    Relabel(drop=True)
    """

    name = "relabel"
    kinds = ("labels",)
    on_rows = True
    drop: bool = False

    def fit(self, table, detector, column, rng):
        """Doubts of training labels are those that cross-fitting on the training rows brought."""
        return self.fitted(doubts=detector, column=column)

    def repair(self, table):
        """The table with doubtful labels changed or their rows left out."""
        group = next((one for one in self.doubts_ if one.kind == "labels"), None)
        if group is None:
            return table
        doubtful = group.at_least(0.5)
        if self.drop or doubtful.suggestions is None:
            keep = np.setdiff1d(np.arange(table.n_rows), doubtful.positions)
            return table.take(keep)
        return table.with_columns(written(table.frame[self.column_], doubtful.positions, doubtful.suggestions))

    def action(self):
        """As an order."""
        return "leave rows with doubtful labels out of training" if self.drop else "relabel doubtful training rows"
