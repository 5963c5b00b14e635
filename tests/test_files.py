"""Files change as a whole or not at all."""

import os
import signal
import subprocess
import sys
import time

import polars as pl
import pytest

from dqops import files
from dqops.errors import OutputError, SourceError
from dqops.files import read_parts, write_bytes, write_parts, write_text, written_beside

WRITES = """
import sys
from dqops.files import written_beside
while True:
    with written_beside(sys.argv[1]) as beside, beside.open("wb") as file:
        for _ in range(50):
            file.write(b"x" * 20_000)
            file.flush()
"""
FILLS = """
import resource, signal, sys
from dqops.errors import OutputError
from dqops.files import write_bytes
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_bytes(sys.argv[1], b"x" * 5000)
except OutputError as error:
    print(error)
"""


def write_half(path, cause):
    with written_beside(path) as beside:
        beside.write_text("half")
        raise cause


@pytest.mark.parametrize("nameless", [True, False])
def test_a_file_that_fails_is_not_there(tmp_path, monkeypatch, nameless):
    if not nameless:
        monkeypatch.setattr(files._Nameless, "made", classmethod(lambda cls, path: None))
    write_text(tmp_path / "a.txt", "old")
    for name, cause, told in (("a.txt", OSError(28, "No space left on device"), OutputError), ("b.txt", ValueError("mine"), ValueError)):
        with pytest.raises(told, match=r"No space left|mine"):
            write_half(tmp_path / name, cause)
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot write"):
        write_bytes(tmp_path / "file" / "a", b"x")
    with pytest.raises(OutputError, match="cannot write"):
        write_bytes(tmp_path, b"x")


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for a file without a name")
def test_a_killed_writer_leaves_nothing(tmp_path):
    for wait in (0.0, 0.01, 0.02, 0.05, 0.1):
        writer = subprocess.Popen([sys.executable, "-c", WRITES, str(tmp_path / "a.bin")])
        while not (tmp_path / "a.bin").exists():
            time.sleep(0.01)
        time.sleep(wait)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        assert {one.name for one in tmp_path.iterdir()} <= {"a.bin", *(one.name for one in tmp_path.glob(".a.bin.*"))}
        assert all(one.stat().st_size == 1_000_000 for one in tmp_path.iterdir())
        for one in tmp_path.iterdir():
            one.unlink()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits the size of files")
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    told = subprocess.run([sys.executable, "-c", FILLS, str(tmp_path / "a.bin")], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("cannot write")
    assert list(tmp_path.iterdir()) == []


def test_parts_are_those_of_the_last_index(tmp_path):
    frame = pl.DataFrame({"a": [1, 2]})
    write_parts(tmp_path, "index.json", {"n": 1}, {"a.parquet": frame, "b.bin": b"xy"})
    index, parts = read_parts(tmp_path, "index.json", "a folder")
    assert index["n"] == 1
    assert parts["b.bin"] == b"xy"
    assert pl.read_parquet(parts["a.parquet"]).equals(frame)
    write_parts(tmp_path, "index.json", {"n": 2}, {"b.bin": b"z"})
    assert len(list(tmp_path.iterdir())) == 2


def test_parts_that_changed_are_told(tmp_path):
    write_parts(tmp_path, "index.json", {}, {"b.bin": b"xy"})
    next(tmp_path.glob("b-*")).write_bytes(b"x")
    with pytest.raises(SourceError, match="is not the file that was written"):
        read_parts(tmp_path, "index.json", "a folder")


def test_a_writer_that_fails_half_way_leaves_the_old_parts(tmp_path, monkeypatch):
    write_parts(tmp_path, "index.json", {"n": 1}, {"b.bin": b"xy"})
    monkeypatch.setattr(files, "write_text", lambda path, text: (_ for _ in ()).throw(OutputError(path, "No space left on device")))
    with pytest.raises(OutputError):
        write_parts(tmp_path, "index.json", {"n": 2}, {"b.bin": b"other"})
    assert read_parts(tmp_path, "index.json", "a folder")[0]["n"] == 1


LIMITED = """
import resource, signal, sys
from dqops.cli.main import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
sys.argv = ["dqops", *sys.argv[1:]]
main()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="no limit of file sizes here")
@pytest.mark.parametrize(
    "words",
    [
        ["audit", "data.csv", "--no-model", "--save", "out"],
        ["audit", "data.csv", "--no-model", "--json", "out.json"],
        ["clean", "data.csv", "--no-model", "--plan", "out"],
        ["clean", "data.csv", "--no-model", "--out", "out.csv"],
        ["clean", "data.csv", "--no-model", "--out", "out.parquet"],
        ["schema", "data.csv", "--out", "out.yaml"],
    ],
    ids=" ".join,
)
def test_where_the_system_takes_no_more_bytes_commands_say_so_and_leave_nothing(tmp_path, words):
    """The limit is the kernel's own: whatever library writes, through whatever call, meets it."""
    rows = [{f"column{number}": f"text {row % 7} {row * number}" for number in range(30)} for row in range(300)]
    pl.DataFrame(rows).with_columns(column1=pl.when(pl.int_range(300) < 40).then(None).otherwise("column1")).write_csv(tmp_path / "data.csv")
    done = subprocess.run([sys.executable, "-c", LIMITED, *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 3, done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("dqops: cannot write")
    assert "Traceback" not in done.stderr
    named = [path for path in tmp_path.rglob("*") if path.is_file() and path.name in ("run.json", "plan.json", "out.json", "out.csv", "out.parquet", "out.yaml")]
    assert not named
