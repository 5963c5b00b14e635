"""The strategy dqops: what costs the model comes first, and answers tell how sure the signs are."""

import numpy as np
import polars as pl
from contract import table_of
from contract_strategies import ranked, to_ask

from dqops.models.resolve import resolve_model
from dqops.strategies.expected_gain import (
    _LEAST,
    ExpectedGain,
    _any_wrong,
    _excess,
    _open_cells,
    _pulled,
    _pulls,
    _scores_for,
    _shared_out,
    _strange,
    panel_of,
)


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
    wild = dirty.with_columns(size=pl.when(pl.int_range(pl.len()) == 7).then(1e9).otherwise("size"))
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
    wrong = np.arange(300) % 7 == 1
    dirty = clean.with_columns(y=pl.when(pl.Series(wrong)).then(-pl.col("y") + 4).otherwise("y"))
    strategy, table = ExpectedGain(), table_of(dirty)
    asked(strategy, dirty, clean[1::5][:12])
    before = _any_wrong(_open_cells(strategy.lines, strategy._answers(), table), 300)
    assert (before[::5] >= 0.5).all()
    for row in [*range(0, 150, 5), *range(1, 150, 7)]:
        strategy.tell(row, None, clean.row(row, named=True))
    after = _any_wrong(_open_cells(strategy.lines, strategy._answers(), table), 300)
    assert after[155::5].mean() < 0.25
    rows = order_of(asked(strategy, dirty, clean[1::5][:12]))[:15]
    assert wrong[rows].mean() > 0.8


def test_what_known_rows_show_too_is_no_sign():
    """One column is as often empty among rows that are known to be right, the other never is."""
    rng = np.random.default_rng(0)
    here, there = (np.arange(rows) % 4 == 1 for rows in (400, 200))
    usual, odd = (pl.Series(rng.normal(size=rows)) for rows in (400, 200))
    dirty = pl.DataFrame({"usual": usual, "odd": rng.normal(size=400), "y": rng.normal(size=400)}).with_columns(
        usual=pl.when(pl.Series(here)).then(None).otherwise("usual"), odd=pl.when(pl.Series(np.roll(here, 1))).then(None).otherwise("odd")
    )
    clean = pl.DataFrame({"usual": odd, "odd": rng.normal(size=200), "y": rng.normal(size=200)}).with_columns(usual=pl.when(pl.Series(there)).then(None).otherwise("usual"))
    strategy = ExpectedGain()
    asked(strategy, dirty, clean)
    scores = dict(strategy.lines.filter(pl.col("kind") == "missing").group_by("column").agg(pl.col("score").mean()).iter_rows())
    assert scores["usual"] < 0.15 < 0.95 < scores["odd"]


def test_values_that_known_rows_do_not_hold_are_strange():
    """Codes of which many are new; a value that stands for anything; numbers, which are all new and mean nothing."""
    rng = np.random.default_rng(0)
    right = rng.integers(1, 5, 200)
    ours = rng.integers(1, 5, 400)
    ours[:80] = np.arange(100, 180)
    ours[80:240] = 2
    found = _strange(pl.Series("code", np.concatenate([ours, right])), 400).filter(pl.col("score") > 0.1)
    assert set(found.filter(pl.col("kind") == "new")["place"]) == set(range(80))
    assert set(found.filter(pl.col("kind") == "common")["place"]) == set(np.flatnonzero(ours == 2))
    assert not _strange(pl.Series("number", rng.normal(size=600)), 400).height


def test_losses_beyond_those_of_right_rows_mean_errors():
    rng = np.random.default_rng(0)
    right, ours = rng.random(200), rng.random(400)
    assert _excess(ours, np.ones(400), right).mean() < 0.1
    ours[:100] = rng.uniform(1, 2, 100)
    wrong = _excess(ours, np.ones(400), right)
    assert wrong[:100].min() > 0.9 > 0.2 > wrong[100:].mean()
    assert (np.diff(wrong[np.argsort(ours)]) >= 0).all()
    assert _excess(ours, np.zeros(400), right).max() == 0.0


