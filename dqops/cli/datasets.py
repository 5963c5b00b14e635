"""``dqops datasets``: what is known by name, and what of it is at hand."""

import click


@click.command()
@click.option("--folder", type=click.Path(file_okay=False), help="Folder of the sets; else the variable DQOPS_DATASETS.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def datasets(folder, as_json):
    """List the data sets that dqops knows, and which of them are at hand."""
    import json
    from dataclasses import asdict

    from dqops.tables.registry import at_hand, registered

    sets = list(registered().values())
    here = {one.name for one in sets if at_hand(one.name, folder)}
    if as_json:
        click.echo(json.dumps([asdict(one) | {"at_hand": one.name in here} for one in sets], indent=2, ensure_ascii=False))
        return
    width = max(len(one.name) for one in sets)
    for one in sets:
        mark = "*" if one.name in here else " "
        click.echo(f"{mark} {one.name:{width}}  {one.rows:>6} x {one.columns:<3} {one.title}")
    click.echo(f"\n* {len(here)} of {len(sets)} at hand: read them as dataset:NAME or dataset:NAME/FILE")
