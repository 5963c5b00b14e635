"""Conditions such as ``gain > 0.01 or leaks > 0``, read by hand and never evaluated as code."""

import operator
import re
from difflib import get_close_matches

from dqops.errors import OptionError

_TOKEN = re.compile(r"\s*(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?%?)|(?P<compare>>=|<=|==|>|<)|(?P<word>[A-Za-z_][\w.]*)|(?P<bracket>[()]))")
_COMPARE = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le, "==": operator.eq}
_FORM = "a condition such as 'gain > 0.01' or 'leaks > 0 or score < 0.8'"


def holds(text, figures):
    """Whether the condition holds.

    Parameters
    ----------
    text : str
        Comparisons of a name with a number, joined by ``and``, ``or`` and brackets; ``1%`` is 0.01.
    figures : dict of float
        What the names stand for; a figure that is None holds in no comparison.

    Returns
    -------
    bool

    Raises
    ------
    OptionError
        When the text is no condition, with the nearest name that exists.

    Examples
    --------
    >>> holds("gain > 1% and (leaks > 0 or score < 0.9)", {"gain": 0.02, "leaks": 0, "score": 0.8})
    True
    """
    parser = _Parser(text, figures)
    value = parser.either()
    if parser.rest():
        raise OptionError("condition", text, _FORM)
    return value


class _Parser:
    """Reads from left to right: or binds weakest, then and, then brackets."""

    def __init__(self, text, figures):
        self.text, self.figures, self.place = text, figures, 0
        self.tokens = list(self._split())

    def _split(self):
        start = 0
        while self.text[start:].strip():
            found = _TOKEN.match(self.text, start)
            if not found:
                raise OptionError("condition", self.text, _FORM)
            yield found.lastgroup, found.group(found.lastgroup)
            start = found.end()

    def rest(self):
        return self.tokens[self.place :]

    def either(self):
        value = self.both()
        while self._word("or"):
            value = self.both() or value
        return value

    def both(self):
        value = self.one()
        while self._word("and"):
            value = self.one() and value
        return value

    def one(self):
        sort, text = self._next()
        if text == "(":
            value = self.either()
            if self._next()[1] != ")":
                raise OptionError("condition", self.text, "a closing bracket")
            return value
        if sort != "word":
            raise OptionError("condition", self.text, _FORM)
        return self._compared(text)

    def _compared(self, name):
        if name not in self.figures:
            near = get_close_matches(name, self.figures, n=1)
            hint = f", such as {near[0]!r}" if near else ""
            raise OptionError("condition", self.text, f"names among {', '.join(self.figures)}{hint}")
        (sort, sign), (number_sort, number) = self._next(), self._next()
        if sort != "compare" or number_sort != "number":
            raise OptionError("condition", self.text, _FORM)
        bound = float(number.rstrip("%")) / (100 if number.endswith("%") else 1)
        figure = self.figures[name]
        return figure is not None and _COMPARE[sign](figure, bound)

    def _word(self, word):
        if self.rest() and self.rest()[0] == ("word", word):
            self.place += 1
            return True
        return False

    def _next(self):
        if not self.rest():
            raise OptionError("condition", self.text, _FORM)
        self.place += 1
        return self.tokens[self.place - 1]
