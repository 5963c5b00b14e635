"""Candidates that a table proposes for its own missing and doubtful cells."""

import numpy as np
import polars as pl
import pytest

import dqops
from dqops.cleaners.proposals import propose_candidates
from dqops.errors import OptionError
from dqops.flows.search import chosen_detectors, search
from dqops.propagation.worlds import every_world
from dqops.results.findings import Findings
from dqops.tables.readable import as_read

KINDS = ["missing", "formats", "outliers", "categories"]


def proposed(frame, target="y", **settings):
    table = dqops.read(frame, target=target)
    findings, _, _ = search(table, chosen_detectors(KINDS), None, 0)
    return propose_candidates(as_read(table), findings, **settings)


def holed(rng, n_rows=400, noise=0.3):
    x, kind = rng.normal(size=n_rows), rng.integers(3, size=n_rows)
    z = 2 * x + noise * rng.normal(size=n_rows)
    size = rng.poisson(np.exp(x / 2 + 1))
    truth = pl.DataFrame({"x": x, "z": z, "size": size, "town": np.array(["Bonn", "Köln", "Ulm"])[kind], "code": kind * 1.0 + 0.01 * x, "y": (x > 0).astype(int)})
    rows = {name: rng.choice(n_rows, 60, replace=False) for name in ("z", "size", "town")}
    dirty = truth.with_columns([truth[name].to_frame().with_columns(pl.when(pl.int_range(n_rows).is_in(some.tolist())).then(None).otherwise(pl.col(name)).alias(name))[name] for name, some in rows.items()])
    return truth, dirty


def test_the_truth_is_among_what_is_proposed(rng):
    truth, dirty = holed(rng)
    candidates, left = proposed(dirty)
    assert left == {}
    assert sum(one.count for one in candidates if one.column == "z") == 60
    inside, errors = [], []
    for one in candidates:
        for place, position in enumerate(one.positions):
            values, weights = one.values[int(one.start[place]) : int(one.start[place + 1])], one.weights[one.start[place] : one.start[place + 1]]
            true = truth[one.column][int(position)]
            if one.column == "z" and not one.joint:
                inside.append(values.min() <= true <= values.max())
                errors.append((float(values @ pl.Series(weights)) - true) ** 2)
            if one.column == "town":
                errors_of_town = weights[(values == true).to_numpy()].sum()
                assert errors_of_town > 0.5 or one.joint
    # Ten mid-quantiles span 90% of what is to be expected.
    assert np.mean(inside) > 0.75
    assert np.sqrt(np.mean(errors)) < 0.5 * truth["z"].std()


def test_whole_numbers_and_few_levels_keep_to_themselves(rng):
    truth, dirty = holed(rng)
    candidates, _ = proposed(dirty)
    for one in candidates:
        if one.column == "size":
            assert (one.values == one.values.round()).all()
            assert set(one.values) <= set(truth["size"].cast(pl.Float64))


def test_a_row_with_several_gaps_is_filled_from_rows_that_exist(rng):
    _, dirty = holed(rng)
    candidates, _ = proposed(dirty)
    joint = [one for one in candidates if one.joint]
    assert joint
    recorded = set(dirty.drop_nulls().select(["z", "size", "town"]).rows())
    by_row = {}
    for one in joint:
        for place, position in enumerate(one.positions.tolist()):
            by_row.setdefault(position, {})[one.column] = one.values[int(one.start[place]) : int(one.start[place + 1])].to_list()
    whole = [held for held in by_row.values() if len(held) == 3]
    for held in whole:
        assert {(z, int(size), town) for z, size, town in zip(held["z"], held["size"], held["town"], strict=True)} <= recorded


def test_a_doubtful_cell_keeps_its_value_with_the_chance_that_it_is_right(rng):
    x = rng.normal(size=300).round(2)
    weight = (60 + 10 * x).round(1)
    weight[7] = 6543.2
    candidates, _ = proposed(pl.DataFrame({"x": x, "weight": weight, "y": x > 0}))
    (doubt,) = [one for one in candidates if one.column == "weight" and 7 in one.positions]
    place = int(np.flatnonzero(doubt.positions == 7)[0])
    values = doubt.values[int(doubt.start[place]) : int(doubt.start[place + 1])].to_list()
    weights = doubt.weights[doubt.start[place] : doubt.start[place + 1]]
    assert values[0] == 6543.2
    assert weights[0] <= 0.5
    assert max(values[1:]) < 120


def test_a_number_that_is_only_written_badly_is_no_doubt():
    frame = pl.DataFrame({"size": [*(f"{place}.5 {'oz' if place % 2 else 'oz.'}" for place in range(40)), None], "y": [0, 1] * 20 + [0]})
    candidates, left = proposed(frame)
    assert left == {}
    assert [one.positions.tolist() for one in candidates] == [[40]]


def test_worlds_of_a_small_table_can_be_made():
    frame = pl.DataFrame({"a": [1.0, None, 3.0, 4.0, 5.0, 6.0] * 3, "y": [0, 1] * 9})
    candidates, _ = proposed(frame, n_candidates=2)
    table = as_read(dqops.read(frame, target="y"))
    worlds = every_world(candidates)
    assert len(worlds) == 8
    assert all(worlds.table(table, world).frame["a"].null_count() == 0 for world in range(8))


def test_the_same_seed_proposes_the_same(rng):
    _, dirty = holed(rng)
    first, second, other = (proposed(dirty, seed=seed)[0].to_frame() for seed in (1, 1, 2))
    assert first.equals(second)
    assert not first.equals(other)


def test_what_has_no_candidates_is_said():
    frame = pl.DataFrame({"a": [1.0, *[None] * 19], "b": [f"some words about {place} things here" if place else None for place in range(20)], "y": [0, 1] * 10})
    candidates, left = proposed(frame)
    assert candidates.count == 0
    assert left == {"a": (19, "there is nothing to learn them from"), "b": (1, "none are proposed for a column of kind text")}
    table = dqops.read(pl.DataFrame({"a": [1.0, 2.0], "y": [0, 1]}), target="y")
    candidates, left = propose_candidates(table, Findings())
    assert (candidates.count, left) == (0, {})


def test_a_column_that_nothing_predicts_gets_what_is_usual():
    frame = pl.DataFrame({"a": [None, *(["u"] * 12), *(["v"] * 6), "w"]})
    table = dqops.read(frame)
    findings, _, _ = search(table, chosen_detectors(["missing"]), None, 0)
    candidates, _ = propose_candidates(as_read(table), findings)
    assert candidates.to_frame()["value"].to_list() == ["u", "v", "w"]
    assert candidates.groups[0].weights == pytest.approx([12 / 19, 6 / 19, 1 / 19])


@pytest.mark.parametrize("n_candidates", [1, 2.5, 0])
def test_settings_that_cannot_be(n_candidates):
    with pytest.raises(OptionError, match="n_candidates"):
        propose_candidates(dqops.read(pl.DataFrame({"a": [1.0]})), Findings(), n_candidates=n_candidates)
