"""The audit as Markdown."""

import re

from dqops.reports import markdown


def cells(row):
    """Cells of a table row: bars that are escaped do not part them."""
    return re.split(r"(?<!\\)\|", row.strip().strip("|"))


def test_tables_are_whole(any_audit):
    text = markdown.render(any_audit)
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    for rows in blocks:
        assert len({len(cells(row)) for row in rows}) == 1, rows
    assert "\n\n\n" not in text
    assert text.startswith("# ")


def test_it_says_what_the_terminal_says(made):
    text = markdown.render(made.audits["titanic"]())
    assert "Repairing `age` (missing) is expected to add **0.012** [0.004, 0.020]; 4 other findings" in text
    assert "| 3 | missing | `age` | 177 cells (20%) | 0.90 | +0.012 [+0.004, +0.020] | fill the empty cells and mark them |" in text
    assert "## Costs this model nothing measurable (4)" in text
    assert "overstates by 0.16" in text
    assert not any(secret in text for secret in made.secrets)


def test_names_are_no_markup(made):
    text = markdown.render(made.audits["hostile"]())
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    assert not re.search(r"(?<!\\)<script", outside)
    assert not re.search(r"(?<!\\)\]\(http", outside)
    assert not re.search(r"^# heading", text, flags=re.M)


def test_long_lists_are_cut(made):
    text = markdown.render(made.audits["crowded"]())
    assert text.count("\n| ") < 2 * markdown.LISTED
    assert re.search(r"and \d+ more\.", text)
