"""Worlds: draws have their weights, depend on their doubt alone, and all worlds are all."""

from itertools import product

import numpy as np
import polars as pl
import pytest
from scipy.stats import chisquare

import dqops
from dqops.errors import DataError, OptionError
from dqops.propagation.worlds import METHODS, count_worlds, every_world, likeliest_world, sample_worlds, worlds_of
from dqops.results.candidates import Candidates, Doubts
from dqops.seeds import keyed_uniforms

AGES = Doubts.of("age", [0, 2], [[31, 40], [7, 8, 9]], [[3, 1], [1, 1, 2]])
TOWNS = Doubts.of("town", [2], [["Bonn", "Köln"]], [[2, 3]])
BOTH = Candidates((AGES, TOWNS))


def drawn(worlds, column, place):
    """Values of one doubt, world by world."""
    return [{one.column: values for one, values in worlds.values(world)}[column][place] for world in range(len(worlds))]


def test_every_world_is_there_once_with_its_probability():
    worlds = every_world(BOTH)
    told = {tuple(value for _, values in worlds.values(one) for value in values.to_list()): weight for one, weight in enumerate(worlds.weights)}
    first, second, third = [(31, 0.75), (40, 0.25)], [(7, 0.25), (8, 0.25), (9, 0.5)], [("Bonn", 0.4), ("Köln", 0.6)]
    expected = {(a, b, c): p * q * r for (a, p), (b, q), (c, r) in product(first, second, third)}
    assert told == pytest.approx(expected)
    assert worlds.weights.sum() == pytest.approx(1)
    assert worlds.complete
    assert count_worlds(BOTH) == 12


@pytest.mark.parametrize("method", METHODS)
def test_draws_have_their_weights(method):
    worlds = sample_worlds(BOTH, 4000, seed=3, method=method)
    for column, place, shares in [("age", 0, {31: 0.75, 40: 0.25}), ("age", 1, {7: 0.25, 8: 0.25, 9: 0.5}), ("town", 0, {"Bonn": 0.4, "Köln": 0.6})]:
        values = drawn(worlds, column, place)
        counts = [values.count(value) for value in shares]
        assert sum(counts) == 4000
        assert chisquare(counts, [4000 * share for share in shares.values()]).pvalue > 1e-3
    assert abs(np.corrcoef(worlds.chosen[:, 0], worlds.chosen[:, 1])[0, 1]) < 0.06


def test_systematic_draws_come_out_even():
    worlds = sample_worlds(BOTH, 100, seed=1, method="systematic")
    assert abs(drawn(worlds, "age", 0).count(31) - 75) <= 1
    assert abs(drawn(worlds, "town", 0).count("Bonn") - 40) <= 1


def test_antithetic_pairs_are_opposite():
    even = Candidates((Doubts.of("a", [0], [[0, 1]]),))
    chosen = sample_worlds(even, 40, method="antithetic").chosen[:, 0]
    assert (chosen[::2] != chosen[1::2]).all()


@pytest.mark.parametrize("method", METHODS)
def test_leaving_a_doubt_out_leaves_other_draws_as_they_are(method):
    with_all, without = sample_worlds(BOTH, 50, seed=5, method=method), sample_worlds(Candidates((TOWNS, AGES.select_at([1]))), 50, seed=5, method=method)
    assert drawn(with_all, "town", 0) == drawn(without, "town", 0)
    assert drawn(with_all, "age", 1) == drawn(without, "age", 0)
    assert drawn(with_all, "town", 0) != drawn(sample_worlds(BOTH, 50, seed=6, method=method), "town", 0)


def test_draws_follow_the_row_id_not_its_position():
    rows = pl.Series("row", ["p", "q"])
    here = Candidates((Doubts.of("a", [0, 1], [[0, 1], [0, 1]], rows=rows),))
    there = here.on_rows(pl.Series("row", ["q", "x", "p"]))
    a, b = sample_worlds(here, 30).chosen, sample_worlds(there, 30).chosen
    assert np.array_equal(a, b[:, ::-1])


def test_joint_doubts_are_drawn_together():
    pair = Candidates((Doubts.of("a", [1, 4], [[1, 2], [5, 6]], joint="donor"), Doubts.of("b", [1], [["x", "y"]], joint="donor")))
    assert count_worlds(pair) == 4
    worlds = sample_worlds(pair, 60)
    together = set(zip(drawn(worlds, "a", 0), drawn(worlds, "b", 0), strict=True))
    assert together == {(1, "x"), (2, "y")}


def test_sampled_mean_is_the_mean_over_all_worlds():
    totals = np.array([sum(values.sum() for one, values in every_world(Candidates((AGES,))).values(world)) for world in range(6)])
    exact = (totals * every_world(Candidates((AGES,))).weights).sum()
    worlds = sample_worlds(Candidates((AGES,)), 2000, seed=2)
    sampled = np.array([sum(values.sum() for _, values in worlds.values(world)) for world in range(2000)])
    assert abs(sampled.mean() - exact) < 4 * sampled.std() / np.sqrt(2000)


def test_a_world_is_a_table():
    frame = pl.DataFrame({"age": [None, 5, None, 6], "town": ["Bonn", "Ulm", None, "Ulm"], "y": [0, 1, 0, 1]})
    table = dqops.read(frame, target="y")
    rows = Candidates((Doubts.of(None, [3], [[False, True]], [[9, 1]]),))
    world = likeliest_world(BOTH + rows).table(table, 0)
    assert world.frame.rows() == [(31, "Bonn", 0), (5, "Ulm", 1), (9, "Köln", 0)]
    assert world.row_ids.to_list() == [0, 1, 2]
    assert table.frame["age"].null_count() == 2
    with pytest.raises(DataError, match="candidates of this table"):
        likeliest_world(rows).table(table.take([0, 1]), 0)


def test_few_worlds_are_enumerated_and_many_sampled():
    assert worlds_of(BOTH, 12).complete
    assert len(worlds_of(BOTH, 11)) == 11
    many = Candidates((Doubts.of("a", np.arange(200), [[0, 1]] * 200),))
    with pytest.raises(OptionError, match=r"10\*\*60"):
        every_world(many)
    assert count_worlds(many) == 2**200


def test_no_doubt_is_one_world():
    assert every_world(Candidates()).weights.tolist() == [1.0]
    assert likeliest_world(Candidates()).complete
    assert sample_worlds(Candidates(), 3).chosen.shape == (3, 0)


@pytest.mark.parametrize(("option", "value"), [("n_worlds", 0), ("n_worlds", 2.5), ("method", "sobol")])
def test_settings_that_cannot_be(option, value):
    with pytest.raises(OptionError, match=option):
        sample_worlds(BOTH, **{"n_worlds": 3, "method": "plain", option: value})


def test_keyed_numbers_are_uniform():
    numbers = keyed_uniforms(0, "x", np.arange(100_000, dtype=np.uint64))
    assert chisquare(np.histogram(numbers, 50, (0, 1))[0]).pvalue > 1e-3
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.02
    other = keyed_uniforms(0, "y", np.arange(100_000, dtype=np.uint64))
    assert abs(np.corrcoef(numbers, other)[0, 1]) < 0.02
