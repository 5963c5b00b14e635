"""Ask for the records whose repair was measured to help a vote of repairs."""

from dataclasses import dataclass, field

import numpy as np

from dqops.contracts import Detector
from dqops.errors import DataError, ModelError, OptionError
from dqops.models.design import Design, subsample
from dqops.models.targets import classes_of, codes_of, target_values
from dqops.propagation.boosting import boosted, nested_effects
from dqops.propagation.trial import Trial, trial_seed
from dqops.strategies.doubtful_cells import doubts_of
from dqops.strategies.library import options_with_discard
from dqops.strategies.records import RecordStrategy, doubtful_records, ranked_records
from dqops.tables.cells import row_places

_FOLDS = 3
_MOST_ROWS = 4000  # that models of repairs are trained on
_AGAIN = 0.25  # of the doubtful records answered since, and repairs are measured again
_IDLE = "no repair of its doubts adds to the vote"
_HELPS = "{} adds {:.2g} of accuracy to the vote"
_FEW = "there are too few rows to choose repairs on some and judge them on others: records stand in the order of their detectors"
_FAILED = "{} was not tried: {}"
_CHOSEN = "the vote of repairs ({}) is right on {:.1%} of rows that it was not chosen on, the best single repair on {:.1%}, no repair on {:.1%}"
_BY_LABELS = "there is no holdout: repairs are judged by the recorded labels, out of fold"


@dataclass
class BoostClean(RecordStrategy):
    """Records by the measured effect of repairs that boosting chose, on rows that the choice did not see.

    For each finding every repair that there is (and leaving the rows out) trains a model of its own; AdaBoost, or SAMME for more than two
    classes, chooses repairs that complete each other. What a repair adds is measured on parts that it was not chosen on, and shared out
    among its records by their scores, twice as much to those that are foretold rightly only with the repair. Answers are in the table,
    so that they take part as one more repair.

    Parameters
    ----------
    rounds : int
        Most repairs that vote.
    most_repairs : int
        Most repairs that are tried; those of the largest and surest findings first.

    Attributes
    ----------
    chosen : list of (str, float)
        Repairs of the vote over all judged rows, as orders, and their weights, which sum to 1.
    accuracy : tuple of float
        Of no repair, of the best single one, and of the vote, on rows that they were not chosen on.

    References
    ----------
    Krishnan, Franklin, Goldberg, Wu 2017, BoostClean. arXiv:1711.01299
    Zhu, Zou, Rosset, Hastie 2009, Statistics and Its Interface 2(3). doi:10.4310/SII.2009.v2.n3.a8

    Examples
    --------
    >>> BoostClean(rounds=3)
    BoostClean(rounds=3, most_repairs=12)
    """

    name = "boostclean"
    tasks = ("classification",)
    rounds: int = 5
    most_repairs: int = 12
    chosen: list = field(default_factory=list, init=False, repr=False, compare=False)
    accuracy: tuple | None = field(default=None, init=False, repr=False, compare=False)
    kept: object = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self):
        for name, given in (("rounds", self.rounds), ("most_repairs", self.most_repairs)):
            if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 1:
                raise OptionError(name, given, "an integer of 1 or more")

    def rank(self, table, model, holdout, rng):
        self.check_task(model.task, "repairs vote for classes")
        if self.kept is None or not self.kept.follows(table, model, holdout):
            seed = int(rng.integers(2**31))
            self.kept = _Kept(table, model, holdout, doubts_of(table, model, seed, rng), seed)
        records = doubtful_records(self.kept.findings, table, self.answered)
        if self.kept.is_stale(len(self.answered), records.height):
            self._measure(table, len(self.answered))
        worth, best = self.kept.shared(self.answered)
        places = records["position"].to_numpy()
        order = np.lexsort((np.arange(len(places)), -worth[places]))
        said = self.kept.said
        reasons = [_HELPS.format(*said[best[place]]) if worth[place] > 0 else _IDLE for place in places[order]]
        return ranked_records(self.name, table, records[order], worth[places][order], reasons, warnings=self.kept.notes)

    def _measure(self, table, n_answered):
        """Train a model of each repair, and let them vote."""
        kept = self.kept
        kept.begin(n_answered)
        options = _options(kept.findings, table, self.most_repairs)
        judged = _judged(table, kept, options)
        if judged is None:
            kept.notes.append(_FEW)
            return
        predictions, truth, parts, places, n_classes = judged
        effects, voted, single = nested_effects(predictions, truth, parts, n_classes, self.rounds)
        found = boosted(predictions, truth, n_classes, self.rounds)
        named = ["no repair", *(option.action for option in options)]
        self.chosen = [(named[one], float(weight)) for one, weight in zip(found.chosen, found.weights, strict=True)]
        self.accuracy = tuple(float((said == truth).mean()) for said in (predictions[:, 0], single, voted))
        kept.notes.append(_CHOSEN.format(", ".join(dict.fromkeys(name for name, _ in self.chosen)), *self.accuracy[::-1]))
        if kept.holdout is None:
            kept.notes.append(_BY_LABELS)
        kept.learn(options, effects, predictions, truth, parts, places)


