"""Reading: common sources, awkward sources, bad sources; row ids and roles."""

import bz2
import datetime as dt
import gzip
import io
import json
import lzma
import os
import sqlite3
import threading
import zipfile
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from dqops.errors import DqopsError, MissingExtraError, OptionError, SourceError, UnknownColumnError
from dqops.tables import databases
from dqops.tables.io import read

PEOPLE = pl.DataFrame({"name": ["Ann", "Bö", "C,d"], "age": [31, 42, 53], "height": [1.5, None, 1.7]})
ROWS = PEOPLE.rows()
TEXT = 'name,age,height\nAnn,31,1.5\nBö,42,\n"C,d",53,1.7\n'


def written(tmp_path, data, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def fails(error, source, code, *words, **options):
    """The call fails with one clear sentence that holds these words."""
    with pytest.raises(error) as caught:
        read(source, **options)
    said = str(caught.value)
    assert caught.value.exit_code == code
    assert "\n" not in said
    assert "Traceback" not in said
    for word in words:
        assert word in said
    return said


# ---- delimited text ----


@pytest.mark.parametrize("delimiter", list(",;\t|"))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"])
def test_any_common_dialect_and_encoding(tmp_path, delimiter, encoding):
    text = TEXT.replace("C,d", "\0").replace(",", delimiter).replace("\0", f"C{delimiter}d")
    table = read(written(tmp_path, text.encode(encoding)))
    assert table.frame.rows() == [*ROWS[:2], (f"C{delimiter}d", 53, 1.7)]
    assert len(table.warnings) == (encoding in ("latin-1", "cp1252"))


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_any_line_end_with_or_without_a_last_one(tmp_path, line_end):
    for text in (TEXT, TEXT.rstrip("\n"), "\n" + TEXT + "\n\n"):
        assert read(written(tmp_path, text.replace("\n", line_end))).frame.rows() == ROWS


@pytest.mark.parametrize("ending", ["gz", "zst", "bz2", "xz", "zip", ""])
def test_compressed_text_is_known_by_its_bytes(tmp_path, ending):
    data = TEXT.encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("people.csv", data)
    packed = {
        "gz": gzip.compress(data),
        "": gzip.compress(data),
        "zst": pa.compress(data, codec="zstd", asbytes=True),
        "bz2": bz2.compress(data),
        "xz": lzma.compress(data),
        "zip": archive.getvalue(),
    }
    assert read(written(tmp_path, packed[ending], f"a.csv.{ending}".rstrip("."))).frame.rows() == ROWS


def test_quotes_of_every_sort(tmp_path):
    cases = {
        'a,b\n"x ""y"" z",1\n"two\nlines",2\n': [('x "y" z', 1), ("two\nlines", 2)],
        'a,b\n5" pipe,1\n6" pipe,2\n': [('5" pipe', 1), ('6" pipe', 2)],
        "'a';'b'\n'x;y';'1'\n'z';'2'\n": [("x;y", 1), ("z", 2)],
        'a, "b"\n"x", "1,5"\n"y", "2,5"\n': [("x", "1,5"), ("y", "2,5")],
        'a,b\nit\'s,1\n"no, ""it"" is",2': [("it's", 1), ('no, "it" is', 2)],
        'a,b\n1,"say ""x"""': [(1, 'say "x"')],
    }
    for text, rows in cases.items():
        assert read(written(tmp_path, text)).frame.rows() == rows, text


def test_a_delimiter_inside_text_is_not_taken(tmp_path):
    text = "id;review\n" + "".join(f"{n};fine, but; no, {n}\n" if n == 3 else f"{n};fine, well, {n}\n" for n in range(9))
    assert read(written(tmp_path, text)).columns == ["id", "review"]
    one = read(written(tmp_path, "review\nfine, but dear\nbad\n"))
    assert one.frame.rows() == [("fine, but dear",), ("bad",)]
    assert read(written(tmp_path, "sep=;\na;b\n1;2\n")).frame.rows() == [(1, 2)]
    assert read(written(tmp_path, "a b\n1 2\n"), delimiter=" ").frame.rows() == [(1, 2)]


def test_text_keeps_leading_zeros_beside_the_recorded_number(tmp_path):
    table = read(written(tmp_path, 'zip,n\n"00501",1\n02134,2\n'))
    assert table.raw["zip"].to_list() == ["00501", "02134"]
    assert table.frame["zip"].to_list() == [501, 2134]
    assert table.flavour == "pandas"


def test_blank_lines_are_skipped_as_pandas_skips_them(tmp_path):
    for text in ("a,b\n1,2\n\n3,4\n", "a,b\n1,2\n,\n\n3,4\n", "a\n1\n\n3\n"):
        path = written(tmp_path, text)
        expected = pd.read_csv(path)
        assert read(path).frame.to_pandas().astype(float).equals(expected.astype(float)), text


def test_short_rows_are_filled_and_long_rows_are_told(tmp_path):
    short = read(written(tmp_path, "a,b,c\n1,2\n3,4,5\n"))
    assert short.frame.rows() == [(1, 2, None), (3, 4, 5)]
    long = read(written(tmp_path, "a,b\n1,2\n3,4,5\n6,7\n8,9,10,11\n,12\n"))
    assert long.frame.rows() == [(1, 2), (3, 4), (6, 7), (8, 9), (None, 12)]
    assert long.warnings == (
        "2 rows have more fields than the header (first in line 3): what stands beyond the last column was left out",
    )
    assert read(written(tmp_path, "a,b\n1,2,\n3,4,\n")).warnings == ()


def test_a_header_without_the_row_names_is_understood(tmp_path):
    table = read(written(tmp_path, "a,b\nx,1,2\ny,3,4\n"))
    assert table.row_ids.to_list() == ["x", "y"]
    assert table.frame.rows() == [(1, 2), (3, 4)]


def test_names_that_repeat_or_are_blank_are_made_whole(tmp_path):
    table = read(written(tmp_path, "a,a,a_2,,a\n1,2,3,4,5\n"))
    assert table.columns == ["a", "a_3", "a_2", "Unnamed: 3", "a_4"]
    assert any("'a' is repeated" in said for said in table.warnings)
    assert any("no name" in said for said in table.warnings)


@pytest.mark.parametrize("name", ["; DROP TABLE x; --", "<script>alert(1)</script>", "{{7*7}}", "a\nb", "☃", "__proto__", "a.b"])
def test_any_name_of_a_column_is_kept(tmp_path, name):
    quoted = '"' + name.replace('"', '""') + '"'
    assert read(written(tmp_path, f"{quoted},y\n1,2\n"), target=name).roles.target == name


def test_nul_bytes_are_left_out_and_told(tmp_path):
    table = read(written(tmp_path, b"a,b\n1\0,2\nx\0\0y,3\n" + b"z,4\n" * 20))
    assert table.raw["a"].to_list()[:2] == ["1", "xy"]
    assert table.warnings == ("a.csv holds 3 NUL bytes: left out",)


def test_broken_letters_in_utf8_do_not_change_the_good_ones(tmp_path):
    table = read(written(tmp_path, "a,b\nÄÖÜ,1\nß".encode() + b"\xff,2\n"))
    assert table.frame["a"].to_list() == ["ÄÖÜ", "ß\ufffd"]
    assert "1 broken UTF-8 letter" in table.warnings[0]


def test_ten_thousand_columns(tmp_path):
    header, line = ",".join(f"c{n}" for n in range(10_000)), ",".join(["1"] * 10_000)
    table = read(written(tmp_path, f"{header}\n{line}\n{line}\n"), target="c9999")
    assert table.frame.shape == (2, 10_000)


def test_infinities_and_integers_beyond_64_bits(tmp_path):
    table = read(written(tmp_path, f"a,b\ninf,{2**70}\n-inf,1\n2,\n"))
    assert table.frame["a"].to_list() == [float("inf"), float("-inf"), 2.0]
    assert table.frame["b"].to_list() == [2.0**70, 1.0, None]
    assert "'b' holds whole numbers beyond 64 bits" in table.warnings[0]


def test_a_header_of_numbers_is_told(tmp_path):
    assert "numbers only" in read(written(tmp_path, "1,2\n3,4\n")).warnings[0]


# ---- bad text ----


def test_missing_files_name_the_nearest(tmp_path):
    written(tmp_path, TEXT, "people.csv")
    fails(SourceError, tmp_path / "peple.csv", 3, "no such file", "people.csv")
    fails(SourceError, tmp_path / "nowhere" / "people.csv", 3, "no folder")
    fails(SourceError, tmp_path / "*.parquet", 3, "no file matches")
    fails(SourceError, "https://example.org/a.csv", 3, "download it first")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"  \n ", b"\xef\xbb\xbf", "".encode("utf-16")])
