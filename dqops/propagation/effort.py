"""How much work a price is worth."""

from dataclasses import dataclass, replace
from numbers import Real

from sklearn.pipeline import Pipeline

from dqops.models import classes_of

FOLDS = 5
_COLUMNS = 30  # of a table for which the budgets of fits are meant
_MOST_TIMES, _MOST_FITS = 3, 240  # that a small table is given more of
_TEXT = 4  # columns of numbers that one of texts is as dear as
_FEW_TEXTS = 40  # different ones are encoded one by one
_FEW_TREES, _FEW_CLASSES = 25, 10  # with which fits are as cheap as with fewer


@dataclass(frozen=True)
class Effort:
    """How much work a price is worth.

    Parameters
    ----------
    rows : int
        Most rows that are priced; larger tables are sampled, and the audit says so.
    fits : int
        About how many times the model is fitted; more often where that is cheap, see `affordable`.
    screened : int
        Splits on which the repairs of a finding compete, 2 or more.
    rounds : int
        Most repeats of five folds on which a winner is measured.
    twins : int
        Splits on which dirt is planted to learn what the truth would gain; two fits each.
    planted : int
        Findings whose dirt is planted.
    """

    rows: int
    fits: int
    screened: int
    rounds: int
    twins: int
    planted: int


EFFORTS = {
    "quick": Effort(rows=2000, fits=40, screened=2, rounds=1, twins=3, planted=5),
    "standard": Effort(rows=4000, fits=120, screened=2, rounds=2, twins=3, planted=10),
    "thorough": Effort(rows=10_000, fits=1200, screened=5, rounds=5, twins=10, planted=100),
}


def affordable(effort, table, design):
    """The effort with more fits and twins where a fit is cheap: what it costs is guessed from the table and the model, not timed.

    A guess is the same on every machine, and so are the answers.

    Parameters
    ----------
    effort : Effort
    table : Table
        The rows that are priced.
    design : Design

    Returns
    -------
    Effort
        With up to three times the fits, 240 at most, and one repeat of twins.
    """
    times = min(max(effort.rows * _COLUMNS / max(_size_of_fit(table, design), 1), 1), _MOST_TIMES)
    fits, twins = min(round(times * effort.fits), _MOST_FITS), min(round(times * effort.twins), FOLDS)
    return replace(effort, fits=max(fits, effort.fits), twins=max(twins, effort.twins))


def _size_of_fit(table, design):
    """Cells that a fit reads, dear ones and those that are read for many trees or classes more than once."""
    columns = sum(_TEXT if _is_text(table.frame[name]) else 1 for name in table.features)
    trees = getattr(_last_step(design.model.estimator), "n_estimators", 1)
    trees = trees if isinstance(trees, Real) else 1
    classes = len(classes_of(table)) if design.task == "classification" else 1
    return table.n_rows * columns * max(trees / _FEW_TREES, 1) * max(classes / _FEW_CLASSES, 1)


def _is_text(column):
    return not column.dtype.is_numeric() and column.n_unique() > _FEW_TEXTS


def _last_step(estimator):
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
