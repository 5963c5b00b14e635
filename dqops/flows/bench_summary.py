"""From finished cases to a `Bench`: frames, areas, and what they say."""

import numpy as np
import polars as pl

from dqops.models.scoring import scorer_name
from dqops.propagation.cleaning_curves import area, captured, cost_to_reach, standing
from dqops.results.bench import CURVES, SUMMARY, Bench

NEAR = 0.95  # of the full score, or of what cleaning gains
_CASES = {"set": pl.String, "model": pl.String, "strategy": pl.String, "seed": pl.Int64}


def bench_of(results, protocol, warnings, *, keys):
    """The `Bench` of these results.

    Parameters
    ----------
    results : list of dict
        As `run_cases` gives them.
    protocol : Protocol
    warnings : tuple of str
    keys : tuple of str
    """
    named = keys[:4]
    points = [
        [*(one[name] for name in named), *point]
        for one in results
        for point in zip(one["answers"], one["cost"], one["score"], strict=True)
        if one["failed"] is None
    ]
    more = {"full": pl.Float64, "total": pl.Float64, "wrong": pl.Int64, "seconds": pl.Float64, "note": pl.String, "failed": pl.String}
    cases = [[*(one[name] for name in named), *(one[name] for name in more)] for one in results]
    failed = sorted({f"{one['set']}, {one['model']}, {one['strategy']}: {one['failed']}" for one in results if one["failed"]})
    return Bench(
        curves=pl.DataFrame(points, schema=CURVES, orient="row"),
        cases=pl.DataFrame(cases, schema=_CASES | more, orient="row"),
        lines=_lines(results),
        scoring=scorer_name(protocol.scoring),
        unit=protocol.unit,
        start=protocol.start,
        warnings=(*warnings, *failed),
    )


def _lines(results):
    """One line a set, model and strategy, the best first; seeds that failed for one strategy are left out for all it is compared with."""
    groups = {}
    for one in results:
        if one["failed"] is None:
            groups.setdefault((one["set"], one["model"]), {}).setdefault(one["strategy"], {})[one["seed"]] = one
    lines = []
    for (name, model), by_strategy in groups.items():
        seeds = sorted(set.intersection(*(set(one) for one in by_strategy.values())))
        if seeds:
            own = [_line(strategy, [found[seed] for seed in seeds], [by_strategy.get("random", found)[seed] for seed in seeds]) for strategy, found in by_strategy.items()]
            places = standing({line["strategy"]: line.pop("areas") for line in own})
            own = [{"set": name, "model": model} | line | {"tied": places[line["strategy"]][3]} for line in own]
            lines += sorted(own, key=lambda line: (-line["area"], line["strategy"]))
    return pl.DataFrame([[line[name] for name in SUMMARY] for line in lines], schema=SUMMARY, orient="row")


def _line(strategy, cases, randoms):
    areas, bases = (np.array([area(one["cost"], one["score"]) for one in part]) for part in (cases, randoms))
    full = np.array([one["full"] for one in cases])
    # Of a strategy that repairs by itself the curve starts elsewhere; older results do not tell both, and need not.
    dirty = np.array([one.get("dirty", one["score"][0]) for one in cases])
    share, low, high = (None if np.isnan(one) else float(one) for one in captured(areas, bases, full))
    goals = {"to_score": NEAR * full, "to_gain": dirty + NEAR * (full - dirty)}
    reached = {
        name: float(np.median([cost_to_reach(one["cost"], one["score"], aim, one["total"]) for one, aim in zip(cases, goal, strict=True)]))
        for name, goal in goals.items()
    }
    return {
        "strategy": strategy,
        "seeds": len(cases),
        "dirty": float(dirty.mean()),
        "full": float(full.mean()),
        "area": float(areas.mean()),
        "captured": share,
        "low": low,
        "high": high,
        **reached,
        "seconds": float(np.mean([one["seconds"] for one in cases])),
        "areas": areas,
    }
