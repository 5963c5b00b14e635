"""Dates as people write them, in several forms within one column."""

from dataclasses import dataclass

import numpy as np
import polars as pl

_SPLIT = (
    r"^(?P<day>.+?)(?:(?:[T ]\s*|,\s+)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>\.\d+)?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?$"
)
# Families of dates: what they look like, and the order of year, month and day.
_FAMILIES = {
    "year first": r"^(?P<y>\d{4})[-/. ](?P<m>\d{1,2})[-/. ](?P<d>\d{1,2})$",
    "eight digits": r"^(?P<y>(?:1[89]|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})$",
    "day first": r"^(?P<d>\d{1,2})[-/. ](?P<m>\d{1,2})[-/. ](?P<y>\d{4}|\d{2})$",
    "month first": r"^(?P<m>\d{1,2})[-/. ](?P<d>\d{1,2})[-/. ](?P<y>\d{4}|\d{2})$",
    "month by name": r"^(?:[A-Za-z]{3,9},?\s+)?(?P<d>\d{1,2})(?:st|nd|rd|th)?[-/. ]*(?P<m>[A-Za-z]{3,9})[-/., ]+(?P<y>\d{4}|\d{2})$",
    "month name first": r"^(?:[A-Za-z]{3,9},?\s+)?(?P<m>[A-Za-z]{3,9})[-. ]+(?P<d>\d{1,2})(?:st|nd|rd|th)?[-, ]+(?P<y>\d{4})$",
    "year, month by name": r"^(?P<y>\d{4})[-/. ](?P<m>[A-Za-z]{3,9})[-/. ](?P<d>\d{1,2})$",
}  # fmt: skip
_LOOKS = r"^\D{0,12}\d{1,4}(?:st|nd|rd|th)?[-/. ,]+(?:\d{1,2}|[A-Za-z]{3,9}\.?)[-/. ,]+\d{1,4}|^[A-Za-z]{3,9}\.? \d{1,2},? \d{4}|^(?:1[89]|20)\d{6}$"
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_PIVOT = 69  # two-digit years from here on are of the last century, as POSIX has it


@dataclass(frozen=True, eq=False)
class DateReading:
    """Distinct texts read as dates.

    Parameters
    ----------
    values : polars.Series of Datetime (n_levels,)
        Null where a text is no date.
    forms : object (n_levels,)
        Family and punctuation of each text, to tell mixed forms; "" where unreadable.
    """

    values: pl.Series
    forms: np.ndarray


def looks_like_dates(levels):
    """Share of these texts that have the build of a date.

    >>> looks_like_dates(pl.Series(["2011-01-31", "3 May 2011", "12.5"]))
    0.6666666666666666
    """
    return float(levels.str.contains(_LOOKS).mean() or 0.0)


def read_dates(levels, counts):
    """Read distinct texts as dates; ``03/04/2011`` as the unambiguous cells of the column have it.

    Parameters
    ----------
    levels : polars.Series of String (n_levels,)
        Distinct texts, trimmed.
    counts : int64 (n_levels,)
        Cells a text.

    Returns
    -------
    DateReading

    Examples
    --------
    >>> read_dates(pl.Series(["2011-01-31", "31/01/2011", "31/02/2011"]), np.ones(3)).values.dt.date().to_list()
    [datetime.date(2011, 1, 31), datetime.date(2011, 1, 31), None]
    """
    parts = levels.str.extract_groups(_SPLIT).struct.unnest()
    days = parts["day"].str.strip_chars()
    readings = {family: _days(days, pattern) for family, pattern in _FAMILIES.items()}
    dropped = _worse_order(readings, counts)
    values, family = pl.Series([None] * len(levels), dtype=pl.Datetime("us")), np.full(len(levels), "", dtype=object)
    for name, reading in readings.items():
        new = (values.is_null() & reading.is_not_null()).to_numpy() & (name != dropped)
        values = values.zip_with(pl.Series(~new), reading)
        family[new] = name
    marks = levels.str.replace(r"(:\d+)\.\d+", "$1").str.replace_all(r"\d+", "").str.replace_all(r"[A-Za-z]+", "a").to_numpy()
    forms = np.where(family != "", family + " " + np.where(marks == None, "", marks), "")  # noqa: E711 - elementwise
    return DateReading(values + _times(parts), forms)


def _worse_order(readings, counts):
    """Of day first and month first, the one that reads fewer cells (month first reads slashes of unknown order)."""
    cells = {name: counts[readings[name].is_not_null().to_numpy()].sum() for name in ("day first", "month first")}
    return "day first" if cells["month first"] >= cells["day first"] else "month first"


def _days(days, pattern):
    """Datetime at midnight of each text that has this build, null elsewhere."""
    groups = days.str.extract_groups(pattern).struct.unnest()
    month = groups["m"].str.to_lowercase().str.slice(0, 3)
    numbers = pl.Series([str(number) for number in range(1, 13)])
    month = month.replace(pl.Series(_MONTHS), numbers)
    year = groups["y"].cast(pl.Int32, strict=False)
    short = (groups["y"].str.len_bytes() == 2).fill_null(False)
    year = year + short.cast(pl.Int32) * (1900 + 100 * (year < _PIVOT).cast(pl.Int32))
    text = year.cast(pl.String).str.zfill(4) + "-" + month.str.zfill(2) + "-" + groups["d"].str.zfill(2)
    return text.str.to_datetime("%Y-%m-%d", strict=False, time_unit="us")


def _times(parts):
    """Time of day as a duration, zero where none is given; null where it cannot be."""
    hour, minute, second, fraction = (
        parts[name].cast(pl.Float64, strict=False).fill_null(0.0).to_numpy() for name in ("hour", "minute", "second", "fraction")
    )
    half = parts["half"].str.to_lowercase().str.slice(0, 1).fill_null("").to_numpy()
    hour = np.where(half != "", hour % 12, hour) + 12 * (half == "p")
    micros = (((hour * 60 + minute) * 60 + second + fraction) * 1e6).round()
    wrong = (hour > 24) | (minute > 59) | (second > 60)
    return pl.Series(micros).cast(pl.Int64).set(pl.Series(wrong), None).cast(pl.Duration("us"))
