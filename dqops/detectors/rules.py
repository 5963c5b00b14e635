"""Cells that break what the columns of the table determine of each other."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from dqops.contracts import Detector
from dqops.tables.blame import columns_of, learn_blame
from dqops.tables.contents import counted
from dqops.tables.encode import levels_of
from dqops.tables.meaning import meaning_of
from dqops.tables.mining import mine, recount
from dqops.tables.misplaced import learn_misplaced
from dqops.tables.sums import learn_arithmetic

_ALL_UP_TO = 60_000  # rows up to which dependencies are searched in all of them
_LEARNED_FROM = 20_000  # rows that they are searched in otherwise
_HASHED = 3  # columns of numbers that may tell rows apart well enough to draw some
_DIFFERENT = 0.9
_REPORTED = 0.2  # probability from which a doubt is told

_ODD = "does not follow from other columns as in the rows alike"
_CAUSE = "other columns follow from another value of this one"
_MISPLACED = "the value of one column stands in the cell of another"
_SUM = "breaks a sum or a product that nearly all rows keep"
_WORDS = ("category", "text", "identifier")


@dataclass(frozen=True)
class Rules(Detector):
    """Cells that break what columns determine of each other, found in the data, with the value that should stand there.

    Dependencies of one or two columns to a third are kept where the other rows of a group foretell its cells so
    well that exceptions are noise, not variety (`dqops.tables.dependencies`). Which cell of a row is wrong is
    decided by what explains the row best (`dqops.tables.blame`). Values that stand in the cell of another column
    while their own is empty are put in their place first (`dqops.tables.misplaced`).

    Examples
    --------
    >>> Rules()
    Rules()
    """

    name = "rules"

    def fit(self, table, design, rng):
        """Learn the dependencies of `table`, and what its columns hold for each other."""
        return self._learned(table)[0]

    def find(self, table):
        """Doubts in `table`, by what was learned."""
        return self._found(table)

    def fit_find(self, table, design, rng):
        """Learn and search the same rows, whose codes are made once."""
        fitted, codes = self._learned(table)
        return fitted._found(table, codes)

    def _learned(self, table):
        """Fitted detector, and the codes of all rows where some of them taught the dependencies."""
        habits = learn_misplaced(_words(table, [name for name in table.searched if table.meanings[name].kind in _WORDS]))
        table = _put_right(table, habits)[0]
        few = _as_if_drawn(table)
        sums = learn_arithmetic(_numbers(table, table.searched, few))
        levels, codes, sizes = _encoded(table, table.searched, few)
        dependencies = mine(codes, sizes, _measures(table))
        used = columns_of(dependencies)
        if len(few) < table.n_rows:
            levels, codes, sizes = _encoded(table, used, None)
            dependencies = recount(dependencies, codes, sizes)
            used = columns_of(dependencies)
        some = {name: codes[name][few] if len(few) < table.n_rows else codes[name] for name in used}
        fitted = self.fitted(
            habits=habits,
            sums=sums,
            blame=learn_blame(dependencies, some, sizes) if used else None,
            levels={name: levels[name] for name in used},
            kinds={name: table.meanings[name].kind for name in used},
        )
        return fitted, {name: codes[name] for name in used} if len(few) < table.n_rows else None

    def _found(self, table, codes=None):
        if not table.n_rows:
            return self.findings()
        doubts = {name: [] for name in table.columns}
        right, moved = _put_right(table, self.habits_)
        for name, doubt in moved:
            doubts[name].append(doubt)
        if self.blame_ is not None and set(self.levels_) <= set(table.columns):
            for name, doubt in self._broken(right, codes):
                doubts[name].append(doubt)
        for name, doubt in self._off(right):
            doubts[name].append(doubt)
        return self.findings(self._group(table, name, parts) for name, parts in doubts.items() if parts)

    def _off(self, table):
        """Cells that break a sum or a product, by column."""
        sums = [one for one in self.sums_ if set(one.columns) <= set(table.columns)]
        numbers = _numbers(table, sorted({name for one in sums for name in one.columns}))
        for one in sums:
            if set(one.columns) <= set(numbers):
                rows = one.broken(numbers)
                for name, (score, meant) in one.explain(numbers, rows).items():
                    told = np.flatnonzero(score >= _REPORTED)
                    yield name, (rows[told], score[told], np.full(len(told), _SUM), pl.Series(name, meant[told]))

    def _broken(self, table, codes):
        """Cells that break a dependency, by column; the codes of the table's cells may be known."""
        if codes is None:
            codes = {name: one.codes(_read_alike(table, name, self.kinds_[name])) for name, one in self.levels_.items()}
        rows = np.flatnonzero(self.blame_.broken(codes))
        for name, (score, belief) in self.blame_.explain({name: cells[rows] for name, cells in codes.items()}).items():
            told = np.flatnonzero(score >= _REPORTED)
            meant = self.levels_[name].text(belief[told])
            yield name, (rows[told], score[told], np.where(belief[told] >= 0, _ODD, _CAUSE), meant)

    def _group(self, table, name, parts):
        """One group a column; where a cell is doubted twice, the surer doubt stands."""
        rows, score, why = (np.concatenate([part[place] for part in parts]) for place in range(3))
        meant = parts[0][3] if len(parts) == 1 else pl.concat([part[3].cast(pl.String) for part in parts])
        order = np.lexsort((-score, rows))
        first = order[np.concatenate(([True], rows[order][1:] != rows[order][:-1]))] if len(rows) else order
        message = f"{name}: {counted(len(first))} {'does' if len(first) == 1 else 'do'} not fit the columns that determine it or follow from it"
        return self.finding(table, name, rows[first], score[first], why[first], message, suggestions=meant.gather(first))


