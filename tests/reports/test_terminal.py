"""The audit on a terminal and in a pipe."""

import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.cells import cell_len

from dqops.reports import terminal
from dqops.results.gain import Baseline

ESCAPE = "\x1b"


class Screen(StringIO):
    def isatty(self):
        return True


def test_it_fits_and_holds_no_control_characters(any_audit):
    text = terminal.render(any_audit)
    assert max(cell_len(line) for line in text.splitlines()) <= terminal.WIDTH
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert not any(line != line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("columns", ["60", "80", "120", "300"])
def test_it_fits_a_screen_of_any_width(any_audit, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Screen()
    terminal.print_audit(any_audit, screen)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue()).splitlines()
    assert max(cell_len(line.rstrip()) for line in lines) <= max(min(int(columns), terminal.WIDEST), 80)


def test_colours_only_on_a_screen(made, monkeypatch):
    audit = made.audits["titanic"]()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    screen, pipe = Screen(), StringIO()
    terminal.print_audit(audit, screen)
    terminal.print_audit(audit, pipe)
    assert ESCAPE in screen.getvalue()
    assert pipe.getvalue() == terminal.render(audit)
    monkeypatch.setenv("NO_COLOR", "1")
    silent = Screen()
    terminal.print_audit(audit, silent)
    assert silent.getvalue() == terminal.render(audit)


def test_the_verdict_comes_first_then_the_baseline_then_findings_by_gain(made):
    text = terminal.render(made.audits["titanic"]())
    words = " ".join(text.split())
    assert "Your model scores 0.81 [0.79, 0.83] (accuracy) without `boat` and `body`, which give the target away, 0.97 with them." in words
    assert "Repairing `age` (missing) is expected to add 0.012 [0.004, 0.020]; 4 other findings cost this model nothing measurable." in words
    assert "rows held out in turn, by their recorded labels; 90% intervals" in words
    assert "not corrected for wrong labels" in terminal.render(made.audits["clean"]())
    places = [text.index(said) for said in ("Your model", "Judged on", "Gives the target away", "Worth repairing", "Not priced", "Costs this model", "Better left")]
    assert places == sorted(places)
    assert "+0.012 [+0.004, +0.020]" in text
    assert "Accuracy without them: 0.81 [0.79, 0.83]" in text
    assert "overstates by 0.16" in text
    assert text.index("  age ") < text.index("  cabin ")


def test_long_lists_are_cut(made):
    text = terminal.render(made.audits["crowded"]())
    assert len(text.splitlines()) < 90
    assert re.search(r"and \d+ more \(see --json\)", text)


def test_without_a_model_nothing_is_priced_and_ranking_is_kept(made):
    text = terminal.render(made.audits["searched_only"]())
    assert "No model was asked for" in " ".join(text.split())
    header = next(line for line in text.splitlines() if line.split()[:2] == ["kind", "column"])
    assert "gain" not in header
    assert "177 cells are empty, more often for one class." in text
    assert text.count("find out why cells are empty, then fill or mark them") == 1
    unranked = made.audit([made.finding("missing", "rare", 2), made.finding("missing", "often", 500)], baseline=None, model=None, scoring=None, ranking=())
    text = terminal.render(unranked)
    assert text.index("  often ") < text.index("  rare ")


def test_empty_and_clean_tables_say_so(made):
    assert "no rows" in terminal.render(made.audits["nothing_at_all"]())
    assert "Nothing doubtful was found." in terminal.render(made.audits["clean"]())


def test_a_scorer_that_is_turned_round_is_turned_back(made):
    finding = made.finding("formats", "fare", 5)
    audit = made.audit([finding], made.gains(finding.id, 0.4, 0.1), scoring="neg_mean_absolute_error", baseline=Baseline(-3.2, -3.5, -2.9))
    words = " ".join(terminal.render(audit).split())
    assert "Your model scores 3.2 [2.9, 3.5] (mean absolute error)" in words
    assert "expected to take off 0.40 [0.30, 0.50]" in words


def test_one_difference_alone_is_no_price(made):
    finding = made.finding("formats", "fare", 5)
    once = tuple(replace(one, measured=1) for one in made.gains(finding.id, 0.2, 0.0))
    text = terminal.render(made.audit([finding], once))
    assert "Not priced" in text
    assert "Worth repairing" not in text


def test_an_interval_without_ends_is_no_price(made):
    finding = made.finding("formats", "fare", 5)
    audit = made.audit([finding], made.gains(finding.id, float("nan"), float("inf")), baseline=Baseline(0.8, float("-inf"), float("inf")))
    text = terminal.render(audit)
    assert "Not priced" in text
    assert "0.800 (no interval)" in text
    assert "nan" not in text
    assert "inf" not in text
