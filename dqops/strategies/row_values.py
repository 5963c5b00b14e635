"""Rows by what they are worth to the model: those that harm it most first."""

from dataclasses import dataclass

import numpy as np

import dqops.valuers  # noqa: F401  (registers the valuers)
from dqops.contracts import Strategy, Valuer
from dqops.models.space import last_step
from dqops.models.splits import make_splits
from dqops.models.targets import target_values
from dqops.strategies.order import ranked_rows
from dqops.valuers.crossed import crossed_values
from dqops.valuers.linear_model import is_linear
from dqops.valuers.tree_influence import is_tree_model

_FOLDS = 5


class ByValue(Strategy):
    """Rows by a valuation: a subclass says which valuer suits the model (`valuer`), and why."""

    def rank(self, table, model, holdout, rng):
        valuer, why = self.valuer(model)
        known = np.flatnonzero(target_values(table, model.task)[1])
        worth = np.full(table.n_rows, np.nan)
        worth[known] = -values_of(valuer, table.take(known), holdout, model, rng)
        # A row without a target helps no model: an answer makes a row of it.
        worth[np.isnan(worth)] = np.nanmax(worth, initial=0.0)
        return ranked_rows(self.name, table, worth, why)

    def valuer(self, model):
        """(Valuer, reason) for this model."""
        raise NotImplementedError


def values_of(valuer, rows, holdout, model, rng):
    """Values of rows, float64 (n,): judged by the holdout, or each part by the others."""
    if not valuer.needs_holdout:
        return valuer.value(rows, None, model, rng).value
    if holdout is not None:
        known = np.flatnonzero(target_values(holdout, model.task)[1])
        return valuer.value(rows, holdout.take(known), model, rng).value
    seed = int(rng.integers(2**31))
    splits = make_splits(rows, model.task, folds=_FOLDS, seed=seed)
    return crossed_values(valuer, rows, model, splits, seed, lambda done, total, what: None).value


@dataclass
class LowShapley(ByValue):
    """Rows of the lowest Shapley value in a vote of the nearest rows, as a surrogate for whatever the model is.

    References
    ----------
    Jia et al. 2019, VLDB 12(11). doi:10.14778/3342263.3342637
    """

    name = "knn_shapley"

    def valuer(self, model):
        return Valuer.named("knn_shapley")(), "its vote harms its neighbours"


@dataclass
class LowInfluence(ByValue):
    """Rows that the holdout would be better foretold without, to first order.

    Exact curvature for linear models; leaves of a held structure for boosted trees and forests. In the space of any other model
    a linear one stands for it.

    References
    ----------
    Koh, Liang 2017, ICML, understanding black-box predictions via influence functions. arXiv:1703.04730
    """

    name = "influence"

    def valuer(self, model):
        learner = last_step(model)
        if is_linear(learner):
            return Valuer.named("influence")(), "the holdout is better foretold without it"
        if is_tree_model(learner):
            return Valuer.named("tree_influence")(), "the holdout is better foretold without it"
        return Valuer.named("influence")(surrogate=True), "the holdout is better foretold without it, by a linear model in the space of this one"


@dataclass
class LowDataOob(ByValue):
    """Rows that models on bags without them foretell worst; no holdout is looked at.

    References
    ----------
    Kwon, Zou 2023, ICML. arXiv:2304.07718
    """

    name = "data_oob"

    def valuer(self, model):
        return Valuer.named("data_oob")(), "models that were trained without it foretell it badly"
