"""Cells that break what the columns of the table determine of each other."""

from dataclasses import dataclass, replace

import numpy as np

from dqops.contracts import Detector
from dqops.tables.blame import columns_of, learn_blame
from dqops.tables.encode import levels_of
from dqops.tables.meaning import meaning_of
from dqops.tables.mining import mine, recount

_ALL_UP_TO = 60_000  # rows up to which dependencies are searched in all of them
_LEARNED_FROM = 30_000  # rows that they are searched in otherwise
_HASHED = 3  # columns of numbers that tell rows apart well enough to draw some
_REPORTED = 0.2  # probability from which a doubt is told

_ODD = "does not follow from other columns as in the rows alike"
_CAUSE = "other columns follow from another value of this one"


@dataclass(frozen=True)
class Rules(Detector):
    """Cells that break a dependency between columns, found in the data, with the value that should stand there.

    Dependencies of one or two columns to a third are kept where the other rows of a group foretell its cells so
    well that exceptions are noise, not variety (`dqops.tables.dependencies`). Which cell of a row is wrong is
    decided by what explains the row best (`dqops.tables.blame`).

    Examples
    --------
    >>> Rules()
    Rules()
    """

    name = "rules"

    def fit(self, table, design, rng):
        """Learn the dependencies of `table`."""
        few = _as_if_drawn(table)
        levels, codes, sizes = _encoded(table, table.searched, few)
        dependencies = mine(codes, sizes, _counted(table))
        used = columns_of(dependencies)
        if len(few) < table.n_rows:
            levels, codes, sizes = _encoded(table, used, None)
        dependencies = recount(dependencies, codes, sizes)
        used = columns_of(dependencies)
        some = {name: codes[name][few] if len(few) < table.n_rows else codes[name] for name in used}
        kinds = {name: table.meanings[name].kind for name in used}
        blame = learn_blame(dependencies, some, sizes) if used else None
        return self.fitted(blame=blame, levels={name: levels[name] for name in used}, kinds=kinds)

    def find(self, table):
        """Doubts in `table`, by the dependencies that were learned."""
        if self.blame_ is None or not table.n_rows or not set(self.levels_) <= set(table.columns):
            return self.findings()
        codes = {name: one.codes(_read_alike(table, name, self.kinds_[name])) for name, one in self.levels_.items()}
        rows = np.flatnonzero(self.blame_.broken(codes))
        wrong = self.blame_.explain({name: cells[rows] for name, cells in codes.items()})
        return self.findings(self._group(table, name, rows, *wrong[name]) for name in table.columns if name in wrong)

    def _group(self, table, name, rows, score, belief):
        told = np.flatnonzero(score >= _REPORTED)
        why = np.where(belief[told] >= 0, _ODD, _CAUSE)
        message = f"{name}: {len(told)} cells do not fit the columns that determine it or follow from it"
        suggestions = self.levels_[name].text(belief[told])
        return self.finding(table, name, rows[told], score[told], why, message, suggestions=suggestions)


def _as_if_drawn(table):
    """Row positions in an order that depends on what the rows hold alone, some of them where there are many."""
    hashes = _row_hashes(table)
    if len(hashes) <= _ALL_UP_TO:
        return np.argsort(hashes, kind="stable")
    chosen = np.argpartition(hashes, _LEARNED_FROM)[:_LEARNED_FROM]
    return chosen[np.argsort(hashes[chosen], kind="stable")]


def _row_hashes(table):
    """uint64 (n,): a number for each row; of its numbers alone where there are enough, as they are quicker."""
    names = sorted(table.searched)
    numbers = [name for name in names if table.frame[name].dtype.is_numeric()]
    chosen = numbers[:_HASHED] if len(numbers) >= _HASHED else names
    return table.frame.select(chosen).hash_rows(seed=0).to_numpy() if chosen else np.zeros(table.n_rows, dtype=np.uint64)


def _encoded(table, names, rows):
    """Levels, codes and sizes of these columns, at these rows or all."""
    levels, codes = {}, {}
    for name in names:
        meaning = table.meanings[name] if rows is None else _at(table.meanings[name], rows)
        levels[name] = levels_of(meaning)
        codes[name] = levels[name].codes(meaning)
    return levels, codes, {name: one.size for name, one in levels.items()}


def _at(meaning, rows):
    """The meaning at some rows."""
    return replace(meaning, values=meaning.values.gather(rows), unreadable=meaning.unreadable[rows])


def _counted(table):
    """Columns that measure rather than name: they foretell and are foretold only where they have few levels."""
    return {name for name in table.searched if table.meanings[name].kind in ("number", "date")}


def _read_alike(table, name, kind):
    """The meaning of a column, read as the kind that it had where the rules were learned."""
    meaning = table.meanings[name] if name in table.searched else None
    if meaning is not None and meaning.kind == kind:
        return meaning
    return meaning_of(name, table.raw[name], table.frame[name], kind)
