"""A fixed space gives any rows the same place, whatever else is in their table."""

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.neighbors import KNeighborsClassifier

import dqops
from dqops.errors import DataError
from dqops.models.fixed_space import fixed_space
from dqops.models.resolve import resolve_model


@pytest.fixture
def frame(rng):
    size = rng.normal(loc=5, scale=3, size=80)
    size[:4] = np.nan
    return pl.DataFrame({"size": pl.Series(size).fill_nan(None), "town": rng.choice(["a", "b", "c"], 80).tolist(), "y": (np.arange(80) % 2).tolist()})


@pytest.mark.parametrize("model", ["auto", "linear", "boosting", "knn", HistGradientBoostingClassifier()])
def test_rows_keep_their_place_when_others_change(frame, model):
    table = dqops.read(frame, target="y")
    space = fixed_space(resolve_model(model, "classification").prepared(table), table, 0)
    every = space.encode(table)
    assert np.isfinite(every).all()
    assert len(every) == 80
    other = dqops.read(frame.with_columns(size=pl.when(pl.int_range(80) < 40).then("size").otherwise(99.0)), target="y")
    np.testing.assert_allclose(space.encode(other)[:40], every[:40], atol=1e-6)
    np.testing.assert_allclose(space.encode(table.take([7])), every[[7]], atol=1e-6)
    np.testing.assert_allclose(every.mean(axis=0), 0, atol=1e-5)
    assert space.encode(table.take([])).shape == (0, every.shape[1])


def test_a_step_that_compares_by_distance_has_scaled_its_rows_itself(frame):
    plain = frame.drop_nulls().select("size", "y")
    table = dqops.read(plain, target="y")
    space = fixed_space(resolve_model(KNeighborsClassifier(), "classification").prepared(table), table, 0)
    np.testing.assert_allclose(space.encode(table)[:, 0], plain["size"])
    raw = fixed_space(resolve_model("boosting", "classification").prepared(table), table, 0, scaled=False)
    np.testing.assert_allclose(raw.encode(table)[:, 0], plain["size"], rtol=1e-5)


def test_a_table_without_targets_is_refused(frame):
    table = dqops.read(frame.with_columns(y=pl.lit(None, dtype=pl.String)), target="y")
    with pytest.raises(DataError, match="no row has a known target"):
        fixed_space(resolve_model("linear", "classification"), table, 0)
