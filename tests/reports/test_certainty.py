"""What is certain, as text."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from dqops.reports.certainty import render
from dqops.results.certain_model import CertainModel
from dqops.results.certainty import Certainty

DATA = {"name": "t.csv", "rows": 1309, "columns": 12, "target": "y", "task": "classification", "doubtful_cells": 4, "doubtful_rows": 3, "left_to_model": 0}
ROWS = pl.DataFrame({"row": [1, 2, 3, 4], "predicted": ["a"] * 4, "certain": [True, True, True, False], "probability": [1.0, 1, 1, 0.75], "n_possible": [1, 1, 1, 2]})
NEEDS = pl.DataFrame({"row": [7, 8, 9], "cells": [2, 1, 1], "need": [0.01, 0.002, 0.0], "can_matter": [True, True, False]})
COLUMNS = pl.DataFrame({"column": ["age", "town"], "cells": [3, 1], "need": [0.01, 0.002]})
KNN = Certainty(DATA, "knn", "knn", ROWS, (0.5, 0.6, 0.75), None, NEEDS, COLUMNS, "nats of mean entropy")
MODEL = CertainModel("logistic", False, np.inf, 0.0003, 0.01, 40.0, np.ones(1), 0.0, np.inf, None, np.zeros(9), np.zeros(1), np.array([7, 8, 9]), 2, "why")
LINEAR = replace(KNN, kind="linear", model="linear", predictions=ROWS.with_columns(certain=pl.lit(False)), accuracy=(0.0, None, 1.0), models=(MODEL,), to_clean=2)
NUMBERS = pl.DataFrame({"row": [1, 2], "predicted": [1.0, 2.0], "certain": [False, False], "low": [0.5, 1.9], "high": [1.5, 2.1]})


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (KNN, "Cleaning can change 1 of 4 predictions. Of 4 doubtful cells in 3 rows, 2 rows can matter; no repair of the others changes any prediction."),
        (KNN, "predictions that no repair changes 3 of 4 (75.0%)"),
        (KNN, "accuracy in every repair 0.500 to 0.750, 0.600 on average"),
        (KNN, "need (nats of mean entropy)"),
        (replace(KNN, predictions=ROWS[:3]), "Cleaning is not needed for these predictions: all 3 are the same in every repair of 4 doubtful cells in 3 rows."),
        (replace(KNN, data=DATA | {"doubtful_cells": 0}), "Cleaning is not needed: no cell of the table is doubtful."),
        (replace(KNN, data=DATA | {"doubtful_cells": 0, "left_to_model": 17}), "Whether cleaning is needed cannot be told: 17 doubtful cells have no candidates"),
        (replace(KNN, warnings=("mind\nthis",)), "- mind this"),
        (LINEAR, "it is not proved that one model is near the best in every repair; cleaning about 2 rows, those first in order, would be enough. Typical repairs leave it within 0.03% of the best one."),
        (LINEAR, "predictions that no repair changes none proved"),
        (LINEAR, "above the best model, at most not bounded"),
        (replace(LINEAR, to_clean=None), "leave the model open, and nothing better is proved (why)."),
        (replace(LINEAR, models=(replace(MODEL, excess=0.0049),)), "Cleaning is hardly needed: in every repair of 4 doubtful cells in 3 rows this model is within 0.49% of the best one in training."),
        (replace(LINEAR, models=(replace(MODEL, certain=True, excess=0.0),)), "Cleaning is not needed: one model is the best in every repair"),
        (replace(LINEAR, predictions=NUMBERS, accuracy=None, error=(0.1, 0.4)), "a prediction moves by at most 0.3 on average"),
        (replace(LINEAR, predictions=NUMBERS, accuracy=None, error=(0.1, 0.4)), "mean squared error in every repair 0.1 to 0.4"),
        (replace(LINEAR, predictions=NUMBERS, accuracy=None, error=(0.1, np.inf)), "mean squared error in every repair not bounded"),
    ],
)
def test_it_says(result, said):
    assert said in " ".join(render(result).split())


def test_long_lists_are_cut():
    many = pl.concat([NEEDS] * 9)
    assert "and 17 more (see --json, --out)" in render(replace(KNN, needs=many))


def test_accuracy_that_says_nothing_is_not_told():
    assert "accuracy" not in render(LINEAR)
