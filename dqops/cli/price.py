"""``dqops price``."""

import sys

import click

from dqops.cli.config import configured, cores
from dqops.cli.flags import flags


@click.command(context_settings={"show_default": True})
@click.argument("source", metavar="DATA")
@flags("target", "model", "allow-pickle")
@click.option("--findings", help="Ids, kinds or columns, with commas between.  [default: all that is found]")
@click.option("--method", type=click.Choice(["auto", "retrain", "knn", "influence", "bounds"]), default="auto", help="How doubts are pushed through training.")
@click.option("--by", type=click.Choice(["finding", "row", "cell"]), default="finding", help="What is priced.")
@flags("scoring", "holdout", "key", "time", "group", "ignore", "weight", "trusted", "query", "effort", "max-seconds", "seed", "jobs", "json")
@click.option("--out", help="Write all gains to this CSV file.")
@click.option("--config", is_eager=True, callback=configured("price"), help="TOML file of settings.  [default: dqops.toml]")
@click.pass_context
def price(ctx, source, target, key, time, group, ignore, weight, trusted, query, jobs, json_path, out, config, **options):
    """Tell what resolving each doubt of DATA adds to the score of your model.

    DATA is a CSV, Parquet, Arrow, JSON or Excel file, a folder or glob of Parquet files, the URL of a database
    with --query, or - for stdin.
    """
    from dqops.cli.progress import progress
    from dqops.files import write_text
    from dqops.flows.gains import price as run
    from dqops.reports.gains import print_gains
    from dqops.tables.io import read

    ignored = [name for one in ignore for name in one.split(",")]
    with progress() as tell:
        table = read(source, target=target, key=key, time=time, group=group, ignore=ignored, weight=weight, trusted=trusted, query=query)
        gains = run(table, n_jobs=cores(jobs), progress=tell, **options)
    if json_path == "-":
        click.echo(gains.to_json(), nl=False)
    elif json_path:
        write_text(json_path, gains.to_json())
    if out:
        write_text(out, gains.to_frame().write_csv())
    print_gains(gains, sys.stderr if json_path == "-" else sys.stdout)
