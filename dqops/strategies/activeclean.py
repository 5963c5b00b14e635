"""Ask for records drawn by how much their clean gradients are expected to weigh."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.linear_model import LogisticRegression

from dqops.propagation.convex import clean_gradient, shifts_by_kind
from dqops.propagation.drawn import draw_keys, mixed_shares
from dqops.strategies.linear_records import LinearRecords
from dqops.strategies.records import RecordStrategy, doubtful_records, ranked_records

_UNIFORM = 0.1  # of the shares are equal, which bounds the weights
_DRAWN = "drawn by the expected length of its clean gradient and the chance that it is dirty"
_LEAST_HEARD = 20  # answers from which a detector is learned of them
_MOVED = 1e-9


@dataclass
class ActiveClean(RecordStrategy):
    """Records drawn with shares that follow their expected clean gradients; a convex model steps along with the answers.

    The model starts at its optimum on the dirty table. Each round takes the answers, in the order in which they were drawn, as an
    unbiased estimate of the gradient on the clean table, and makes one step of size ``rate / sqrt(round)``. What a record's clean
    gradient will be is foreseen to first order from how answers of the same kinds of error moved their rows; how likely a record is
    dirty, from its detectors, and after 20 answers from what those found.

    Attributes
    ----------
    coefficients : float64 (d + 1, n_scores)
        The model that the steps have reached, in the scaled space of the pipeline, intercept last.

    References
    ----------
    Krishnan, Wang, Wu, Franklin, Goldberg 2016, PVLDB 9(12), ActiveClean. doi:10.14778/2994509.2994514
    Des Raj 1956, JASA 51(274), for draws without replacement: nobody is asked twice.

    Examples
    --------
    >>> import dqops
    >>> import polars as pl
    >>> from dqops.models.resolve import resolve_model
    >>> size = np.random.default_rng(0).normal(size=90)
    >>> frame = pl.DataFrame({"size": [None, *size[1:]], "near": size + 0.1, "y": size > 0})
    >>> table = dqops.read(frame, target="y")
    >>> model = resolve_model("linear", "classification").prepared(table)
    >>> asked = ActiveClean().rank(table, model, None, np.random.default_rng(0)).doubts
    >>> 0 in asked["row"], asked["column"].null_count() == len(asked)
    (True, True)
    """

    name = "activeclean"
    records: object = field(default=None, init=False, repr=False, compare=False)
    coefficients: np.ndarray | None = field(default=None, init=False, repr=False, compare=False)

    def rank(self, table, model, holdout, rng):
        if self.records is None or not self.records.follows(table, model, holdout):
            self._begin(table, model, holdout, rng)
        self._hear(table)
        open_ones = doubtful_records(self.records.findings, self.records.table, self.answered)
        open_ones = open_ones.filter(open_ones["position"].is_in(np.flatnonzero(~self.records.known)))
        positions = open_ones["position"].to_numpy()
        shares = mixed_shares(self._sizes(positions) * self._chances(open_ones), _UNIFORM)
        keys = draw_keys(shares, rng)
        order = np.argsort(-keys, kind="stable")
        self._drawn, self._shares = positions[order], shares[order]
        return ranked_records(self.name, table, open_ones, keys, [_DRAWN] * len(keys), warnings=self.records.notes)

    def _begin(self, table, model, holdout, rng):
        self.records = LinearRecords(table, model, holdout, rng)
        held, usable = self.records, self.records.usable
        self.coefficients = held.convex.fitted(held.rows[usable], held.targets[usable])
        # Records that are doubted come into the gradient once they are clean: their wild cells do not bend the objective.
        sure = usable & held.known
        self._rate, self._round = held.convex.rate(held.rows[sure if sure.sum() > held.rows.shape[1] else usable]), 0
        self._drawn, self._shares = np.empty(0, dtype=np.int64), np.empty(0)
        width = held.rows.shape[1] + held.targets.shape[1]
        self._told, self._moves = np.empty(0, dtype=np.int64), np.empty((0, width))

    def _hear(self, table):
        """Take in the answers: learn how records of their kinds moved, and step along the estimated clean gradient."""
        held = self.records
        fresh = held.fresh(self.answered)
        if not len(fresh):
            return
        told = held.encoded(table, fresh)
        moves = np.column_stack([told[0] - held.rows[fresh], told[1] - held.targets[fresh]])
        self._told, self._moves = np.concatenate([self._told, fresh]), np.vstack([self._moves, moves])
        before = held.known.copy()
        held.write(fresh, told, self.answered)
        answered = held.known[self._drawn]
        count = len(answered) if answered.all() else int(np.argmin(answered))
        if count:
            self._step(before, count)

    def _step(self, before, count):
        """One step along the gradient that the first `count` draws of the last round tell, on top of what was known before."""
        held, theta = self.records, self.coefficients
        drawn, shares = self._drawn[:count], self._shares[:count]
        exact = before & held.usable
        own = held.convex.gradients(theta, held.rows[drawn], held.targets[drawn]) * held.usable[drawn, None]
        gradient, _ = clean_gradient(held.convex.total(theta, held.rows[exact], held.targets[exact]), own, shares)
        self._round += 1
        step = self._rate / np.sqrt(self._round) * (gradient + held.convex.held_back(theta)) / held.usable.sum()
        self.coefficients = theta - step.reshape(theta.shape)

    def _sizes(self, positions):
        """Expected length of each record's clean gradient, float64 (count,)."""
        held, width = self.records, self.records.rows.shape[1]
        moves = held.kinds[positions] @ shifts_by_kind(held.kinds[self._told], self._moves)
        return held.convex.foreseen_sizes(self.coefficients, held.rows[positions], held.targets[positions], moves[:, :width], moves[:, width:])

    def _chances(self, open_ones):
        """Chance that each record is dirty: of its detectors, or learned from answers where there are enough of both sorts."""
        wrong, held = open_ones["wrong"].to_numpy(), self.records
        was_dirty = (np.abs(self._moves) > _MOVED).any(axis=1)
        if not len(wrong) or len(self._told) < _LEAST_HEARD or was_dirty.all() or not was_dirty.any():
            return wrong
        everything = doubtful_records(held.findings, held.table, {})
        score = np.zeros(held.table.n_rows)
        score[everything["position"].to_numpy()] = everything["wrong"].to_numpy()
        seen = np.column_stack([held.kinds, _logit(score)])
        return LogisticRegression(max_iter=500).fit(seen[self._told], was_dirty).predict_proba(seen[open_ones["position"].to_numpy()])[:, 1]


def _logit(chances):
    clipped = np.clip(chances, 1e-3, 1 - 1e-3)
    return np.log(clipped / (1 - clipped))
