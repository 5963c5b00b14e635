"""Records as a person is asked for them: which are doubtful, what was answered of them, and the order as a ranking."""

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from dqops.contracts import Strategy
from dqops.errors import OptionError
from dqops.results.candidates import Candidates
from dqops.strategies.doubtful_cells import lines_of
from dqops.strategies.order import ranked_doubts
from dqops.tables.cells import row_places


@dataclass
class RecordStrategy(Strategy):
    """A strategy that asks for whole records and remembers which cells were answered."""

    answered: dict = field(default_factory=dict, init=False, repr=False)

    def tell(self, row, column, value):
        self.answered.setdefault(row, set()).update([column] if column is not None or not isinstance(value, dict) else [None, *value])
        return self

    def is_known(self, row):
        """Was the record answered as a whole?"""
        return None in self.answered.get(row, ())

    def check_task(self, task, reason):
        """Refuse a task that the strategy is not for."""
        if task not in self.tasks:
            raise OptionError("strategy", self.name, f"a {' or '.join(self.tasks)} target: {reason}")


def doubtful_records(findings, table, answered):
    """One line a record that is doubtful and not answered: row, position, wrong, kind, reason.

    Parameters
    ----------
    findings : Findings
    table : Table
    answered : dict
        Answered columns by row; None among them stands for the whole record.

    Returns
    -------
    polars.DataFrame
        The likeliest to be wrong first; `wrong` is the probability that some cell is, cells being independent.
    """
    lines = lines_of(findings, table)
    told = [None in (cells := answered.get(row, ())) or column in cells for row, column in lines.select("row", "column").iter_rows()]
    lines = lines.filter(~pl.Series(told, dtype=pl.Boolean))
    known = lines.with_columns(position=row_places(table.row_ids, lines["row"]), right=1 - pl.col("score").clip(0, 1))
    records = known.group_by("row", "position", maintain_order=True).agg(
        wrong=1 - pl.col("right").product(), kind=pl.col("kind").unique(maintain_order=True).str.join("+"), reason=pl.col("reason").first()
    )
    return records.sort("wrong", "position", descending=[True, False])


def ranked_records(strategy, table, records, worth, reasons, *, warnings=()):
    """`Ranking` of these records, those of the largest worth first; equal ones as they come.

    Parameters
    ----------
    strategy : str
    table : Table
    records : polars.DataFrame
        As `doubtful_records` makes them.
    worth : float64 (n,)
        In the strategy's own unit: an order, not a forecast.
    reasons : sequence of str (n,)
    warnings : sequence of str
    """
    doubts = records.select("row", pl.lit(None, dtype=pl.String).alias("column"), "kind")
    ranking = ranked_doubts(strategy, table, doubts, np.asarray(worth, dtype=np.float64), reasons)
    return replace(ranking, warnings=tuple(dict.fromkeys(warnings)))


def unanswered(candidates, answered):
    """The doubts of `Candidates` that no answer has settled."""
    kept = []
    for one in candidates:
        told = [None in (cells := answered.get(row, ())) or one.column in cells for row in one.rows.to_list()]
        if not all(told):
            kept.append(one.select_at(np.flatnonzero(~np.array(told, dtype=bool))))
    return Candidates(tuple(kept))
