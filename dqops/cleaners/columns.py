"""Repairs of whole columns."""

from dataclasses import dataclass

from dqops.contracts import Cleaner


@dataclass(frozen=True)
class DropColumn(Cleaner):
    """Takes a column away from the model: it will not be there, or not be true, at serving.

    Examples
    --------
    >>> DropColumn().kinds
    ('leakage',)
    """

    name = "drop_column"
    kinds = ("leakage",)

    def repair(self, table):
        """The table with the column ignored."""
        return table.with_roles(ignored=(*table.roles.ignored, self.column_))

    def action(self):
        """As an order."""
        return f"drop column {self.column_!r}"
