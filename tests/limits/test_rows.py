"""Rows that are looked at, points that they become, and models that are judged on rows of their own."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom
from threadpoolctl import threadpool_limits

from dqops.errors import DataError
from dqops.limits.answer import one_sided
from dqops.limits.embeddings import embeddings
from dqops.limits.metric import check_target, metric_of
from dqops.limits.near import near_engine
from dqops.limits.reach import contenders, reach, reached
from dqops.limits.remembered import Remembered, clopper_pearson
from dqops.limits.rows import gather
from dqops.limits.spanning import differing_share
from dqops.models import resolve_model
from dqops.tables.io import read


def frame_of(rng, n_rows=120):
    x = rng.normal(size=n_rows)
    return pl.DataFrame({"x": x, "kind": rng.choice(["a", "b", "c"], n_rows), "y": np.where(x + rng.normal(size=n_rows) > 0, "yes", "no")})


def gathered(frame, holdout=None, task="classification", max_rows=10_000, **roles):
    held = None if holdout is None else read(holdout, target="y", **roles)
    return gather(read(frame, target="y", **roles), held, task, max_rows, 0)


def test_rows_without_a_target_are_left_out(rng):
    frame = frame_of(rng).with_columns(y=pl.when(pl.int_range(pl.len()) < 100).then("y"))
    rows = gathered(frame)
    assert (rows.table.n_rows, rows.n_known, rows.held, rows.copies) == (100, 100, False, 0)
    assert rows.classes.tolist() == ["no", "yes"]


@pytest.mark.parametrize("shift", [0.0, 1e-13])
def test_a_holdout_that_repeats_the_table_gives_nothing_away(rng, shift):
    frame = frame_of(rng)
    rows = gathered(frame, frame.head(60).with_columns(pl.col("x") * (1 + shift)))
    assert rows.copies >= 59
    engine, _ = near_engine(rows, "classes", 0)
    assert engine.curves()[0].losses[0] > 0.15  # not 0, as it were with each row beside its copy
    assert not np.isin(rows.table.frame["x"].round(9)[: rows.n_known], rows.table.frame["x"].round(9)[rows.n_known :]).any()


def test_a_holdout_that_is_the_table_itself_leaves_nothing_to_learn_from(rng):
    frame = frame_of(rng)
    with pytest.raises(DataError, match="different rows"):
        gathered(frame, frame)
    rows = gathered(frame, frame.head(90))
    assert (rows.n_known, len(rows.judged), rows.copies) == (30, 90, 90)


def test_of_copies_one_stays_and_contradictions_are_counted(rng):
    frame = frame_of(rng)
    other = frame.head(30).with_columns(y=pl.when(pl.col("y") == "yes").then(pl.lit("no")).otherwise(pl.lit("yes")))
    rows = gathered(pl.concat([frame, other]))
    assert (rows.table.n_rows, rows.copies, rows.contradicting) == (120, 30, 30)


def test_rows_that_chance_makes_equal_are_no_copies(rng):
    frame = pl.DataFrame({"a": rng.choice(["u", "v"], 400), "b": rng.choice([1, 2, 3], 400), "y": rng.choice(["no", "yes"], 400)})
    assert gathered(frame).copies == 0


def test_too_few_rows_are_refused(rng):
    with pytest.raises(DataError, match="19 different rows have a known target"):
        gathered(frame_of(rng, 19))


def test_rows_that_differ_are_apart_in_every_embedding(rng):
    n_rows = 300
    frame = pl.DataFrame(
        {
            "number": rng.choice([1.5, 2.0, 40.0, np.nan], n_rows),
            "level": rng.choice(["u", "v", "w", ""], n_rows),
            "flag": rng.choice([True, False], n_rows),
            "day": rng.choice(np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[D]"), n_rows),
            "same": ["one"] * n_rows,
            "y": rng.choice(["no", "yes"], n_rows),
        }
    )
    found, lossy = embeddings(read(frame, target="y"))
    assert lossy == ()
    assert [one.name for one in found] == ["standardised", "ranked", "whitened"]
    kinds = frame.drop("y").select(pl.concat_str(pl.all().cast(pl.String), separator="|").rank("dense")).to_series().to_numpy()
    for one in found:
        told = np.unique(one.points.round(3), axis=0, return_inverse=True)[1]
        pairs = {(kind, place) for kind, place in zip(kinds.tolist(), told.tolist(), strict=True)}
        assert len(pairs) == len(set(kinds.tolist())) == len(set(told.tolist())), one.name
        assert np.isfinite(one.points).all()


def test_points_are_the_same_whatever_the_threads(rng):
    table = read(pl.DataFrame({f"x{column}": rng.normal(size=3000) for column in range(40)} | {"y": rng.integers(2, size=3000)}), target="y")
    told = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            told.append([one.points for one in embeddings(table)[0]])
    for first, second in zip(*told, strict=True):
        np.testing.assert_array_equal(first, second)


def test_texts_are_read_in_part_and_said_to_be(rng):
    frame = pl.DataFrame({"note": [f"word{rng.integers(1000)} of {rng.integers(1000)}" for _ in range(200)], "y": rng.choice(["no", "yes"], 200)})
    found, lossy = embeddings(read(frame, target="y"))
    assert lossy == ("note",)
    assert found[0].points.shape == (200, 10)
    assert found[0].usual == pytest.approx(2, rel=0.01)


def test_a_table_of_one_value_has_no_points():
    frame = pl.DataFrame({"x": [1.0] * 30, "y": ["no", "yes"] * 15})
    assert embeddings(read(frame, target="y")) == ([], ())


def test_rows_of_classes_that_are_hardly_there_may_all_be_right(rng):
    """Two classes that nothing foretells, and a third of the rows in classes of their own: half of the others is wrong."""
    label = np.where(np.arange(600) < 400, rng.choice(["a", "b"], 600), [f"c{row}" for row in range(600)])
    rows = gathered(pl.DataFrame({"x": rng.normal(size=600), "y": label}))
    engine, _ = near_engine(rows, "classes", 0)
    assert (engine.n_classes, engine.share) == (2, pytest.approx(2 / 3))
    assert 0.1 < engine.least(one_sided).low < 1 / 3
    alone, _ = near_engine(gathered(pl.DataFrame({"x": rng.normal(size=60), "y": [f"c{row}" for row in range(60)]})), "classes", 0)
    assert alone is None


def test_few_judged_rows_say_little(rng):
    """All of twenty rows disagree with their neighbours: that may be luck, however equal they are."""
    frame = pl.DataFrame({"x": np.linspace(0, 1, 200), "y": ["no", "yes"] * 100})
    held = pl.DataFrame({"x": np.linspace(0.001, 0.9, 20), "y": ["no"] * 20})
    engine, _ = near_engine(gathered(frame, held.with_columns(y=pl.when(pl.int_range(20) < 3).then(pl.lit("yes")).otherwise("y"))), "classes", 0)
    assert engine.curves()[0].stderr[0] > 0.08
    assert near_engine(gathered(frame, held.head(19)), "classes", 0)[0] is None


@pytest.mark.parametrize(("errors", "count"), [(0, 1), (0, 50), (3, 50), (50, 50), (200, 1000)])
def test_limits_of_a_share_are_those_of_the_binomial(errors, count):
    low, high = clopper_pearson(errors, count)
    assert 0 <= low <= errors / count <= high <= 1
    if errors:
        assert binom.sf(errors - 1, count, low) == pytest.approx(0.05)
    if errors < count:
        assert binom.cdf(errors, count, high) == pytest.approx(0.05)


def test_the_best_model_is_judged_on_rows_of_its_own(rng):
    rows = gathered(frame_of(rng, 400))
    best = reach(rows, "classification", "accuracy", contenders(("linear", "boosting"), "classification", None, 0), own=None, seed=0, tell=lambda *_: None)
    assert best.trained + len(best.labels) == 400
    assert best.model.name == "linear"
    told = reached("linear", best.said, best.labels, best.trained, "accuracy", 0)
    wrong = int((best.said.predicted != best.labels).sum())
    assert told.score == pytest.approx(1 - wrong / len(best.labels))
    assert told.low == pytest.approx(1 - clopper_pearson(wrong, len(best.labels))[1])
    assert told.low < told.score < told.high


@pytest.mark.parametrize("scoring", ["roc_auc", "neg_log_loss", "f1_macro", "accuracy"])
def test_a_model_is_remembered_as_it_spoke(rng, scoring):
    table = read(frame_of(rng), target="y")
    fitted = resolve_model("linear", "classification").prepared(table).fit(table)
    said = Remembered.of(fitted, table)
    labels = np.array(table.frame["y"].to_list(), dtype=object)
    assert said.score(labels, scoring) == pytest.approx(fitted.score(table, scoring))
    low, high = said.interval(labels, scoring, rng)
    assert low < said.score(labels, scoring) < high


def test_the_spanning_tree_of_a_line():
    """Five rows in a line, classes 0 0 1 1 0: two of four edges join unlike classes."""
    near = np.array([[1, 2], [0, 2], [1, 3], [2, 4], [3, 2]])
    closeness = np.array([[1.0, 4.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 4.0]])
    assert differing_share(near, closeness, np.array([0, 0, 1, 1, 0])) == 0.5


@pytest.mark.parametrize(
    ("scoring", "task", "unit", "bounded"),
    [
        ("accuracy", "classification", "1 - accuracy", True),
        ("roc_auc", "classification", "1 - accuracy", False),
        ("r2", "regression", "1 - R2", True),
        ("neg_root_mean_squared_error", "regression", "root mean squared error", True),
        ("neg_mean_absolute_error", "regression", "mean absolute error", True),
        ("max_error", "regression", "1 - R2", False),
    ],
)
def test_what_is_known_of_a_scorer(scoring, task, unit, bounded):
    metric = metric_of(scoring, task)
    assert (metric.unit, metric.bounded) == (unit, bounded)


@pytest.mark.parametrize(
    ("target", "scoring", "said"),
    [
        (1.2, "accuracy", "from 0 to 1"),
        (95, "accuracy", "95% is 0.95"),
        (-0.1, "roc_auc", "from 0 to 1"),
        (3.2, "neg_mean_absolute_error", "an error of 3.2 is the score -3.2"),
        (1.1, "r2", "1 at most"),
        (-2, "matthews_corrcoef", "from -1 to 1"),
        (float("nan"), "accuracy", "a finite number"),
        ("0.9", "accuracy", "a finite number"),
        (True, "accuracy", "a finite number"),
    ],
)
def test_goals_that_no_score_can_have(target, scoring, said):
    with pytest.raises(ValueError, match=said):
        check_target(target, scoring)