def labelled(rows, seed):
    """A class that one number decides but for a fifth of the rows, and a number that tells nothing."""
    rng = np.random.default_rng(seed)
    size, idle = rng.normal(size=(2, rows))
    label = np.where((size > 0) ^ (rng.random(rows) < 0.2), "up", "down")
    return pl.DataFrame({"size": size, "idle": idle, "y": label})


def test_a_panel_accuses_nobody_where_losses_are_those_of_right_rows():
    """The least that keeps the order going is not shared out: it would make hard labels sure to be wrong."""
    rows = table_of(labelled(200, 0))
    model, known = resolve_model("linear", "classification").prepared(rows), np.arange(200) >= 120
    assert (_shared_out(np.full(120, _LEAST), panel_of(rows, known, model, 0).wrong) <= 1e-3).all()
    some = _shared_out(np.full(120, 0.2), panel_of(rows, known, model, 0).wrong)
    assert some.max() > 0.5
    assert 0.7 * 120 * 0.18 < some.sum() <= 120 * 0.18 + 0.1


def test_pulls_are_those_of_labels_that_harm_right_rows():
    clean, right = labelled(300, 0), table_of(labelled(200, 1))
    wrong = np.arange(300) % 6 == 0
    table = table_of(clean.with_columns(y=pl.when(pl.Series(wrong)).then(pl.when(pl.col("size") > 0).then(pl.lit("down")).otherwise(pl.lit("up"))).otherwise("y")))
    for name in ("linear", "forest"):
        pulls = _pulls(table, right, resolve_model(name, "classification").prepared(table), 0)
        assert pulls.shape == (300,)
        assert pulls.min() == 0.0
        assert pulls[wrong].mean() > 2 * pulls[~wrong].mean()


def test_a_pull_brings_doubtful_records_forward_and_keeps_the_sum():
    worth, wrong = np.array([0.4, 0.4, 0.2, 0.0]), np.array([0.8, 0.8, 0.4, 0.0])
    mixed = _pulled(worth, wrong, np.array([0.0, 2.0, 0.0, 9.0]))
    assert np.isclose(mixed.sum(), worth.sum())
    assert mixed[1] > worth[1] > mixed[0] > mixed[2] > mixed[3] == 0.0
    assert (_pulled(worth, wrong, np.zeros(4)) == worth).all()


def test_logarithms_are_taken_of_probabilities_that_are_never_nothing():
    votes, odds = np.array([[0.0, 1.0], [0.4, 0.6]]), np.array([[0.1, 0.9], [0.4, 0.6]])
    assert _scores_for(votes, "classification")(votes) is votes
    assert np.allclose(_scores_for(odds, "classification")(np.array([[0.0, 1.0]])), [[np.log(1e-9), 0.0]])
    assert _scores_for(votes, "regression")(votes) is votes


def test_which_empty_cells_are_filled_does_not_go_with_labels():
    """Most cells of a column are empty; labels that surprise do not bring their records forward."""
    rng = np.random.default_rng(0)
    size, other = rng.normal(size=(2, 300))
    label = np.where(size + other + rng.normal(size=300) > 0, "up", "down")
    clean = pl.DataFrame({"size": size, "other": other, "y": label})
    dirty = clean.with_columns(size=pl.when(pl.int_range(pl.len()) % 10 > 0).then(None).otherwise("size"))
    table, holdout = (table_of(part) for part in (dirty[:200], clean[200:]))
    model = resolve_model("forest", "classification").prepared(table)
    first = order_of(ExpectedGain().rank(table, model, holdout, np.random.default_rng(0)))
    first = first[first % 10 > 0]
    surprise = (label[:200] == "up") != (other[:200] > 0)
    assert abs(surprise[first[:80]].mean() - surprise[first].mean()) < 0.15


def test_cells_can_be_told_one_by_one():
    dirty, clean = measured()
    strategy = ExpectedGain()
    asked(strategy, dirty, clean[:100])
    strategy.tell(0, "size", clean["size"][0])
    lines = asked(strategy, dirty, clean[:100]).doubts.filter(pl.col("row") == 0)
    assert lines["column"].to_list() == ["y"]
