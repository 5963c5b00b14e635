"""What a few answered rows tell of all other doubts: scores of findings by column, kind and reason, and which rows to ask."""

from dataclasses import replace

import numpy as np
import polars as pl
from scipy.special import betainc, expit, logit

from dqops.errors import DataError, OptionError, UnknownColumnError
from dqops.results.findings import Finding, Findings
from dqops.tables.cells import row_places

FOUND = 0.5
ANSWERED = "answers"
_STRENGTH = 2.0  # answers that the scores of a detector count for: its doubts of one reason are mostly all right, or all wrong
_EDGE = 0.01  # a mean score is this far from 0 and 1 at least


def recalibrate(findings, answers, table, *, strength=_STRENGTH):
    """Findings whose scores take in what people said of some of the cells.

    Doubts of one column, kind and reason are mostly all right, or all wrong. The share of right ones among them gets a Beta
    posterior: `strength` answers at their mean score, and the answers there are. The scores of all its cells are moved by
    the difference (as logits); cells that were answered are sure. Answered cells that were wrong and nobody doubted become a
    finding of kind ``answers``.

    Parameters
    ----------
    findings : Findings
    answers : polars.DataFrame
        row (id), column, wrong (Boolean): cells that a person looked at.
    table : Table
        That was searched.
    strength : float
        More than 0.

    Returns
    -------
    Findings

    Raises
    ------
    DataError, UnknownColumnError
        For answers about rows or columns that are not there.

    Notes
    -----
    O(doubts).

    Examples
    --------
    >>> from dqops.detectors.missing import Missing
    >>> from dqops.tables.io import read
    >>> table = read(pl.DataFrame({"end": [None, *"abcdefghij", None, None], "y": range(13)}))
    >>> found = Missing().fit_find(table, None, None)
    >>> fewer = recalibrate(found, pl.DataFrame({"row": [0, 11], "column": ["end"] * 2, "wrong": [False] * 2}), table)
    >>> bool(found["missing:end"].scores[2] > 0.5), bool(fewer["missing:end"].scores[2] < 0.5)
    (True, True)
    """
    if isinstance(strength, bool) or not isinstance(strength, int | float) or not strength > 0:
        raise OptionError("strength", strength, "a number above 0")
    said = _said(answers, table)
    groups = [_moved(one, said.get(one.column), strength) for one in findings]
    return Findings(tuple(groups + _fresh(findings, said, table)))


