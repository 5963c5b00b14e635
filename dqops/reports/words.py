"""The words and figures of every report: one way to write a score, a share, a column's name."""

from math import floor, isfinite, log10

# What each kind of finding means, and what a person can do about it.
KINDS = {
    "missing": ("Empty or disguised empty cells", "find out why cells are empty, then fill or mark them"),
    "formats": ("Cells that break the type or pattern of their column", "rewrite the cells in the column's format"),
    "outliers": ("Values far from what the other rows lead to expect", "check the values against their source"),
    "categories": ("Spellings that stand for another level", "write each level in one way"),
    "rules": ("Cells that contradict a rule between columns", "check the cells that break the rule"),
    "duplicates": ("Rows that stand more than once", "keep one row of each group"),
    "labels": ("Rows whose label is probably wrong", "look at the surest rows and correct their label"),
    "leakage": ("Columns or rows that give the target away", "leave it out of the model"),
    "drift": ("Columns that moved away from the reference", "find out what changed at the source"),
}
ARMS = {
    "deployed": ("Repair at both", "rows are repaired alike for training and at serving: the gain in use"),
    "training": ("For training alone", "what training on repaired rows adds, judged on repaired rows"),
    "serving": ("At serving alone", "what repairing rows at serving adds to a model trained on repaired rows"),
}
_SCORERS = {
    "r2": "R²",
    "d2_absolute_error_score": "D² (absolute error)",
    "roc_auc": "ROC AUC",
    "roc_auc_ovr": "ROC AUC (one against the rest)",
    "roc_auc_ovo": "ROC AUC (one against one)",
    "f1": "F1",
    "neg_root_mean_squared_error": "root mean squared error",
    "neg_mean_absolute_error": "mean absolute error",
}
_AVERAGES = ("macro", "micro", "weighted", "samples")
UNSEEN = "\N{REPLACEMENT CHARACTER}"


class Name(str):
    """A column's name inside a sentence."""


class Figure(str):
    """A number inside a sentence."""


def name_of(column, limit=60):
    """The name of a column, made fit to print: no control characters, at most `limit` characters.

    >>> str(name_of("a\\x1b[31mb")), str(name_of("x" * 100, limit=8))
    ('a\N{REPLACEMENT CHARACTER}[31mb', 'xxxxxxx…')
    """
    text = "".join(letter if letter.isprintable() else UNSEEN for letter in str(column))
    return Name(text if len(text) <= limit else text[: limit - 1] + "…")


def sentence(text, limit=300):
    """A message, made fit to print on one line, of at most `limit` characters.

    >>> sentence("one\\ntwo\\x07"), sentence("x" * 100, limit=8)
    ('one two\N{REPLACEMENT CHARACTER}', 'xxxxxxx…')
    """
    return str(name_of(" ".join(str(text).split()), limit))


def plain(phrase):
    """A phrase as plain text, column names in backticks.

    >>> plain(("Repair ", Name("age"), " now."))
    'Repair `age` now.'
    """
    return "".join(f"`{part}`" if isinstance(part, Name) else part for part in phrase)


def listed(names, limit=3):
    """A phrase that names the first `limit` columns and counts the rest.

    >>> plain(listed(["a", "b"])), plain(listed(["a", "b", "c", "d", "e"]))
    ('`a` and `b`', '`a`, `b`, `c` and 2 more columns')
    """
    shown = [name_of(name) for name in names[:limit]]
    rest = len(names) - len(shown)
    last = (f"{rest} more columns",) if rest else (shown.pop(),)
    between = [part for name in shown for part in (name, ", ")][:-1]
    return (*between, " and ", *last) if between else last


