"""The user's model: what it is, how it is fitted, split, judged and heard out of fold."""

from dqops.models.design import Design, subsample
from dqops.models.fitting import Fitted
from dqops.models.resolve import Model, resolve_model
from dqops.models.scoring import check_scoring, default_scoring
from dqops.models.splits import Split, make_splits
from dqops.models.targets import classes_of, target_values, task_of

__all__ = [
    "Design",
    "Fitted",
    "Model",
    "Split",
    "check_scoring",
    "classes_of",
    "default_scoring",
    "make_splits",
    "resolve_model",
    "subsample",
    "target_values",
    "task_of",
]