def _words(table, names):
    """Columns of words as text, null where a cell is empty."""
    return {name: table.meanings[name].values for name in names if table.meanings[name].values.dtype == pl.String}


def _put_right(table, habits):
    """The table with misplaced values in their own cells, and each doubt with its column."""
    doubts, columns = [], {}
    for one in habits:
        if not {one.holder, one.owner} <= set(table.columns):
            continue
        texts = {name: columns.get(name, _text_of(table, name)) for name in (one.holder, one.owner)}
        rows, rest, value, score = one.find(texts[one.holder], texts[one.owner])
        if len(rows):
            for name, meant in ((one.holder, rest), (one.owner, value)):
                columns[name] = texts[name].clone().scatter(rows, meant).alias(name)
                doubts.append((name, (rows, score, np.full(len(rows), _MISPLACED), meant)))
    return (table.with_columns(*columns.values()) if columns else table), doubts


def _text_of(table, name):
    """A column as text, null where a cell is empty."""
    values = _read_alike(table, name, "category").values
    return values if values.dtype == pl.String else values.cast(pl.String, strict=False)


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
    if not names:
        return np.zeros(table.n_rows, dtype=np.uint64)
    numbers = [name for name in names if table.frame[name].dtype.is_numeric()]
    some = table.frame.select(numbers[:_HASHED]).head(_ALL_UP_TO // 10)
    tell = len(numbers) >= _HASHED and some.hash_rows().n_unique() >= _DIFFERENT * some.height
    return table.frame.select(numbers[:_HASHED] if tell else names).hash_rows(seed=0).to_numpy()


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


def _numbers(table, names, rows=None):
    """Columns of numbers at these rows or all, NaN where a cell holds none."""
    found = {}
    for name in names:
        meaning = _read_alike(table, name, table.meanings[name].kind if rows is not None else "number")
        if meaning.kind == "number":
            values = meaning.values if rows is None else meaning.values.gather(rows)
            found[name] = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return found


def _measures(table):
    """Columns that measure rather than name: they foretell and are foretold only where they have few levels."""
    return {name for name in table.searched if table.meanings[name].kind in ("number", "date")}


def _read_alike(table, name, kind):
    """The meaning of a column, read as the kind that it had where the rules were learned."""
    meaning = table.meanings[name] if name in table.searched else None
    if meaning is not None and meaning.kind == kind:
        return meaning
    return meaning_of(name, table.raw[name], table.frame[name], kind)
