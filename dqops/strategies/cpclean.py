"""Ask for what settles the predictions of a vote of neighbours."""

from dataclasses import dataclass, field

import numpy as np

from dqops.cleaners.proposals import propose_candidates
from dqops.errors import DataError, ModelError, OptionError
from dqops.limits.encoded import Encoded
from dqops.models.feature_space import Learner, learner_of
from dqops.models.fixed_space import fixed_space
from dqops.models.knn_worlds import KnnWorlds
from dqops.models.space import last_step
from dqops.models.targets import classes_of, codes_of, target_values
from dqops.propagation.row_worlds import row_worlds
from dqops.propagation.worlds import likeliest_world
from dqops.strategies.doubtful_cells import doubts_of
from dqops.strategies.records import RecordStrategy, doubtful_records, ranked_records, unanswered
from dqops.tables.readable import as_read

_USUAL_NEIGHBOURS = 3
_MOST_JUDGED = 1000
_HALVES = 2
_SETTLES = "its true values are expected to settle what a vote of neighbours predicts"
_BOUND = "no single answer settles a prediction, but with others this one may"
_IDLE = "it can change no judged prediction"
_UNPROPOSED = "nothing is known of what could be true instead: in the order of its detectors"
_CERTAIN = "all {} judged predictions are certain: no answer about a feature can change one; what is left is in the order of its detectors"
_SURROGATE = "predictions are those of a vote of {} neighbours in the space of {}, which stands for the model"
_LABELS = "labels count as they are recorded: a record whose label alone is doubted comes last"


@dataclass
class CPClean(RecordStrategy):
    """Records whose truth is expected to leave the least entropy in what k-NN predicts of the holdout.

    Each doubtful record is one of its candidates, with its weight, and the predictions over all worlds are counted exactly. An
    answer takes the place of the candidates, whether it was one of them or not, and only predictions that have the record near
    are counted again. Without a holdout each half of the rows judges the other.

    Parameters
    ----------
    k : int, optional
        Neighbours that vote; those of the model where it is a k-NN, else 3.
    n_candidates : int
        Most candidates of a record.

    References
    ----------
    Karlaš et al. 2021, PVLDB 14(3), Nearest neighbor classifiers over incomplete information. arXiv:2005.05117

    Examples
    --------
    >>> import dqops
    >>> import polars as pl
    >>> from dqops.models.resolve import resolve_model
    >>> size = np.random.default_rng(0).normal(size=90)
    >>> frame = pl.DataFrame({"size": [None, *size[1:]], "near": size + 0.1, "y": size > 0})
    >>> table = dqops.read(frame, target="y")
    >>> model = resolve_model("knn", "classification").prepared(table)
    >>> asked = CPClean().rank(table, model, None, np.random.default_rng(0)).doubts
    >>> 0 in asked["row"], asked["column"].null_count() == len(asked)
    (True, True)
    """

    name = "cpclean"
    tasks = ("classification",)
    k: int | None = None
    n_candidates: int = 10
    state: object = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self):
        for name, given, least in (("k", self.k, 1), ("n_candidates", self.n_candidates, 2)):
            if given is not None and (isinstance(given, bool) or not isinstance(given, int | np.integer) or given < least):
                raise OptionError(name, given, f"an integer of {least} or more")

    def rank(self, table, model, holdout, rng):
        self.check_task(model.task, "it counts which classes a vote of neighbours can predict")
        if self.state is None or not self.state.follows(table, model, holdout, self.answered):
            self.state = _begun(self, table, model, holdout, rng)
        self.state.hear(table, self.answered)
        records = doubtful_records(self.state.findings, table, self.answered)
        drops, reach = self.state.worth()
        places, open_rows = records["position"].to_numpy(), self.state.open_rows
        worth = np.where(open_rows[places], drops[places], 0.0)
        reasons = np.select([~open_rows[places], worth > 0, reach[places] > 0], [_UNPROPOSED, _SETTLES, _BOUND], _IDLE)
        # Of equal worth, those that may matter come before those that cannot, and before both nothing.
        order = np.lexsort((np.arange(len(places)), -np.where(open_rows[places], reach[places], 0.0), -worth))
        said = [_CERTAIN.format(self.state.n_judged)] if self.state.is_certain else []
        return ranked_records(self.name, table, records[order], worth[order], reasons[order].tolist(), warnings=(*said, *self.state.notes))


