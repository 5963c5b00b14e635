"""Which texts of a column are slips of another: white space, case, marks, damage of the encoding, typing errors.

Whether a rare text beside a common one is a slip or a level of its own is answered by the column: rare texts that are
slips stand next to common texts more often than common texts stand next to each other. Texts that differ in a digit
are never taken for one another.
"""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

WHITE_SPACE = "white space that other cells of the same value do not have"
CASE = "capitals unlike those of nearly all cells of the same value"
MARKS = "doubled or stray marks"
ENCODING = "letters damaged by a wrong encoding"
WORD_ORDER = "the words of a common value in another order"
TYPING = "a rare text, a letter or two from a common one"

_RATIO = 4.0  # times commoner than its slip that a value must be
_SURE_RATIO = 20.0  # times from which the ratio no longer adds to the certainty
_MOST_LEVELS = 20_000  # texts of a column that are compared letter by letter
_MOST_COMPARISONS = 1_500_000
_LETTERS = 3  # that a text must have for a typing error to be told
_SETTLED = 400  # common texts that show how crowded a column is
_CHANCE = {4: 0.3, 5: 0.15, 6: 0.08, 7: 0.05}  # that two values of this length are neighbours by nature
_LONG_CHANCE = 0.03
_SLIPS = 0.3  # share of rare texts that are slips, before looking
_PRIOR_LEVELS = 10.0
_UNUSUAL = 0.05  # share of the cells up to which marks are odd
_MOST_REORDERED = 5_000  # texts whose words are put in order
_JUNK = r"[*#~^|\\/_=<>@$%&!?;:,\-]{2,}$"
_UNTIDY = r"^\s|\s$|\s\s|''|``|\"\"|" + _JUNK
MARKED = _UNTIDY + "|[ÂÃâ\ufffd]"  # what a slip of marks or encoding holds
_WORD = re.compile(r"[^\W_]+")
_BROKEN = re.compile("[ÂÃâ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")


@dataclass(frozen=True, eq=False)
class Verdict:
    """What is thought of each text.

    Parameters
    ----------
    score : float64 (n,)
        Probability that it is a slip.
    meant : polars.Series of String (n,)
        What was meant, null where the text is right.
    why : object (n,)
    """

    score: np.ndarray
    meant: pl.Series
    why: np.ndarray


@dataclass(frozen=True, eq=False)
class Spelling:
    """The texts of a column and how often each stands there.

    Parameters
    ----------
    levels : polars.Series of String (n_levels,)
    counts : int64 (n_levels,)
    """

    levels: pl.Series
    counts: np.ndarray

    @cached_property
    def folded(self):
        """Each level without differences of case, white space or form of the letters."""
        return _folded_key(self.levels)

    @cached_property
    def untidy_share(self):
        """Share of the cells with outer or doubled white space or marks."""
        unlike = (tidied(self.levels) != self.levels).to_numpy()
        return float(self.counts[unlike].sum() / max(self.counts.sum(), 1))

    def judge(self, texts):
        """`Verdict` on each of these distinct texts, unknown ones taken for seen once."""
        counts = self._counts_of(texts)
        verdict = [np.zeros(len(texts)), np.full(len(texts), None, dtype=object), np.full(len(texts), "", dtype=object)]
        for judge in (_encoding, _untidy, _folded, _reordered, _typed):
            score, meant, why = judge(self, texts, counts)
            better = score > verdict[0]
            verdict = [np.where(better, new, old) for new, old in zip((score, meant, why), verdict, strict=True)]
        return Verdict(verdict[0].astype(float), pl.Series("meant", verdict[1].tolist(), dtype=pl.String), verdict[2])

    def _counts_of(self, texts):
        known = pl.DataFrame({"text": self.levels, "count": self.counts})
        counts = pl.DataFrame({"text": texts}).join(known, on="text", how="left", maintain_order="left")["count"]
        return np.maximum(counts.fill_null(1).to_numpy(), 1)

    def commonest(self, keys, own_keys):
        """For each of `keys`, the commonest level whose own key is that, and its count; null and 0 for none."""
        if keys.is_in(own_keys.implode()).sum() == 0:
            return pl.Series([None] * len(keys), dtype=pl.String), np.zeros(len(keys), dtype=np.int64)
        book = pl.DataFrame({"key": own_keys, "level": self.levels, "count": self.counts})
        best = book.sort(["count", "level"], descending=[True, False]).unique("key", keep="first", maintain_order=True)
        found = pl.DataFrame({"key": keys}).join(best, on="key", how="left", maintain_order="left")
        return found["level"], found["count"].fill_null(0).to_numpy()


