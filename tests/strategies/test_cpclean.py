"""CPClean asks for what leaves the least entropy, hears true values, and stops asking where all is certain."""

import numpy as np
import polars as pl
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import dqops
from dqops.errors import DqopsError, OptionError
from dqops.models.knn_worlds import KnnWorlds
from dqops.models.resolve import resolve_model
from dqops.strategies.cpclean import CPClean


def holed(rows=160, seed=0, holes=40):
    """Classes that follow `size`, which is empty in some rows and told roughly by `near`; and the rows without holes."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=rows).round(3)
    whole = pl.DataFrame({"size": size, "near": (size + rng.normal(size=rows)).round(3), "y": np.where(size + 0.2 * rng.normal(size=rows) > 0, "b", "a")})
    empty = np.sort(rng.choice(rows, holes, replace=False))
    return whole.with_columns(size=whole["size"].scatter(empty, [None] * holes)), whole, empty


def ready(frame, model=None):
    table = dqops.read(frame, target="y")
    return table, resolve_model(model or make_pipeline(SimpleImputer(), StandardScaler(), KNeighborsClassifier(3)), "classification").prepared(table)


def cleaned(frame, whole, rows):
    places = np.array(sorted(rows))
    return frame.with_columns([frame[name].scatter(places, whole[name].gather(places)) for name in frame.columns])


@pytest.fixture
def held():
    return dqops.read(holed(80, seed=7, holes=0)[1], target="y")


def test_the_order_is_that_of_the_expected_entropy(held):
    frame, _, empty = holed()
    table, model = ready(frame)
    strategy = CPClean()
    ranking = strategy.rank(table, model, held, np.random.default_rng(0))
    [(trained, worlds)] = strategy.state.parts
    assert trained.tolist() == list(range(160))
    fall = worlds.entropy().mean() - worlds.expected_entropy()
    lines = ranking.to_frame()
    asked = lines["row"].to_list()
    assert set(empty) <= set(asked)
    np.testing.assert_allclose(lines["gain"], np.maximum(fall[asked], 0), atol=1e-12)
    assert lines["gain"].is_sorted(descending=True)
    assert lines["column"].null_count() == len(lines)
    # What is expected of the first record is what the answers bring, in the mean over its candidates.
    first = asked[0]
    after = [_entropy(worlds.conditional(first)[one]) for one in range(len(worlds.conditional(first)))]
    weights = worlds._lists._candidate_weights[worlds._lists.start[first] : worlds._lists.start[first + 1]]
    assert lines["gain"][0] == pytest.approx(worlds.entropy().mean() - np.dot(weights, after))


def _entropy(probabilities):
    return -(probabilities * np.log(np.maximum(probabilities, 1e-300))).sum(axis=1).mean()


def test_answers_are_taken_in_and_change_only_what_they_touch(held):
    frame, whole, _ = holed()
    strategy, rng = CPClean(), np.random.default_rng(0)
    table, model = ready(frame)
    asked = strategy.rank(table, model, held, rng).to_frame()["row"].to_list()[:6]
    kept = strategy.state
    for row in asked:
        strategy.tell(row, None, whole.row(row, named=True))
    told, _ = ready(cleaned(frame, whole, asked))
    again = strategy.rank(told, model, held, rng)
    assert strategy.state is kept
    assert not set(again.to_frame()["row"]) & set(asked)
    [(_, updated)] = kept.parts
    assert not kept.open_rows[asked].any()
    points = updated._lists.points[updated._lists.start[asked]] / updated._lists._unit
    np.testing.assert_allclose(points, kept.space.encode(dqops.read(whole, target="y").take(asked)))
    # The same counts as made from nothing, of the candidates that are left.
    lists, real = updated._lists, updated._lists._candidate_weights > 0
    start = np.concatenate([[0], np.cumsum(np.add.reduceat(real, lists.start[:-1], dtype=np.int64))])
    fresh = KnnWorlds(lists.points[real], start, lists._candidate_weights[real], updated._labels, lists.tests, k=3, n_classes=2)
    np.testing.assert_allclose(updated.probabilities, fresh.probabilities, atol=1e-12)
    np.testing.assert_array_equal(updated.possible, fresh.possible)


def test_a_wrong_label_that_is_told_votes_for_the_right_class(held):
    frame, whole, _ = holed()
    wrong = frame.with_columns(y=frame["y"].scatter([3], ["a" if frame["y"][3] == "b" else "b"]))
    strategy, rng = CPClean(), np.random.default_rng(0)
    table, model = ready(wrong)
    strategy.rank(table, model, held, rng)
    strategy.tell(3, None, whole.row(3, named=True))
    strategy.rank(ready(cleaned(wrong, whole, [3]))[0], model, held, rng)
    [(_, worlds)] = strategy.state.parts
    assert worlds._labels[3] == ["a", "b"].index(whole["y"][3])


def test_it_stops_where_no_answer_can_change_a_prediction(held):
    frame, whole, empty = holed()
    strategy, rng, asked = CPClean(), np.random.default_rng(0), []
    table, model = ready(frame)
    ranking = strategy.rank(table, model, held, rng)
    while not any("all 80 judged predictions are certain" in one for one in ranking.warnings):
        row = ranking.to_frame()["row"][0]
        strategy.tell(row, None, whole.row(row, named=True))
        asked.append(row)
        ranking = strategy.rank(ready(cleaned(frame, whole, asked))[0], model, held, rng)
    assert 0 < len(asked) <= len(empty)
    # The vote of the true rows is what was certain before the rest was known.
    space = strategy.state.space
    said = _vote(space.encode(dqops.read(whole, target="y")), whole["y"].to_numpy(), space.encode(held))
    certain = strategy.state.parts[0][1].probabilities.argmax(axis=1)
    assert np.mean(np.array(["a", "b"])[certain] == said) > 0.97  # the truth need not be among the candidates


def _vote(rows, labels, tests):
    near = np.argsort(((tests[:, None] - rows[None]) ** 2).sum(axis=2), axis=1, kind="stable")[:, :3]
    return np.array([max(("a", "b"), key=lambda one, line=line: (labels[line] == one).sum()) for line in near])


def test_one_cell_may_be_told_alone(held):
    frame, whole, _ = holed()
    frame = frame.with_columns(near=frame["near"].scatter(frame["size"].is_null().arg_true()[:5], [None] * 5))
    strategy, rng = CPClean(), np.random.default_rng(0)
    table, model = ready(frame, "knn")
    strategy.rank(table, model, held, rng)
    row = int(frame["near"].is_null().arg_true()[0])
    strategy.tell(row, "size", whole["size"][row])
    told = frame.with_columns(size=frame["size"].scatter(row, whole["size"][row]))
    again = strategy.rank(ready(told, "knn")[0], model, held, rng)
    assert row in again.to_frame()["row"].to_list()  # `near` is still open
    strategy.tell(row, "near", whole["near"][row])
    again = strategy.rank(ready(told, "knn")[0], model, held, rng)
    assert row not in again.to_frame()["row"].to_list() or "missing" not in again.doubts.filter(pl.col("row") == row)["kind"][0]


def test_halves_judge_each_other_where_there_is_no_holdout():
    table, model = ready(holed()[0])
    strategy = CPClean()
    assert len(strategy.rank(table, model, None, np.random.default_rng(0)))
    (one, _), (other, _) = strategy.state.parts
    assert sorted([*one, *other]) == list(range(160))


def test_another_model_gets_a_surrogate_and_is_told_so(held):
    table, model = ready(holed()[0], LogisticRegression())
    ranking = CPClean().rank(table, model, held, np.random.default_rng(0))
    assert any("vote of 3 neighbours in the space of LogisticRegression" in one for one in ranking.warnings)
    own = CPClean().rank(*ready(holed()[0]), held, np.random.default_rng(0))
    assert not any("stands for the model" in one for one in own.warnings)


def test_what_it_cannot_do_is_refused():
    with pytest.raises(OptionError, match="k=0"):
        CPClean(k=0)
    with pytest.raises(OptionError, match="n_candidates"):
        CPClean(n_candidates=1)
    frame = holed()[1].with_columns(y=pl.Series(np.arange(160.0)))
    table = dqops.read(frame, target="y")
    with pytest.raises(DqopsError, match="classification"):
        CPClean().rank(table, resolve_model("linear", "regression").prepared(table), None, np.random.default_rng(0))
