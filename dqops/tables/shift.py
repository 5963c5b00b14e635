"""How far a column moved between two samples, and how often chance alone would move it so."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy  # its parts load when they are used

_BINS = 10
_HALF_ROW = 0.5
_LEAST_EXPECTED = 5.0
_BLOCKS = 20
_TESTS = 3
# Spread, as a share of the largest value, below which a column is constant but for rounding.
_CONSTANT = 1e-9


@dataclass(frozen=True)
class Shift:
    """One column's move from a reference to new rows.

    Parameters
    ----------
    p : float
        Probability of a move as large by chance; the least of the tests, corrected for their number.
    stability : float
        Population stability index, less what chance gives; 0.1 deserves a look, 0.25 action.
    ks : float or None
        Greatest gap between the two distribution functions of a number.
    moved : float or None
        Wasserstein distance in standard deviations of the reference.
    unseen : float
        Share of new rows whose level the reference lacks, beyond what chance gives.
    empty : tuple of two floats
        Empty share of the reference and of the new rows.
    """

    p: float
    stability: float
    ks: float | None
    moved: float | None
    unseen: float
    empty: tuple


def shift_of_numbers(reference, new):
    """`Shift` of a numeric column, NaN where a cell is empty.

    Parameters
    ----------
    reference, new : float64 (n,)
        In row order: where neighbouring rows of the reference are alike, they count as fewer rows.

    Examples
    --------
    >>> old = np.arange(100.0)
    >>> shift_of_numbers(old, old).stability
    0.0
    >>> print(round(shift_of_numbers(old, old + 50).moved, 2))
    1.73
    """
    old, fresh = reference[~np.isnan(reference)], new[~np.isnan(new)]
    empty, p_empty = _emptiness(np.isnan(reference), np.isnan(new))
    if len(old) < 2 or len(fresh) < 2:
        return Shift(min(1.0, p_empty * _TESTS), 0.0, None, None, 0.0, empty)
    alike = design_effect(old)
    ks = _gap(old, fresh)
    p_ks = _kolmogorov(ks, len(old) / alike, len(fresh) / alike)
    edges = np.unique(np.quantile(old, np.linspace(0, 1, _BINS + 1)[1:-1]))
    counts = [np.bincount(np.searchsorted(edges, part), minlength=len(edges) + 1) for part in (old, fresh)]
    stability, p_bins = _stability(*counts, alike)
    spread = old.std()
    moved = _wasserstein(old, fresh) / spread if spread > _CONSTANT * np.abs(old).max() else None
    return Shift(min(1.0, _TESTS * min(p_ks, p_bins, p_empty)), stability, float(ks), moved, 0.0, empty)


def shift_of_levels(reference, new):
    """`Shift` of a column of words.

    Parameters
    ----------
    reference, new : polars.Series of String

    Examples
    --------
    >>> old, new = pl.Series(["a", "b"] * 50), pl.Series(["a", "b", "c", "c"] * 25)
    >>> shift = shift_of_levels(old, new)
    >>> shift.unseen, shift.p < 0.001
    (0.5, True)
    """
    empty, p_empty = _emptiness(reference.is_null().to_numpy(), new.is_null().to_numpy())
    old = reference.drop_nulls().rename("level").value_counts()
    fresh = new.drop_nulls().rename("level").value_counts()
    if not old.height or not fresh.height:
        return Shift(min(1.0, p_empty * _TESTS), 0.0, None, None, 0.0, empty)
    both = old.join(fresh, on="level", how="full", coalesce=True, suffix="_new").fill_null(0).sort("count", "level")
    before, after = both["count"].to_numpy(), both["count_new"].to_numpy()
    common = reference.drop_nulls() == both["level"][-1]
    alike = design_effect(common.to_numpy().astype(np.float64))
    unseen, p_unseen = _unseen(before, after)
    stability, p_levels = _stability(*_pooled(before, after), alike)
    return Shift(min(1.0, _TESTS * min(p_levels, p_unseen, p_empty)), stability, None, None, unseen, empty)


def design_effect(values):
    """How many rows of a series say as much as one drawn at random; 1 where neighbours are not alike.

    The variance of the means of blocks over that of as many random rows (Kish 1965, Survey Sampling, chapter 5),
    where it is more than chance explains.

    >>> design_effect(np.tile([0.0, 1.0], 500))
    1.0
    >>> design_effect(np.repeat([0.0, 1.0], 500)) > 10
    True
    """
    size = len(values) // _BLOCKS
    ranks = pl.Series(values).rank().to_numpy()[: size * _BLOCKS]
    if size < 2 or ranks.var() == 0:
        return 1.0
    means = ranks.reshape(_BLOCKS, size).mean(axis=1)
    effect = means.var(ddof=1) * size / ranks.var()
    return float(effect) if effect > scipy.special.chdtri(_BLOCKS - 1, 0.01) / (_BLOCKS - 1) else 1.0


def benjamini_hochberg(p_values, rate):
    """Mask of the tests that stand out, so that of them a share of at most `rate` is false.

    References
    ----------
    Benjamini, Hochberg 1995, JRSS B 57(1), doi:10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> benjamini_hochberg([0.001, 0.2, 0.02], 0.05).tolist()
    [True, False, True]
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    ranked = np.sort(p_values)
    below = np.flatnonzero(ranked <= rate * np.arange(1, len(ranked) + 1) / len(ranked)) if len(ranked) else []
    return p_values <= (ranked[below[-1]] if len(below) else -1.0)


