"""Files that are cleaned and uncleaned hold, byte for byte, what they held."""

import gzip
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dqops
from dqops import CleaningPlan
from dqops.errors import DataError, DqopsError, OptionError, OutputError
from dqops.tables.source_files import cleaned_file, table_bytes, uncleaned_file
from dqops.tables.source_text import SourceText

LINES = {"row": pl.Int64, "column": pl.String, "after": pl.String}
WORDS = ["abc", "x y", " lead", "trail ", "a,b", "a;b", 'say "hi"', "two\nlines", "é ü", "N/A", "o'neil", "007", "#", "rome", "oslo", ""]


def plan_of(table, *cells, drop=()):
    return CleaningPlan.of(table, pl.DataFrame(cells, schema=LINES, orient="row"), drop=drop)


def there_and_back(path, plan, out, table, **chosen):
    """The bytes of the cleaned file and of the file uncleaned again."""
    data, kept = cleaned_file(path, table, plan, out)
    plan = replace(plan, kept=kept)
    out.write_bytes(data)
    return data, uncleaned_file(out, dqops.read(out), plan, plan.select(**chosen), out.with_name("back" + "".join(out.suffixes)))


def written(tmp_path, data, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(data)
    return path, dqops.read(path)


def test_only_changed_cells_are_written_anew(tmp_path):
    path, table = written(tmp_path, b'\xef\xbb\xbfa; b ;"c"\r\n"1";007;" x"\r\n\r\n2;;"say ""hi"""\r\n3;5,0;z')
    plan = plan_of(table, (0, "c", "y"), (1, " b ", "6"), (2, "a", "4"))
    data, back = there_and_back(path, plan, tmp_path / "out.csv", table)
    assert data == b'\xef\xbb\xbfa; b ;"c"\r\n"1";007;"y"\r\n\r\n2;6;"say ""hi"""\r\n4;5,0;z'
    assert back == path.read_bytes()


def test_dropped_rows_come_back_to_their_places(tmp_path):
    path, table = written(tmp_path, b"a,b\n1,x\n2,y\n\n3,z\n4,w")
    data, back = there_and_back(path, plan_of(table, (2, "b", "q"), drop=[1, 3]), tmp_path / "out.csv", table)
    assert data == b"a,b\n1,x\n3,q\n"
    assert back == path.read_bytes()


def test_a_part_is_taken_back(tmp_path):
    path, table = written(tmp_path, b"a,b\n1,x\n2,'y'\n3,z\n")
    plan = plan_of(table, (0, "b", "q"), (1, "a", None), drop=[2])
    assert there_and_back(path, plan, tmp_path / "out.csv", table, column="b")[1] == b"a,b\n1,x\n,'y'\n"
    assert there_and_back(path, plan, tmp_path / "out.csv", table, row=2)[1] == b"a,b\n1,q\n,'y'\n3,z\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le", "cp1252"])
def test_encodings_stay(tmp_path, encoding):
    path, table = written(tmp_path, "naïve;é\nü;1\nä;2\n".encode(encoding))
    data, back = there_and_back(path, plan_of(table, (0, "naïve", "u"), (1, "naïve", "a")), tmp_path / "out.csv", table)
    assert data.decode(encoding) == "naïve;é\nu;1\na;2\n"
    assert back == path.read_bytes()


def test_broken_letters_stay_as_they_are(tmp_path):
    path, table = written(tmp_path, "aéé,büü\n".encode() + b"\xff1,x\n2," + "é\n".encode())
    data, back = there_and_back(path, plan_of(table, (1, "büü", "e")), tmp_path / "out.csv", table)
    assert data == "aéé,büü\n".encode() + b"\xff1,x\n2,e\n"
    assert back == path.read_bytes()


def test_a_letter_that_the_encoding_lacks_is_refused(tmp_path):
    path, table = written(tmp_path, "naïve,b\nä,2\n".encode("latin-1"))
    with pytest.raises(OutputError, match="has no '→'"):
        cleaned_file(path, table, plan_of(table, (0, "naïve", "→")), tmp_path / "out.csv")


def test_ragged_rows_get_the_cells_they_lack_and_lose_them_again(tmp_path):
    path, table = written(tmp_path, b"a,b,c,d\n1,2\n3,4,5,6\n7,8,9,0\n")
    data, back = there_and_back(path, plan_of(table, (0, "d", "8"), (0, "a", "9")), tmp_path / "out.csv", table)
    assert data == b"a,b,c,d\n9,2,,8\n3,4,5,6\n7,8,9,0\n"
    assert back == path.read_bytes()


def test_row_names_before_the_columns_stay(tmp_path):
    path, table = written(tmp_path, b'a,b\n"x",1,2\n"y",3,4\n')
    plan = CleaningPlan.of(table, pl.DataFrame({"row": ["y"], "column": ["b"], "after": ["7"]}))
    data, back = there_and_back(path, plan, tmp_path / "out.csv", table)
    assert data == b'a,b\n"x",1,2\n"y",3,7\n'
    assert back == path.read_bytes()


