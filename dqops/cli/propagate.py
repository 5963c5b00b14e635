"""``dqops propagate``."""

import sys

import click

from dqops.cli.config import configured, cores
from dqops.cli.flags import flags


@click.command(context_settings={"show_default": True})
@click.argument("source", metavar="DATA")
@flags("target", "model", "allow-pickle")
@click.option("--corruptions", help="Kinds of noise, with commas between.  [default: those that the table can bear]")
@click.option("--columns", help="A curve for each of these columns, with commas between.  [default: all columns at once]")
@click.option("--rates", default="0,0.05,0.1,0.2,0.3", help="Shares in [0, 1] that rise, with commas between.")
@click.option("--arm", type=click.Choice(["training", "serving", "deployed"]), default="training", help="Which rows bear the noise.")
@click.option("--loss", type=click.FloatRange(min=0), default=0.01, help="Loss of score that tolerances are told for.")
@flags("scoring", "holdout", "key", "time", "group", "ignore", "weight", "query", "effort")
@click.option("--method", type=click.Choice(["brute", "fast", "auto"]), default="brute", help="Train at each rate, or estimate for a twentieth of it.")
@click.option("--fast", is_flag=True, help="Short for --method fast.")
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), help="No curve is begun after this time.")
@flags("seed", "jobs", "json", "html")
@click.option("--save", "folder", help="Write curves.json and page.html to this folder; finished fits are kept there, and an interrupted run goes on.")
@click.option("--config", is_eager=True, callback=configured("propagate"), help="TOML file of settings.  [default: dqops.toml]")
@click.pass_context
def propagate(ctx, source, target, key, time, group, ignore, weight, query, corruptions, columns, rates, jobs, json_path, html_path, folder, config, **options):
    """Tell how the score of a model falls as each kind of noise in DATA rises.

    DATA is a CSV, Parquet, Arrow, JSON or Excel file, a folder or glob of Parquet files, the URL of a database
    with --query, or - for stdin.
    """
    from dqops.cli.progress import going_on, progress
    from dqops.files import write_text
    from dqops.flows.propagate import propagate as run
    from dqops.reports.curves import print_curves
    from dqops.tables.io import read

    ignored = [name for one in ignore for name in one.split(",")]
    kinds, named = (None if one is None else one.split(",") for one in (corruptions, columns))
    with going_on(folder), progress() as tell:
        table = read(source, target=target, key=key, time=time, group=group, ignore=ignored, weight=weight, query=query)
        curves = run(table, target=target, corruptions=kinds, columns=named, rates=rates.split(","), n_jobs=cores(jobs), keep=folder, progress=tell, **options)
    if folder:
        write_text(f"{folder}/curves.json", curves.to_json())
        curves.to_html(f"{folder}/page.html")
    if json_path == "-":
        click.echo(curves.to_json(), nl=False)
    elif json_path:
        write_text(json_path, curves.to_json())
    if html_path:
        curves.to_html(html_path)
    print_curves(curves, sys.stderr if json_path == "-" else sys.stdout)
