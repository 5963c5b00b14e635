"""How a person reads a column: a number with a unit, a date, a category, free text."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.tables.dates import looks_like_dates, read_dates
from dqops.tables.distinct import distinct, some_held
from dqops.tables.numbers import canonical_unit, read_numbers, to_one_unit
from dqops.tables.words import EMPTY_WORDS, MISSING_BESIDE_NUMBERS, is_missing_word, sentinels

_LOOKED_AT = 5_000  # cells of a text column that decide its kind
_MOSTLY = 0.5  # readable share from which a column is of a kind, if the rest is not of another
_FOREIGN = 0.15  # share of words that a column of numbers may hold before they are its values
_FOREIGN_LEVELS = 0.05  # the same where the words come again as often as the numbers do
_FIXED_WIDTH = 0.9  # share of codes with the same number of digits
_DATES = 0.8  # readable share of a date column
_WORDY = 5.0  # mean blanks between words from which a column is text
_SENTENCES = 0.05  # share of distinct cells from which wordy cells are text
_DISTINCT = 0.5  # share of distinct cells from which a column is text, not a category
_UNIQUE = 0.95  # share of distinct cells from which a one-word column is an identifier

# Spellings searched for without lower-casing or trimming millions of cells.
_EXACT = sorted(
    {
        pad + form + after
        for word in EMPTY_WORDS - MISSING_BESIDE_NUMBERS
        for form in ((word, word.upper(), word.title(), word.capitalize()) if len(word) > 3 else (word, word.upper()))
        for pad in ("", " ")
        for after in ("", " ")
    }
    | {" " * count for count in range(9)}
    | {"NaN", "NaT", "\t", "\n", "\xa0"}
)
_TRUE, _FALSE = ["true", "t"], ["false", "f"]


@dataclass(frozen=True, eq=False)
class Meaning:
    """What a column says to a person, and the cells that do not fit.

    Parameters
    ----------
    column : str
    kind : {"number", "date", "boolean", "category", "text", "identifier", "empty"}
    values : polars.Series
        The cells as that kind: Float64 for a number (units and separators removed), Datetime for a date, Boolean,
        String otherwise; null where a cell is blank, disguised or unreadable.
    blank : bool (n,)
        The cell holds nothing.
    disguised : bool (n,)
        The cell holds a word or a number that stands for missing (``N/A``, ``?``, ``-9999999``).
    unreadable : bool (n,)
        The cell holds something that is not of this kind.
    unit : str
        The unit or sign that most cells carry, or nothing.
    recorded_as : str
        How the usual readers type it: "number", "boolean", "text", "date".

    Examples
    --------
    >>> weights = pl.Series(["5 kg", "6 kg", "?", "6.5", "5 kg"])
    >>> meaning = meaning_of("weight", weights, weights)
    >>> meaning.kind, meaning.unit, meaning.values.to_list()
    ('number', 'kg', [5.0, 6.0, None, 6.5, 5.0])
    """

    column: str
    kind: str
    values: pl.Series
    blank: np.ndarray
    disguised: np.ndarray
    unreadable: np.ndarray
    unit: str
    recorded_as: str

    @property
    def known(self):
        """Mask of the cells that have a readable value."""
        return self.values.is_not_null().to_numpy()


def meaning_of(column, raw, recorded, kind=None):
    """The `Meaning` of one column.

    Parameters
    ----------
    column : str
    raw : polars.Series
        Cells as they stood in the source.
    recorded : polars.Series
        The same cells as the usual readers type them.
    kind : str, optional
        What the column is known to be from other rows, so that a batch of a few rows is read alike.
    """
    dtype = recorded.dtype
    if kind in _READ_AS and not dtype.is_numeric() and not dtype.is_temporal() and dtype != pl.Boolean:
        return _READ_AS[kind](column, distinct(as_text(raw).str.strip_chars()), "text")
    if kind in ("category", "text", "identifier"):
        return _of_text(column, as_text(raw), kind)
    if dtype.is_numeric():
        return _of_numbers(column, raw, recorded)
    if dtype == pl.Boolean:
        blank, disguised = _empty_cells(raw, recorded.is_null().to_numpy())
        return Meaning(column, "boolean", recorded, blank, disguised, np.zeros(len(raw), dtype=bool), "", "boolean")
    if dtype in (pl.Date, pl.Datetime):
        blank, disguised = _empty_cells(raw, recorded.is_null().to_numpy())
        values = recorded.cast(pl.Datetime("us")) if dtype == pl.Date else recorded
        return Meaning(column, "date", values, blank, disguised, np.zeros(len(raw), dtype=bool), "", "date")
    if dtype in (pl.Duration, pl.Time):
        return _of_numbers(column, recorded, recorded.to_physical())
    return _of_text(column, as_text(raw))


def as_text(series):
    """Any Series as String, whatever it holds."""
    if series.dtype == pl.String:
        return series
    if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
        return pl.Series(series.name, [None if cell is None else str(cell) for cell in series], dtype=pl.String)
    return series.cast(pl.String, strict=False)


def _of_numbers(column, raw, recorded):
    """A column that the usual readers type as numbers."""
    if raw.dtype == pl.String and _is_code(raw):
        return _of_text(column, raw, "identifier")
    if raw.dtype == pl.String and recorded.dtype.is_integer() and _is_eight_digit_date(recorded):
        return _of_dates(column, distinct(raw), "number")
    values = recorded.cast(pl.Float64)
    if not values.null_count() and (recorded.dtype.is_integer() or values.is_finite().all()):
        nothing = np.zeros(len(raw), dtype=bool)
        return _number(column, values, nothing, nothing, nothing, "", "number")
    empty = values.is_null().to_numpy()
    if values.null_count() or recorded.dtype.is_float():
        empty = empty | values.is_nan().fill_null(False).to_numpy()
    blank, disguised = _empty_cells(raw, empty)
    unreadable = np.zeros(len(raw), dtype=bool)
    if recorded.dtype.is_float():
        unreadable = values.is_infinite().fill_null(False).to_numpy()
    return _number(column, values, blank, disguised, unreadable, "", "number")


def _number(column, values, blank, disguised, unreadable, unit, recorded_as):
    """The meaning of a number column, with sentinels among the disguised."""
    if any(np.count_nonzero(mask) for mask in (disguised, unreadable)) or np.count_nonzero(blank) > values.null_count():
        values = values.set(pl.Series(blank | disguised | unreadable), None)
    low, high = values.min(), values.max()
    if low is not None and any(_may_be_sentinel(value) for value in (low, high)):
        for value in sentinels(values.drop_nulls().to_numpy()):
            hit = (values == value).fill_null(False)
            disguised = disguised | hit.to_numpy()
            values = values.set(hit, None)
    kind = "number" if values.null_count() < len(values) else "empty"
    return Meaning(column, kind, values, blank, disguised, unreadable, unit, recorded_as)


def _may_be_sentinel(value):
    """Cheap look before `sentinels`."""
    return value < 0 or (value >= 99 and float(value).is_integer())


def _empty_cells(raw, empty):
    """Split the cells that readers take for missing into blank ones and words; (blank, disguised)."""
    if raw.dtype != pl.String or not empty.any():
        return empty, np.zeros(len(raw), dtype=bool)
    where = np.flatnonzero(empty)
    held = raw.gather(where).fill_null("").str.strip_chars() != ""
    blank, disguised = empty.copy(), np.zeros(len(raw), dtype=bool)
    disguised[where] = held.to_numpy()
    blank[where] = ~held.to_numpy()
    return blank, disguised


def _is_code(raw):
    """Digits with leading zeros, all of one width: a post code or a phone number, not a quantity."""
    cells = some_held(raw, _LOOKED_AT)
    if not len(cells) or not bool(cells.str.contains(r"^0\d").any()):
        return False
    digits = cells.filter(cells.str.contains(r"^\d+$"))
    if len(digits) < 0.5 * len(cells):
        return False
    widths = digits.str.len_bytes().alias("width").value_counts(sort=True)
    zeros = digits.str.contains(r"^0\d").mean()
    return widths["count"][0] >= _FIXED_WIDTH * len(digits) and zeros >= 0.005


def _is_eight_digit_date(recorded):
    """Whole numbers such as 20110131."""
    some = some_held(recorded, _LOOKED_AT)
    low, high = some.quantile(0.05), some.quantile(0.95)
    if low is None or not 18000101 <= low <= high <= 21001231:
        return False
    texts = some.cast(pl.String).unique(maintain_order=True)
    return len(texts) >= 3 and read_dates(texts, np.ones(len(texts))).values.is_not_null().mean() >= 0.95


def _of_text(column, text, kind=None):
    """A column that the usual readers leave as text; of the given kind of words where that is known."""
    cells = some_held(text, _LOOKED_AT)
    blank, disguised = _missing_words(text)
    if blank.all():
        return Meaning(column, "empty", text.set(pl.Series(blank), None), blank, disguised, np.zeros(len(text), dtype=bool), "", "text")
    looked = distinct(cells.str.strip_chars())
    levels, counts = _held_levels(looked, beside_numbers=True)
    if kind is None and len(levels):
        read_as = _read_as(cells, levels, counts)
        if read_as is not None:
            return _READ_AS[read_as](column, distinct(text.str.strip_chars()), "text")
    gone = blank | disguised
    values = text.str.strip_chars() if bool(cells.str.contains(r"^\s|\s$").any()) else text
    values = values.set(pl.Series(gone), None) if gone.any() else values
    kind = kind or _kind_of_words(*_held_levels(looked, beside_numbers=False))
    return Meaning(column, kind, values, blank, disguised, np.zeros(len(text), dtype=bool), "", "text")


def _read_as(cells, levels, counts):
    """Number, date or boolean, where the texts are that; else None."""
    if counts[levels.str.contains(r"\d").to_numpy()].sum() < _MOSTLY * counts.sum():
        return "boolean" if _are_booleans(levels, counts) else None
    if looks_like_dates(levels) >= _MOSTLY:
        dates = read_dates(levels, counts).values.is_not_null().to_numpy()
        if counts[dates].sum() >= _DATES * counts.sum():
            return "date"
    if _are_numbers(levels, counts, read_numbers(levels, counts)) and not _is_code(cells):
        return "number"
    return None


def _held_levels(looked, beside_numbers):
    """Distinct texts that are neither blank nor a word for missing, and how often each stands there."""
    held = ~is_missing_word(looked.levels, beside_numbers).to_numpy() & (looked.levels != "").to_numpy()
    return looked.levels.filter(pl.Series(held)), looked.counts[held]


def _of_dates(column, texts, recorded_as):
    """A column of dates."""
    reading = read_dates(texts.levels, texts.counts)
    disguised = texts.spread(is_missing_word(texts.levels, True).to_numpy())
    values = texts.spread_values(reading.values)
    blank = (texts.codes < 0) | texts.spread((texts.levels == "").to_numpy())
    unreadable = values.is_null().to_numpy() & ~blank & ~disguised
    return Meaning(column, "date", values, blank, disguised, unreadable, "", recorded_as)


def _of_booleans(column, texts, recorded_as):
    """True and false in several spellings, and some other words."""
    levels = texts.levels.str.to_lowercase()
    values = pl.Series([None] * len(levels), dtype=pl.Boolean).set(levels.is_in(_TRUE), True).set(levels.is_in(_FALSE), False)
    values = texts.spread_values(values)
    disguised = texts.spread(is_missing_word(levels, True).to_numpy())
    blank = (texts.codes < 0) | texts.spread((levels == "").to_numpy())
    return Meaning(column, "boolean", values, blank, disguised, values.is_null().to_numpy() & ~blank & ~disguised, "", recorded_as)


def _of_number_texts(column, texts, recorded_as):
    """A column of numbers of which some cells are dressed up or unreadable."""
    levels, counts = texts.levels, texts.counts
    missing = is_missing_word(levels, True).to_numpy()
    held = ~missing & (levels != "").to_numpy()
    reading = read_numbers(levels, counts)
    usable = held & reading.readable & _fitting_units(reading, counts * held)
    missing |= _stand_in_words(levels, counts, held & ~usable, usable)
    units = [unit if use else "" for unit, use in zip(reading.units, usable, strict=True)]
    numbers = np.where(usable, to_one_unit(reading.values, units, counts * usable), np.nan)
    values = texts.spread_values(pl.Series(numbers).fill_nan(None))
    disguised = texts.spread(missing)
    blank = (texts.codes < 0) | texts.spread((levels == "").to_numpy())
    unreadable = values.is_null().to_numpy() & ~blank & ~disguised
    return _number(column, values, blank, disguised, unreadable, _main_unit(units, counts * usable), recorded_as)


def _are_numbers(levels, counts, reading):
    """Whether a person takes these texts for numbers, some of them broken."""
    usable = reading.readable & _fitting_units(reading, counts)
    cells = counts.sum()
    if counts[usable].sum() < _MOSTLY * cells:
        return False
    rest = ~usable & ~levels.str.contains(r"^[\d.,\-+eE%$€£ ]*$").to_numpy()
    rest &= ~_stand_in_words(levels, counts, ~usable, usable)
    codes = rest.sum() >= 3 and counts[rest].mean() >= max(3.0, 0.3 * counts[usable].mean())
    return counts[rest].sum() <= (_FOREIGN_LEVELS if codes else _FOREIGN) * cells


def _fitting_units(reading, counts):
    """Texts whose unit is common knowledge, or the same in most cells of the column."""
    if reading.known_units.all():
        return reading.known_units
    names = np.array([canonical_unit(unit)[0] if unit else "" for unit in reading.units], dtype=object).astype(str)
    seen, places = np.unique(names, return_inverse=True)
    cells = np.bincount(places, weights=counts * reading.readable, minlength=len(seen))
    main = int(np.argmax(cells))
    numbers_beside = len(np.unique(reading.values[(places == main) & reading.readable]))
    if seen[main] and cells[main] >= _MOSTLY * counts.sum() and numbers_beside >= 3:
        return reading.known_units | (places == main)
    return reading.known_units


def _stand_in_words(levels, counts, strange, usable):
    """One or two words, said again and again beside many numbers, that no list knows: they stand for missing."""
    words = strange & levels.str.contains(r"^[^\d]{3,}$").to_numpy() & levels.str.contains(r"\pL{3,}").to_numpy()
    few = 1 <= words.sum() <= 2 and (strange & ~words).sum() <= 0.5 * max(usable.sum(), 1)
    if few and usable.sum() >= 10 and counts[words].min() >= 2 and counts[words].sum() <= counts[usable].sum():
        return words
    return np.zeros(len(counts), dtype=bool)


def _main_unit(units, counts):
    """The unit as most cells spell it."""
    cells = {}
    for unit, count in zip(units, counts, strict=True):
        cells[unit] = cells.get(unit, 0) + int(count)
    return max(cells, key=cells.get) if cells else ""


def _are_booleans(levels, counts):
    words = levels.str.to_lowercase().is_in(_TRUE + _FALSE).to_numpy()
    return counts[words].sum() >= 0.9 * counts.sum()


def _missing_words(text):
    """Masks (blank, disguised) of a text column, found among exact spellings."""
    suspects = text.is_null() | text.is_in(_EXACT).fill_null(False)
    return _empty_cells(text, suspects.to_numpy())


def _kind_of_words(levels, counts):
    """Category, text or identifier."""
    if not len(levels):
        return "empty"
    different = len(levels) / counts.sum()
    blanks = float(levels.str.count_matches(" ", literal=True).mean())
    if blanks >= _WORDY and different >= _SENTENCES:
        return "text"
    if different >= _UNIQUE and counts.sum() > 20 and blanks < 1.0 and levels.str.contains(r"\d").mean() > _MOSTLY:
        return "identifier"
    return "text" if different >= _DISTINCT and counts.sum() > 20 else "category"


_READ_AS = {"number": _of_number_texts, "date": _of_dates, "boolean": _of_booleans}
