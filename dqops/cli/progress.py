"""Progress on a terminal, silence in a pipe."""

import sys
from contextlib import contextmanager
from pathlib import Path

import click


@contextmanager
def progress():
    """A function to tell of progress with (done, total, what); it does nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda done, total, what: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda done, total, what: bar.update(task, description=what, completed=done, total=total)


@contextmanager
def going_on(folder):
    """Ctrl-C says how to go on, where finished work is kept in a folder."""
    try:
        yield
    except KeyboardInterrupt:
        kept = Path(folder or ".") / "fits.jsonl"
        if folder and kept.exists():
            count = len(kept.read_text(encoding="utf-8").splitlines())
            click.echo(f"dqops: interrupted; the same command goes on from the {count} results that are kept in {folder}", err=True)
        raise
