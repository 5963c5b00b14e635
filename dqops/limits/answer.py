"""From near neighbours and the best model found to a band, a verdict, and what would decide it."""

from dataclasses import dataclass, field

import numpy as np
from scipy import special

from dqops.errors import OptionError
from dqops.limits.engine import Engine
from dqops.limits.metric import Metric
from dqops.limits.needs import features_needed, judged_rows_needed, labels_needed, rows_needed
from dqops.limits.reach import Reach, reached
from dqops.limits.rows import Rows
from dqops.limits.tally import CLASSES
from dqops.models.targets import codes_of

RISK = 0.05  # of each side of the band


def one_sided(share):
    """Standard errors of a one-sided interval that gets this share of the risk.

    >>> round(one_sided(1), 3)
    1.645
    """
    return float(-special.ndtri(RISK * share))


@dataclass(eq=False)
class Answer:
    """All that an answer is made of, so that it follows cleaned labels.

    Parameters
    ----------
    rows : Rows
    engine : Engine or None
        None where no column tells rows apart.
    reach : Reach
    metric : Metric
    target : float or None
    seed : int
    lossy : tuple of str
    noise : LabelNoise or None
    posterior : callable or None
    everyone : frozenset of str
        Ids of all rows of the table, those that were not looked at included.
    """

    rows: Rows
    engine: Engine | None
    reach: Reach
    metric: Metric
    target: float | None
    seed: int
    lossy: tuple[str, ...] = ()
    noise: object = None
    posterior: object = None
    everyone: frozenset = frozenset()
    place: dict = field(default_factory=dict)

    def told(self):
        """Fields of a `Feasibility`: what the present labels come to."""
        labels = self.reach.labels
        best = reached(self.reach.model.name, self.reach.said, labels, self.reach.trained, self.metric.scoring, self.seed, decides=True)
        judge = best if self.metric.bounded else reached(best.name, self.reach.said, labels, self.reach.trained, self.metric.scorer, self.seed)
        high = float(self.metric.error(judge.low))
        least = None if self.engine is None else self.engine.least(one_sided)
        low = 0.0 if least is None else self.metric.from_loss(least.low, self.rows.labels[self.rows.judged])
        notes = []
        if low > high:
            notes.append(f"near neighbours say that the error is {low:.3g} at least, but {best.name} errs less: they were too few or too far, and the lower side is left open")
            low = 0.0
        verdict, needs = self._judged(low, high, least, best)
        others = [reached(name, said, labels, rows, self.metric.scoring, self.seed) for name, rows, said in self.reach.others]
        return {
            "verdict": verdict,
            "low": low,
            "high": high,
            "curve": () if self.engine is None else tuple(_lines(self.engine.curves())),
            "settled": {} if least is None else _settled(least, self.engine.chosen),
            "reached": (best, *sorted(others, key=lambda one: -one.score)),
            "needs": needs,
        }, tuple(notes)

    def update(self, rows, labels):
        """Fields of a `Feasibility` after these labels were cleaned; earlier updates stay."""
        positions, values = self._checked(rows, labels)
        if self.engine is not None:
            self.engine.relabel(positions, values)
        self.rows.labels[positions] = values
        self.noise = self.posterior = None
        place = np.flatnonzero(np.isin(self.reach.positions, positions))
        current = self.rows.labels[self.reach.positions[place]]
        self.reach.labels[place] = current if self.rows.classes is None else self.rows.classes[current]
        return self.told()[0]

    def _judged(self, low, high, least, best):
        """(verdict, needs)."""
        if self.target is None:
            return None, ()
        if not self.metric.bounded:
            return ("feasible" if best.low >= self.target else "open"), self._needs_unbounded(best)
        wanted = self.metric.error(self.target)
        if wanted >= high:
            return "feasible", ()
        verdict = "infeasible" if wanted < low else "open"
        found = [] if verdict == "infeasible" else self._more_rows(best, wanted)
        if self.posterior is not None and self.metric.measure == CLASSES:
            observed = (low, float(np.clip(self.metric.error(best.score), low, high)), high)
            found.append(labels_needed(self.noise, self.posterior, wanted, self.rows.n_known, observed))
        if verdict == "infeasible":
            found.append(features_needed(low, wanted, self.lossy))
        return verdict, tuple(one for one in found if one is not None)

    def _needs_unbounded(self, best):
        return () if best.low >= self.target else tuple(self._more_rows(best, self.metric.error(self.target)))

    def _more_rows(self, best, wanted):
        """Rows to judge on where a model seems good enough, else rows to learn from."""
        if best.score >= self.target:
            errors, count = self.reach.errors(), len(self.reach.labels)
            need = judged_rows_needed(errors, count, wanted) if self.metric.scoring == "accuracy" else None
            return [need]
        if not self.reach.earlier:
            return [None]
        rows, said = self.reach.earlier[-1]
        before, now = (self.metric.error(one.score(self.reach.labels, self.metric.scoring)) for one in (said, self.reach.said))
        spread = _paired_error(said, self.reach.said, self.reach.labels, self.metric)
        return [rows_needed((before, now), (rows, self.reach.trained), wanted, spread)]

    def _checked(self, rows, labels):
        """Positions and codes (or numbers) of cleaned labels."""
        rows, labels = list(rows), list(labels)
        if len(rows) != len(labels):
            raise OptionError("labels", len(labels), f"one label a row, {len(rows)} in all")
        if not self.place:
            self.place = {str(id): position for position, id in enumerate(self.rows.table.row_ids.to_list())}
        unknown = [row for row in rows if str(row) not in self.place and str(row) not in self.everyone]
        if unknown:
            raise OptionError("rows", unknown[0], "ids of rows of the table")
        if len({str(row) for row in rows}) < len(rows):
            raise OptionError("rows", rows, "each row once")
        # Rows that were not looked at (copies, rows beyond the sample) change nothing.
        seen = [place for place, row in enumerate(rows) if str(row) in self.place]
        positions, labels = np.array([self.place[str(rows[one])] for one in seen], dtype=np.int64), [labels[one] for one in seen]
        if self.rows.classes is None:
            values = np.asarray(labels, dtype=np.float64)
            if not np.isfinite(values).all():
                raise OptionError("labels", labels, "finite numbers")
            return positions, values
        values = codes_of(np.asarray(labels, dtype=self.rows.classes.dtype), self.rows.classes)
        if (values < 0).any():
            raise OptionError("labels", labels[int(np.argmin(values))], f"one of the {len(self.rows.classes)} classes of the target")
        return positions, values


def _lines(curves):
    for curve in curves:
        for rows, loss, error in zip(curve.sizes.tolist(), curve.losses.tolist(), curve.stderr.tolist(), strict=True):
            yield {"k": curve.k, "rows": rows, "loss": loss, "stderr": error}


def _settled(least, chosen):
    found = least.nugget
    return {"k": least.curve.k, "expected": found.expected, "low": found.low, "high": found.high, "converged": found.converged, "embeddings": list(chosen)}


def _paired_error(before, after, labels, metric):
    """Standard error of the fall of the error, on the same rows; 0 where rows have no error of their own."""
    if metric.measure != CLASSES:
        return 0.0
    fall = (before.predicted != labels).astype(float) - (after.predicted != labels)
    return float(fall.std() / np.sqrt(len(fall)))
