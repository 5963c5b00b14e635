"""Fast noise curves: exact where they are counted, near brute force elsewhere, and honest about it."""

import warnings

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder

import dqops
from dqops.cli.main import main
from dqops.errors import OptionError
from dqops.propagation.linear_head import ChordFit, LinearHead
from dqops.propagation.response import fit_drawn


def classes_of_three(n_rows=900, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, 3)).round(4)
    y = np.digitize(x[:, 0] + 0.5 * x[:, 1] + 0.2 * rng.normal(size=n_rows), [-0.5, 0.5])
    return pl.DataFrame(x, schema=["a", "b", "c"]).with_columns(y=pl.Series(np.array(["u", "v", "w"])[y]))


def curve(frame, model, kind, method="fast", rates=(0.1, 0.2, 0.4), **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dqops.propagate(frame, target="y", model=model, corruptions=[kind], rates=rates, method=method, **({"effort": "quick"} | options))[kind]


KNN = make_pipeline(StandardScaler(), KNeighborsClassifier(5))


@pytest.mark.parametrize("kind", ["label_flips", "label_confusions"])
def test_counted_votes_are_what_many_draws_come_to(kind):
    frame = classes_of_three(400)
    told = curve(frame, KNN, kind)
    assert told.method == "counted"
    brute = curve(frame, KNN, kind, method="brute", effort="thorough")
    assert told.means()[0] == pytest.approx(brute.scores[0, :5].mean(), abs=0.006)
    measured = np.mean(brute.scores[0] - brute.scores, axis=1)
    counted = told.scores[0, 0] - told.scores[:, 0]
    assert (abs(counted - measured)[1:] < 3 * brute.stderr[1:] + 0.003).all()


def test_one_neighbour_follows_the_formula():
    told = curve(classes_of_three(500), make_pipeline(StandardScaler(), KNeighborsClassifier(1)), "label_flips")
    clean = told.scores[0, 0]
    for rate, score in zip(told.rates, told.scores[:, 0], strict=True):
        assert score == pytest.approx((1 - rate) * clean + rate * (1 - clean) / 2, abs=1e-12)


def test_swapped_numbers_are_counted_for_knn():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(800, 2))
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": x[:, 0] * 2 + x[:, 1] + 0.3 * rng.normal(size=800)})
    model = make_pipeline(StandardScaler(), KNeighborsRegressor(5))
    told, brute = (curve(frame, model, "target_swaps", method) for method in ("fast", "brute"))
    assert told.method == "counted"
    assert told.drop(0.2).expected == pytest.approx(np.mean(brute.scores[0] - brute.scores[2]), abs=0.03)


def test_a_linear_model_is_refitted_on_held_features():
    frame = classes_of_three()
    told, brute = (curve(frame, "linear", "label_flips", method) for method in ("fast", "brute"))
    assert told.method == "refitted"
    drops = brute.scores[0] - brute.scores
    for place, rate in ((1, 0.1), (2, 0.2), (3, 0.4)):
        assert told.drop(rate).expected == pytest.approx(drops[place].mean(), abs=0.012)


@pytest.mark.parametrize(("n_classes", "noise"), [(2, 0.0), (2, 0.3), (3, 0.2)])
def test_chords_lead_to_the_optimum(rng, n_classes, noise):
    X = rng.normal(size=(400, 5))
    y = np.where(rng.random(400) < noise, rng.integers(n_classes, size=400), (X @ rng.normal(size=(5, n_classes))).argmax(axis=1))
    fast, near = ChordFit(X, n_classes, 1.0), {}
    start = fast.fit(np.roll(y, 40), None, known=np.ones(400, dtype=bool), near=near)
    theta = fast.fit(y, start, known=np.ones(400, dtype=bool), near=near)
    head = LinearHead.fitted(X, y, n_classes, 1.0)
    assert np.abs(fast.says(theta, X) - head.says(head.theta, X)).mean() < 0.005


def test_what_looks_at_the_target_is_not_held():
    frame = classes_of_three(300).with_columns(word=pl.Series(np.random.default_rng(0).choice(["p", "q"], 300)))
    model = make_pipeline(TargetEncoder(), KNeighborsClassifier(3))
    assert curve(frame.select("word", "y"), model, "label_flips").method == "anchored"


def test_two_fits_anchor_any_model_and_the_band_says_that_they_are_few():
    frame = classes_of_three()
    told, brute = (curve(frame, RandomForestClassifier(20, random_state=0), "label_flips", method) for method in ("fast", "brute"))
    assert told.method == "anchored"
    for rate, place in ((0.1, 1), (0.2, 2)):
        drop, measured = told.drop(rate), float(np.mean(brute.scores[0] - brute.scores[place]))
        assert drop.low <= drop.expected <= drop.high
        assert drop.low - 0.02 <= measured <= drop.high + 0.02
    wide = told.drop(0.2).high - told.drop(0.2).low
    counted = curve(frame, KNN, "label_flips").drop(0.2)
    assert wide > counted.high - counted.low
    assert "two fits" in str(dqops.propagate(frame, target="y", model=RandomForestClassifier(5, random_state=0), corruptions=["label_flips"], rates=[0.2, 0.4], effort="quick", fast=True))


@pytest.mark.parametrize("arm", ["serving", "deployed"])
def test_other_arms_are_anchored(arm):
    told = curve(classes_of_three(), "linear", "missing_completely_at_random", arm=arm)
    assert told.method == "anchored"
    assert told.drop(0.4).expected > 0.02


def test_auto_is_fast_only_where_that_is_as_good():
    frame = classes_of_three(300)
    assert curve(frame, "linear", "label_flips", "auto").method == "refitted"
    assert curve(frame, "linear", "missing_completely_at_random", "auto").method == "measured"
    assert curve(frame, RandomForestClassifier(3), "label_flips", "auto").method == "measured"


def test_same_seed_same_curve():
    first, second = (curve(classes_of_three(300), "linear", "label_flips", seed=4).to_dict() for _ in range(2))
    assert first == second


def test_a_power_is_found_again():
    rates = np.array([0, 0.05, 0.1, 0.2, 0.3])
    told = fit_drawn(rates, 0.8 - 0.7 * rates**0.01, np.tile(0.8 - rates**2, (3, 1)))
    assert told.at([0.0, 0.3]) == pytest.approx([0.8, 0.8 - 0.7 * 0.3**0.01], abs=1e-9)
    assert told.draws[:, 2] == pytest.approx(2.0, abs=0.02)


def test_methods_that_are_none_are_refused():
    with pytest.raises(OptionError, match="one of brute, fast, auto"):
        dqops.propagate(classes_of_three(100), target="y", method="quick")


def test_the_command_takes_a_method(tmp_path):
    path = tmp_path / "t.csv"
    classes_of_three(300).write_csv(path)
    done = CliRunner().invoke(main, ["propagate", str(path), "--target", "y", "--model", "linear", "--corruptions", "label_flips", "--method", "fast", "--effort", "quick", "--jobs", "1"])
    assert done.exit_code == 0, done.output
    assert "held" in done.output
