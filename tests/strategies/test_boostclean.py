"""BoostClean ranks by what repairs were measured to add, and says which it chose."""

import numpy as np
import polars as pl
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import dqops
from dqops.errors import DqopsError, OptionError
from dqops.models.resolve import resolve_model
from dqops.strategies.boostclean import BoostClean


def tables(rows=300, seed=0, classes=2):
    """Clean rows; the same with wild cells in the column that tells the class, and holes in one that tells nothing; clean rows to judge."""
    rng = np.random.default_rng(seed)
    size, idle = rng.normal(size=2 * rows).round(3), rng.normal(size=2 * rows).round(3)
    label = np.digitize(size + 0.3 * rng.normal(size=2 * rows), [0.0] if classes == 2 else [-0.5, 0.5])
    whole = pl.DataFrame({"size": size, "idle": idle, "y": [f"c{one}" for one in label]})
    clean, number = whole[:rows], np.arange(rows)
    dirty = clean.with_columns(
        size=pl.Series(np.where(number % 7 == 0, -80.0 * np.sign(size[:rows]), size[:rows])),
        idle=pl.Series(np.where(number % 5 == 1, np.nan, idle[:rows])).fill_nan(None),
    )
    return clean, dirty, dqops.read(whole[rows:], target="y")


def ready(frame):
    table = dqops.read(frame, target="y")
    return table, resolve_model(make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()), "classification").prepared(table)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("with_holdout", [True, False])
def test_records_whose_repair_helps_come_first(classes, with_holdout):
    _, dirty, held = tables(classes=classes)
    table, model = ready(dirty)
    strategy = BoostClean()
    ranking = strategy.rank(table, model, held if with_holdout else None, np.random.default_rng(0))
    first = ranking.doubts["row"].head(30).to_numpy()
    assert np.mean(first % 7 == 0) > 0.8
    before, single, voted = strategy.accuracy
    assert voted > before + 0.05
    assert single > before
    assert any("size" in name for name, _ in strategy.chosen)
    assert sum(weight for _, weight in strategy.chosen) == pytest.approx(1)
    assert any("is right on" in one for one in ranking.warnings)
    assert any("recorded labels" in one for one in ranking.warnings) != with_holdout
    assert "of accuracy to the vote" in ranking.doubts["reason"][0]


def test_answers_are_taken_out_and_repairs_measured_again_after_many():
    clean, dirty, held = tables()
    table, model = ready(dirty)
    strategy, rng = BoostClean(), np.random.default_rng(0)
    ranking = strategy.rank(table, model, held, rng)
    first = strategy.accuracy[0]
    rows = ranking.doubts["row"].head(3).to_list()
    for row in rows:
        strategy.tell(row, None, clean.row(row, named=True))
    again = strategy.rank(table, model, held, rng)
    assert not set(again.doubts["row"]) & set(rows)
    assert strategy.accuracy[0] == first
    wild = np.arange(0, 300, 7)
    for row in wild.tolist():
        strategy.tell(row, None, clean.row(row, named=True))
    told = dqops.read(dirty.with_columns(size=dirty["size"].scatter(wild, clean["size"].gather(wild))), target="y")
    strategy.rank(told, model, held, rng)
    assert strategy.accuracy[0] > first + 0.05


def test_a_clean_table_has_no_repair_that_helps():
    clean, _, held = tables()
    table, model = ready(clean)
    ranking = BoostClean().rank(table, model, held, np.random.default_rng(0))
    assert ranking.doubts["gain"].head(1).fill_null(0).sum() < 0.01


def test_what_it_cannot_do_is_refused():
    with pytest.raises(OptionError, match="rounds"):
        BoostClean(rounds=0)
    with pytest.raises(OptionError, match="most_repairs"):
        BoostClean(most_repairs=True)
    frame = tables()[0].with_columns(y=pl.Series(np.linspace(0, 1, 300)))
    table = dqops.read(frame, target="y")
    with pytest.raises(DqopsError, match="classification"):
        BoostClean().rank(table, resolve_model("linear", "regression").prepared(table), None, np.random.default_rng(0))
