"""An answer on feasibility as text."""

from dataclasses import replace

import pytest

from dqops.reports.feasibility import render
from dqops.results.feasibility import Feasibility, Need, Reached

INF, NAN = float("inf"), float("nan")
MODEL = Reached("forest", 0.82, 0.79, 0.85, 873, decides=True)
DATA = {"name": "t.csv", "looked_at": 1309, "target": "survived", "task": "classification"}
SETTLED = {"k": 1, "expected": 0.2, "low": 0.1, "high": 0.28, "converged": True, "embeddings": ["standardised"]}
CURVE = ({"k": 1, "rows": 1309, "loss": 0.26, "stderr": 0.02},)
ANSWER = Feasibility(DATA, "accuracy", 0.9, "open", 0.05, 0.21, "1 - accuracy", curve=CURVE, settled=SETTLED, reached=(MODEL, replace(MODEL, name="linear", decides=False)))


def told(**changes):
    return " ".join(render(replace(ANSWER, **changes)).split())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Accuracy 0.9 is open: no model was found that surely reaches it, and nothing rules it out."),
        ({}, "The best possible model has accuracy between 0.790 and 0.950 (90% interval)."),
        ({}, "the nearest neighbour errs in 26%, and with rows without end would in 10% to 28%"),
        ({"verdict": "infeasible", "lossy": ("name",)}, "no model on these columns (of `name` only the commonest letter combinations)"),
        ({"lossy": ("name", "ticket")}, "ignore what no model should read of `name` and `ticket`"),
        ({"verdict": "feasible"}, "is feasible: forest reaches it on rows that it did not see"),
        ({"verdict": None, "target_score": None}, "No score was asked for"),
        ({"settled": SETTLED | {"converged": False}}, "too few or too far to say where it ends"),
        ({"needs": (Need("rows", 1234.0, 900.0, INF, "why so."),)}, "more rows about 1,200 (900 or no number will do): why so."),
        ({"needs": (Need("rows", INF, 900.0, INF, "why so."),)}, "no number is likely to do, at best about 900: why so."),
        ({"needs": (Need("labels", INF, INF, INF, "why so."),)}, "cleaner labels no number is likely to do: why so."),
        ({"needs": (Need("judged rows", 40.0, NAN, NAN, "why so."),)}, "rows to judge on about 40: why so."),
        ({"needs": (Need("features", NAN, NAN, NAN, "why so."),), "verdict": "infeasible"}, "What would make it possible other columns why so."),
        ({"scoring": "f1"}, "No bound is known for F1"),
        ({"scoring": "neg_root_mean_squared_error", "unit": "root mean squared error", "target_score": -3.0}, "Root mean squared error 3 is open"),
        ({"scoring": "neg_root_mean_squared_error", "unit": "root mean squared error", "target_score": -3.0}, "has root mean squared error between 0.050 and 0.210"),
        ({"warnings": ("odd\x1b[31m",)}, "1 warning"),
        ({"settled": {}, "curve": ()}, "The best possible model"),
    ],
)
def test_what_is_said(changes, said):
    text = told(**changes)
    assert said in text
    assert text.isprintable()
