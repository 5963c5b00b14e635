"""``dqops audit``."""

import sys

import click

from dqops.cli.config import configured, cores
from dqops.cli.flags import flags
from dqops.errors import OptionError


@click.command(context_settings={"show_default": True})
@click.argument("source", metavar="DATA")
@click.option("--target", help="Column that the model predicts.")
@flags("key", "time", "group", "ignore", "weight", "trusted", "model", "allow-pickle")
@click.option("--no-model", is_flag=True, help="Search only; price nothing.")
@flags("scoring", "holdout")
@click.option("--reference", help="Rows that drift is judged against.")
@click.option("--schema", help="pandera schema (YAML or JSON) whose violations are findings.")
@flags("detectors", "query", "effort", "max-seconds", "seed", "jobs", "json", "html")
@click.option("--markdown", "markdown_path", help="Write Markdown to this file, - for stdout.")
@click.option("--sarif", "sarif_path", help="Write SARIF to this file, - for stdout.")
@click.option("--save", "folder", help="Write the whole run to this folder; finished fits are kept there, and an interrupted run goes on.")
@click.option("--fail-on", help="Exit 1 where this holds, such as 'gain > 0.01'.")
@click.option("--show-values", is_flag=True, help="Let reports show raw values.")
@click.option("--config", is_eager=True, callback=configured("audit"), help="TOML file of settings.  [default: dqops.toml]")
@click.pass_context
def audit(ctx, source, json_path, html_path, markdown_path, sarif_path, folder, fail_on, show_values, config, **options):
    """Search DATA for errors and price them on your model, worst first.

    DATA is a CSV, Parquet, Arrow, JSON or Excel file, a folder or glob of Parquet files, the URL of a database
    with --query, or - for stdin.
    """
    from dqops.cli.progress import going_on, progress
    from dqops.gates.condition import holds
    from dqops.reports.terminal import print_audit

    papers = {"json": json_path, "markdown": markdown_path, "sarif": sarif_path}
    if list(papers.values()).count("-") > 1:
        raise OptionError(" and ".join(name for name, path in papers.items() if path == "-"), "-", "one of them on standard output")
    if fail_on:
        holds(fail_on, dict.fromkeys(_figures(None), 0.0))
    with going_on(folder), progress() as tell:
        result = _run(source, tell, keep=folder, **options)
    outputs = {"-": None}
    for path, render in ((json_path, result.to_json), (sarif_path, result.to_sarif), (markdown_path, lambda: result.to_markdown(show_values=show_values))):
        if path == "-":
            click.echo(render(), nl=False)
            outputs["-"] = path
        elif path:
            _write(path, render())
    if html_path:
        result.to_html(html_path, show_values=show_values)
    if folder:
        result.save(folder, show_values=show_values)
    print_audit(result, sys.stderr if outputs["-"] else sys.stdout)
    if fail_on and holds(fail_on, _figures(result)):
        click.echo(f"dqops: the condition holds: {fail_on}", err=True)
        ctx.exit(1)


def _run(source, tell, *, query, no_model, ignore, detectors, jobs, **options):
    from dqops.flows.audit import audit as run
    from dqops.tables.io import read

    options["model"] = None if no_model else options["model"]
    ignored = [name for one in ignore for name in one.split(",")]
    roles = {name: options.pop(name) for name in ("target", "key", "time", "group", "weight", "trusted")}
    table = read(source, ignore=ignored, query=query, **roles)
    names = detectors.split(",") if detectors else None
    return run(table, detectors=names, n_jobs=cores(jobs), progress=tell, **options)


def _write(path, text):
    from dqops.files import write_text

    write_text(path, text)


def _figures(result):
    """What a condition of --fail-on may name."""
    if result is None:
        return ("gain", "gain_low", "potential", "score", "findings", "leaks")
    deployed = [one for one in result.gains if one.arm == "deployed" and one.finding != "all"]
    known = [one.potential.expected for one in deployed if one.potential is not None]
    return {
        "gain": max((one.repair.expected for one in deployed), default=None),
        "gain_low": max((one.repair.low for one in deployed), default=None),
        "potential": max(known, default=None),
        "score": None if result.baseline is None else result.baseline.score,
        "findings": len(result.findings),
        "leaks": sum(one.kind == "leakage" and one.score >= 0.5 for one in result.findings),
    }
