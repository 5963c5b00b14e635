"""What every detector promises, as a generator of checks: ``for check in detector_checks(kind): check()``."""

import pickle
import warnings
from functools import partial

import numpy as np
import polars as pl

import dqops
from dqops.models import Design


def detector_checks(kind):
    """Checks (callables with a name) that any detector class passes."""
    yield from (
        partial(check, kind)
        for check in (
            same_seed_same_answer,
            input_untouched,
            permuted_rows_same_rows,
            permuted_columns_same_cells,
            pandas_and_polars_agree,
            pickles,
            odd_tables_give_a_result,
            scores_are_probabilities,
            positions_and_rows_agree,
        )
    )


def sample(rows=240, seed=0):
    """A mixed table with one error of most kinds."""
    rng = np.random.default_rng(seed)
    size = rng.normal(50, 5, rows).round(2)
    size[3] = 5000.0
    city = rng.choice(["london", "paris", "berlin"], rows).astype(object)
    country = pl.Series(city.tolist()).replace_strict({"london": "uk", "paris": "france", "berlin": "germany"}).to_list()
    city[5], country[7] = "lonndon", "uk"
    weight = [f"{one:.1f}" for one in rng.normal(70, 9, rows)]
    weight[9], weight[11] = "N/A", "71.2 kg"
    name = [f"{a} {b} {k}" for k, (a, b) in enumerate(zip(rng.choice(list("pqrst"), rows), rng.choice(list("uvwxy"), rows), strict=True))]
    frame = pl.DataFrame({"size": size, "city": city.tolist(), "country": country, "weight": weight, "name": name, "y": rng.integers(2, size=rows)})
    return pl.concat([frame, frame[:2]])


def table_of(frame):
    return dqops.read(frame, target="y" if "y" in frame.columns else None)


def found(kind, table, seed=0):
    """Findings of a fresh detector; drift is judged against the first half."""
    detector, rng = kind(), np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind.name == "drift":
            half = table.take(np.arange(table.n_rows // 2))
            return detector.fit(half, None, rng).find(table)
        return detector.fit_find(table, Design("classification"), rng)


def cells(findings, key=None):
    """(id, row, score) of all doubts, sorted; `key` renames rows."""
    lines = []
    for one in findings:
        scores = one.scores if one.whole else one.scores.tolist()
        rows = [None] * len(scores) if one.whole else one.rows.to_list()
        lines += [(one.id, str(row if key is None or row is None else key[row]), round(float(score), 6)) for row, score in zip(rows, scores, strict=True)]
    return sorted(lines)


def same_seed_same_answer(kind):
    table = table_of(sample())
    assert cells(found(kind, table)) == cells(found(kind, table_of(sample())))


def input_untouched(kind):
    table = table_of(sample())
    before = table.fingerprint
    found(kind, table)
    assert table.fingerprint == before
    assert table.frame.equals(table_of(sample()).frame)


def permuted_rows_same_rows(kind):
    if kind.name in ("outliers", "drift", "duplicates", "leakage"):
        return  # neighbours in row order are evidence there; of two copies the earlier one is the original
    frame = sample()
    order = np.random.default_rng(1).permutation(frame.height)
    plain, moved = found(kind, table_of(frame)), found(kind, table_of(frame[order]))
    names = [set(cells(part, key)) for part, key in ((plain, range(frame.height)), (moved, order.tolist()))]
    ids = [{(id, row) for id, row, score in part if score >= 0.5} for part in names]
    assert ids[0] == ids[1]


def permuted_columns_same_cells(kind):
    frame = sample()
    plain = found(kind, table_of(frame))
    moved = found(kind, table_of(frame.select(frame.columns[::-1])))
    sure = [{(id, row) for id, row, score in cells(part) if score >= 0.5} for part in (plain, moved)]
    assert sure[0] == sure[1]


def pandas_and_polars_agree(kind):
    frame = sample()
    assert cells(found(kind, table_of(frame))) == cells(found(kind, table_of(frame.to_pandas())))


def pickles(kind):
    table, rng = table_of(sample()), np.random.default_rng(0)
    fitted = kind().fit(table, Design("classification"), rng)
    again = pickle.loads(pickle.dumps(fitted))
    assert cells(again.find(table)) == cells(fitted.find(table))


def odd_tables_give_a_result(kind):
    odd = {
        "no rows": sample()[:0],
        "one row": sample()[:1],
        "constant": sample().with_columns(pl.lit(1.0).alias("size")),
        "all missing": sample().with_columns(pl.lit(None, dtype=pl.Float64).alias("size"), pl.lit(None, dtype=pl.String).alias("city")),
        "one class": sample().with_columns(pl.lit(1).alias("y")),
        "not finite": sample().with_columns(pl.when(pl.col("size") > 50).then(float("inf")).otherwise(float("nan")).alias("size")),
        "target alone": sample().select("y"),
    }
    for frame in odd.values():
        for one in found(kind, table_of(frame)):
            assert one.message


def scores_are_probabilities(kind):
    for one in found(kind, table_of(sample())):
        assert np.all((one.scores >= 0) & (one.scores <= 1))


def positions_and_rows_agree(kind):
    table = table_of(sample().with_columns(pl.Series("key", np.arange(242)[::-1]))).with_roles(key=None)
    for one in found(kind, table):
        assert one.rows.to_list() == table.row_ids.gather(one.positions).to_list()
        assert np.all(np.diff(one.positions) > 0)