def test_empty_files(tmp_path, data):
    fails(SourceError, written(tmp_path, data), 3, "empty")


@pytest.mark.parametrize("data", [b"a,b", b"a,b\n", b"a\n\n\n", b"\xef\xbb\xbfa,b\r\n"])
def test_header_only(tmp_path, data):
    fails(SourceError, written(tmp_path, data), 3, "header but no rows")


def test_wrong_encodings(tmp_path):
    path = written(tmp_path, TEXT.encode("latin-1"))
    fails(SourceError, path, 3, "not utf-8", encoding="utf-8")
    fails(OptionError, path, 2, "encoding='utf-9'", encoding="utf-9")
    fails(SourceError, written(tmp_path, TEXT.encode() + b"x", "b.csv"), 3, "not utf-16", encoding="utf-16")
    assert read(path, encoding="latin-1").frame.rows() == ROWS


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, lambda data: pa.compress(data, codec="zstd", asbytes=True)])
def test_truncated_compressed_files(tmp_path, pack):
    packed = pack("".join(f"{n},{n * n}\n" for n in range(5000)).encode())
    fails(SourceError, written(tmp_path, packed[: len(packed) // 2], "a.csv.gz"), 3, "cut short or damaged")


def test_damaged_zip_and_zip_of_many(tmp_path):
    fails(SourceError, written(tmp_path, b"PK\x03\x04 nothing", "a.zip"), 3, "zip data")


def test_an_open_quote_names_its_line(tmp_path):
    fails(SourceError, written(tmp_path, 'a,b\n1,2\n"x,3\n4,5\n'), 3, "line 3", "never closed")


def test_pictures_and_pickles_are_refused(tmp_path):
    noise = bytes(np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8))
    fails(SourceError, written(tmp_path, b"\x89PNG\r\n\x1a\n" + noise, "a.png"), 3, "no text")
    fails(SourceError, written(tmp_path, b"\x80\x04\x95" + noise, "a.pkl"), 3, "no text")


def test_bad_options(tmp_path):
    path = written(tmp_path, TEXT)
    fails(OptionError, path, 2, "a database", query="SELECT 1")
    fails(OptionError, path, 2, "delimiter", delimiter="ab")
    fails(OptionError, 3, 2, "source='int'")
    fails(SourceError, pl.DataFrame(), 3, "no columns")
    fails(UnknownColumnError, path, 2, "Did you mean 'age'", target="aeg")


def test_the_source_is_never_changed(tmp_path):
    path = written(tmp_path, TEXT)
    path.chmod(0o444)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    read(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]


# ---- Parquet and Arrow ----


def test_parquet_file_folder_and_glob(tmp_path):
    PEOPLE.write_parquet(tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet").frame.equals(PEOPLE)
    (tmp_path / "year=2020").mkdir()
    PEOPLE.write_parquet(tmp_path / "year=2020" / "b.parquet")
    assert read(str(tmp_path / "*.parquet")).n_rows == 3
    (tmp_path / "parts").mkdir()
    for part in range(3):
        PEOPLE.write_parquet(tmp_path / "parts" / f"{part}.parquet")
    assert read(tmp_path / "parts").frame.equals(pl.concat([PEOPLE] * 3))
    table = read(tmp_path / "year=2020" / "b.parquet")
    assert table.raw is table.frame


def test_parquet_keeps_small_dtypes_and_a_pandas_index(tmp_path):
    frame = pd.DataFrame({"a": np.array([1, 2], dtype=np.int32), "b": np.array([1.5, 2], dtype=np.float32)})
    frame["c"] = pd.Categorical(["x", "y"])
    frame.set_index(pd.Index(["u", "v"])).to_parquet(tmp_path / "a.parquet")
    table = read(tmp_path / "a.parquet")
    assert table.frame.schema == {"a": pl.Int32, "b": pl.Float32, "c": pl.String}
    assert table.row_ids.to_list() == ["u", "v"]
    frame.set_index(pd.Index([5, 9], name="id")).to_parquet(tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet").row_ids.to_list() == [5, 9]
    assert read(tmp_path / "a.parquet", target="id").columns == ["id", "a", "b", "c"]
    frame.set_index(pd.RangeIndex(3, 7, 2)).to_parquet(tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet").row_ids.to_list() == [3, 5]


def test_bad_parquet(tmp_path):
    PEOPLE.write_parquet(tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    fails(SourceError, written(tmp_path, data[:-20], "a.parquet"), 3, "a.parquet", "cut short or damaged")
    fails(SourceError, written(tmp_path, b"hello", "a.parquet"), 3, "parquet")
    fails(SourceError, written(tmp_path, b"", "a.parquet"), 3, "empty")
    PEOPLE.head(0).write_parquet(tmp_path / "a.parquet")
    fails(SourceError, tmp_path / "a.parquet", 3, "no rows")
    (tmp_path / "folder").mkdir()
    fails(SourceError, tmp_path / "folder", 3, "without Parquet")
    PEOPLE.write_parquet(tmp_path / "folder" / "a.parquet")
    PEOPLE.rename({"age": "years"}).write_parquet(tmp_path / "folder" / "b.parquet")
    fails(SourceError, tmp_path / "folder", 3, "do not fit together")


def test_arrow_and_feather(tmp_path):
    PEOPLE.write_ipc(tmp_path / "a.arrow")
    PEOPLE.write_ipc_stream(tmp_path / "a.arrows")
    PEOPLE.to_pandas().to_feather(tmp_path / "a.feather")
    for name in ("a.arrow", "a.arrows", "a.feather"):
        assert read(tmp_path / name).frame.equals(PEOPLE), name
    assert read(PEOPLE.to_arrow()).frame.equals(PEOPLE)
    data = (tmp_path / "a.arrow").read_bytes()
    fails(SourceError, written(tmp_path, data[:60], "a.arrow"), 3, "Arrow data are cut short")


def test_a_glob_of_text_files(tmp_path):
    written(tmp_path, "a,b\n1,x\n", "1.csv")
    written(tmp_path, "a,b\n2.5,y\n", "2.csv")
    assert read(tmp_path / "*.csv").frame.rows() == [(1.0, "x"), (2.5, "y")]
    written(tmp_path, "a,c\n2.5,y\n", "3.csv")
    fails(SourceError, tmp_path / "*.csv", 3, "its columns are not those of 1.csv")


# ---- JSON ----


def test_json_in_its_common_shapes(tmp_path):
    records = [{"a": 1, "b": "x"}, {"a": None, "b": "y"}]
    frame = pd.DataFrame(records)
    shapes = {
        "records.json": json.dumps(records),
        "lines.jsonl": "\n".join(map(json.dumps, records)) + "\n",
        "lines.json": "\n".join(map(json.dumps, records)),
        "columns.json": json.dumps({"a": [1, None], "b": ["x", "y"]}),
        "pandas.json": frame.to_json(),
        "split.json": frame.to_json(orient="split"),
        "inside.json": json.dumps({"meta": 1, "results": records}),
        "no_ending": json.dumps(records),
    }
    for name, text in shapes.items():
        assert read(written(tmp_path, text, name)).frame.rows() == [(1, "x"), (None, "y")], name
    assert read(written(tmp_path, json.dumps(records[0]), "one.ndjson")).n_rows == 1


def test_nested_and_mixed_json(tmp_path):
    records = [
        {"id": 1, "who": {"name": "Ann", "at": {"zip": "007"}}, "tags": ["a", "b"], "n": 1, "big": 2**70},
        {"id": 2, "who": {"name": "Bob"}, "tags": [], "n": "many", "big": 1},
        {"id": 3, "who": None, "n": 2.5},
    ]
    table = read(written(tmp_path, json.dumps(records), "a.json"))
    rows = {name: table.frame[name].to_list() for name in table.columns}
    assert rows["who.at.zip"] == ["007", None, None]
    assert rows["tags"] == ['["a", "b"]', "[]", None]
    assert rows["n"] == ["1", "many", "2.5"]
    assert rows["big"] == [2.0**70, 1.0, None]
    assert sorted(said.split(":")[0] for said in table.warnings) == ["'big'", "'n'", "'tags'"]


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a"', '{"a": 1}\n{"a": \n', "[1, 2]", "[]", "3", "{}", "[" * 5000, '"x"', '[{"a": 1}, 3]'])
def test_bad_json(tmp_path, text):
    fails(SourceError, written(tmp_path, text, "a.json"), 3, "a.json")


# ---- standard input ----


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "json", "jsonl", "parquet", "arrow"])
def test_standard_input_is_known_by_its_bytes(monkeypatch, kind):
    parquet, arrow = io.BytesIO(), io.BytesIO()
    PEOPLE.write_parquet(parquet)
    PEOPLE.write_ipc(arrow)
    data = {
        "csv": TEXT.encode(),
        "csv.gz": gzip.compress(TEXT.encode()),
        "json": json.dumps(PEOPLE.to_dicts()).encode(),
        "jsonl": PEOPLE.write_ndjson().encode(),
        "parquet": parquet.getvalue(),
        "arrow": arrow.getvalue(),
    }
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data[kind])))
    table = read("-")
    assert table.frame.rows() == ROWS
    assert table.name == "standard input"


def test_empty_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    fails(SourceError, "-", 3, "standard input", "empty")


def test_open_files_are_read():
    assert read(io.StringIO(TEXT)).frame.rows() == read(io.BytesIO(TEXT.encode())).frame.rows() == ROWS


def test_a_pipe_is_read_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(TEXT,))
    writer.start()
    assert read(tmp_path / "pipe").frame.rows() == ROWS
    writer.join()


# ---- frames ----


def test_pandas_frames_of_every_dtype():
    frame = pd.DataFrame(
        {
            "whole": [1, 2, 3],
            "gaps": [1.0, np.nan, np.inf],
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "text": ["x", None, "z"],
            "mixed": [1, "two", 3.5],
            "truth": [True, None, False],
            "category": pd.Categorical(["u", None, "v"]),
            "numbered": pd.Categorical([3, None, 4]),
            "date": [dt.date(2020, 1, 1), None, dt.date(2020, 1, 3)],
            "moment": pd.to_datetime(["2020-01-01 12:00", None, "2021-01-01 00:00"]),
            "zoned": pd.to_datetime(["2020-01-01 12:00", None, "2021-01-01 00:00"]).tz_localize("Europe/Berlin"),
            "span": pd.to_timedelta([1, None, 3], unit="h"),
            "decimal": [Decimal("1.5"), None, Decimal("2")],
            "big": [2**70, 1, None],
            "bytes": [b"x", b"\xff", None],
            "list": [[1, 2], None, []],
            "dict": [{"a": 1}, None, {"b": np.float64(2)}],
            "period": pd.period_range("2020-01", periods=3, freq="M"),
            "interval": pd.interval_range(0, 3),
            "complex": [1 + 2j, 2, 3],
            "half": np.array([1, 2, 3], dtype=np.float16),
            "empty": [None, None, None],
            "surrogate": pd.Series(["\ud800", "a", "b"], dtype=object),
            "object": [object(), None, 3],
            "sparse": pd.arrays.SparseArray([0, 0, 1]),
        }
    )
    before = frame.copy()
    table = read(frame)
    allowed = {pl.Int64, pl.Float64, pl.Float32, pl.Boolean, pl.String, pl.Date, pl.Datetime("us"), pl.Datetime("ns")}
    assert {dtype for dtype in table.frame.dtypes if dtype not in allowed} == set()
    cells = {name: table.frame[name].to_list() for name in table.columns}
    assert cells["gaps"] == [1.0, None, float("inf")]
    assert cells["mixed"] == ["1", "two", "3.5"]
    assert cells["truth"] == [True, None, False]
    assert cells["category"] == ["u", None, "v"]
    assert cells["numbered"] == [3, None, 4]
    assert cells["span"] == [3600.0, None, 10800.0]
    assert cells["zoned"][0] == dt.datetime(2020, 1, 1, 11)
    assert cells["decimal"] == [1.5, None, 2.0]
    assert cells["big"] == [2.0**70, 1.0, None]
    assert cells["list"] == ["[1, 2]", None, "[]"]
    assert cells["dict"][0] == '{"a": 1}'
    assert cells["period"][1] == dt.datetime(2020, 2, 1)
    assert cells["empty"] == [None, None, None]
    told = " ".join(table.warnings)
    assert all(f"'{name}'" in told for name in ("mixed", "big", "bytes", "list", "dict", "zoned", "span"))
    assert table.flavour == "pandas"
    pd.testing.assert_frame_equal(frame, before)


def test_polars_frames_keep_their_cells_without_a_copy():
    table = read(PEOPLE, target="age")
    assert table.flavour == "polars"
    assert table.raw is table.frame
    assert read(PEOPLE.lazy()).frame.equals(PEOPLE)
    odd = pl.DataFrame(
        {
            "struct": [{"a": 1}, {"a": None}],
            "list": [[1], None],
            "decimal": pl.Series(["1.25", None]).cast(pl.Decimal(10, 2)),
            "wide": pl.Series([1, 2]).cast(pl.Int128),
            "enum": pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])),
            "time": [dt.time(12, 30), None],
            "binary": [b"\xff", b"a"],
            "nan": [float("nan"), 1.0],
            "object": pl.Series([{1}, "x"], dtype=pl.Object),
            "null": [None, None],
            "small": pl.Series([1, 2], dtype=pl.UInt8),
        }
    )
    table = read(odd)
    cells = {name: table.frame[name].to_list() for name in table.columns}
    assert cells["struct"] == ['{"a": 1}', '{"a": null}']
    assert cells["decimal"] == [1.25, None]
    assert cells["binary"] == ["ff", "61"]
    assert cells["nan"] == [None, 1.0]
    assert cells["object"] == ["[1]", "x"]
    assert table.frame["null"].dtype == pl.Float64
    assert table.frame["small"].dtype == pl.UInt8


