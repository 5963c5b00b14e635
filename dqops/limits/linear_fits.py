"""Linear models fitted by their sum-form objective: rows' losses, and half alpha times the squared length of the slopes."""

import numpy as np
from scipy.special import expit

LOSSES = ("squared", "logistic", "hinge")
_STEPS = 100
_SMALL = 1e-10


def fit_linear(X, y, loss, alpha, used):
    """(slopes, intercept) that minimise the objective with the columns that are not `used` at 0.

    Parameters
    ----------
    X : float64 (n, d)
    y : float64 (n,)
        Numbers for the squared loss, -1 or 1 else.
    loss : {"squared", "logistic", "hinge"}
    alpha : float
    used : bool (d,)
    """
    slopes = np.zeros(X.shape[1])
    kept = X[:, used]
    if loss == "squared":
        slopes[used], intercept = _least_squares(kept, y, alpha)
    elif loss == "logistic":
        slopes[used], intercept = _logistic(kept, y, alpha)
    else:
        slopes[used], intercept = _hinge(kept, y, alpha)
    return slopes, intercept


def loss_of(margins, y, loss):
    """Loss of each row: float64 (n,)."""
    if loss == "squared":
        return 0.5 * (y - margins) ** 2
    return np.logaddexp(0, -y * margins) if loss == "logistic" else np.maximum(0, 1 - y * margins)


def objective(X, y, slopes, intercept, loss, alpha):
    """Sum of the rows' losses and the penalty."""
    return float(loss_of(X @ slopes + intercept, y, loss).sum() + alpha / 2 * slopes @ slopes)


def _least_squares(X, y, alpha):
    """By a QR-stable solve of the centred rows, with the penalty as rows of their own."""
    centre, middle = X.mean(axis=0), y.mean()
    rows = np.vstack([X - centre, np.sqrt(alpha) * np.eye(X.shape[1])])
    slopes = np.linalg.lstsq(rows, np.concatenate([y - middle, np.zeros(X.shape[1])]), rcond=None)[0]
    return slopes, float(middle - centre @ slopes)


def _logistic(X, y, alpha):
    """Newton's method, each step halved until the objective falls."""
    rows = np.column_stack([X, np.ones(len(X))])
    penalty = np.append(np.full(X.shape[1], alpha), 0.0)
    point = np.zeros(rows.shape[1])
    value = _logistic_value(rows, y, point, penalty)
    for _ in range(_STEPS):
        chance = expit(-y * (rows @ point))
        slope = penalty * point - rows.T @ (y * chance)
        bend = (rows * (chance * (1 - chance))[:, None]).T @ rows + np.diag(penalty + _SMALL)
        step = np.linalg.solve(bend, slope)
        size = 1.0
        while size > _SMALL and _logistic_value(rows, y, point - size * step, penalty) > value:
            size /= 2
        point = point - size * step
        value = _logistic_value(rows, y, point, penalty)
        if slope @ step < _SMALL**2 * max(value, 1.0):
            break
    return point[:-1], float(point[-1])


def _logistic_value(rows, y, point, penalty):
    return np.logaddexp(0, -y * (rows @ point)).sum() + penalty @ point**2 / 2


def _hinge(X, y, alpha):
    # Late: only the hinge needs scikit-learn.
    from sklearn.svm import SVC

    if len(np.unique(y)) < 2 or not X.shape[1]:
        return np.zeros(X.shape[1]), float(np.sign(y.sum()) or 1.0)
    model = SVC(kernel="linear", C=1 / alpha, tol=1e-8).fit(X, y)
    return model.coef_[0], float(model.intercept_[0])
