"""Numbers as people write them: with units, signs, separators and currencies."""

from dataclasses import dataclass

import numpy as np
import polars as pl

# One line of a number: bracket or sign, currency, digits, then a unit without digits.
_PARTS = (
    r"^(?P<open>\()?\s*(?P<sign>[-+−])?\s*(?:(?P<currency>[$€£¥₹]|(?i:usd|eur|gbp|chf|jpy|inr)\b)\s*(?P<sign2>[-+−])?)?"
    r"(?P<body>(?:\d[\d.,'’ \x{a0}]*\d|\d)[.,]?|[.,]\d+)(?P<exponent>[eE][-+]?\d{1,3})?\s*(?P<unit>[^\d\s()][^\d()]*)?(?P<close>\))?$"
)
_PLAIN = r"^\d+\.?\d*$|^\.\d+$"
_THOUSANDS_COMMA = r"^\d{1,3}(,\d{3})+(\.\d*)?$"
_THOUSANDS_DOT = r"^\d{1,3}(\.\d{3})+(,\d+)?$"
_INDIAN = r"^\d{1,2}(,\d{2})+,\d{3}(\.\d*)?$"
_THOUSANDS_GAP = r"^\d{1,3}(['’ \x{a0}]\d{3})+([.,]\d+)?$"
_DECIMAL_COMMA = r"^\d*,\d+$"

# Spellings of common units: name of the unit, and how many of the first unit of its line it is.
_UNITS = {
    name: (dimension, factor)
    for dimension, spellings in {
        "mass": {1.0: "g gr gram grams", 1e3: "kg kgs kilo kilos kilogram kilograms", 1e-3: "mg milligram", 453.59237: "lb lbs pound pounds", 28.349523125: "oz ounce ounces", 1e6: "t ton tons tonne tonnes"},
        "length": {1.0: "m meter meters metre metres", 1e-2: "cm centimeter centimetre", 1e-3: "mm millimeter millimetre", 1e3: "km kilometer kilometers", 0.0254: 'in inch inches "', 0.3048: "ft foot feet '", 1609.344: "mi mile miles", 0.9144: "yd yard yards"},
        "volume": {1.0: "l liter liters litre litres", 1e-3: "ml milliliter millilitre", 1e-2: "cl", 0.0295735295625: "floz", 3.785411784: "gal gallon gallons"},
        "time": {1.0: "s sec secs second seconds", 60.0: "min mins minute minutes", 3600.0: "h hr hrs hour hours", 86400.0: "d day days", 604800.0: "week weeks wk", 2629800.0: "month months mo", 31557600.0: "y yr yrs year years", 1e-3: "ms msec millisecond milliseconds"},
        "storage": {1.0: "byte bytes", 1e3: "kb", 1e6: "mb", 1e9: "gb", 1e12: "tb"},
        "share": {1.0: "% percent pct"},
        "heat": {1.0: "°c ° c celsius deg degrees"},
        "heat, imperial": {1.0: "°f fahrenheit"},
        "power": {1.0: "hp bhp", 1.34102: "kw"},
        "money": {1.0: "usd eur gbp chf jpy inr dollar dollars euro euros"},
        "speed": {1.0: "km/h kmh kph", 1.609344: "mph", 3.6: "m/s"},
        "counting": {1.0: "pcs pc piece pieces unit units people persons person patients patient items item times"},
        "open end": {1.0: "+"},
    }.items()
    for factor, names in spellings.items()
    for name in names.split()
}  # fmt: skip
_MULTIPLES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9}


@dataclass(frozen=True, eq=False)
class NumberReading:
    """Distinct texts read as numbers.

    Parameters
    ----------
    values : float64 (n_levels,)
        NaN where a text is no number.
    units : list of str (n_levels,)
        Unit, sign or currency as it is written; nothing for a plain number.
    dressed : bool (n_levels,)
        More than a plain number: a unit, a currency, thousands separators, brackets, a decimal comma.
    known_units : bool (n_levels,)
        No unit, or one from the common list.
    """

    values: np.ndarray
    units: list
    dressed: np.ndarray
    known_units: np.ndarray

    @property
    def readable(self):
        """Mask of the texts that are numbers."""
        return np.isfinite(self.values)


