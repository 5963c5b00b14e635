"""What every strategy promises, as a generator of checks: ``for check in strategy_checks(kind): check()``."""

import pickle
import warnings
from functools import partial

import numpy as np
import polars as pl
from contract import table_of

from dqops.errors import DqopsError
from dqops.models.resolve import resolve_model
from dqops.results.ranking import COLUMNS


def strategy_checks(kind):
    """Checks (callables with a name) that any strategy class passes."""
    yield from (
        partial(check, kind)
        for check in (
            same_seed_same_order,
            each_row_or_cell_stands_once,
            ranked_tables_are_untouched,
            it_does_without_a_holdout,
            answers_may_be_told,
            what_is_repaired_keeps_answers_rows_and_types,
            strategies_pickle,
            tables_that_cannot_be_ranked_are_refused,
        )
    )


def to_ask(rows=120, seed=0):
    """Labels that follow a number; every eighth is wrong, and some numbers are wild."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=rows).round(3) + np.where(np.arange(rows) % 2, 1.5, -1.5)
    label = np.where(np.arange(rows) % 2, "up", "down")
    label[::8] = np.where(label[::8] == "up", "down", "up")
    wide = rng.normal(size=rows).round(3)
    wide[5::20] = 400.0
    return pl.DataFrame({"size": size, "wide": wide, "city": rng.choice(["x", "y"], rows).tolist(), "y": label.tolist()})


def ranked(kind, frame, *, held=True, seed=0, strategy=None, model="linear"):
    return _asked((strategy or kind()).rank, frame, held, seed, model)


def repaired(strategy, frame, *, held=True, seed=0, model="linear"):
    return _asked(strategy.repaired, frame, held, seed, model)


def _asked(what, frame, held, seed, model):
    """What a strategy says of a frame, a model, and right rows to judge by."""
    table = table_of(frame)
    holdout = table_of(to_ask(60, seed=9).with_columns(y=pl.when(pl.col("size") > 0).then(pl.lit("up")).otherwise(pl.lit("down")))) if held else None
    made = resolve_model(model, "classification").prepared(table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return what(table, made, holdout, np.random.default_rng(seed))


def _order(ranking):
    return ranking.to_frame().select("row", "column").rows()


def same_seed_same_order(kind):
    assert _order(ranked(kind, to_ask())) == _order(ranked(kind, to_ask()))


def each_row_or_cell_stands_once(kind):
    frame = to_ask()
    found = ranked(kind, frame)
    lines = found.to_frame()
    assert lines.columns == list(COLUMNS)
    assert found.strategy == kind.name
    assert lines["rank"].to_list() == list(range(1, len(found) + 1))
    assert len(set(_order(found))) == len(found)
    assert set(lines["row"]) <= set(range(frame.height))
    assert set(lines["column"].drop_nulls()) <= set(frame.columns)


def ranked_tables_are_untouched(kind):
    frame = to_ask()
    before = frame.clone()
    ranked(kind, frame)
    assert frame.equals(before)


def it_does_without_a_holdout(kind):
    assert len(ranked(kind, to_ask(), held=False))


def answers_may_be_told(kind):
    strategy, frame = kind(), to_ask()
    for row, column in _order(ranked(kind, frame, strategy=strategy))[:3]:
        value = frame[row, column] if column else frame.row(row, named=True)
        assert strategy.tell(row, column, value) is strategy
    again = ranked(kind, frame, strategy=strategy)
    assert len(again)


def what_is_repaired_keeps_answers_rows_and_types(kind):
    strategy, frame = kind(), to_ask()
    lines = _order(ranked(kind, frame, strategy=strategy))[:4]
    for row, column in lines:
        strategy.tell(row, column, frame[row, column] if column else frame.row(row, named=True))
    found = repaired(strategy, frame)
    assert found.frame.schema == frame.schema
    assert set(found.row_ids) <= set(range(frame.height))
    for row, column in lines:
        at = found.row_ids.to_list().index(row)
        for name in [column] if column else frame.columns:
            assert found.frame[at, name] == frame[row, name]


def strategies_pickle(kind):
    assert _order(ranked(kind, to_ask(), strategy=pickle.loads(pickle.dumps(kind())))) == _order(ranked(kind, to_ask()))


def tables_that_cannot_be_ranked_are_refused(kind):
    odd = (
        to_ask()[:1],
        to_ask().with_columns(y=pl.lit("up")),
        to_ask().with_columns(wide=pl.lit(1.0)),
        to_ask().with_columns(wide=pl.lit(None, dtype=pl.Float64)),
    )
    said = []
    for frame in odd:
        try:
            ranked(kind, frame)
        except DqopsError as refused:
            said.append(str(refused))
    assert not any("\n" in one for one in said)