def _gap(old, new):
    """Greatest gap between the two distribution functions."""
    values = np.concatenate([old, new])
    shares = [np.searchsorted(np.sort(part), values, side="right") / len(part) for part in (old, new)]
    return np.abs(shares[0] - shares[1]).max()


def _kolmogorov(gap, n_old, n_new):
    """Asymptotic p-value of the greatest gap."""
    scaled = gap * np.sqrt(n_old * n_new / (n_old + n_new))
    terms = np.arange(1, 101)
    if scaled < 0.2:
        return 1.0
    return float(np.clip(2 * np.sum((-1.0) ** (terms - 1) * np.exp(-2 * terms**2 * scaled**2)), 0.0, 1.0))


def _stability(before, after, alike):
    """Stability index beyond chance, and the chance of one as large: under no move it follows chi-squared."""
    n_old, n_new = before.sum() / alike, after.sum() / alike
    old, new = before + _HALF_ROW, after + _HALF_ROW
    old, new = old / old.sum(), new / new.sum()
    index = float(((new - old) * np.log(new / old)).sum())
    freedom = len(before) - 1
    if freedom < 1:
        return 0.0, 1.0
    pooled = (before + after) / (before + after).sum()
    moved = (after / max(after.sum(), 1) - before / max(before.sum(), 1)) ** 2 / np.maximum(pooled, 1e-300)
    p_value = scipy.special.chdtrc(freedom, moved.sum() * n_old * n_new / (n_old + n_new))
    return max(0.0, index - freedom * (1 / n_old + 1 / n_new)), float(p_value)


def _pooled(before, after):
    """Counts with the rarest levels made one, so that each is expected to have five rows in either sample."""
    expected = (before + after) * min(before.sum(), after.sum()) / (before.sum() + after.sum())
    rare = expected < _LEAST_EXPECTED
    return tuple(np.append(part[~rare], part[rare].sum())[: (~rare).sum() + int(rare.any())] for part in (before, after))


def _unseen(before, after):
    """Share of new rows with unknown levels, beyond that of levels seen once (Good 1953), and a p-value.

    Where nothing moved, a level that only one sample has is in either as their sizes are.
    """
    n_old, n_new = before.sum(), after.sum()
    share, usual = after[before == 0].sum() / n_new, (before == 1).sum() / n_old
    new_only, old_only = int((before == 0).sum()), int((after == 0).sum())
    p_value = scipy.special.bdtrc(new_only - 1, new_only + old_only, n_new / (n_old + n_new)) if new_only else 1.0
    return float(max(0.0, share - usual)), float(p_value)


def _emptiness(old, new):
    shares = float(old.mean()) if len(old) else 0.0, float(new.mean()) if len(new) else 0.0
    pooled = np.concatenate([old, new]).mean() if len(old) + len(new) else 0.0
    if pooled in (0.0, 1.0) or not len(old) or not len(new):
        return shares, 1.0
    error = np.sqrt(pooled * (1 - pooled) * design_effect(old.astype(np.float64)) * (1 / len(old) + 1 / len(new)))
    return shares, float(2 * scipy.special.ndtr(-abs(shares[1] - shares[0]) / error))


def _wasserstein(old, new):
    levels = np.linspace(0, 1, 513)[:-1] + 0.5 / 512
    return float(np.abs(np.quantile(old, levels) - np.quantile(new, levels)).mean())
