"""Order doubts by expected gain per cost, under a budget."""

import numpy as np
import polars as pl

from dqops.errors import OptionError
from dqops.propagation.ranking import shrink
from dqops.results.ranking import COLUMNS

RISKS = {"mean": "gain", "lower": "low", "upper": "high"}
_REACH = 3.3  # width of a 90% interval in standard errors
_DIGITS = 12  # sums of a few hundred thousand floats agree to so many


def doubts_of(groups, costs):
    """One line a doubt of these groups; a cell that several groups doubt is one doubt, worth what its best group says.

    Parameters
    ----------
    groups : list of (Finding, Estimate, float64 (count,))
        The expected gain of resolving the whole group, and the share of each of its cells.
    costs : Costs

    Returns
    -------
    polars.DataFrame
        row, column, kind, gain, low, high, cost, reason.
    """
    shrunken = shrink([one.expected for _, one, _ in groups], [(one.high - one.low) / _REACH for _, one, _ in groups]) if groups else []
    parts = [_lines(*group, gain, costs) for group, gain in zip(groups, shrunken, strict=True)]
    if not parts:
        schema = {name: kind or pl.Int64 for name, kind in COLUMNS.items() if name != "rank"}
        return pl.DataFrame(schema=schema)
    lines = pl.concat(parts, how="vertical")
    best = lines.sort("gain", descending=True, maintain_order=True).group_by("row", "column", maintain_order=True)
    return best.agg(pl.col("kind").str.join("+"), pl.col("gain", "low", "high").first(), pl.col("cost").min(), pl.col("reason").first())


def _lines(finding, whole, shares, gain, costs):
    ids = finding.rows
    cost = costs.of_finding(finding.kind, finding.column) + costs.of_rows(ids.to_list())
    return pl.DataFrame(
        {
            "row": ids,
            "column": pl.Series([finding.column], dtype=pl.String).new_from_index(0, finding.count),
            "kind": pl.Series([finding.kind], dtype=pl.String).new_from_index(0, finding.count),
            "gain": shares * gain,
            "low": shares * min(whole.low, gain),
            "high": shares * max(whole.high, gain),
            "cost": cost,
            "reason": pl.Series(finding.reasons, dtype=pl.String).gather(finding.reason_codes),
        }
    )


def in_order(doubts, costs, *, budget=None, risk="mean", explore=0.0, rng=None):
    """The doubts worth resolving, best first, and how many are left out.

    Parameters
    ----------
    doubts : polars.DataFrame
        As `doubts_of` makes them.
    costs : Costs
        For what is paid once.
    budget : float, optional
        Most that may be spent, 0 or more.
    risk : {"mean", "lower", "upper"}
        Which end of the interval ranks: lower is cautious, upper is eager to learn.
    explore : float
        Share of the places that go to doubts drawn at random, in [0, 1).
    rng : numpy.random.Generator, needed where `explore` is above 0

    Returns
    -------
    polars.DataFrame, int

    Raises
    ------
    OptionError
        Where the budget is no number of 0 or more, or is below the cheapest doubt; for an unknown risk.

    Notes
    -----
    Greedy by gain per cost, set-up costs spread over the doubts that share them; where one affordable doubt alone gains
    more than all that the greedy choice affords, it is taken instead (Khuller, Moss, Naor 1999, Information Processing Letters
    70(1)). O(n log n).
    """
    if risk not in RISKS:
        raise OptionError("risk", risk, "one of " + ", ".join(RISKS))
    if not 0 <= explore < 1:
        raise OptionError("explore", explore, "a share in [0, 1)")
    check_budget(budget, doubts)
    worth = doubts.with_columns(pl.col(RISKS[risk]).alias("_worth"), _spread_setup(doubts, costs).alias("_due"))
    promising = worth.filter(pl.col("_worth") > 0).with_row_index("_place")
    rate = (pl.col("_worth") / pl.col("_due")).fill_nan(float("inf")).round_sig_figs(_DIGITS)
    promising = promising.sort(rate, pl.col("cost"), pl.col("_place"), descending=[True, False, False])
    if explore > 0:
        promising = _explored(promising, worth, explore, rng)
    kept = promising if budget is None else _afforded(promising, costs, budget)
    kept = kept.select(list(doubts.columns))
    return kept.with_row_index("rank", offset=1).with_columns(pl.col("rank").cast(pl.Int64)), doubts.height - kept.height


def check_budget(budget, doubts):
    """Raise `OptionError` for a budget that is no number of 0 or more, or is below the cheapest doubt."""
    if budget is None:
        return
    if isinstance(budget, bool) or not isinstance(budget, int | float) or not budget >= 0:
        raise OptionError("budget", budget, "a number of 0 or more, in the unit of the costs")
    cheapest = doubts["cost"].min() if doubts.height else None
    if cheapest is not None and budget < cheapest:
        raise OptionError("budget", budget, f"{cheapest:g} or more: the cheapest doubt costs that much")


def _spread_setup(doubts, costs):
    """Cost of each doubt with its part of what is paid once, float64 (n,)."""
    due = doubts["cost"].to_numpy().copy()
    for name, once in costs.setup.items():
        sharing = ((doubts["column"] == name).fill_null(False) | doubts["kind"].str.split("+").list.contains(name)).to_numpy()
        due[sharing] += once / max(sharing.sum(), 1)
    return pl.Series(due, dtype=pl.Float64)


def _explored(promising, worth, explore, rng):
    """The ranking with doubts drawn at random from all at evenly spread places."""
    every = max(round(1 / explore), 2)
    n_drawn = promising.height // every
    names = ["row", "column"]
    drawn = worth[np.sort(rng.choice(worth.height, min(n_drawn, worth.height), replace=False))]
    drawn = drawn[rng.permutation(drawn.height)].with_columns(reason=pl.lit("drawn at random, to learn how many doubts are right"))
    rest = promising.drop("_place").join(drawn.select(names), on=names, how="anti", nulls_equal=True, maintain_order="left")
    places = np.concatenate([np.arange(rest.height) * every / (every - 1), np.arange(drawn.height) * every + every - 1.5])
    return pl.concat([rest, drawn.select(rest.columns)])[np.argsort(places, kind="stable")]


def _afforded(promising, costs, budget):
    """The longest affordable beginning, passing over what no longer fits; or the best single doubt, if it gains more."""
    left, paid, kept = budget, set(), []
    for place, (column, kind, cost) in enumerate(promising.select("column", "kind", "cost").iter_rows()):
        due = [name for name in (column, *kind.split("+")) if name in costs.setup and name not in paid]
        whole = cost + sum(costs.setup[name] for name in due)
        if whole <= left:
            left -= whole
            paid.update(due)
            kept.append(place)
    greedy = promising[kept]
    setup = pl.Series([sum(costs.setup.get(name, 0.0) for name in {column, *kind.split("+")}) for column, kind in promising.select("column", "kind").iter_rows()], dtype=pl.Float64)
    alone = promising.filter(promising["cost"] + setup <= budget).sort("_worth", descending=True, maintain_order=True).head(1)
    return alone if alone.height and alone["_worth"][0] > greedy["_worth"].sum() else greedy
