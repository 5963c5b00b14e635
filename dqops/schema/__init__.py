"""pandera, behind one file: infer a schema, load one, check every cell of a table against one.

A schema is checked cell by cell: where the recorded dtype is not that of the schema, the cells that cannot be read
as it fail, not the column. Numbers of any width stand for each other, and missing cells fail only ``not null``.
"""

import runpy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandera.pandas
import pandera.polars
import polars as pl
import yaml

from dqops.errors import DataError, OptionError, SourceError
from dqops.results.findings import Finding, Findings
from dqops.results.verdict import CheckOutcome, Verdict
from dqops.schema.checking import FAILS, first_line, outcomes
from dqops.tables.facts import column_facts
from dqops.tables.meaning import meaning_of

_SURE, _ONE_OF_TWO = 1.0, 0.5


@dataclass(frozen=True, eq=False)
class Schema:
    """A pandera schema, for polars or for pandas, and what to call it.

    Parameters
    ----------
    pandera : pandera.polars.DataFrameSchema or pandera.pandas.DataFrameSchema
    name : str
    """

    pandera: object
    name: str = "the schema"

    @property
    def columns(self):
        """Names of the columns that it speaks of."""
        return list(self.pandera.columns)

    @property
    def for_pandas(self):
        return isinstance(self.pandera, pandera.pandas.DataFrameSchema)

    def to_yaml(self):
        """The schema as YAML text, which pandera reads too."""
        return self.pandera.to_yaml()

    def to_python(self):
        """The schema as Python text: ``schema`` is a pandera schema.

        Raises
        ------
        DataError
            When a check is a function, which no text can hold.
        """
        flavour = "pandas" if self.for_pandas else "polars"
        lines = ["import datetime", "", f"import pandera.{flavour} as pa", *([] if self.for_pandas else ["import polars as pl"])]
        lines += ["", "schema = pa.DataFrameSchema(", "    {"]
        lines += [f"        {name!r}: {_column_text(column)}," for name, column in self.pandera.columns.items()]
        lines.append("    },")
        for option in ("strict", "ordered", "unique", "name", "title", "description"):
            if getattr(self.pandera, option, None):
                lines.append(f"    {option}={getattr(self.pandera, option)!r},")
        if self.pandera.checks:
            lines.append(f"    checks=[{', '.join(map(_check_text, self.pandera.checks))}],")
        text = "\n".join([*lines, ")"]) + "\n"
        return text if "datetime." in text.split("\n", 2)[2] else text.split("\n", 2)[2]

    def __repr__(self):
        return f"Schema({self.name}: {len(self.columns)} columns)"


def infer_schema(table):
    """The schema that a person would read from a table.

    A text column of which most cells are numbers is one of numbers. Columns of few levels list them, numbers have a
    range (codes for missing such as -9999999 left out), codes have a pattern, identifiers are unique. The table it
    comes from keeps it, but for the cells that are something else.

    Parameters
    ----------
    table : Table

    Returns
    -------
    Schema

    Examples
    --------
    >>> from dqops.tables.io import read
    >>> schema = infer_schema(read(pl.DataFrame({"a": [1, 2, None] * 10})))
    >>> schema.pandera.columns["a"].nullable
    True
    """
    meanings = {name: table.meanings[name] for name in table.searched}
    columns = {}
    for name in table.columns:
        meaning = meanings.get(name) or meaning_of(name, table.raw[name], table.frame[name])
        facts = column_facts(table.frame[name], meaning, is_key=name == table.roles.key)
        columns[name] = _column(table.frame[name], facts)
    return Schema(pandera.polars.DataFrameSchema(columns), f"the schema of {table.name}")


