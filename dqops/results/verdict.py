"""A verdict: which checks a table passed, and every row that failed one."""

import json
from dataclasses import dataclass

import polars as pl

# What XML escapes, and what it may not hold.
_XML = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;"}
_XML |= dict.fromkeys([*(set(range(32)) - set(b"\t\n")), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], "")


@dataclass(frozen=True)
class CheckOutcome:
    """What one check came to.

    Parameters
    ----------
    column : str or None
        None where the table as a whole was checked.
    check : str
        As in the schema: ``in_range(0, 5)``, ``not null``, ``unique``, ``dtype Int64``.
    count : int
        Rows that failed; 0 too where the column as a whole failed.
    passed : bool
    remark : str
        What failed where it is not a matter of rows.
    """

    column: str | None
    check: str
    count: int
    passed: bool
    remark: str = ""


@dataclass(frozen=True, eq=False)
class Verdict:
    """Which checks a table passed, and every row that failed one.

    Parameters
    ----------
    table, schema : str
        What was checked against what.
    n_rows : int
    checks : tuple of CheckOutcome
    failures : polars.DataFrame
        A line a failing cell: row (its id), column, check, value (recorded text). Where a check fails as a whole
        there is one line with row null.

    Examples
    --------
    >>> verdict = Verdict("a.csv", "a.yaml", 3, (CheckOutcome("age", "not null", 0, True),), pl.DataFrame())
    >>> verdict.passed
    True
    >>> print(verdict)
    a.csv keeps a.yaml: 1 check passed on 3 rows
    """

    table: str
    schema: str
    n_rows: int
    checks: tuple[CheckOutcome, ...]
    failures: pl.DataFrame

    @property
    def passed(self):
        """Whether every check passed."""
        return all(one.passed for one in self.checks)

    @property
    def failed_rows(self):
        """Distinct ids of the rows that failed a check."""
        if "row" not in self.failures.columns:
            return pl.Series("row", [], dtype=pl.Int64)
        return self.failures["row"].drop_nulls().unique(maintain_order=True)

    @property
    def remarks(self):
        """A sentence for each check that failed as a whole."""
        return tuple(f"{_place(one)}: {one.remark or 'fails'} ({one.check})" for one in self.checks if not one.passed and not one.count)

    def to_frame(self):
        """The failures: row, column, check, value."""
        return self.failures

    def to_dict(self):
        """As its JSON has it: every failing row id, no values."""
        rows = {
            (column, check): part["row"].drop_nulls().to_list()
            for (column, check), part in self.failures.group_by("column", "check", maintain_order=True)
        } if self.failures.height else {}
        checks = [
            {
                "column": one.column,
                "check": one.check,
                "passed": one.passed,
                "count": one.count,
                "rows": rows.get((one.column, one.check), []),
                "remark": one.remark,
            }
            for one in self.checks
        ]
        return {
            "schema_version": "1.0",
            "data": {"name": self.table, "rows": self.n_rows},
            "schema": self.schema,
            "passed": self.passed,
            "failed_rows": len(self.failed_rows),
            "checks": checks,
        }

    def to_json(self):
        """The verdict as JSON text: every failing row id, no values."""
        told = self.to_dict()
        checks = ",\n  ".join(json.dumps(one, ensure_ascii=False) for one in told.pop("checks"))
        head = json.dumps(told, ensure_ascii=False, indent=1)
        return f'{head[:-2]},\n "checks": [\n  {checks}\n ]\n}}\n'

    def to_junit(self):
        """The verdict as JUnit XML: a test case a check, all failing row ids in its text, no values."""
        told = self.to_dict()["checks"]
        failed = sum(not one["passed"] for one in told)
        counts = f'tests="{len(told)}" failures="{failed}"'
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="dqops validate" {counts}>']
        lines.append(f'  <testsuite name="{_escaped(self.table)}" {counts} errors="0" skipped="0">')
        for one in told:
            case = f'    <testcase classname="{_escaped(one["column"] or "table")}" name="{_escaped(one["check"])}"'
            if one["passed"]:
                lines.append(f"{case}/>")
                continue
            message = one["remark"] or f"{one['count']} of {self.n_rows} rows fail"
            ids = _escaped(" ".join(map(str, one["rows"])))
            lines.append(f'{case}><failure message="{_escaped(message)}">{ids}</failure></testcase>')
        return "\n".join([*lines, "  </testsuite>", "</testsuites>"]) + "\n"

    def __str__(self):
        number = f"{len(self.checks)} check{'s' if len(self.checks) != 1 else ''}"
        if self.passed:
            return f"{self.table} keeps {self.schema}: {number} passed on {self.n_rows} rows"
        failed = [one for one in self.checks if not one.passed]
        lines = [f"{self.table} breaks {self.schema}: {len(failed)} of {number} failed, {len(self.failed_rows)} of {self.n_rows} rows"]
        lines += [f"  {_place(one)}: {one.check}: {one.remark or f'{one.count} rows'}" for one in failed]
        return "\n".join(lines)


def _place(outcome):
    return "the table" if outcome.column is None else repr(outcome.column)


def _escaped(text):
    return str(text).translate(_XML)
