"""Schemas: inferred, written, loaded, checked against every cell."""

import datetime as dt
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa_pandas
import pandera.polars as pa
import polars as pl
import pytest
from click.testing import CliRunner

from dqops.cli.schema import schema as schema_command
from dqops.cli.schema import validate as validate_command
from dqops.errors import DataError, OptionError, SourceError
from dqops.schema import Schema, infer_schema, load_schema, schema_findings, validate
from dqops.tables.io import read

CSV = """id,age,size,sex,code,when,note
a1,31,1.5,m,AB-1,2020-01-01,fine
a2,42,,f,AB-22,2020-01-02,
a3,?,2.5,f,CD-3,2020-01-03,well then
a4,-5,12.5,x,??,soon,fine
a4,42,2.0,,EF-4,2020-01-05,fine
"""
SHIPPED = Path(__file__).parents[1] / "datasets"
BOTH = pytest.mark.parametrize("api", [pa, pa_pandas], ids=["polars", "pandas"])


@pytest.fixture
def table(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    return read(tmp_path / "a.csv")


def strict_schema(api):
    column, check = api.Column, api.Check
    return api.DataFrameSchema(
        {
            "id": column(str, unique=True),
            "age": column(int, check.in_range(0, 120), nullable=True),
            "size": column(float, check.lt(10)),
            "sex": column(str, check.isin(["m", "f"])),
            "code": column(str, check.str_matches("^[A-Z]{2}-[0-9]+$")),
        }
    )


def failing(verdict):
    """{(column, check): row ids}, failed checks only."""
    rows = {}
    for row, column, check, _ in verdict.failures.rows():
        rows.setdefault((column, check.split("(")[0]), []).append(row)
    return rows


# ---- checking ----


@BOTH
def test_every_failing_row_of_every_check_is_told(table, api):
    verdict = validate(table, strict_schema(api))
    assert not verdict.passed
    assert failing(verdict) == {
        ("id", "unique"): [3, 4],
        ("age", "dtype Int64"): [2],
        ("age", "in_range"): [3],
        ("size", "not null"): [1],
        ("size", "less_than"): [3],
        ("sex", "not null"): [4],
        ("sex", "isin"): [3],
        ("code", "str_matches"): [3],
    }
    assert verdict.failures.filter(pl.col("column") == "age")["value"].to_list() == ["?", "-5"]
    assert sorted(verdict.failed_rows) == [1, 2, 3, 4]


@BOTH
def test_row_ids_cross_the_border_and_positions_do_not(tmp_path, api):
    frame = pd.DataFrame({"k": ["x", "y", "z"], "a": [1.0, np.nan, 9.0]}, index=[30, 10, 20])
    schema = api.DataFrameSchema({"a": api.Column(float, api.Check.le(5))})
    assert failing(validate(read(frame), schema)) == {("a", "not null"): [10], ("a", "less_than_or_equal_to"): [20]}
    keyed = read(frame, key="k")
    assert keyed.row_ids.to_list() == ["x", "y", "z"]
    assert failing(validate(keyed, schema)) == {("a", "not null"): ["y"], ("a", "less_than_or_equal_to"): ["z"]}
    parts = read(frame).take([2, 0])
    assert failing(validate(parts, schema)) == {("a", "less_than_or_equal_to"): [20]}


@BOTH
def test_all_rows_are_checked_and_named_not_the_first_few(api):
    numbers = np.arange(5000)
    table = read(pl.DataFrame({"a": numbers, "b": ["x"] * 5000}))
    schema = api.DataFrameSchema({"a": api.Column(int, api.Check.lt(1000)), "b": api.Column(str, unique=True)})
    verdict = validate(table, schema)
    assert failing(verdict)["a", "less_than"] == list(range(1000, 5000))
    assert failing(verdict)["b", "unique"] == list(range(5000))
    told = {(one["column"], one["check"]): one["rows"] for one in json.loads(verdict.to_json())["checks"]}
    assert told["a", "less_than(1000)"] == list(range(1000, 5000))


@BOTH
def test_missing_cells_fail_only_not_null(api):
    table = read(pl.DataFrame({"a": [1, None, 9], "b": [None, "x", None]}))
    column, check = api.Column, api.Check
    allowed = api.DataFrameSchema(
        {"a": column(int, [check.isin([1]), check.gt(0)], nullable=True), "b": column(str, check.str_length(1, 1), nullable=True, unique=True)}
    )
    assert failing(validate(table, allowed)) == {("a", "isin"): [2]}
    forbidden = api.DataFrameSchema({"a": column(int), "b": column(str, unique=True)})
    assert failing(validate(table, forbidden)) == {("a", "not null"): [1], ("b", "not null"): [0, 2]}


@BOTH
def test_rules_of_the_table_as_a_whole(api):
    table = read(pl.DataFrame({"b": [1, 1, 2, None], "a": ["x", "x", "x", None], "c": [1, 2, 3, 4]}))
    schema = api.DataFrameSchema(
        {"a": api.Column(nullable=True), "b": api.Column(nullable=True), "z": api.Column(int), "y": api.Column(int, required=False)},
        unique=["a", "b"],
        strict=True,
        ordered=True,
    )
    verdict = validate(table, schema)
    failed = {one.check: (one.count, one.remark) for one in verdict.checks if not one.passed}
    assert failed == {
        "column present": (0, "the table has no such column"),
        "unique together (a, b)": (2, ""),
        "no other columns": (0, "1 columns are not in the schema: 'c'"),
        "order of columns": (0, "the columns stand in another order"),
    }
    assert len(verdict.remarks) == 3
    assert verdict.failures.filter(pl.col("row").is_null()).height == 3


def test_checks_that_are_functions():
    table = read(pd.DataFrame({"a": [1, 2, 30], "b": [5, 1, 40]}))
    for_pandas = pa_pandas.DataFrameSchema(
        {"a": pa_pandas.Column(int, [pa_pandas.Check(lambda a: a < 10, error="small"), pa_pandas.Check(lambda a: a.sum() < 10, error="sum")])},
        checks=pa_pandas.Check(lambda frame: frame["a"] < frame["b"], error="a below b"),
    )
    for_polars = pa.DataFrameSchema(
        {
            "a": pa.Column(
                int,
                [
                    pa.Check(lambda data: data.lazyframe.select(pl.col(data.key) < 10), error="small"),
                    pa.Check(lambda data: data.lazyframe.select(pl.col(data.key).sum() < 10), error="sum"),
                ],
            )
        },
        checks=pa.Check(lambda data: data.lazyframe.select(pl.col("a") < pl.col("b")), error="a below b"),
    )
    for schema in (for_pandas, for_polars):
        assert failing(validate(table, schema)) == {("a", "small"): [2], ("a", "sum"): [None], (None, "a below b"): [1]}
        assert validate(table, schema).remarks == ("'a': the column as a whole fails (sum)",)


@BOTH
def test_checks_that_cannot_be_made_are_told(api):
    table = read(pl.DataFrame({"a": ["x", "y"], "b": [1, 2]}))
    schema = api.DataFrameSchema(
        {"a": api.Column(None, api.Check.gt(3)), "b": api.Column(int, api.Check(lambda data: 1 / 0, error="mine"))}
    )
    verdict = validate(table, schema)
    assert [one.passed for one in verdict.checks if one.check in ("greater_than(3)", "mine")] == [False, False]
    assert all("cannot be made here" in said for said in verdict.remarks)


def test_checks_of_one_name_are_told_apart():
    table = read(pl.DataFrame({"a": [1, 20, 300]}))
    below = [pa.Check(lambda data, limit=limit: data.lazyframe.select(pl.col(data.key) < limit), error="below") for limit in (10, 100)]
    verdict = validate(table, pa.DataFrameSchema({"a": pa.Column(int, below)}))
    assert failing(verdict) == {("a", "below"): [1, 2], ("a", "below #2"): [2]}


def test_dtypes_are_checked_cell_by_cell(tmp_path):
    (tmp_path / "a.csv").write_text("whole,number,truth,day,zip,wide\n1,1.5,true,2020-01-01,007,1\n2.5,x,maybe,2020-13-01,08,2\n3.0,inf,0,2020-02-01 10:00,x,3\n")
    table = read(tmp_path / "a.csv")
    schema = pa.DataFrameSchema(
        {
            "whole": pa.Column(pl.Int64),
            "number": pa.Column(pl.Float64),
            "truth": pa.Column(pl.Boolean),
            "day": pa.Column(pl.Datetime("us")),
            "zip": pa.Column(pl.String, pa.Check.str_length(2, 3)),
            "wide": pa.Column(pl.Int8),
        }
    )
    assert failing(validate(table, schema)) == {
        ("whole", "dtype Int64"): [1],
        ("number", "dtype Float64"): [1],
        ("truth", "dtype Boolean"): [1],
        ("day", "dtype Datetime"): [1],
        ("zip", "str_length"): [2],
    }


def test_a_source_with_types_of_its_own_is_held_to_them():
    table = read(pl.DataFrame({"a": ["1", "x"], "b": [1, 2], "c": [1.0, 2.0]}))
    schema = {"a": pa.Column(pl.Int64), "b": pa.Column(pl.String), "c": pa.Column(pl.Int64)}
    verdict = validate(table, pa.DataFrameSchema(schema))
    assert failing(verdict) == {("a", "dtype Int64"): [None], ("a", "cells of Int64"): [1], ("b", "dtype String"): [None]}
    coerced = validate(table, pa.DataFrameSchema(schema, coerce=True))
    assert failing(coerced) == {("a", "dtype Int64"): [1]}


def test_names_may_be_patterns_and_models_may_be_given():
    class Model(pa.DataFrameModel):
        a: int = pa.Field(gt=1)

    table = read(pl.DataFrame({"a": [1, 2], "x1": [1, 5], "x2": [7, 1]}))
    assert failing(validate(table, Model)) == {("a", "greater_than"): [0]}
    schema = pa.DataFrameSchema({"x[0-9]": pa.Column(int, pa.Check.lt(3), regex=True), "q.*": pa.Column(int, regex=True)})
    assert failing(validate(table, schema)) == {("x1", "less_than"): [1], ("x2", "less_than"): [0], ("q.*", "column present"): [None]}
    with pytest.raises(OptionError, match="pandera schema"):
        validate(table, 3)


@BOTH
def test_empty_tables_one_row_and_columns_without_cells(api):
    schema = api.DataFrameSchema({"a": api.Column(float, api.Check.lt(1), unique=True)})
    assert validate(read(pl.DataFrame({"a": pl.Series([], dtype=pl.Float64)})), schema).passed
    assert failing(validate(read(pl.DataFrame({"a": [2.0]})), schema)) == {("a", "less_than"): [0]}
    assert failing(validate(read(pl.DataFrame({"a": [None, None]})), schema)) == {("a", "not null"): [0, 1]}


# ---- findings ----


@BOTH
def test_what_breaks_the_schema_becomes_findings(table, api):
    findings = schema_findings(table, strict_schema(api))
    found = {one.id: (one.rows.to_list(), one.scores.tolist()) for one in findings}
    assert found == {
        "rules:id": ([3, 4], [0.5, 0.5]),
        "rules:age": ([2, 3], [1.0, 1.0]),
        "rules:size": ([1, 3], [1.0, 1.0]),
        "rules:sex": ([3, 4], [1.0, 1.0]),
        "rules:code": ([3], [1.0]),
    }
    assert findings["rules:age"].why.tolist() == ["breaks the schema check dtype Int64", "breaks the schema check in_range"]
    assert findings["rules:age"].values.to_list() == ["?", "-5"]
    assert findings.to_cells().height == 9
    together = api.DataFrameSchema({"id": api.Column(), "age": api.Column(nullable=True)}, unique=["id"])
    assert [one.id for one in schema_findings(table, together)] == ["rules:rows"]
    assert len(schema_findings(table, api.DataFrameSchema({"nowhere": api.Column(int)}))) == 0


# ---- inferring and writing ----


def test_a_schema_says_what_a_person_would_read(tmp_path):
    rows = "".join(f"{n},{n % 3},{n / 4 + 20},{'mf'[n % 2]},AB-{n % 70},{n % 7 - 3},word {n}\n" for n in range(200))
    (tmp_path / "a.csv").write_text("id,class,size,sex,code,delta,text\n" + rows + "200,x,twelve,,?,1,\n")
    table = read(tmp_path / "a.csv", key="id")
    columns = infer_schema(table).pandera.columns
    dtypes = {name: str(one.dtype) for name, one in columns.items()}
    assert dtypes == {"id": "Int64", "class": "Int64", "size": "Float64", "sex": "String", "code": "String", "delta": "Int64", "text": "String"}
    checks = {name: [check.error for check in one.checks] for name, one in columns.items()}
    assert checks["class"] == ["isin([0, 1, 2])"]
    assert checks["size"] == ["in_range(20.0, 69.75)"]
    assert checks["sex"] == ["isin(['f', 'm'])"]
    assert checks["code"] == ["str_matches('^[A-Z]{2}-[0-9]{1,2}$')"]
    assert [name for name, one in columns.items() if one.nullable] == ["sex", "text"]
    assert columns["id"].unique
    verdict = validate(table, infer_schema(table))
    expected = {("class", "dtype Int64"): [200], ("size", "dtype Float64"): [200], ("code", "str_matches"): [200]}
    assert failing(verdict) == expected


def test_codes_for_missing_do_not_stretch_a_range(tmp_path):
    (tmp_path / "a.csv").write_text("a\n" + "".join(f"{n % 40}.5\n" for n in range(200)) + "-9999999\n")
    table = read(tmp_path / "a.csv")
    assert infer_schema(table).pandera.columns["a"].checks[0].error == "in_range(0.5, 39.5)"
    assert failing(validate(table, infer_schema(table))) == {("a", "in_range"): [200]}


@pytest.mark.parametrize(("name", "column"), [("titanic", "sex"), ("penguins", "Sex")])
def test_inferred_schemas_hold_where_they_come_from_and_survive_writing(name, column, tmp_path):
    table = read(SHIPPED / name / f"{name}.csv")
    schema = infer_schema(table)
    assert validate(table, schema).passed
    (tmp_path / "s.yaml").write_text(schema.to_yaml())
    (tmp_path / "s.py").write_text(schema.to_python())
    (tmp_path / "s.json").write_text(schema.pandera.to_json())
    worse = table.with_columns(table.frame[column].str.replace("^[mM]", "?"))
    expected = validate(worse, schema)
    assert not expected.passed
    for file in ("s.yaml", "s.json", "s.py"):
        again = load_schema(tmp_path / file, allow_python=True)
        assert validate(worse, again).failures.equals(expected.failures), file


def test_every_dtype_survives_writing(tmp_path):
    day, moment = dt.date(2020, 1, 1), dt.datetime(2020, 1, 1, 12, 30, 15, 123456)
    frame = pl.DataFrame(
        {
            "day": [day, day + dt.timedelta(days=3), None],
            "moment": [moment, moment + dt.timedelta(seconds=1), None],
            "truth": [True, False, None],
            "small": pl.Series([1, 2, 3], dtype=pl.UInt8),
            "wide": [2**60, -(2**60), 0],
            "odd": [float("inf"), 1e300, None],
            "empty": [None, None, None],
            "quote": ['say "x"', "it's", "a\nb: - #"],
            'name "x": # y': ["yes", "no", "null"],
        }
    )
    table = read(frame)
    schema = infer_schema(table)
    verdict = validate(table, schema)
    assert failing(verdict) == {("odd", "in_range"): [0]}
    (tmp_path / "s.yaml").write_text(schema.to_yaml())
    (tmp_path / "s.py").write_text(schema.to_python())
    for file in ("s.yaml", "s.py"):
        assert failing(validate(table, load_schema(tmp_path / file, allow_python=True))) == failing(verdict), file


def test_schemas_of_pandas_are_read_and_written(tmp_path, table):
    schema = strict_schema(pa_pandas)
    (tmp_path / "s.yaml").write_text(schema.to_yaml())
    loaded = load_schema(tmp_path / "s.yaml")
    assert loaded.for_pandas
    (tmp_path / "s.py").write_text(loaded.to_python())
    again = load_schema(tmp_path / "s.py", allow_python=True)
    expected = failing(validate(table, schema))
    assert failing(validate(table, loaded)) == failing(validate(table, again)) == expected


def test_a_check_that_is_a_function_cannot_be_written():
    schema = Schema(pa.DataFrameSchema({"a": pa.Column(int, pa.Check(lambda data: True, error="mine"))}))
    with pytest.raises(DataError, match="'mine' is a function"):
        schema.to_python()


# ---- bad files ----


def test_python_files_run_only_when_allowed(tmp_path):
    path = tmp_path / "s.py"
    path.write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    with pytest.raises(OptionError, match="allow-python"):
        load_schema(path)
    assert not (tmp_path / "ran").exists()
    with pytest.raises(SourceError, match="holds 0 schemas"):
        load_schema(path, allow_python=True)
    path.write_text("import nowhere_at_all\n")
    with pytest.raises(SourceError, match="does not run"):
        load_schema(path, allow_python=True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "lists no columns"),
        ("a: [1, 2", "no YAML"),
        ("- 1\n- 2\n", "lists no columns"),
        ("!!python/object/apply:os.system ['true']", "no YAML"),
        ("columns:\n  a:\n    dtype: nonsense\n", "pandera cannot take it"),
        ("schema_type: polars_dataframe\ncolumns:\n  a:\n    dtype: nonsense\n", "pandera cannot take it"),
        ("columns:\n  a: 3\n", "pandera cannot take it"),
        ("\x00\x01", "no YAML"),
    ],
)
def test_bad_schema_files_are_told_in_one_sentence(tmp_path, text, why):
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(SourceError, match=why) as caught:
        load_schema(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(SourceError, match="no such file"):
        load_schema(tmp_path / "absent.yaml")


# ---- verdicts and commands ----


def test_a_verdict_in_its_forms(table):
    verdict = validate(table, strict_schema(pa))
    told = json.loads(verdict.to_json())
    assert (told["passed"], told["failed_rows"], told["data"]) == (False, 4, {"name": "a.csv", "rows": 5})
    assert {"column": "id", "check": "unique", "passed": False, "count": 2, "rows": [3, 4], "remark": ""} in told["checks"]
    suite = ElementTree.fromstring(verdict.to_junit())
    cases = {(case.get("classname"), case.get("name")): case for case in suite.iter("testcase")}
    assert len(cases) == int(suite.get("tests")) == len(verdict.checks)
    assert cases["id", "unique"].find("failure").text == "3 4"
    assert len(list(suite.iter("failure"))) == int(suite.get("failures")) == 8
    assert "AB-1" not in verdict.to_json() + verdict.to_junit()
    assert verdict.to_frame().columns == ["row", "column", "check", "value"]
    assert str(verdict).startswith("a.csv breaks the schema: 8 of 14 checks failed, 4 of 5 rows")


def test_junit_holds_any_name():
    table = read(pl.DataFrame({'<a & "b">\x07': [1, 2]}, ))
    verdict = validate(table, pa.DataFrameSchema({'<a & "b">\x07': pa.Column(int, pa.Check.lt(2))}))
    suite = ElementTree.fromstring(verdict.to_junit())
    assert {case.get("classname") for case in suite.iter("testcase")} == {'<a & "b">'}


def test_commands_end_with_the_right_code(tmp_path):
    data, out, runner = tmp_path / "a.csv", tmp_path / "s.yaml", CliRunner()
    data.write_text("a,b\n" + "".join(f"{n % 4},x\n" for n in range(40)))
    assert runner.invoke(schema_command, [str(data), "--out", str(out)]).exit_code == 0
    shown = runner.invoke(schema_command, [str(data), "--format", "python"])
    assert "pa.Check.isin(allowed_values=[0, 1, 2, 3])" in shown.stdout
    good = runner.invoke(validate_command, [str(data), "--schema", str(out)])
    assert (good.exit_code, "keeps s.yaml" in good.stdout) == (0, True)
    data.write_text("a,b\n1,x\n9,x\n,y\n")
    junit = tmp_path / "j.xml"
    bad = runner.invoke(validate_command, [str(data), "--schema", str(out), "--json", "-", "--junit", str(junit)])
    assert bad.exit_code == 1
    assert json.loads(bad.stdout)["failed_rows"] == 2
    assert "breaks s.yaml" in bad.stderr
    assert ElementTree.parse(junit).getroot().get("failures") == "3"
