"""``dqops appraise``."""

import sys

import click

from dqops.cli.config import configured
from dqops.cli.flags import flags


@click.command(context_settings={"show_default": True})
@click.argument("source", metavar="DATA")
@click.option("--target", help="Column that the model predicts.")
@flags("key", "time", "group", "ignore")
@click.option("--trusted", help="Column that marks rows known to be clean: nobody looks at it.")
@flags("model", "allow-pickle")
@click.option("--holdout", help="Rows that judge.  [default: each fifth of the rows judges the others]")
@click.option("--method", default="auto", help="auto, or a valuer: knn_shapley, influence, data_oob ...")
@flags("query")
@click.option("--top", type=click.IntRange(min=0), default=10, help="Rows to list, those that help least first.")
@flags("seed")
@click.option("--out", help="Write a line for each row to this .csv or .parquet file.")
@flags("json")
@click.option("--save", "folder", help="Write run.json and values.parquet to this folder.")
@click.option("--config", is_eager=True, callback=configured("appraise"), help="TOML file of settings.  [default: dqops.toml]")
def appraise(source, query, ignore, top, out, json_path, folder, config, **options):
    """Tell what each row of DATA is worth to your model, those that help least first.

    DATA is a CSV, Parquet, Arrow, JSON or Excel file, a folder or glob of Parquet files, the URL of a database
    with --query, or - for stdin.
    """
    from dqops.cli.progress import progress
    from dqops.errors import OptionError
    from dqops.files import write_text
    from dqops.flows.appraise import appraise as run
    from dqops.reports.appraisal import print_appraisal
    from dqops.tables.io import read

    if out and not out.endswith((".csv", ".parquet")):
        raise OptionError("out", out, "a file that ends in .csv or .parquet")
    with progress() as tell:
        roles = {name: options.pop(name) for name in ("target", "key", "time", "group", "trusted")}
        table = read(source, ignore=[name for one in ignore for name in one.split(",")], query=query, **roles)
        result = run(table, progress=tell, **options)
    if out:
        result.write(out)
    if folder:
        result.save(folder)
    if json_path == "-":
        click.echo(result.to_json(top), nl=False)
    elif json_path:
        write_text(json_path, result.to_json(top))
    print_appraisal(result, sys.stderr if json_path == "-" else sys.stdout, top)
