"""What a linear model of scikit-learn minimises, read from the estimator."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression, LogisticRegressionCV, Ridge, RidgeCV
from sklearn.utils.class_weight import compute_class_weight

from dqops.errors import DataError, OptionError

TAKEN = "LinearRegression, Ridge, RidgeCV, LogisticRegression, LogisticRegressionCV, or a pipeline that ends in one of them"


@dataclass(frozen=True, eq=False)
class LinearObjective:
    """``Σ w_i loss_i + α/2 (|slopes|² + intercept_share · intercept²)``.

    Parameters
    ----------
    task : {"classification", "regression"}
    alpha : float
        0 or more.
    has_intercept : bool
    intercept_share : float
        0 where the intercept is free, as everywhere but with the solver liblinear.
    class_weight : dict, "balanced" or None
    """

    task: str
    alpha: float
    has_intercept: bool
    intercept_share: float = 0.0
    class_weight: object = None

    def ridge(self, width):
        """What each of the columns is held back by, float64 (width + has_intercept,)."""
        return self.alpha * np.append(np.ones(width), [self.intercept_share] * self.has_intercept)

    def class_weights(self, classes, codes, weights):
        """Weights of the classes as scikit-learn takes them, float64 (C,), or None."""
        if self.class_weight is None:
            return None
        if isinstance(self.class_weight, dict):
            return np.array([float(self.class_weight.get(one, 1.0)) for one in classes.tolist()])
        return compute_class_weight(self.class_weight, classes=np.arange(len(classes)), y=codes, sample_weight=weights)


def is_linear(estimator):
    """Is it one of the linear models whose influence is known?"""
    return isinstance(estimator, (Ridge, RidgeCV, LinearRegression, LogisticRegression))


def objective_of(estimator):
    """The `LinearObjective` of a linear model of scikit-learn, fitted or not.

    Raises
    ------
    OptionError
        For a penalty that has a kink (l1, elastic net), positive coefficients, one class against the rest, or an
        estimator that is no such model.
    """
    if isinstance(estimator, LogisticRegression):
        return _logistic(estimator)
    if not is_linear(estimator):
        raise OptionError("model", type(estimator).__name__, TAKEN)
    if getattr(estimator, "positive", False):
        raise OptionError("model", estimator, "positive=False: at a coefficient that is held at 0 there is no derivative")
    alpha = 0.0 if isinstance(estimator, LinearRegression) else getattr(estimator, "alpha_", getattr(estimator, "alpha", None))
    return LinearObjective("regression", _one_number("alpha", alpha), bool(estimator.fit_intercept))


def starting_point(estimator, objective, loss, centre, width):
    """Coefficients of a fitted estimator in the coordinates of the rows, float64 (m, p).

    Raises
    ------
    DataError
        Where the rows have another number of columns, or the estimator was taught several targets.
    """
    slopes = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
    intercepts = np.atleast_1d(np.asarray(estimator.intercept_, dtype=np.float64))
    if slopes.shape[1] != width:
        raise DataError(f"the fitted model knows {slopes.shape[1]} columns and X has {width}", "the columns that it was fitted to")
    if objective.task == "classification" and loss.n_directions > 1:
        slopes, intercepts = loss.basis.T @ slopes, loss.basis.T @ intercepts
    if len(slopes) != loss.n_directions:
        raise DataError(f"the fitted model has {len(slopes)} lines of coefficients", f"{loss.n_directions}, one target")
    if not objective.has_intercept:
        return slopes
    shifts = intercepts + slopes @ centre if len(centre) else intercepts
    return np.column_stack([slopes, np.broadcast_to(shifts, len(slopes))])


def _logistic(estimator):
    penalty = getattr(estimator, "penalty", "deprecated")
    if isinstance(estimator, LogisticRegressionCV):
        strength = getattr(estimator, "C_", None)
        ratio = getattr(estimator, "l1_ratio_", None)
        ratios = np.unique(np.atleast_1d(np.asarray(0.0 if ratio is None else ratio, dtype=object)))
        ratio = max((float(one) for one in ratios if one is not None), default=0.0)
    else:
        strength, ratio = estimator.C, estimator.l1_ratio
    if penalty == "l1" or (penalty in ("elasticnet", "deprecated") and ratio):
        raise OptionError("model", estimator, "an l2 penalty or none: an l1 penalty has a kink, where influence is not defined")
    _check_one_model(estimator)
    inverse = np.inf if penalty is None else _one_number("C", strength)
    share = 1.0 / estimator.intercept_scaling**2 if estimator.solver == "liblinear" and estimator.fit_intercept else 0.0
    return LinearObjective("classification", 1.0 / inverse, bool(estimator.fit_intercept), share, estimator.class_weight)


def _check_one_model(estimator):
    """Refuse one model a class, and softmax over two classes, which penalises other coefficients."""
    form, n_classes = getattr(estimator, "multi_class", "auto"), len(getattr(estimator, "classes_", ()))
    if form == "ovr" or (form == "multinomial" and n_classes == 2) or (estimator.solver == "liblinear" and n_classes > 2):
        raise OptionError("model", estimator, "one model for all classes, as every solver but liblinear fits by default")


def _one_number(name, given):
    """A strength that holds for the whole model."""
    values = np.unique(np.asarray(given, dtype=np.float64))
    if len(values) != 1 or not values[0] >= 0:
        raise OptionError(name, given, "one number of 0 or more, the same for all columns and classes")
    return float(values[0])
