"""Rows that stand twice: word by word, nearly, and with another target."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest

from dqops.detectors.duplicates import Duplicates
from dqops.tables.io import read
from dqops.tables.similarity import near_repeats
from dqops.tables.table import Table


def table_of(frame, **roles):
    return Table(frame, frame, pl.int_range(frame.height, eager=True)).with_roles(**roles)


def measured(rng, count=400):
    return pl.DataFrame({f"x{column}": rng.normal(size=count).round(4) for column in range(4)})


def people(rng, count=600):
    """Made-up people, each with names, a street, a town and a number."""
    syllables = np.array(["ka", "lo", "mi", "ren", "tas", "vor", "eli", "gun", "pet", "sho", "bri", "dan"])
    name = lambda parts: ["".join(rng.choice(syllables, parts)) for _ in range(count)]  # noqa: E731
    return pl.DataFrame(
        {
            "given": name(2),
            "family": name(3),
            "street": [f"{one} street {rng.integers(1, 99)}" for one in name(3)],
            "town": rng.choice(name(2)[:40], count),
            "phone": [str(number) for number in rng.integers(10**6, 10**7, count)],
        }
    )


def misspelt(text, rng):
    place = int(rng.integers(0, len(text)))
    return text[:place] + "x" + text[place + 1 :]


def pairs_of(finding):
    groups = {}
    for position, related in zip(finding.positions, finding.related, strict=True):
        groups.setdefault(int(related), {int(related)}).add(int(position))
    return {pair for group in groups.values() for pair in combinations(sorted(group), 2)}


def test_exact_copies_are_found_with_the_row_they_repeat(rng):
    frame = measured(rng).with_columns(y=pl.Series(rng.choice(["a", "b"], 400)))
    frame = pl.concat([frame, frame[[7, 11]]])
    finding = Duplicates().fit_find(table_of(frame, target="y"), None, rng)["duplicates:rows"]
    assert finding.positions.tolist() == [400, 401]
    assert finding.related.tolist() == [7, 11]
    assert set(finding.why) == {"repeats another row"}
    assert finding.scores.min() > 0.7


def test_copies_with_another_class_contradict(rng):
    frame = measured(rng).with_columns(y=pl.Series(["a"] * 400))
    frame = pl.concat([frame, frame[[7, 11]].with_columns(y=pl.Series(["a", "b"]))])
    finding = Duplicates().fit_find(table_of(frame, target="y"), None, rng)["duplicates:rows"]
    assert finding.why.tolist() == ["repeats another row", "repeats a row, but the target differs"]
    assert "another target" in finding.message


def test_a_condition_measured_again_is_no_copy(rng):
    frame = measured(rng, 100)
    frame = pl.concat([frame, frame[:20]]).with_columns(y=pl.Series(rng.normal(size=120)))
    findings = Duplicates().fit_find(table_of(frame, target="y"), None, rng)
    assert not [one for one in findings if (one.scores >= 0.5).any()]


def test_misspelt_copies_are_found(rng):
    frame = people(rng)
    copies = frame[:60].with_columns(
        pl.Series(name, [misspelt(text, rng) for text in frame[name][:60]]) for name in ("family", "street")
    )
    finding = Duplicates().fit_find(table_of(pl.concat([frame, copies])), None, rng)["duplicates:rows"]
    found, true = pairs_of(finding), {(row, 600 + row) for row in range(60)}
    assert 2 * len(found & true) / (len(found) + len(true)) > 0.95
    assert set(finding.why) == {"nearly repeats another row"}


def test_people_without_copies_are_left_alone(rng):
    assert len(Duplicates().fit_find(table_of(people(rng)), None, rng)) == 0


def test_things_of_one_kind_that_differ_in_their_name_are_no_copies(rng):
    house = people(rng, 60)
    rooms = pl.concat([house] * 8).with_columns(family=people(rng, 480)["family"])
    finding = near_repeats(rooms, rooms.columns)
    assert (finding.score == 0).all()


def test_larger_tables_are_searched_in_part_and_say_so(rng):
    frame = people(rng, 12_000)
    copies = frame[:400].with_columns(pl.Series("street", [misspelt(text, rng) for text in frame["street"][:400]]))
    finding = Duplicates().fit_find(table_of(pl.concat([frame, copies])), None, rng)["duplicates:rows"]
    assert 20 < finding.count < 300
    assert (finding.related == finding.positions - 12_000).mean() > 0.95
    assert "further rows" in finding.message


@pytest.mark.parametrize("dropped", [[], ["type"]])
def test_restaurants_of_two_guides(shared, dropped):
    table = read(shared("fodors_zagats/records.csv.gz"), ignore=["row", *dropped])
    place = {row: position for position, row in enumerate(table.frame["row"])}
    matches = pl.read_csv(shared("fodors_zagats/matches.csv.gz"))
    true = {tuple(sorted((place[one], place[other]))) for one, other in matches.iter_rows()}
    found = pairs_of(Duplicates().fit_find(table, None, np.random.default_rng(0))["duplicates:rows"].at_least(0.5))
    assert 2 * len(found & true) / (len(found) + len(true)) >= 0.95


def test_people_of_febrl(shared):
    table = read(shared("febrl3/records.csv.gz"), ignore=["row"])
    entity = pl.read_csv(shared("febrl3/truth.csv.gz"))["entity"].to_list()
    groups = {}
    for row, one in enumerate(entity):
        groups.setdefault(one, []).append(row)
    true = {pair for group in groups.values() for pair in combinations(group, 2)}
    found = pairs_of(Duplicates().fit_find(table, None, np.random.default_rng(0))["duplicates:rows"].at_least(0.5))
    assert 2 * len(found & true) / (len(found) + len(true)) >= 0.98


@pytest.mark.parametrize("name", ["titanic/table.csv.gz", "tax/dirty.csv.gz", "hospital/dirty.csv.gz", "har/dirty.csv.gz"])
def test_tables_without_copies(shared, name):
    findings = Duplicates().fit_find(read(shared(name)), None, np.random.default_rng(0))
    assert not [one for one in findings if (one.scores >= 0.5).any()]


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"a": pl.Series([], dtype=pl.String)}),
        pl.DataFrame({"a": ["one"]}),
        pl.DataFrame({"a": [None, None, None]}),
        pl.DataFrame({"a": ["x", "", None, "x y z"], "b": [1.0, float("nan"), float("inf"), None]}),
    ],
)
def test_odd_tables(frame, rng):
    assert all((one.scores < 0.9).all() for one in Duplicates().fit_find(table_of(frame), None, rng))
