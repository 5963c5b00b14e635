"""Empty cells, also in disguise, and what their emptiness goes with."""

import numpy as np
import polars as pl
import pytest

from dqops.detectors.missing import Missing
from dqops.tables.recorded import record
from dqops.tables.table import Roles, Table


def table(target=None, **columns):
    raw = pl.DataFrame({name: pl.Series(cells, dtype=pl.String) for name, cells in columns.items()})
    return Table(record(raw), raw, pl.int_range(raw.height, eager=True), Roles(target=target))


def test_blank_and_disguised_cells(rng):
    cells = [str(value) for value in range(90)] + ["", "N/A", None, "?", " "]
    finding = Missing().fit_find(table(age=cells), None, rng)["missing:age"]
    assert finding.positions.tolist() == [90, 91, 92, 93, 94]
    assert finding.scores.min() >= 0.9


def test_sentinels_are_found_again_at_serving(rng):
    fitted = Missing().fit(table(queue=[str(value % 30) for value in range(200)] + ["-9999999"] * 5), None, rng)
    assert fitted.find(table(queue=["5", "-9999999"]))["missing:queue"].positions.tolist() == [1]


def test_the_emptier_the_less_sure(rng):
    few = Missing().fit_find(table(c=["a", "b"] * 49 + ["", ""]), None, rng)["missing:c"]
    many = Missing().fit_find(table(c=["a", "b"] * 10 + [""] * 80), None, rng)["missing:c"]
    assert 0.5 < many.score < few.score < 1.0


def test_what_another_column_decides_is_empty_by_design(rng):
    status = ["single", "married"] * 200
    spouse = [str(30 + place % 40) if one == "married" else "" for place, one in enumerate(status)]
    finding = Missing().fit_find(table(status=status, spouse_age=spouse), None, rng)["missing:spouse_age"]
    assert finding.score < 0.5
    assert "by design" in finding.message


def test_emptiness_that_tells_the_target(rng):
    target = rng.integers(0, 2, 500)
    telling = np.where((target == 1) & (rng.random(500) < 0.5), "", "7")
    chance = np.where(rng.random(500) < 0.25, "", "7")
    findings = Missing().fit_find(table("y", y=target.astype(str), telling=telling, chance=chance), None, rng)
    assert "goes with the target" in findings["missing:telling"].message
    assert "goes with" not in findings["missing:chance"].message


def test_many_columns_empty_by_chance_tell_nothing(rng):
    columns = {f"c{number}": np.where(rng.random(300) < 0.2, "", "7") for number in range(40)}
    findings = Missing().fit_find(table("y", y=rng.integers(0, 2, 300).astype(str), **columns), None, rng)
    assert not [one.id for one in findings if "goes with" in one.message]


def test_an_empty_column_is_one_finding(rng):
    finding = Missing().fit_find(table(c=["", None, "NA"]), None, rng)["missing:c"]
    assert finding.whole


def test_a_learned_word_is_less_sure_than_a_listed_one(rng):
    numbers = [str(value) for value in range(50)]
    learned = Missing().fit_find(table(c=[*numbers, *["not measured"] * 5]), None, rng)["missing:c"]
    listed = Missing().fit_find(table(c=[*numbers, *["not available"] * 5]), None, rng)["missing:c"]
    assert learned.score < 0.5 < listed.score


@pytest.mark.parametrize("cells", [[], ["1"], ["a"] * 9, [""]])
def test_small_tables(rng, cells):
    for finding in Missing().fit_find(table(c=cells), None, rng):
        assert finding.whole


def test_filled_columns_bring_nothing(rng):
    assert len(Missing().fit_find(table(a=["1", "2"], b=["none", "x"]), None, rng)) == 0


@pytest.mark.parametrize("version", ["mcar_50", "mar_50", "mnar_50"])
def test_bank8fm(shared, rng, version):
    texts = pl.read_csv(shared(f"bank8fm_missing/dirty_{version}.csv.gz"), infer_schema=False)
    clean = pl.read_csv(shared("bank8fm_missing/clean.csv.gz"), infer_schema=False)
    wrong = sum((texts[name].fill_null("") != clean[name].fill_null("")).sum() for name in texts.columns)
    findings = Missing().fit_find(table(**texts.to_dict(as_series=False)), None, rng)
    assert sum(one.count for one in findings) == wrong
