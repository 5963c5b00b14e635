"""What people wrote into a sheet, understood: marks, values in the type of their column, and what cannot be."""

from difflib import get_close_matches

import polars as pl

from dqops.errors import DataError
from dqops.tables.exact import dtype_name, texts_of, values_of
from dqops.tables.meaning import meaning_of

MARKS = {"right": "right as it is", "suggestion": "the suggestion", "empty": "nothing", "drop": "drop the row", "keep": "keep the row", "unknown": "cannot be told"}
_LITERAL = "[value]"
_FEW = 20  # distinct values of a target that are its labels
_BOOLEANS = {"true": "true", "yes": "true", "t": "true", "1": "true", "false": "false", "no": "false", "f": "false", "0": "false"}
_OF_ROWS = ("right", "keep", "drop", "unknown")
_OF_CELLS = ("right", "suggestion", "empty", "unknown")


class Understanding:
    """Reads answers about the doubts of one table.

    Parameters
    ----------
    table : Table
    doubts : polars.DataFrame
        What can be answered: row, column (null for whole rows), recorded, suggestion.
    """

    def __init__(self, table, doubts):
        self.table = table
        self._doubts = {(str(row), column): (row, recorded, suggestion) for row, column, recorded, suggestion in doubts.select("row", "column", "recorded", "suggestion").iter_rows()}
        ids = table.row_ids.to_list()
        self._rows = {str(row).strip(): row for row in ids} | {str(row): row for row in ids}
        self._numbers = _by_number(self._rows)
        self._held = {}

    def of(self, lines, reviewer):
        """The answers of these lines, and a sentence on each line that cannot be taken.

        Parameters
        ----------
        lines : list of dict
            line, row, column, answer, reviewer; text or None.
        reviewer : str
            Who answered where a line does not say.

        Returns
        -------
        answers : list of dict
            line, row (id), column, verdict (value, right, empty, drop, keep, unknown), value (text, null unless the
            verdict is value), who.
        problems : list of (int, str)
            Line and sentence.
        """
        answers, problems, seen = [], [], {}
        for line in lines:
            if line["row"] is None and line["column"] is None and line["answer"] is None:
                continue
            try:
                found = self._one(line, reviewer)
            except _Unusable as problem:
                problems.append((line["line"], str(problem)))
                continue
            if found is None:
                continue
            key = found["row"], found["column"], found["who"]
            said = found["verdict"], found["value"]
            if seen.setdefault(key, said) != said:
                problems.append((line["line"], f"{_place(*key[:2])} is answered twice by {found['who']!r}, differently"))
            else:
                answers.append(found)
        return answers, problems

    def _one(self, line, reviewer):
        row, column = self.row(line["row"]), line["column"]
        if column is not None and column not in self.table.columns:
            near = get_close_matches(column, self.table.columns, n=1)
            raise _Unusable(f"{column!r} is not a column of {self.table.name}" + (f"; did you mean {near[0]!r}?" if near else ""))
        if (str(row), column) not in self._doubts:
            raise _Unusable(f"{_place(row, column)} was not asked about")
        if line["answer"] is None:
            return None
        _, recorded, suggestion = self._doubts[str(row), column]
        verdict, value = self._said(line["answer"], row, column, recorded, suggestion)
        return {"line": line["line"], "row": row, "column": column, "verdict": verdict, "value": value, "who": line["reviewer"] or reviewer}

    def row(self, text):
        """The id that a text stands for; spreadsheets may have written 007 as 7, or 7 as 7.0."""
        if text in self._rows:
            return self._rows[text]
        found = self._numbers.get(_number(text)) if text is not None else None
        if found is None:
            raise _Unusable(f"row {text!r} is not in {self.table.name}" if text is not None else "the row is not named")
        return found

    def _said(self, text, row, column, recorded, suggestion):
        """Verdict and value of one answer."""
        mark = self._mark(text, column)
        if mark is None:
            literal = text.startswith(_LITERAL)
            value = text.removeprefix(_LITERAL).strip() if literal else text
            if column is None:
                raise _Unusable(f"{text!r} is no answer about a whole row; need one of {_listed(_OF_ROWS)}")
            value = self._typed(value, column, recorded, literal)
            return ("right", None) if value == recorded else ("value", value)
        if mark not in (_OF_ROWS if column is None else _OF_CELLS):
            raise _Unusable(f"[{mark}] is no answer about {_place(row, column)}; need one of {_listed(_OF_ROWS if column is None else _OF_CELLS)}" + ("" if column is None else ", or a value"))
        if mark == "suggestion":
            if suggestion is None:
                raise _Unusable(f"there is no suggestion for {_place(row, column)}; need a value")
            return "value", self._typed(suggestion, column, recorded, True)
        if mark == "empty" and recorded is None:
            return "right", None
        if column is None:
            return {"right": "keep"}.get(mark, mark), None
        return mark, None

    def _mark(self, text, column):
        """The mark that a text is, in brackets or, where the column holds no such word, without."""
        bare = text.casefold()
        if bare.startswith("[") and bare.endswith("]") and bare[1:-1].strip() in MARKS:
            return bare[1:-1].strip()
        if bare not in MARKS:
            return None
        if column is not None and bare in self._words(column):
            raise _Unusable(f"{text!r} is both a mark and a value of {column!r}; need [{bare}], or {_LITERAL} {text}")
        return bare

    def _words(self, column):
        """Distinct recorded texts of a column, in lower case."""
        if column not in self._held:
            cells = texts_of(self.table.raw[column])
            self._held[column] = set(cells.drop_nulls().unique().str.to_lowercase().to_list())
        return self._held[column]

    def _typed(self, value, column, recorded, literal):
        """The value as the column holds such."""
        cells = self.table.frame[column]
        if cells.dtype == pl.Boolean:
            return self._boolean(value, column)
        if not literal and column == self.table.roles.target:
            self._check_label(value, column)
        if cells.dtype.is_numeric():
            return self._number(value, column, cells.dtype, recorded)
        if cells.dtype == pl.String:
            kind = self.table.meanings[column].kind if column in self.table.meanings else "text"
            alone = pl.Series([value])
            if not literal and kind in ("number", "date") and meaning_of(column, alone, alone, kind).values.is_null()[0]:
                raise _Unusable(f"{value!r} is no {kind}, which {column!r} holds")
            return value
        if cells.dtype in (pl.Date, pl.Datetime):
            return self._moment(value, column, cells.dtype)
        if values_of(pl.Series([value]), cells.dtype).is_null()[0]:
            raise _Unusable(f"{value!r} cannot stand in {column!r}, which holds {dtype_name(cells.dtype)}")
        return value

    def _moment(self, value, column, dtype):
        """A date or time of day, however a person writes it, as the table writes it."""
        alone = pl.Series([value])
        read = values_of(alone, dtype)
        if read.is_null()[0]:
            read = meaning_of(column, alone, alone, "date").values.cast(dtype, strict=False)
        if read.is_null()[0]:
            raise _Unusable(f"{value!r} cannot stand in {column!r}, which holds {'dates' if dtype == pl.Date else 'dates and times'}")
        return texts_of(read)[0]

    def _number(self, value, column, dtype, recorded):
        number = _number(value)
        if number is None or number != number or (dtype.is_integer() and number != int(number)):
            raise _Unusable(f"{value!r} cannot stand in {column!r}, which holds {'whole numbers' if dtype.is_integer() else 'numbers'}")
        if recorded is not None and _number(recorded) == number:
            return recorded
        text = str(int(number)) if dtype.is_integer() else value
        if pl.Series([text]).cast(dtype, strict=False).is_null()[0]:
            raise _Unusable(f"{value!r} cannot stand in {column!r}, which holds {dtype_name(dtype)}")
        return text

    def _boolean(self, value, column):
        said = _BOOLEANS.get(value.casefold())
        if said is None:
            raise _Unusable(f"{value!r} cannot stand in {column!r}, which holds true and false")
        if self.table.raw[column].dtype != pl.String:
            return said
        spelled = self.table.raw[column].filter(self.table.frame[column] == (said == "true")).drop_nulls()
        return spelled[0] if len(spelled) else said

    def _check_label(self, value, column):
        cells = texts_of(self.table.raw[column]).drop_nulls()
        labels = cells.unique(maintain_order=True).to_list()
        number = _number(value)
        same = value in labels or (number is not None and any(_number(one) == number for one in labels[:_FEW]))
        if len(labels) <= _FEW and not same:
            near = get_close_matches(value, labels, n=1)
            raise _Unusable(f"{value!r} is no label of {column!r}" + (f"; did you mean {near[0]!r}?" if near else "") + f" ({_LITERAL} {value} makes it one)")


class _Unusable(DataError):
    """A line that cannot be taken; its message says why."""

    def __init__(self, said):
        Exception.__init__(self, said)


def _by_number(rows):
    """Row ids by the number that their text is, where no other is the same."""
    found, twice = {}, set()
    for text, row in rows.items():
        number = _number(text)
        if number is None:
            continue
        if number in found:
            twice.add(number)
        found[number] = row
    return {number: row for number, row in found.items() if number not in twice}


def _number(text):
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _place(row, column):
    return f"row {row!r}" + ("" if column is None else f", column {column!r}")


def _listed(marks):
    return ", ".join(f"[{mark}]" for mark in marks)
