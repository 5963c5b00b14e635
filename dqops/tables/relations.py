"""Numbers that follow from the other columns of their row, and cells that do not go with them."""

from dataclasses import dataclass

import numpy as np

from dqops.tables.chances import normal_quantiles

_PREDICTED = 0.9  # robust share of a column's spread that the others must explain
_LARGE, _MIDDLING = 10.0, 6.0  # residuals beyond doubt and suspicious, in robust standard deviations
_STEEP = 4.0  # power of the residual that shares the blame among the cells of a row
_KNOTS = 257  # quantiles that carry a column to a normal scale
_WIDEST = 60  # columns among which relations are sought
_FEWEST_LEVELS, _MOST_FREQUENT = 20, 0.3  # a column with fewer levels, or one value this often, is no quantity


@dataclass(frozen=True, eq=False)
class Relations:
    """A normal model of the ranks of some columns.

    Parameters
    ----------
    columns : tuple of str
    knots : float64 (n_columns, n_knots)
        Quantiles of each column.
    precision : float64 (n_columns, n_columns)
        Inverse of the correlation of the columns on the normal scale.
    predicted : int64 (n_predicted,)
        Columns that the others predict and in which slips stand apart from the usual residuals.
    centre, spread : float64 (n_columns,)
        Median and robust deviation of each column's residual.
    """

    columns: tuple
    knots: np.ndarray
    precision: np.ndarray
    predicted: np.ndarray
    centre: np.ndarray
    spread: np.ndarray

    def misfits(self, values):
        """Cells that do not go with the other columns of their row.

        Parameters
        ----------
        values : float64 (n, n_columns)
            NaN where unknown.

        Returns
        -------
        tuple of int64 (count,), int64 (count,), float64 (count,)
            Rows, columns, and the probability that the cell is the wrong one of its row.
        """
        scores = np.column_stack([_to_normal(values[:, place], self.knots[place]) for place in range(len(self.columns))])
        sizes = _sizes(scores @ self.precision / np.diag(self.precision), self.centre, self.spread)
        known = np.isfinite(values)
        odd = np.flatnonzero(np.any((sizes > _LARGE)[:, self.predicted] & known[:, self.predicted], axis=1))
        blame = np.where(known[odd], sizes[odd], 0.0) ** _STEEP
        blame /= blame.sum(axis=1, keepdims=True)
        suspects = np.zeros_like(blame, dtype=bool)
        suspects[:, self.predicted] = blame[:, self.predicted] >= 0.2
        rows, columns = np.nonzero(suspects)
        return odd[rows], columns, 0.9 * blame[rows, columns]


def find_relations(frame):
    """`Relations` between number columns, learned on these rows; None where no column is predicted.

    Columns are carried to a normal scale by their ranks, so that outliers do not decide; a column counts as predicted
    where its residual from all others is a tenth of its spread or less, and where large residuals are at least as
    many as middling ones: slips apart from the rest, not a loose relation. Raymaekers and Rousseeuw 2021, Technometrics
    63:184-198, doi:10.1080/00401706.2019.1677270, on cellwise outliers.

    Parameters
    ----------
    frame : polars.DataFrame
        Float64 columns, null where unknown.

    Examples
    --------
    >>> import polars as pl
    >>> rng = np.random.default_rng(0)
    >>> one = rng.normal(size=1000)
    >>> find_relations(pl.DataFrame({"a": one, "b": rng.normal(size=1000)})) is None
    True
    """
    columns = [name for name in frame.columns if _is_quantity(frame[name])][:_WIDEST]
    if len(columns) < 2 or frame.height < 100:
        return None
    values = np.column_stack([frame[name].fill_null(float("nan")).to_numpy() for name in columns])
    knots = np.array([np.nanquantile(column, np.linspace(0, 1, _KNOTS)) for column in values.T])
    scores = np.column_stack([_to_normal(column, knot) for column, knot in zip(values.T, knots, strict=True)])
    precision = np.linalg.inv(np.corrcoef(scores.T) + 1e-3 * np.eye(len(columns)))
    residuals = scores @ precision / np.diag(precision)
    known = np.isfinite(values)
    residuals[~known] = np.nan
    centre = np.nanmedian(residuals, axis=0)
    spread = 1.4826 * np.nanmedian(np.abs(residuals - centre), axis=0) + 1e-6
    sizes = _sizes(np.nan_to_num(residuals, nan=0.0), centre, spread) * known
    large, middling = (sizes > _LARGE).sum(axis=0), ((sizes > _MIDDLING) & (sizes <= _LARGE)).sum(axis=0)
    predicted = np.flatnonzero((1.0 - spread**2 >= _PREDICTED) & (large > 0) & (large >= middling))
    if not len(predicted):
        return None
    return Relations(tuple(columns), knots, precision, predicted, centre, spread)


def _is_quantity(series):
    held = series.drop_nulls()
    if len(held) < 0.5 * len(series) or held.n_unique() < _FEWEST_LEVELS:
        return False
    return held.alias("cell").value_counts()["count"].max() < _MOST_FREQUENT * len(held)


def _to_normal(values, knots):
    """Normal scores by rank; 0, the middle, where unknown."""
    inner, first = np.unique(knots, return_index=True)
    last = len(knots) - 1 - np.unique(knots[::-1], return_index=True)[1]
    shares = np.clip((first + last) / 2 / (len(knots) - 1), 0.5 / len(knots), 1 - 0.5 / len(knots))
    return np.where(np.isfinite(values), np.interp(values, inner, normal_quantiles(shares)), 0.0)


def _sizes(residuals, centre, spread):
    return np.abs(residuals - centre) / spread
