"""What detectors doubt: cells by the probability that they are wrong, whatever that costs a model."""

import warnings
from dataclasses import dataclass

import polars as pl

import dqops.detectors  # noqa: F401  (registers the detectors)
from dqops.contracts import Detector, Strategy
from dqops.errors import SkippedWarning
from dqops.models.design import Design
from dqops.results.findings import Findings
from dqops.strategies.order import ranked_doubts

# These say nothing about single cells, or need rows to compare with.
_OF_NO_CELL = ("drift", "leakage")


def doubts_of(table, model, seed, rng, *, without=()):
    """`Findings` of all detectors that say something about cells or rows of this table.

    Parameters
    ----------
    table : Table
    model : Model
        Made ready for the table: the detector of labels hears it out of fold.
    seed : int
    rng : numpy.random.Generator
    without : sequence of str
        Names of detectors that are not asked.
    """
    design, found = Design(task=model.task, model=model, seed=seed), Findings()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkippedWarning)
        for name, detector in Detector.known().items():
            if name not in (*_OF_NO_CELL, *without):
                found += detector().fit_find(table, design, rng)
    return Findings(tuple(one for one in found if not one.whole and one.count))


def lines_of(findings, table):
    """One line a doubtful cell or row: row, column, kind, score, reason; of a cell that several doubt, the surest."""
    parts = [
        pl.DataFrame(
            {
                "row": one.rows,
                "column": pl.Series([one.column], dtype=pl.String).new_from_index(0, one.count),
                "kind": pl.Series([one.kind], dtype=pl.String).new_from_index(0, one.count),
                "score": pl.Series(one.scores, dtype=pl.Float64),
                "reason": pl.Series(one.reasons, dtype=pl.String).gather(one.reason_codes),
            }
        )
        for one in findings
    ]
    if not parts:
        texts = dict.fromkeys(("column", "kind"), pl.String)
        return pl.DataFrame(schema={"row": table.row_ids.dtype, **texts, "score": pl.Float64, "reason": pl.String})
    lines = pl.concat(parts).sort("score", descending=True, maintain_order=True)
    return lines.group_by("row", "column", maintain_order=True).agg(pl.col("kind").str.join("+"), pl.col("score", "reason").first())


@dataclass
class DetectorScore(Strategy):
    """Doubtful cells by the score of their detector: how surely they are wrong, not what they cost."""

    name = "detector"

    def rank(self, table, model, holdout, rng):
        lines = lines_of(doubts_of(table, model, int(rng.integers(2**31)), rng), table)
        return ranked_doubts(self.name, table, lines.drop("score", "reason"), lines["score"].to_numpy(), lines["reason"].to_list())
