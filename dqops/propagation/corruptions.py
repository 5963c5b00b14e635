"""Errors of stated kinds, planted at stated rates; the same draw at a higher rate holds all errors of a lower one."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import expit

from dqops.contracts import Corruption
from dqops.errors import DataError, OptionError
from dqops.tables.cells import as_numbers, in_type_of, written

_MOST_LEVELS = 1000
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_UNITS = (1000.0, 0.001, 2.54, 0.4536)  # thousands, thousandths, inches, pounds
_STEEP = 2.0  # how strongly a value, in standard deviations, decides whether a cell goes missing


@dataclass(frozen=True)
class CellCorruption(Corruption):
    """Errors in cells of feature columns.

    Parameters
    ----------
    column : str, optional
        The column that bears them; all that can by default.
    """

    column: str | None = None
    on_target = False
    keeps_rows = True

    def columns(self, table):
        """Names of the columns that bear the errors.

        Raises
        ------
        DataError
            Where no column, or not the named one, can bear errors of this kind.
        """
        able = [name for name in table.features if self.fits(table, name)]
        if self.column is not None and self.column not in able:
            raise DataError(f"column {self.column!r} cannot bear {self.name}", f"one of {', '.join(able) or 'no column here'}")
        if not able:
            raise DataError(f"no feature can bear {self.name}", "a column of another kind")
        return able if self.column is None else [self.column]

    def fits(self, table, name):
        """Whether a column can bear errors of this kind."""
        return True

    def corrupt(self, table, rate, rng):
        """A copy of the table with the errors; draws are the same at each rate, so that lower rates are nested."""
        _check_rate(rate)
        columns = []
        for name in self.columns(table):
            chances, spoilt = rng.random(table.n_rows), self.spoil(table, name, rng)
            hit = np.flatnonzero((self.threshold(table, name, rate) > chances) & table.frame[name].is_not_null().to_numpy())
            columns.append(self.write(table.frame[name], hit, spoilt))
        return table.with_columns(*columns)

    def threshold(self, table, name, rate):
        """Chance of each cell to be hit, float64 (n,), with mean `rate`; rising with it."""
        return np.full(table.n_rows, rate)

    def spoil(self, table, name, rng):
        """What each cell of the column would become, or None where it becomes empty."""
        return

    def write(self, recorded, hit, spoilt):
        """The column with the spoilt cells at these positions."""
        return written(recorded, hit, None if spoilt is None else spoilt.gather(hit))


def _check_rate(rate):
    if not 0 <= rate <= 1:
        raise OptionError("rate", rate, "a share in [0, 1]")


def _is_number(table, name):
    return table.frame[name].dtype.is_numeric() and table.frame[name].n_unique() > 2


def _is_word(table, name):
    cells = table.frame[name]
    return cells.dtype in (pl.String, pl.Categorical, pl.Enum) and 2 <= cells.drop_nulls().n_unique() <= _MOST_LEVELS


def _standardised(cells):
    """Numbers in standard deviations from the mean; ranks of frequency where they are no numbers."""
    if not cells.dtype.is_numeric():
        counts = cells.alias("level").value_counts(sort=True)
        ranks = pl.Series(np.arange(counts.height, dtype=np.float64))
        cells = cells.replace_strict(counts["level"], ranks, default=None, return_dtype=pl.Float64)
    numbers = cells.cast(pl.Float64).fill_null(strategy="mean").fill_nan(0.0).to_numpy()
    spread = numbers.std()
    return (numbers - numbers.mean()) / spread if np.isfinite(spread) and spread > 0 else np.zeros(len(numbers))


def _logistic(scores, rate):
    """Chances that rise with the scores, with mean `rate`: the intercept is found by halving."""
    if rate in (0, 1):
        return np.full(len(scores), float(rate))
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(middle + _STEEP * scores).mean() < rate else (low, middle)
    return expit((low + high) / 2 + _STEEP * scores)


@dataclass(frozen=True)
class MissingCompletelyAtRandom(CellCorruption):
    """Cells go missing, each with the same chance."""

    name = "missing_completely_at_random"


@dataclass(frozen=True)
class MissingAtRandom(CellCorruption):
    """Cells go missing the more likely, the larger another column of their row is."""

    name = "missing_at_random"

    def threshold(self, table, name, rate):
        others = [one for one in table.features if one != name]
        if not others:
            return np.full(table.n_rows, rate)
        decides = others[table.features.index(name) % len(others)]
        return _logistic(_standardised(table.frame[decides]), rate)


@dataclass(frozen=True)
class MissingNotAtRandom(CellCorruption):
    """Cells go missing the more likely, the larger (or, of words, the rarer) they are."""

    name = "missing_not_at_random"

    def threshold(self, table, name, rate):
        return _logistic(_standardised(table.frame[name]), rate)


@dataclass(frozen=True)
class WildNumbers(CellCorruption):
    """Numbers become a hundred times as large, or ten or a hundred standard deviations off."""

    name = "outliers"

    def fits(self, table, name):
        return _is_number(table, name)

    def spoil(self, table, name, rng):
        numbers = as_numbers(table, name).fill_null(0.0).to_numpy()
        spread = max(np.nanstd(numbers), 1e-12)
        signs = rng.choice([-1.0, 1.0], len(numbers))
        way = rng.integers(3, size=len(numbers))
        spoilt = np.select([way == 0, way == 1], [numbers * 100, numbers + 10 * signs * spread], numbers + 100 * signs * spread)
        return in_type_of(pl.Series(name, spoilt), table.frame[name])


@dataclass(frozen=True)
class GaussianNoise(CellCorruption):
    """All numbers are measured with an error; the rate is its standard deviation over that of the column."""

    name = "gaussian_noise"

    def fits(self, table, name):
        return _is_number(table, name)

    def corrupt(self, table, rate, rng):
        """A copy of the table with noise of `rate` standard deviations in each number."""
        _check_rate(rate)
        columns = []
        for name in self.columns(table):
            numbers = as_numbers(table, name)
            noise = rng.standard_normal(table.n_rows) * rate * (numbers.std() or 0.0)
            columns.append(in_type_of(numbers + pl.Series(noise), table.frame[name]).alias(name))
        return table.with_columns(*columns)


@dataclass(frozen=True)
class WrongUnits(CellCorruption):
    """Numbers are recorded in another unit: thousands, thousandths, inches, pounds."""

    name = "unit_errors"

    def fits(self, table, name):
        return _is_number(table, name)

    def spoil(self, table, name, rng):
        spoilt = as_numbers(table, name) * pl.Series(rng.choice(_UNITS, table.n_rows))
        return in_type_of(spoilt, table.frame[name]).alias(name)


@dataclass(frozen=True)
class Typos(CellCorruption):
    """A letter of a word is replaced: a new spelling that no other row has."""

    name = "typos"

    def fits(self, table, name):
        return _is_word(table, name)

    def spoil(self, table, name, rng):
        places, letters = rng.random(table.n_rows), rng.integers(len(_LETTERS), size=table.n_rows)
        words = table.frame[name].cast(pl.String).fill_null("").to_list()
        return pl.Series(name, [_mistyped(word, place, _LETTERS[letter]) for word, place, letter in zip(words, places, letters, strict=True)])


def _mistyped(word, place, letter):
    at = int(place * len(word))
    return word[:at] + (letter if word[at : at + 1] != letter else letter * 2) + word[at + 1 :]


@dataclass(frozen=True)
class SwappedCategories(CellCorruption):
    """A word is replaced by another word of its column."""

    name = "swapped_categories"

    def fits(self, table, name):
        return _is_word(table, name)

    def spoil(self, table, name, rng):
        levels = table.frame[name].drop_nulls().unique().sort()
        codes = table.frame[name].replace_strict(levels, pl.Series(np.arange(len(levels))), default=0, return_dtype=pl.Int64).to_numpy()
        return levels.gather((codes + rng.integers(1, len(levels), size=table.n_rows)) % len(levels)).alias(name)


@dataclass(frozen=True)
class StaleRows(CellCorruption):
    """All features of a row are those of another row: a record that was not brought up to date."""

    name = "stale_rows"

    def corrupt(self, table, rate, rng):
        """A copy of the table in which that share of the rows holds the features of other rows."""
        _check_rate(rate)
        hit = rng.random(table.n_rows) < rate
        others = rng.integers(max(table.n_rows, 1), size=table.n_rows)
        rows = np.where(hit, others, np.arange(table.n_rows))
        return table.with_columns(*(table.frame[name].gather(rows) for name in self.columns(table)))


@dataclass(frozen=True)
class RepeatedRows(Corruption):
    """Rows stand twice; the rate is the share of rows that are copies."""

    name = "duplicates"
    column: str | None = None
    on_target = False
    keeps_rows = False

    def corrupt(self, table, rate, rng):
        """The table with copies of some rows at its end; a rate of 1 would need copies without end and is refused."""
        _check_rate(rate)
        if rate == 1:
            raise OptionError("rate", rate, "a share below 1 for duplicates")
        drawn = rng.integers(max(table.n_rows, 1), size=20 * table.n_rows)
        copies = drawn[: min(round(rate / (1 - rate) * table.n_rows), len(drawn))]
        return table.take(np.concatenate([np.arange(table.n_rows), copies]))


@dataclass(frozen=True)
class FlippedLabels(Corruption):
    """Labels become any other class, each with the same chance."""

    name = "label_flips"
    column: str | None = None
    on_target = True
    keeps_rows = True

    def corrupt(self, table, rate, rng):
        """A copy of the table in which that share of the labels is wrong."""
        _check_rate(rate)
        target = table.target()
        levels = target.drop_nulls().unique().sort()
        if len(levels) < 2:
            raise DataError(f"target {target.name!r} holds one class", "two or more, to flip labels between them")
        codes = target.replace_strict(levels, pl.Series(np.arange(len(levels))), default=0, return_dtype=pl.Int64).to_numpy()
        chances, steps = rng.random(table.n_rows), self.steps(len(levels), table.n_rows, rng)
        hit = (chances < rate) & target.is_not_null().to_numpy()
        flipped = levels.gather((codes + steps) % len(levels))
        return table.with_columns(target.clone().scatter(np.flatnonzero(hit), flipped.filter(pl.Series(hit))))

    def steps(self, n_classes, n_rows, rng):
        """How many classes further each label would go."""
        return rng.integers(1, n_classes, size=n_rows)


@dataclass(frozen=True)
class ConfusedLabels(FlippedLabels):
    """Labels become the next class, in sorted order: noise that depends on the class."""

    name = "label_confusions"

    def steps(self, n_classes, n_rows, rng):
        return np.ones(n_rows, dtype=np.int64)


@dataclass(frozen=True)
class NoisyTarget(Corruption):
    """A number to predict becomes that of another row."""

    name = "target_swaps"
    column: str | None = None
    on_target = True
    keeps_rows = True

    def corrupt(self, table, rate, rng):
        """A copy of the table in which that share of the targets belongs to other rows."""
        _check_rate(rate)
        hit, others = rng.random(table.n_rows) < rate, rng.integers(max(table.n_rows, 1), size=table.n_rows)
        rows = np.where(hit, others, np.arange(table.n_rows))
        return table.with_columns(table.target().gather(rows))
