"""The user's model: what it is, how it is fitted, split, judged and heard out of fold.

Names are loaded when they are first asked for: what only needs to know the task does not bring scikit-learn.
"""

from importlib import import_module

_HOME = {
    "Design": "design",
    "Fitted": "fitting",
    "Model": "resolve",
    "Split": "splits",
    "agreed_task": "targets",
    "bounds_of": "scoring",
    "check_scoring": "scoring",
    "classes_of": "targets",
    "default_scoring": "scoring",
    "doubts_of_target": "targets",
    "make_splits": "splits",
    "resolve_model": "resolve",
    "scorer_name": "scoring",
    "subsample": "design",
    "target_values": "targets",
    "task_of": "targets",
}
__all__ = list(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'dqops.models' has no attribute {name!r}")
    return getattr(import_module(f"dqops.models.{_HOME[name]}"), name)
