"""Sets of repairs measured together."""

import numpy as np
import polars as pl
from sklearn.linear_model import Ridge

import dqops
from dqops.models import Design, resolve_model
from dqops.propagation.whole import measure_together


def test_repairs_learn_from_all_rows_but_those_that_judge(rng):
    x = rng.normal(size=200)
    whole = dqops.read(pl.DataFrame({"x": x, "y": 3 * x + rng.normal(size=200)}), target="y")
    drawn = whole.take(np.arange(0, 200, 2))
    design = Design("regression", resolve_model(Ridge(), "regression").prepared(drawn), "r2")
    seen = []

    def repair(train, test, taught):
        seen.append((train.n_rows, test.n_rows, train.row_ids.is_in(test.row_ids.implode()).any()))
        return train, test

    left = measure_together(drawn, [repair], design, among=whole)
    assert seen == [(180, 20, False)] * 5
    assert left.differences == ((0.0,) * 5,)
    assert left.gain(0).low < 0 < left.gain(0).high < 1 / 20
    seen.clear()
    assert measure_together(drawn, [repair], design).differences == left.differences
    assert seen == [(80, 20, False)] * 5
