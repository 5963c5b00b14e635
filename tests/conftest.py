"""Fixtures that every test may use."""

import os
from pathlib import Path

import numpy as np
import pytest

SHIPPED = Path(__file__).parents[1] / "datasets"


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def shared():
    """Path of a file of the larger data sets; the test skips where they are absent."""

    def find(name):
        for folder in (os.environ.get("DQOPS_DATASETS"), Path(__file__).parents[2] / "shared" / "datasets"):
            if folder and (path := Path(folder) / name).exists():
                return path
        pytest.skip(f"the data set {name} is not here")

    return find
