"""What every propagator promises: same seed same answer, inputs untouched, frames alike, pickles, reasons instead of traces."""

import pickle
import warnings
from contextlib import suppress

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Ridge

import dqops
import dqops.propagation.propagators
from dqops.contracts import Propagator
from dqops.errors import DqopsError, NameTakenError

KINDS = ["bounds", "influence", "knn", "retrain"]
MODELS = {"bounds": Ridge(), "influence": "linear", "knn": "knn", "retrain": "linear"}


def dirty(kind, n_rows=120, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, 2)).round(4)
    y = x[:, 0] + 0.5 * x[:, 1] + 0.2 * rng.normal(size=n_rows)
    frame = pl.DataFrame({"a": [None if one < 0.15 else float(value) for one, value in zip(rng.random(n_rows), x[:, 0], strict=True)], "b": x[:, 1]})
    return frame.with_columns(y=pl.Series(y.round(4) if kind == "bounds" else np.where(y > 0, "up", "down")))


def priced(kind, frame, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dqops.price(frame, target="y", model=MODELS[kind], method=kind, effort="quick", findings=["missing"], candidates=candidates(frame), **options)


def candidates(frame):
    rows = np.flatnonzero(frame["a"].is_null().to_numpy())[:5]
    return dqops.Candidates((dqops.Doubts.of("a", rows, [[-1.0, 0.5, 1.0]] * len(rows)),))


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_gains(kind):
    first, second = (priced(kind, dirty(kind), seed=2).to_frame() for _ in range(2))
    assert first.equals(second)
    assert first.height > 0


@pytest.mark.parametrize("kind", KINDS)
def test_frames_are_untouched_and_alike(kind):
    frame = dirty(kind)
    before = frame.clone()
    first = priced(kind, frame).to_frame()
    assert frame.equals(before)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        second = dqops.price(frame.to_pandas(), target="y", model=MODELS[kind], method=kind, effort="quick", candidates=candidates(frame)).to_frame()
    numbers = ["expected", "low", "high"]
    # A vote that is split evenly by rounding may fall the other way.
    assert np.allclose(first.select(numbers).to_numpy(), second.select(numbers).to_numpy(), atol=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_propagators_pickle_and_show_their_settings(kind):
    made = Propagator.named(kind)(n_worlds=3)
    assert pickle.loads(pickle.dumps(made)) == made
    assert "n_worlds=3" in repr(made)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spoil", [lambda frame: frame[:1], lambda frame: frame[:0], lambda frame: frame.with_columns(pl.lit(frame["y"][0]).alias("y"))])
def test_tables_that_cannot_be_priced_get_no_price_and_no_trace(kind, spoil):
    frame, told = spoil(dirty(kind)), None
    with warnings.catch_warnings(), suppress(DqopsError):
        warnings.simplefilter("ignore")
        told = dqops.price(frame, target="y", model=MODELS[kind], method=kind, effort="quick")
    few = len(frame) < 2
    assert told is None or not few or len(told) == 0
    assert few or told is None or all(np.isfinite(one.repair.expected) for one in told)


@pytest.mark.parametrize("kind", KINDS)
def test_columns_that_hold_nothing_are_no_trace(kind):
    frame = dirty(kind).with_columns(pl.lit(None, dtype=pl.Float64).alias("nothing"), pl.lit(1.0).alias("same"))
    assert priced(kind, frame).of("given:a", "training") is not None


def test_a_name_is_taken_once():
    with pytest.raises(NameTakenError):
        type("Another", (Propagator,), {"name": "retrain", "__module__": "elsewhere"})


def test_workers_change_nothing():
    frame = dirty("retrain")
    assert priced("retrain", frame).to_frame().equals(priced("retrain", frame, n_jobs=2).to_frame())
