"""``dqops price``."""

import sys

import click

from dqops.cli.config import configured, cores


@click.command(context_settings={"show_default": True})
@click.argument("source", metavar="DATA")
@click.option("--target", required=True, help="Column that the model predicts.")
@click.option("--model", default="auto", help="auto, linear, knn, forest, boosting, or package.module:attribute.")
@click.option("--allow-pickle", is_flag=True, help="Let --model be a pickle file. Pickles run code.")
@click.option("--findings", help="Ids, kinds or columns, with commas between.  [default: all that is found]")
@click.option("--method", type=click.Choice(["auto", "retrain", "knn", "influence", "bounds"]), default="auto", help="How doubts are pushed through training.")
@click.option("--by", type=click.Choice(["finding", "row", "cell"]), default="finding", help="What is priced.")
@click.option("--scoring", help="Scorer name of scikit-learn.  [default: accuracy or r2]")
@click.option("--holdout", help="Rows that judge, instead of cross-validation.")
@click.option("--key", help="Column that identifies a row.")
@click.option("--time", help="Column in which splits go forward.")
@click.option("--group", help="Column whose rows stay on one side of a split.")
@click.option("--ignore", multiple=True, help="Column that nobody looks at; may be repeated, or a,b,c.")
@click.option("--weight", help="Column of sample weights.")
@click.option("--trusted", help="Column that marks rows known to be clean.")
@click.option("--query", help="SQL, where DATA is the URL of a database.")
@click.option("--effort", type=click.Choice(["quick", "standard", "thorough"]), default="standard")
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), help="Time for pricing.")
@click.option("--seed", type=click.IntRange(min=0), default=0)
@click.option("--jobs", type=int, default=-1, help="Splits worked on side by side; -1 takes all cores.")
@click.option("--json", "json_path", help="Write JSON to this file, - for stdout.")
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