def test_column_names_of_a_pandas_frame_become_text():
    frame = pd.DataFrame([[1, 2], [3, 4]])
    assert read(frame, target=1).roles.target == "1"
    frame.columns = pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])
    assert read(frame).columns == ["a.x", "a.y"]
    frame.columns = ["a", "a"]
    assert read(frame).columns == ["a", "a_2"]


def test_pandas_index_becomes_row_ids_where_it_says_something():
    frame = pd.DataFrame({"a": [1, 2, 3]})
    assert read(frame).row_ids.to_list() == [0, 1, 2]
    assert read(frame[frame.a > 1]).row_ids.to_list() == [1, 2]
    assert read(frame.set_index(pd.Index(["x", "y", "z"]))).row_ids.to_list() == ["x", "y", "z"]
    repeated = read(frame.set_index(pd.Index([1, 1, 2])))
    assert repeated.row_ids.to_list() == [0, 1, 2]
    assert "repeats itself" in repeated.warnings[0]
    dated = frame.set_index(pd.date_range("2020", periods=3))
    assert read(dated).row_ids.to_list() == [0, 1, 2]
    named = frame.set_index(pd.Index(["x", "y", "z"], name="id"))
    assert read(named, key="id").row_ids.to_list() == ["x", "y", "z"]
    assert read(named, key="id").columns == ["id", "a"]


