"""Rows as points, such that no two rows that differ fall together: near points are alike in every column."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import special
from skrub import StringEncoder
from threadpoolctl import threadpool_limits

# Columns of more levels than this, or of fewer rows a level, are read by their letters.
_MOST_LEVELS, _ROWS_A_LEVEL = 60, 5
_TEXT_COMPONENTS = 10
# Directions that hold less than this share of the widest one's variance hold rounding errors.
_FLAT = 1e-10
_FURTHEST = 1e3


@dataclass(frozen=True, eq=False)
class Embedding:
    """Rows as points.

    Parameters
    ----------
    name : str
    points : float32 (n, d)
    """

    name: str
    points: np.ndarray

    @property
    def usual(self):
        """Mean squared distance of two random rows."""
        return float(max(2 * self.points.var(axis=0, dtype=np.float64).sum(), np.finfo(np.float32).tiny))


def embeddings(table):
    """The `Embedding` candidates of a table, and the columns that they do not keep whole.

    All of them see the same columns and not the target: ``standardised`` (numbers by mean and deviation, a
    coordinate a level), ``ranked`` (numbers by normal scores of their ranks) and ``whitened`` (rotated, with equal
    spread in each direction). Each empties into the others, so in the limit of many rows near neighbours err alike;
    they differ in how fast.

    Parameters
    ----------
    table : Table

    Returns
    -------
    list of Embedding
        Nothing where no column tells rows apart.
    tuple of str
        Text columns, of which only the commonest letter combinations are kept.
    """
    # One thread: sums in another order would move points by a bit, and ties between neighbours with them.
    with threadpool_limits(limits=1, user_api="blas"):
        return _embedded(table)


def _embedded(table):
    standard, ranked, lossy = [], [], []
    for name in table.features:
        plain, by_rank, whole = _coordinates(table.meanings[name])
        standard += plain
        ranked += by_rank
        if not whole:
            lossy.append(name)
    if not standard:
        return [], tuple(lossy)
    points = np.column_stack(standard)
    found = [Embedding("standardised", points.astype(np.float32))]
    ordered = np.column_stack(ranked)
    if ordered.shape != points.shape or not np.array_equal(ordered, points):
        found.append(Embedding("ranked", ordered.astype(np.float32)))
    if points.shape[1] > 1:
        found.append(Embedding("whitened", _whitened(points).astype(np.float32)))
    return found, tuple(lossy)


def _coordinates(meaning):
    """(columns, columns by rank, whether nothing is lost) of one feature; no columns where it is constant."""
    values = meaning.values
    if meaning.kind in ("number", "date", "boolean"):
        numbers = (values.to_physical() if values.dtype.is_temporal() else values).cast(pl.Float64, strict=False).fill_nan(None)
        cells = numbers.fill_null(np.nan).to_numpy()
        known = np.isfinite(cells)
        whole = int(meaning.unreadable.sum()) <= 1
        if not known.any():
            return [], [], whole
        gaps = [(~known).astype(np.float64)] if not known.all() else []
        plain = _filled(cells, known, _standardised)
        return _varied([plain, *gaps]), _varied([_filled(cells, known, _normal_scores), *gaps]), whole
    if meaning.kind == "empty":
        return [], [], True
    words = values.cast(pl.String)
    levels = words.drop_nulls().n_unique()
    if levels <= _MOST_LEVELS and levels * _ROWS_A_LEVEL <= len(words):
        columns = _by_level(words)
        return columns, columns, True
    columns = _by_letters(words)
    return columns, columns, False


def _filled(cells, known, scale):
    """Scaled numbers, 0 (the middle) where there is none."""
    scaled = np.zeros(len(cells))
    scaled[known] = scale(cells[known])
    return scaled


def _standardised(numbers):
    with np.errstate(over="ignore", invalid="ignore"):
        spread = numbers.std()
        if not np.isfinite(spread):
            return _normal_scores(numbers)
        # A number far out keeps its order, not its distance, so that single precision can hold all others.
        scaled = (numbers - numbers.mean()) / (spread if spread > 0 else 1.0)
    return np.sign(scaled) * np.where(np.abs(scaled) > _FURTHEST, _FURTHEST + np.log(np.maximum(np.abs(scaled), 1) / _FURTHEST), np.abs(scaled))


def _normal_scores(numbers):
    """Normal quantiles of mid-ranks: equal numbers stay equal."""
    values, place, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - (counts - 1) / 2 - 0.5) / len(numbers)
    return special.ndtri(middle)[place] if len(values) > 1 else np.zeros(len(numbers))


def _by_level(words):
    """A coordinate a level, the empty cell one too: two levels are as far apart as two usual numbers."""
    codes = words.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    present = np.unique(codes)
    return [(codes == level).astype(np.float64) for level in present] if len(present) > 1 else []


def _by_letters(words):
    """Components of the letters, together as wide as one number."""
    series = words.fill_null("").alias("text").to_pandas()
    if series.nunique() < 2:
        return []
    components = np.asarray(StringEncoder(n_components=_TEXT_COMPONENTS, random_state=0).fit_transform(series), dtype=np.float64)
    total = components.var(axis=0).sum()
    return _varied(list((components / np.sqrt(total)).T)) if total > 0 else []


def _varied(columns):
    return [column for column in columns if column.max() > column.min()]


def _whitened(points):
    centred = points - points.mean(axis=0)
    spread, directions = np.linalg.eigh(centred.T @ centred / len(points))
    kept = spread > _FLAT * spread[-1]
    return centred @ (directions[:, kept] / np.sqrt(spread[kept]))
