"""What the best model says out of fold: the least error it believes in, wrong labels, and neighbours in its answers."""

from dataclasses import dataclass

import numpy as np

from dqops.errors import DataError, ModelError
from dqops.limits.asymptotics import spanning_tree_bounds
from dqops.limits.near import nearest_in_answers, tree_share
from dqops.limits.noise import true_posterior
from dqops.limits.remembered import clopper_pearson
from dqops.models.design import Design
from dqops.models.targets import codes_of
from dqops.results.feasibility import Reached

_LEARNED_ROWS = 4000
_ENOUGH = 2000  # rows whose posterior stands for all


@dataclass(frozen=True, eq=False)
class Heard:
    """What the best model says of rows that it did not learn from.

    Parameters
    ----------
    expected : float or None
        Least error, were its calibrated probabilities true.
    noise : LabelNoise or None
    posterior : callable or None
        Probabilities of the true classes under a noise matrix.
    second_opinion : tuple of float or None
        Least and largest Bayes error by the spanning tree.
    reached : tuple of Reached
    notes : tuple of str
    """

    expected: float | None = None
    noise: object = None
    posterior: object = None
    second_opinion: tuple | None = None
    reached: tuple = ()
    notes: tuple[str, ...] = ()


def hear(rows, model, engine, *, in_accuracy, seed):
    """`Heard`, for classification; nothing for regression.

    Parameters
    ----------
    rows : Rows
    model : Model
    engine : Engine or None
    in_accuracy : bool
        Whether scores are accuracies, so that neighbours may stand beside them.
    seed : int
    """
    if rows.classes is None:
        return Heard()
    table = rows.of_known()
    design = Design("classification", model, "accuracy", seed=seed, max_rows=_LEARNED_ROWS)
    try:
        said, classes = design.out_of_fold(table)
        noise = design.label_noise(table)
    except (ModelError, DataError) as failed:
        return Heard(notes=(f"{model.name} could not be heard out of fold ({failed}): wrong labels are not estimated",))
    # A holdout may know classes that these rows lack.
    probabilities = np.zeros((len(said), len(rows.classes)))
    probabilities[:, codes_of(classes, rows.classes)] = said
    tree, reached = None, ()
    if engine is not None and len(engine.judged) == rows.table.n_rows:
        tree = spanning_tree_bounds(tree_share(engine), len(rows.classes))
    if not rows.held and in_accuracy:
        wrong = nearest_in_answers(rows, probabilities, seed)
        low, high = clopper_pearson(int(wrong.sum()), len(wrong))
        reached = (Reached(f"nearest neighbour in what {model.name} says", 1 - float(wrong.mean()), 1 - high, 1 - low, len(wrong) - 1),)
    step = max(1, len(said) // _ENOUGH)
    return Heard(1 - float(said.max(axis=1).mean()), noise, lambda matrix: true_posterior(said[::step], matrix), tree, reached)
