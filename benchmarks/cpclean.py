"""What a step of the strategy `cpclean` costs beside counting everything anew, and how soon all predictions are certain.

    python benchmarks/cpclean.py                 1,500 rows x 10 candidates, 1,000 validation rows, to the end
    python benchmarks/cpclean.py --rows 500

A table of numbers has one empty cell in every row; its 10 candidates come from the other columns. A step is: rank, ask for the
first record, write its true values into the table, tell. Beside it stand two ways to do the same without keeping counts: all
counts and all expected entropies anew by the same kernels, and one count for each candidate of each record, as the algorithm is
written down. Times are CPU seconds, the least of several, and ratios are of one run.
"""

import argparse
import time

import numpy as np
import polars as pl
from sklearn.impute import SimpleImputer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import dqops
from dqops.models.knn_worlds import KnnWorlds, entropies
from dqops.models.resolve import resolve_model
from dqops.strategies.cpclean import CPClean
from dqops.strategies.random import Random

SEED, COLUMNS = 20_263, 8


def cpu(work, runs=3):
    """Least CPU seconds of some runs, and the last result."""
    least = np.inf
    for _ in range(runs):
        started = time.process_time()
        result = work()
        least = min(least, time.process_time() - started)
    return least, result


def tables(n_rows, n_held):
    """Columns that tell of each other and of the class, the same with one cell of each row empty, and clean validation rows."""
    rng = np.random.default_rng(SEED)
    common = rng.normal(size=(n_rows + n_held, 2))
    values = common @ rng.normal(size=(2, COLUMNS)) + 0.7 * rng.normal(size=(n_rows + n_held, COLUMNS))
    label = np.where(values[:, :4].sum(axis=1) + rng.normal(size=len(values)) > 0, "b", "a")
    whole = pl.DataFrame({f"x{one}": values[:, one] for one in range(COLUMNS)}).with_columns(y=pl.Series(label))
    clean, held = whole[:n_rows], whole[n_rows:]
    empty = rng.integers(COLUMNS, size=n_rows)
    holed = clean.with_columns([pl.Series(f"x{one}", np.where(empty == one, np.nan, values[:n_rows, one])).fill_nan(None) for one in range(COLUMNS)])
    return clean, holed, held


def anew(worlds, codes, tests):
    """All counts and expected entropies from the candidates as they stand, by the same kernels."""
    lists = worlds._lists
    state = KnnWorlds(lists.points, lists.start, np.maximum(lists._candidate_weights, 1e-300), codes, tests, k=worlds.k, n_classes=2)
    return state.expected_entropy()


def with_one(worlds, codes, tests, row, candidate):
    """Entropies where a record is one of its candidates, counted from nothing."""
    lists = worlds._lists
    sizes, rows = np.diff(lists.start), np.arange(len(codes))
    kept = np.repeat(rows != row, sizes)
    kept[candidate] = True
    start = np.concatenate([[0], np.cumsum(np.where(rows == row, 1, sizes))])
    weights = np.where(np.arange(len(kept)) == candidate, 1.0, lists._candidate_weights)[kept]
    return entropies(KnnWorlds(lists.points[kept], start, weights, codes, tests, k=worlds.k, n_classes=2).probabilities)


def cleaned(frame, clean, rows):
    places = np.array(rows)
    return frame.with_columns([frame[name].scatter(places, clean[name].gather(places)) for name in frame.columns])


def run(strategy, clean, holed, table, model, held, most):
    """Steps until all predictions are certain: how many, and the CPU seconds of those after the first."""
    rng, asked, spent = np.random.default_rng(SEED), [], []
    while len(asked) < most:
        now = table if not asked else dqops.read(cleaned(holed, clean, asked), target="y")
        started = time.process_time()
        ranking = strategy.rank(now, model, held, rng)
        spent.append(time.process_time() - started)
        if strategy.state.is_certain:
            break
        row = ranking.doubts["row"][0]
        strategy.tell(row, None, clean.row(row, named=True))
        asked.append(row)
    return asked, spent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--held", type=int, default=1000)
    given = parser.parse_args()
    clean, holed, held_frame = tables(given.rows, given.held)
    table, held = dqops.read(holed, target="y"), dqops.read(held_frame, target="y")
    model = resolve_model(make_pipeline(SimpleImputer(), StandardScaler(), KNeighborsClassifier(3)), "classification").prepared(table)
    run(CPClean(), clean, holed, table, model, held, 3)  # compiles
    strategy = CPClean()
    first, _ = cpu(lambda: strategy.rank(table, model, held, np.random.default_rng(SEED)), 1)
    [(_, worlds)] = strategy.state.parts
    codes, tests = worlds._labels.copy(), strategy.state.space.encode(held)
    print(f"{given.rows} rows, {np.diff(worlds._lists.start).mean():.1f} candidates each, {given.held} validation rows, k = {worlds.k}; at first {worlds.certain.mean():.1%} certain, the first ranking {first:.2f} s")
    whole, _ = cpu(lambda: anew(worlds, codes, tests))
    first_one = int(worlds._lists.start[0])
    each, _ = cpu(lambda: with_one(worlds, codes, tests, 0, first_one))
    naive = each * len(worlds._lists.points)
    kept, started = CPClean(), time.process_time()
    asked, spent = run(kept, clean, holed, table, model, held, given.rows)
    total = time.process_time() - started
    [(_, worlds)] = kept.state.parts
    again, chosen = KnnWorlds(*_points(strategy), codes, tests, k=worlds.k, n_classes=2), []
    again.expected_entropy()
    for row in asked:
        value = kept.state.space.encode(dqops.read(clean[row], target="y"))[0]
        started = time.process_time()
        again.update(row, value)
        again.expected_entropy()
        chosen.append(time.process_time() - started)
    print(f"all counts anew, same kernels: {whole:.3f} s; one count a candidate of each record (one of them timed): {naive:.0f} s")
    step = float(np.mean(chosen))
    print(f"a step: counts {step:.5f} s, {whole / step:.0f} times less than anew and {naive / step:.0f} times less than one count a candidate")
    print(f"a step of the strategy, table, order and all: mean {np.mean(spent[1:]):.4f} s, {whole / np.mean(spent[1:]):.0f} and {naive / np.mean(spent[1:]):.0f} times less")
    drawn = _random(clean, holed, table, model, held, len(asked))
    print(f"{len(asked)} of {given.rows} records cleaned until all {given.held} predictions are certain, in {total:.1f} s of CPU; the same number at random: {drawn:.1%} certain")


def _points(strategy):
    lists = strategy.state.parts[0][1]._lists
    return lists.points / lists._unit, lists.start, lists._candidate_weights


def _random(clean, holed, table, model, held, count):
    """Share of certain predictions after so many records at random."""
    order = Random().rank(table, model, held, np.random.default_rng(SEED)).doubts["row"].to_list()[:count]
    strategy = CPClean()
    strategy.rank(table, model, held, np.random.default_rng(SEED))
    for row in order:
        strategy.tell(row, None, clean.row(row, named=True))
    strategy.rank(dqops.read(cleaned(holed, clean, order), target="y"), model, held, np.random.default_rng(SEED))
    return strategy.state.parts[0][1].certain.mean()


if __name__ == "__main__":
    main()
