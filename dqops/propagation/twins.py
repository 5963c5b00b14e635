"""Twin experiments: the same dirt planted where it is not, so that its effect is known."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.tables.cells import in_type_of

FEWEST_ROWS = 60  # without the dirt, to plant it in
_MOST_PLANTED = 0.5  # of the rows without the dirt


@dataclass(frozen=True, eq=False)
class Dirt:
    """The doubtful cells of one column, as material for planting.

    Parameters
    ----------
    finding, column : str
    doubtful : polars.Series
        Ids of the rows whose cell is doubtful.
    rate : float
        Their share of the rows, in (0, 1).
    donors : polars.Series
        Recorded doubtful values, null for an empty cell.
    """

    finding: str
    column: str
    doubtful: pl.Series
    rate: float
    donors: pl.Series

    @property
    def planted_rate(self):
        """Share of the rows that dirt is planted in: as much as was found, where there is room for it."""
        return min(self.rate, _MOST_PLANTED * (1 - self.rate))

    def planted(self, table, recorded, rng):
        """`table` with this dirt in cells that had none.

        Parameters
        ----------
        table : Table
            Repaired rows.
        recorded : Table
            The same rows as recorded: the dirty column is of that type, so that what turned numbers into text
            does so again.
        rng : numpy.random.Generator

        Returns
        -------
        Table
        """
        column = in_type_of(table.frame[self.column], recorded.frame[self.column])
        free = np.flatnonzero(~table.row_ids.is_in(self.doubtful.implode()).to_numpy())
        wanted = min(round(self.planted_rate * table.n_rows), len(free))
        hit = np.sort(rng.choice(free, wanted, replace=False))
        donors = self.donors.gather(rng.integers(self.donors.len(), size=wanted))
        return table.with_columns(column.scatter(hit, donors).alias(self.column))


def dirt_of(finding, table):
    """The `Dirt` of a finding in a feature column, None where there is nothing, or nowhere, to plant.

    Parameters
    ----------
    finding : Finding
    table : Table
    """
    if finding.whole or finding.column not in table.features:
        return None
    sure = finding.at_least(0.5)
    rate = sure.count / max(table.n_rows, 1)
    if not sure.count or table.n_rows - sure.count < FEWEST_ROWS:
        return None
    donors = table.frame[finding.column].gather(sure.positions)
    return Dirt(finding.id, finding.column, sure.rows, rate, donors)

