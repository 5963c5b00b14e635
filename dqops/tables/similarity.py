"""Rows that are nearly equal: the same thing written down twice."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from rapidfuzz import fuzz, process

# A word counts where few rows have it; a row is compared with the rows that share the most of such words.
_RARE = 20
_NEIGHBOURS, _DISTANT_NEIGHBOURS = 10, 4
_FIELDS = 12
_SEARCHED_ROWS, _DRAWN_ROWS = 10_000, 6_000
_GLANCE_ROWS = 2000
# Similarities of two texts at which a comparison goes up a level; the last is "the same words".
_LEVELS = (0.45, 0.6, 0.75, 0.9, 0.999)
# Rare words shared, in logarithms of the number of rows: 2 are as many as the likeliest chance pair shares.
_SHARED_LEVELS = (1.5, 2.25, 3.0, 4.0, 5.0)
# A copy may differ altogether in a field, but seldom does.
_WHOLLY_DIFFERENT = 0.03
_ROUNDS = 200
# A field follows from another where this share of the rows says so, in groups too large to be copies of one row.
_ALWAYS, _GROUP, _FEW_ROWS = 0.9, 4, 40
# Letters; a longer text holds the words of many a shorter one.
_SHORT = 60
_STRANGERS = 5000
# A share of values that are alone in their column, above which a text tells rows apart.
_TELLING = 0.2
_SUREST = 0.97
# Matches that are alike in a telling field more seldom than this are different things of one kind.
_SELDOM = 0.3


@dataclass(frozen=True, eq=False)
class Likenesses:
    """Groups of rows that seem to be one and the same.

    Parameters
    ----------
    first : int64 (n,)
        Position of the first row of the group; a row's own position where it is alone.
    score : float64 (n,)
        Probability that the row is one with another of its group; 0 for rows that are alone.
    searched : int
        Rows that were compared.
    """

    first: np.ndarray
    score: np.ndarray
    searched: int


def near_repeats(frame, texts, rows=None):
    """Groups of rows that are likely copies of each other, with typing errors, gaps and other spellings.

    Pairs of rows that share rare words are compared field by field; a mixture of two kinds of pairs (Fellegi and
    Sunter's, fitted without labels) tells copies from strangers. Texts must tell rows apart, or nothing is found:
    that rows of few categories or of measurements are alike means nothing.

    Parameters
    ----------
    frame : polars.DataFrame
        Describing columns only (see `dqops.tables.repeats.describing`).
    texts : sequence of str
        Those of the columns that hold words, not numbers or dates.
    rows : int64 (m,), optional
        Positions of the rows to compare, ascending: all but exact repeats.

    Returns
    -------
    Likenesses
        Of at most 10 000 rows, or of about 6 000 drawn from more: half of them so that rows with one value in the
        most telling text stay together, half by another column of many values; O(rows x columns).

    References
    ----------
    Fellegi, Sunter 1969, JASA 64(328), doi:10.1080/01621459.1969.10501049; Winkler 1988, Proc. Survey Research
    Methods (ASA), the fit by expectation-maximisation.

    Examples
    --------
    >>> near_repeats(pl.DataFrame({"a": ["x", "y", "x"]}), ["a"]).score.tolist()
    [0.0, 0.0, 0.0]
    """
    rows = np.arange(frame.height) if rows is None else rows
    alone = Likenesses(np.arange(frame.height), np.zeros(frame.height), len(rows))
    telling = _telling(frame, texts)
    if not telling:
        return alone
    rows = _compared_rows(frame.select(_keys(frame, telling)), rows)
    fields = _fields(frame, telling, rows)
    pairs, shared = _candidates(fields)
    if len(pairs) < 2:
        return Likenesses(alone.first, alone.score, len(rows))
    levels = np.column_stack([_likeness(fields, pairs), _shared_level(shared, len(rows))])
    odds, says_no = _match_log_odds(levels)
    if says_no or not _alike_everywhere(fields, telling, pairs[odds > 0]):
        return Likenesses(alone.first, alone.score, len(rows))
    pairs, odds = _consistent(pairs, odds, len(rows))
    return _grouped(rows[pairs], odds, frame.height, len(rows))


def _telling(frame, texts):
    """Text columns whose values mostly stand for one row or a few, the most telling first."""
    glance = frame.head(_GLANCE_ROWS)
    rare = {name: _rare_share(glance[name]) for name in texts}
    telling = sorted((name for name in texts if rare[name] >= _TELLING), key=lambda name: -rare[name])
    if frame.height > _GLANCE_ROWS:
        # What is rare in a glance may come again and again further down.
        telling = [name for name in telling if frame[name].approx_n_unique() >= _TELLING * frame[name].count()]
    return telling


def _rare_share(cells):
    counts = cells.drop_nulls().alias("cell").value_counts()["count"]
    few = max(2, len(cells) // 100)
    return float(counts.filter(counts <= few).sum() / max(len(cells), 1))


def _keys(frame, telling):
    """Two columns of many values: the most telling text, and the next one or a number."""
    glance = frame.head(_GLANCE_ROWS)
    others = sorted(set(frame.columns) - set(telling), key=lambda name: (-glance[name].n_unique(), name))
    return [*telling, *others][:2]


def _compared_rows(keys, rows):
    """Row positions: all, or those with a part of the values of either key where rows are many."""
    if len(rows) <= _SEARCHED_ROWS:
        return rows
    parts = -(-len(rows) * keys.width // _DRAWN_ROWS)
    drawn = np.zeros(keys.height, dtype=bool)
    for key in keys.get_columns():
        drawn |= ((key.hash(0) % parts == 0) & key.is_not_null()).to_numpy()
    return rows[drawn[rows]]


def _fields(frame, telling, rows):
    """Normalised words of each compared field, by name; one that follows from another says nothing new."""
    others = [name for name in frame.columns if name not in telling]
    words = {name: _words(frame[name].gather(rows)) for name in [*telling, *others][:_FIELDS]}
    by_values = sorted(words, key=lambda name: -words[name].n_unique())
    kept = []
    for name in by_values:
        if not any(_follows(words[name], words[other]) for other in kept):
            kept.append(name)
    return {name: words[name] for name in words if name in kept}


def _follows(words, other):
    """Do rows with one value of `other`, held by more rows than copies make, have one value here, too?"""
    held = pl.DataFrame({"other": other, "here": words}).drop_nulls()
    held = held.filter(pl.len().over("other") >= _GROUP)
    if held.height < _FEW_ROWS:
        return False
    usual = held.group_by("other", "here").len().group_by("other").agg(pl.col("len").max())["len"].sum()
    return usual > _ALWAYS * held.height


def _words(cells):
    text = cells.cast(pl.String).str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    return text.set(text == "", None)


def _candidates(fields):
    """Pairs of rows that share rare words or rare whole values, and how much: the sum of their rarity."""
    n_rows = len(next(iter(fields.values())))
    held = pl.concat([_tokens(name, words) for name, words in fields.items()]).unique()
    rare = held.group_by("token").len().filter(pl.col("len").is_between(2, _RARE))
    held = held.join(rare, on="token").with_columns(rarity=np.log(n_rows) - pl.col("len").log())
    met = held.join(held.select("token", other="row"), on="token").filter(pl.col("row") < pl.col("other"))
    met = met.group_by("row", "other").agg(shared=pl.col("rarity").sum())
    both = pl.concat([met.with_columns(of="row"), met.with_columns(of="other")])
    place = pl.col("shared").rank("ordinal", descending=True).over("of")
    close = pl.col("shared") >= _SHARED_LEVELS[1] * np.log(n_rows)
    best = both.filter((place <= _DISTANT_NEIGHBOURS) | ((place <= _NEIGHBOURS) & close))
    best = best.select("row", "other", "shared").unique().sort("row", "other")
    return best.select("row", "other").to_numpy().astype(np.int64), best["shared"].to_numpy()


def _tokens(name, words):
    rows = pl.int_range(len(words), eager=True).cast(pl.Int32)
    cells = pl.DataFrame({"row": rows, "value": words}).drop_nulls()
    whole = cells.select("row", token=pl.concat_str(pl.lit(f"{name}="), "value").hash())
    single = cells.select("row", pl.col("value").str.split(" ").alias("token")).explode("token")
    single = single.filter(pl.col("token").str.len_chars() > 1).with_columns(pl.col("token").hash())
    return pl.concat([whole, single])


def _likeness(fields, pairs):
    """Level of likeness of each pair in each field, -1 where a cell is empty; int64 (pairs, fields)."""
    return np.column_stack([_level(words, pairs) for words in fields.values()])


def _level(words, pairs):
    texts = np.array(words.fill_null("").to_list(), dtype=object)
    one, other = texts[pairs[:, 0]], texts[pairs[:, 1]]
    level = np.where(one == other, len(_LEVELS), 0)
    level[(one == "") | (other == "")] = -1
    unequal = np.flatnonzero(level == 0)
    level[unequal] = np.searchsorted(_LEVELS, _alike(one[unequal], other[unequal]), side="right")
    return level


def _alike(one, other):
    """Similarity in [0, 1], in any order of words; a short text whose words all stand in the other is alike."""
    wordy = np.array([" " in text for text in one], dtype=bool) | np.array([" " in text for text in other], dtype=bool)
    short = np.minimum([len(text) for text in one], [len(text) for text in other]) <= _SHORT
    alike = np.zeros(len(one))
    for which, scorer in ((~wordy, fuzz.ratio), (wordy, fuzz.token_sort_ratio)):
        alike[which] = process.cpdist(one[which], other[which], scorer=scorer) / 100.0
    both = np.flatnonzero(wordy & short)
    alike[both[process.cpdist(one[both], other[both], scorer=fuzz.token_set_ratio) == 100.0]] = 1.0
    return alike


def _shared_level(shared, n_rows):
    return np.searchsorted(_SHARED_LEVELS, shared / np.log(n_rows))


def _match_log_odds(levels):
    """Log odds that each pair is a match, and whether no matches stand out at all."""
    patterns, pattern, times = np.unique(levels, axis=0, return_inverse=True, return_counts=True)
    matching = np.where(patterns[:, -1] >= 3, 0.9, np.where(patterns[:, -1] == 2, 0.3, 0.01))
    for _ in range(_ROUNDS):
        share = np.clip(np.average(matching, weights=times), 1e-6, 1 - 1e-6)
        odds = np.full(len(patterns), np.log(share) - np.log1p(-share))
        for field in range(levels.shape[1]):
            known = patterns[:, field] >= 0
            level = patterns[known, field]
            odds[known] += _log_ratio(level, matching[known], times[known])[level]
        updated = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
        settled = np.abs(updated - matching).max() < 1e-6
        matching = updated
        if settled:
            break
    odds = odds[pattern.ravel()]
    return odds, not (odds > 0).any() or (odds > 0).mean() > 0.9


def _log_ratio(level, matching, times):
    """Log of how much likelier each level is among matches than among others."""
    match = np.bincount(level, times * matching, len(_LEVELS) + 1) + 0.5
    other = np.bincount(level, times * (1 - matching), len(_LEVELS) + 1) + 0.5
    match, other = match / match.sum(), other / other.sum()
    if match[0] > _WHOLLY_DIFFERENT:
        match[1:] *= (1 - _WHOLLY_DIFFERENT) / (1 - match[0])
        match[0] = _WHOLLY_DIFFERENT
    return np.log(match / other)


def _alike_everywhere(fields, telling, matches):
    """Are the matches alike in each field that tells rows apart, and more than strangers in every field?

    Rows that agree but for one field, and in that one never, are different things of one kind.
    """
    n_rows = len(next(iter(fields.values())))
    strangers = np.column_stack([np.arange(n_rows), np.roll(np.arange(n_rows), n_rows // 2)])[:_STRANGERS]
    for name, words in fields.items():
        alike = _share_alike(words, matches)
        if alike < (_SELDOM if name in telling else _share_alike(words, strangers)):
            return False
    return True


def _share_alike(words, pairs):
    level = _level(words, pairs)
    return (level[level >= 0] >= len(_LEVELS) - 2).mean() if (level >= 0).any() else 1.0


def _consistent(pairs, odds, n_rows):
    """The matches that can all be true.

    Where most matches lie in groups of three and more, all stand; else each row keeps its best partner only, for
    the others are its neighbours (another shop in the same house).
    """
    found = odds > 0
    best = np.full(n_rows, -np.inf)
    for side in (0, 1):
        np.maximum.at(best, pairs[:, side], odds)
    mutual = found & (odds >= best[pairs[:, 0]]) & (odds >= best[pairs[:, 1]])
    partners = np.bincount(pairs[found].ravel(), minlength=n_rows)
    crowded = np.minimum(partners[pairs[:, 0]], partners[pairs[:, 1]]) > 1
    keep = found if (found & crowded).sum() > found.sum() / 2 else mutual
    return pairs[keep], odds[keep]


def _grouped(pairs, odds, n_rows, searched):
    first, score = np.arange(n_rows), np.zeros(n_rows)
    while True:
        lower = np.minimum(first[pairs[:, 0]], first[pairs[:, 1]])
        before = first.copy()
        for side in (0, 1):
            np.minimum.at(first, pairs[:, side], lower)
        first = first[first]
        if (first == before).all():
            break
    surely = _SUREST / (1 + np.exp(-np.clip(odds, -50, 50)))
    for side in (0, 1):
        np.maximum.at(score, pairs[:, side], surely)
    return Likenesses(first, score, searched)
