"""Rankings: what matters first, within the budget, and updated by answers."""

import itertools
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from click.testing import CliRunner

import dqops
from dqops.cli.main import main
from dqops.errors import DataError, DqopsError, OptionError
from dqops.propagation.costs import Costs
from dqops.propagation.prioritizing import in_order

NAMES = ["rank", "row", "column", "kind", "gain", "low", "high", "cost", "reason"]


@pytest.fixture(scope="module")
def frame():
    """Wild numbers in a column that decides the target, and in one that does not."""
    rng = np.random.default_rng(0)
    size, idle = rng.normal(size=(2, 500))
    spoilt, lazy = size.copy(), idle.copy()
    for column in (spoilt, lazy):
        hit = rng.random(500) < 0.08
        column[hit] = rng.uniform(30, 90, hit.sum())
    return pl.DataFrame({"size": spoilt, "idle": lazy, "y": 3 * size + 0.3 * rng.normal(size=500)})


@pytest.fixture(scope="module")
def audit(frame):
    return dqops.audit(frame, target="y", model="linear", detectors=["outliers"], effort="quick")


def ranked(frame, audit, **options):
    return dqops.prioritize(frame, target="y", model="linear", effort="quick", audit=audit, **options)


@pytest.fixture(scope="module")
def ranking(frame, audit):
    return ranked(frame, audit)


def test_what_the_model_needs_comes_first(ranking, frame):
    lines = ranking.to_frame()
    assert lines.columns == NAMES
    wild = int((frame["size"] > 20).sum())
    assert set(lines["column"].head(wild)) == {"size"}
    assert lines["rank"].to_list() == list(range(1, len(lines) + 1))
    assert (lines["low"] <= lines["gain"]).all()
    assert (lines["gain"] <= lines["high"]).all()


def test_the_cells_of_a_group_add_up_to_it(ranking, audit):
    size = ranking.to_frame().filter(pl.col("column") == "size")
    whole = audit.gains.of("outliers:size").potential
    assert size["gain"].sum() == pytest.approx(whole.expected, rel=0.2)  # shrunken a little


def test_the_budget_is_kept_whatever_the_costs(frame, audit):
    for budget in (1, 7.5, 40):
        told = ranked(frame, audit, budget=budget, cost={"size": 1.5, "setup": {"idle": 3}})
        assert len(told) == 0 or told.costs()[-1] <= budget


def test_dear_columns_come_later(frame, audit):
    told = ranked(frame, audit, cost={"size": 1e9}, risk="upper")
    assert told.to_frame()["column"][0] == "idle"


def test_the_curve_rises_and_spends_what_is_stated(ranking):
    curve = ranking.curve()
    assert curve["spent"].to_list() == list(range(1, len(ranking) + 1))
    assert (curve["expected"].diff().drop_nulls() >= 0).all()


def test_it_tells_when_to_stop(ranking):
    assert ranking.worth(price=1e6)
    assert not ranking.worth(price=1e-9)


def test_greedy_is_never_worse_than_the_best_single_doubt_and_within_the_budget(rng):
    for _ in range(30):
        n = 8
        gains, costs = rng.random(n), rng.choice([1.0, 2.0, 5.0], n)
        doubts = pl.DataFrame({"row": range(n), "column": ["a"] * n, "kind": ["outliers"] * n, "gain": gains, "low": gains, "high": gains, "cost": costs, "reason": ["x"] * n})
        budget = float(rng.integers(1, 12))
        if budget < costs.min():
            continue
        chosen, _ = in_order(doubts, Costs(), budget=budget)
        best = max(gains[list(some)].sum() for size in range(n + 1) for some in itertools.combinations(range(n), size) if costs[list(some)].sum() <= budget)
        assert chosen["cost"].sum() <= budget
        assert chosen["gain"].sum() >= best / 2


def test_exploration_draws_from_all_doubts_and_loses_none(frame, audit, ranking):
    told = ranked(frame, audit, explore=0.2)
    drawn = told.to_frame().filter(pl.col("reason").str.contains("at random"))
    assert 0.1 < len(drawn) / len(told) < 0.3
    pairs = told.to_frame().select("row", "column")
    assert pairs.n_unique() == len(told)
    assert ranking.to_frame().select("row", "column").join(pairs, on=["row", "column"], how="anti").is_empty()


