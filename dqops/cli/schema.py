"""``dqops schema`` and ``dqops validate``."""

import click

_SETTINGS = {"show_default": True}


def _reads(command):
    """The options that say how DATA is read."""
    options = [
        click.option("--key", help="Column that identifies a row."),
        click.option("--query", help="What to ask, where DATA is a database."),
        click.option("--encoding", help="Encoding of text; guessed by default."),
        click.option("--delimiter", help="Delimiter of text; guessed by default."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command(context_settings=_SETTINGS)
@click.argument("source", metavar="DATA")
@click.option("--out", type=click.Path(dir_okay=False), help="Write the schema to this file instead of standard output.")
@click.option("--format", "form", type=click.Choice(["yaml", "python"]), default=None, help="By default as --out ends, else yaml.")
@_reads
def schema(source, out, form, **reading):
    """Infer a pandera schema from DATA.

    DATA is a CSV, Parquet, Arrow, JSON or Excel file, a folder or glob of Parquet files, the URL of a database with
    --query, or - for stdin.
    """
    from dqops.files import write_text
    from dqops.schema import infer_schema
    from dqops.tables.io import read

    table = read(source, **reading)
    for said in table.warnings:
        click.echo(f"dqops: {said}", err=True)
    found = infer_schema(table)
    form = form or ("python" if out and out.endswith(".py") else "yaml")
    text = found.to_yaml() if form == "yaml" else found.to_python()
    if out is None:
        click.echo(text, nl=False)
        return
    write_text(out, text)
    click.echo(f"dqops: wrote the schema of {len(found.columns)} columns to {out}", err=True)


@click.command(context_settings=_SETTINGS)
@click.argument("source", metavar="DATA")
@click.option("--schema", "schema_path", required=True, type=click.Path(), help="pandera schema as YAML or JSON.")
@click.option("--json", "json_path", help="Write the verdict as JSON to this file, - for stdout.")
@click.option("--junit", "junit_path", help="Write the verdict as JUnit XML to this file, - for stdout.")
@click.option("--allow-python", is_flag=True, help="Let --schema be a Python file. Python files run code.")
@_reads
@click.pass_context
def validate(ctx, source, schema_path, json_path, junit_path, allow_python, **reading):
    """Check all cells of DATA against a schema; exit 1 where a check fails.

    The JSON and JUnit forms hold the id of every failing row, and no values.
    """
    from dqops.files import write_text
    from dqops.schema import load_schema
    from dqops.schema import validate as judge
    from dqops.tables.io import read

    if json_path == "-" and junit_path == "-":
        raise click.UsageError("--json - and --junit - cannot both go to standard output")
    found = load_schema(schema_path, allow_python=allow_python)
    table = read(source, **reading)
    verdict = judge(table, found)
    to_stdout = "-" in (json_path, junit_path)
    for said in table.warnings:
        click.echo(f"dqops: {said}", err=True)
    click.echo(str(verdict), err=to_stdout)
    for path, text in ((json_path, verdict.to_json), (junit_path, verdict.to_junit)):
        if path == "-":
            click.echo(text(), nl=False)
        elif path is not None:
            write_text(path, text())
    ctx.exit(0 if verdict.passed else 1)
