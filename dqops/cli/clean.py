"""``dqops clean`` and ``dqops undo``."""

import click

from dqops.cli.config import configured, cores
from dqops.cli.flags import flags

_SETTINGS = {"show_default": True}


@click.command(context_settings=_SETTINGS)
@click.argument("source", metavar="DATA")
@click.option("--target", help="Column that the model predicts.")
@flags("key", "time", "group", "ignore", "weight", "trusted", "model", "allow-pickle")
@click.option("--no-model", is_flag=True, help="Make only what is surely right; measure nothing.")
@flags("scoring", "holdout", "detectors")
@click.option("--min-confidence", type=click.FloatRange(0, 1), help="Least confidence of a change.  [default: 0.8 where no gain speaks for it]")
@flags("query", "encoding", "delimiter", "effort", "max-seconds", "seed", "jobs")
@click.option("--who", default="dqops", help="Name in the trail.")
@click.option("--plan", "folder", type=click.Path(file_okay=False), help="Folder for the plan; one that it holds for DATA is made as it is.")
@click.option("--out", type=click.Path(dir_okay=False), help="Write the cleaned table to this file; without it nothing but the plan is made.")
@click.option("--config", is_eager=True, callback=configured("clean"), help="TOML file of settings.  [default: dqops.toml]")
@click.pass_context
def clean(ctx, source, folder, out, config, **options):
    """Clean DATA as it pays for the model; keep the trail in --plan, so that `dqops undo` can take it back.

    DATA itself is never written. Where --out has the ending of DATA, cells that do not change stay byte for byte (CSV) or
    value for value (Parquet) as they stand.
    """
    from dqops.flows.rewrite import held_plan, refuse_other_settings, write_cleaned
    from dqops.tables.io import read

    reading = {name: options.pop(name) for name in ("query", "encoding", "delimiter")}
    roles = {name: options.pop(name) for name in ("target", "key", "time", "group", "weight", "trusted")}
    ignored = [name for one in options.pop("ignore") for name in one.split(",")]
    table = read(source, ignore=ignored, **roles, **reading)
    for said in table.warnings:
        click.echo(f"dqops: {said}", err=True)
    plan = held_plan(folder) if folder else None
    if plan is not None:
        refuse_other_settings(plan, table, folder, _asked(ctx, roles | options | {"ignore": ignored}))
        click.echo(f"dqops: {folder} holds a plan already: it is made as it is", err=True)
    else:
        plan = _planned(table, **options)
    text = {name: reading[name] for name in ("encoding", "delimiter")}
    if out:
        write_cleaned(source, table, plan, out, folder, **text)
    elif folder:
        plan.save(folder)
    click.echo(str(plan))
    if folder:
        click.echo(f"dqops: the plan is in {folder}" + (f"; dqops undo {out} --plan {folder} --out FILE takes it back" if out else ""), err=True)


@click.command(context_settings=_SETTINGS)
@click.argument("source", metavar="FILE")
@click.option("--plan", "folder", required=True, type=click.Path(file_okay=False), help="Folder of the plan that FILE was cleaned with.")
@click.option("--out", required=True, type=click.Path(dir_okay=False), help="Write the table as it was to this file.")
@click.option("--kind", multiple=True, help="Only changes of this kind of finding; may be repeated, as the next four may.")
@click.option("--column", multiple=True, help="Only changes of this column.")
@click.option("--row", multiple=True, help="Only changes of the row of this id.")
@click.option("--who", multiple=True, help="Only changes by this name.")
@click.option("--cleaner", multiple=True, help="Only changes by this cleaner.")
@click.option("--below", type=click.FloatRange(0, 1), help="Only changes less sure than this.")
@click.option("--rest", type=click.Path(file_okay=False), help="Folder for the plan of what is still changed.")
@flags("encoding", "delimiter")
def undo(source, folder, out, rest, encoding, delimiter, row, below, **chosen):
    """Take back what the plan changed in FILE, wholly or in part: --out is then, byte for byte, what was cleaned."""
    from dqops.flows.rewrite import write_uncleaned
    from dqops.results.plan import CleaningPlan

    plan = CleaningPlan.load(folder)
    wanted = {name: list(values) for name, values in chosen.items() if values}
    if row:
        wanted["row"] = [plan.row_id(one) for one in row]
    part = write_uncleaned(source, plan, out, rest=rest, encoding=encoding, delimiter=delimiter, below=below, **wanted)
    told = f"{part.changes.height} cells and {part.dropped.height} rows are as they were"
    click.echo(f"dqops: {told}, in {out}", err=True)


def _asked(ctx, options):
    """Settings that were given on the command line, as a plan keeps them."""
    given = click.core.ParameterSource.COMMANDLINE
    asked = {name: value for name, value in options.items() if ctx.get_parameter_source(name) == given}
    if asked.pop("no_model", False):
        asked["model"] = None
    if asked.get("detectors"):
        asked["detectors"] = asked["detectors"].split(",")
    return {name: value for name, value in asked.items() if name not in ("jobs", "allow_pickle")}


def _planned(table, *, no_model, detectors, jobs, model, **options):
    from dqops.cli.progress import progress
    from dqops.flows.clean import clean as run

    names = detectors.split(",") if detectors else None
    with progress() as tell:
        return run(table, model=None if no_model else model, detectors=names, n_jobs=cores(jobs), progress=tell, **options)
