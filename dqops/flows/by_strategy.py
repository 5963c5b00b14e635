"""Rank by a named strategy: what `prioritize` does where it is not asked for gains per cost."""

import inspect
from dataclasses import replace

import numpy as np
import polars as pl

import dqops.strategies  # noqa: F401  (registers the strategies)
from dqops.contracts import Strategy
from dqops.errors import DataError, OptionError
from dqops.flows.inputs import holdout_of
from dqops.flows.price import design_of
from dqops.propagation.prioritizing import check_budget
from dqops.seeds import stream


def chosen_strategy(strategy):
    """A strategy, from its name, its class or itself.

    Raises
    ------
    UnknownNameError
        With the nearest name that exists.
    OptionError
        For what is no strategy.

    Examples
    --------
    >>> chosen_strategy("random")
    Random()
    """
    if isinstance(strategy, str):
        return Strategy.named(strategy)()
    if inspect.isclass(strategy) and issubclass(strategy, Strategy):
        return strategy()
    if not callable(getattr(strategy, "rank", None)) or not callable(getattr(strategy, "tell", None)):
        raise OptionError("strategy", strategy, f"the name of a strategy ({', '.join(Strategy.known())}), or an object with rank and tell")
    return strategy


def rank_by(strategy, table, *, model, holdout, scoring, costs, budget, seed, allow_pickle):
    """`Ranking` of the doubts of a table in the order of a strategy, as far as the budget goes.

    Parameters
    ----------
    strategy : str, Strategy or its class
    table : Table
    costs : Costs
    model, holdout, scoring, budget, seed, allow_pickle
        As in `prioritize`.
    """
    chosen = chosen_strategy(strategy)
    held, said = (None, ()) if holdout is None else holdout_of(holdout, table)
    design = design_of(table, model=model, scoring=scoring, seed=seed, effort="quick", allow_pickle=allow_pickle, holdout=None)
    check_task(chosen, design.task)
    ranking = chosen.rank(table, design.model, held, stream(seed, f"strategy:{chosen.name}"))
    priced = _with_costs(ranking.doubts, costs)
    check_budget(budget, priced)
    kept = priced if budget is None else _affordable(priced, costs.setup, budget)
    return replace(
        ranking,
        doubts=kept.with_columns(rank=pl.int_range(1, kept.height + 1, dtype=pl.Int64)),
        budget=budget,
        scoring=ranking.scoring or str(design.scoring),
        setup=costs.setup,
        left_out=ranking.left_out + priced.height - kept.height,
        warnings=(*table.warnings, *said, *ranking.warnings),
    )


def check_task(strategy, task):
    """Raise `DataError` where a strategy is not for the task."""
    if task not in getattr(strategy, "tasks", (task,)):
        able = [name for name, kind in Strategy.known().items() if task in kind.tasks]
        raise DataError(f"strategy {strategy.name!r} is not for {task}", f"one that is: {', '.join(able)}")


def _with_costs(doubts, costs):
    pairs = doubts.select("kind", "column").unique()
    by_pair = {pair: float(costs.of_finding(*pair)) for pair in pairs.iter_rows()}
    own = np.array([by_pair[pair] for pair in doubts.select("kind", "column").iter_rows()], dtype=np.float64)
    return doubts.with_columns(cost=pl.Series(own + costs.of_rows(doubts["row"].to_list()), dtype=pl.Float64))


def _affordable(doubts, setup, budget):
    """Doubts in their order, passing over what no longer fits."""
    left, paid, kept = budget, set(), []
    for place, (column, kind, cost) in enumerate(doubts.select("column", "kind", "cost").iter_rows()):
        due = [name for name in (column, *kind.split("+")) if name in setup and name not in paid]
        whole = cost + sum(setup[name] for name in due)
        if whole <= left:
            left -= whole
            paid.update(due)
            kept.append(place)
    return doubts[kept]
