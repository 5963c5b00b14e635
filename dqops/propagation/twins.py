"""Twin experiments: the same dirt planted where it is not, so that its effect is known."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.errors import DataError, ModelError
from dqops.propagation.trial import Outcome
from dqops.seeds import stream
from dqops.tables.cells import as_numbers, in_type_of
from dqops.tables.meaning import meaning_of

MOST_DIRT = 0.6  # above this share too few rows without the dirt are left to plant it in
FEWEST_ROWS = 60


@dataclass(frozen=True, eq=False)
class Dirt:
    """The doubtful cells of one column, as material for planting.

    Parameters
    ----------
    finding : str
    column : str
    doubtful : bool (n_rows,)
        Rows of the whole table whose cell is doubtful.
    donors : polars.Series
        Recorded doubtful values (null for an empty cell), as many as were seen.
    """

    finding: str
    column: str
    doubtful: np.ndarray
    donors: pl.Series

    @property
    def rate(self):
        """Share of rows with this dirt."""
        return float(self.doubtful.mean())

    @property
    def can_be_planted(self):
        """Whether enough rows without the dirt are left."""
        return self.rate <= MOST_DIRT and (~self.doubtful).sum() >= FEWEST_ROWS


def dirt_of(finding, table):
    """The `Dirt` of a finding in a feature column, None where there is nothing to plant."""
    if finding.whole or finding.column not in table.features or not finding.count:
        return None
    doubtful = np.zeros(table.n_rows, dtype=bool)
    sure = finding.at_least(0.5)
    doubtful[sure.positions] = True
    donors = table.frame[finding.column].gather(sure.positions)
    return Dirt(finding.id, finding.column, doubtful, donors) if doubtful.any() else None


def run_twin(trial, dirt, train_rows, test_rows):
    """`Outcome` of removing planted dirt from rows that have none: what knowing the truth would gain.

    Parameters
    ----------
    trial : Trial
    dirt : Dirt
    train_rows, test_rows : int64
        Positions of the split in the whole table.
    """
    try:
        return _run_twin(trial, dirt, train_rows, test_rows)
    except (ModelError, DataError) as failure:
        return Outcome({}, 0, str(failure))


def _run_twin(trial, dirt, train_rows, test_rows):
    train = trial.train.take(np.flatnonzero(~dirt.doubtful[train_rows]))
    test = trial.test.take(np.flatnonzero(~dirt.doubtful[test_rows]))
    if train.n_rows < FEWEST_ROWS or test.n_rows < 10:
        return Outcome({}, 0, "too few rows without this dirt")
    clean_train, clean_test = _as_read_clean(train, test, dirt.column)
    rng = stream(trial.seed, f"plant:{dirt.finding}")
    dirty_train, dirty_test = (_planted(part, dirt, rng) for part in (train, test))
    clean, dirty = trial.fit(clean_train), trial.fit(dirty_train)
    best = trial.score(clean, clean_test)
    differences = {
        "deployed": best - trial.score(dirty, dirty_test),
        "training": best - trial.score(dirty, test),
        "serving": best - trial.score(clean, _typed(dirty_test, clean_test, dirt.column)),
    }
    return Outcome(differences, int(dirt.rate * (train.n_rows + test.n_rows)))


def _as_read_clean(train, test, column):
    """Both parts with the column typed as it would be without the dirt."""
    if train.frame[column].dtype != pl.String:
        return train, test
    meaning = meaning_of(column, train.raw[column], train.frame[column])
    if meaning.kind != "number":
        return train, test
    return tuple(part.with_columns(as_numbers(part, column)) for part in (train, test))


def _planted(part, dirt, rng):
    hit = np.flatnonzero(rng.random(part.n_rows) < dirt.rate)
    if not len(hit):
        return part
    donors = dirt.donors.gather(rng.integers(dirt.donors.len(), size=len(hit)))
    column = part.frame[dirt.column].scatter(hit, donors)
    return part.with_columns(column)


def _typed(dirty, clean, column):
    if dirty.frame[column].dtype == clean.frame[column].dtype:
        return dirty
    return dirty.with_columns(in_type_of(dirty.frame[column], clean.frame[column]).alias(column))