def read_numbers(levels, counts):
    """Read distinct texts as numbers, the column's own habit deciding between ``1,234`` and ``1,234``.

    Parameters
    ----------
    levels : polars.Series of String (n_levels,)
        Distinct texts, trimmed.
    counts : int64 (n_levels,)
        Cells a text.

    Returns
    -------
    NumberReading

    Examples
    --------
    >>> texts = pl.Series(["12.0 oz", "1,234", "(12)", "$5", "1e3", "12 Main St", ".."])
    >>> read_numbers(texts, np.ones(7)).values.tolist()
    [12.0, 1234.0, -12.0, 5.0, 1000.0, 12.0, nan]
    """
    plain = levels.cast(pl.Float64, strict=False)
    if plain.null_count() == 0:
        values = _as_floats(plain)
        nothing = np.zeros(len(levels), dtype=bool)
        return NumberReading(values, [""] * len(levels), nothing, ~nothing)
    parts = levels.str.extract_groups(_PARTS).struct.unnest()
    body = parts["body"].str.strip_chars()
    values = _body_values(body, counts, parts["exponent"])
    negative = (parts["sign"].is_in(["-", "−"]) | parts["sign2"].is_in(["-", "−"])).fill_null(False).to_numpy()
    bracketed = (parts["open"].is_not_null() & parts["close"].is_not_null()).to_numpy()
    unbalanced = (parts["open"].is_not_null() != parts["close"].is_not_null()).to_numpy()
    values = np.where(negative | bracketed, -values, values)
    values[unbalanced] = np.nan
    currency = parts["currency"].fill_null("").to_list()
    suffix = parts["unit"].fill_null("").str.strip_chars().to_list()
    is_plain = plain.is_not_null().to_numpy() & np.isfinite(_as_floats(plain))
    values = np.where(is_plain, _as_floats(plain), values)
    units = ["" if simple else sign + unit for simple, sign, unit in zip(is_plain, currency, suffix, strict=True)]
    values = values * np.array([1.0 if simple else _multiple(sign, unit) for simple, sign, unit in zip(is_plain, currency, suffix, strict=True)])
    known = np.array([_is_known(sign, unit) for sign, unit in zip(currency, suffix, strict=True)], dtype=bool)
    return NumberReading(values, units, np.isfinite(values) & ~is_plain, known | is_plain)


def canonical_unit(unit):
    """Dimension and size of a unit, or the unit's own lower-case text and 1.

    >>> canonical_unit("oz.") == canonical_unit("ounce") == canonical_unit("OZ. can")
    True
    """
    bare = unit.strip().lower().replace(".", " ").strip()
    for candidate in (bare, bare.replace(" ", ""), bare.split(" ")[0] if bare else ""):
        if candidate in _UNITS:
            return _UNITS[candidate]
    return bare, 1.0


def to_one_unit(values, units, counts):
    """Bring all values to the unit that most cells carry, where that makes them more alike.

    A plain number beside ``%``, or ``500 g`` beside ``0.5 kg``: of the two readings, as written or converted, each
    unit takes the one whose median is nearer to the values in the most frequent form, on a log scale.

    Parameters
    ----------
    values : float64 (n_levels,)
    units : list of str (n_levels,)
    counts : int64 (n_levels,)

    Returns
    -------
    float64 (n_levels,)

    Examples
    --------
    >>> to_one_unit(np.array([0.05, 0.06, 0.05]), ["", "", "%"], np.array([9, 9, 1])).tolist()
    [0.05, 0.06, 0.05]
    >>> to_one_unit(np.array([0.05, 0.06, 5.0]), ["", "", "%"], np.array([9, 9, 1])).tolist()
    [0.05, 0.06, 0.05]
    """
    forms = np.array([_form(unit) for unit in units], dtype=object)
    names, places = np.unique(forms.astype(str), return_inverse=True)
    if len(names) < 2:
        return values
    cells = np.bincount(places, weights=counts, minlength=len(names))
    main = int(np.argmax(cells))
    values = values.copy()
    centre = _log_median(values[places == main], counts[places == main])
    for other in range(len(names)):
        mine = places == other
        factor = _factor(forms[mine][0], forms[places == main][0])
        if other == main or factor == 1.0:
            continue
        here = _log_median(values[mine], counts[mine])
        if abs(here + np.log10(factor) - centre) < abs(here - centre):
            values[mine] *= factor
    return values


