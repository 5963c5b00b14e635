"""Values that stand in the cell of another column, beside what belongs there, while their own cell is empty."""

from dataclasses import dataclass

import numpy as np
import polars as pl

_LOOKED_AT = 2_000  # rows with an empty cell that show whether its value stands elsewhere
_LEAST = 5  # rows that must show it
_SHARE = 0.5  # share of the rows with an empty cell that must show it
_BY_CHANCE = 0.1  # the same share, at most, where the cell is not empty
_MOST_EMPTY = 0.5
_MOST_LEVELS = 5_000
_PARTS = (r"^(?<rest>.*\S)[\s,;/|]+(?<value>\S+)$", r"^(?<rest>.*\S)[\s,;/|]+(?<value>\S+\s\S+)$", r"^(?<value>\S+)[\s,;/|]+(?<rest>\S.*)$")


@dataclass(frozen=True, eq=False)
class Misplaced:
    """A habit of one column to hold the values of another.

    Parameters
    ----------
    holder, owner : str
    part : str
        Pattern with the groups `rest` and `value`.
    levels, rests : polars.Series of String
        Values of the owner, and of the holder where it holds only its own.
    score : float
        Probability that such a cell is wrong.
    """

    holder: str
    owner: str
    part: str
    levels: pl.Series
    rests: pl.Series
    score: float

    def find(self, holder, owner):
        """Where it shows: positions, what belongs to the holder, what to the owner, and the scores.

        Parameters
        ----------
        holder, owner : polars.Series of String (n,)
            Null where a cell is empty.
        """
        where = np.flatnonzero((owner.is_null() & holder.is_not_null()).to_numpy())
        rest, value = _split(holder.gather(where), self.part)
        hit = value.is_in(self.levels.implode()).fill_null(False)
        known = rest.filter(hit).is_in(self.rests.implode()).to_numpy()
        chosen = where[hit.to_numpy()]
        return chosen, rest.filter(hit), value.filter(hit), np.where(known, (1 + self.score) / 2, self.score)


def learn_misplaced(texts):
    """The `Misplaced` habits of a table.

    Parameters
    ----------
    texts : dict of str to polars.Series of String
        Its columns of words, null where a cell is empty.

    Examples
    --------
    >>> towns = pl.Series(["Bend", "Gary", "Bend OR", "Gary IN"] * 5)
    >>> states = pl.Series(["OR", "IN", None, None] * 5)
    >>> [(one.holder, one.owner) for one in learn_misplaced({"town": towns, "state": states})]
    [('town', 'state')]
    """
    found = []
    for owner, values in texts.items():
        empty = values.null_count()
        if not _LEAST <= empty <= _MOST_EMPTY * len(values):
            continue
        levels = _some(values.drop_nulls()).unique()
        if not 2 <= len(levels) <= _MOST_LEVELS:
            continue
        for holder in texts:
            habit = _habit(holder, owner, texts[holder], values, levels) if holder != owner else None
            if habit is not None:
                found.append(habit)
    return found


def _habit(holder, owner, cells, values, levels):
    """How `holder` holds what belongs to `owner`, or None."""
    odd = _some(cells.filter(values.is_null()).drop_nulls())
    plain = _some(cells.filter(values.is_not_null()).drop_nulls())
    for part in _PARTS:
        hits = _split(odd, part)[1].is_in(levels.implode()).sum()
        if hits < _LEAST or hits < _SHARE * len(odd):
            continue
        chance = float(_split(plain, part)[1].is_in(levels.implode()).fill_null(False).mean() or 0.0)
        if chance <= _BY_CHANCE * hits / len(odd):
            return Misplaced(holder, owner, part, levels.sort(), plain.unique().sort(), float(1 - chance * len(odd) / hits))
    return None


def _split(cells, part):
    groups = cells.str.extract_groups(part).struct.unnest()
    return groups["rest"], groups["value"]


def _some(cells):
    return cells.gather_every(max(1, len(cells) // _LOOKED_AT))
