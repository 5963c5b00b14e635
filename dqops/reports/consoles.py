"""Where words for people go: to a terminal, in colour, or elsewhere, as plain text of a fixed width."""

import os
from io import StringIO

from rich.console import Console


def plain(draw, width):
    """What `draw(console)` prints, as plain text of `width` columns, without colours.

    >>> plain(lambda console: console.print("[bold]two[/] words  "), 20)
    'two words\\n'
    """
    file = StringIO()
    draw(Console(file=file, width=width, color_system=None, force_terminal=False, legacy_windows=False))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def paint(draw, file, width, *, between=None):
    """Write what `draw(console)` prints to `file`: in colour on a terminal, as plain text elsewhere or where NO_COLOR is set.

    Parameters
    ----------
    draw : callable
    file : text file
    width : int
        Columns of plain text.
    between : (int, int), optional
        Least and most columns that are used of a terminal.
    """
    if not file.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        file.write(plain(draw, width))
        return
    console = Console(file=file, highlight=False)
    if between is not None:
        console.width = min(max(console.width, between[0]), between[1])
    draw(console)
