"""A few answered rows mend the scores of all doubts of their reason, and are chosen where they mend most."""

import numpy as np
import polars as pl
import pytest

import dqops
from dqops.errors import DataError, OptionError, UnknownColumnError
from dqops.results.findings import Finding, Findings
from dqops.tables.io import read

ROWS = 200


@pytest.fixture(scope="module")
def table():
    return read(pl.DataFrame({"id": [f"r{place}" for place in range(ROWS)], "a": range(ROWS), "b": range(ROWS), "c": range(ROWS)}), key="id")


def finding(table, column, positions, score, kind="rules", reasons=("odd",), codes=None):
    positions = np.asarray(positions)
    codes = np.zeros(len(positions), dtype=np.int32) if codes is None else np.asarray(codes, dtype=np.int32)
    scores = np.broadcast_to(np.asarray(score, dtype=np.float64), positions.shape)
    return Finding(kind, column, positions, table.row_ids.gather(positions), scores, None, None, reasons, codes, None, "odd", ROWS)


def said(*answers):
    rows, columns, wrong = zip(*answers, strict=True)
    return pl.DataFrame({"row": [f"r{row}" for row in rows], "column": columns, "wrong": wrong})


def test_a_reason_found_wrong_twice_loses_all_its_cells_and_no_other_does(table):
    found = Findings((finding(table, "a", range(50), 0.95, reasons=("odd", "strange"), codes=[0] * 25 + [1] * 25), finding(table, "b", range(50), 0.95)))
    moved = dqops.recalibrate(found, said((0, "a", False), (1, "a", False)), table)
    assert (moved.groups[0].scores[:25] < 0.5).all()
    assert moved.groups[0].scores[25:] == pytest.approx(0.95)
    assert moved.groups[1].scores == pytest.approx(0.95)
    assert moved.groups[0].scores[:2].tolist() == [0.0, 0.0]


def test_the_mean_moves_to_the_posterior_of_beta(table):
    """By enumeration on a fine grid of shares: prior Beta(2 * 0.6, 2 * 0.4), three right of four."""
    found = Findings((finding(table, "a", range(40), 0.6),))
    moved = dqops.recalibrate(found, said((0, "a", True), (1, "a", True), (2, "a", True), (3, "a", False)), table)
    share = (np.arange(200_000) + 0.5) / 200_000
    weight = share ** (1.2 - 1 + 3) * (1 - share) ** (0.8 - 1 + 1)
    assert moved.groups[0].scores[10] == pytest.approx((share * weight).sum() / weight.sum(), abs=1e-4)


def test_order_within_a_reason_stays(table):
    found = Findings((finding(table, "a", range(30), np.linspace(0.3, 0.9, 30)),))
    moved = dqops.recalibrate(found, said((0, "a", True)), table).groups[0].scores
    assert (np.diff(moved[1:]) > 0).all()
    assert (moved[1:] > found.groups[0].scores[1:]).all()


def test_a_wrong_cell_that_nobody_doubted_becomes_a_finding(table):
    found = Findings((finding(table, "a", [3, 4], 0.9),))
    moved = dqops.recalibrate(found, said((7, "a", True), (8, "b", True), (9, "b", False), (3, "a", True)), table)
    assert [(one.id, one.positions.tolist(), one.scores.tolist()) for one in moved.of_kind("answers")] == [("answers:a", [7], [1.0]), ("answers:b", [8], [1.0])]


def test_no_answer_changes_nothing(table):
    found = Findings((finding(table, "a", [3, 4], 0.9),))
    assert dqops.recalibrate(found, said((7, "b", False)), table).groups[0] is found.groups[0]


def test_rows_are_asked_where_most_cells_are_at_stake(table):
    large, small, sure = finding(table, "a", range(100), 0.8), finding(table, "b", range(90, 110), 0.8), finding(table, "c", range(110, 200), 1.0)
    rows = dqops.rows_to_ask(Findings((large, small, sure)), table, n=3).to_list()
    assert rows[0] in {f"r{row}" for row in range(90, 100)}  # both reasons at once
    assert len(set(rows)) == 3
    asked = said(*[(row, "a", True) for row in range(100)], *[(row, "c", True) for row in range(110, 200)])
    assert dqops.rows_to_ask(Findings((large, small, sure)), table, asked, n=1)[0] in {f"r{row}" for row in range(100, 110)}
    assert dqops.rows_to_ask(Findings(()), table).is_empty()


def test_answers_mend_planted_false_doubts(rng, table):
    """Half of the reasons are wrong throughout: after twenty rows nearly all cells are on their right side."""
    wrong = rng.random((ROWS, 3)) < 0.2
    groups, truth = [], []
    for number, column in enumerate("abc"):
        right = np.flatnonzero(wrong[:, number])
        false = np.setdiff1d(rng.choice(ROWS, 30, replace=False), right)
        positions = np.sort(np.concatenate([right, false]))
        codes = np.isin(positions, false).astype(np.int32)
        groups.append(finding(table, column, positions, 0.9, reasons=("odd", "strange"), codes=codes))
        truth.append(codes == 0)
    found, answers = Findings(tuple(groups)), None
    for _ in range(20):
        row = dqops.rows_to_ask(found, table, answers, n=1)[0]
        told = pl.DataFrame({"row": [row] * 3, "column": list("abc"), "wrong": wrong[int(row[1:])].tolist()})
        answers = told if answers is None else pl.concat([answers, told])
    moved = dqops.recalibrate(found, answers, table)
    assert all(((one.scores >= 0.5) == own).all() for one, own in zip(moved.groups, truth, strict=False))


@pytest.mark.parametrize(
    ("answers", "error", "match"),
    [
        (pl.DataFrame({"row": ["r999"], "column": ["a"], "wrong": [True]}), DataError, "row 'r999' is not in the table"),
        (pl.DataFrame({"row": ["r1"], "column": ["z"], "wrong": [True]}), UnknownColumnError, "'z' is not a column"),
        (pl.DataFrame({"row": ["r1"], "column": ["a"]}), DataError, "no column 'wrong'"),
    ],
)
def test_answers_that_cannot_be_are_refused(table, answers, error, match):
    with pytest.raises(error, match=match):
        dqops.recalibrate(Findings((finding(table, "a", [1], 0.9),)), answers, table)


@pytest.mark.parametrize("options", [{"n": 0}, {"n": True}])
def test_settings_that_cannot_be_are_refused(table, options):
    with pytest.raises(OptionError, match="n="):
        dqops.rows_to_ask(Findings(()), table, **options)
    with pytest.raises(OptionError, match="strength"):
        dqops.recalibrate(Findings(()), said((1, "a", True)), table, strength=0)
