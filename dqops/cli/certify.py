"""``dqops certify``."""

import sys

import click

from dqops.cli.config import configured
from dqops.cli.flags import flags


@click.command(context_settings={"show_default": True})
@click.argument("source", metavar="DATA")
@flags("target")
@click.option("--model", default="knn", help="knn, linear, or package.module:attribute.")
@flags("allow-pickle")
@click.option("--holdout", help="Rows whose predictions are judged, instead of folds of DATA.")
@click.option("--k", type=click.IntRange(min=1), help="Neighbours of k-NN.  [default: the model's own]")
@click.option("--n-candidates", type=click.IntRange(min=2), default=10, help="Most candidates of a cell, and of a row.")
@click.option("--excess", type=click.FloatRange(min=0, min_open=True), default=0.01, help="Share of its objective by which a linear model may miss the best.")
@click.option("--detectors", default="missing,formats,outliers,categories", help="What finds doubtful cells, with commas between.")
@flags("key", "time", "group", "ignore", "query", "seed", "json")
@click.option("--out", help="Write a line a judged row to this file, Parquet or CSV as it ends.")
@click.option("--needs", help="Write a line a row with doubtful cells to this file, Parquet or CSV as it ends.")
@click.option("--config", is_eager=True, callback=configured("certify"), help="TOML file of settings.  [default: dqops.toml]")
@click.pass_context
def certify(ctx, source, target, key, time, group, ignore, query, detectors, json_path, out, needs, config, **options):
    """Tell which predictions no repair of DATA can change, and whether cleaning is needed at all.

    DATA is a CSV, Parquet, Arrow, JSON or Excel file, a folder or glob of Parquet files, the URL of a database
    with --query, or - for stdin.
    """
    from dqops.cli.progress import progress
    from dqops.files import frame_form, write_frame, write_text
    from dqops.flows.certify import certify as run
    from dqops.reports.certainty import print_certainty
    from dqops.tables.io import read

    for path in filter(None, (out, needs)):
        frame_form(path)
    ignored = [name for one in ignore for name in one.split(",")]
    with progress() as tell:
        table = read(source, target=target, key=key, time=time, group=group, ignore=ignored, query=query)
        told = run(table, target=target, detectors=detectors.split(","), progress=tell, **options)
    if json_path == "-":
        click.echo(told.to_json(), nl=False)
    elif json_path:
        write_text(json_path, told.to_json())
    for path, frame in ((out, told.predictions), (needs, told.needs)):
        if path:
            write_frame(path, frame)
    print_certainty(told, sys.stderr if json_path == "-" else sys.stdout)