def test_frames_without_rows_or_with_one():
    assert read(PEOPLE.head(0)).n_rows == 0
    assert read(pd.DataFrame({"a": []})).n_rows == 0
    assert read(PEOPLE.head(1)).row_ids.to_list() == [0]


# ---- row ids and roles ----


def test_the_key_is_the_row_id(tmp_path):
    table = read(written(tmp_path, "id,zip,a\n7,007,1\n8,08,2\n"), key="id")
    assert table.row_ids.to_list() == [7, 8]
    assert table.row_ids.name == "row"
    assert table.features == ["zip", "a"]
    assert read(tmp_path / "a.csv", key="zip").row_ids.to_list() == ["007", "08"]


def test_a_key_that_does_not_tell_rows_apart_is_told(tmp_path):
    for text, why in (("id,a\n7,1\n7,2\n", "repeats itself"), ("id,a\n7,1\n,2\n", "has empty cells")):
        table = read(written(tmp_path, text), key="id")
        assert table.row_ids.to_list() == [0, 1]
        assert why in table.warnings[0]
        assert table.roles.key == "id"


def test_a_name_that_differs_in_case_alone_is_taken_and_told(tmp_path):
    path = written(tmp_path, "Survived,age\n1,2\n")
    table = read(path, target="survived")
    assert table.roles.target == "Survived"
    assert table.warnings == ("target 'survived' is taken for the column 'Survived'",)
    assert read(path, target="Survived").warnings == ()
    twins = written(tmp_path, "AGE,Age,b\n1,2,3\n")
    fails(UnknownColumnError, twins, 2, "target 'age'", target="age")
    assert read(twins, target="Age").warnings == ()


