"""Texts that are slips of another text of their column."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.contracts import Detector
from dqops.tables.contents import counted
from dqops.tables.distinct import some_held
from dqops.tables.spellings import MARKED, MARKS, WHITE_SPACE, Spelling

_REPORTED = 0.2  # probability from which a doubt is told
_COUNTED = 100_000  # cells up to which all texts are counted; beyond, the common ones are counted in a part
_LOOKED_AT = 50_000
_COMMON = 5  # cells of that part that make a text common
_DISTINCT = 0.5  # share of distinct cells of that part from which a large column holds no categories
_KEPT = 50_000  # texts remembered for serving


@dataclass(frozen=True)
class Categories(Detector):
    """Slips of spelling, case, white space, marks and encoding, with the common text that was meant.

    A rare text is a slip of a common one where it differs little for its length, in no digit, and where the rare
    texts of the column stand near common ones more often than nature would have it (`dqops.tables.spellings`).

    Examples
    --------
    >>> Categories()
    Categories()
    """

    name = "categories"

    def fit(self, table, design, rng):
        """Learn the texts of each column and how common each is."""
        return self._learned(table)[0]

    def find(self, table):
        """Slips in `table`, judged by the texts that were learned."""
        return self._found(table, {})

    def fit_find(self, table, design, rng):
        """Learn and search the same rows: those that were counted as common are not looked up again."""
        fitted, rare = self._learned(table)
        return fitted._found(table, rare)

    def _learned(self, table):
        """Fitted detector, and for each large column where its cells of uncommon texts stand."""
        spellings, rare = {}, {}
        for name in table.searched:
            if _is_wordy(table, name):
                spellings[name], common, places = _spelling(table.raw[name])
                rare[name] = (common, places)
        fine = {name: _fine(one) for name, one in spellings.items()}
        uncommon = {name: places for name, (common, places) in rare.items() if places is not None and common.is_in(fine[name].implode()).all()}
        return self.fitted(spellings=spellings, fine=fine), uncommon

    def _found(self, table, uncommon):
        known = [(name, one) for name, one in self.spellings_.items() if name in table.raw.columns]
        return self.findings([self._search(table, name, one, uncommon.get(name)) for name, one in known])

    def _search(self, table, name, spelling, places):
        text = table.raw[name]
        if text.dtype != pl.String or not len(text):
            return None
        where, cells = _unlike(text, self.fine_[name], places)
        if len(cells) > _COUNTED:
            where = where[cells.str.contains(MARKED).to_numpy()]
            cells = text.gather(where)
        texts = cells.unique().sort()
        verdict = spelling.judge(texts)
        told = np.flatnonzero(verdict.score >= _REPORTED)
        if not len(told):
            return None
        slips = pl.DataFrame({"text": texts.gather(told), "place": told})
        place = pl.DataFrame({"text": cells}).join(slips, on="text", how="left", maintain_order="left")["place"]
        hit = place.is_not_null().to_numpy()
        chosen = place.filter(place.is_not_null()).to_numpy()
        message = _message(name, verdict.why[chosen])
        return self.finding(table, name, where[hit], verdict.score[chosen], verdict.why[chosen], message, suggestions=verdict.meant.gather(chosen))


def _message(name, whys):
    """How many cells, and what is odd in them: white space and stray marks are no other spelling."""
    dressed = int(np.isin(whys, [WHITE_SPACE, MARKS]).sum())
    spelled = len(whys) - dressed
    parts = []
    if spelled:
        parts.append(f"{counted(spelled)} {'is' if spelled == 1 else 'are'} spelled unlike the common texts that seem to be meant")
    if dressed:
        parts.append(f"{counted(dressed)} {'has' if dressed == 1 else 'have'} stray marks or white space")
    return f"{name}: " + "; ".join(parts)


def _is_wordy(table, name):
    """Whether a column holds words that can be misspelled."""
    return table.raw[name].dtype == pl.String and table.meanings[name].kind in ("category", "text", "identifier")


def _spelling(text):
    """The texts of a column (the commonest ones where there are very many), its common texts, where others stand."""
    common = places = None
    counts = _counts(text if len(text) <= _COUNTED else some_held(text, _LOOKED_AT))
    if len(text) > _COUNTED:
        cells = int(counts["count"].sum())
        common = counts.filter(pl.col("count") >= _COMMON)
        if counts.height <= _DISTINCT * cells and common["count"].sum() < _DISTINCT * cells:
            counts, common = _counts(text), None
        elif counts.height <= _DISTINCT * cells:
            places, others = _unlike(text, common["text"])
            rest = _counts(others)
            scale = (len(text) - text.null_count()) / max(cells, 1)
            counts = pl.concat([common.with_columns((pl.col("count") * scale).cast(pl.Int64)), rest])
            common = common["text"]
    counts = counts.sort(["count", "text"], descending=[True, False]).head(_KEPT)
    return Spelling(counts["text"], counts["count"].to_numpy()), common, places


def _unlike(text, known, places=None):
    """Places and texts of the cells that hold none of the `known` texts, looked for among these places or all."""
    cells = text if places is None else text.gather(places)
    strange = np.flatnonzero((~cells.is_in(known.implode()).fill_null(True)).to_numpy())
    return (strange if places is None else places[strange]), cells.gather(strange)


def _counts(text):
    counts = text.alias("text").drop_nulls().value_counts(name="count")
    return counts.with_columns(pl.col("count").cast(pl.Int64))


def _fine(spelling):
    """The texts that no doubt falls on."""
    return spelling.levels.filter(pl.Series(spelling.judge(spelling.levels).score < _REPORTED))
