"""The detector's own suggestion, written into the cell."""

from dataclasses import dataclass

from dqops.contracts import Cleaner
from dqops.tables.cells import written


@dataclass(frozen=True)
class WriteSuggestion(Cleaner):
    """Writes the likeliest true value that the detector knows: canonical spelling, majority of a rule's group.

    Examples
    --------
    >>> WriteSuggestion()
    WriteSuggestion(empty_rest=False)
    """

    name = "suggested"
    kinds = ("rules", "categories", "formats")
    empty_rest: bool = False

    def repair(self, table):
        """The table with suggestions written; doubtful cells without one are kept or emptied."""
        column = table.frame[self.column_]
        for group in self.detector_.find(table):
            if group.column != self.column_ or group.whole:
                continue
            doubtful = group.at_least(0.5)
            if self.empty_rest:
                column = written(column, doubtful.positions, None)
            if doubtful.suggestions is not None:
                column = written(column, doubtful.positions, doubtful.suggestions)
        return table.with_columns(column)

    def action(self):
        """As an order."""
        if self.empty_rest:
            return f"correct doubtful cells of {self.column_!r} and empty those without a suggestion"
        return f"correct doubtful cells of {self.column_!r}"
