"""The best model that a short search finds, judged once on rows that took no part in it."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from dqops.errors import DataError, ModelError
from dqops.limits.remembered import Remembered, clopper_pearson
from dqops.models.design import subsample
from dqops.models.resolve import resolve_model
from dqops.models.splits import make_splits
from dqops.models.targets import target_values
from dqops.results.feasibility import Reached
from dqops.seeds import stream

# Models are chosen on this many rows at most; the winner learns from all.
_CHOOSING_ROWS = 6000
_INNER_FOLDS = 4
_SHARES = 3  # without a holdout one part in so many judges
_MANY_NEIGHBOURS, _MANY_CLASSES = 25, 10
_FRACTIONS = (4, 2)


@dataclass(frozen=True, eq=False)
class Reach:
    """The best model found, and what it said of the rows that judge.

    Parameters
    ----------
    model : Model
    said : Remembered
    labels : array (n_judged,)
        Of the judged rows.
    positions : int64 (n_judged,)
        Where the judged rows stand among all rows.
    trained : int
    earlier : tuple of (int, Remembered)
        What it said when it had learned from a quarter, then from a half of the rows.
    others : tuple of (str, int, Remembered)
        The models that were not chosen: name, rows learned from, what they said.
    """

    model: object
    said: Remembered
    labels: np.ndarray
    positions: np.ndarray
    trained: int
    earlier: tuple = ()
    others: tuple = ()

    def errors(self, labels=None):
        """Wrong predictions among the judged rows."""
        return int((self.said.predicted != (self.labels if labels is None else labels)).sum())


def contenders(names, task, own, seed, n_classes=2):
    """The models that compete, as `Model`: the user's own first, then simple ones of different kinds.

    Parameters
    ----------
    names : sequence of str
        Of dqops' own; also "gaussian" and "many neighbours".
    own : Model or None
    n_classes : int
        Boosting grows a tree a class and round: of many classes it goes fewer rounds.
    """
    makers = {
        "gaussian": lambda: QuadraticDiscriminantAnalysis(reg_param=0.05),
        "many neighbours": lambda: (KNeighborsClassifier if task == "classification" else KNeighborsRegressor)(_MANY_NEIGHBOURS),
    }
    found = [] if own is None else [own]
    taken = {one.named for one in found}
    for name in names:
        if name in taken or (name == "gaussian" and task == "regression"):
            continue
        light = name == "boosting" and n_classes > _MANY_CLASSES
        made = resolve_model(makers[name]() if name in makers else "auto" if light else name, task, seed=seed)
        found.append(replace(made, name=name))
    return found


def reach(rows, task, scoring, models, *, own, seed, tell):
    """The best model found, as `Reach`.

    Without a holdout a third of the rows judges. A part of the others chooses; the winner learns from all of those and
    is judged once, on rows that neither taught nor chose, so that limits of its error are exact.

    Parameters
    ----------
    rows : Rows
    scoring : str or callable
    models : list of Model
        Those that fail are left out.
    own : Model or None
        The user's, which must work.
    tell : callable
        Told (done, total, what).
    """
    learned, positions = _sides(rows, task, seed)
    train, judge, classes = rows.table.take(learned), rows.table.take(positions), rows.classes
    labels = target_values(judge, task)[0].copy()
    some = subsample(train, _CHOOSING_ROWS, seed, task)
    inner = make_splits(some, task, folds=_INNER_FOLDS, seed=seed)[-1]
    taught, choosing = some.take(inner.train), some.take(inner.test)
    scored, last = [], None
    for place, model in enumerate(models):
        tell(place, len(models) + 2, f"trying {model.name}")
        try:
            ready = model.prepared(train)
            fitted = ready.fit(taught, seed=seed, classes=classes)
            scored.append((fitted.score(choosing, scoring), -place, ready, fitted))
        except ModelError as failed:
            if model is own:
                raise
            last = failed  # one of ours cannot take these columns: the others may
    if not scored:
        raise last
    _, _, best, _ = max(scored, key=lambda one: one[:2])
    tell(len(models), len(models) + 2, f"fitting {best.name}")
    earlier = tuple(_at_size(best, train, train.n_rows // part, judge, task, classes, seed) for part in _FRACTIONS)
    said = Remembered.of(best.fit(train, seed=seed, classes=classes), judge)
    others = tuple((model.name, taught.n_rows, Remembered.of(fitted, judge)) for _, _, model, fitted in scored if model is not best)
    return Reach(best, said, labels, positions, train.n_rows, tuple(one for one in earlier if one), others)


def _sides(rows, task, seed):
    """Positions to learn from, and to judge on."""
    if rows.held:
        return rows.known, rows.judged
    split = make_splits(rows.table, task, folds=_SHARES, seed=seed)[-1]
    return split.train, split.test


def _at_size(model, table, size, judge, task, classes, seed):
    """(rows, what the model says) after learning from so many rows; None where it cannot."""
    part = subsample(table, max(size, 10), seed, task)
    try:
        return part.n_rows, Remembered.of(model.fit(part, seed=seed, classes=classes), judge)
    except (ModelError, DataError):
        return None


def reached(name, said, labels, rows, scoring, seed, *, decides=False):
    """What a model reaches, as `Reached`: exact limits for accuracy, else by bootstrap over the judged rows."""
    if scoring == "accuracy":
        errors = int((said.predicted != labels).sum())
        score = 1 - errors / len(labels)
        low, high = (1 - one for one in clopper_pearson(errors, len(labels))[::-1])
    else:
        score = said.score(labels, scoring)
        low, high = said.interval(labels, scoring, stream(seed, f"judged rows:{name}"))
    return Reached(name, float(score), low, high, rows, decides)

