"""One thing to resolve: what could be true of its cells, and what dqops would write into them."""

from dataclasses import dataclass

from dqops.results.candidates import Candidates


@dataclass(frozen=True, eq=False)
class Doubt:
    """What a propagator prices: a group of doubtful cells or rows, or one of them.

    Parameters
    ----------
    finding : str
        Id of the group, such as ``"missing:age"``.
    truth : Candidates
        What could be true, with weights; about rows of the table by their ids.
    repair : Candidates or None
        What would be written: one candidate a cell. None where dqops would leave it.
    action : str
        The repair, as an order to a person.
    apart : bool
        Each row is priced for itself, in the rows to train on.
    row : row id or None
        Where the doubt is one row, or one cell of it.
    column : str or None
        Where it is one cell.

    Examples
    --------
    >>> from dqops.results.candidates import Doubts
    >>> ages = Candidates((Doubts.of("age", [2], [[31, 40]]),))
    >>> Doubt("missing:age", ages).count
    1
    """

    finding: str
    truth: Candidates
    repair: Candidates | None = None
    action: str = "find out the truth"
    apart: bool = False
    row: object = None
    column: str | None = None

    @property
    def count(self):
        """Doubtful cells or rows."""
        return self.truth.count
