"""Where the last step of a pipeline stands: the features that it sees, and what kind of learner it is."""

from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import Pipeline

from dqops.errors import ModelError
from dqops.models.features import features_of
from dqops.models.fitting import border, seeded
from dqops.models.targets import target_values

LEARNERS = "KNeighborsClassifier, Ridge, LinearRegression, RidgeClassifier, LogisticRegression, SVC(kernel='linear')"


@dataclass(frozen=True)
class Learner:
    """The last step of a pipeline, where its predictions can be followed through all repairs.

    Parameters
    ----------
    kind : {"knn", "linear"}
    k : int
        Neighbours of a k-NN.
    metric : {"euclidean", "cosine"}
        Of a k-NN.
    loss : {"squared", "logistic", "hinge"}
        Of a linear model.
    alpha : float
        Its penalty, where the losses of the rows add up.
    """

    kind: str
    k: int = 0
    metric: str = "euclidean"
    loss: str = ""
    alpha: float = 0.0


@dataclass(frozen=True, eq=False)
class FeatureSpace:
    """The fitted steps before the last one, and the last one unfitted.

    Parameters
    ----------
    model : Model
    steps : fitted pipeline or None
    learner : Learner
    """

    model: object
    steps: object
    learner: Learner

    def encode(self, table):
        """Features of each row as the last step sees them: float64 (n, d), finite.

        Raises
        ------
        ModelError
            Where a step fails or leaves cells empty.
        """
        with border(self.model.name, "encoding rows"):
            features = features_of(table, self.model.tame)
            seen = features if self.steps is None else self.steps.transform(features)
            seen = seen.toarray() if hasattr(seen, "toarray") else seen
            numbers = np.asarray(seen, dtype=np.float64)
        if numbers.ndim != 2 or not np.isfinite(numbers).all():
            raise ModelError(self.model.name, "encoding rows", "its steps leave cells empty or infinite: put an imputer among them")
        return numbers


def feature_space(model, table, seed=0):
    """The `FeatureSpace` of a model, with the steps before the last one fitted to `table`.

    The steps must treat rows one by one once they are fitted, as scalers, imputers and encoders do.

    Parameters
    ----------
    model : Model
        Made ready for the table (`Model.prepared`).
    table : Table
    seed : int, default 0

    Raises
    ------
    ModelError
        Where the last step cannot be followed through repairs, or a step fails.
    """
    pipeline = model.estimator if isinstance(model.estimator, Pipeline) else None
    learner = learner_of(model.name, model.estimator if pipeline is None else pipeline.steps[-1][1])
    if pipeline is None or len(pipeline.steps) == 1:
        return FeatureSpace(model, None, learner)
    values, known = target_values(table, model.task)
    kept = table if known.all() else table.take(np.flatnonzero(known))
    with border(model.name, "fitting its steps"):
        steps = seeded(pipeline[:-1], seed)
        steps.fit(features_of(kept, model.tame), values[known])
    return FeatureSpace(model, steps, learner)


def learner_of(name, step):
    """The `Learner` that an estimator is.

    >>> from sklearn.linear_model import Ridge
    >>> learner_of("ridge", Ridge(alpha=2.0))
    Learner(kind='linear', k=0, metric='euclidean', loss='squared', alpha=2.0)
    """
    made = {
        "KNeighborsClassifier": _neighbours,
        "Ridge": lambda name, given: _linear(name, given, "squared", given["alpha"]),
        "RidgeClassifier": lambda name, given: _linear(name, given, "squared", given["alpha"]),
        "LinearRegression": lambda name, given: _linear(name, given, "squared", 0.0),
        "LogisticRegression": _logistic,
        "SVC": _support_vectors,
    }
    kind = type(step).__name__
    if kind not in made or not type(step).__module__.startswith("sklearn."):
        raise ModelError(name, "looking at it", f"{kind} cannot be followed through all repairs; what can: {LEARNERS}")
    return made[kind](name, step.get_params())


def _neighbours(name, given):
    metric = given["metric"]
    metric = "euclidean" if metric == "minkowski" and given["p"] == 2 else metric
    if given["weights"] != "uniform" or metric not in ("euclidean", "cosine"):
        raise ModelError(name, "looking at it", "votes are counted for weights='uniform' and the euclidean or cosine metric alone")
    return Learner("knn", k=given["n_neighbors"], metric=metric)


def _linear(name, given, loss, alpha):
    if not given["fit_intercept"] or given.get("positive") or given.get("class_weight") is not None:
        raise ModelError(name, "looking at it", "linear models are followed with an intercept, without class weights or signs asked for")
    if np.ndim(alpha) != 0 or not alpha >= 0:
        raise ModelError(name, "looking at it", f"a penalty of {alpha!r} cannot be followed; one number of 0 or more can")
    return Learner("linear", loss=loss, alpha=float(alpha))


def _logistic(name, given):
    if given.get("l1_ratio") or given.get("penalty") not in ("l2", "deprecated"):
        raise ModelError(name, "looking at it", "a logistic regression is followed with the l2 penalty alone")
    return _linear(name, given, "logistic", 1 / given["C"])


def _support_vectors(name, given):
    if given["kernel"] != "linear":
        raise ModelError(name, "looking at it", "a support vector machine is followed with a linear kernel alone")
    return _linear(name, {"fit_intercept": True, **given}, "hinge", 1 / given["C"])
