"""Do the intervals of gains hold? Predicted against realised, over many tables, models and kinds of dirt.

    python benchmarks/calibration.py --out calibration.jsonl [--cases planted real] [--models linear knn auto forest] [--seeds 2]
    python benchmarks/calibration.py --out calibration.jsonl --report

Real cases are the dirty tables with known truth; planted ones are clean tables in which errors of several kinds are planted
in several columns at once: missing cells (at random, and the largest first), wild numbers, broken formats, typos, wrong
labels. Each table is audited as a user would. Two promises are then held against what happens on fresh splits:

- *potential*: the doubtful cells of the finding are replaced by the truth, the model is trained and judged before and after;
- *repair*: the repair that the audit named is made on other splits than those it was measured on.

Results are appended line by line, and a run that was cut off goes on where it stopped. The report prints, by promise, arm, kind
and model: the share inside the 90% intervals, the rank correlation and the slope of realised on predicted, the median width of the
intervals, and that width over the one that an interval from 50 repeats would have. Beside the rank correlation stands what two measurements on ten splits
of the same gains would come to: where most gains are nearly nothing, their order is luck. Nothing in the package was fitted to these figures.
"""

import argparse
import json
import zlib
from pathlib import Path

import numpy as np
import polars as pl
from gains import FOLDER, SETS, Fresh, as_table, load, with_truth
from scipy.stats import spearmanr
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from threadpoolctl import threadpool_limits

import dqops
from dqops.flows.price import design_of, options_of
from dqops.flows.search import chosen_detectors
from dqops.propagation.intervals import paired_interval
from dqops.propagation.trial import Trial, trial_seed
from dqops.results.gain import ARMS

CLEAN = {
    "nasa": ("nasa/clean.csv.gz", "sound_pressure_level", ()),
    "bike": ("bike/clean.csv.gz", "cnt", ("instant", "casual", "registered", "dteday")),
    "bank8fm": ("bank8fm_missing/clean.csv.gz", "binaryClass", ()),
    "har": ("har/clean.csv.gz", "gt", ("Index",)),
    "tax": ("tax/clean.csv.gz", "rate", ()),
    "german": ("german_credit/table.csv.gz", "creditability", ()),
    "credit": ("credit_data/table.csv.gz", "Status", ()),
    "lending": ("lending_club/table.csv.gz", "Class", ()),
    "california": ("california_housing/blocks.csv.gz", "clf_target", ()),
    "adult": ("adult/table.csv.gz", "income-per-year", ()),
    "electricity": ("electricity/stream.csv.gz", "class", ()),
    "cancer": (load_breast_cancer, "target", ()),
    "wine": (load_wine, "target", ()),
    "diabetes": (load_diabetes, "target", ()),
}
ROWS = 1200
FRESH = 101  # seed of the splits that realise


def planted(name, seed):
    """A clean table as text, and the same with errors of several kinds planted in different columns."""
    file, target, ignore = CLEAN[name]
    clean = _as_text(file)
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    clean = clean[np.sort(rng.choice(clean.height, min(ROWS, clean.height), replace=False))]
    features = [one for one in clean.columns if one != target and one not in ignore and clean[one].n_unique() > 1]
    numeric = [one for one in features if clean[one].cast(pl.Float64, strict=False).null_count() == 0]
    columns = iter(rng.permutation([one for one in numeric if clean[one].n_unique() > 8]).tolist())
    dirty = clean
    for spoil in rng.permutation([_gone, _largest_gone, _wild, _broken]).tolist():
        column = next(columns, None)
        if column is not None:
            dirty = dirty.with_columns(spoil(clean[column], rng))
    words = [one for one in features if one not in numeric and 2 <= clean[one].n_unique() <= 30]
    if words:
        dirty = dirty.with_columns(_misspelt(clean[str(rng.choice(words))], rng))
    if clean[target].n_unique() <= 10 and rng.random() < 0.5:
        dirty = dirty.with_columns(_flipped(clean[target], rng))
    return dirty, clean, target, ignore


def _as_text(source):
    """A file, or a set that comes with scikit-learn, as it would stand in a file."""
    if callable(source):
        return pl.from_pandas(source(as_frame=True).frame).select(pl.all().cast(pl.String))
    return pl.read_csv(FOLDER / source, infer_schema=False)


def _hit(cells, rate, rng):
    return np.sort(rng.choice(len(cells), max(round(rate * len(cells)), 1), replace=False))


def _written(cells, rows, values):
    return cells.clone().scatter(rows, pl.Series(values, dtype=pl.String))


