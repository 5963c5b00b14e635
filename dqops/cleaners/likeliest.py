"""The likeliest value of a doubtful cell, from what the rest of its row foretells and what its text resembles."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from dqops.cleaners.foretelling import Foretold, Later, sound_beside
from dqops.contracts import Cleaner
from dqops.tables.cells import written
from dqops.tables.meaning import as_text

_MOST_LEVELS = 250
_COVERED = 0.8  # share of the sound cells that the levels must hold
_AGAIN = 2  # cells that make a text a level
_PER_SLIP = 3.0  # how much less likely each wrong letter makes a text, as a logarithm
_MOST_PAIRS = 5_000_000
_SMALL = 1e-3


@dataclass(frozen=True)
class WriteLikeliest(Cleaner):
    """Writes the likeliest of a column's usual values into the doubtful cells for which the detector knows none.

    The other columns foretell a chance for each value (randomised trees on the sound training rows), and where the
    doubtful text is none of the usual values, each of them is the less likely the more letters differ. The doubtful
    value itself is left out.

    Examples
    --------
    >>> WriteLikeliest().name
    'likeliest'
    """

    name = "likeliest"
    kinds = ("formats", "rules", "categories", "outliers")

    def fit(self, table, detector, column, rng):
        """Learn the usual values of the column, and what foretells them."""
        texts = _texts(table, column)
        sound = np.setdiff1d(np.flatnonzero(texts.is_not_null().to_numpy()), _doubtful(table, column, detector)[0])
        counts = texts.gather(sound).alias("text").value_counts(sort=True).filter(pl.col("count") >= _AGAIN).head(_MOST_LEVELS)
        levels = counts.sort("text")
        if levels.height < 2 or levels["count"].sum() < _COVERED * max(len(sound), 1):
            return self.fitted(detector=detector, column=column, levels=None)
        beside, known = sound_beside(table, detector, column), _sound(texts, sound, levels["text"])
        foretold = Later(partial(Foretold.of, beside, column, known, rng))
        shares = levels["count"].to_numpy() / levels["count"].sum()
        return self.fitted(detector=detector, column=column, levels=levels["text"], shares=shares, foretold=foretold)

    def repair(self, table):
        """The table with the likeliest values in the doubtful cells of the column."""
        positions, likeliest, _ = self._likeliest(table)
        if not len(positions):
            return table
        return table.with_columns(written(table.frame[self.column_], positions, likeliest))

    def sureness(self, table, positions):
        """Share of the chance that falls on the value written."""
        own, _, sure = self._likeliest(table)
        chance = np.ones(table.n_rows)
        chance[own] = sure
        return chance[positions]

    def action(self):
        """As an order."""
        return f"write the likeliest value into the doubtful cells of {self.column_!r}"

    def _likeliest(self, table):
        """Positions, values and chances for the doubtful cells."""
        nothing = np.zeros(0, dtype=np.int64), pl.Series([], dtype=pl.String), np.zeros(0)
        if self.levels_ is None:
            return nothing
        positions, texts = _doubtful(table, self.column_, self.detector_)
        if not len(positions) or len(positions) * len(self.levels_) > _MOST_PAIRS:
            return nothing
        chances = np.tile(np.maximum(self.shares_, _SMALL), (len(positions), 1))
        foretold = self.foretold_()
        if foretold.alone is not None:
            sound = np.setdiff1d(np.arange(table.n_rows), positions)
            trees, X = foretold.at(sound_beside(table, self.detector_, self.column_), _sound(_texts(table, self.column_), sound, self.levels_), positions)
            told = trees.predict_proba(X)
            place = {level: at for at, level in enumerate(self.levels_)}
            chances[:] = _SMALL / len(self.levels_)
            chances[:, [place[level] for level in trees.classes_]] += told
        garbled = ~texts.is_in(self.levels_.implode()).to_numpy()
        slips = cdist(texts.to_list(), self.levels_.to_list(), scorer=Levenshtein.distance)
        chances *= np.where(garbled[:, None], _resemblance(texts, slips), slips > 0)
        chances /= np.maximum(chances.sum(axis=1, keepdims=True), 1e-300)
        best = chances.argmax(axis=1)
        return positions, self.levels_.gather(best), chances[np.arange(len(best)), best]


def _resemblance(texts, slips):
    """How likely each text is to come of each level, up to a factor; one that is unlike all of them says little."""
    nearest, letters = slips.min(axis=1, keepdims=True), texts.str.len_chars().to_numpy()[:, None]
    told = np.maximum(1 - 2 * nearest / np.maximum(letters, 1), 0.0)
    return np.exp(-_PER_SLIP * told * (slips - nearest))


def _doubtful(table, column, detector):
    """Positions and texts of the doubtful cells for which the detector has no suggestion, empty ones left out."""
    found, texts = [], _texts(table, column)
    for group in detector.find(table):
        if group.column != column or group.whole:
            continue
        sure = group.at_least(0.5)
        unknown = np.ones(sure.count, dtype=bool) if sure.suggestions is None else sure.suggestions.is_null().to_numpy()
        found.append(sure.positions[unknown])
    positions = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
    held = texts.gather(positions).is_not_null().to_numpy()
    return positions[held], texts.gather(positions[held])


def _texts(table, column):
    """The column as text, empty cells null."""
    return as_text(table.frame[column])


def _sound(texts, sound, levels):
    """The texts with all but the levels at the sound positions empty."""
    kept = np.zeros(len(texts), dtype=bool)
    kept[sound] = True
    return texts.set(~(pl.Series(kept) & texts.is_in(levels.implode()).fill_null(False)), None)
