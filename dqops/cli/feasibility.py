"""``dqops feasibility``."""

import sys

import click

from dqops.cli.config import configured
from dqops.cli.flags import flags


@click.command(context_settings={"show_default": True})
@click.argument("source", metavar="DATA")
@click.option("--target", required=True, help="Column that is predicted.")
@click.option("--target-score", type=float, help="Score that is asked for; without it there is a band and no verdict.")
@click.option("--model", help="Competes beside simple models: a name as in dqops audit, or package.module:attribute.")
@flags("allow-pickle", "scoring")
@click.option("--holdout", help="Rows that judge, instead of a third of DATA.")
@flags("key")
@click.option("--time", help="Column in which the judged rows come last.")
@click.option("--group", help="Column whose rows stay together.")
@click.option("--ignore", multiple=True, help="Column that no model may see; may be repeated, or a,b,c.")
@flags("query", "effort", "seed", "json")
@click.option("--fail-unless", type=click.Choice(["feasible", "possible"]), help="Exit 1 unless the goal is shown feasible, or not ruled out.")
@click.option("--config", is_eager=True, callback=configured("feasibility"), help="TOML file of settings.  [default: dqops.toml]")
@click.pass_context
def feasibility(ctx, source, target, key, time, group, ignore, query, json_path, fail_unless, config, **options):
    """Tell whether any model can reach a score on DATA.

    DATA is a CSV, Parquet, Arrow, JSON or Excel file, a folder or glob of Parquet files, the URL of a database
    with --query, or - for stdin.
    """
    from dqops.cli.progress import progress
    from dqops.files import write_text
    from dqops.flows.feasibility import feasibility as run
    from dqops.reports.feasibility import print_feasibility
    from dqops.tables.io import read

    if fail_unless and options["target_score"] is None:
        raise click.UsageError("--fail-unless needs --target-score")
    ignored = [name for one in ignore for name in one.split(",")]
    with progress() as tell:
        table = read(source, target=target, key=key, time=time, group=group, ignore=ignored, query=query)
        answer = run(table, progress=tell, **options)
    if json_path == "-":
        click.echo(answer.to_json(), nl=False)
    elif json_path:
        write_text(json_path, answer.to_json())
    print_feasibility(answer, sys.stderr if json_path == "-" else sys.stdout)
    wanted = {"feasible": ("feasible",), "possible": ("feasible", "open")}.get(fail_unless)
    if wanted and answer.verdict not in wanted:
        ctx.exit(1)