def _gone(cells, rng):
    rows = _hit(cells, rng.uniform(0.1, 0.4), rng)
    return _written(cells, rows, [""] * len(rows))


def _largest_gone(cells, rng):
    order = np.argsort(-cells.cast(pl.Float64).to_numpy() * rng.uniform(0.7, 1.3, len(cells)), kind="stable")
    rows = np.sort(order[: round(rng.uniform(0.1, 0.3) * len(cells))])
    return _written(cells, rows, [""] * len(rows))


def _wild(cells, rng):
    numbers = cells.cast(pl.Float64).to_numpy()
    rows = _hit(cells, rng.uniform(0.02, 0.1), rng)
    wild = numbers[rows] + rng.choice([-1, 1], len(rows)) * rng.uniform(8, 60, len(rows)) * max(numbers.std(), 1e-9)
    return _written(cells, rows, [f"{one:.4g}" for one in wild])


def _broken(cells, rng):
    rows = _hit(cells, rng.uniform(0.03, 0.15), rng)
    texts = cells.gather(rows).to_list()
    ways = [lambda text: text + " units", lambda text: text.replace(".", "..") if "." in text else text + "x", lambda text: "~" + text]
    return _written(cells, rows, [ways[rng.integers(3)](text) for text in texts])


def _misspelt(cells, rng):
    rows = _hit(cells, rng.uniform(0.03, 0.1), rng)
    texts = cells.gather(rows).to_list()
    return _written(cells, rows, [_slip(text, rng) for text in texts])


def _slip(text, rng):
    if not text:
        return text
    place = rng.integers(max(len(text) - 1, 1))
    return text[:place] + "x" + text[place + 1 :] if rng.random() < 0.5 else text.upper() + " "


def _flipped(cells, rng):
    rows = _hit(cells, rng.uniform(0.05, 0.25), rng)
    classes = sorted(set(cells.to_list()))
    return _written(cells, rows, [rng.choice([one for one in classes if one != own]) for own in cells.gather(rows).to_list()])


def cases(name, kind, seed, model, effort):
    """One line a finding, promise and arm: predicted with its interval, and realised."""
    dirty, clean, target, ignore = planted(name, seed) if kind == "planted" else load(name)
    if dirty.height > ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(dirty.height, ROWS, replace=False))
        dirty, clean = dirty[rows], clean[rows]
    table = as_table(dirty, target, ignore)
    audit = dqops.audit(table, model=model, effort=effort, seed=seed)
    fresh, trials = Fresh(table, model, FRESH), _trials(table, model, seed)
    here = {"set": name, "case": kind, "seed": seed, "model": model, "effort": effort}
    for finding in audit.findings:
        told = {arm: audit.gains.of(finding.id, arm) for arm in ARMS}
        if finding.whole or told["deployed"] is None or finding.kind == "duplicates":
            continue
        real = dict.fromkeys(ARMS)
        if told["deployed"].potential is not None and finding.column is not None:
            mended = clean if finding.column == target else with_truth(dirty, clean, finding.at_least(0.5))
            mended = dirty.with_columns(clean[target]) if finding.column == target else mended
            if not mended.equals(dirty):
                real = _truth(fresh, as_table(mended, target, ignore), finding.column == target)
        yield from _lines(here, finding, "potential", {arm: one and one.potential for arm, one in told.items()}, real)
        if finding.column != target:
            again = _repaired(table, finding, told["deployed"].action, trials)
            yield from _lines(here, finding, "repair", {arm: one and one.repair for arm, one in told.items()}, again)


def _lines(here, finding, promise, told, real):
    for arm in ARMS:
        if told.get(arm) is None or real.get(arm) is None:
            continue
        yield here | {
            "finding": finding.id,
            "kind": finding.kind,
            "promise": promise,
            "arm": arm,
            "expected": told[arm].expected,
            "low": told[arm].low,
            "high": told[arm].high,
            "realised": real[arm].expected,
            "realised_low": real[arm].low,
            "realised_high": real[arm].high,
        }


def _truth(fresh, after, on_target):
    """Realised gains of the truth; where it is labels that are true, both models are judged on true ones."""
    if not on_target:
        return fresh.realised(after)
    gains = []
    for split in fresh.splits:
        old, new = (fresh.ready.fit(one.take(split.train), seed=FRESH) for one in (fresh.before, after))
        judges = after.take(split.test)
        gains.append(new.score(judges, fresh.scoring) - old.score(judges, fresh.scoring))
    return {"deployed": paired_interval(gains, 0.25)}


