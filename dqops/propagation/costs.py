"""What it costs to resolve a doubt: by kind, column, finding or row, with set-up costs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from numbers import Real

import numpy as np

from dqops.errors import OptionError, UnknownNameError

_NEEDED = "a number of 0 or more, or a mapping from kinds, columns, findings or 'default' to numbers"


@dataclass(frozen=True)
class Costs:
    """Costs of doubts.

    Parameters
    ----------
    default : float
        Cost of a doubt that nothing else names, 0 or more.
    named : dict of str to float
        By finding (``kind:column``), column, or kind; the first of these that is there holds.
    rows : dict
        By row id; comes on top.
    setup : dict of str to float
        Paid once, by column or kind, before its first doubt.

    Examples
    --------
    >>> costs = Costs.of({"labels": 3, "age": 0.5, "setup": {"age": 10}})
    >>> costs.of_finding("labels", "y"), costs.of_finding("missing", "age"), costs.of_finding("rules", "b")
    (3.0, 0.5, 1.0)
    """

    default: float = 1.0
    named: dict = field(default_factory=dict)
    rows: dict = field(default_factory=dict)
    setup: dict = field(default_factory=dict)

    @classmethod
    def of(cls, cost, columns=None):
        """Costs from what a user gives: None, a number, or a mapping with ``default``, ``setup`` and ``rows`` beside names.

        Raises
        ------
        OptionError
            For a cost below 0, missing, or no number.
        """
        if cost is None:
            return cls()
        if isinstance(cost, Costs):
            return cost
        if isinstance(cost, Real) and not isinstance(cost, bool):
            return cls(default=_checked("cost", cost))
        if not isinstance(cost, Mapping):
            raise OptionError("cost", cost, _NEEDED)
        parts = {name: cost.get(name, {}) for name in ("setup", "rows")}
        for name, part in parts.items():
            if not isinstance(part, Mapping):
                raise OptionError(f"cost[{name!r}]", part, "a mapping to numbers of 0 or more")
        named = {str(name): _checked(f"cost[{name!r}]", value) for name, value in cost.items() if name not in ("default", "setup", "rows")}
        default = _checked("cost['default']", cost.get("default", 1.0))
        setup, rows = ({key: _checked(f"cost[{name!r}][{key!r}]", value) for key, value in part.items()} for name, part in parts.items())
        return cls(default, named, rows, setup)

    def check(self, kinds, columns, findings):
        """Raise `UnknownNameError` for a cost that names nothing that is there.

        Parameters
        ----------
        kinds, columns, findings : sequence of str
        """
        known = {*kinds, *columns, *findings}
        for name in (*self.named, *self.setup):
            # A finding that this table happens not to have may have a cost all the same.
            if name not in known and name.partition(":")[0] not in kinds:
                raise UnknownNameError("finding, column or kind with a cost", name, known)

    def of_finding(self, kind, column):
        """Cost of one doubt of that kind in that column."""
        for name in (f"{kind}:{column}", column, kind):
            if name in self.named:
                return self.named[name]
        return self.default

    def of_rows(self, ids):
        """What the rows add, float64 (n,)."""
        return np.array([self.rows.get(one, 0.0) for one in ids], dtype=np.float64) if self.rows else np.zeros(len(ids))


def _checked(name, value):
    if isinstance(value, bool) or not isinstance(value, Real) or not isfinite(value) or value < 0:
        raise OptionError(name, value, "a number of 0 or more")
    return float(value)
