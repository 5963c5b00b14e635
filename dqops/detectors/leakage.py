"""Columns that give the target away, and training rows that the holdout holds, too."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from dqops.contracts import Detector
from dqops.models.targets import target_values, task_of
from dqops.results.findings import Findings
from dqops.tables.alone import Alone, auc, empty_purity, encode, explained, foretell
from dqops.tables.repeats import describing, numbers_rows, repeats

_SAMPLED_ROWS = 10_000
_FEWEST_ROWS = 30
_SUREST = 0.98
# What a column leaves unexplained at which it is as likely a leak as not, if the best other column leaves four
# times as much; a running number has no business to foretell anything. Where another column comes near it, too, the target
# is easy, however perfect the first one is.
_UNEXPLAINED, _OTHERS = 0.02, 4.0
_UNEXPLAINED_BY_NUMBER, _OTHERS_BY_NUMBER = 0.1, 2.0
_MOST_BY_ITSELF = 3.0  # evidence in bits
# So many times purer than all rows must the empty (or the filled) cells' rows be in one class.
_PURER = 10.0
# Share of rows in which two columns must add up (or multiply) to a target of many levels.
_ADDS_UP, _LEVELS = 0.7, 20
_TRIED_ROWS, _TRIED_COLUMNS = 1000, 40
# Two columns that foretell less may say the same without hiding a leak.
_NEAR_PERFECT = 0.9
_FOLDS = 5
_WORTH_TELLING = 0.2

_SHARED = "the holdout holds this row, too"


@dataclass(frozen=True)
class Leakage(Detector):
    """Columns that tell the target too well to be known before it, and rows shared with the holdout.

    Each feature predicts held-out targets alone (mean target by value or by quantile bin, emptiness as a value of
    its own), so that identifiers do not seem to know what they merely memorise. A leak is near-perfect where all
    other columns are far from it, or is empty for just one class, or adds up to the target with another column. The
    message tells what was measured; whether the column is known at prediction time only its owner can say.

    Examples
    --------
    >>> Leakage()
    Leakage()
    """

    name = "leakage"

    def fit(self, table, design, rng):
        if table.roles.target is None:
            return self.fitted(leaks={})
        task = design.task if design is not None else task_of(table)
        values, known = target_values(table, task)
        rows = np.flatnonzero(known)
        if len(rows) < _FEWEST_ROWS or len(np.unique(values[rows])) < 2:
            return self.fitted(leaks={})
        if len(rows) > _SAMPLED_ROWS:
            rows = np.sort(rng.choice(rows, _SAMPLED_ROWS, replace=False))
        return self.fitted(leaks=_leaks(table, rows, values[rows], task, rng))

    def find(self, table):
        here = set(table.columns)
        return self.findings(
            self.finding(table, name, [], score, [], message, whole=True)
            for name, (score, message) in self.leaks_.items()
            if name in here
        )

    def fit_find(self, table, design, rng):
        found = self.fit(table, design, rng).find(table)
        holdout = getattr(design, "holdout", None)
        return found + (Findings() if holdout is None else self.shared(table, holdout))

    def shared(self, table, holdout):
        """Rows of `table` whose features stand in `holdout`, too, coincidences apart."""
        names = [name for name in describing(table.frame, table.features) if name in holdout.columns]
        both = pl.concat([table.frame.select(names), holdout.frame.select(names)], how="vertical_relaxed")
        found = repeats(both)
        held = np.unique(found.first[table.n_rows :])
        rows = np.flatnonzero(np.isin(found.first[: table.n_rows], held) & (found.score[: table.n_rows] >= 0.5))
        message = f"{len(rows)} training {'row stands' if len(rows) == 1 else 'rows stand'} in the holdout, too."
        return self.findings([self.finding(table, None, rows, found.score[rows], _SHARED, message)])


def _leaks(table, rows, target, task, rng):
    """Score and message of each suspicious column."""
    if task == "classification":
        target = np.unique(target, return_inverse=True)[1]
    features = {name: encode(table.meanings[name], rows) for name in table.features}
    fold = rng.permutation(len(rows)) % _FOLDS
    measure, word = (auc, "AUC") if task == "classification" else (explained, "R2")
    alone = {name: measure(target, foretell(column, target, task, fold)) for name, column in features.items()}
    found, best_first = {}, sorted(alone, key=lambda one: -alone[one])
    for name, column in features.items():
        numbering = numbers_rows(table.frame[name])
        score = _too_good(alone[name], _best_other(name, best_first, features, alone), word, len(rows), numbering)
        found[name] = max(score, _empty_for_one(column, target, fold)) if task == "classification" else score
    for name, one in _adding_up(features, target, rng) if task == "regression" else ():
        found[name] = max(found[name], one)
    return {name: one for name, one in found.items() if one[0] >= _WORTH_TELLING}


def _best_other(name, best_first, features, alone):
    """How well the best other column foretells the target; columns that say the same are not others."""
    for other in best_first:
        near = alone[name] >= _NEAR_PERFECT and alone[other] >= _NEAR_PERFECT
        if other != name and not (near and features[name].says_the_same(features[other])):
            return alone[other]
    return 0.0


def _too_good(alone, best_other, word, n_rows, numbering):
    floor = 0.5 / n_rows
    left, left_by_others = max(1 - alone, floor), max(1 - best_other, floor)
    unexplained, others = (_UNEXPLAINED_BY_NUMBER, _OTHERS_BY_NUMBER) if numbering else (_UNEXPLAINED, _OTHERS)
    alone_in_it = np.log2(left_by_others / max(left, unexplained) / others)
    evidence = min(np.log2(unexplained / left), _MOST_BY_ITSELF) + np.clip(alone_in_it, -2 * _MOST_BY_ITSELF, _MOST_BY_ITSELF)
    what = "numbers the rows, but predicts" if numbering else "predicts"
    message = f"It {what} the target alone: {word} {alone:.3g} where the best other column reaches {best_other:.3g}."
    return _likely(evidence), message


def _empty_for_one(column, target, fold):
    """Are nearly all rows where the column is empty (or is filled) of one class, far beyond that class's share?

    Empty cells of a column whose values tell the classes apart as well are of one class because of the values they hide.
    """
    purer, count, share, side = empty_purity(column, target)
    if count and side == "empty" and _told_by_values(column, target, fold):
        return 0.0, ""
    message = (
        f"Whether it is {side} tells the target: of the {count} rows where it is, {share:.0%} are of one class"
        f"{'' if share < 0.995 else ', as if it were filled in afterwards'}."
    )
    return _likely(np.log2(max(purer, 1e-9) / _PURER)) if count else 0.0, message


def _told_by_values(column, target, fold):
    """Do the values foretell the target near-perfectly where there are any?"""
    filled = np.flatnonzero(column.known)
    numbers = None if column.numbers is None else column.numbers[filled]
    values = Alone(numbers, column.codes[filled])
    return auc(target[filled], foretell(values, target[filled], "classification", fold[filled])) >= _NEAR_PERFECT


def _adding_up(features, target, rng):
    """Columns of pairs whose sum, difference or product is the target in most rows, with score and message."""
    if len(np.unique(target)) <= _LEVELS:
        return
    rows = np.sort(rng.choice(len(target), min(len(target), _TRIED_ROWS), replace=False))
    numbers = {name: one.numbers[rows] for name, one in features.items() if one.numbers is not None and _varies(one)}
    wanted = target[rows]
    near = 1e-6 * np.maximum(np.abs(wanted), np.median(np.abs(wanted)))
    for one, other in combinations(list(numbers)[:_TRIED_COLUMNS], 2):
        first, second = numbers[one], numbers[other]
        made = {"sum": first + second, "difference": first - second, "product": first * second}
        made["difference"] = np.where(np.sign(made["difference"]) == np.sign(wanted), 1, -1) * made["difference"]
        for how, result in made.items():
            share = float((np.abs(result - wanted) <= near).mean())
            if share >= _ADDS_UP:
                message = f"With another column it makes up the target: their {how} is the target in {share:.0%} of the rows."
                yield one, (_SUREST * (1 + share) / 2, message)
                yield other, (_SUREST * (1 + share) / 2, message)


def _varies(column):
    """Is no single value in most cells? Adding a column of zeros proves nothing."""
    return np.bincount(column.codes + 1).max() < 0.9 * len(column.codes)


def _likely(evidence):
    return float(_SUREST / (1 + 2.0**-evidence))
