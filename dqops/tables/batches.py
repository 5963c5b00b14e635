"""Which doubts are handed out next, and the sheet that a person sees."""

import numpy as np
import polars as pl

from dqops.errors import OptionError
from dqops.tables.cells import row_places
from dqops.tables.exact import texts_of


def waiting_cells(answers, batches):
    """Cells that were handed out and nobody answered."""
    return {cell for batch in batches for cell in batch["cells"]} - {*answers}


def next_places(cells, answers, batches, n, *, reviewer=None, again=False, overlap=0.0):
    """Places of the next cells to be asked, at most n.

    Parameters
    ----------
    cells : list of (row, column)
        Open doubts, best first; those that were answered are to be asked again, and come first.
    answers : dict
        ``(row, column): {who: entry}``.
    batches : list of dict
        With reviewer and cells.
    n : int
    reviewer : str, optional
        Who gets them: cells that this person answered or holds are passed over.
    again : bool
        Hand out what was handed out and not answered once more.
    overlap : float
        Share of n that goes to cells which others hold, in [0, 1].

    Examples
    --------
    >>> batches = [{"reviewer": "ann", "cells": [(1, "a"), (2, "a")]}]
    >>> next_places([(1, "a"), (2, "a"), (3, "a"), (4, "a")], {}, batches, 2, reviewer="bob", overlap=0.5)
    [0, 2]
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise OptionError("n", n, "an integer of 1 or more")
    if not 0 <= overlap <= 1:
        raise OptionError("overlap", overlap, "a share in [0, 1]")
    waiting, own = waiting_cells(answers, batches), _held(batches, reviewer)
    answered = {cell for cell, told in answers.items() if reviewer in told}
    asked, shared, fresh = [], [], []
    for place, cell in enumerate(cells):
        if cell in answers:
            asked += [] if cell in answered else [place]
        elif cell not in waiting or again:
            fresh.append(place)
        elif cell not in own:
            shared.append(place)
    # What is to be asked again comes first: one more answer may settle it.
    return [*asked, *shared[: round(overlap * n)], *fresh][: int(n)]


def _held(batches, reviewer):
    """Cells that this person holds."""
    return {cell for batch in batches if reviewer is not None and batch["reviewer"] == reviewer for cell in batch["cells"]}


def sheet_of(table, lines, reviewer=None):
    """The columns that a person sees.

    Parameters
    ----------
    table : Table
    lines : polars.DataFrame
        row, column, recorded, suggestion, reason of each doubt.
    reviewer : str, optional

    Returns
    -------
    polars.DataFrame
        row, column, recorded, suggestion, why, answer (empty), reviewer, then all cells of the row as ``row.NAME``.
    """
    shown = lines.select("row", "column", "recorded", "suggestion", pl.col("reason").alias("why"), pl.lit("").alias("answer"), pl.lit(reviewer or "").alias("reviewer"))
    places = row_places(table.row_ids, lines["row"])
    return shown.with_columns(*(texts_of(table.raw[name].gather(places)).alias(f"row.{name}") for name in table.columns))