def tidied(texts):
    """Texts without outer or doubled white space, doubled quotes and stray marks at the end.

    >>> tidied(pl.Series([" a  b", "O''Neill", "ARBON-*", "C++"])).to_list()
    ['a b', "O'Neill", 'ARBON', 'C++']
    """
    where = np.flatnonzero(texts.str.contains(_UNTIDY).fill_null(False).to_numpy())
    if not len(where):
        return texts
    odd = texts.gather(where).str.strip_chars()
    for mark in ("'", "`", '"'):
        odd = odd.str.replace_all(mark + "{2,}", mark)
    core = odd.str.replace(_JUNK, "")
    odd = core.zip_with(core.str.count_matches(r"\pL") >= 2, odd)
    return texts.clone().scatter(where, odd.str.replace_all(r"\s+", " ").str.strip_chars())


def _folded_key(texts):
    """Texts without differences of case, white space or form of the letters."""
    texts = tidied(texts).str.to_lowercase()
    where = np.flatnonzero(texts.str.contains(r"[^\x00-\x7f]").fill_null(False).to_numpy())
    return texts.clone().scatter(where, texts.gather(where).str.normalize("NFKC")) if len(where) else texts


def _twins(spelling, texts, counts, keys, own_keys):
    """The commoner level with the same key, and how surely the text is its slip, by how lopsided such twins are."""
    level, count = spelling.commonest(keys, own_keys)
    other = (level != texts).fill_null(False).to_numpy()
    lopsided = other & (count >= _RATIO * counts)
    balanced = int((other & ~lopsided).sum())
    usual = (lopsided.sum() + 2.0) / (lopsided.sum() + 2.0 * balanced + 2.0)
    sure = np.minimum(count / (_SURE_RATIO * counts), 1.0)
    return np.where(lopsided, usual * (0.75 + 0.2 * sure), 0.0), level.to_numpy()


def _encoding(spelling, texts, counts):
    """UTF-8 read as another encoding, and letters that were lost."""
    score, meant = np.zeros(len(texts)), np.full(len(texts), None, dtype=object)
    for place in np.flatnonzero(texts.str.contains("[ÂÃâ\ufffd]").to_numpy()):
        text = texts[int(place)]
        if _BROKEN.search(text):
            meant[place] = _decoded(text)
            score[place] = 0.95 if meant[place] is not None else 0.7
        elif "\ufffd" in text:
            score[place] = 0.9
    return score, meant, np.where(score > 0, ENCODING, "")


def _decoded(text):
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
    return None


def _untidy(spelling, texts, counts):
    """White space around a text, doubled quotes, stray marks; odd where few texts of the column have such."""
    tidy = tidied(texts)
    unlike = (tidy != texts).to_numpy()
    if not unlike.any() or spelling.untidy_share > _UNUSUAL:
        return np.zeros(len(texts)), np.full(len(texts), None, dtype=object), np.full(len(texts), "", dtype=object)
    outer = (texts.str.strip_chars() != texts).to_numpy()
    quoted = texts.str.contains(r"'{2,}|`{2,}|\"{2,}").to_numpy()
    twin = unlike & (spelling.commonest(tidy, spelling.levels)[1] > 0)
    junk = texts.str.extract(f"({_JUNK})")
    known_junk = junk.is_in(junk.filter(pl.Series(twin)).drop_nulls().unique().implode()).fill_null(False).to_numpy()
    alone = unlike & (outer | quoted | known_junk)
    score = np.where(twin & (outer | quoted | junk.is_not_null().to_numpy()), 0.9, np.where(alone, 0.8, 0.0))
    return score, np.where(score > 0, tidy.to_numpy(), None), np.where(outer, WHITE_SPACE, MARKS)


def _folded(spelling, texts, counts):
    """Capitals, doubled blanks and compatibility forms."""
    score, meant = _twins(spelling, texts, counts, _folded_key(texts), spelling.folded)
    hit = np.flatnonzero(score > 0)
    why = np.full(len(texts), CASE, dtype=object)
    odd, right = texts.gather(hit), pl.Series(meant[hit], dtype=pl.String)
    why[hit[(tidied(odd) == tidied(right)).to_numpy()]] = MARKS
    why[hit[(odd.str.replace_all(r"\s", "") == right.str.replace_all(r"\s", "")).to_numpy()]] = WHITE_SPACE
    return score, meant, why


def _reordered(spelling, texts, counts):
    """The same words in another order."""
    nothing = np.zeros(len(texts)), np.full(len(texts), None, dtype=object), np.full(len(texts), WORD_ORDER, dtype=object)
    if max(len(spelling.levels), len(texts)) > _MOST_REORDERED:
        return nothing
    score, meant = _twins(spelling, texts, counts, _sorted_words(texts), _sorted_words(spelling.levels))
    return 0.8 * score, meant, nothing[2]


