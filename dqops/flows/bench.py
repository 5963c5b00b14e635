"""Bench: which cleaning strategy wins on this data."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real

import dqops.strategies  # noqa: F401  (registers the strategies)
from dqops.contracts import Corruption
from dqops.errors import DataError, OptionError
from dqops.flows.bench_case import ORACLE, Oracle, Protocol, refuse_nothing_to_ask
from dqops.flows.bench_cases import KEYS, check_out, digest, run_cases
from dqops.flows.bench_summary import bench_of
from dqops.flows.by_strategy import chosen_strategy
from dqops.models import check_scoring, classes_of, resolve_model, task_of
from dqops.propagation.corruptions import CellCorruption  # noqa: F401  (registers the corruptions)
from dqops.propagation.costs import Costs
from dqops.seeds import stream
from dqops.strategies.peers import peer_strategies
from dqops.tables.io import read
from dqops.tables.pairs import paired, read_alike

BUDGETS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6)
STRATEGIES = ("random", "detector", "uncertainty", "knn_shapley", "influence", "data_oob", "dqops")
MODELS = ("linear", "forest", "boosting")


def bench(
    data,
    *,
    target,
    clean=None,
    planted=None,
    strategies=STRATEGIES,
    models=MODELS,
    budgets=None,
    batch=None,
    renew=2,
    seeds=10,
    unit="record",
    start="dirty",
    cost=None,
    scoring=None,
    key=None,
    ignore=(),
    rows=(1000, 300, 2000),
    name=None,
    peers=None,
    out=None,
    n_jobs=1,
    progress=None,
):
    """Which cleaning strategy wins on this data: score against money spent, over seeds.

    Parameters
    ----------
    data : Table, pandas.DataFrame, polars.DataFrame, path or URL
        The dirty rows; or clean ones, where errors are planted.
    target : str
        Column that the model predicts.
    clean : like `data`, optional
        The same rows without errors: the truth that answers.
    planted : mapping of str to float, optional
        Corruptions (``dqops.Corruption.known()``, of one column as ``"outliers:age"``) and their rates, planted anew for
        each seed; where no clean table is given.
    strategies : sequence of str, Strategy or class
        "oracle" asks the wrong rows first, in random order. "random" is always among them: areas are told against it.
    models : sequence of str or estimator, or mapping from names to them
        As `dqops.audit` takes them.
    budgets : sequence of float, optional
        Where the model is fitted and judged: shares of the cost of everything up to 1 (2% to 60% by default), or amounts of
        money where one is above 1.
    batch : int, optional
        Judge after every so many answers instead, up to all.
    renew : int
        A strategy ranks anew at every so many budgets.
    seeds : int or sequence of int
        Each splits the rows anew: half to train on, 15% clean for the strategies to judge by, the rest judges. Models, planted
        errors and strategies are seeded by it, too.
    unit : {"record", "cell"}
        What one answer tells: all cells of a row, or one.
    start : {"dirty", "repaired"}
        Whether the repairs that are sure are made before anybody is asked.
    cost : float or mapping, optional
        Of one answer, as in `dqops.prioritize`: by column, ``"record"``, ``"cell"`` or ``"rows"``.
    scoring : str, optional
        Scorer name of scikit-learn; accuracy or r2 by default.
    key, ignore
        As in `dqops.audit`; rows of the two tables go by the key, or by position.
    rows : sequence of three int
        Most rows to train on, clean ones for the strategies, and rows that judge.
    name : str, optional
        Of the data set, in the results.
    peers : mapping of str to path, optional
        "cleanlab", "pydvl", "datascope" or "opendataval", and the python of an environment that has it: the peer is then a
        strategy of that name, run there as a process of its own.
    out : path, optional
        A file of results, one JSON object a line: cases that it holds are not run again, others are added as they end.
    n_jobs : int
        Models and seeds worked on side by side; the answer does not depend on it.
    progress : callable, optional
        Called with (done, total, what).

    Returns
    -------
    Bench

    Raises
    ------
    DqopsError
        One clear sentence on what came and what was needed.

    Notes
    -----
    A fit for each budget, strategy, model and seed, and what the strategies cost. All strategies meet the same rows, read as a
    person reads them: what cannot be read in a number column is empty. The rows that judge are clean and never shown.

    Examples
    --------
    >>> import numpy as np
    >>> import polars as pl
    >>> size = np.random.default_rng(0).normal(size=400)
    >>> frame = pl.DataFrame({"size": size, "weight": 3 * size})
    >>> found = bench(frame, target="weight", planted={"outliers": 0.1}, strategies=["detector"], models=["linear"], seeds=2)
    >>> found.summary()["strategy"].to_list()
    ['detector', 'random']
    """
    check_out(out)
    roles = {"target": target, "key": key}
    dirty = read(data, ignore=ignore, **roles)
    planted = _planted(planted, clean, dirty)
    clean = dirty if clean is None else paired(dirty, read(clean, ignore=ignore, **roles))
    task = task_of(read_alike(clean, clean)[1])
    if task == "classification" and len(classes_of(clean)) < 2:
        raise DataError(f"the clean target {clean.roles.target!r} holds one class", "two or more classes")
    if not planted:
        refuse_nothing_to_ask(dirty, clean, [*dirty.features, dirty.roles.target])
    budgets, shares = _budgets(budgets, batch, dirty.n_rows)
    scoring = check_scoring(scoring, task, len(classes_of(clean)) if task == "classification" else 2)
    protocol = Protocol(
        unit=_one_of("unit", unit, ("record", "cell")),
        start=_one_of("start", start, ("dirty", "repaired")),
        budgets=budgets,
        shares=shares,
        renew=_count("renew", renew),
        rows=tuple(_count("rows", one) for one in rows),
        planted=planted,
        scoring=scoring,
        task=task,
        costs=_costs(cost, dirty, unit, budgets, shares),
    )
    chosen, specs = _strategies(strategies, peers), _models(models, task)
    name = name or dirty.name
    mark = digest(protocol, (dirty.fingerprint, clean.fingerprint), target)
    wanted = [(name, model, strategy, seed, mark) for model in specs for strategy in chosen for seed in _seeds(seeds)]
    results = run_cases(wanted, dirty, clean, protocol, specs, chosen, name, out=out, n_jobs=n_jobs, tell=progress or (lambda done, total, what: None))
    found = bench_of([results[one] for one in wanted], protocol, tuple(dict.fromkeys((*dirty.warnings, *clean.warnings))), keys=KEYS)
    if found.failures().height == len(wanted):
        raise DataError(f"none of the {len(wanted)} cases could be played: {found.failures()['failed'][0].rstrip('.')}", "data and a model that can be trained on it")
    return found


def _planted(planted, clean, table):
    """(name, rate) of what is planted; either that or a clean table is needed."""
    if (planted is None) == (clean is None):
        came = "both it and planted=" if clean is not None else None
        raise OptionError("clean", came, "a table without errors, or errors to plant such as planted={'label_flips': 0.2}")
    if planted is None:
        return ()
    if not isinstance(planted, Mapping) or not planted:
        raise OptionError("planted", planted, "a mapping from corruptions to rates, such as {'label_flips': 0.2}")
    for one, rate in planted.items():
        kind = Corruption.named(str(one).partition(":")[0])
        if not getattr(kind, "keeps_rows", True):
            raise OptionError("planted", one, "a corruption that adds no rows")
        if isinstance(rate, bool) or not isinstance(rate, Real) or not 0 < rate <= 1:
            raise OptionError(f"planted[{one!r}]", rate, "a share above 0, at most 1")
        kind(column=str(one).partition(":")[2] or None).corrupt(table, 0.0, stream(0, "trying a corruption"))
    return tuple((str(one), float(rate)) for one, rate in planted.items())


def _budgets(budgets, batch, n_rows):
    """Rising budgets, and whether they are shares."""
    if batch is not None:
        return tuple(float(one) for one in range(_count("batch", batch), n_rows + 1, batch)) or (float(batch),), False
    given = BUDGETS if budgets is None else budgets
    given = [given] if isinstance(given, Real) else list(given)
    if not given or not all(isinstance(one, Real) and not isinstance(one, bool) and one > 0 for one in given):
        raise OptionError("budgets", given, "numbers above 0: shares of the whole cost, or amounts")
    ordered = sorted({float(one) for one in given})
    return tuple(ordered), ordered[-1] <= 1


def _costs(cost, dirty, unit, budgets, shares):
    costs = Costs.of(cost)
    costs.check((unit,), dirty.columns, ())
    cheapest = min(costs.of_finding(unit, name) for name in ([None] if unit == "record" else dirty.features))
    if not shares and budgets[-1] < cheapest:
        raise OptionError("budgets", list(budgets), f"{cheapest:g} or more: the cheapest answer costs that much")
    if cheapest == 0 and not costs.rows:
        raise OptionError("cost", cost, "answers that cost something, to draw a score against money")
    return costs


def _strategies(strategies, peers):
    """By name; the random order is always among them, and so are the peers that were given."""
    given = [strategies] if isinstance(strategies, str) or not isinstance(strategies, Sequence) else list(strategies)
    if not given:
        raise OptionError("strategies", given, "one or more names of strategies")
    chosen = {}
    outside = peer_strategies(peers or {})
    for one in [*given, "random", *outside.values()]:
        strategy = Oracle() if one == ORACLE else outside[one] if isinstance(one, str) and one in outside else chosen_strategy(one)
        chosen.setdefault(strategy.name, strategy)
    return chosen


def _models(models, task):
    if not isinstance(models, Mapping):
        given = [models] if isinstance(models, str) or not isinstance(models, Sequence) else list(models)
        names = [one if isinstance(one, str) else type(one).__name__ for one in given]
        if len(set(names)) < len(names):
            raise OptionError("models", names, "models of different names: a mapping from names to models gives them")
        models = dict(zip(names, given, strict=True))
    if not models:
        raise OptionError("models", models, "one or more models")
    for one in models.values():
        resolve_model(one, task)
    return {str(name): one for name, one in models.items()}


def _seeds(seeds):
    if isinstance(seeds, Integral) and not isinstance(seeds, bool):
        return range(_count("seeds", seeds))
    given = list(seeds) if isinstance(seeds, Sequence) and not isinstance(seeds, str) else [seeds]
    if not given or not all(isinstance(one, Integral) and one >= 0 for one in given):
        raise OptionError("seeds", seeds, "how many, or a list of integers of 0 or more")
    return [int(one) for one in dict.fromkeys(given)]


def _count(name, given):
    if isinstance(given, bool) or not isinstance(given, Integral) or given < 1:
        raise OptionError(name, given, "an integer of 1 or more")
    return int(given)


def _one_of(name, given, known):
    if given not in known:
        raise OptionError(name, given, "one of " + ", ".join(known))
    return given


