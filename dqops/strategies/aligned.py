"""Ask for records whose truth is expected to lower the holdout loss; draw some, to learn how far that foresight holds."""

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression, Ridge

from dqops.cleaners.proposals import propose_candidates
from dqops.errors import DataError, OptionError
from dqops.models.targets import target_values
from dqops.propagation.convex import shifts_by_kind
from dqops.propagation.drawn import draw_keys, estimated_total, mixed_shares
from dqops.propagation.row_worlds import row_worlds
from dqops.propagation.worlds import likeliest_world
from dqops.results.candidates import Candidates, Doubts
from dqops.strategies.linear_records import LinearRecords
from dqops.strategies.records import RecordStrategy, doubtful_records, ranked_records, unanswered
from dqops.tables.readable import as_read
from dqops.valuers.influence import repair_influence

_PRIOR = 10.0  # answers as foreseen that each kind of error is taken to have beside those told
_MOST_TRUST = 3.0  # by which a forecast is raised at most
_FORESEEN = "its true values are expected to lower the holdout loss"
_AGAINST = "its true values are not expected to lower the holdout loss"
_EXPLORED = "drawn, to learn how far the forecasts of the others hold"
_FORECAST = "the gains of the {} doubtful records, each by itself, are foreseen to add up to {:.4g} of holdout loss"
_WORTH = "drawn answers say that what was open before the last answers was worth {:.4g} of holdout loss, standard error {:.2g}"
_OWN_ROWS = "there is no holdout: records are judged by the training rows as they most likely are"