def test_free_doubts_come_first(frame, audit):
    told = ranked(frame, audit, cost={"idle": 0}, risk="upper")
    assert set(told.to_frame()["column"].head(3)) == {"idle"}


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"budget": 0}, OptionError, "the cheapest doubt costs that much"),
        ({"budget": 0.5}, OptionError, "1 or more"),
        ({"budget": -1}, OptionError, "0 or more"),
        ({"cost": -2}, OptionError, "0 or more"),
        ({"cost": {"size": None}}, OptionError, "0 or more"),
        ({"cost": float("nan")}, OptionError, "0 or more"),
        ({"cost": {"sise": 2}}, DqopsError, "Did you mean 'size'"),
        ({"risk": "bold"}, OptionError, "mean, lower, upper"),
        ({"explore": 1.0}, OptionError, "\\[0, 1\\)"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(frame, audit, options, error, said):
    with pytest.raises(error, match=said):
        ranked(frame, audit, **options)


def test_an_audit_of_another_table_is_refused(frame, audit):
    with pytest.raises(DataError, match="another table"):
        ranked(frame.head(400), audit)


def test_a_clean_table_has_nothing_to_rank():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    told = dqops.prioritize(pl.DataFrame({"x": x, "y": x > 0}), target="y", model="linear", effort="quick", detectors=["missing"])
    assert len(told) == 0
    assert "nothing is worth resolving" in str(told)
    assert told.next(5).expected == 0


def test_the_command_ranks_and_writes(frame, tmp_path):
    path, out = tmp_path / "t.csv", tmp_path / "doubts.csv"
    frame.write_csv(path)
    command = ["prioritize", str(path), "--target", "y", "--model", "linear", "--detectors", "outliers", "--effort", "quick", "--budget", "12"]
    done = CliRunner().invoke(main, [*command, "--cost", "2", "--json", "-", "--out", str(out), "--price", "10"])
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert len(told["doubts"]) == 6
    assert pl.read_csv(out).columns == NAMES
    assert "at your price" in done.stderr
    assert CliRunner().invoke(main, [*command, "--cost", "much"]).exit_code == 2


def test_settings_may_stand_in_a_file(frame, tmp_path):
    path, settings = tmp_path / "t.csv", tmp_path / "dqops.toml"
    frame.write_csv(path)
    settings.write_text('[prioritize]\nbudget = 3\nmodel = "linear"\neffort = "quick"\ndetectors = "outliers"\n')
    done = CliRunner().invoke(main, ["prioritize", str(path), "--target", "y", "--json", "-", "--config", str(settings)])
    assert done.exit_code == 0, done.output
    assert len(json.loads(done.stdout)["doubts"]) == 3


def test_models_of_the_folds_are_fitted_once_for_all_findings(frame, audit, monkeypatch):
    from dqops.models.resolve import Model

    fits, fit = [], Model.fit
    monkeypatch.setattr(Model, "fit", lambda *given, **options: fits.append(1) or fit(*given, **options))
    ranked(frame, audit)
    assert len(audit.findings) == 2
    assert len(fits) == 5


@pytest.fixture(scope="module")
def prioritizer(frame):
    X = frame.select("size", "idle").to_pandas()
    return lambda: dqops.CleaningPrioritizer(model="linear", effort="quick").fit(X, frame["y"].to_numpy())


def test_asked_told_and_retracted(prioritizer, frame):
    ours = prioritizer()
    (row, column), *_ = ours.ask(1).select("row", "column").iter_rows()
    ours.tell(row, column, 0.25)
    assert ours.cleaned()[column].iloc[row] == 0.25
    assert (row, column) not in ours.ranking_.to_frame().select("row", "column").rows()
    ours.retract(row, column)
    assert ours.cleaned()[column].iloc[row] == frame[column][row]
    assert (row, column) in ours.ranking_.to_frame().select("row", "column").rows()


def test_answers_that_find_doubts_wrong_lower_the_rest(prioritizer, frame):
    ours = prioritizer()
    before = ours.ranking_.to_frame().filter(pl.col("column") == "size")["gain"].max()
    for row in ours.ask(5)["row"]:
        ours.tell(row, "size", frame["size"][row])  # it was right after all
    after = ours.ranking_.to_frame().filter(pl.col("column") == "size")["gain"].max()
    assert after < before


def test_answers_that_cannot_be_are_refused(prioritizer):
    ours = prioritizer()
    with pytest.raises(DataError, match="row 99999"):
        ours.tell(99999, "size", 1.0)
    with pytest.raises(DqopsError, match="Did you mean 'size'"):
        ours.tell(0, "sise", 1.0)
    with pytest.raises(DataError, match="cannot stand in column 'size'"):
        ours.tell(0, "size", "large")
    with pytest.raises(DataError, match="no answer"):
        ours.retract(0, "size")


def test_arrays_are_taken(frame):
    X = frame.select("size", "idle").to_numpy()
    ours = dqops.CleaningPrioritizer(model="linear", effort="quick").fit(X, frame["y"].to_numpy())
    assert set(ours.ask(3)["column"]) == {"x0"}
    with pytest.raises(DataError, match="as many labels as rows"):
        dqops.CleaningPrioritizer().fit(X, [1, 2])
    assert isinstance(ours.cleaned(), pd.DataFrame)
