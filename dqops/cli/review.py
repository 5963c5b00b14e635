"""``dqops review``."""

import click

from dqops.cli.config import configured, cores
from dqops.cli.flags import flags


@click.command(context_settings={"show_default": True})
@click.argument("source", metavar="DATA")
@click.option("--dir", "folder", required=True, type=click.Path(file_okay=False), help="Folder of the review; it is made where there is none.")
@click.option("--target", help="Column that the model predicts; what follows up to --jobs is for the first call alone.")
@flags("key", "time", "group", "ignore", "weight", "trusted", "model", "allow-pickle", "scoring", "holdout")
@click.option("--budget", type=float, help="Most that may be spent, in the unit of the costs.")
@click.option("--cost", "costs", multiple=True, help="NUMBER, or NAME=NUMBER for a finding, column or kind; setup:NAME=NUMBER is paid once. May be repeated.")
@click.option("--risk", type=click.Choice(["mean", "lower", "upper"]), default="mean", help="Which end of the interval ranks.")
@click.option("--explore", type=click.FloatRange(min=0, max=1, max_open=True), default=0.0, help="Share of places for doubts drawn at random.")
@flags("detectors")
@click.option("--repairs", "repairs_folder", type=click.Path(exists=True, file_okay=False), help="Folder of a plan: what it surely repairs is not asked about.")
@flags("effort", "max-seconds", "seed", "jobs")
@click.option("--next", "n", type=click.IntRange(min=1), help="Write the next batch of so many doubts.")
@click.option("--format", "form", type=click.Choice(["csv", "excel", "label-studio"]), default="csv", help="Of the batch.")
@click.option("--out", type=click.Path(dir_okay=False), help="File of the batch.  [default: batch-NUMBER in --dir]")
@click.option("--reviewer", help="Who gets the batch, or answered where a file does not say.")
@click.option("--overlap", type=click.FloatRange(0, 1), default=0.0, help="Share of the batch that others were asked, too.")
@click.option("--again", is_flag=True, help="Hand out what was not answered once more.")
@click.option("--answers", multiple=True, type=click.Path(exists=True, dir_okay=False), help="Read this filled file (CSV, Excel, or JSON of Label Studio); may be repeated.")
@click.option("--schema", type=click.Path(), help="pandera schema that answers must keep to.")
@click.option("--skip-bad", is_flag=True, help="Take what can be taken of a file, and tell of the rest.")
@click.option("--retract", nargs=2, multiple=True, metavar="ROW COLUMN", help="Take back what was answered about a cell; - for a whole row.")
@click.option("--plan", "plan_folder", type=click.Path(file_okay=False), help="Write the answers as a plan, joined with the repairs that it holds.")
@click.option("--status", "wants_status", is_flag=True, help="Tell where the review stands; so do all other calls, shortly.")
@click.option("--price", type=click.FloatRange(min=0, min_open=True), help="What one unit of score is worth: tells whether to go on.")
@click.option("--json", "json_path", help="Write the status as JSON to this file, - for stdout.")
@click.option("--query", help="SQL, where DATA is the URL of a database; needed at every call, as the next two.")
@flags("encoding", "delimiter")
@click.option("--config", is_eager=True, callback=configured("review"), help="TOML file of settings.  [default: dqops.toml]")
def review(source, folder, ignore, detectors, costs, repairs_folder, jobs, n, form, out, reviewer, overlap, again, answers, schema, skip_bad, retract, plan_folder, wants_status, price, json_path, query, encoding, delimiter, config, **options):
    """Ask people about the doubts of DATA in the order that pays, and read their answers.

    Write into the column `answer` what the cell should hold, or [right], [suggestion], [empty] or [unknown]; about a whole
    row [keep] or [drop]. Nothing means not answered. The review goes on where it stopped, whatever happened.
    """
    from dqops.cli.prioritize import costs_of
    from dqops.cli.progress import progress
    from dqops.files import write_text
    from dqops.flows.joined import write_plan
    from dqops.flows.review import review as run
    from dqops.reports.review import said_of
    from dqops.results.plan import CleaningPlan
    from dqops.tables.io import read

    names = detectors.split(",") if detectors else None
    ignored = [name for one in ignore for name in one.split(",")]
    aside = json_path == "-"
    repairs = CleaningPlan.load(repairs_folder) if repairs_folder else None
    with progress() as tell:
        table = read(source, query=query, encoding=encoding, delimiter=delimiter)
        one = run(table, folder=folder, ignore=ignored, detectors=names, cost=costs_of(costs), repairs=repairs, n_jobs=cores(jobs), progress=tell, **options)
    for row, column in retract:
        one.retract(one.row_id(row), None if column == "-" else column, reviewer=reviewer)
        click.echo(f"dqops: the answers about row {row}, column {column} are taken back", err=True)
    for path in answers:
        told = one.read(path, reviewer=reviewer or "reviewer", schema=schema, skip_bad=skip_bad)
        click.echo(f"dqops: {path}: {told['taken']} answers taken, {told['known']} known before, {told['blank']} not answered", err=True)
        for said in told["problems"]:
            click.echo(f"dqops: {path}: {said}", err=True)
    if n is not None:
        path, count = one.write_batch(out, n, form=form, reviewer=reviewer, again=again, overlap=overlap)
        click.echo(f"dqops: {count} cells to be answered are in {path}" if count else "dqops: no batch is written", err=True)
    if plan_folder:
        click.echo(str(write_plan(one, plan_folder)), err=aside)
        click.echo(f"dqops: the plan is in {plan_folder}; dqops clean {source} --plan {plan_folder} --out FILE makes it", err=True)
    status = one.status(price=price)
    if json_path == "-":
        click.echo(status.to_json(), nl=False)
        return
    if json_path:
        write_text(json_path, status.to_json())
    if wants_status or not (answers or n or plan_folder or retract):
        click.echo(str(status), nl=False)
    else:
        click.echo(said_of(status))
