"""A training table and its candidates, as the last step of a model sees them."""

import numpy as np

from dqops.limits.encoded import Encoded
from dqops.models.feature_space import feature_space
from dqops.models.targets import target_values
from dqops.propagation.bounds import ridge_bounds
from dqops.propagation.row_worlds import row_worlds
from dqops.propagation.worlds import likeliest_world


def followed(model, table, candidates, *, n_candidates=10, seed=0):
    """The model's feature space, the `Encoded` rows, their targets and ids, and how many rows were sampled.

    The model's steps are fitted to the likeliest world and stay as they are in the others.

    Parameters
    ----------
    model : Model
    table : Table
        Training rows, as read; those without a target are left out.
    candidates : Candidates
        About rows of `table`, by their ids.
    n_candidates : int
        Most choices of a row.
    seed : int
    """
    values, known = target_values(table, model.task)
    if not known.all():
        table = table.take(np.flatnonzero(known))
    candidates = candidates.on_rows(table.row_ids)
    rows = row_worlds(candidates, most=n_candidates, seed=seed)
    likeliest = likeliest_world(candidates).table(table, 0)
    space = feature_space(model, likeliest, seed)
    seen = space.encode(likeliest)
    choices = space.encode(rows.table(table)) if len(rows.positions) else np.empty((0, seen.shape[1]))
    encoded = Encoded(seen, choices, np.unique(rows.positions), rows.start, rows.weights)
    return space, encoded, values[known], table.row_ids, rows.n_sampled


def outer_bounds(space, encoded, values, test):
    """`RidgeBounds` of the predictions of `test`; None where the model is no ridge regression.

    Parameters
    ----------
    space : FeatureSpace
    encoded : Encoded
    values : float64 (n,)
        Targets of the training rows.
    test : Table
    """
    learner = space.learner
    if learner.loss != "squared" or not learner.alpha > 0:
        return None
    ranges = encoded.ranges()
    return ridge_bounds(ranges.middle, values, ranges.radius, space.encode(test), alpha=learner.alpha)
