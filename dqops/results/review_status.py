"""Where a review stands: what was asked and answered, by whom, and whether it pays to go on."""

import json
from dataclasses import asdict, dataclass
from importlib import import_module

from dqops.results.gain import Estimate


@dataclass(frozen=True, eq=False)
class ReviewStatus:
    """Where a review stands, and whether it pays to go on.

    Parameters
    ----------
    data : dict
        name, rows, columns, fingerprint of the table.
    scoring : str
    doubts, open, waiting : int
        Doubts at first, those still to be asked, and those handed out and not answered.
    settled, wrong, again, unknown : int
        Cells answered surely enough, those of them that were wrong, those to be asked again, and those nobody can tell.
    batches : int
    reviewers : tuple of dict
        reviewer, column, answers, skill, low, high.
    answers : int
        How many next answers `next` is about.
    next : Estimate
        Their expected gain.
    price : float or None
        What one unit of score is worth.
    goes_on : bool or None
        Whether they pay at that price.
    warnings : tuple of str
    """

    data: dict
    scoring: str
    doubts: int
    open: int
    waiting: int
    settled: int
    wrong: int
    again: int
    unknown: int
    batches: int
    reviewers: tuple
    answers: int
    next: Estimate
    price: float | None = None
    goes_on: bool | None = None
    warnings: tuple[str, ...] = ()

    def __str__(self):
        return import_module("dqops.reports.review").render(self)

    def to_dict(self):
        """As the JSON has it, see ``docs/review.schema.json``."""
        return {"schema_version": "1.0", **asdict(self), "reviewers": list(self.reviewers), "warnings": list(self.warnings)}

    def to_json(self):
        """JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, default=str) + "\n"
