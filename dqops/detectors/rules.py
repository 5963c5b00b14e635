"""Cells that break what the columns of the table determine of each other."""

from dataclasses import dataclass

import numpy as np

from dqops.contracts import Detector
from dqops.tables.blame import learn_blame
from dqops.tables.encode import levels_of
from dqops.tables.meaning import meaning_of
from dqops.tables.mining import mine

_LEARNED_FROM = 50_000  # rows that dependencies are searched in
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
        levels = {name: levels_of(table.meanings[name]) for name in table.searched}
        codes = {name: one.codes(table.meanings[name]) for name, one in levels.items()}
        sizes = {name: one.size for name, one in levels.items()}
        order = _as_if_drawn(table)
        dependencies = mine({name: cells[order] for name, cells in codes.items()}, sizes)
        blame = learn_blame(dependencies, {name: cells[order] for name, cells in codes.items()}, sizes) if dependencies else None
        used = blame.columns if blame else []
        kinds = {name: table.meanings[name].kind for name in used}
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
    """Row positions in an order that depends on what the rows hold alone, at most `_LEARNED_FROM` of them."""
    hashes = table.frame.select(table.searched).hash_rows(seed=0).to_numpy() if table.searched else np.zeros(table.n_rows)
    if len(hashes) <= _LEARNED_FROM:
        return np.argsort(hashes, kind="stable")
    chosen = np.argpartition(hashes, _LEARNED_FROM)[:_LEARNED_FROM]
    return chosen[np.argsort(hashes[chosen], kind="stable")]


def _read_alike(table, name, kind):
    """The meaning of a column, read as the kind that it had where the rules were learned."""
    meaning = table.meanings[name] if name in table.searched else None
    if meaning is not None and meaning.kind == kind:
        return meaning
    return meaning_of(name, table.raw[name], table.frame[name], kind)
