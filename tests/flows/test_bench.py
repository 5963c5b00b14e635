"""Benchmarks of strategies: the protocol is kept, results are kept, and what cannot be is said in a sentence."""

import json

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from sklearn.linear_model import Ridge

import dqops
from dqops.cli.main import main
from dqops.errors import DataError, DqopsError, OptionError, OutputError, SourceError, UnknownNameError
from dqops.strategies.expected_gain import ExpectedGain
from dqops.strategies.order import ranked_rows

FEW = {"models": ["linear"], "seeds": 2, "budgets": (0.1, 0.3), "rows": (120, 60, 200)}


def numbers(rows=300, seed=0, wild=0.1):
    """A clean and a dirty table: a number that decides the target, some of them wild or unreadable in the dirty one."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=rows).round(3)
    clean = pl.DataFrame({"size": size, "idle": rng.normal(size=rows).round(3), "y": (3 * size + 0.2 * rng.normal(size=rows)).round(3)})
    spoilt = [str(one) for one in size]
    for row in np.flatnonzero(rng.random(rows) < wild):
        spoilt[row] = "n/a?" if row % 2 else "90.0"
    return clean.with_columns(size=pl.Series(spoilt)), clean


@pytest.fixture(scope="module")
def pair():
    return numbers()


def benched(pair, **options):
    return dqops.bench(pair[0], clean=pair[1], target="y", **(FEW | options))


class Recorder(dqops.Strategy):
    """Rows in their order; remembers what it saw and what it was told, for the test."""

    name = ""
    seen: list = []

    def __init__(self):
        self.name = "recorder"

    def rank(self, table, model, holdout, rng):
        Recorder.seen.append(("rank", table, holdout))
        return ranked_rows("recorder", table, -np.arange(table.n_rows), "in order")

    def tell(self, row, column, value):
        Recorder.seen.append(("tell", row, column, value))
        return self


def test_answers_are_the_truth_and_the_rows_that_judge_are_never_shown(pair):
    Recorder.seen = []
    found = benched(pair, strategies=[Recorder], seeds=[3], renew=1)
    clean = pair[1]
    ranks = [one for one in Recorder.seen if one[0] == "rank"]
    told = [one for one in Recorder.seen if one[0] == "tell"]
    first, second = ranks[0][1], ranks[1][1]
    assert len(ranks) == 2
    assert first.n_rows == 120
    assert first.frame["size"].dtype == pl.Float64
    assert [one[1] for one in told] == first.row_ids.to_list()[:36]
    assert all(one[3] == clean.row(one[1], named=True) for one in told)
    assert second.frame[:12].equals(clean[second.row_ids.to_list()[:12]].select(second.columns))
    holdout = ranks[0][2]
    assert holdout.frame.equals(clean[holdout.row_ids.to_list()].select(holdout.columns))
    assert not set(holdout.row_ids) & set(first.row_ids)
    curve = found.to_frame().filter(pl.col("strategy") == "recorder")
    assert curve["answers"].to_list() == [0, 12, 36]
    assert curve["cost"].to_list() == [0.0, 12.0, 36.0]


def test_scores_at_both_ends_are_those_of_the_model_on_dirty_and_clean_rows(pair):
    """The same split and fit, made here by hand."""
    Recorder.seen = []
    found = benched(pair, strategies=[Recorder], seeds=[3], budgets=[1.0], models=[Ridge()])
    _, train, holdout = Recorder.seen[0]
    clean = pair[1]
    rest = sorted(set(range(clean.height)) - set(train.row_ids) - set(holdout.row_ids))
    # Half of 300 rows would train, 120 do: those left over judge nothing, so the 105 that judge are among the rest.
    full = found.cases["full"][0]
    own = Ridge().fit(clean[train.row_ids.to_list()].select("size", "idle").to_numpy(), clean[train.row_ids.to_list()]["y"].to_numpy())
    score = own.score(clean[rest].select("size", "idle").to_numpy(), clean[rest]["y"].to_numpy())
    assert full == pytest.approx(score, abs=0.01)
    assert found.to_frame().filter(pl.col("answers") == 120)["score"][0] == pytest.approx(full, abs=1e-12)


def test_the_same_seed_gives_the_same_curves_whatever_the_workers(pair):
    first = benched(pair, strategies=[ExpectedGain(), "detector"])
    second = benched(pair, strategies=["dqops", "detector"], n_jobs=2)
    assert first.to_frame().equals(second.to_frame())


def test_who_knows_what_is_wrong_wins_all_at_once(pair):
    found = benched(pair, strategies=["oracle", "detector"], seeds=4).summary()
    by_name = {one["strategy"]: one for one in found.to_dicts()}
    assert by_name["random"]["captured"] == pytest.approx(0.0, abs=1e-9)
    assert by_name["oracle"]["captured"] > 0.3
    assert by_name["oracle"]["area"] <= by_name["oracle"]["full"] + 1e-9
    assert by_name["oracle"]["to_gain"] < by_name["random"]["to_gain"] == 120


def test_errors_are_planted_in_training_rows_alone(pair):
    Recorder.seen = []
    dqops.bench(pair[1], planted={"missing_completely_at_random:idle": 0.5}, target="y", **(FEW | {"strategies": [Recorder], "seeds": [0]}))
    _, train, holdout = Recorder.seen[0]
    assert 0.3 < train.frame["idle"].null_count() / train.n_rows < 0.7
    assert train.frame["size"].null_count() == holdout.frame["idle"].null_count() == 0


def test_errors_are_planted_by_workers_of_their_own(pair):
    found = dqops.bench(pair[1], planted={"missing_completely_at_random:idle": 0.5}, target="y", **(FEW | {"strategies": ["random"], "seeds": 2, "n_jobs": 2}))
    assert found.failures().is_empty()
    assert found.cases["wrong"].min() > 0


def test_a_bench_without_a_single_curve_says_why(pair):
    with pytest.raises(DataError, match="none of the 1 cases could be played"):
        benched(pair, strategies=["random"], models=[Ridge(alpha=-1.0)], seeds=1)


def test_cells_are_asked_one_by_one(pair):
    Recorder.seen = []
    found = benched(pair, strategies=["detector", Recorder], unit="cell", cost={"size": 2.0}, seeds=1)
    told = [one for one in Recorder.seen if one[0] == "tell"]
    assert [one[2] for one in told[:3]] == ["size", "idle", "y"]
    curve = found.to_frame().filter(pl.col("strategy") == "recorder")
    assert curve["cost"][-1] <= 0.3 * 120 * 4 < curve["cost"][-1] + 2
    assert found.cases["total"][0] == 120 * 4


def test_repairs_that_are_sure_are_made_first_for_all():
    """A letter too many in a name that is written rightly everywhere else: its repair is sure."""
    rng = np.random.default_rng(0)
    city = rng.choice(["london", "paris", "berlin", "madrid"], 600)
    clean = pl.DataFrame({"city": city.tolist(), "y": (city == "paris") + rng.normal(size=600)})
    mistyped = [f"{name[:at]}{letter}{name[at:]}" for name, at, letter in zip(city, rng.integers(1, 4, 600), rng.choice(list("qxzjvw"), 600), strict=True)]
    dirty = clean.with_columns(city=pl.when(pl.Series(rng.random(600) < 0.05)).then(pl.Series(mistyped)).otherwise("city"))
    start, repaired = (benched((dirty, clean), strategies=["random"], start=one, seeds=1, rows=(300, 60, 200)).cases["wrong"][0] for one in ("dirty", "repaired"))
    assert start > 5
    assert repaired < start / 2


def test_results_are_kept_extended_and_mended(pair, tmp_path):
    path, options = tmp_path / "results.jsonl", {"strategies": ["detector"], "seeds": 2}
    whole = benched(pair, out=path, **options)
    lines = path.read_text().splitlines()
    assert len(lines) == 4
    # A kill leaves half a line: that case is run again, the others are not.
    path.write_text("\n".join([*lines[:-1], lines[-1][:40]]))
    marked = [json.loads(one) for one in lines[:-1]]
    ran = []
    again = benched(pair, out=path, progress=lambda done, total, what: ran.append((done, total)), **options)
    assert ran == [(3, 4), (4, 4)]
    assert again.to_frame().equals(whole.to_frame())
    kept = [json.loads(one) for one in path.read_text().splitlines() if one != lines[-1][:40]]
    assert kept[:3] == marked
    assert len(kept) == 4
    more = benched(pair, out=path, **(options | {"seeds": 3}))
    assert len(more) == 6
    assert len(path.read_text().splitlines()) == 7


def test_a_case_that_fails_is_told_and_the_others_stand(pair):
    found = benched(pair, strategies=["cpclean", "random"], models=["knn"])
    assert found.failures()["failed"].str.contains("is not for").all()
    assert found.summary()["strategy"].to_list() == ["random"]
    assert any("cpclean" in one for one in found.warnings)


def test_one_class_left_after_cleaning_is_told():
    """All but a few labels become one class: some training rows have one class once they are clean."""
    clean = pl.DataFrame({"x": np.arange(200.0), "y": ["b"] * 4 + ["a"] * 196})
    dirty = clean.with_columns(y=pl.when(pl.col("x") % 2 == 0).then(pl.lit("a")).otherwise(pl.lit("b")))
    found = dqops.bench(dirty, clean=clean, target="y", **(FEW | {"strategies": ["random"], "seeds": 12, "rows": (20, 20, 50)}))
    assert found.failures()["failed"].str.contains("hold one class").any()


def test_it_prints_draws_and_adds_up(pair, tmp_path):
    found = benched(pair, strategies=["detector"])
    assert "best or tied" in str(found)
    both = found + benched(pair, strategies=["detector"], name="second")
    assert both.scoring == found.scoring == "r2"
    by_size = benched(pair, strategies=["detector"], name="third", scoring="neg_mean_absolute_error")
    assert (both + by_size + both).scoring == "r2, neg_mean_absolute_error"
    assert both.summary()["set"].n_unique() == 2
    both.to_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert text.count("<polyline") == 4
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org", "")
    both.save(tmp_path / "curves.csv")
    assert pl.read_csv(tmp_path / "curves.csv").height == both.curves.height
    assert json.loads(both.to_json())["schema_version"] == 1
    with pytest.raises(OptionError, match="to be added"):
        found + benched(pair, strategies=["detector"], unit="cell")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"strategies": ["detecter"]}, UnknownNameError, "Did you mean 'detector'"),
        ({"strategies": []}, OptionError, "one or more names"),
        ({"models": []}, OptionError, "one or more models"),
        ({"models": [Ridge(), Ridge(2.0)]}, OptionError, "models of different names"),
        ({"models": ["liner"]}, UnknownNameError, "Did you mean 'linear'"),
        ({"budgets": 0}, OptionError, "numbers above 0"),
        ({"budgets": [-0.1]}, OptionError, "numbers above 0"),
        ({"budgets": [1.5], "cost": 3}, OptionError, "the cheapest answer costs that much"),
        ({"cost": -1}, OptionError, "0 or more"),
        ({"cost": {"sise": 1}}, UnknownNameError, "Did you mean 'size'"),
        ({"cost": 0}, OptionError, "cost something"),
        ({"batch": 0}, OptionError, "1 or more"),
        ({"seeds": 0}, OptionError, "1 or more"),
        ({"seeds": ["a"]}, OptionError, "integers of 0 or more"),
        ({"unit": "row"}, OptionError, "record, cell"),
        ({"start": "clean"}, OptionError, "dirty, repaired"),
        ({"scoring": "accuracy"}, OptionError, "a scorer of regression"),
        ({"planted": {"label_flips": 0.1}}, OptionError, "both it and planted="),
        ({"peers": {"cleanlap": "/nowhere"}}, UnknownNameError, "Did you mean 'cleanlab'"),
        ({"peers": {"cleanlab": "/nowhere"}}, OptionError, "the python of an environment that has it"),
        ({"rows": (10, 0, 5)}, OptionError, "1 or more"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(pair, options, error, said):
    with pytest.raises(error, match=said) as refused:
        benched(pair, **({"strategies": ["random"]} | options))
    assert isinstance(refused.value, DqopsError)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda clean: clean.head(299), "300 rows and the clean one 299"),
        (lambda clean: clean.drop("idle"), "the clean table has no column 'idle'"),
        (lambda clean: clean.with_columns(more=pl.lit(1)), "the dirty table has no column 'more'"),
    ],
)
def test_a_clean_table_of_another_shape_is_refused(pair, change, said):
    with pytest.raises(DataError, match=said):
        benched((pair[0], change(pair[1])))


def test_tables_without_anything_to_clean_are_refused(pair):
    with pytest.raises(DataError, match="hold the same"):
        benched((pair[1], pair[1]))
    one = pair[1].with_columns(y=pl.lit("a"))
    with pytest.raises(DataError, match="holds one class"):
        benched((one, one))


@pytest.mark.parametrize(
    ("planted", "error", "said"),
    [
        (None, OptionError, "clean=None: need a table without errors, or errors to plant"),
        ({}, OptionError, "a mapping from corruptions to rates"),
        ({"label_flip": 0.1}, UnknownNameError, "Did you mean 'label_flips'"),
        ({"typos": 0}, OptionError, "a share above 0"),
        ({"duplicates": 0.1}, OptionError, "adds no rows"),
        ({"label_flips": 0.1, "outliers:z": 0.2}, DataError, "cannot bear outliers"),
    ],
)
def test_errors_that_cannot_be_planted_are_refused(planted, error, said):
    frame = pl.DataFrame({"x": np.arange(100.0), "y": ["a", "b"] * 50})
    with pytest.raises(error, match=said):
        dqops.bench(frame, planted=planted, target="y", **(FEW | {"strategies": ["random"]}))


def test_files_that_hold_no_results_are_left_alone(pair, tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("one\ntwo\n")
    with pytest.raises(SourceError, match="no line of it is a case"):
        benched(pair, out=other)
    assert other.read_text() == "one\ntwo\n"
    with pytest.raises(OptionError, match="a file, not a folder"):
        benched(pair, out=tmp_path)
    with pytest.raises((OutputError, SourceError)):
        benched(pair, strategies=["random"], seeds=1, out=other / "below.jsonl")


def test_rows_go_by_their_key():
    dirty, clean = (one.with_columns(id=pl.Series([f"r{row}" for row in range(300)])) for one in numbers())
    straight = benched((dirty, clean), key="id", strategies=["random"])
    shuffled = benched((dirty, clean.sample(fraction=1.0, shuffle=True, seed=1)), key="id", strategies=["random"])
    assert straight.to_frame().equals(shuffled.to_frame())
    with pytest.raises(DataError, match="lacks ids of the key"):
        benched((dirty, clean.with_columns(id=pl.lit("z") + pl.col("id"))), key="id")


def test_the_command_writes_what_was_asked_for(pair, tmp_path):
    for name, frame in zip(("dirty", "clean"), pair, strict=True):
        frame.write_csv(tmp_path / f"{name}.csv")
    four = ["--clean", str(tmp_path / "clean.csv"), "--target", "y", "--models", "linear", "--strategies", "detector", "--seeds", "1", "--rows", "120,60,200", "--jobs", "1"]
    files = ["--out", str(tmp_path / "results.jsonl"), "--html", str(tmp_path / "page.html"), "--json", "-"]
    said = CliRunner().invoke(main, ["bench", str(tmp_path / "dirty.csv"), *four, *files])
    assert said.exit_code == 0, said.output
    assert len(json.loads(said.stdout)["summary"]) == 2
    assert (tmp_path / "page.html").exists()
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 2
    planted = CliRunner().invoke(main, ["bench", str(tmp_path / "clean.csv"), *four[2:], "--plant", "outliers=0.1", "--budgets", "0.1,0.2"])
    assert planted.exit_code == 0, planted.output
    for wrong, code in ((["--plant", "outliers"], 2), (["--plant", "outliers=much"], 2), (["--plant", "outlier=0.1"], 2), (["--budgets", "a"], 2)):
        assert CliRunner().invoke(main, ["bench", str(tmp_path / "clean.csv"), *four[2:], *wrong]).exit_code == code
