"""Pipelines that dqops builds: the named models, and what a bare estimator needs before it can eat a table."""

from dataclasses import replace

from sklearn.base import clone
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, MinMaxScaler, StandardScaler
from sklearn.utils import get_tags
from skrub import StringEncoder, ToCategorical

from dqops.errors import ModelError
from dqops.models.encoding import TableEncoder
from dqops.models.features import is_plain_numbers
from dqops.models.targets import classes_of

NAMES = ("auto", "linear", "knn", "forest", "boosting")
TEXT_COMPONENTS = 10
_TREES = 200
# A boosting round grows a tree for each class: with many classes fewer rounds do.
_MOST_TREES = 400
_FEWEST_ROUNDS = 10
# Beyond so many, a forest, whose trees know all classes, is quicker and no worse.
_MANY_CLASSES = 20
_AUTO_TREES = 100
# The default model is fitted a hundred times in an audit: smaller than usual, for hardly any score.
_AUTO_ROUNDS = 60
_AUTO_LEAVES = 16


def named_estimator(name, task):
    """The unfitted pipeline of that name.

    Parameters
    ----------
    name : {"auto", "linear", "knn", "forest", "boosting"}
    task : {"classification", "regression"}
    """
    classes = task == "classification"
    if name == "auto":
        learner = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
        return make_pipeline(_vectorizer(low_cardinality=ToCategorical()), learner(max_iter=_AUTO_ROUNDS, max_leaf_nodes=_AUTO_LEAVES))
    if name == "linear":
        learner = LogisticRegression(max_iter=300) if classes else Ridge()
    elif name == "knn":
        learner = KNeighborsClassifier(5) if classes else KNeighborsRegressor(5)
    elif name == "forest":
        learner = (RandomForestClassifier if classes else RandomForestRegressor)(_TREES, n_jobs=1)
    else:
        learner = (HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor)()
    return make_pipeline(*_before(learner), learner)


def prepared(model, table):
    """The model made ready for this table, once and for all; a pipeline is taken as it is.

    Parameters
    ----------
    model : Model
    table : Table

    Returns
    -------
    Model
        With `notes` on what was put before the estimator, and why.
    """
    _refuse_misfits(model, table)
    if model.named == "auto" and model.task == "classification":
        n_classes = len(classes_of(table))
        if n_classes > _MANY_CLASSES:
            estimator = make_pipeline(_vectorizer(), RandomForestClassifier(_AUTO_TREES, n_jobs=1))
            return replace(model, estimator=estimator, notes=(*model.notes, f"with {n_classes} classes, auto is a forest of {_AUTO_TREES} trees"))
        rounds = max(_FEWEST_ROUNDS, min(_AUTO_ROUNDS, _MOST_TREES // max(n_classes, 1)))
        estimator = clone(model.estimator).set_params(histgradientboostingclassifier__max_iter=rounds)
        return replace(model, estimator=estimator)
    if not model.bare:
        return model
    learner = model.estimator
    numeric, holes = is_plain_numbers(table)
    positive = _tag(learner, "positive_only", False)
    if numeric and not positive and not (holes and not _tag(learner, "allow_nan", True)):
        return replace(model, bare=False)
    steps, learner = _fitting_steps(learner, positive)
    said = " and ".join(filter(None, ["text or dates" * (not numeric), "missing or infinite cells" * holes])) or "negative numbers"
    note = f"{model.name} cannot take {said} by itself: its features pass {_listed(steps)} first"
    return replace(model, estimator=make_pipeline(*steps, learner), bare=False, tame=True, notes=(*model.notes, note))


def _refuse_misfits(model, table):
    """Say in one sentence why an estimator cannot learn one target from these columns, where its tags tell so."""
    learner = model.estimator.steps[-1][1] if isinstance(model.estimator, Pipeline) else model.estimator
    try:
        tags = get_tags(learner)
    except (AttributeError, TypeError, ValueError):
        return
    if tags.target_tags is not None and tags.target_tags.multi_output and not tags.target_tags.single_output:
        raise ModelError(model.name, "looking at it", "it predicts several targets at once, and there is one here")
    takes_one = tags.input_tags is not None and tags.input_tags.one_d_array and not tags.input_tags.two_d_array
    if takes_one and learner is model.estimator and len(table.features) != 1:
        raise ModelError(model.name, "looking at it", f"it learns from one feature, and the table has {len(table.features)}")


def _fitting_steps(learner, positive):
    """Steps before a learner, and the learner (a copy where it must know the levels)."""
    if not positive:
        return _before(learner), learner
    if type(learner).__name__ == "CategoricalNB":
        bins = KBinsDiscretizer(n_bins=5, encode="ordinal", strategy="quantile", quantile_method="averaged_inverted_cdf")
        known = learner if learner.min_categories is not None else clone(learner).set_params(min_categories=5)
        return [_vectorizer(), SimpleImputer(strategy="median"), bins], known
    return [_vectorizer(), SimpleImputer(strategy="median"), MinMaxScaler(clip=True)], learner


def _before(learner):
    """What a learner needs before it: columns as numbers; holes filled and scaled where it refuses holes."""
    if _tag(learner, "allow_nan", False):
        return [_vectorizer()]
    return [_vectorizer(), SimpleImputer(strategy="median"), StandardScaler()]


def vectorised():
    """An unfitted pipeline that makes numbers without holes, scaled, of any columns."""
    return make_pipeline(*_before(LogisticRegression()))


def _vectorizer(**options):
    return TableEncoder(high_cardinality=StringEncoder(n_components=TEXT_COMPONENTS), **options)


def _tag(learner, name, otherwise):
    """An input tag of the estimator; estimators of other packages may have none."""
    try:
        return getattr(get_tags(learner).input_tags, name)
    except (AttributeError, TypeError, ValueError):
        return otherwise


def _listed(steps):
    return ", ".join("TableVectorizer" if isinstance(step, TableEncoder) else type(step).__name__ for step in steps)