def several(count, one, many=None):
    """A count with its noun.

    >>> several(1, "row"), several(1234, "row"), several(2, "class", "classes")
    ('1 row', '1,234 rows', '2 classes')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def percent(share):
    """A share in [0, 1] as a person says it.

    >>> percent(0), percent(0.0002), percent(0.034), percent(0.771), percent(1)
    ('0%', '<0.1%', '3.4%', '77%', '100%')
    """
    if 0 < share < 0.001:
        return "<0.1%"
    if 0.999 < share < 1:
        return ">99.9%"
    decimals = 1 if share < 0.095 or share > 0.99 else 0
    return f"{100 * share:.{decimals}f}".removesuffix(".0") + "%"


def amount(value):
    """A number of any size in three figures (years keep four), never the recorded one to its last digit.

    >>> [amount(value) for value in (0.0, 31.25, 1987, 1234567.8, -0.00012345, 1e30)]
    ['0', '31.2', '1987', '1,230,000', '-0.000123', '1e+30']
    """
    if value is None or not isfinite(value):
        return "unknown"
    if value == 0:
        return "0"
    size = floor(log10(abs(value)))
    if not -5 < size < 9:
        return f"{value:.3g}"
    figures = 3 if size == 3 else 2
    rounded, places = round(value, figures - size), max(0, figures - size)
    text = f"{rounded:,.{places}f}" if abs(rounded) >= 10_000 else f"{rounded:.{places}f}"
    return text.rstrip("0").rstrip(".") if places else text


def decimals(low, high):
    """Decimals that an interval deserves: its half width keeps one figure, or two where the first is 1.

    >>> decimals(0.79, 0.83), decimals(0.004, 0.020), decimals(0.801, 0.823), decimals(-900, 700)
    (2, 3, 3, 0)
    """
    half = (high - low) / 2
    if not isfinite(half) or half <= 0:
        return 3
    size = floor(log10(half) + 1e-9)
    return min(max(-size + (half < 2 * 10**size * (1 - 1e-9)), 0), 6)


class Scale:
    """How scores and gains of one scorer are written.

    Scorers that scikit-learn turns round (``neg_...``) are turned back for reading; a gain above zero is
    always better.

    Examples
    --------
    >>> Scale("roc_auc").name, Scale("f1_macro").name, Scale("neg_log_loss").name, Scale(None).name
    ('ROC AUC', 'F1 (macro)', 'log loss', 'score')
    """

    def __init__(self, scoring):
        text = sentence(scoring or "score")
        self.turned = text.startswith("neg_")
        self.name = _SCORERS.get(text) or _scorer_name(text.removeprefix("neg_"))

    def score(self, value, low, high, places=None):
        """Score and interval: ``0.81 [0.79, 0.83]``.

        >>> Scale("accuracy").score(0.812, 0.79, 0.83), Scale("neg_mean_absolute_error").score(-3.2, -3.5, -2.9)
        ('0.81 [0.79, 0.83]', '3.2 [2.9, 3.5]')
        """
        if self.turned:
            value, low, high = -value, -high, -low
        places = decimals(low, high) if places is None else places
        if not (isfinite(low) and isfinite(high)):
            return f"{_fixed(value, places)} (no interval)"
        return f"{_fixed(value, places)} [{_fixed(low, places)}, {_fixed(high, places)}]"

    def gain(self, estimate, unit=False, places=None, sign=True):
        """Gain and interval: ``+0.012 [+0.004, +0.020]``, with the scorer's name where `unit`."""
        places = decimals(estimate.low, estimate.high) if places is None else places
        value, low, high = (_fixed(one, places, sign) for one in (estimate.expected, estimate.low, estimate.high))
        return f"{value}{f' {self.unit}' if unit else ''} [{low}, {high}]"

    @property
    def unit(self):
        """What a gain is counted in; less of it where the scorer is turned round."""
        return f"less {self.name}" if self.turned else self.name


def _scorer_name(text):
    words = text.split("_")
    average = f" ({words.pop()})" if len(words) > 1 and words[-1] in _AVERAGES else ""
    name = _SCORERS.get("_".join(words)) or " ".join(words)
    return name + average


def _fixed(value, places, sign=False):
    if not isfinite(value):
        return "?"
    text = f"{value:{'+' if sign else ''},.{places}f}"
    is_zero = not text.strip("+-0.,")
    return text.lstrip("+-") if is_zero else text