def load_schema(path, *, allow_python=False):
    """The schema that stands in a file of YAML or JSON, as pandera writes them.

    Parameters
    ----------
    path : path
    allow_python : bool, default False
        Also run a ``.py`` file and take the one schema in it. Python runs with your rights: know whose file it is.

    Raises
    ------
    SourceError
        When it holds no schema.
    OptionError
        When it is a Python file and `allow_python` is not set.
    """
    if not isinstance(path, str | Path):
        raise OptionError("schema", type(path).__name__, "the path of a pandera schema as YAML or JSON")
    path = Path(path)
    if not path.is_file():
        raise SourceError(path, "no such file", "a pandera schema as YAML or JSON")
    if path.suffix == ".py":
        if not allow_python:
            raise OptionError("schema", str(path), "YAML or JSON, or allow_python=True (--allow-python) to run the file")
        return _from_python(path)
    needed = "a pandera schema as YAML or JSON"
    try:
        text = path.read_text(encoding="utf-8-sig")
        said = yaml.safe_load(text)
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError, OSError) as cause:
        raise SourceError(path, f"it is no YAML or JSON ({first_line(cause)})", needed) from None
    if not isinstance(said, dict) or not isinstance(said.get("columns"), dict):
        raise SourceError(path, "it lists no columns", needed)
    for_polars = said.get("schema_type") == "polars_dataframe" or said.get("api") == "polars"
    kind = pandera.polars.DataFrameSchema if for_polars else pandera.pandas.DataFrameSchema
    try:
        return Schema(kind.from_yaml(text + "\n"), path.name)
    except FAILS as cause:
        raise SourceError(path, f"pandera cannot take it ({first_line(cause)})", needed) from None


def validate(table, schema):
    """Check all cells of a table, and tell every row that fails.

    Parameters
    ----------
    table : Table
    schema : Schema, path, or a pandera schema or model

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from dqops.tables.io import read
    >>> schema = pandera.polars.DataFrameSchema({"a": pandera.polars.Column(int, pandera.polars.Check.lt(5))})
    >>> print(validate(read(pl.DataFrame({"a": [1, 7, None]})), schema))
    the table breaks the schema: 2 of 3 checks failed, 2 of 3 rows
      'a': not null: 1 rows
      'a': less_than(5): 1 rows
    """
    return _verdict(table, _as_schema(schema))[0]


def schema_findings(table, schema):
    """What breaks the schema, as findings of kind ``rules``; one group a column that the table has.

    A cell that breaks a check is surely wrong by that schema; of cells that repeat where they must not, one is
    right. What fails as a whole is not among them: see `Verdict.remarks`.
    """
    verdict, positions = _verdict(table, _as_schema(schema))
    by_column = {}
    for (column, check), failing in positions.items():
        if len(failing):
            by_column.setdefault(column, {})[check] = failing
    return Findings(tuple(_finding(table, column, checks, verdict.schema) for column, checks in by_column.items()))


def _finding(table, column, checks, schema):
    """Cells of one column that break these checks, by the surest."""
    scores, codes = np.zeros(table.n_rows), np.zeros(table.n_rows, dtype=np.int32)
    for code, (check, failing) in enumerate(checks.items()):
        score = _ONE_OF_TWO if check.startswith("unique") else _SURE
        surer = failing[scores[failing] < score]
        scores[surer], codes[surer] = score, code
    rows = np.flatnonzero(scores)
    return Finding(
        kind="rules",
        column=column,
        positions=rows,
        rows=table.row_ids.gather(rows),
        scores=scores[rows],
        values=None if column is None else table.raw[column].gather(rows).cast(pl.String, strict=False),
        suggestions=None,
        reasons=tuple(f"breaks the schema check {check.split('(')[0].strip()}" for check in checks),
        reason_codes=codes[rows],
        related=None,
        message=f"{len(rows)} {'rows' if column is None else 'cells'} break the schema {schema}",
        n_rows=table.n_rows,
    )