@pytest.mark.parametrize("ending", ["", ".gz", ".bz2", ".xz", ".zst", ".zip"])
def test_contents_are_the_same_under_any_compression(tmp_path, ending):
    text = b"a,b\n1,x\n2,y\n"
    path, table = written(tmp_path, gzip.compress(text), "a.csv.gz")
    data, kept = cleaned_file(path, table, plan_of(table, (0, "b", "q")), tmp_path / f"out.csv{ending}")
    (tmp_path / f"out.csv{ending}").write_bytes(data)
    plan = replace(plan_of(table, (0, "b", "q")), kept=kept)
    cleaned = dqops.read(tmp_path / f"out.csv{ending}")
    assert cleaned.frame["b"].to_list() == ["q", "y"]
    assert gzip.decompress(uncleaned_file(tmp_path / f"out.csv{ending}", cleaned, plan, plan, tmp_path / "back.csv.gz")) == text


def a_cell(rng):
    kind = rng.random()
    if kind < 0.3:
        return str(rng.integers(-50, 2000))
    return str(round(rng.random(), 3)) if kind < 0.4 else str(rng.choice(WORDS))


def a_file(rng):
    """Delimited text with any of the usual oddities."""
    delimiter, end = str(rng.choice(list(",;\t|"))), str(rng.choice(["\n", "\r\n"]))
    n_rows, width, wrapped = rng.integers(1, 12), rng.integers(1, 6), rng.random() < 0.3

    def spelled(cell):
        blank = width == 1 and not cell.strip()
        if wrapped or blank or any(one in cell for one in (delimiter, '"', "\n")) or rng.random() < 0.15:
            return '"' + cell.replace('"', '""') + '"'
        return cell

    text = end * int(rng.random() < 0.1) + delimiter.join(f"c{place}" for place in range(width)) + end
    for row in range(n_rows):
        cells = [spelled(a_cell(rng)) for _ in range(width)]
        text += delimiter.join(cells[:-1] if width > 2 and rng.random() < 0.1 else cells)
        text += end * int(row < n_rows - 1 or rng.random() < 0.7) + end * int(rng.random() < 0.05)
    return text.encode(str(rng.choice(["utf-8", "utf-8-sig", "latin-1", "utf-16"])))


def some_changes(rng, table):
    cells = [(row, name, rng.choice(["5", "7.25", "new", "a,b;c", 'q"q', "x\ny", ""])) for row in range(table.n_rows) for name in table.columns if rng.random() < 0.3]
    kept = []
    for row, name, after in cells:
        one = (row, name, str(after) or None)
        try:
            plan_of(table, one)
        except DqopsError:
            continue
        kept.append(one)
    return plan_of(table, *kept, drop=[row for row in range(table.n_rows) if rng.random() < 0.2])


@pytest.mark.parametrize("seed", range(60))
def test_any_file_comes_back_byte_for_byte(tmp_path, seed):
    rng = np.random.default_rng(seed)
    path, table = written(tmp_path, a_file(rng))
    plan = some_changes(rng, table)
    data, kept = cleaned_file(path, table, plan, tmp_path / "out.csv")
    (tmp_path / "out.csv").write_bytes(data)
    plan = replace(plan, kept=kept)
    cleaned = plan.apply(table)
    assert uncleaned_file(tmp_path / "out.csv", None, plan, plan, tmp_path / "back.csv") == path.read_bytes()
    back = plan.undo(cleaned)
    assert back.raw.equals(table.raw, null_equal=True)
    assert back.frame.schema == table.frame.schema
    assert back.frame.equals(table.frame, null_equal=True)
    if cleaned.n_rows:
        again = dqops.read(tmp_path / "out.csv")
        assert again.raw.select(pl.all().fill_null("")).equals(cleaned.raw.select(pl.all().fill_null("")))


def test_the_text_is_taken_apart_as_the_reader_takes_it():
    text = SourceText.of(b'a,b\n"x ""y""",2\n"two\nlines",\n', "a.csv")
    assert [text.cells(row)[0] for row in range(2)] == [['"x ""y"""', "2"], ['"two\nlines"', ""]]
    assert [text.value(text.cells(row)[0][0]) for row in range(2)] == ['x "y"', "two\nlines"]


def parquet(tmp_path, frame, name="a.parquet", **options):
    path = tmp_path / name
    pq.write_table(frame, path, **options)
    return path, dqops.read(path)


def a_wide_table():
    return pa.table(
        {
            "whole": pa.array([1, None, 3, 4], pa.int32()),
            "exact": pa.array([None, "1.10", "2.20", "3.30"]).cast(pa.decimal128(8, 2)),
            "float": pa.array([1.5, float("nan"), None, 4.0]),
            "level": pa.array(["u", "v", "u", None]).dictionary_encode(),
            "when": pa.array([0, 1, None, 3], pa.timestamp("us", "Europe/Berlin")),
            "text": pa.array(["1", "2 kg", "", None]),
            "list": pa.array([[1], [], None, [2, 3]]),
        },
        metadata={b"mine": b"kept"},
    )


