"""Which model is meant: a name, a place in a module, an estimator, or a pickle where that is allowed."""

import inspect
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import joblib
from sklearn.base import is_classifier, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from dqops.errors import ModelError, OptionError, UnknownNameError
from dqops.models.automatic import NAMES, named_estimator, prepared
from dqops.models.fitting import border, fit_model

_PICKLED = (".pkl", ".pickle", ".joblib", ".sav")
_LONGEST_NAME = 80


@dataclass(frozen=True, eq=False)
class Model:
    """An unfitted model of the user, with a name to print.

    Parameters
    ----------
    name : str
    estimator : estimator
        Never fitted itself: each fit works on a copy.
    task : {"classification", "regression"}
        What the estimator predicts, whatever was asked for.
    seed : int
        For random states that the estimator leaves open.
    notes : tuple of str
        What was put around the estimator, and why.
    named : str
        One of dqops' own names, or nothing.
    bare : bool
        Still to be fitted to a table (see `prepared`).
    tame : bool
        Infinities are given to it as missing.
    """

    name: str
    estimator: object
    task: str
    seed: int = 0
    notes: tuple[str, ...] = ()
    named: str = ""
    bare: bool = False
    tame: bool = False

    def prepared(self, table):
        """The model made ready for a table: call it once with the table as recorded, and use what it returns.

        A bare estimator cannot take text, and many cannot take holes: then the vectoriser (and an imputer and a
        scaler) go before it, for every later fit alike. Pipelines are taken as they are.
        """
        return prepared(self, table)

    def fit(self, table, *, seed=None, classes=None):
        """A `Fitted` model, on the rows whose target is known.

        Parameters
        ----------
        table : Table
        seed : int, optional
            By default the model's own.
        classes : array, optional
            All labels that there are, sorted; by default those of the table.

        Raises
        ------
        ModelError
            Names the model, the step and the cause.
        """
        ready = prepared(self, table) if self.bare else self
        return fit_model(ready, table, self.seed if seed is None else seed, classes)

    def __str__(self):
        return self.name


def resolve_model(spec, task, *, seed=0, allow_pickle=False):
    """The model that `spec` names.

    Parameters
    ----------
    spec : None, str, path, estimator, class or function
        ``auto``, ``linear``, ``knn``, ``forest``, ``boosting``; ``package.module:attribute``, an estimator, a
        pipeline, a class or a function that returns one; the path of a pickle where that is allowed.
    task : {"classification", "regression"}
    seed : int, default 0
    allow_pickle : bool, default False
        Opening a pickle runs code that stands in it.

    Raises
    ------
    OptionError, UnknownNameError
        Where `spec` names nothing.
    ModelError
        Where what it names is no model.

    Examples
    --------
    >>> resolve_model("linear", "regression").name
    'linear'
    """
    if spec is None:
        spec = "auto"
    if isinstance(spec, Model):
        return spec
    if isinstance(spec, str) and spec in NAMES:
        return Model(spec, named_estimator(spec, task), task, seed, named=spec, tame=True)
    if isinstance(spec, (str, Path)):
        name, found = _found(str(spec), allow_pickle)
    else:
        name, found = _printed(spec), spec
    estimator = _made(name, found)
    _check_model(name, estimator)
    shown = name if isinstance(spec, (str, Path)) else _printed(estimator)
    return Model(shown, estimator, _task(estimator, task), seed, bare=_is_bare(estimator))


def _found(spec, allow_pickle):
    """Name to print and object behind a text."""
    path = Path(spec)
    if path.suffix in _PICKLED or (path.is_file() and ":" not in spec):
        return path.name, _unpickled(path, allow_pickle)
    module, colon, attribute = spec.partition(":")
    if not colon or not attribute:
        raise UnknownNameError("model", spec, [*NAMES, "package.module:attribute"])
    return spec, _imported(spec, module, attribute)


def _unpickled(path, allow_pickle):
    if not allow_pickle:
        raise OptionError("model", str(path), "allow_pickle as well, since opening a pickle runs the code in it")
    if not path.is_file():
        raise OptionError("model", str(path), "a file that exists")
    with border(path.name, "opening the pickle"):
        return joblib.load(path)


def _imported(spec, module, attribute):
    """`attribute` (dots allowed) of a module; the working folder is looked in first."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        with border(spec, "import"):
            found = import_module(module)
    except ModelError as failed:
        if isinstance(failed.cause, ModuleNotFoundError) and failed.cause.name == module.partition(".")[0]:
            raise OptionError("model", spec, f"a module that can be imported; there is no {module!r} here") from None
        raise
    finally:
        sys.path.remove(here)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise UnknownNameError(f"attribute of {module}", attribute, [one for one in dir(found) if not one.startswith("_")])
        found = getattr(found, part)
    return found


def _made(name, found):
    """An estimator, from itself, its class, or a function that returns it."""
    if inspect.isclass(found) or (callable(found) and not hasattr(found, "fit")):
        needed = _needed_arguments(found)
        if needed:
            raise ModelError(name, "making it", f"it needs the argument{'s' * (len(needed) > 1)} {', '.join(needed)}: give an instance, not the class")
        with border(name, "making it"):
            return found()
    return found


def _needed_arguments(maker):
    try:
        parameters = inspect.signature(maker).parameters.values()
    except (TypeError, ValueError):
        return []
    open_kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [one.name for one in parameters if one.default is one.empty and one.kind in open_kinds]


def _check_model(name, estimator):
    if isinstance(estimator, Pipeline) and not estimator.steps:
        raise ModelError(name, "looking at it", "the pipeline has no steps, so it is not a model")
    missing = [method for method in ("fit", "predict") if not _has(estimator, method)]
    if missing:
        raise ModelError(name, "looking at it", f"it has no {' and no '.join(missing)} method, so it is not a model")


def _has(estimator, method):
    """Does the estimator offer the method, at the latest once it is fitted? A pipeline offers what its last step does."""
    asked = estimator.steps[-1][1] if isinstance(estimator, Pipeline) and estimator.steps else estimator
    return hasattr(type(asked), method) or hasattr(asked, method)


def _task(estimator, asked):
    """What the estimator says that it predicts, else what was asked for."""
    if not hasattr(estimator, "__sklearn_tags__"):
        said = getattr(estimator, "_estimator_type", None)
        return {"classifier": "classification", "regressor": "regression"}.get(said, asked)
    with border(type(estimator).__name__, "asking what it predicts"):
        if is_classifier(estimator):
            return "classification"
        return "regression" if is_regressor(estimator) else asked


def _is_bare(estimator):
    """Is it a learner alone? Pipelines, and what wraps one, are taken as they are."""
    if isinstance(estimator, (Pipeline, ColumnTransformer)):
        return False
    if not type(estimator).__module__.startswith(("sklearn.", "xgboost.", "lightgbm.", "catboost.")):
        return False
    parts = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    return not any(isinstance(part, (Pipeline, ColumnTransformer)) for part in parts)


def _printed(estimator):
    if inspect.isclass(estimator) or inspect.isfunction(estimator):
        return estimator.__name__
    if isinstance(estimator, Pipeline):
        return f"Pipeline({', '.join(type(step).__name__ for _, step in estimator.steps)})"
    with border(type(estimator).__name__, "printing it"):
        text = " ".join(repr(estimator).split())
    return text if len(text) <= _LONGEST_NAME else f"{type(estimator).__name__}(...)"
