"""Whether any model can reach a score on a table: a band for the least error, a verdict, and what would decide it."""

import json
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module

import numpy as np
import polars as pl

from dqops.errors import OptionError

SCHEMA_VERSION = "1.0"
VERDICTS = ("infeasible", "open", "feasible")


@dataclass(frozen=True)
class Reached:
    """What one simple way of predicting reaches on rows that it did not see.

    Parameters
    ----------
    name : str
    score, low, high : float
        In units of the scorer, higher is better; one-sided limits, each at 95%.
    rows : int
        Rows learned from.
    decides : bool
        Whether the upper side of the band stands on it. The others only show what simple models reach.
    """

    name: str
    score: float
    low: float
    high: float
    rows: int
    decides: bool = False


@dataclass(frozen=True)
class Need:
    """What would decide an open question, or make the goal possible.

    Parameters
    ----------
    kind : {"rows", "judged rows", "labels", "features"}
        More rows to learn from, more rows to judge on, labels to clean, better features.
    count, low, high : float
        How many, with an interval; NaN where that cannot be told, infinite where no number will do.
    why : str
        One sentence.
    """

    kind: str
    count: float
    low: float
    high: float
    why: str


@dataclass(frozen=True, eq=False)
class Feasibility:
    """Whether any model can reach a score on a table, and what would decide it.

    Parameters
    ----------
    data : dict
        name, rows, judged (rows), columns, target, task, classes, copies (rows left out), fingerprint.
    scoring : str
    target_score : float or None
    verdict : {"infeasible", "open", "feasible"} or None
        None where no score was asked for.
    low, high : float
        Least and largest error that the best possible model may have, in `unit`.
    unit : str
        What errors are counted in: ``1 - accuracy``, ``1 - R2``, ``mean absolute error`` ...
    level : float
        Coverage that the band claims.
    expected : float or None
        What calibrated out-of-fold probabilities say of the least error; optimistic where they are too sure.
    second_opinion : tuple of float or None
        Least and largest error by the minimum spanning tree.
    curve : tuple of dict
        Loss of near neighbours by subset size: k, rows, loss, stderr.
    settled : dict
        Loss of near neighbours were there rows without end: k, expected, low, high, converged, embeddings.
    lossy : tuple of str
        Columns of which only a part is seen: the band is that of models that see no more of them.
    reached : tuple of Reached
    needs : tuple of Need
    noise : LabelNoise or None
    warnings : tuple of str
    settings, versions, timings : dict
    engine : object or None
        Follows cleaned labels; see `update`.
    """

    data: dict
    scoring: str
    target_score: float | None
    verdict: str | None
    low: float
    high: float
    unit: str
    level: float = 0.9
    expected: float | None = None
    second_opinion: tuple[float, float] | None = None
    curve: tuple[dict, ...] = ()
    settled: dict = field(default_factory=dict)
    lossy: tuple[str, ...] = ()
    reached: tuple[Reached, ...] = ()
    needs: tuple[Need, ...] = ()
    noise: object = None
    warnings: tuple[str, ...] = ()
    settings: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    timings: dict = field(default_factory=dict)
    engine: object = None

    def __post_init__(self):
        if self.verdict is not None and self.verdict not in VERDICTS:
            raise OptionError("verdict", self.verdict, "one of " + ", ".join(VERDICTS))
        if self.low > self.high:
            raise OptionError("low", self.low, f"no more than high, {self.high}")

    @property
    def best(self):
        """What the upper side of the band stands on, as `Reached`; None where nothing could be fitted."""
        return next((one for one in self.reached if one.decides), None)

    @property
    def score_low(self):
        """Score that the best possible model has at least, as accuracy, R2 or minus the error."""
        return self._score(self.high)

    @property
    def score_high(self):
        """Score that no model on these columns passes."""
        return self._score(self.low)

    def _score(self, error):
        return 1 - error if self.unit.startswith("1 - ") else -error

    def update(self, rows, labels):
        """The answer after some labels were cleaned, without a new search or a new fit.

        The neighbours of all rows and the predictions of the best model are kept; the work grows with the number of
        cleaned labels, not with the table.

        Parameters
        ----------
        rows : sequence
            Row ids of the table.
        labels : sequence
            The true labels, one a row.

        Returns
        -------
        Feasibility
            What hangs on fitted models (`expected`, `second_opinion`, `noise`, and needs that come from them) is left
            out: ask anew for it.
        """
        if self.engine is None:
            raise OptionError("rows", rows, "a result fresh from dqops.feasibility; a saved one keeps no neighbours")
        return replace(self, expected=None, second_opinion=None, noise=None, **self.engine.update(rows, labels))

    def to_frame(self):
        """The curve of near neighbours: k, rows, loss, stderr."""
        return pl.DataFrame(list(self.curve), schema={"k": pl.Int64, "rows": pl.Int64, "loss": pl.Float64, "stderr": pl.Float64})

    def to_dict(self, *, show_values=False):
        """All of it as plain values; names of classes only where `show_values`. What is not finite is None."""
        plain = {name: value for name, value in vars(self).items() if name not in ("engine", "reached", "needs", "noise")}
        noise = None if self.noise is None else asdict(self.noise) | ({} if show_values else {"classes": ()})
        told = {"schema_version": SCHEMA_VERSION} | plain
        told |= {"score_low": self.score_low, "score_high": self.score_high, "noise": noise}
        told |= {name: [asdict(one) for one in getattr(self, name)] for name in ("reached", "needs")}
        return _plain(told)

    def to_json(self, *, show_values=False):
        """The answer as JSON text, as ``docs/feasibility.schema.json`` describes it."""
        return json.dumps(self.to_dict(show_values=show_values), indent=2, allow_nan=False, default=str) + "\n"

    def __str__(self):
        # Reports stand above results and are asked for by name (see docs/design.md).
        return import_module("dqops.reports.feasibility").render(self)


def _plain(value):
    """The same with lists for tuples and None for what is not finite."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
