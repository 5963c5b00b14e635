"""Other packages as strategies: what they are given, what they give back, and how they fail. The package here is a stand-in."""

import sys

import numpy as np
import pytest
from contract_strategies import ranked, to_ask

from dqops.errors import DataError, OptionError
from dqops.strategies.peers import peer_strategies

STAND_IN = """
import numpy as np
class SklearnModelAccuracy:
    def __init__(self, model): pass
class ShapleyImportance:
    def __init__(self, method, utility): pass
    def fit(self, X, y):
        self.n = len(X)
        assert np.isfinite(X).all() and set(y) == {0, 1}
        return self
    def score(self, X, y):
        return {returned}
"""


def stand_in(tmp_path, monkeypatch, returned):
    """A package of that name, found by this python."""
    place = tmp_path / "datascope"
    (place / "importance").mkdir(parents=True)
    (place / "__init__.py").write_text("")
    (place / "importance" / "__init__.py").write_text(STAND_IN.replace("{returned}", returned))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return peer_strategies({"datascope": sys.executable})["datascope"]


def test_rows_come_by_what_the_peer_gives(tmp_path, monkeypatch):
    peer = stand_in(tmp_path, monkeypatch, "np.arange(self.n)")
    found = ranked(None, to_ask(), strategy=peer)
    assert found.strategy == "datascope"
    assert found.to_frame()["row"].to_list() == list(range(120))


@pytest.mark.parametrize(("returned", "said"), [("1 / 0", "ZeroDivisionError"), ("np.arange(3)", r"gave shape \(3,\)")])
def test_a_peer_that_fails_is_told_in_one_sentence(tmp_path, monkeypatch, returned, said):
    peer = stand_in(tmp_path, monkeypatch, returned)
    with pytest.raises(DataError, match=said) as refused:
        ranked(None, to_ask(), strategy=peer)
    assert "\n" not in str(refused.value)


def test_a_peer_needs_its_package_and_clean_rows(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(OptionError, match="an environment that can import opendataval"):
        peer_strategies({"opendataval": sys.executable})
    peer = stand_in(tmp_path, monkeypatch, "np.zeros(self.n)")
    with pytest.raises(DataError, match="rows that are known to be clean"):
        ranked(None, to_ask(), strategy=peer, held=False)
    assert np.isfinite(ranked(None, to_ask(), strategy=peer).doubts["gain"].to_numpy()).all()
