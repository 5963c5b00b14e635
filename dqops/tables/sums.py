"""Arithmetic that a table keeps: a column that is the sum or the product of two others, but for wrong cells."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

_LOOKED_AT = 600  # rows that show whether a sum holds
_MOST_COLUMNS = 40
_LEVELS = 12  # different numbers that a column must show; codes do not add up
_LEAST_ROWS = 30  # rows that can show it: where no part is nothing
_HOLDS = 0.6  # share of them that must
_KNOWN = 20_000  # numbers of a column that show which are usual
_CLOSE = 1e-9  # relative error of a sum that holds
_STRANGE, _UNSEEN = 1e-4, 0.1  # weights of a number that no cell holds: out of range or finer, and else


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """``parts[0] + parts[1] = whole``, or the same with a product.

    Parameters
    ----------
    parts : tuple of two str
    whole : str
    is_product : bool
    usual : dict of str to float64
        Usual numbers of each of the three columns, ascending.
    """

    parts: tuple[str, str]
    whole: str
    is_product: bool
    usual: dict

    @property
    def columns(self):
        return (*self.parts, self.whole)

    def broken(self, numbers):
        """int64: the rows that break it, of those that can.

        Parameters
        ----------
        numbers : dict of str to float64 (n,)
            NaN where a cell holds no number.
        """
        first, second, whole = (numbers[name] for name in self.columns)
        with np.errstate(invalid="ignore", over="ignore"):
            made = first * second if self.is_product else first + second
            return np.flatnonzero(np.abs(made - whole) > _CLOSE * np.maximum(np.abs(made), np.abs(whole)) + _CLOSE)

    def explain(self, numbers, rows):
        """Which cell of each broken row is wrong: ``{column: (score, what should stand there)}``.

        The cell whose recorded number is least usual in its column, against the number that the others imply.
        """
        cells = {name: numbers[name][rows] for name in self.columns}
        implied = self._implied(cells)
        gain = np.array([self._usual(name, implied[name]) - self._usual(name, cells[name]) for name in self.columns])
        gain = np.where(np.isfinite(gain), gain, -50.0)
        weight = np.exp(gain - gain.max(axis=0))
        share = weight / weight.sum(axis=0)
        return {name: (share[place], implied[name]) for place, name in enumerate(self.columns)}

    def _implied(self, cells):
        (first, second), whole = self.parts, cells[self.whole]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if self.is_product:
                made = {first: whole / cells[second], second: whole / cells[first], self.whole: cells[first] * cells[second]}
            else:
                made = {first: whole - cells[second], second: whole - cells[first], self.whole: cells[first] + cells[second]}
        return {name: np.round(one, 9) for name, one in made.items()}

    def _usual(self, name, values):
        """Log of how usual each number is in its column."""
        usual = self.usual[name]
        seen = np.searchsorted(usual, values, side="right") - np.searchsorted(usual, values, side="left")
        fits = (values >= usual[0]) & (values <= usual[-1]) & (np.round(values, 4) == values)
        return np.log(seen + np.where(fits, _UNSEEN, _STRANGE))


def learn_arithmetic(numbers):
    """The `Arithmetic` that most rows keep.

    Parameters
    ----------
    numbers : dict of str to float64 (n,)
        NaN where a cell holds no number. The order of rows carries no meaning.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> one, two = rng.integers(1, 50, (2, 200)).astype(float)
    >>> [(found.parts, found.whole) for found in learn_arithmetic({"a": one, "b": two, "c": one + two})]
    [(('a', 'b'), 'c')]
    """
    few = {name: cells[:_LOOKED_AT] for name, cells in sorted(numbers.items())}
    names = [name for name, cells in few.items() if len(np.unique(cells[np.isfinite(cells)])) >= _LEVELS][:_MOST_COLUMNS]
    wholes = np.array([few[name] for name in names])
    found = []
    for parts in combinations(names, 2):
        for is_product in (False, True):
            hits = np.flatnonzero(_keeps(parts, few, wholes, is_product))
            found += [(parts, names[whole], is_product) for whole in hits if names[whole] not in parts]
    sure = [one for one in found if _keeps(one[0], numbers, numbers[one[1]][None], one[2])[0]]
    return [Arithmetic(*one, {name: _sorted(numbers[name]) for name in (*one[0], one[1])}) for one in sure]


def _keeps(parts, numbers, wholes, is_product):
    """Which of the `wholes` (n_wholes, n) most rows keep, of those where it is no matter of course."""
    first, second = (numbers[name] for name in parts)
    with np.errstate(invalid="ignore", over="ignore"):
        made = first * second if is_product else first + second
        telling = np.isfinite(made) & (first != 0) & (second != 0)
        if is_product:
            telling &= (np.abs(first) != 1) & (np.abs(second) != 1)
        made, wholes = made[telling], wholes[:, telling]
        known = np.isfinite(wholes).sum(axis=1)
        close = (np.abs(made - wholes) <= _CLOSE * np.abs(made) + _CLOSE).sum(axis=1)
    return (known >= _LEAST_ROWS) & (close >= _HOLDS * known)


def _sorted(cells):
    return np.sort(cells[np.isfinite(cells)][:_KNOWN])
