"""A review that is under way: batches out, answers in, and what the rest is worth."""

from pathlib import Path

import polars as pl

from dqops.errors import DataError, OptionError
from dqops.flows.joined import REPAIRS, answered_plan
from dqops.flows.rewrite import held_plan
from dqops.flows.taking import absent_lines, lines_of, taken_of
from dqops.models.review_answers import resolved_reviews
from dqops.propagation.answered import after_answers
from dqops.results.ranking import COLUMNS, Ranking
from dqops.results.review_status import ReviewStatus
from dqops.tables.answers import Understanding
from dqops.tables.batches import next_places, sheet_of, waiting_cells
from dqops.tables.label_studio import write_tasks
from dqops.tables.review_folder import now
from dqops.tables.sheets import write_sheet

FORMS = {"csv": ".csv", "excel": ".xlsx", "label-studio": ".json"}
_KEPT = ("verdict", "value", "who", "row", "column")


class Review:
    """A review that is under way; `dqops.review` starts one, or goes on with it.

    Parameters
    ----------
    table : Table
    kept : ReviewFolder
        Every change is written there at once, so that a review can be gone on with after any interruption.
    """

    def __init__(self, table, kept):
        self.table, self.kept = table, kept
        self._answers, self._batches = kept.told()

    @property
    def folder(self):
        """Where the review is kept."""
        return self.kept.folder

    def ranking(self):
        """The doubts that are still open, best first, their gains moved by what was answered."""
        cells, _ = self._resolved()
        closed = {(row, column) for row, column, state in cells.select("row", "column", "state").iter_rows() if state != "again"}
        told = [(*group, _outcome(verdict)) for *group, verdict in self._with_kinds(cells).select("kind", "column", "reason", "verdict").iter_rows()]
        doubts = after_answers(self.kept.doubts.select(list(COLUMNS)), told, closed)
        return Ranking(doubts=doubts, **{**self.kept.ranking, "warnings": tuple(self.kept.ranking["warnings"])})

    def batch(self, n=50, *, reviewer=None, again=False, overlap=0.0):
        """The next n doubts to be asked, as a polars frame; they count as handed out.

        Parameters
        ----------
        n : int
        reviewer : str, optional
            Who gets them: cells that this person answered or holds are passed over.
        again : bool
            Hand out what was handed out and not answered once more.
        overlap : float
            Share of the batch that others were asked, too, in [0, 1]: it tells how skilled each person is.

        Returns
        -------
        polars.DataFrame
            row, column, recorded, suggestion, why, answer (empty), reviewer, then the row's cells as ``row.NAME``. Cells to be
            asked again, since people differ about them, come first.
        """
        lines = self._next(n, reviewer, again, overlap)
        self._hand_out(lines, reviewer)
        return lines

    def write_batch(self, path=None, n=50, *, form="csv", reviewer=None, again=False, overlap=0.0):
        """Write the next batch for people to fill in, and hand it out.

        Parameters
        ----------
        path : path, optional
            By default ``batch-NUMBER`` in the folder of the review.
        n, reviewer, again, overlap
            As for `batch`.
        form : {"csv", "excel", "label-studio"}
            Of Label Studio, tasks to import and the interface (``.xml``) beside them.

        Returns
        -------
        Path, int
            The file and how many cells it asks about; no file is written where nothing is left.
        """
        if form not in FORMS:
            raise OptionError("form", form, "one of " + ", ".join(FORMS))
        lines = self._next(n, reviewer, again, overlap)
        path = Path(path) if path else self.folder / f"batch-{len(self._batches) + 1:03d}{FORMS[form]}"
        if lines.height:
            # First the file, then the log: what is lost between the two is handed out again.
            write_tasks(path, lines) if form == "label-studio" else write_sheet(path, lines, form)
            self._hand_out(lines, reviewer)
        return path, lines.height

    def read(self, answers, *, reviewer="reviewer", schema=None, skip_bad=False):
        """Take answers: all of them, or none where one cannot be taken.

        Parameters
        ----------
        answers : path, polars.DataFrame, or list of dict
            A filled sheet (CSV or Excel), an export of Label Studio (JSON), or lines with row, column, answer and, where
            several people answer, reviewer. An empty answer is none; ``[right]`` says that the cell is right as it is,
            ``[suggestion]``, ``[empty]`` and ``[unknown]`` (cannot be told) say so; of whole rows ``[keep]`` or ``[drop]``.
        reviewer : str
            Who answered, where a line does not say.
        schema : Schema, path, pandera schema, optional
            What answered cells must keep to.
        skip_bad : bool
            Take the lines that can be taken, and tell of the others.

        Returns
        -------
        dict
            taken, known (said before), blank: counts; problems: sentences on lines that were passed over or are missing.

        Raises
        ------
        DataError
            Where lines cannot be taken: unknown rows or columns, cells not asked about, values of another type, outside
            the schema, or two answers to one question. Nothing is taken then.
        """
        lines = lines_of(answers)
        self._refresh()
        found, problems = taken_of(self.table, self.kept.doubts, lines, reviewer=reviewer, schema=schema, skip_bad=skip_bad)
        fresh, when = [one for one in found if not self._is_known(one)], now()
        self._log({"event": "answer", "when": when, **{name: one[name] for name in _KEPT}} for one in fresh)
        told = [*(f"line {line}: {sentence}" for line, sentence in problems), *absent_lines(lines, self._batches)]
        return {"taken": len(fresh), "known": len(found) - len(fresh), "blank": len(lines) - len(found) - len(problems), "problems": told}

    def retract(self, row, column=None, *, reviewer=None):
        """Take back what was answered about a cell, by everybody or by one person: it is open again.

        Raises
        ------
        DataError
            Where there is no such answer.
        """
        self._refresh()
        told = self._answers.get((row, column), {})
        if not told or (reviewer is not None and reviewer not in told):
            by = "" if reviewer is None else f" by {reviewer!r}"
            raise DataError(f"there is no answer{by} for row {row!r}, column {column!r}", "one that was told before")
        self._log([{"event": "retract", "when": now(), "row": row, "column": column, "who": reviewer}])
        return self

    def row_id(self, text):
        """The row id that a text spells."""
        return Understanding(self.table, self.kept.doubts).row(text)

    def answers(self):
        """One line an answered cell: row, column, state (settled, again, unknown), verdict, value, confidence, answers, who, when."""
        return self._resolved()[0]

    def plan(self, repairs=None):
        """The answers as a `CleaningPlan`: each settled cell that was wrong, by whom, when and how surely.

        Parameters
        ----------
        repairs : CleaningPlan, optional
            Automatic repairs of the same table: answers stand before them, and a cell that people found right stays. By
            default those that the review was started with.
        """
        repairs = held_plan(self.folder / REPAIRS) if repairs is None else repairs
        settings = {name: one for name, one in self.kept.settings.items() if name not in ("skill", "certain")} | {"review": True}
        return answered_plan(self.table, self._with_kinds(self.answers().filter(pl.col("state") == "settled")), repairs, settings)

    def status(self, *, answers=100, price=None):
        """Where the review stands, and whether the next answers pay.

        Parameters
        ----------
        answers : int
        price : float, optional
            What one unit of score is worth, in the unit of the costs.

        Returns
        -------
        ReviewStatus
        """
        cells, skills = self._resolved()
        ranking, counts = self.ranking(), dict(cells["state"].value_counts().iter_rows())
        return ReviewStatus(
            data={name: self.kept.data[name] for name in ("name", "rows", "columns", "fingerprint")},
            scoring=ranking.scoring,
            doubts=self.kept.doubts.height,
            open=len(ranking),
            waiting=len(waiting_cells(self._answers, self._batches)),
            settled=counts.get("settled", 0),
            wrong=cells.filter((pl.col("state") == "settled") & ~pl.col("verdict").is_in(["right", "keep"])).height,
            again=counts.get("again", 0),
            unknown=counts.get("unknown", 0),
            batches=len(self._batches),
            reviewers=tuple(skills.to_dicts()),
            answers=answers,
            next=ranking.next(answers),
            price=price,
            goes_on=None if price is None else ranking.worth(price, answers),
            warnings=ranking.warnings,
        )

    def _resolved(self):
        """Answered cells and skills of people, from all answers in force."""
        recorded = {(row, column): text for row, column, text in self.kept.doubts.select("row", "column", "recorded").iter_rows()}
        options = {name: self.kept.settings[name] for name in ("skill", "certain")}
        return resolved_reviews(self._answers, recorded, self.table.row_ids.dtype, **options)

    def _with_kinds(self, cells):
        kinds = self.kept.doubts.select("row", "column", "kind", "reason")
        return cells.join(kinds, on=["row", "column"], how="left", nulls_equal=True, maintain_order="left")

    def _next(self, n, reviewer, again, overlap):
        """The sheet of the next batch."""
        self._refresh()
        beside = self.kept.doubts.select("row", "column", "recorded", "suggestion")
        lines = self.ranking().doubts.join(beside, on=["row", "column"], how="left", nulls_equal=True, maintain_order="left")
        cells = list(lines.select("row", "column").iter_rows())
        return sheet_of(self.table, lines[next_places(cells, self._answers, self._batches, n, reviewer=reviewer, again=again, overlap=overlap)], reviewer)

    def _hand_out(self, lines, reviewer):
        if lines.height:
            cells = [list(cell) for cell in lines.select("row", "column").iter_rows()]
            self._log([{"event": "batch", "number": len(self._batches) + 1, "reviewer": reviewer, "when": now(), "cells": cells}])

    def _log(self, entries):
        self.kept.add(list(entries))
        self._refresh()

    def _refresh(self):
        """Know what others wrote meanwhile."""
        self._answers, self._batches = self.kept.told()

    def _is_known(self, one):
        held = self._answers.get((one["row"], one["column"]), {}).get(one["who"])
        return held is not None and (held["verdict"], held["value"]) == (one["verdict"], one["value"])


def _outcome(verdict):
    return {"right": "right", "keep": "right", "unknown": "unknown"}.get(verdict, "wrong")
