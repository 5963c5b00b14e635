"""How much an audit without a model costs, against the cheapest way to read and summarise the same table.

    python benchmarks/audit.py [--rows 1000000] [--runs 3] [--model]

Prints CPU seconds, wall seconds and peak memory of the floor and of ``dqops audit --no-model``, and their ratios. The
floor reads the Parquet file and computes null counts, distinct counts, minimum, maximum, mean, standard deviation,
five quantiles and row duplicates, one sort a numeric column. With ``--model``, the wall time of a full audit too.
"""

import argparse
import compileall
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

WORDS = ["north", "south", "east", "west", "red", "green", "blue", "small", "large", "old", "new", "high"]


def make_table(rows, seed=0):
    """A seeded table of 30 mixed columns with a little dirt and a binary target.

    >>> make_table(10).width
    30
    """
    rng = np.random.default_rng(seed)
    columns = {"id": np.arange(rows)}
    for k in range(10):
        columns[f"number_{k}"] = np.round(rng.normal(k, 1 + k, rows), 4)
    for k in range(3):
        columns[f"amount_{k}"] = np.round(rng.lognormal(3, 1, rows), 2)
    for k in range(4):
        columns[f"count_{k}"] = rng.poisson(3 + 5 * k, rows)
    for k in range(6):
        levels = np.array([f"{a} {b}" for a in WORDS for b in WORDS][: 3 + 20 * k])
        columns[f"level_{k}"] = levels[rng.integers(len(levels), size=rows)]
    columns["code"] = np.char.add("C", rng.integers(20_000, size=rows).astype(str))
    columns["flag"] = rng.random(rows) < 0.3
    frame = pl.DataFrame(columns)
    day = pl.Series("day", rng.integers(18_000, 19_500, rows), dtype=pl.Int32).cast(pl.Date)
    frame = frame.with_columns(day, pl.Series("city", np.array(WORDS)[rng.integers(len(WORDS), size=rows)]))
    region = frame["city"].replace_strict({word: f"region {k % 4}" for k, word in enumerate(WORDS)})
    logits = frame["number_0"].to_numpy() + 0.2 * frame["number_1"].to_numpy() - 0.3
    target = pl.Series("target", (rng.random(rows) < 1 / (1 + np.exp(-logits))).astype(np.int64))
    return _dirtied(frame.with_columns(region.alias("region"), target), rng)


def _dirtied(frame, rng):
    rows = frame.height
    holes = {name: rng.random(rows) < share for name, share in {"number_2": 0.05, "amount_1": 0.2, "level_3": 0.03}.items()}
    frame = frame.with_columns([frame[name].set(pl.Series(mask), None) for name, mask in holes.items()])
    wild = pl.Series(rng.random(rows) < 0.001)
    odd = rng.random(rows) < 0.001
    return frame.with_columns(
        frame["number_3"].set(wild, 9999.0),
        pl.select(pl.when(pl.lit(odd)).then(pl.lit(frame["level_1"]).str.to_uppercase()).otherwise(pl.lit(frame["level_1"])).alias("level_1")).to_series(),
    )


def floor(path):
    """The cheapest way we know to do the reading and the sums."""
    frame = pl.read_parquet(path)
    frame.null_count()
    for column in frame.get_columns():
        if column.dtype.is_numeric() or column.dtype.is_temporal():
            cells = np.sort(column.drop_nulls().to_physical().to_numpy())
            int(np.count_nonzero(cells[1:] != cells[:-1])) + 1
            cells[[0, -1, *(len(cells) * np.array([0.05, 0.25, 0.5, 0.75, 0.95])).astype(int)]]
            cells.mean(), cells.std()
        else:
            column.n_unique()
    hashes = np.sort(frame.hash_rows().to_numpy())
    int(np.count_nonzero(hashes[1:] == hashes[:-1]))


def measure(command):
    """CPU seconds, wall seconds, peak MB of one run in a process of its own."""
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = child.stderr.read().decode()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command[:6]} failed: {message[-500:]}")
    scale = 1024 if sys.platform != "darwin" else 1024**2
    return used.ru_utime + used.ru_stime, time.perf_counter() - started, used.ru_maxrss / scale


def median_of(command, runs):
    """Medians of several runs."""
    return np.median([measure(command) for _ in range(runs)], axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--model", action="store_true")
    parser.add_argument("--floor", help=argparse.SUPPRESS)
    parser.add_argument("--make", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.floor:
        return floor(given.floor)
    if given.make:
        make_table(given.rows).write_parquet(given.make)
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        # As pip does on installing; the floor's libraries are compiled, too.
        compileall.compile_dir(Path(__file__).parents[1] / "dqops", quiet=2)
        # Made and measured elsewhere: a child's peak memory counts what its parent held when it was started.
        subprocess.run([sys.executable, __file__, "--rows", str(given.rows), "--make", str(path)], check=True)
        measure_size = f"import polars as pl; print(pl.read_parquet({str(path)!r}).estimated_size('mb'))"
        size = float(subprocess.run([sys.executable, "-c", measure_size], capture_output=True, text=True, check=True).stdout)
        base = median_of([sys.executable, __file__, "--floor", str(path)], given.runs)
        idle = median_of([sys.executable, "-c", "import polars, numpy"], given.runs)
        audit = [sys.executable, "-m", "dqops", "audit", str(path), "--target", "target", "--json", str(Path(folder) / "o.json")]
        ours = median_of([*audit, "--no-model"], given.runs)
        print(f"{given.rows} x 30, table {size:.0f} MB in memory, medians of {given.runs} runs")
        print(f"{'':24}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}")
        for name, row in (("imports alone", idle), ("floor", base), ("dqops audit --no-model", ours)):
            print(f"{name:24}{row[0]:8.2f}{row[1]:8.2f}{row[2]:9.0f}")
        print(f"CPU over floor: {ours[0] / base[0]:.2f}; peak memory over table: {ours[2] / size:.2f}")
        if given.model:
            full = measure(audit)
            print(f"audit with the default model, standard effort: {full[1]:.0f} s wall, {full[0]:.0f} s CPU")
    return None


if __name__ == "__main__":
    main()
