"""The plan of a review: what people answered, joined with automatic repairs, kept where `dqops clean` finds it."""

from dataclasses import replace

import polars as pl

from dqops.errors import DataError
from dqops.flows.rewrite import held_plan
from dqops.results.plan import CleaningPlan

CLEANER = "review"
REPAIRS = "repairs"
_TRAIL = ("kind", "cleaner", "why", "confidence", "who", "when")


def answered_plan(table, cells, repairs, settings):
    """The plan that writes what people answered, and the repairs that do not stand against it.

    Parameters
    ----------
    table : Table
    cells : polars.DataFrame
        Settled cells: row, column, kind, verdict, value, confidence, who, when.
    repairs : CleaningPlan or None
        Automatic repairs; a cell that people found right is left alone.
    settings : dict

    Returns
    -------
    CleaningPlan

    Raises
    ------
    DataError
        Where the repairs are for another table.
    """
    trail = (pl.lit(CLEANER).alias("cleaner"), pl.lit("answered by a person").alias("why"), pl.col("when").str.to_datetime(time_unit="us"))
    told = cells.with_columns(*trail, pl.col("value").alias("after"))
    wrong, gone = told.filter(pl.col("verdict").is_in(["value", "empty"])), told.filter(pl.col("verdict") == "drop")
    plan = CleaningPlan.of(table, wrong.select("row", "column", "after", *_TRAIL), drop=gone["row"].to_list(), cleaner=CLEANER)
    if gone.height:
        dropped = plan.dropped.select("row", "position").join(gone.select("row", *_TRAIL), on="row", how="left", maintain_order="left")
        plan = replace(plan, dropped=dropped)
    plan = replace(plan, settings=settings)
    if repairs is None:
        return plan
    _refuse_other(repairs, table)
    right = cells.filter(pl.col("verdict").is_in(["right", "keep"]))
    of_rows = right["column"].is_null()
    spared = repairs.less(right.filter(~of_rows), right.filter(of_rows), {*repairs.types})
    return replace(plan.merge(spared, prefer="first"), settings=repairs.settings | settings).keeping(table)


def not_repaired(doubts, repairs, table, certain):
    """The doubts that repairs do not settle, ranked anew, and how many they do.

    Parameters
    ----------
    doubts : polars.DataFrame
        rank, row, column and more.
    repairs : CleaningPlan or None
    table : Table
    certain : float
        Confidence from which a change settles a doubt.
    """
    if repairs is None:
        return doubts, 0
    _refuse_other(repairs, table)
    changed = pl.concat([repairs.changes.select("row", "column", "confidence"), repairs.dropped.select("row", pl.lit(None, dtype=pl.String).alias("column"), "confidence")])
    sure = changed.filter(pl.col("confidence") >= certain)
    rest = doubts.join(sure, on=["row", "column"], how="anti", nulls_equal=True, maintain_order="left")
    rest = rest.filter(~pl.col("row").is_in(sure.filter(pl.col("column").is_null())["row"].implode()))
    return rest.with_columns(rank=pl.int_range(1, rest.height + 1, dtype=pl.Int64)), doubts.height - rest.height


def _refuse_other(repairs, table):
    if repairs.data["fingerprint"] != table.fingerprint:
        raise DataError(f"the repairs are for another table, {repairs.data['name']}", f"a plan for {table.name}, unchanged")


def write_plan(review, folder):
    """Write the plan of a review to a folder, joined with the repairs of the plan that it holds.

    Repairs that were there first are kept in the folder of the review, so that a retracted answer gives them back.

    Parameters
    ----------
    review : Review
    folder : path

    Returns
    -------
    CleaningPlan

    Raises
    ------
    DataError
        Where the folder holds the plan of another table.
    """
    held, repairs = held_plan(folder), held_plan(review.folder / REPAIRS)
    if held is not None and held.data["fingerprint"] != review.table.fingerprint:
        raise DataError(f"the plan in {folder} is for another table, {held.data['name']}", f"a folder without a plan, or one for {review.table.name}")
    if held is not None and "review" not in held.settings:
        repairs = held
        repairs.save(review.folder / REPAIRS)
    plan = review.plan(repairs)
    plan.save(folder)
    return plan
