"""``dqops bench``."""

import sys

import click

from dqops.cli.config import configured, cores
from dqops.cli.flags import flags


@click.command(context_settings={"show_default": True})
@click.argument("source", metavar="DATA")
@flags("target")
@click.option("--clean", help="The same rows without errors: the truth that answers.")
@click.option("--plant", "planted", multiple=True, metavar="KIND=RATE", help="Errors to plant where there is no clean table, such as label_flips=0.2; may be repeated.")
@click.option("--strategies", multiple=True, help="Names; may be repeated, or a,b,c.  [default: all that come with dqops]")
@click.option("--models", multiple=True, help="linear, knn, forest, boosting, auto, or package.module:attribute; may be repeated, or a,b,c.  [default: linear,forest,boosting]")
@click.option("--budgets", help="Shares of the whole cost up to 1, or amounts, with commas between.  [default: 2% to 60%]")
@click.option("--batch", type=click.IntRange(min=1), help="Judge after every so many answers instead.")
@click.option("--renew", type=click.IntRange(min=1), default=2, help="Rank anew at every so many budgets.")
@click.option("--seeds", type=click.IntRange(min=1), default=10, help="Splits, planted errors and models, each of another seed.")
@click.option("--unit", type=click.Choice(["record", "cell"]), default="record", help="What one answer tells.")
@click.option("--start", type=click.Choice(["dirty", "repaired"]), default="dirty", help="Whether the repairs that are sure are made first.")
@flags("scoring", "key", "ignore")
@click.option("--name", help="Of the data set, in the results.  [default: that of the file]")
@click.option("--rows", default="1000,300,2000", help="Most rows to train on, clean ones for the strategies, and to judge on.")
@click.option("--peer", "peers", multiple=True, metavar="NAME=PYTHON", help="cleanlab, pydvl, datascope or opendataval, and the python that has it; may be repeated.")
@click.option("--jobs", type=int, default=-1, help="Models and seeds worked on side by side; -1 takes all cores.")
@click.option("--out", help="File of results, a JSON object a line: what it holds is not run again.")
@flags("json", "html")
@click.option("--config", is_eager=True, callback=configured("bench"), help="TOML file of settings.  [default: dqops.toml]")
def bench(source, strategies, models, planted, budgets, rows, peers, jobs, ignore, json_path, html_path, config, **options):
    """Tell which cleaning strategy wins on DATA, where the truth is known or errors are planted.

    DATA is a CSV, Parquet, Arrow, JSON or Excel file, or the name of a registered data set.
    """
    from dqops.cli.progress import progress
    from dqops.files import write_text
    from dqops.flows.bench import MODELS, STRATEGIES
    from dqops.flows.bench import bench as run
    from dqops.reports.bench import print_bench

    options |= {
        "strategies": _names(strategies) or STRATEGIES,
        "models": _names(models) or MODELS,
        "planted": dict(_pairs("--plant", planted, float)) or None,
        "peers": dict(_pairs("--peer", peers, str)),
        "budgets": None if budgets is None else [_number("--budgets", one, float) for one in budgets.split(",")],
        "rows": [_number("--rows", one, int) for one in rows.split(",")],
        "ignore": _names(ignore),
    }
    with progress() as tell:
        found = run(source, n_jobs=cores(jobs), progress=tell, **options)
    if json_path == "-":
        click.echo(found.to_json(), nl=False)
    elif json_path:
        write_text(json_path, found.to_json())
    if html_path:
        found.to_html(html_path)
    print_bench(found, sys.stderr if json_path == "-" else sys.stdout)


def _names(given):
    return [name for one in given for name in one.split(",")]


def _pairs(flag, given, kind):
    """(name, value) of each NAME=VALUE."""
    for one in given:
        name, equals, value = one.rpartition("=")
        if not equals or not name:
            raise click.BadParameter(f"{one!r}: need NAME=VALUE", param_hint=flag)
        yield name, _number(flag, value, kind)


def _number(flag, text, kind):
    try:
        return kind(text)
    except ValueError:
        raise click.BadParameter(f"{text!r}: need a number", param_hint=flag) from None