def _design(table, model, seed):
    return design_of(table, model=model, scoring=None, seed=seed, effort="standard", allow_pickle=False, holdout=None)


def _trials(table, model, seed):
    """Splits that no repair was chosen or measured on."""
    design, kinds = _design(table, model, FRESH + seed), chosen_detectors()
    return [Trial(table.take(split.train), table.take(split.test), design, kinds, trial_seed(FRESH, split)) for split in design.splits(table, folds=5, repeats=2)]


def _repaired(table, finding, action, trials):
    """Realised gains of a repair on these splits."""
    option = next(one for one in options_of(finding, table) if one.action == action)
    seen = {arm: [] for arm in ARMS}
    for trial in trials:
        for arm, difference in trial.run(option).differences.items():
            seen[arm].append(difference)
    return {arm: paired_interval(values, 0.25) if len(values) > 1 else None for arm, values in seen.items()}


def report(path):
    """Print what the results file holds."""
    lines = pl.DataFrame([json.loads(line) for line in Path(path).read_text().splitlines() if "promise" in line], infer_schema_length=None)
    for promise in ("potential", "repair"):
        for arm in ARMS:
            part = lines.filter((pl.col("promise") == promise) & (pl.col("arm") == arm))
            if part.height > 2:
                print(f"{promise}, {arm}")
                _figures("all", part)
                for column in ("kind", "model", "case"):
                    for value in part[column].unique().sort():
                        _figures(f"{value}", part.filter(pl.col(column) == value))


def _figures(name, part):
    told, real = part["expected"].to_numpy(), part["realised"].to_numpy()
    inside = ((part["low"] <= part["realised"]) & (part["realised"] <= part["high"])).mean()
    width = (part["high"] - part["low"]).to_numpy()
    # An interval from ten splits has (1/10 + 1/4) of the variance, one from 50 repeats of five folds (1/250 + 1/4).
    usual = (part["realised_high"] - part["realised_low"]).to_numpy() * np.sqrt((1 / 250 + 0.25) / (1 / 10 + 0.25)) * 1.65 / 1.83
    ratio = np.median(width / np.maximum(usual, 1e-4))
    order = spearmanr(told, real).statistic if part.height > 4 else np.nan
    slope = float(told @ real / max(told @ told, 1e-12))
    most = _agreement(real, (part["realised_high"] - part["realised_low"]).to_numpy())
    print(f"  {name:12} {part.height:4} cases  {inside:4.0%} inside  rank correlation {order:5.2f} (of two measurements {most:4.2f})  slope {slope:5.2f}  median width {np.median(width):.3f}, {ratio:.1f}x")


def _agreement(real, widths, draws=200):
    """Rank correlation that two measurements of these gains would have, each with the luck of ten splits."""
    errors = widths / 2 / 1.83 * np.sqrt((1 / 10) / (1 / 10 + 0.25))
    rng = np.random.default_rng(0)
    # What was measured has one luck in it already: it is one of the two, and what a further one adds is drawn.
    return float(np.mean([spearmanr(real, real + rng.normal(size=len(real)) * errors).statistic for _ in range(draws)])) if len(real) > 4 else np.nan


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True, help="results file, one JSON line a case; appended to")
    parser.add_argument("--report", action="store_true", help="only print what the file holds")
    parser.add_argument("--cases", nargs="+", choices=["planted", "real"], default=["planted", "real"])
    parser.add_argument("--sets", nargs="+", help="names of sets; all by default")
    parser.add_argument("--models", nargs="+", default=["linear", "knn", "auto", "forest"])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--effort", default="standard")
    given = parser.parse_args()
    out = Path(given.out)
    if not given.report:
        done = set(out.read_text().splitlines()) if out.exists() else set()
        with threadpool_limits(limits=1):
            _run(given, out, done)
    report(out)


def _run(given, out, done):
    for seed in range(given.seeds):
        for kind in given.cases:
            for name in CLEAN if kind == "planted" else SETS:
                if given.sets and name not in given.sets:
                    continue
                for model in given.models:
                    mark = json.dumps({"done": [name, kind, seed, model, given.effort]})
                    if mark in done or (kind == "real" and seed):
                        continue
                    lines = [json.dumps(line) for line in cases(name, kind, seed, model, given.effort)]
                    with out.open("a") as file:
                        file.write("\n".join([*lines, mark]) + "\n")
                    print(f"{name}, {kind}, seed {seed}, {model}: {len(lines)} lines", flush=True)


if __name__ == "__main__":
    main()