class _State:
    """Counts over worlds, and what they were made of.

    Parameters
    ----------
    table : Table
        That they are of, as it was first seen.
    findings : Findings
    open_rows : bool (n,)
        Records that could be several things.
    space : FixedSpace
    parts : list of (int64 (m,), KnnWorlds)
        Training positions of each part, and the counts of its judged rows.
    """

    def __init__(self, model, holdout, table, findings, open_rows, space, classes, parts, whole, cells, notes):
        self.model, self.holdout, self.table, self.findings = model, holdout, table, findings
        self.open_rows, self.space, self.classes, self.parts, self.notes = open_rows, space, classes, parts, notes
        self._heard, self._cells = set(whole), cells
        self._places = {row: place for place, row in enumerate(table.row_ids.to_list())}

    def follows(self, table, model, holdout, answered):
        """Are these counts of that table, and can all that was answered be heard record by record?"""
        partly = {row: frozenset(cells) for row, cells in answered.items() if None not in cells}
        same = model is self.model and holdout is self.holdout and self.table.row_ids.equals(table.row_ids)
        return same and partly == self._cells

    def hear(self, table, answered):
        """Take in the records that were answered since the last time."""
        fresh = [row for row, cells in answered.items() if None in cells and row not in self._heard and row in self._places]
        self._heard.update(fresh)
        if not fresh:
            return
        positions = np.array([self._places[row] for row in fresh], dtype=np.int64)
        told = as_read(table.take(positions), like=self.table)
        labels, known = target_values(told, "classification")
        values, codes = self.space.encode(told), codes_of(labels, self.classes)
        for place, position in enumerate(positions.tolist()):
            self.open_rows[position] = False
            for trained, worlds in self.parts:
                row = int(np.searchsorted(trained, position))
                if row < len(trained) and trained[row] == position:
                    worlds.update(row, values[place], int(codes[place]) if known[place] and codes[place] >= 0 else None)

    @property
    def n_judged(self):
        return sum(len(worlds.possible) for _, worlds in self.parts)

    @property
    def is_certain(self):
        return all(bool(worlds.certain.all()) for _, worlds in self.parts)

    def worth(self):
        """Fall of the mean entropy to expect of each record's answer, and the most it can be: float64 (n,) each."""
        drops, reach = np.zeros(self.table.n_rows), np.zeros(self.table.n_rows)
        for trained, worlds in self.parts:
            share = len(worlds.possible) / self.n_judged
            fall = worlds.entropy().mean() - worlds.expected_entropy()
            # What is left of sums that should be nothing.
            drops[trained] += share * np.where(fall > 1e-12, fall, 0.0)
            reach[trained] += share * worlds.most_gain()
        return drops, reach


def _begun(strategy, table, model, holdout, rng):
    """The `_State` before further answers are heard."""
    seed = int(rng.integers(2**31))
    findings = doubts_of(table, model, seed, rng)
    seen = as_read(table)
    proposed, _ = propose_candidates(seen, findings, n_candidates=strategy.n_candidates, seed=seed)
    candidates = unanswered(proposed, strategy.answered)
    likeliest = likeliest_world(candidates).table(seen, 0)
    learner, notes = _voters(model, strategy.k)
    space = fixed_space(model, likeliest, seed)
    held = None if holdout is None else as_read(holdout, like=table)
    classes = classes_of(table, *([] if held is None else [held]))
    parts = []
    for trained, judged in _halves(likeliest, held, rng):
        rows = seen.take(trained)
        encoded = _encoded(space, rows, likeliest.take(trained), candidates.on_rows(rows.row_ids), strategy.n_candidates, seed)
        codes = codes_of(target_values(rows, "classification")[0], classes)
        parts.append((trained, KnnWorlds(*encoded.points(), codes, space.encode(judged), k=learner.k, n_classes=len(classes), metric=learner.metric)))
    open_rows = np.zeros(table.n_rows, dtype=bool)
    open_rows[candidates.open_positions] = True
    open_rows[~target_values(table, "classification")[1]] = False
    whole = {row for row, cells in strategy.answered.items() if None in cells}
    cells = {row: frozenset(told) for row, told in strategy.answered.items() if None not in told}
    return _State(model, holdout, table, findings, open_rows, space, classes, parts, whole, cells, (*notes, *_left(findings)))


def _voters(model, k):
    """The k-NN whose predictions are counted, and what has to be said of it."""
    step = last_step(model)
    try:
        own = learner_of(model.name, step)
    except ModelError:
        own = None
    if own is not None and own.kind == "knn":
        return Learner("knn", k=k or own.k, metric=own.metric), ()
    k = k or _USUAL_NEIGHBOURS
    return Learner("knn", k=k, metric="euclidean"), (_SURROGATE.format(k, type(step).__name__),)


def _left(findings):
    return (_LABELS,) if any(one.kind == "labels" for one in findings) else ()


def _halves(table, held, rng):
    """(positions to train on, rows that are judged): all and the holdout, or each half and the other."""
    known = np.flatnonzero(target_values(table, "classification")[1])
    if not len(known):
        raise DataError("no row has a known target", "some, to vote")
    if held is not None:
        judged = np.flatnonzero(target_values(held, "classification")[1])
        if not len(judged):
            raise DataError("no row of the holdout has a known target", "some, to judge by")
        return [(known, held.take(judged))]
    if len(known) < _HALVES:
        raise DataError("one row has a known target", "two or more, or a holdout")
    halves = [np.sort(part) for part in np.array_split(rng.permutation(known), _HALVES)]
    return [(one, table.take(_some(other, rng))) for one, other in zip(halves, halves[::-1], strict=True)]


def _some(rows, rng):
    return rows if len(rows) <= _MOST_JUDGED else np.sort(rng.choice(rows, _MOST_JUDGED, replace=False))


def _encoded(space, rows, likeliest, candidates, n_candidates, seed):
    """The training rows and their candidates in feature space."""
    worlds = row_worlds(candidates, most=n_candidates, seed=seed)
    seen = space.encode(likeliest)
    choices = space.encode(worlds.table(rows)) if len(worlds.positions) else np.empty((0, seen.shape[1]))
    return Encoded(seen, choices, np.unique(worlds.positions), worlds.start, worlds.weights)
