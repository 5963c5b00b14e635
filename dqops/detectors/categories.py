"""Texts that are slips of another text of their column."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.contracts import Detector
from dqops.tables.spellings import Spelling

_REPORTED = 0.2  # probability from which a doubt is told
_LOOKED_AT = 20_000  # cells that show whether a column is worth counting
_DISTINCT = 0.9  # share of distinct cells beyond which a text is no category
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
        return self.fitted(spellings={name: _spelling(table.raw[name]) for name in table.searched if _is_wordy(table, name)})

    def find(self, table):
        """Slips in `table`, judged by the texts that were learned."""
        groups = [self._search(table, name, one) for name, one in self.spellings_.items() if name in table.raw.columns]
        return self.findings(groups)

    def _search(self, table, name, spelling):
        text = table.raw[name]
        if text.dtype != pl.String or not len(text):
            return None
        texts = text.drop_nulls().unique().sort()
        verdict = spelling.judge(texts)
        told = np.flatnonzero(verdict.score >= _REPORTED)
        if not len(told):
            return None
        slips = pl.DataFrame({"text": texts.gather(told), "place": told})
        place = pl.DataFrame({"text": text}).join(slips, on="text", how="left", maintain_order="left")["place"]
        positions = np.flatnonzero(place.is_not_null().to_numpy())
        chosen = place.gather(positions).to_numpy()
        message = f"{name}: {len(positions)} cells are spelled unlike the common texts they seem to mean"
        return self.finding(table, name, positions, verdict.score[chosen], verdict.why[chosen], message, suggestions=verdict.meant.gather(chosen))


def _is_wordy(table, name):
    """Whether a column holds words that can be misspelled."""
    return table.raw[name].dtype == pl.String and table.meanings[name].kind in ("category", "text", "identifier")


def _spelling(text):
    """The texts of a column; the commonest ones where there are very many."""
    counts = text.drop_nulls().value_counts(name="count").rename({text.name: "text"}).sort(["count", "text"], descending=[True, False])
    counts = counts.head(_KEPT)
    return Spelling(counts["text"], counts["count"].cast(pl.Int64).to_numpy())