class _Kept:
    """Findings of a table, and what the repairs of each were measured to add.

    Parameters
    ----------
    table : Table
        As it was first seen.
    """

    def __init__(self, table, model, holdout, findings, seed):
        self.table, self.model, self.holdout, self.findings, self.seed = table, model, holdout, findings, seed
        self.notes, self.effects, self.said, self.mended, self._measured_at = [], {}, {}, {}, None

    def follows(self, table, model, holdout):
        return model is self.model and holdout is self.holdout and self.table.row_ids.equals(table.row_ids)

    def is_stale(self, n_answered, n_left):
        """Were so many records answered since the last measurement that it is due again?"""
        return self._measured_at is None or n_answered - self._measured_at > _AGAIN * (n_left + n_answered - self._measured_at)

    def begin(self, n_answered):
        self.notes, self.effects, self.said, self.mended, self._measured_at = [], {}, {}, {}, n_answered

    def learn(self, options, effects, predictions, truth, parts, places):
        """Book the effects of the repairs to their findings; of one that was never chosen, that of its best repair alone.

        Parameters
        ----------
        options : list of Option
        effects : float64 (n_parts, n_repairs)
            As `nested_effects` gives them.
        predictions, truth, parts : int64
        places : int64 (n,) or None
            Positions of the judged rows, where they are rows of the table.
        """
        by_finding = {}
        for column, option in enumerate(options, 1):
            by_finding.setdefault(option.finding, []).append(column)
        for finding, columns in by_finding.items():
            own = effects[:, columns]
            if np.isfinite(own).any():
                best, effect = columns[int(np.argmax(np.nansum(own, axis=0)))], float(np.nansum(own)) / len(effects)
            else:
                best, effect = _alone(predictions, truth, parts, columns)
            self.effects[finding] = effect
            self.said[finding] = (options[best - 1].action, effect)
            if places is not None:
                rescued = (predictions[:, best] == truth) & (predictions[:, 0] != truth)
                self.mended[finding] = set(places[rescued].tolist())

    def shared(self, answered):
        """What each record's repairs add, float64 (n,), and the finding that adds most."""
        worth, most = np.zeros(self.table.n_rows), np.zeros(self.table.n_rows)
        best = np.full(self.table.n_rows, "", dtype=object)
        for one in self.findings:
            effect = self.effects.get(one.id, 0.0)
            if not effect > 0:
                continue
            told = [None in (cells := answered.get(row, ())) or one.column in cells for row in one.rows.to_list()]
            weights = one.scores * np.where(np.isin(one.positions, list(self.mended.get(one.id, ()))), 2.0, 1.0)
            share = np.where(told, 0.0, effect * weights / max(weights.sum(), np.finfo(float).tiny))
            worth[one.positions] += share
            more = share > most[one.positions]
            most[one.positions[more]], best[one.positions[more]] = share[more], one.id
        return worth, best


def _alone(predictions, truth, parts, columns):
    """(the best of some repairs, what it adds to no repair on parts that it was not chosen on)."""
    right = predictions == truth[:, None]
    gained = []
    for part in range(int(parts.max()) + 1):
        here = parts == part
        best = columns[int(np.argmax(right[~here][:, columns].mean(axis=0)))]
        gained.append(float(right[here, best].mean() - right[here, 0].mean()))
    return columns[int(np.argmax(right[:, columns].mean(axis=0)))], float(np.mean(gained))


def _options(findings, table, most):
    """Repairs to try, those of the largest and surest findings first."""
    ordered = sorted(findings, key=lambda one: (-one.share * one.score, one.id))
    return [option for one in ordered for option in options_with_discard(one, table)][:most]


def _judged(table, kept, options):
    """Predictions of each repair's model (column 0: no repair), truth, parts, positions or None, classes; None for too few rows."""
    some = subsample(table, _MOST_ROWS, kept.seed, "classification")
    design = Design(task="classification", model=kept.model, scoring="accuracy", seed=kept.seed, holdout=kept.holdout)
    classes = design.classes(some)
    detectors = {name: kind() for name, kind in Detector.known().items()}
    failures, told = {}, []
    if kept.holdout is not None:
        trials = [(None, Trial(some, kept.holdout, design, detectors, kept.seed))]
    else:
        try:
            splits = design.splits(some, folds=_FOLDS)
        except DataError:
            return None
        trials = [(one, Trial(some.take(one.train), some.take(one.test), design, detectors, trial_seed(kept.seed, one))) for one in splits]
    for part, (split, trial) in enumerate(trials):
        labels, known = target_values(trial.test, "classification")
        codes = codes_of(labels, classes)
        rows = np.flatnonzero(known & (codes >= 0))
        if len(rows):
            told.append((_said(trial, options, classes, failures)[rows], codes[rows], np.full(len(rows), part), None if split is None else split.test[rows]))
    kept.notes.extend(_FAILED.format(action, why) for action, why in failures.items())
    if not told:
        return None
    predictions, truth, parts = (np.concatenate([one[place] for one in told]) for place in range(3))
    if kept.holdout is not None:
        parts = np.random.default_rng(kept.seed).permutation(len(truth)) % 2
    if len(np.unique(parts)) < 2:
        return None
    places = None if kept.holdout is not None else row_places(table.row_ids, some.row_ids.gather(np.concatenate([one[3] for one in told])))
    return predictions, truth, parts, places, max(len(classes), 2)


def _said(trial, options, classes, failures):
    """Predictions of the rows that judge, int64 (n, 1 + n_options); those of no repair where a repair cannot be made."""
    columns = [_coded(trial.before.predict(trial.test), classes)]
    held = classes_of(trial.train)
    for option in options:
        try:
            train, test, _ = trial.repaired(option)
            if len(classes_of(train)) < len(held):
                raise DataError("it leaves rows of fewer classes", "all")
            columns.append(_coded(trial.fit(train).predict(test), classes))
        except (ModelError, DataError) as refused:
            failures.setdefault(option.action, str(refused))
            columns.append(columns[0])
    return np.stack(columns, axis=1)


def _coded(labels, classes):
    return np.maximum(codes_of(labels, classes), 0)
