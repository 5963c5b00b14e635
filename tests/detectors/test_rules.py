"""The rules detector: dependencies found in the data, and which cell of a broken one is wrong."""

import pickle

import numpy as np
import polars as pl
import pytest

from dqops.detectors.rules import Rules
from dqops.tables.table import Table


def table_of(columns):
    frame = pl.DataFrame(columns)
    return Table(frame, frame, pl.int_range(frame.height, eager=True))


def places(rng, n_rows=600):
    """A table in which a code determines a town and a county, and a town its county."""
    code = rng.integers(0, 30, n_rows)
    return {
        "code": [f"c{one:02d}" for one in code],
        "town": [f"town {one // 2}" for one in code],
        "county": [f"county {one // 6}" for one in code],
        "noise": rng.normal(size=n_rows),
    }


def found(findings, least=0.5):
    return {(one.column, int(row)) for one in findings for row, score in zip(one.positions, one.scores, strict=True) if score >= least}


def suggested(findings, column, row):
    group = findings[f"rules:{column}"]
    return group.suggestions[int(np.flatnonzero(group.positions == row)[0])]


def test_a_slip_on_either_side_is_found_and_mended(rng):
    columns = places(rng)
    truth = columns["county"][7], columns["town"][20]
    columns["county"][7], columns["town"][20] = "countx 0", "town 9"
    table = table_of(columns)
    findings = Rules().fit_find(table, None, rng)
    assert found(findings) == {("county", 7), ("town", 20)}
    assert (suggested(findings, "county", 7), suggested(findings, "town", 20)) == truth


def test_clean_tables_and_loose_associations_are_left_alone(rng):
    columns = places(rng)
    assert not found(Rules().fit_find(table_of(columns), None, rng))
    group = rng.integers(0, 12, 2000)
    likely = rng.random(12)[group]
    loose = {"group": [f"g{one}" for one in group], "sold": (rng.random(2000) < likely).astype(int)}
    assert not found(Rules().fit_find(table_of(loose), None, rng))


def test_rules_serve_other_rows_with_what_was_learned(rng):
    fitted = Rules().fit(table_of(places(rng)), None, rng)
    fitted = pickle.loads(pickle.dumps(fitted))
    serving = table_of({"code": ["c00", "c01", "zz"], "town": ["town 0", "town 3", "town 1"], "county": ["county 0"] * 3, "noise": [0.0] * 3})
    findings = fitted.find(serving)
    assert ("town", 1) in found(findings)
    assert suggested(findings, "town", 1) == "town 0"


def test_the_order_of_rows_and_columns_does_not_matter(rng):
    columns = places(rng)
    columns["town"][20] = "town 9"
    table = table_of(columns)
    turned = rng.permutation(table.n_rows)
    other = table.take(turned)
    other = Table(other.frame.select(other.columns[::-1]), other.raw.select(other.columns[::-1]), other.row_ids)
    there = {(column, int(turned[row])) for column, row in found(Rules().fit_find(other, None, rng))}
    assert there == found(Rules().fit_find(table, None, rng)) == {("town", 20)}


@pytest.mark.parametrize(
    "columns",
    [
        {"a": [], "b": []},
        {"a": [1], "b": ["x"]},
        {"a": [1] * 40, "b": ["x"] * 40},
        {"a": [None] * 40, "b": [None] * 40},
        {"a": [float("nan"), float("inf")] * 20, "b": [True, None] * 20},
        {"a": [1.0, 2.0] * 30, "b": ["x", "y"] * 30},
    ],
)
def test_odd_tables_bring_nothing(columns, rng):
    table = table_of(columns)
    fitted = Rules().fit(table, None, rng)
    assert not found(fitted.find(table))
    assert not found(fitted.find(table.take([])))


def test_hospital_typos_are_found_and_mended(shared, rng):
    from dqops.tables.io import read

    table = read(shared("hospital/dirty.csv.gz"))
    clean = pl.read_csv(shared("hospital/clean.csv.gz"), infer_schema=False)
    findings = Rules().fit_find(table, None, rng)
    wrong = [clean[column][row] != table.raw[column][row] for column, row in found(findings)]
    assert len(wrong) > 350
    assert np.mean(wrong) > 0.9


def test_values_in_the_cell_of_another_column_are_put_in_their_place(rng):
    towns, states = ["Bend", "Gary", "Reno", "Mill Valley"], ["OR", "IN", "NV", "CA"]
    which = rng.integers(0, 4, 200)
    town, state = [towns[one] for one in which], [states[one] for one in which]
    for row in range(0, 200, 10):
        town[row], state[row] = f"{town[row]} {state[row]}", None
    findings = Rules().fit_find(table_of({"town": town, "state": state}), None, rng)
    assert found(findings) == {(name, row) for name in ("town", "state") for row in range(0, 200, 10)}
    assert suggested(findings, "town", 10) == towns[which[10]]
    assert suggested(findings, "state", 10) == states[which[10]]


@pytest.mark.parametrize("together", [np.add, np.multiply])
def test_a_cell_that_breaks_a_sum_or_a_product_is_found_and_mended(rng, together):
    one, two = rng.integers(2, 60, (2, 400)).astype(float)
    columns = {"one": one, "two": two, "all": together(one, two)}
    truth = columns["two"][5]
    columns["two"] = two.copy()
    columns["two"][5] = 17.2513
    findings = Rules().fit_find(table_of(columns), None, rng)
    assert found(findings) == {("two", 5)}
    assert suggested(findings, "two", 5) == truth


def test_codes_that_happen_to_add_up_are_no_sum(rng):
    codes = {name: rng.choice([1, 2, 3], 500, p=[0.8, 0.1, 0.1]) for name in "ab"}
    codes["c"] = rng.choice([2, 3], 500, p=[0.9, 0.1])
    assert not found(Rules().fit_find(table_of(codes), None, rng))


@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_values_of_other_rows_are_found_among_their_group(rng, rate):
    columns = places(rng, 3000)
    wrong = rng.random(3000) < rate
    truth = list(columns["county"])
    columns["county"] = [truth[rng.integers(3000)] if bad else good for good, bad in zip(truth, wrong, strict=True)]
    cells = found(Rules().fit_find(table_of(columns), None, rng))
    really = {("county", row) for row in range(3000) if columns["county"][row] != truth[row]}
    assert len(cells & really) > 0.9 * len(really)
    assert len(cells - really) < 0.1 * len(cells)