def test_a_table_gets_other_roles():
    table = read(PEOPLE, target="age", ignore="height")
    again = read(table, target="height", key="name", ignore=[])
    assert (again.roles.target, again.roles.key, again.roles.ignored) == ("height", "name", ())
    assert again.row_ids.to_list() == ["Ann", "Bö", "C,d"]
    assert table.roles.target == "age"


# ---- databases and workbooks ----


def people_database(path):
    link = sqlite3.connect(path)
    link.execute("CREATE TABLE people (name, age, height)")
    link.executemany("INSERT INTO people VALUES (?, ?, ?)", ROWS)
    link.commit()
    return link


def test_sqlite_by_file_and_address(tmp_path):
    people_database(tmp_path / "a.db").close()
    assert read(tmp_path / "a.db").frame.rows() == ROWS
    assert read(f"sqlite:///{tmp_path}/a.db", query="SELECT age FROM people WHERE age > 40").frame.rows() == [(42,), (53,)]
    fails(SourceError, tmp_path / "a.db", 3, "no such table", query="SELECT * FROM nobody")
    fails(SourceError, tmp_path / "a.db", 3, "readonly", query="DELETE FROM people")
    fails(SourceError, tmp_path / "a.db", 3, "no rows", query="SELECT * FROM people WHERE age < 0")
    fails(SourceError, "sqlite:///nowhere.db", 3, "no such file")
    link = people_database(tmp_path / "b.db")
    link.execute("CREATE TABLE more (a)")
    link.close()
    fails(SourceError, tmp_path / "b.db", 3, "2 tables (more, people)", "--query")