@dataclass
class Aligned(RecordStrategy):
    """Records by the expected fall of the holdout loss, over what they could be; some are drawn, to correct the forecasts.

    The successor of ActiveClean: instead of shares that follow gradients, each record's gain is foreseen by one Newton step of the
    user's linear model for each of its candidates, and answers correct it by kind of error. A share of the places is drawn with
    probabilities that follow how unsure the forecast is: they estimate what all forecasts together miss, without bias (the forecasts
    are a control variate), and so what cleaning the rest would gain.

    Parameters
    ----------
    explore : float
        Share of the places that are drawn, in [0, 1).
    n_candidates : int
        Most candidates of a record.

    Attributes
    ----------
    worth : tuple of float or None
        What cleaning each record that was open before the last answers, by itself, would have lowered the holdout loss by, added up:
        an unbiased estimate from the drawn answers, and its standard error (infinite after a single one).

    References
    ----------
    Krishnan, Wang, Wu, Franklin, Goldberg 2016, PVLDB 9(12). doi:10.14778/2994509.2994514
    Koh, Liang 2017, ICML, arXiv:1703.04730. Johnson, Zhang 2013, NeurIPS, for control variates.

    Examples
    --------
    >>> import dqops
    >>> from dqops.models.resolve import resolve_model
    >>> size = np.random.default_rng(0).normal(size=90)
    >>> frame = pl.DataFrame({"size": [None, *size[1:]], "near": size + 0.1, "y": size > 0})
    >>> table = dqops.read(frame, target="y")
    >>> model = resolve_model("linear", "classification").prepared(table)
    >>> asked = Aligned().rank(table, model, None, np.random.default_rng(0)).doubts
    >>> 0 in asked["row"], asked["column"].null_count() == len(asked)
    (True, True)
    """

    name = "aligned"
    explore: float = 0.1
    n_candidates: int = 10
    worth: tuple | None = field(default=None, init=False, repr=False, compare=False)
    records: object = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self):
        if not isinstance(self.explore, int | float) or not 0 <= self.explore < 1:
            raise OptionError("explore", self.explore, "a share in [0, 1)")
        if isinstance(self.n_candidates, bool) or not isinstance(self.n_candidates, int | np.integer) or self.n_candidates < 2:
            raise OptionError("n_candidates", self.n_candidates, "an integer of 2 or more")

    def rank(self, table, model, holdout, rng):
        if self.records is None or not self.records.follows(table, model, holdout):
            self._begin(table, model, holdout, rng)
        self._hear(table)
        held = self.records
        open_ones = doubtful_records(held.findings, held.table, self.answered)
        open_ones = open_ones.filter(open_ones["position"].is_in(np.flatnonzero(~held.known)))
        positions = open_ones["position"].to_numpy()
        self._foresee()
        gains, spreads = self._gains[positions], self._spreads[positions]
        shares = mixed_shares(np.where(held.usable[positions], spreads, 0.0))
        drawn = np.argsort(-draw_keys(shares, rng), kind="stable")
        best = np.argsort(-gains, kind="stable")
        self._drawn, self._shares = positions[drawn], shares[drawn]
        places, explored = _interleaved(best, drawn, self.explore)
        reasons = np.where(explored, _EXPLORED, np.where(gains[places] > 0, _FORESEEN, _AGAINST))
        ranking = ranked_records(self.name, table, open_ones[places], -np.arange(len(places)), reasons.tolist(), warnings=self._said(positions))
        return replace(ranking, doubts=ranking.doubts.with_columns(gain=pl.Series(gains[places], dtype=pl.Float64)))

    def _begin(self, table, model, holdout, rng):
        self.records = held = LinearRecords(table, model, holdout, rng)
        seen = as_read(table)
        proposed, _ = propose_candidates(seen, held.findings, n_candidates=self.n_candidates, seed=held.seed)
        self._candidates = proposed + _of_target(table, held)
        self._seen, self._choices = seen, None
        self._estimator, self._notes = _learner(held)
        judged = likeliest_world(unanswered(self._candidates, self.answered)).table(seen, 0) if holdout is None else holdout
        codes, usable = held.values_of(judged)
        usable &= _are_learned(codes, held)
        if not usable.any():
            raise DataError("no row of the holdout has a target that training rows have", "some, to judge by")
        self._judged = held.placed(judged)[usable, :-1], codes[usable]
        if holdout is None:
            self._notes += (_OWN_ROWS,)
        self._drawn, self._told, self._shares = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)
        self._recorded = held.rows.copy(), held.codes.copy(), held.usable.copy()

    def _hear(self, table):
        """Estimate from drawn answers what all that was open would have gained, then write the answers down."""
        held = self.records
        fresh = held.fresh(self.answered)
        if not len(fresh):
            return
        told = held.encoded(table, fresh)
        gained = np.zeros(held.table.n_rows)
        kept = held.usable[fresh] & told[3] & _are_learned(told[2], held)
        gained[fresh[kept]] = self._gain_of(fresh[kept], told[0][kept], told[2][kept])
        held.write(fresh, told, self.answered)
        whole = fresh[held.known[fresh]]
        self._told = np.union1d(self._told, whole)
        # So many draws were surely asked for among that many places, whichever they were.
        count = min(len(whole) // _every(self.explore), len(self._drawn)) if self.explore else 0
        drawn = self._drawn[:count]
        self.worth = None
        if count and held.known[drawn].all():
            missed, variance = estimated_total((gained - self._raw)[drawn, None], self._shares[:count])
            self.worth = float(self._raw[self._drawn].sum() + missed[0]), float(np.sqrt(variance[0, 0]))
        if len(whole) < len(fresh):
            self._choices, self._seen = None, as_read(table)

    def _foresee(self):
        """Gain of each open record over what it could be, held against what the answers of its kinds of error gained.

        An answer's gain is what the model as it is now would lose by the recorded cells; its forecast is what the expected loss over
        its candidates would have been beside that. Both are of today's model, whenever the answer came.
        """
        held, n_rows = self.records, self.records.table.n_rows
        positions, weights, rows, codes = self._possible()
        kept = _are_learned(codes, held) & held.usable[positions]
        positions, weights = positions[kept], weights[kept]
        gains = self._gain_of(positions, rows[kept], codes[kept])
        whole = np.maximum(np.bincount(positions, weights=weights, minlength=n_rows), np.finfo(float).tiny)
        mean = np.bincount(positions, weights=weights * gains, minlength=n_rows) / whole
        self._spreads = np.sqrt(np.maximum(np.bincount(positions, weights=weights * gains**2, minlength=n_rows) / whole - mean**2, 0.0))
        back = np.zeros(n_rows)
        first_rows, first_codes, first_usable = self._recorded
        some = self._told[held.usable[self._told] & first_usable[self._told] & _are_learned(first_codes[self._told], held)]
        back[some] = self._gain_of(some, first_rows[some], first_codes[some])
        self._raw, self._gained, self._foretold = mean, -back[self._told], (mean - back)[self._told]
        foreseen = np.bincount(positions, minlength=n_rows) > 0
        self._foretold = np.where(foreseen[self._told], self._foretold, 0.0)
        self._gains = np.where(held.usable, np.where(foreseen, mean * self._trust(), self._usual()), 0.0)

    def _possible(self):
        """What doubtful records could be: positions, weights, rows float64 (n_choices, d + 1), class codes or numbers."""
        if self._choices is None:
            held = self.records
            partly = {row: cells for row, cells in self.answered.items() if None not in cells}
            worlds = row_worlds(unanswered(self._candidates, partly), most=self.n_candidates, seed=held.seed)
            became = worlds.table(self._seen)
            codes, usable = held.values_of(became)
            self._choices = worlds.positions[usable], worlds.weights[usable], held.placed(became)[usable], codes[usable]
        return self._choices

    def _trust(self):
        """What to multiply each record's forecast by: how answers of its kinds of error came out beside theirs, float64 (n,)."""
        held = self.records
        kinds, foreseen = held.kinds[self._told], self._foretold
        prior = _PRIOR * max(float(np.mean(foreseen**2)), np.finfo(float).tiny) if len(foreseen) else 1.0
        ratio = (prior + kinds.T @ (foreseen * self._gained)) / (prior + kinds.T @ foreseen**2)
        many = held.kinds.sum(axis=1)
        return np.where(many > 0, held.kinds @ np.clip(ratio, 0.0, _MOST_TRUST) / np.maximum(many, 1), 1.0)

    def _usual(self):
        """What records without a forecast gained that had the same kinds of error, shrunken to nothing: float64 (n,)."""
        held, blind = self.records, self._foretold == 0
        return held.kinds @ shifts_by_kind(held.kinds[self._told[blind]], self._gained[blind, None], prior=_PRIOR)[:, 0]

    def _gain_of(self, positions, rows, codes):
        """Fall of the holdout loss if each of these records were another row, the table being as it is known: float64 (count,)."""
        held = self.records
        if not len(positions):
            return np.zeros(0)
        usable = np.flatnonzero(held.usable)
        four = held.rows[usable, :-1], held.codes[usable], *self._judged
        told = repair_influence(*four, labels=codes, features=rows[:, :-1], rows=np.searchsorted(usable, positions), model=self._estimator)
        return np.nan_to_num(told.value)

    def _said(self, positions):
        """What to say of the ranking, and of what all records that are open would gain."""
        said = [*self.records.notes, *self._notes]
        if len(positions):
            said.append(_FORECAST.format(len(positions), float(self._gains[positions].sum())))
        if self.worth is not None and np.isfinite(self.worth[1]):
            said.append(_WORTH.format(*self.worth))
        return said


def _learner(held):
    """An estimator whose influence is known, and what has to be said of it."""
    if held.estimator is not None:
        return held.estimator, ()
    if held.convex.loss.kind == "hinge":
        return LogisticRegression(C=1 / max(held.convex.alpha, 1e-6), max_iter=1000), ("a logistic regression stands for the hinge loss, which has no curvature",)
    if held.convex.loss.n_classes:
        return LogisticRegression(max_iter=1000), ()
    return Ridge(alpha=held.convex.alpha), ()


def _are_learned(codes, held):
    """Is each of these a class that training rows have: bool (m,)?"""
    return np.ones(len(codes), dtype=bool) if held.classes is None else np.isin(codes, held.codes[held.usable])


def _of_target(table, held):
    """Candidates of doubtful target values: what is recorded, and what the detector of labels puts in its place."""
    target, groups = table.roles.target, []
    _, known = target_values(table, held.model.task)
    for one in held.findings:
        if one.kind != "labels" or one.suggestions is None:
            continue
        some = one.select(known[one.positions] & one.suggestions.is_not_null().to_numpy())
        pairs = zip(table.frame[target].gather(some.positions).to_list(), some.suggestions.to_list(), strict=True)
        weights = np.clip(some.scores, 0.0, 1.0)
        groups.append(Doubts.of(target, some.positions, [list(pair) for pair in pairs], [[1 - one, one] for one in weights], rows=some.rows))
    return Candidates(tuple(one for one in groups if one.count))


def _interleaved(best, drawn, explore):
    """Places of both orders, each once: every so often one that is drawn; and which those are."""
    if not explore:
        return best, np.zeros(len(best), dtype=bool)
    every, taken, order, explored = _every(explore), set(), [], []
    queues = iter(best.tolist()), iter(drawn.tolist())
    while len(order) < len(best):
        from_draw = len(order) % every == every - 1
        one = next(one for one in queues[from_draw] if one not in taken)
        taken.add(one)
        order.append(one)
        explored.append(from_draw)
    return np.array(order, dtype=np.int64), np.array(explored, dtype=bool)


def _every(explore):
    """One place in so many is drawn."""
    return max(round(1 / explore), 2)
