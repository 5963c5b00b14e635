"""The rows that are looked at: copies left out, targets known, holdout rows beside the others."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from dqops.errors import DataError
from dqops.models.design import subsample
from dqops.models.targets import classes_of, codes_of, target_values
from dqops.tables.meaning import as_text
from dqops.tables.repeats import describing, repeats

# Numbers that agree to so many digits are taken for copies of each other.
_DIGITS = 9
_FEWEST_ROWS = 20
_LARGEST = 1e70
_HARDLY = 0.1


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows to learn from and rows to judge on, as one table.

    Parameters
    ----------
    table : Table
        Rows with a known target; those to learn from first.
    n_known : int
        Rows to learn from.
    held : bool
        Whether the rows after them are a holdout, which judges; else each row is judged by the others.
    labels : int64 or float64 (n,)
        Class codes or numbers.
    classes : array (C,) or None
    copies : int
        Rows left out because another row says the same.
    contradicting : int
        Of those, the ones with another target.
    """

    table: object
    n_known: int
    held: bool
    labels: np.ndarray
    classes: np.ndarray | None
    copies: int
    contradicting: int

    @property
    def known(self):
        """Positions of the rows that may be neighbours, int64."""
        return np.arange(self.n_known)

    @property
    def judged(self):
        """Positions of the rows that are judged, int64."""
        return np.arange(self.n_known, self.table.n_rows) if self.held else self.known

    @property
    def group(self):
        """Rows of one group are no neighbours, int64 (n,); each row's own number where there are no groups."""
        alone = np.arange(self.table.n_rows)
        if self.table.roles.group is None:
            return alone
        names = self.table.frame[self.table.roles.group]
        codes = names.rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
        return np.where(names.is_null().to_numpy(), codes.max(initial=0) + 1 + alone, codes)

    def of_known(self):
        """The table of the rows to learn from."""
        return self.table.take(self.known)

    def of_judged(self):
        """The table of the rows that judge."""
        return self.table.take(self.judged)

    def left_out(self, *tables):
        """What of these tables is not looked at, and why: sentences."""
        n_rows = sum(one.n_rows for one in tables if one is not None)
        absent = n_rows - self.table.n_rows - self.copies
        if absent:
            yield f"{absent:,} of {n_rows:,} rows have no known target or are beyond what this effort looks at"
        if self.copies:
            against = f"; {self.contradicting:,} of them have another target than it: not both can be foretold" if self.contradicting else ""
            yield f"{self.copies:,} rows repeat another one and are left out{against}"

    def described(self, table, task):
        """The table and what of it is looked at, as `Feasibility.data` has it."""
        return {
            "name": table.name,
            "rows": table.n_rows,
            "looked_at": self.table.n_rows,
            "judged": len(self.judged),
            "copies": self.copies,
            "columns": len(table.columns),
            "target": table.roles.target,
            "task": task,
            "classes": None if self.classes is None else len(self.classes),
            "fingerprint": table.fingerprint,
        }


def ids_of(*tables):
    """Ids of all rows of these tables as texts, frozenset; None is no table."""
    return frozenset(str(one) for table in tables if table is not None for one in table.row_ids.to_list())


def gather(table, holdout, task, max_rows, seed):
    """`Rows` of a table and, where there is one, its holdout.

    Rows that agree in all that describes them, to nine digits, are copies where chance does not explain them: of
    each set one row stays, in the holdout if one of them is there.

    Raises
    ------
    DataError
        Where fewer than twenty rows have a known target.
    """
    if not table.features:
        raise DataError("no column but the target is left to predict from", "features")
    parts = [_with_target(table, task, max_rows, seed)]
    if holdout is not None:
        parts.append(_with_target(holdout, task, max_rows, seed))
    whole = _stacked(*parts) if holdout is not None else parts[0]
    n_known = parts[0].n_rows
    kept, contradicting = _without_copies(whole, n_known, task)
    if len(kept) < _FEWEST_ROWS or (kept < n_known).sum() < _FEWEST_ROWS:
        raise DataError(f"{len(kept)} different rows have a known target", f"{_FEWEST_ROWS} or more")
    rows = whole.take(kept)
    values, _ = target_values(rows, task)
    classes = classes_of(rows) if task == "classification" else None
    if classes is None and np.abs(values).max() > _LARGEST:
        raise DataError(f"the target holds numbers such as {np.abs(values).max():.3g}", f"numbers up to {_LARGEST:g}, whose fourth powers are numbers still")
    labels = values.copy() if classes is None else codes_of(values, classes)
    return Rows(rows, int((kept < n_known).sum()), holdout is not None, labels, classes, whole.n_rows - len(kept), contradicting)


def _with_target(table, task, max_rows, seed):
    _, known = target_values(table, task)
    return subsample(table if known.all() else table.take(np.flatnonzero(known)), max_rows, seed, task)


def _stacked(first, second):
    """Both tables as one, with the first one's roles; row ids are positions."""
    names = [name for name in first.columns if name in second.columns]
    frame, raw = (_one_above_other(getattr(first, part).select(names), getattr(second, part).select(names)) for part in ("frame", "raw"))
    there = {role: name if name in names else None for role, name in vars(first.roles).items() if role != "ignored"}
    roles = replace(first.roles, **there, ignored=tuple(name for name in first.roles.ignored if name in names))
    ids = pl.concat([first.row_ids.cast(pl.String), second.row_ids.cast(pl.String)])
    return replace(first, frame=frame, raw=raw, row_ids=ids, roles=roles)


def _one_above_other(first, second):
    """Rows of two frames with the same names; columns of unlike types become text."""
    columns = []
    for name in first.columns:
        above, below = first[name], second[name]
        if above.dtype != below.dtype and not (above.dtype.is_numeric() and below.dtype.is_numeric()):
            above, below = as_text(above), as_text(below)
        columns.append(pl.concat([above.to_frame(), below.to_frame()], how="vertical_relaxed"))
    return pl.concat(columns, how="horizontal")


def _without_copies(table, n_known, task):
    """(positions that stay, number of rows left out that contradict the one that stays).

    Where hardly a row of the table repeats another one, a row of the holdout that does is a copy, however likely the
    table and the holdout together make it look.
    """
    names = describing(table.frame, table.features)
    if not names or not n_known:
        return np.arange(table.n_rows), 0
    floats = [name for name in names if table.frame[name].dtype.is_float()]
    found = repeats(table.frame.select(names).with_columns(pl.col(name).round_sig_figs(_DIGITS) for name in floats))
    usual = (found.first[:n_known] != np.arange(n_known)).mean()
    copied = (found.score >= 0.5) | ((np.arange(table.n_rows) >= n_known) & (usual < _HARDLY))
    group = np.where(copied, found.first, np.arange(table.n_rows))
    # The last row of a group stays: where one of them is held out, it stands behind the others.
    last = np.zeros(table.n_rows, dtype=np.int64)
    np.maximum.at(last, group, np.arange(table.n_rows))
    stays = np.where(last[group] >= n_known, last[group], group)
    gone = np.flatnonzero(stays != np.arange(table.n_rows))
    values, _ = target_values(table, task)
    contradicting = int((values[gone] != values[stays[gone]]).sum())
    return np.flatnonzero(stays == np.arange(table.n_rows)), contradicting