def test_duckdb_by_file_and_address(tmp_path):
    duckdb = pytest.importorskip("duckdb", reason="of the extra databases")
    with duckdb.connect(str(tmp_path / "a.duckdb")) as link:
        link.execute("CREATE TABLE people (name VARCHAR, age INTEGER, height DOUBLE)")
        link.executemany("INSERT INTO people VALUES (?, ?, ?)", ROWS)
    assert read(tmp_path / "a.duckdb").frame.rows() == ROWS
    assert read(f"duckdb:///{tmp_path}/a.duckdb", query="SELECT count(*) AS n FROM people").frame.rows() == [(3,)]
    fails(SourceError, tmp_path / "a.duckdb", 3, query="SELECT * FROM nobody")


def test_servers_are_asked_through_sqlalchemy(tmp_path):
    pytest.importorskip("sqlalchemy", reason="of the extra databases")
    people_database(tmp_path / "a.db").close()
    names, rows, problem = databases._ask_server(f"sqlite:///{tmp_path}/a.db", "SELECT name, age FROM people", "base")
    assert (names, rows[0], problem) == (["name", "age"], ("Ann", 31), None)
    said = fails(SourceError, "nosuch://ann:secret@host/base", 3, "nosuch", query="SELECT 1")
    assert "secret" not in said


