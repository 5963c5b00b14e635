"""``dqops propagate``."""

import sys

import click

from dqops.cli.config import configured, cores


@click.command(context_settings={"show_default": True})
@click.argument("source", metavar="DATA")
@click.option("--target", required=True, help="Column that the model predicts.")
@click.option("--model", default="auto", help="auto, linear, knn, forest, boosting, or package.module:attribute.")
@click.option("--allow-pickle", is_flag=True, help="Let --model be a pickle file. Pickles run code.")
@click.option("--corruptions", help="Kinds of noise, with commas between.  [default: those that the table can bear]")
@click.option("--columns", help="A curve for each of these columns, with commas between.  [default: all columns at once]")
@click.option("--rates", default="0,0.05,0.1,0.2,0.3", help="Shares in [0, 1] that rise, with commas between.")
@click.option("--arm", type=click.Choice(["training", "serving", "deployed"]), default="training", help="Which rows bear the noise.")
@click.option("--loss", type=click.FloatRange(min=0), default=0.01, help="Loss of score that tolerances are told for.")
@click.option("--scoring", help="Scorer name of scikit-learn.  [default: accuracy or r2]")
@click.option("--holdout", help="Rows that judge, instead of cross-validation.")
@click.option("--key", help="Column that identifies a row.")
@click.option("--time", help="Column in which splits go forward.")
@click.option("--group", help="Column whose rows stay on one side of a split.")
@click.option("--ignore", multiple=True, help="Column that nobody looks at; may be repeated, or a,b,c.")
@click.option("--weight", help="Column of sample weights.")
@click.option("--query", help="SQL, where DATA is the URL of a database.")
@click.option("--effort", type=click.Choice(["quick", "standard", "thorough"]), default="standard")
@click.option("--method", type=click.Choice(["brute", "fast", "auto"]), default="brute", help="Train at each rate, or estimate for a twentieth of it.")
@click.option("--fast", is_flag=True, help="Short for --method fast.")
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), help="No curve is begun after this time.")
@click.option("--seed", type=click.IntRange(min=0), default=0)
@click.option("--jobs", type=int, default=-1, help="Splits worked on side by side; -1 takes all cores.")
@click.option("--json", "json_path", help="Write JSON to this file, - for stdout.")
@click.option("--html", "html_path", help="Write one self-contained page to this file.")
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
