"""Repairs of training rows: repeats and doubtful labels."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.contracts import Cleaner
from dqops.tables.cells import leaving_classes, written
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


@dataclass(frozen=True)
class DropDoubtful(Cleaner):
    """Drops training rows whose cell in the column is doubtful; rows at serving keep theirs.

    Examples
    --------
    >>> DropDoubtful().on_rows
    True
    """

    name = "drop_doubtful"
    kinds = ("missing", "formats", "outliers", "categories", "rules")
    on_rows = True

    def repair(self, table):
        """The table without the rows; as it is where they would all go."""
        keep = np.ones(table.n_rows, dtype=bool)
        for group in self.detector_.find(table):
            if group.column == self.column_ and group.kind in self.kinds and not group.whole:
                keep[group.at_least(0.5).positions] = False
        return table.take(np.flatnonzero(keep)) if keep.any() else table

    def action(self):
        """As an order."""
        return f"leave rows with a doubtful {self.column_!r} out of training"


def _word_by_word(table, repeats):
    """Positions of the repeats that say just what the earlier row says, its target included."""
    said = [name for name in (*table.features, table.roles.target) if name is not None]
    cells = table.frame.select(describing(table.frame, said))
    same = [cells[name].gather(repeats.positions).eq_missing(cells[name].gather(repeats.related)).to_numpy() for name in cells.columns]
    return repeats.positions[np.all(same, axis=0)] if same else repeats.positions[:0]


@dataclass(frozen=True)
class MergeRepeats(Cleaner):
    """Merges training rows that repeat an earlier one into it: each cell gets what most of the rows say.

    The earliest row of a group survives. Of values that are said equally often, that of the most complete row stands,
    of rows as complete that of the earlier one; an empty cell says nothing. Columns that merely number rows keep what
    the survivor says.

    Examples
    --------
    >>> MergeRepeats().on_rows
    True
    """

    name = "merge_repeats"
    kinds = ("duplicates",)
    on_rows = True

    def repair(self, table):
        """The table with one row for each group of repeats."""
        lead = np.arange(table.n_rows)
        for group in self.detector_.find(table):
            sure = group.at_least(0.5)
            lead[sure.positions] = sure.related
        lead = _roots(lead)
        repeats = np.flatnonzero(lead != np.arange(table.n_rows))
        if not len(repeats):
            return table
        members = np.union1d(repeats, lead[repeats])
        said = [name for name in (*table.features, table.roles.target) if name is not None]
        columns = [_survivors(table, name, members, lead) for name in describing(table.frame, said)]
        return table.with_columns(*columns).take(np.delete(np.arange(table.n_rows), repeats))

    def action(self):
        """As an order."""
        return "merge repeated rows of training into one, cell by cell as most of them say"


def _roots(lead):
    """The first row of each row's group, where rows lead to earlier ones."""
    while not np.array_equal(lead[lead], lead):
        lead = lead[lead]
    return lead


def _survivors(table, name, members, lead):
    """The column with what most members of each group say in the cell of its first row."""
    column = table.frame[name]
    votes = pl.DataFrame(
        {
            "lead": lead[members],
            "said": column.gather(members),
            "empty": table.frame[members].select(pl.sum_horizontal(pl.all().is_null())).to_series(),
            "place": members,
        }
    ).drop_nulls("said")
    counted = votes.sort("empty", "place").group_by("lead", "said", maintain_order=True).agg(pl.len().alias("votes"))
    best = counted.sort("votes", descending=True, maintain_order=True).unique("lead", keep="first", maintain_order=True)
    return written(column, best["lead"].to_numpy(), best["said"])


@dataclass(frozen=True)
class Relabel(Cleaner):
    """Gives doubtful training rows their likeliest label, or drops them.

    Parameters
    ----------
    drop : bool
        Drop the rows instead of relabelling them.
    panel : bool
        Doubt what a panel of unlike learners doubts, not what the user's model does. No class is emptied by it.

    Examples
    --------
    >>> Relabel(drop=True)
    Relabel(drop=True, panel=False)
    """

    name = "relabel"
    kinds = ("labels",)
    on_rows = True
    drop: bool = False
    panel: bool = False

    def fit(self, table, detector, column, rng):
        """Doubts of training labels are those that cross-fitting on the training rows brought."""
        return self.fitted(doubts=detector.by_panel(table) if self.panel else detector.find(table), column=column)

    def repair(self, table):
        """The table with doubtful labels changed or their rows left out."""
        group = next((one for one in self.doubts_ if one.kind == "labels"), None)
        if group is None:
            return table
        doubtful, labels = group.at_least(0.5), table.frame[self.column_]
        positions, suggestions = doubtful.positions, None if self.drop else doubtful.suggestions
        if self.panel:  # for which labels are classes
            made = leaving_classes(labels, positions, suggestions)
            positions, suggestions = positions[made], None if suggestions is None else suggestions.filter(pl.Series(made))
        if suggestions is None:
            return table.take(np.setdiff1d(np.arange(table.n_rows), positions))
        return table.with_columns(written(labels, positions, suggestions))

    def action(self):
        """As an order."""
        who = " as a panel of learners says" if self.panel else ""
        return f"leave rows with doubtful labels out of training{who}" if self.drop else f"relabel doubtful training rows{who}"


@dataclass(frozen=True)
class MendTarget(Cleaner):
    """Corrects doubtful targets of training rows as the detector suggests; drops rows where it knows nothing.

    Rows that judge keep their recorded targets: nobody may mend what he is judged by.

    Parameters
    ----------
    drop : bool
        Drop all doubtful rows.

    Examples
    --------
    >>> MendTarget().on_rows
    True
    """

    name = "mend_target"
    kinds = ("categories", "rules", "formats", "outliers")
    on_rows = True
    drop: bool = False

    def repair(self, table):
        """The table with suggested targets written; rows whose target is doubted and not known are left out."""
        column, lost = table.frame[self.column_], []
        for group in self.detector_.find(table):
            if group.column == self.column_ and not group.whole:
                doubtful = group.at_least(0.5)
                known = np.zeros(doubtful.count, dtype=bool)
                if not self.drop and doubtful.suggestions is not None:
                    known = doubtful.suggestions.is_not_null().to_numpy()
                    column = written(column, doubtful.positions[known], doubtful.suggestions.filter(pl.Series(known)))
                lost.append(doubtful.positions[~known])
        mended = table.with_columns(column)
        gone = np.concatenate(lost) if lost else np.empty(0, dtype=np.int64)
        return mended.take(np.setdiff1d(np.arange(table.n_rows), gone)) if len(gone) else mended

    def action(self):
        """As an order."""
        if self.drop:
            return f"leave rows with a doubtful {self.column_!r} out of training"
        return f"correct doubtful cells of {self.column_!r} in training rows, leave out those that cannot be corrected"