def test_parquet_keeps_its_schema_and_what_is_not_changed(tmp_path):
    path, table = parquet(tmp_path, a_wide_table(), compression="zstd")
    frame = pq.read_table(path)
    plan = plan_of(table, (0, "whole", "9"), (1, "float", "7.0"), (0, "level", "new"), (1, "text", "2"), (2, "exact", None), (0, "when", None), drop=[3])
    data, back = there_and_back(path, plan, tmp_path / "out.parquet", table)
    cleaned = pq.read_table(pa.BufferReader(data))
    assert cleaned.schema == frame.schema
    assert cleaned["list"].to_pylist() == [[1], [], None]
    assert cleaned["level"].to_pylist() == ["new", "v", "u"]
    again = pq.read_table(pa.BufferReader(back))
    assert again.schema.equals(frame.schema, check_metadata=True)
    assert [str(one) for one in again["float"].to_pylist()] == ["1.5", "nan", "None", "4.0"]
    assert again.drop_columns("float").equals(frame.drop_columns("float"))
    assert pq.ParquetFile(pa.BufferReader(back)).metadata.row_group(0).column(0).compression == "ZSTD"


def test_parquet_of_pandas_keeps_the_index(tmp_path):
    frame = pd.DataFrame({"a": [1, 2, 3], "c": pd.Categorical(["x", "y", "x"])}, index=pd.Index(["p", "q", "r"], name="id"))
    frame.to_parquet(tmp_path / "a.parquet")
    table = dqops.read(tmp_path / "a.parquet")
    plan = CleaningPlan.of(table, pl.DataFrame({"row": ["q"], "column": ["a"], "after": [None]}, schema={"row": pl.String, "column": pl.String, "after": pl.String}), drop=["p"])
    data, back = there_and_back(tmp_path / "a.parquet", plan, tmp_path / "out.parquet", table)
    assert pd.read_parquet(pa.BufferReader(data)).index.tolist() == ["q", "r"]
    pd.testing.assert_frame_equal(pd.read_parquet(pa.BufferReader(back)), frame)


def test_a_column_of_text_that_becomes_numbers_is_text_again(tmp_path):
    frame = pd.DataFrame({"size": ["1.50", "2 kg", "3", None], "y": [0, 1, 0, 1]})
    frame.to_parquet(tmp_path / "a.parquet")
    table = dqops.read(tmp_path / "a.parquet", target="y")
    plan = dqops.clean(table, model=None)
    data, back = there_and_back(tmp_path / "a.parquet", plan, tmp_path / "out.parquet", table)
    cleaned = pd.read_parquet(pa.BufferReader(data))
    assert cleaned["size"].dtype == float
    assert cleaned["size"].tolist()[:3] == [1.5, 2.0, 3.0]
    pd.testing.assert_frame_equal(pd.read_parquet(pa.BufferReader(back)), frame)


@pytest.mark.parametrize("ending", [".csv", ".tsv.gz", ".parquet", ".arrow", ".jsonl"])
def test_other_forms_hold_the_cleaned_cells(tmp_path, ending):
    path, table = written(tmp_path, b'[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]', "a.json")
    plan = plan_of(table, (0, "b", "q"), drop=[1])
    data, kept = cleaned_file(path, table, plan, tmp_path / f"out{ending}")
    (tmp_path / f"out{ending}").write_bytes(data)
    assert kept == {}
    cleaned = dqops.read(tmp_path / f"out{ending}")
    assert cleaned.frame.rows() == [(1, "q")]
    back = uncleaned_file(tmp_path / f"out{ending}", cleaned, plan, plan, tmp_path / f"back{ending}")
    (tmp_path / f"back{ending}").write_bytes(back)
    assert dqops.read(tmp_path / f"back{ending}").frame.rows() == [(1, "x"), (2, "y")]


def test_an_ending_that_says_nothing_is_refused(tmp_path):
    _, table = written(tmp_path, b"a,b\n1,x\n")
    with pytest.raises(OptionError, match=r"a name that ends in \.csv"):
        table_bytes(table, tmp_path / "out.docx")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda data: data + b"9,9\n", "has 3 rows, and the plan left 2"),
        (lambda data: data.replace(b"1,q", b"1,other"), "does not hold 'q'"),
        (lambda data: b"a\n1\n2\n", "has 1 columns"),
    ],
)
def test_a_file_that_the_plan_did_not_make_is_refused(tmp_path, harm, said):
    path, table = written(tmp_path, b"a,b\n1,x\n2,y\n")
    plan = plan_of(table, (0, "b", "q"))
    data, kept = cleaned_file(path, table, plan, tmp_path / "out.csv")
    (tmp_path / "out.csv").write_bytes(harm(data))
    plan = replace(plan, kept=kept)
    with pytest.raises(DataError, match=said):
        uncleaned_file(tmp_path / "out.csv", None, plan, plan, tmp_path / "back.csv")
