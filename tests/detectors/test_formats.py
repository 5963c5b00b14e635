"""Cells that break the way in which their column is written."""

import polars as pl
import pytest

from dqops.detectors.formats import Formats
from dqops.tables.recorded import record
from dqops.tables.table import Table


def table(**columns):
    raw = pl.DataFrame({name: pl.Series(cells, dtype=pl.String) for name, cells in columns.items()})
    return Table(record(raw), raw, pl.int_range(raw.height, eager=True))


def found(rng, **columns):
    return Formats().fit_find(table(**columns), None, rng)


def test_units_beside_plain_numbers_are_found_and_parsed(rng):
    finding = found(rng, abv=[str(value / 1000) for value in range(40, 90)] + ["0.05%", "0.061 %"])["formats:abv"]
    assert finding.positions.tolist() == [50, 51]
    assert finding.suggestions.to_list() == [0.05, 0.061]
    assert finding.score > 0.9


def test_units_spelled_in_several_ways_are_found_in_every_cell(rng):
    cells = ["12.0 oz", "12.0 oz.", "16.0 ounce", "12.0 OZ.", "8.4 oz"] * 10
    finding = found(rng, ounces=cells)["formats:ounces"]
    assert finding.count == 50
    assert finding.suggestions.to_list()[:3] == [12.0, 12.0, 16.0]


def test_one_unit_in_all_cells_is_one_finding_on_the_column(rng):
    finding = found(rng, share=[f"{value}%" for value in range(50)])["formats:share"]
    assert finding.whole
    assert finding.positions.tolist() == []


def test_typos_in_numbers(rng):
    cells = [f"{value / 10:.1f}" for value in range(200)] + ["..", "33..77", "1x4", "55"]
    finding = found(rng, velocity=cells)["formats:velocity"]
    assert finding.positions.tolist() == [201, 202, 203]
    assert finding.suggestions.null_count() == 3


def test_whole_numbers_without_a_point_are_natural_where_zeros_are_not_written(rng):
    assert len(found(rng, price=[str(value / 4).removesuffix(".0") for value in range(200)])) == 0


def test_dates_in_another_form_and_no_dates(rng):
    cells = [f"2011-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 20)] + ["03/04/2012", "2011-02-31"]
    finding = found(rng, day=cells)["formats:day"]
    assert finding.positions.tolist() == [228, 229]
    assert finding.suggestions.is_null().to_list() == [False, True]


def test_codes_of_another_build(rng):
    states = ["MA", "NV", "AR", "NJ", "WI", "TX", "DC", "UT", "ND", "VT", "OR", "AK"] * 30 + ["AK-*"]
    assert found(rng, state=states)["formats:state"].positions.tolist() == [360]
    phones = [f"{a}-{b}" for a, b in zip(range(100, 400), range(1000, 1300), strict=True)] + ["555 1234"]
    assert found(rng, phone=phones)["formats:phone"].positions.tolist() == [300]


@pytest.mark.parametrize(
    "cells",
    [
        ["yes"] * 95 + ["no"] * 5,
        [f"N{a}A{b}" for a in range(1, 101) for b in (1, 2)],
        ["Anna", "Mary-Ann", "O'Brien", "Bo", "José"] * 20,
        [str(value) for value in range(200)],
        ["12 Main St", "5 Oak Av", "7 Elm Rd"] * 9,
    ],
    ids=["yes and no", "growing numbers", "names", "numbers", "addresses"],
)
def test_natural_variety_is_left_alone(rng, cells):
    assert len(found(rng, c=cells)) == 0


def test_a_batch_is_searched_as_the_column_was(rng):
    fitted = Formats().fit(table(weight=[str(value / 7) for value in range(99)]), None, rng)
    assert fitted.find(table(weight=["5 kg"]))["formats:weight"].suggestions.to_list() == [5.0]
    assert len(fitted.find(table(weight=["5.5"]))) == 0
    assert len(fitted.find(table(weight=[]))) == 0


def test_infinite_numbers(rng):
    frame = pl.DataFrame({"x": [1.0, float("inf"), float("nan"), 2.0]})
    finding = Formats().fit_find(Table(frame, frame, pl.int_range(4, eager=True)), None, rng)["formats:x"]
    assert finding.positions.tolist() == [1]


@pytest.mark.parametrize("cells", [[], [None], ["a"], ["1"], [None] * 5, ["x"] * 9])
def test_small_tables(rng, cells):
    assert len(found(rng, c=cells)) == 0


def test_messages_hold_no_cell_values(rng):
    finding = found(rng, pay=[*map(str, range(50)), "secret77", "€ 4711"])["formats:pay"]
    assert "secret" not in finding.message + " ".join(finding.reasons)
    assert "4711" not in finding.message
