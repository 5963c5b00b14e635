"""Strategies by name in the prioritiser: their order, their costs, and what is refused."""

import json

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from contract_strategies import to_ask

import dqops
from dqops.cli.main import main
from dqops.errors import DataError, DqopsError, OptionError, UnknownNameError
from dqops.strategies.order import ranked_rows


def ranked(strategy, frame=None, model="linear", **options):
    return dqops.prioritize(to_ask() if frame is None else frame, target="y", model=model, strategy=strategy, **options)


@pytest.mark.parametrize("strategy", ["data_oob", "knn_shapley", "influence"])
def test_wrong_labels_come_first(strategy):
    asked = ranked(strategy).head(15).to_frame()["row"].to_list()
    # Of 15 drawn at random 1.9 would be wrong, with a standard deviation of 1.2.
    assert sum(row % 8 == 0 for row in asked) >= 6


def test_doubtful_cells_come_by_their_score():
    lines = ranked("detector").to_frame()
    wild = lines.filter(pl.col("column") == "wide").head(6)
    assert set(wild["row"]) == {5, 25, 45, 65, 85, 105}
    assert lines["gain"].is_sorted(descending=True)


def test_a_random_order_favours_nobody():
    orders = [ranked("random", seed=seed).to_frame()["row"].to_numpy() for seed in range(40)]
    places = np.mean([np.argsort(order) for order in orders], axis=0)
    # A mean of 40 places out of 120 has a standard error of 5.5.
    assert abs(places - 59.5).max() < 5 * 5.5


def test_an_instance_or_a_class_is_taken_too():
    class Last(dqops.Strategy):
        """The last row first."""

        name = ""

        def rank(self, table, model, holdout, rng):
            return ranked_rows("last", table, np.arange(table.n_rows), "it is late")

    assert ranked(Last).to_frame()["row"][0] == 119
    assert ranked(Last()).to_frame()["row"][0] == 119


def test_the_budget_is_kept_in_the_order_of_the_strategy():
    whole = ranked("influence").to_frame()["row"].to_list()
    some = ranked("influence", budget=10, cost={"record": 2, "rows": {whole[0]: 100}})
    assert some.to_frame()["row"].to_list() == whole[1:6]
    assert some.left_out == 115


def test_influence_of_a_model_that_is_not_linear_is_that_of_a_linear_one_in_its_space():
    ranking = ranked("influence", model="knn")
    assert "by a linear model in the space of this one" in ranking.to_frame()["reason"][0]
    assert set(ranking.to_frame()["row"]) == set(ranked("influence").to_frame()["row"])


def test_an_order_forecasts_nothing():
    found = ranked("uncertainty")
    assert not found.forecasts
    assert "An order, not a forecast" in str(found)
    assert json.loads(found.to_json())["doubts"][0]["low"] is None
    with pytest.raises(OptionError, match="one that forecasts gains, such as 'dqops'"):
        found.worth(3.0)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"strategy": "uncertainy"}, UnknownNameError, "Did you mean 'uncertainty'"),
        ({"strategy": 3}, OptionError, "the name of a strategy"),
        ({"strategy": "random", "budget": 0}, OptionError, "the cheapest doubt costs that much"),
        ({"strategy": "random", "budget": -1}, OptionError, "a number of 0 or more"),
        ({"strategy": "random", "cost": {"wid": 2}}, UnknownNameError, "Did you mean 'wide'"),
        ({"strategy": "data_oob", "frame": to_ask().with_columns(y=pl.lit("up"))}, DataError, "one class"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(options, error, said):
    options = {"model": "linear", "frame": to_ask()} | options
    with pytest.raises(error, match=said) as refused:
        dqops.prioritize(options.pop("frame"), target="y", **options)
    assert isinstance(refused.value, DqopsError)
    assert "\n" not in str(refused.value)


def test_the_command_takes_a_strategy(tmp_path):
    to_ask().write_csv(tmp_path / "asked.csv")
    said = CliRunner().invoke(main, ["prioritize", str(tmp_path / "asked.csv"), "--target", "y", "--model", "linear", "--strategy", "data_oob", "--budget", "4"])
    assert said.exit_code == 0, said.output
    assert "strategy data_oob" in said.output
    assert "costs 4" in said.output
    wrong = CliRunner().invoke(main, ["prioritize", str(tmp_path / "asked.csv"), "--target", "y", "--strategy", "data_obb"])
    assert wrong.exit_code == 2
    assert "Did you mean 'data_oob'" in wrong.output


def test_the_prioritiser_asks_in_the_order_of_a_strategy():
    frame = to_ask()
    prioritizer = dqops.CleaningPrioritizer("linear", strategy="data_oob", effort="quick").fit(frame.drop("y"), frame["y"])
    order = prioritizer.ask(5)["row"].to_list()
    assert order == ranked("data_oob").to_frame()["row"].to_list()[:5]
    again = prioritizer.tell(order[0], None, frame.row(order[0], named=True)).ask(4)["row"].to_list()
    assert again == order[1:]