def rows_to_ask(findings, table, answers=None, n=20, *, strength=_STRENGTH):
    """Ids of the rows whose answers are expected to put most scores right, best first.

    A row is worth the cells that may be on the wrong side of a score of 0.5: over its reasons that were asked least for
    their number of cells, the probability that most of them are not what they are taken for. After each row that is chosen,
    its answers are taken to be those that are expected.

    Parameters
    ----------
    findings : Findings
    table : Table
    answers : polars.DataFrame, optional
        As for `recalibrate`; rows of it are not asked again.
    n : int
        At most so many rows, 1 or more.
    strength : float

    Returns
    -------
    polars.Series

    Notes
    -----
    O(doubts) a row.
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise OptionError("n", n, "an integer of 1 or more")
    said = {} if answers is None else _said(answers, table)
    parts = [one for one in findings if not one.whole and one.column is not None and one.count]
    right, wrong, size, position, reason = [], [], [], [], []
    for one in parts:
        known = _known(one, said.get(one.column))
        for code in np.unique(one.reason_codes):
            cells = one.reason_codes == code
            alpha, beta = _posterior(one.scores[cells], known[cells], strength)
            position.append(one.positions[cells])
            reason.append(np.full(cells.sum(), len(size)))
            right.append(alpha)
            wrong.append(beta)
            size.append(np.isnan(known[cells]).sum())
    if not size:
        return table.row_ids.head(0)
    position, reason = np.concatenate(position), np.concatenate(reason)
    asked = np.zeros(table.n_rows, dtype=bool)
    for of_column in said.values():
        asked[~np.isnan(of_column)] = True
    return table.row_ids.gather(_greedy(position, reason, np.array(right), np.array(wrong), np.array(size), asked, int(n)))


def _greedy(position, reason, right, wrong, size, asked, n):
    """Positions of the rows worth most, one after the other."""
    chosen = []
    for _ in range(min(n, int((~asked).sum()))):
        mean = right / (right + wrong)
        stakes = size * np.where(mean >= FOUND, betainc(right, wrong, FOUND), 1 - betainc(right, wrong, FOUND))
        worth = np.bincount(position, stakes[reason], len(asked))
        worth[asked] = -1.0
        row = int(worth.argmax())
        asked[row] = True
        chosen.append(row)
        here = np.unique(reason[position == row])
        right[here] += mean[here]
        wrong[here] += 1 - mean[here]
    return chosen


def _said(answers, table):
    """By column, what was said of each row: 1 wrong, 0 right, NaN nothing; float64 (n,)."""
    absent = [name for name in ("row", "column", "wrong") if name not in answers.columns]
    if absent:
        raise DataError(f"the answers have no column {absent[0]!r}", "row, column and wrong")
    places = row_places(table.row_ids, answers["row"])
    if len(places) and places.min() < 0:
        raise DataError(f"row {answers['row'][int(places.argmin())]!r} is not in the table", "row ids of the table")
    said = {}
    for place, column, wrong in zip(places.tolist(), answers["column"], answers["wrong"], strict=True):
        if column not in table.columns:
            raise UnknownColumnError("column", column, table.columns, table.name)
        if wrong is not None:
            said.setdefault(column, np.full(table.n_rows, np.nan))[place] = float(wrong)
    return said


def _known(finding, said):
    """What was said of each cell of a finding."""
    return np.full(finding.count, np.nan) if said is None else said[finding.positions]


def _posterior(scores, known, strength):
    """Beta posterior of the share of doubts that are right."""
    mean = float(np.clip(scores.mean(), _EDGE, 1 - _EDGE))
    told = known[~np.isnan(known)]
    return strength * mean + told.sum(), strength * (1 - mean) + (1 - told).sum()


def _moved(finding, said, strength):
    """The finding with the scores that answers leave."""
    if said is None or finding.whole or finding.column is None or not finding.count:
        return finding
    known, scores = _known(finding, said), finding.scores.astype(np.float64)
    for code in np.unique(finding.reason_codes):
        cells = finding.reason_codes == code
        if np.isnan(known[cells]).all():
            continue
        alpha, beta = _posterior(finding.scores[cells], known[cells], strength)
        before = np.clip(finding.scores[cells], _EDGE, 1 - _EDGE)
        scores[cells] = expit(logit(before) + logit(alpha / (alpha + beta)) - logit(before.mean()))
    return replace(finding, scores=np.where(np.isnan(known), scores, known))


def _fresh(findings, said, table):
    """Wrong cells that nobody doubted, as findings."""
    groups = []
    for column, of_rows in said.items():
        wrong = np.flatnonzero(of_rows == 1.0)
        for one in findings:
            if one.column == column and not one.whole:
                wrong = np.setdiff1d(wrong, one.positions)
        if len(wrong):
            groups.append(_finding(table, column, wrong))
    return groups


def _finding(table, column, positions):
    return Finding(
        kind=ANSWERED,
        column=column,
        positions=positions,
        rows=table.row_ids.gather(positions),
        scores=np.ones(len(positions)),
        values=table.raw[column].gather(positions).cast(pl.String, strict=False),
        suggestions=None,
        reasons=("a person said so",),
        reason_codes=np.zeros(len(positions), dtype=np.int32),
        related=None,
        message=f"{len(positions)} cells are wrong, as a person said",
        n_rows=table.n_rows,
    )
