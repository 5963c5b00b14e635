"""The categories detector: slips of a common text, and levels that are their own."""

import pickle

import polars as pl
import pytest

from dqops.detectors.categories import Categories
from dqops.tables.table import Table

TOWNS = ["Birmingham", "Montgomery", "Huntsville", "Tuscaloosa", "Scottsboro", "Sheffield"]


def table_of(**columns):
    frame = pl.DataFrame(columns, strict=False)
    return Table(frame, frame, pl.int_range(frame.height, eager=True))


def told(table, rng, least=0.5):
    findings = Categories().fit_find(table, None, rng)
    return {
        value: (meant, why)
        for one in findings
        for value, meant, why, score in zip(one.values, one.suggestions, one.why, one.scores, strict=True)
        if score >= least
    }


@pytest.mark.parametrize(
    ("slip", "meant", "why"),
    [
        ("Birmingxam", "Birmingham", "a letter"),
        ("birmingham", "Birmingham", "capitals"),
        ("Birmingham ", "Birmingham", "white space"),
        ("Scottsboro-*", "Scottsboro", "marks"),
        ("BirminghÃ©m", "Birminghém", "encoding"),
    ],
)
def test_a_slip_is_found_and_named(rng, slip, meant, why):
    seen = told(table_of(town=TOWNS * 30 + [slip]), rng)
    assert set(seen) == {slip}
    assert seen[slip][0] == meant
    assert why in seen[slip][1]


def test_doubled_quotes_are_slips_even_alone(rng):
    names = [f"{head}'{tail}" for head in ("O", "D") for tail in ("Neill", "Hara", "Brien", "Agostino")]
    names += [f"Family{chr(97 + one // 26)}{chr(97 + one % 26)}" for one in range(60)]
    assert told(table_of(name=[*names, "O''Connor"]), rng) == {"O''Connor": ("O'Connor", "doubled or stray marks")}


@pytest.mark.parametrize(
    "levels",
    [
        ["A1", "A2"],
        ["scip-inf-1", "scip-inf-2"],
        ["American IPA", "American APA"],
        ["North Alton", "South Alton"],
        ["male", "female"],
        ["C", "C++"],
        ["AA", "AA+"],
        ["10 litres", "100 litres"],
    ],
)
def test_levels_of_their_own_are_not_merged(rng, levels):
    common, rare = levels
    assert not told(table_of(level=[common] * 60 + TOWNS * 5 + [rare] * 2), rng)


def test_a_column_crowded_by_nature_is_left_alone(rng):
    letters = "abcdefgh"
    names = ["".join(rng.choice(list(letters[:3]), 7)) for _ in range(300)]
    counts = rng.integers(1, 12, 300)
    assert len(told(table_of(name=[name for name, count in zip(names, counts, strict=True) for _ in range(count)]), rng)) < 10


def test_capitals_that_are_the_habit_of_a_column_are_left_alone(rng):
    both = [form for town in TOWNS for form in (town, town.lower(), town.upper())]
    assert not told(table_of(town=both * 10), rng)


def test_other_rows_are_judged_by_the_texts_that_were_learned(rng):
    fitted = pickle.loads(pickle.dumps(Categories().fit(table_of(town=TOWNS * 30), None, rng)))
    (group,) = fitted.find(table_of(town=["Montgomory", "Sheffield", "Springfield", None]))
    assert group.positions.tolist() == [0]
    assert group.suggestions.to_list() == ["Montgomery"]


@pytest.mark.parametrize("column", [[], ["a"], ["a"] * 9, [None] * 9, [1, 2, 3], [float("nan")] * 3, [True, None], ["", " ", "a"]])
def test_odd_columns_bring_nothing(column, rng):
    assert not told(table_of(column=column), rng)


def test_the_order_of_rows_does_not_matter(rng):
    cells = [*(TOWNS * 30), "Birmingxam", "montgomery"]
    turned = [cells[place] for place in rng.permutation(len(cells))]
    assert told(table_of(town=cells), rng) == told(table_of(town=turned), rng)


def test_tax_names_with_doubled_quotes_are_found(shared, rng):
    from dqops.tables.io import read

    table = read(shared("tax/dirty.csv.gz"))
    findings = Categories().fit_find(table, None, rng)
    assert findings["categories:l_name"].at_least(0.5).count == 173
    assert findings["categories:f_name"].at_least(0.5).count == 63