def _body_values(body, counts, exponent):
    """Numbers from digits with separators; NaN where they make none."""
    comma_is_decimal = _comma_is_decimal(body, counts)
    dot_is_thousands = bool((body.str.contains(_THOUSANDS_DOT) & body.str.contains(r",|\..*\.")).fill_null(False).any())
    dotted = (body.str.contains(_THOUSANDS_DOT) & (body.str.contains(r",|\..*\.") | dot_is_thousands)).fill_null(False)
    plain = body.str.contains(_PLAIN).fill_null(False) & ~dotted
    commas = body.str.contains(_INDIAN).fill_null(False)
    if not comma_is_decimal:
        commas = commas | body.str.contains(_THOUSANDS_COMMA).fill_null(False)
    gaps = body.str.contains(_THOUSANDS_GAP).fill_null(False)
    decimal = body.str.contains(_DECIMAL_COMMA).fill_null(False) & ~commas
    digits = pl.DataFrame({"body": body, "plain": plain, "dotted": dotted, "commas": commas, "gaps": gaps, "decimal": decimal}).select(
        pl.when("plain").then(pl.col("body"))
        .when("dotted").then(pl.col("body").str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True))
        .when("commas").then(pl.col("body").str.replace_all(",", "", literal=True))
        .when("gaps").then(pl.col("body").str.replace_all(r"['’ \x{a0}]", "").str.replace(",", ".", literal=True))
        .when("decimal").then(pl.col("body").str.replace(",", ".", literal=True))
        .otherwise(None)
    ).to_series()  # fmt: skip
    return _as_floats((digits + exponent.fill_null("")).cast(pl.Float64, strict=False))


def _comma_is_decimal(body, counts):
    """``1,234`` is ambiguous: the other cells tell."""
    decimal = body.str.contains(r"^\d*,(\d{1,2}|\d{4,})$").fill_null(False).to_numpy()
    thousands = body.str.contains(r"^\d{1,3}(,\d{3}){2,}|^\d{1,3}(,\d{3})+\.").fill_null(False).to_numpy()
    return bool(counts[decimal].sum() > counts[thousands].sum())


def _as_floats(series):
    return series.fill_null(float("nan")).to_numpy().astype(np.float64)


def _multiple(currency, unit):
    """``$5k`` is five thousand; without a currency only ``k`` is taken so."""
    word = unit.lower()
    if word in _MULTIPLES and (currency or unit in ("k", "K")):
        return _MULTIPLES[word]
    return 1.0


def _is_known(currency, unit):
    if not unit:
        return True
    return canonical_unit(unit)[0] in _DIMENSIONS or _multiple(currency, unit) != 1.0


_DIMENSIONS = {dimension for dimension, _ in _UNITS.values()}


def _form(unit):
    """What decides the scale: dimension and size, or nothing for a plain number."""
    return "{}|{!r}".format(*canonical_unit(unit)) if unit else ""


def _factor(form, main):
    """How many of the main unit one of this unit is, 1 where that is unknown."""
    if form == "share|1.0" and main == "":
        return 0.01
    if main == "share|1.0" and form == "":
        return 100.0
    if not form or not main:
        return 1.0
    (dimension, size), (other, base) = form.rsplit("|", 1), main.rsplit("|", 1)
    return float(size) / float(base) if dimension == other else 1.0


def _log_median(values, counts):
    """Median of log10 |value|, cells counted; zeros are left out."""
    use = (values != 0) & np.isfinite(values)
    if not use.any():
        return 0.0
    logs, weights = np.log10(np.abs(values[use])), counts[use]
    order = np.argsort(logs)
    return float(logs[order][np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)])
