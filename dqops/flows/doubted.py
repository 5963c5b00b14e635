"""From findings, or candidates that are given, to the doubts that are priced: groups, rows or cells."""

from dataclasses import replace

import numpy as np
import polars as pl

from dqops.cleaners.proposals import propose_candidates
from dqops.errors import DataError, OptionError, UnknownNameError
from dqops.models import target_values
from dqops.propagation.worlds import likeliest_world
from dqops.results.candidates import Candidates, Doubts
from dqops.results.doubt import Doubt
from dqops.results.findings import Findings

BY = ("finding", "row", "cell")


def chosen_findings(findings, asked, table):
    """The findings that are asked for by id, kind or column; all where nothing is asked.

    Raises
    ------
    UnknownNameError
        For a name that is no kind, column or finding here.
    """
    if asked is None:
        return findings
    names = [one.strip() for one in (asked.split(",") if isinstance(asked, str) else asked)]
    kinds = {one.kind for one in findings}
    for name in names:
        if name not in kinds and name not in findings and name not in table.columns:
            raise UnknownNameError("finding, kind or column", name, [*kinds, *(one.id for one in findings), *table.columns])
    return Findings(tuple(one for one in findings if {one.id, one.kind, one.column} & set(names)))


def doubts_of_findings(findings, table, design, *, by="finding", n_candidates, seed):
    """A `Doubt` for each finding whose cells can be something else, and notes on those that have none.

    Parameters
    ----------
    findings : Findings
        Of the rows of `table`, by positions there.
    table : Table
        As read (`dqops.tables.readable.as_read`).
    design : Design
    by : {"finding", "row", "cell"}
        Cells of a group that are probably wrong count as wrong: whether its detector is right is a doubt that they share, and a
        world in which a few of them stand as recorded would be spoilt by those. Single cells keep their recorded value with its
        probability.
    n_candidates, seed : int

    Returns
    -------
    list of Doubt, list of str
    """
    doubts, notes = [], []
    for one in findings:
        if one.whole or not one.count:
            continue
        if by == "finding" and one.column in table.features:
            one = _taken_for_wrong(one)
        truth, why = _truth(one, table, design, n_candidates, seed)
        if truth.n_open or truth.count:
            doubts.append(Doubt(one.id, truth, _repair(one, truth, table), _action(one)))
        else:
            notes.append(f"{one.id} is not priced: {why or 'nothing else could be true of its cells'}")
    return doubts, notes


def _taken_for_wrong(finding):
    """The cells that are probably wrong, as if that were sure; all of them where none is."""
    surest = finding.at_least(0.5)
    return replace(surest, scores=np.ones(surest.count)) if surest.count else finding


def _truth(finding, table, design, n_candidates, seed):
    """What could be true of the cells of a finding, and why nothing could."""
    if finding.kind == "duplicates":
        values = [[True, False]] * finding.count
        weights = [[1 - one, one] for one in finding.scores]
        return Candidates((Doubts.of(None, finding.positions, values, weights, rows=finding.rows),)), ""
    if finding.column == table.roles.target:
        return _true_labels(finding, table, design), ""
    proposed, left = propose_candidates(table, Findings((finding,)), n_candidates=n_candidates, seed=seed)
    return proposed, next((why for _, why in left.values()), "")


def _true_labels(finding, table, design):
    """The recorded label with the probability that it is right, and the one that the model leans to."""
    if finding.suggestions is None:
        return Candidates()
    target = table.target()
    recorded, instead = target.gather(finding.positions), finding.suggestions
    instead = instead.cast(target.dtype, strict=False) if instead.dtype != target.dtype else instead
    _, known = target_values(table, design.task)
    usable = known[finding.positions] & instead.is_not_null().to_numpy() & (recorded != instead).fill_null(False).to_numpy()
    if not usable.any():
        return Candidates()
    here = np.flatnonzero(usable)
    values = [[recorded[int(one)], instead[int(one)]] for one in here]
    weights = [[1 - finding.scores[one], finding.scores[one]] for one in here]
    return Candidates((Doubts.of(finding.column, finding.positions[here], values, weights, rows=finding.rows.gather(here)),))


def _repair(finding, truth, table):
    """What dqops would write: the likeliest value of cells that are probably wrong; rows that probably repeat go."""
    surest = finding.at_least(0.5)
    if not surest.count:
        return None
    return certain(truth.on_rows(surest.rows), table)


def certain(candidates, table):
    """The likeliest candidate of each doubt, alone, in the positions of `table`."""
    candidates = candidates.on_rows(table.row_ids)
    if not candidates.count:
        return None
    world = likeliest_world(candidates)
    groups = [Doubts.of(one.column, one.positions, [[value] for value in values.to_list()], rows=one.rows) for one, values in world.values(0)]
    return Candidates(tuple(groups))


def _action(finding):
    """The repair, as an order."""
    if finding.kind == "duplicates":
        return "drop repeated rows from training"
    what = "doubtful labels" if finding.kind == "labels" else f"doubtful cells of {finding.column!r}"
    return f"write the likeliest value into {what}"


def given_doubts(candidates, table, by):
    """A `Doubt` for each column of candidates that are handed over (for all of them, by rows), and notes.

    Raises
    ------
    OptionError, DataError
        Where they are no candidates, or of other rows or columns.
    """
    if not isinstance(candidates, Candidates):
        raise OptionError("candidates", type(candidates).__name__, "dqops.Candidates")
    if not candidates.count:
        raise DataError("the candidates are empty", "one doubt or more")
    if any(one.rows.dtype != table.row_ids.dtype for one in candidates):
        raise DataError("candidates name rows by ids of another type than the table", f"ids of type {table.row_ids.dtype}")
    columns = (*table.features, table.roles.target, None)
    kept = candidates.of_columns(*columns).on_rows(table.row_ids)
    if not kept.count:
        raise DataError("no candidate is about a feature or the target of a row of the table", "row ids and columns of the table")
    left = candidates.count - kept.count
    notes = [f"{left} doubts are not about features or the target of rows of the table: left out"] if left else []
    for one in kept:
        if one.column is not None:
            _check_type(one, table)
    if by == "row":
        return [Doubt("given", kept, certain(kept, table), "write the likeliest candidates")], notes
    doubts = []
    for column in kept.columns:
        mine = kept.of_columns(column)
        doubts.append(Doubt(f"given:{'rows' if column is None else column}", mine, certain(mine, table), "write the likeliest candidate"))
    return doubts, notes


def _check_type(doubts, table):
    """Refuse values that the column cannot hold."""
    column = table.frame[doubts.column]
    if column.dtype.is_numeric() and not doubts.values.dtype.is_numeric() and doubts.values.cast(pl.Float64, strict=False).null_count():
        raise DataError(f"candidates of {doubts.column!r} hold text and the column numbers", "candidates of the type of their column")


def apart(doubts, by):
    """The doubts, to be priced as wholes, row by row, or cell by cell.

    Parameters
    ----------
    doubts : list of Doubt
        Each about one column, or about whole rows, unless they are taken row by row.
    by : {"finding", "row", "cell"}
    """
    if by == "finding":
        return doubts
    return [replace(one, apart=True, column=one.truth.columns[0] if by == "cell" else None) for one in doubts]
