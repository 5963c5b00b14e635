"""The registry: names, checksums, local files, explicit downloads; and the sets that are shipped."""

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dqops.cli.datasets import datasets
from dqops.errors import SourceError, UnknownNameError
from dqops.tables import registry
from dqops.tables.io import read
from dqops.tables.registry import at_hand, download, find_dataset, registered

SHIPPED = Path(__file__).parents[2] / "datasets"


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A registry of one small set of two files; the first lies in the folder that it returns."""
    data = {"dirty.csv.gz": b"a,b\n1,2\n", "clean.csv": b"a,b\n1,3\n"}
    sums = {name: hashlib.sha256(text).hexdigest() for name, text in data.items()}
    one = registry.Dataset("tiny", "two cells", "nowhere", "CC0", "b", "regression", "a typo", 1, 2, sums)
    monkeypatch.setattr(registry, "registered", lambda: {"tiny": one})
    monkeypatch.delenv("DQOPS_DATASETS", raising=False)
    (tmp_path / "sets" / "tiny").mkdir(parents=True)
    (tmp_path / "sets" / "tiny" / "dirty.csv.gz").write_bytes(data["dirty.csv.gz"])
    (tmp_path / "web.csv").write_bytes(data["clean.csv"])
    return tmp_path


def test_every_set_says_where_it_comes_from():
    assert len(registered()) == 23
    for name, one in registered().items():
        assert one.name == name
        assert one.source
        assert one.licence
        assert one.files
        assert all(len(checksum) == 64 for checksum in one.files.values())


def test_shared_sets_have_the_registered_checksums(shared, monkeypatch):
    folder = shared("beers").parent
    assert all(at_hand(name, folder) for name in ("beers", "titanic", "nasa", "tax"))
    monkeypatch.setenv("DQOPS_DATASETS", str(folder))
    table = read("dataset:beers/dirty", target="style")
    assert table.frame.shape == (2410, 11)
    assert table.name == "dirty.csv.gz"


def test_a_file_is_found_by_set_and_stem(tiny):
    folder = tiny / "sets"
    for name in ("tiny", "tiny/dirty", "tiny/dirty.csv.gz"):
        assert find_dataset(name, folder) == folder / "tiny" / "dirty.csv.gz"


def test_what_is_not_there_is_told(tiny, monkeypatch):
    with pytest.raises(SourceError, match="DQOPS_DATASETS"):
        find_dataset("tiny")
    with pytest.raises(UnknownNameError, match="Did you mean 'tiny'"):
        find_dataset("tine")
    with pytest.raises(UnknownNameError, match="Did you mean 'clean'"):
        find_dataset("tiny/claen", tiny)
    monkeypatch.setenv("DQOPS_DATASETS", str(tiny / "sets"))
    with pytest.raises(SourceError, match="no such file"):
        find_dataset("tiny/clean")
    (tiny / "sets" / "tiny" / "dirty.csv.gz").write_bytes(b"a,b\n1,9\n")
    with pytest.raises(SourceError, match="checksum"):
        find_dataset("tiny/dirty")
    assert not at_hand("tiny")


def test_downloads_are_explicit_verified_and_whole(tiny):
    folder = tiny / "sets"
    path = download("tiny/clean", url=(tiny / "web.csv").as_uri(), to=folder)
    assert path.read_bytes() == b"a,b\n1,3\n"
    assert at_hand("tiny", folder)
    path.unlink()
    (tiny / "web.csv").write_bytes(b"other")
    with pytest.raises(SourceError, match="checksum"):
        download("tiny/clean", url=(tiny / "web.csv").as_uri(), to=folder)
    with pytest.raises(SourceError, match="download failed"):
        download("tiny/clean", url=(tiny / "absent.csv").as_uri(), to=folder)
    with pytest.raises(SourceError, match="download failed"):
        download("tiny/clean", url="nonsense", to=folder)
    assert [one.name for one in (folder / "tiny").iterdir()] == ["dirty.csv.gz"]


def test_the_command_lists_them(shared):
    folder = str(shared("beers").parent)
    result = CliRunner().invoke(datasets, ["--folder", folder])
    assert result.exit_code == 0
    assert "* beers " in result.output
    assert "23 of 23 at hand" in result.output
    listed = json.loads(CliRunner().invoke(datasets, ["--json"], env={"DQOPS_DATASETS": ""}).output)
    assert [one["name"] for one in listed if one["at_hand"]] == []


@pytest.mark.parametrize(("name", "target", "shape"), [("titanic", "survived", (1309, 15)), ("penguins", "Species", (344, 17))])
def test_shipped_sets_read_without_a_warning_and_have_a_card(name, target, shape):
    table = read(SHIPPED / name / f"{name}.csv", target=target)
    assert table.frame.shape == shape
    assert table.warnings == ()
    card = (SHIPPED / name / "card.md").read_text()
    assert all(word in card for word in ("**Source**", "**Licence**", "What is dirty", target))


def test_shipped_titanic_holds_the_cells_of_its_source(shared):
    ours, theirs = read(SHIPPED / "titanic" / "titanic.csv"), read(shared("titanic/table.csv.gz"))
    assert ours.raw.rows() == theirs.raw.rows()
    assert ours.columns == [name.lower() for name in theirs.columns]
