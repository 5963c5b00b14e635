"""``dqops prioritize``."""

import sys

import click

from dqops.cli.config import configured, cores
from dqops.cli.flags import flags


@click.command(context_settings={"show_default": True})
@click.argument("source", metavar="DATA")
@flags("target", "model", "allow-pickle")
@click.option("--budget", type=float, help="Most that may be spent, in the unit of the costs.")
@click.option("--cost", "costs", multiple=True, help="NUMBER, or NAME=NUMBER for a finding, column or kind; setup:NAME=NUMBER is paid once. May be repeated.")
@click.option("--risk", type=click.Choice(["mean", "lower", "upper"]), default="mean", help="Which end of the interval ranks.")
@click.option("--explore", type=click.FloatRange(min=0, max=1, max_open=True), default=0.0, help="Share of places for doubts drawn at random.")
@click.option("--strategy", default="dqops", help="dqops (gain per cost), random, detector, uncertainty, knn_shapley, influence, data_oob ...")
@click.option("--price", type=click.FloatRange(min=0, min_open=True), help="What one unit of score is worth: tells whether to go on.")
@flags("scoring", "holdout", "key", "time", "group", "ignore", "weight", "trusted", "detectors", "query", "effort", "max-seconds", "seed", "jobs", "json")
@click.option("--out", help="Write all doubts to this CSV or Parquet file.")
@click.option("--config", is_eager=True, callback=configured("prioritize"), help="TOML file of settings.  [default: dqops.toml]")
@click.pass_context
def prioritize(ctx, source, target, key, time, group, ignore, weight, trusted, detectors, query, costs, price, jobs, json_path, out, config, **options):
    """Rank the doubts of DATA by what resolving each is expected to gain for its cost.

    DATA is a CSV, Parquet, Arrow, JSON or Excel file, a folder or glob of Parquet files, the URL of a database
    with --query, or - for stdin.
    """
    from dqops.cli.progress import progress
    from dqops.files import write_text
    from dqops.flows.prioritize import prioritize as run
    from dqops.reports.ranking import print_ranking
    from dqops.reports.review import said_of_next
    from dqops.tables.io import read

    cost = costs_of(costs)
    ignored = [name for one in ignore for name in one.split(",")]
    names = detectors.split(",") if detectors else None
    with progress() as tell:
        table = read(source, target=target, key=key, time=time, group=group, ignore=ignored, weight=weight, trusted=trusted, query=query)
        ranking = run(table, cost=cost, detectors=names, n_jobs=cores(jobs), progress=tell, **options)
    if json_path == "-":
        click.echo(ranking.to_json(), nl=False)
    elif json_path:
        write_text(json_path, ranking.to_json())
    if out:
        _write(ranking.to_frame(), out)
    aside = sys.stderr if json_path == "-" else sys.stdout
    print_ranking(ranking, aside)
    if price is not None:
        click.echo(said_of_next(ranking.next(100), min(100, len(ranking)), ranking.scoring, ranking.worth(price)), err=json_path == "-")


def costs_of(given):
    """The costs of the command line: a number, or names with numbers."""
    costs, setup = {}, {}
    for one in given:
        name, equals, number = one.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            raise click.BadParameter(f"{one!r}: need a number, or NAME=NUMBER", param_hint="--cost") from None
        if not equals:
            costs["default"] = value
        elif name.startswith("setup:"):
            setup[name.removeprefix("setup:")] = value
        else:
            costs[name] = value
    return (costs | ({"setup": setup} if setup else {})) or None


def _write(frame, path):
    """All doubts as CSV, or as Parquet where the name says so; whole or not at all."""
    from dqops.files import parquet_bytes, write_bytes, write_text

    if path.endswith((".parquet", ".pq")):
        write_bytes(path, parquet_bytes(frame))
    else:
        write_text(path, frame.write_csv())
