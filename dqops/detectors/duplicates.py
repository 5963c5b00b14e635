"""Rows that stand in the table twice, word by word or nearly, also with another target."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.contracts import Detector
from dqops.tables.contents import counted
from dqops.tables.repeats import describing, hash_cells, repeats
from dqops.tables.similarity import near_repeats

# Scores below this are coincidences; they are not worth a line in a table of few categories.
_LEAST = 0.05
# Levels from which a numeric target counts as measured, not as a class.
_MEASURED = 20
_WORDS = ("text", "category", "identifier")

_REPEATS = "repeats another row"
_NEARLY = "nearly repeats another row"
_CONTRADICTS = "repeats a row, but the target differs"
_NEARLY_CONTRADICTS = "nearly repeats a row, but the target differs"


@dataclass(frozen=True)
class Duplicates(Detector):
    """Rows that repeat an earlier one, scored by how surely that is no coincidence.

    Running numbers and codes are looked through. Two equal rows of a few answers mean nothing, two equal rows of
    measurements do: see `dqops.tables.repeats.repeats`. Near copies are sought where texts tell rows apart: see
    `dqops.tables.similarity.near_repeats`. Copies that disagree in the target are a sign of wrong labels.

    Parameters
    ----------
    near : bool, default True
        Seek near copies, too.

    Examples
    --------
    >>> Duplicates(near=False)
    Duplicates(near=False)
    """

    name = "duplicates"
    near: bool = True

    def find(self, table):
        names = describing(table.frame, table.features)
        if not names or table.n_rows < 2:
            return self.findings()
        frame = table.frame.select(names)
        first, score = _exact(frame, table)
        nearly = np.zeros(table.n_rows, dtype=bool)
        left_out = 0
        if self.near:
            rows = np.flatnonzero((first == np.arange(table.n_rows)) | (score < 0.5))
            likeness = near_repeats(frame, _texts(table, names), rows)
            left_out = len(rows) - likeness.searched
            nearly, first, score = _with_near(likeness, first, score)
        positions = np.flatnonzero((first != np.arange(table.n_rows)) & (score >= _LEAST))
        if not (score[positions] >= 0.5).any():
            return self.findings()
        differs = _differs(table, positions, first[positions])
        whys = _whys(nearly[positions], differs)
        message = _message(score[positions], nearly[positions], differs, left_out)
        return self.findings(
            [self.finding(table, None, positions, score[positions], whys, message, related=first[positions])]
        )


def _exact(frame, table):
    """First equal row and score: equal in the target, too, where there is one such, else in the features."""
    found = repeats(frame, _row_hashes(frame, table))
    first, score = found.first.copy(), found.score.copy()
    target = table.roles.target
    if target is None or not len(found.later):
        return first, score
    alike = repeats(frame.with_columns(table.frame[target].alias(target)))
    surer = alike.later[alike.score[alike.later] >= score[alike.later]]
    first[surer], score[surer] = alike.first[surer], alike.score[surer]
    if table.frame[target].dtype.is_numeric() and table.frame[target].n_unique() > _MEASURED:
        # What is measured again under one condition differs, and is no copy.
        again = np.setdiff1d(found.later, alike.later)
        score[again] *= alike.score[alike.later].sum() / max(len(found.later), 1)
    return first, score


def _row_hashes(frame, table):
    """Of these columns of a table: of all, less those left out; None where those are the more."""
    others = set(table.columns) - set(frame.columns)
    if len(others) > frame.width:
        return None
    total = table.hashed.rows.copy()
    for name in others:
        total -= hash_cells(table.frame, name)
    return total


def _texts(table, names):
    held = [name for name in names if table.frame[name].dtype == pl.String]
    return [name for name in held if table.meanings[name].kind in _WORDS]


def _with_near(likeness, first, score):
    """Exact and near copies together: a near group's first row stands for its exact repeats, too."""
    nearly = (likeness.first != np.arange(len(first))) & (likeness.score > score)
    first = np.where(nearly, likeness.first, first)
    return nearly, first[first], np.where(nearly, likeness.score, score)


def _differs(table, positions, related):
    """Is the target another one than that of the related row?"""
    if table.roles.target is None:
        return np.zeros(len(positions), dtype=bool)
    target = table.frame[table.roles.target]
    return target.gather(positions).ne_missing(target.gather(related)).to_numpy()


def _whys(nearly, differs):
    exact = np.where(differs, _CONTRADICTS, _REPEATS)
    return np.where(nearly, np.where(differs, _NEARLY_CONTRADICTS, _NEARLY), exact)


def _message(score, nearly, differs, left_out):
    likely = score >= 0.5
    parts = []
    for mask, what in ((~nearly, "equal"), (nearly, "nearly equal")):
        count = int((likely & mask).sum())
        if count:
            parts.append(f"{count} {'row is' if count == 1 else 'rows are'} {what} to an earlier one")
    text = " and ".join(parts) or "no row surely repeats an earlier one"
    unsure = int((~likely).sum())
    if unsure:
        text += f"; {counted(unsure, 'row')} may be a copy" if unsure == 1 else f"; {counted(unsure, 'row')} may be copies"
    if (likely & differs).any():
        text += f"; {int((likely & differs).sum())} of them with another target, so that one of the labels is doubtful"
    if left_out:
        text += f" (near copies were not sought among {left_out} further rows)"
    return text + "."