def test_workbooks(tmp_path):
    PEOPLE.write_excel(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx").frame.rows() == ROWS
    assert read(written(tmp_path, (tmp_path / "a.xlsx").read_bytes(), "b.bin")).frame.rows() == ROWS
    fails(SourceError, written(tmp_path, (tmp_path / "a.xlsx").read_bytes()[:2000], "c.xlsx"), 3, "workbook")


def test_extras_that_are_not_installed_say_what_to_install(monkeypatch, tmp_path):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(databases, "import_module", absent)
    fails(MissingExtraError, written(tmp_path, b"PK\x03\x04[Content_Types].xml", "a.xlsx"), 2, "dqops[excel]")
    fails(MissingExtraError, "postgresql://host/base", 2, "dqops[databases]", query="SELECT 1")


def test_every_error_is_one_of_ours():
    assert issubclass(SourceError, DqopsError)


def test_an_archive_of_two_tables_says_so(tmp_path):
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "x\n1\n")
        archive.writestr("b.csv", "x\n1\n")
    with pytest.raises(SourceError, match="it holds 2 files"):
        read(tmp_path / "two.zip")


def test_colons_in_a_query_are_no_places_for_values():
    query = databases._BIND.sub(r"\\:", "select ':x', age::text, '12:30' from people")
    assert query == r"select '\:x', age::text, '12:30' from people"


def test_objects_of_one_type_are_named():
    frame = pd.DataFrame({"u": [UUID(int=row) for row in range(3)], "d": [dt.timedelta(hours=row) for row in range(3)]}, dtype=object)
    table = read(frame)
    assert "'u': cells of the type UUID, read as text" in table.warnings
    assert table.frame["d"].to_list() == [0.0, 3600.0, 7200.0]