def _verdict(table, schema):
    """The `Verdict`, and the failing row positions by (column, check)."""
    told, positions = [], {}
    for column, check, failing, remark in outcomes(table, schema.pandera):
        known = failing is not None
        told.append(CheckOutcome(column, check, len(failing) if known else 0, known and not len(failing), remark))
        positions[column, check] = failing if known else np.zeros(0, dtype=np.int64)
    parts = [_failures(table, one, positions[one.column, one.check]) for one in told if not one.passed]
    empty = {"row": table.row_ids.dtype, "column": pl.String, "check": pl.String, "value": pl.String}
    failures = pl.concat(parts) if parts else pl.DataFrame(schema=empty)
    return Verdict(table.name, schema.name, table.n_rows, tuple(told), failures), positions


def _failures(table, outcome, failing):
    as_a_whole = not len(failing)
    height = 1 if as_a_whole else len(failing)
    rows = pl.Series([None], dtype=table.row_ids.dtype) if as_a_whole else table.row_ids.gather(failing)
    values = pl.Series([None], dtype=pl.String).new_from_index(0, height)
    if not as_a_whole and outcome.column in table.columns:
        values = table.raw[outcome.column].gather(failing).cast(pl.String, strict=False)
    return pl.DataFrame(
        {
            "row": rows,
            "column": pl.Series([outcome.column], dtype=pl.String).new_from_index(0, height),
            "check": pl.Series([outcome.check]).new_from_index(0, height),
            "value": values,
        }
    )


def _column(cells, facts):
    """The pandera column that says these facts."""
    check, checks = pandera.polars.Check, []
    if facts.levels is not None:
        checks.append(check.isin(list(facts.levels)))
    if facts.low is not None:
        checks.append(check.in_range(facts.low, facts.high))
    if facts.pattern is not None:
        checks.append(check.str_matches(facts.pattern))
    coerce = facts.dtype != cells.dtype
    return pandera.polars.Column(facts.dtype, checks, nullable=facts.nullable, unique=facts.unique, coerce=coerce)


def _as_schema(schema):
    if isinstance(schema, Schema):
        return schema
    if isinstance(schema, (str, Path)):
        return load_schema(schema)
    if isinstance(schema, type) and hasattr(schema, "to_schema"):
        return Schema(schema.to_schema(), schema.__name__)
    if isinstance(schema, (pandera.pandas.DataFrameSchema, pandera.polars.DataFrameSchema)):
        return Schema(schema, schema.name or "the schema")
    raise OptionError("schema", type(schema).__name__, "a pandera schema for pandas or polars, or the path of one")


def _from_python(path):
    try:
        held = runpy.run_path(str(path))
    except (*FAILS, OSError) as cause:
        raise SourceError(path, f"it does not run ({type(cause).__name__}: {first_line(cause)})") from None
    kinds = (pandera.pandas.DataFrameSchema, pandera.polars.DataFrameSchema)
    schemas = [one for one in held.values() if isinstance(one, kinds)]
    if len(schemas) != 1:
        raise SourceError(path, f"it holds {len(schemas)} schemas", "one pandera.DataFrameSchema")
    return Schema(schemas[0], path.name)


def _column_text(column):
    options = [] if column.dtype is None else [_dtype_text(column.dtype)]
    if column.checks:
        options.append(f"checks=[{', '.join(map(_check_text, column.checks))}]")
    usual = {"nullable": False, "unique": False, "coerce": False, "required": True, "regex": False}
    options += [f"{name}={getattr(column, name)!r}" for name, value in usual.items() if getattr(column, name) != value]
    return f"pa.Column({', '.join(options)})"


def _dtype_text(dtype):
    own = getattr(dtype, "type", None)
    polars = isinstance(own, pl.DataType) or (isinstance(own, type) and issubclass(own, pl.DataType))
    return f"pl.{own}" if polars else repr(str(dtype))


def _check_text(check):
    if not check.statistics or not hasattr(pandera.polars.Check, check.name or ""):
        raise DataError(f"the check {check.error or check.name!r} is a function", "checks that text can hold")
    return f"pa.Check.{check.name}({', '.join(f'{name}={value!r}' for name, value in check.statistics.items())})"
