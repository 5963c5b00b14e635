"""How many fits are worth making of a table: more where they are cheap."""

from dataclasses import replace
from numbers import Real

from dqops.models import classes_of
from dqops.models.space import last_step
from dqops.propagation.effort import FOLDS

_COLUMNS = 30  # of a table for which the budgets of fits are meant
_MOST_TIMES, _MOST_FITS = 3, 240  # that a small table is given more of
_TEXT = 4  # columns of numbers that one of texts is as dear as
_FEW_TEXTS = 40  # different ones are encoded one by one
_FEW_TREES, _FEW_CLASSES = 25, 10  # with which fits are as cheap as with fewer


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
    trees = getattr(last_step(design.model), "n_estimators", 1)
    trees = trees if isinstance(trees, Real) else 1
    classes = len(classes_of(table)) if design.task == "classification" else 1
    return table.n_rows * columns * max(trees / _FEW_TREES, 1) * max(classes / _FEW_CLASSES, 1)


def _is_text(column):
    return not column.dtype.is_numeric() and column.n_unique() > _FEW_TEXTS
