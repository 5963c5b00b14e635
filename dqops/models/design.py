"""What the experiment is: the task, the user's model and scorer, and the model heard out of fold."""

from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

import numpy as np

from dqops.models.doubt import doubt_classes, doubt_predictions
from dqops.models.evidence import calibrated_votes, heard, temperature, with_temperature
from dqops.models.label_noise import corrected_score
from dqops.models.residual_noise import within_reach
from dqops.models.splits import make_splits
from dqops.models.targets import classes_of, codes_of, target_values, task_of
from dqops.results.gain import Estimate
from dqops.results.summary import LabelNoise
from dqops.seeds import stream

OUT_OF_FOLD_FOLDS = 5
# A class keeps this many rows in a subsample, however rare it is.
_KEPT_OF_A_CLASS = 10
# Rows known to be right, with which a panel is as sure as it says; rows of a table of which it hears every label unasked.
_ENOUGH_KNOWN, _MOST_HEARD = 50, 10_000
# Doubtful target values are left out of a second hearing where there are no more than this share.
_MOST_LEFT_OUT = 0.2


@dataclass(frozen=True, eq=False)
class Design:
    """Task, model, scorer and rows to judge on: what every price is measured with.

    Parameters
    ----------
    task : {"classification", "regression"}
    model : Model or None
        None where only the data are looked at.
    scoring : str or None
    seed : int
    effort : {"quick", "standard", "thorough"}
    holdout : Table, optional
        Rows said to be clean, to judge on.
    reference : Table, optional
        Earlier rows, to compare with.
    max_rows : int, optional
        Most rows that a model is fitted on.
    """

    task: str
    model: object = None
    scoring: object = None
    seed: int = 0
    effort: str = "standard"
    holdout: object = None
    reference: object = None
    max_rows: int | None = None
    _kept: WeakKeyDictionary = field(default_factory=WeakKeyDictionary, repr=False)

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name != "_kept"}

    def __setstate__(self, state):
        self.__dict__.update(state, _kept=WeakKeyDictionary())

    def classes(self, table):
        """All labels, sorted: those of the table and of the holdout."""
        return classes_of(table, *([] if self.holdout is None else [self.holdout]))

    def splits(self, table, *, folds=5, repeats=1):
        """Splits of the table; where rows are trusted, they alone are judged on.

        Returns
        -------
        list of Split
        """
        splits = make_splits(table, self.task, folds=folds, repeats=repeats, seed=self.seed)
        trusted = table.trusted()
        if not trusted.any():
            return splits
        judged = [type(one)(one.train, one.test[trusted[one.test]], one.repeat, one.fold) for one in splits]
        return [one for one in judged if len(one.test)] or splits

    def judged_splits(self, table, holdout=None, *, folds=5, repeats=1):
        """Pairs of a split of the table, whose rows train, and of the split whose tested rows judge: of the same, or of the holdout in turn.

        Returns
        -------
        list of (Split, Split)
        """
        if holdout is None:
            return [(one, one) for one in self.splits(table, folds=folds, repeats=repeats)]
        # What is trusted in the table judges nothing where other rows do.
        inside, judges = (make_splits(one, self.task, folds=folds, repeats=repeats, seed=self.seed) for one in (table, holdout))
        return [(one, judges[place % len(judges)]) for place, one in enumerate(inside)]

    def out_of_fold(self, table):
        """What the model says of each row when it was not trained on it; kept for the next caller.

        Repeated rows and groups stay in one fold, so that no copy gives a label away. Probabilities are
        calibrated to the given labels by one temperature.

        Parameters
        ----------
        table : Table

        Returns
        -------
        (float64 (n, C), array (C,)) for classification: probabilities and classes
        float64 (n,) for regression: predictions
        """
        say = self._out_of_fold_classes if self.task == "classification" else self._out_of_fold_numbers
        return self._once("out of fold", table, say)

    def fitted(self, table):
        """The model fitted on all rows of the table (or the sampled ones); kept for the next caller."""
        return self._once("fitted", table, self._fit)

    def label_doubt(self, table):
        """`TargetDoubt`: how surely each target value is wrong; kept for the next caller."""
        return self._once("doubt", table, self._doubt)

    def knows_enough(self, table):
        """Whether so many labels are known to be right that a panel is as sure of the others as it says."""
        known = table.trusted().sum() + (0 if self.holdout is None else self.holdout.n_rows)
        return self.task == "classification" and known >= _ENOUGH_KNOWN and self.hears_all(table)

    def hears_all(self, table):
        """Whether a panel hears every label unasked: where there are not too many."""
        return table.n_rows <= _MOST_HEARD

    def panel_doubt(self, table):
        """`TargetDoubt` by a panel of unlike learners; kept for the next caller. None for a regression target, or where it cannot be heard."""
        return None if self.task == "regression" else self._once("panel", table, self._doubt_of_panel)

    def label_noise(self, table):
        """`LabelNoise` of the table, with its uncertainty; None for a regression target."""
        if self.task != "classification":
            return None
        doubt = (self.panel_doubt(table) if self.knows_enough(table) else None) or self.label_doubt(table)
        joint = tuple(tuple(line) for line in doubt.joint.tolist())
        return LabelNoise(tuple(str(one) for one in doubt.classes.tolist()), joint, doubt.rate, doubt.low, doubt.high)

    def against_true_labels(self, table, baseline):
        """The baseline with the accuracy that the model has against true labels, with what is not known of the noise.

        Left as it is where the score is not accuracy or rows that are known to be clean judge.
        """
        if self.task != "classification" or self.scoring != "accuracy" or baseline.judged_on != "cross-validation":
            return baseline
        said, classes = self.out_of_fold(table)
        labels, known = target_values(table, self.task)
        predicted = classes[said.argmax(axis=1)]
        estimate = corrected_score(labels[known], predicted[known], self.label_noise(table), baseline.level)
        gained = estimate.expected - float((labels[known] == predicted[known]).mean())
        # Never surer than the baseline, whose interval knows that other training rows make another model.
        low = min(baseline.low, baseline.score + estimate.low - estimate.expected) + gained
        high = max(baseline.high, baseline.score + estimate.high - estimate.expected) + gained
        corrected = Estimate(*(float(np.clip(one, 0, 1)) for one in (baseline.score + gained, low, high)), baseline.level)
        return replace(baseline, label_noise_corrected=True, corrected=corrected)

    def _once(self, what, table, work):
        kept = self._kept.setdefault(table, {})
        if what not in kept:
            kept[what] = work(table)
        return kept[what]

    def _fit(self, table):
        some = table if self.max_rows is None else subsample(table, self.max_rows, self.seed, self.task)
        classes = self.classes(table) if self.task == "classification" else None
        return self.model.fit(some, seed=self.seed, classes=classes)

    def _doubt(self, table):
        if self.task == "regression":
            return self._doubt_numbers(table)
        return doubt_classes(table, *self.out_of_fold(table))

    def _doubt_of_panel(self, table):
        """Late: learners of many kinds are loaded for it."""
        from dqops.models.panel_doubt import panel_doubt

        return panel_doubt(table, self.model.prepared(table), self.classes(table), self.seed, self.holdout)

    def _doubt_numbers(self, table):
        """Wrong numbers spoil the model that should find them: it learns without gross ones, then without doubtful ones."""
        numbers, known = target_values(table, self.task)
        usable = ~known | within_reach(np.where(known, numbers, np.nan))
        doubt = doubt_predictions(table, self.out_of_fold(table) if usable.all() else self._out_of_fold_numbers(table, usable))
        doubtful = doubt.wrong >= 0.5
        if not doubtful.any() or doubtful.mean() > _MOST_LEFT_OUT:
            return doubt
        return doubt_predictions(table, self._out_of_fold_numbers(table, usable & ~doubtful))

    def _out_of_fold_classes(self, table):
        classes = self.classes(table)
        said = np.zeros((table.n_rows, len(classes)))
        form = "probabilities"
        for fitted, rows, part in self._folds(table, classes):
            form, said[rows] = heard(fitted, part)
        labels, known = target_values(table, self.task)
        codes = np.where(known, codes_of(labels, classes), -1)
        if form == "votes":
            return calibrated_votes(said, codes), classes
        return with_temperature(said, temperature(said, codes)), classes

    def _out_of_fold_numbers(self, table, usable=None):
        said = np.zeros(table.n_rows)
        for fitted, rows, part in self._folds(table, None, usable):
            said[rows] = fitted.predict(part)
        return said

    def _folds(self, table, classes, usable=None):
        """(fitted model, positions, their rows) fold by fold; rows without a target go with the first fold.

        Rows that are not `usable` are heard, but not trained on.
        """
        splits = make_splits(table.with_roles(time=None), self.task, folds=OUT_OF_FOLD_FOLDS, seed=self.seed)
        unheard = np.setdiff1d(np.arange(table.n_rows), np.concatenate([one.test for one in splits]))
        model = self.model.prepared(table)
        for one in splits:
            train = table.take(one.train if usable is None else one.train[usable[one.train]])
            if self.max_rows is not None:
                train = subsample(train, self.max_rows, self.seed, self.task)
            fitted = model.fit(train, seed=self.seed, classes=classes)
            rows = np.concatenate([one.test, unheard]) if one is splits[0] else one.test
            yield fitted, rows, table.take(rows)


