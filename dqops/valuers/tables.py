"""Valuers over tables: the estimators for arrays, in the space of the user's pipeline."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from dqops.contracts import Valuer
from dqops.errors import DataError, OptionError
from dqops.models.space import looks_at_target, space_of
from dqops.models.splits import assign_folds, units_of
from dqops.models.targets import target_values
from dqops.results.valuation import Valuation
from dqops.valuers.data_oob import data_oob
from dqops.valuers.influence import influence, influence_matrix
from dqops.valuers.knn_shapley import knn_shapley
from dqops.valuers.learner import take
from dqops.valuers.linear_model import is_linear
from dqops.valuers.noisy_rows import noisy_rows
from dqops.valuers.semivalues import semivalues
from dqops.valuers.tree_influence import is_tree_model

# Parts that a table is cut into where transformers look at the target.
_PARTS = 5
_USUAL_NEIGHBOURS = 5
# Largest matrix of influences, holdout rows by training rows, that is formed for standard errors.
_MOST_CELLS = 2**23


class InSpace(Valuer):
    """A valuer that works on the rows as the last step of the pipeline is given them.

    Where the steps before it learn from the target, each part of the rows is valued in a space that was fitted on the
    other parts: a row's own label has no part in where the row lies.
    """

    def value(self, train, holdout, model, rng):
        seed = int(rng.integers(2**31))
        if not looks_at_target(model, train, seed):
            found = self.in_space(space_of(model, train, holdout, seed), seed)
            return replace(found, rows=train.row_ids)
        labels, _ = target_values(train, model.task)
        strata = np.unique(labels, return_inverse=True)[1] if model.task == "classification" else np.zeros(train.n_rows, dtype=int)
        parts = assign_folds(strata, units_of(train), _PARTS, rng)
        values, errors = np.full(train.n_rows, np.nan), np.full(train.n_rows, np.nan)
        for part in np.unique(parts):
            rows = parts == part
            others = train.take(np.flatnonzero(~rows))
            space = space_of(model, train, holdout, seed, fitted_on=others)
            found = self.in_space(space, seed)
            values[rows] = found.value[rows]
            errors[rows] = np.nan if found.stderr is None else found.stderr[rows]
        told = f"{found.why}; its transformers learn from the target: each fifth of the rows lies where the others put it".lstrip("; ")
        return replace(found, value=values, stderr=None if np.isnan(errors).all() else errors, rows=train.row_ids, why=told)

    def in_space(self, space, seed):
        """`Valuation` of the training rows of a `Space`."""
        raise NotImplementedError


@dataclass(frozen=True)
class KnnShapley(InSpace):
    """What each row is worth to the vote of the nearest rows: exact, for any model's space.

    Parameters
    ----------
    k : int, optional
        Neighbours that vote; by default those of the model, where it is one of neighbours, else 5.
    """

    name = "knn_shapley"
    k: int | None = None

    def in_space(self, space, seed):
        neighbours = isinstance(space.learner, (KNeighborsClassifier, KNeighborsRegressor))
        k = self.k or (space.learner.n_neighbors if neighbours else _USUAL_NEIGHBOURS)
        rows, held = space.scaled_numbers
        return knn_shapley(rows, space.y, held, space.y_holdout, k=k, task=space.task)


@dataclass(frozen=True)
class Influence(InSpace):
    """What leaving a row out does to the holdout loss of a linear last step, with the exact curvature.

    Standard errors, over holdout rows, where the matrix of holdout by training rows has at most 2**23 cells.

    Parameters
    ----------
    surrogate : bool
        Let a logistic or ridge regression in the model's space stand for a last step that is not linear.
    """

    name = "influence"
    surrogate: bool = False

    def in_space(self, space, seed):
        learner, why = space.learner, ""
        rows, held = space.numbers
        if not is_linear(learner):
            if not self.surrogate:
                raise OptionError("method", self.name, f"a model whose last step is linear; {type(learner).__name__} is not")
            why = f"a linear model in its space stands for {type(learner).__name__}"
            learner = LogisticRegression() if space.task == "classification" else Ridge()
            rows, held = space.scaled_numbers
        seen = _seen(space)
        four = rows, space.y, held[seen], space.y_holdout[seen]
        found = replace(influence(*four, model=learner), why=why)
        if len(rows) * seen.sum() > _MOST_CELLS or seen.sum() < 2:
            return found
        by_judge = influence_matrix(*four, model=learner)
        return replace(found, stderr=by_judge.std(axis=0, ddof=1) / np.sqrt(len(by_judge)))


@dataclass(frozen=True)
class TreeInfluence(InSpace):
    """What leaving a row out does to the holdout loss of boosted trees or a forest, their splits held."""

    name = "tree_influence"

    def in_space(self, space, seed):
        if not is_tree_model(space.learner):
            raise OptionError("method", self.name, f"boosted trees or a forest of scikit-learn; {type(space.learner).__name__} is none")
        seen = np.flatnonzero(_seen(space))
        found = influence(space.rows, space.y, take(space.rows_holdout, seen), space.y_holdout[seen], model=space.learner)
        return replace(found, method=self.name)


@dataclass(frozen=True)
class DataOob(InSpace):
    """How well each row is predicted by models that were trained without it, on bags of the others.

    Parameters
    ----------
    n_estimators : int
        Bags; a forest has its own number.
    """

    name = "data_oob"
    needs_holdout = False
    n_estimators: int = 50

    def in_space(self, space, seed):
        return data_oob(space.rows, space.y, model=space.learner, n_estimators=self.n_estimators, task=space.task, seed=seed)


@dataclass(frozen=True)
class Semivalues(InSpace):
    """What each row adds to the holdout score of the model, over random subsets of the rows, by training on them.

    Parameters
    ----------
    kind : {"shapley", "banzhaf", "beta", "loo"}
        Of Banzhaf values every training serves every row.
    budget : int, optional
        Most trainings.
    """

    name = "semivalues"
    kind: str = "banzhaf"
    budget: int | None = 1000

    def in_space(self, space, seed):
        four = space.rows, space.y, space.rows_holdout, space.y_holdout
        found = semivalues(*four, model=space.learner, kind=self.kind, budget=self.budget, task=space.task, seed=seed)
        return replace(found, method=self.name, why=f"{found.method}: {found.why}")


@dataclass(frozen=True)
class NoisyRowsValuer(InSpace):
    """How surely each label is right, by a panel of learners beside the model: the probability, less one half."""

    name = "noisy_rows"
    tasks = ("classification",)
    needs_holdout = False

    def in_space(self, space, seed):
        found = noisy_rows(space.numbers[0], space.y, model=space.learner, seed=seed)
        return Valuation(0.5 - found.wrong, None, self.name, "probability of a right label over one half")


def _seen(space):
    """Holdout rows of a class that training rows have: bool (n_holdout,)."""
    if space.task == "regression":
        return np.ones(len(space.y_holdout), dtype=bool)
    seen = np.isin(space.y_holdout, space.y)
    if not seen.any():
        raise DataError("no holdout row is of a class that training rows have", "some")
    return seen
