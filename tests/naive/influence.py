"""Influence from its definition: sums term by term, systems solved whole, models fitted from nothing."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax


def weighted_gram(rows, weights, centre, room):
    n_rows, width = room.shape
    total = np.zeros((width, width))
    for row in range(n_rows):
        full = np.ones(width)
        for column in range(rows.shape[1]):
            full[column] = rows[row, column] - (centre[column] if len(centre) else 0.0)
        for one in range(width):
            for other in range(width):
                total[one, other] += weights[row] * full[one] * full[other]
    return total


def projections(whitened, slope, curvature):
    seen = [np.asarray(one) for one in whitened]
    leverage = np.array([one @ one.T for one in seen])
    bend = np.array([one @ np.diag(curvature) @ one.T for one in seen])
    return leverage, bend, np.array([one @ slope for one in seen])


def step_changes(leverage, bend, pull, curvature_change, gradient_change):
    changes = []
    for row in range(len(pull)):
        system = np.eye(len(pull[row])) + curvature_change[row] @ leverage[row]
        if abs(np.linalg.det(system)) < 1e-9:
            changes.append(np.nan)
            continue
        weight = np.linalg.inv(system) @ gradient_change[row]
        changes.append(-pull[row] @ weight + 0.5 * weight @ bend[row] @ weight)
    return np.array(changes)


def newton_change(curvature, slope, holdout_curvature, row, curvature_change, gradient_change):
    """Rise of the holdout loss after one Newton step, in the model's own coordinates: nothing is whitened or inverted apart.

    `row` (D, m) carries a change of the row's curvature (m, m) and gradient (m,) into all D unknowns.
    """
    changed = curvature + row @ curvature_change @ row.T
    step = -np.linalg.solve(changed, row @ gradient_change)
    return slope @ step + 0.5 * step @ holdout_curvature @ step


def fitted_ridge(X, y, alpha, weights, has_intercept):
    """Slopes and intercept that minimise ``½ Σ w (y - xθ)² + α/2 |slopes|²``, by the normal equations."""
    rows = np.column_stack([X, np.ones(len(X))]) if has_intercept else X
    held = alpha * np.diag([1.0] * X.shape[1] + [0.0] * has_intercept)
    found = np.linalg.solve(rows.T @ (weights[:, None] * rows) + held, rows.T @ (weights * y))
    return (found[:-1], found[-1]) if has_intercept else (found, 0.0)


def fitted_softmax(X, codes, n_classes, alpha, weights):
    """Slopes (C, d) and intercepts (C,) that minimise ``Σ w logloss + α/2 |slopes|²``, from zero; two classes have one line."""
    n_lines = 1 if n_classes == 2 else n_classes
    rows, width = np.column_stack([X, np.ones(len(X))]), X.shape[1] + 1

    def scores_of(theta):
        scores = rows @ theta.reshape(n_lines, width).T
        return np.column_stack([np.zeros(len(X)), scores]) if n_lines == 1 else scores

    def objective(theta):
        logs = log_softmax(scores_of(theta), axis=1)
        given = np.eye(n_classes)[codes]
        lines = theta.reshape(n_lines, width).copy()
        lines[:, -1] = 0.0
        slope = (weights[:, None] * (np.exp(logs) - given))[:, -n_lines:].T @ rows + alpha * lines
        return -np.sum(weights * logs[np.arange(len(X)), codes]) + alpha / 2 * np.sum(lines**2), slope.ravel()

    found = minimize(objective, np.zeros(n_lines * width), jac=True, method="BFGS", options={"gtol": 1e-10, "maxiter": 5000})
    lines = found.x.reshape(n_lines, width)
    return lines[:, :-1], lines[:, -1]
