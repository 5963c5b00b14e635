"""Which valuer suits a model, and why."""

from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from dqops.contracts import Valuer
from dqops.errors import OptionError
from dqops.models.space import last_step
from dqops.valuers.linear_model import is_linear
from dqops.valuers.tree_influence import is_tree_model

_BAGGED = (BaggingClassifier, BaggingRegressor, ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor)


def valuer_for(method, model):
    """(valuer, why): the one of that name, or for "auto" the one that suits the last step of the model.

    Parameters
    ----------
    method : str
    model : Model

    Raises
    ------
    UnknownNameError, OptionError
        Where there is no such valuer, or it is not for this task.
    """
    if method == "auto":
        name, why = _suiting(model)
        return Valuer.named(name)(), why
    kind = Valuer.named(method)
    if model.task not in kind.tasks:
        raise OptionError("method", method, f"a valuer for {model.task}: " + ", ".join(_for_task(model.task)))
    return kind(), "as asked for"


def _for_task(task):
    return [name for name, kind in Valuer.known().items() if task in kind.tasks]


def _suiting(model):
    """(name, why) for the last step."""
    learner = last_step(model)
    named = type(learner).__name__
    if is_linear(learner):
        return "influence", f"the last step, {named}, is linear: what leaving a row out does follows from its curvature"
    if isinstance(learner, (KNeighborsClassifier, KNeighborsRegressor)):
        return "knn_shapley", f"the last step, {named}, is a vote of neighbours: Shapley values are exact"
    if isinstance(learner, _BAGGED):
        return "data_oob", f"the last step, {named}, is an ensemble on bags: each row is judged by the bags that lack it"
    if is_tree_model(learner):
        return "tree_influence", f"the last step, {named}, is of boosted trees: what leaving a row out does follows from their leaves"
    return "data_oob", f"nothing is known of the last step, {named}, but how to train it: it is trained on bags, and judges the rows outside"