def subsample(table, max_rows, seed, task=None):
    """At most about `max_rows` rows of the table, in their order.

    Classes keep their shares (rare ones at least ten rows), groups stay whole, times stay in order.

    Parameters
    ----------
    table : Table
    max_rows : int
    seed : int
    task : {"classification", "regression"}, optional
        By default what `task_of` says; labels are strata in classification.
    """
    if table.n_rows <= max_rows:
        return table
    rng = stream(seed, f"subsample:{max_rows}")
    if table.roles.group is not None:
        return table.take(_whole_groups(table.frame[table.roles.group], max_rows, rng))
    strata = _strata(table, task)
    kept = []
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        wanted = max(round(len(rows) * max_rows / table.n_rows), min(len(rows), _KEPT_OF_A_CLASS))
        kept.append(rng.choice(rows, min(wanted, len(rows)), replace=False))
    return table.take(np.sort(np.concatenate(kept)))


def _strata(table, task):
    if table.roles.target is None or (task or task_of(table)) == "regression":
        return np.zeros(table.n_rows, dtype=np.int64)
    codes = table.target().rank("dense").fill_null(0).to_numpy().astype(np.int64)
    few = len(np.unique(codes)) * _KEPT_OF_A_CLASS <= table.n_rows // 2
    return codes if few else np.zeros(table.n_rows, dtype=np.int64)


def _whole_groups(groups, max_rows, rng):
    """Rows of groups in random order until there are enough."""
    codes = groups.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    sizes = np.bincount(codes)
    order = rng.permutation(len(sizes))
    within = order[np.cumsum(sizes[order]) <= max_rows]
    chosen = within if len(within) and sizes[within].sum() else order[:1]
    return np.flatnonzero(np.isin(codes, chosen))