def _sorted_words(texts):
    words = (sorted(text.lower().replace(",", " ").split()) for text in texts.to_list())
    return pl.Series([" ".join(one) for one in words], dtype=pl.String)


def _typed(spelling, texts, counts):
    """Rare texts a letter or two from a common one."""
    score, meant = np.zeros(len(texts)), np.full(len(texts), None, dtype=object)
    why = np.full(len(texts), TYPING, dtype=object)
    wordy = texts.str.count_matches(r"\pL").to_numpy() >= _LETTERS
    rare = np.flatnonzero(wordy & (counts * _RATIO <= spelling.counts.max(initial=0)))
    if not len(rare) or len(rare) > _MOST_LEVELS:
        return score, meant, why
    order = np.argsort(-spelling.counts, kind="stable")
    common = order[spelling.counts[order] >= _RATIO * counts[rare].min()][: max(_MOST_COMPARISONS // len(rare), 50)]
    levels, level_counts = spelling.levels.gather(common).to_list(), spelling.counts[common]
    near = _neighbours(texts.gather(rare).to_list(), counts[rare], levels, level_counts)
    if not near:
        return score, meant, why
    slips, crowded = _rates(set(texts.gather(rare[list(near)]).to_list()), len(rare), levels, level_counts)
    for place, level in near.items():
        text = int(rare[place])
        chance = min(crowded / _LONG_CHANCE * _chance(texts[text], levels[level]), 1.0)
        sure = min(level_counts[level] / (_SURE_RATIO * counts[text]), 1.0)
        score[text] = sure * slips / (sure * slips + (1 - slips) * chance)
        meant[text] = levels[level]
    return np.minimum(score, 0.97), meant, why


def _neighbours(texts, counts, levels, level_counts):
    """For each text that has one, the place of the nearest level that is much commoner."""
    near = {}
    block = max(_MOST_COMPARISONS // max(len(levels), 1), 1)
    for start in range(0, len(texts), block):
        part = texts[start : start + block]
        distance = cdist(part, levels, scorer=OSA.distance, score_cutoff=3, dtype=np.uint8, workers=1)
        rows, columns = np.nonzero((distance >= 1) & (distance <= 3))
        commoner = level_counts[columns] >= _RATIO * counts[start + rows]
        pairs = sorted(zip(rows[commoner], columns[commoner], strict=True), key=lambda pair: (distance[pair], pair[1]))
        for row, column in pairs:
            if start + row not in near and _is_slip(part[row], levels[column]):
                near[start + row] = int(column)
    return near


def _rates(near, n_rare, levels, level_counts):
    """Share of slips among the rare texts, and share of the other common levels that have a neighbour by nature."""
    settled = [(level, count) for level, count in zip(levels, level_counts, strict=True) if level not in near][:_SETTLED]
    names, counts = [level for level, _ in settled], np.array([count for _, count in settled], dtype=float)
    crowded = len(_neighbours(names, np.zeros(len(names)), names, counts)) if names else 0
    crowded = (crowded + _PRIOR_LEVELS * _LONG_CHANCE) / (len(names) + _PRIOR_LEVELS)
    beside = (len(near) + _PRIOR_LEVELS * _SLIPS) / (n_rare + _PRIOR_LEVELS)
    return float(np.clip((beside - crowded) / (1 - min(crowded, 0.9)), 0.005, 0.9)), max(crowded, _LONG_CHANCE)


def _chance(text, level):
    """Probability that two values so short are neighbours by nature."""
    pairs = _differing_words(text, level)
    length = min((min(len(one), len(other)) for one, other in pairs), default=len(level)) if pairs else len(level)
    return _CHANCE.get(length, _LONG_CHANCE if length > 4 else 1.0)


def _is_slip(text, level):
    """Whether one text may be a slip of the other: same digits, and each word within a letter or two."""
    if re.sub(r"\D", "", text) != re.sub(r"\D", "", level) or text.lower() == level.lower():
        return False
    pairs = _differing_words(text, level)
    if pairs is None:
        return OSA.distance(text, level) <= _allowed(min(len(text), len(level)))
    return all(OSA.distance(one, other) <= _allowed(min(len(one), len(other))) for one, other in pairs)


def _differing_words(text, level):
    """The words that differ, in pairs; None where the texts have not the same number of words."""
    words, others = _WORD.findall(text), _WORD.findall(level)
    if len(words) != len(others):
        return None
    return [(one, other) for one, other in zip(words, others, strict=True) if one != other]


def _allowed(length):
    """Letters in which words of this length may differ."""
    return 0 if length < 4 else 1 + (length - 4) // 8
