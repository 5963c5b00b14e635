"""The strategy dqops: what costs the model comes first, and answers tell how sure the signs are."""

import numpy as np
import polars as pl
from contract import table_of
from contract_strategies import ranked, to_ask

from dqops.models.resolve import resolve_model
from dqops.strategies.expected_gain import ExpectedGain


def measured(rows=400, seed=0):
    """A number that decides the target and one that does not; every tenth cell of each is empty, in other rows."""
    rng = np.random.default_rng(seed)
    size, idle = rng.normal(size=(2, rows))
    place = np.arange(rows)
    clean = pl.DataFrame({"size": size, "idle": idle, "y": 3 * size + 0.1 * rng.normal(size=rows)})
    dirty = clean.with_columns(
        size=pl.when(pl.Series(place % 10 == 0)).then(None).otherwise("size"),
        idle=pl.when(pl.Series(place % 10 == 5)).then(None).otherwise("idle"),
    )
    return dirty, clean


def order_of(ranking):
    """Rows in the order of their summed worth."""
    summed = ranking.doubts.group_by("row", maintain_order=True).agg(pl.col("gain").sum())
    return summed.sort("gain", descending=True, maintain_order=True)["row"].to_numpy()


def asked(strategy, dirty, holdout, model="forest", seed=0):
    table = table_of(dirty)
    made = resolve_model(model, "regression").prepared(table)
    return strategy.rank(table, made, None if holdout is None else table_of(holdout), np.random.default_rng(seed))


def test_wrong_labels_come_first():
    rows = order_of(ranked(ExpectedGain, to_ask()))[:15]
    assert (rows % 8 == 0).sum() >= 10


def test_empty_cells_that_matter_come_before_those_that_do_not():
    dirty, _ = measured()
    for holdout in (measured(150, seed=1)[1], None):
        places = np.argsort(order_of(asked(ExpectedGain(), dirty, holdout)))
        assert np.median(places[::10]) < 60 < np.median(places[5::10])


def test_a_wild_number_costs_a_linear_model_more_than_an_empty_cell():
    dirty, clean = measured()
    wild = dirty.with_columns(idle=pl.when(pl.int_range(pl.len()) == 7).then(1e9).otherwise("idle"))
    assert order_of(asked(ExpectedGain(), wild, clean[:100], "linear"))[0] == 7


def test_answered_records_are_not_asked_again():
    dirty, clean = measured()
    strategy = ExpectedGain()
    first = order_of(asked(strategy, dirty, clean[:100]))[:20].tolist()
    for row in first:
        strategy.tell(row, None, clean.row(row, named=True))
    assert not set(first) & set(order_of(asked(strategy, dirty, clean[:100])).tolist())


def test_signs_that_answers_find_wrong_count_for_less():
    """Wild cells of one column turn out to be right each time, wrong targets turn out to be wrong."""
    rng = np.random.default_rng(0)
    size, idle = rng.normal(size=(2, 300))
    idle[::5] = rng.uniform(50, 90, 60)
    clean = pl.DataFrame({"size": size, "idle": idle, "y": 3 * size + 0.1 * rng.normal(size=300)})
    dirty = clean.with_columns(y=pl.when(pl.int_range(pl.len()) % 7 == 1).then(-pl.col("y") + 4).otherwise("y"))
    strategy = ExpectedGain()
    table = table_of(dirty)
    asked(strategy, dirty, clean[:60])
    flagged = strategy._doubt(table) >= 0.5
    assert flagged[::5].all()
    for row in [*range(0, 150, 5), *range(1, 150, 7)]:
        strategy.tell(row, None, clean.row(row, named=True))
    signs = np.array([strategy.signs[row][:2] for row in range(300)])
    sure = strategy._surety(table, signs[:, 0], signs[:, 1], np.linspace(0, 1, 60))
    wrong = np.arange(300) % 7 == 1
    assert sure[flagged & ~wrong].mean() < 0.5 < sure[wrong & ~flagged].mean()


def test_cells_can_be_told_one_by_one():
    dirty, clean = measured()
    strategy = ExpectedGain()
    asked(strategy, dirty, clean[:100])
    strategy.tell(0, "size", clean["size"][0])
    lines = asked(strategy, dirty, clean[:100]).doubts.filter(pl.col("row") == 0)
    assert lines["column"].to_list() == ["y"]
