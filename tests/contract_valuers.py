"""What every valuer promises, as a generator of checks: ``for check in valuer_checks(kind): check()``."""

import pickle
import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl
import pytest
from contract import table_of
from sklearn.ensemble import RandomForestClassifier

from dqops.errors import DqopsError
from dqops.models.resolve import resolve_model

MINDS_NOTHING = ("knn_shapley",)  # one row, one class: a vote is a vote


def valuer_checks(kind):
    """Checks (callables with a name) that any valuer class passes."""
    yield from (
        partial(check, kind)
        for check in (
            same_seed_same_values,
            valued_tables_are_untouched,
            values_keep_their_rows,
            permuted_rows_same_values,
            frames_of_both_libraries_same_values,
            valuers_pickle,
            a_wrong_label_is_worth_little,
            tables_that_cannot_be_valued_are_refused,
        )
    )


def to_value(rows=80, seed=0):
    """Labels that follow a number, but for row 12; and a column of names."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=rows).round(3) + np.where(np.arange(rows) % 2, 1.5, -1.5)
    label = np.where(np.arange(rows) % 2, "up", "down")
    size[12] = 2.5
    return pl.DataFrame({"size": size, "city": rng.choice(["x", "y"], rows).tolist(), "y": label.tolist()})


def model_for(kind, table):
    spec = "linear" if kind.name in ("influence", "noisy_rows") else "forest" if "tree" in kind.name else "knn"
    model = RandomForestClassifier(20, random_state=0) if spec == "forest" else spec
    return resolve_model(model, "classification").prepared(table)


def valued(kind, frame, seed=0):
    table, held = table_of(frame), table_of(to_value(73, seed=9)[13:]) if kind.needs_holdout else None
    held = held if held is None else replace(held, flavour=table.flavour)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind().value(table, held, model_for(kind, table), np.random.default_rng(seed))


def same_seed_same_values(kind):
    first, second = valued(kind, to_value()), valued(kind, to_value())
    assert np.array_equal(first.value, second.value, equal_nan=True)


def valued_tables_are_untouched(kind):
    frame = to_value()
    before = frame.clone()
    valued(kind, frame)
    assert frame.equals(before)


def values_keep_their_rows(kind):
    frame = to_value()
    keyed = table_of(frame.with_columns(pl.Series("key", [f"k{one}" for one in range(frame.height)]))).with_roles(key="key")
    table = keyed.take(np.arange(frame.height))
    held = table_of(to_value(73, seed=9)[13:]) if kind.needs_holdout else None
    found = kind().value(table, held, model_for(kind, table), np.random.default_rng(0))
    assert found.rows.to_list() == table.row_ids.to_list()
    assert found.method == kind.name
    assert len(found) == frame.height
    assert found.stderr is None or np.nanmin(found.stderr) >= 0


def permuted_rows_same_values(kind):
    if kind.name in ("data_oob", "semivalues", "noisy_rows") or "tree" in kind.name:
        return  # they draw rows by position
    frame = to_value()
    order = np.random.default_rng(1).permutation(frame.height)
    assert np.allclose(valued(kind, frame).value[order], valued(kind, frame[order]).value, atol=1e-6)


def frames_of_both_libraries_same_values(kind):
    frame = to_value()
    first, second = valued(kind, frame).value, valued(kind, frame.to_pandas()).value
    if kind.name == "noisy_rows":  # its trees part rows that differ in the last digit, and encoders round there
        assert np.corrcoef(first, second)[0, 1] > 0.98
    else:
        assert np.allclose(first, second, atol=1e-5, equal_nan=True)


def valuers_pickle(kind):
    assert pickle.loads(pickle.dumps(kind())) == kind()


def a_wrong_label_is_worth_little(kind):
    found = valued(kind, to_value())
    if kind.name == "semivalues":  # sampled
        assert found.value[12] < np.median(found.value) + 2 * found.stderr[12]
    else:
        assert 12 in found.worst(8)


def tables_that_cannot_be_valued_are_refused(kind):
    for frame in (to_value()[:1], to_value().with_columns(pl.lit("up").alias("y"))):
        if kind.name in MINDS_NOTHING:
            assert len(valued(kind, frame)) == frame.height
        else:
            with pytest.raises(DqopsError):
                valued(kind, frame)
