"""Other packages as strategies: each runs as a process of its own, in an environment that the user has made for it."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from dqops.contracts import Strategy
from dqops.errors import DataError, OptionError, UnknownNameError
from dqops.models.design import Design
from dqops.models.space import space_of
from dqops.models.targets import codes_of, target_values
from dqops.strategies.order import ranked_rows

# What each peer runs: it reads arrays from its first argument and writes one worth a row, largest first, to its second.
_READ = "import sys, numpy as np\ngiven = np.load(sys.argv[1])\nX, y, held, answers, said, seed = (given[name] for name in ('X', 'y', 'held', 'answers', 'said', 'seed'))\n"
_WRITE = "np.save(sys.argv[2], np.asarray(worth, dtype=np.float64))\n"
SCRIPTS = {
    "cleanlab": """
if said.ndim == 2:
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores
    worth = 1 - get_label_quality_scores(y, said)
    worth = worth + find_label_issues(y, said)
else:
    from cleanlab.regression.learn import CleanLearning
    found = CleanLearning(seed=int(seed)).find_label_issues(X, y)
    worth = 1 - found["label_quality"].to_numpy() + found["is_label_issue"].to_numpy()
""",
    "pydvl": """
from pydvl.valuation import Dataset, KNNShapleyValuation
from sklearn.neighbors import KNeighborsClassifier
valuation = KNNShapleyValuation(KNeighborsClassifier(5, algorithm="brute"), Dataset(held, answers), progress=False)
valuation.fit(Dataset(X, y))
worth = -valuation.result.values[np.argsort(valuation.result.indices)]
""",
    "datascope": """
from datascope.importance import ShapleyImportance, SklearnModelAccuracy
from sklearn.neighbors import KNeighborsClassifier
importance = ShapleyImportance(method="neighbor", utility=SklearnModelAccuracy(KNeighborsClassifier(5)))
worth = -np.asarray(importance.fit(X, y).score(held, answers))
""",
    "opendataval": """
import torch
from opendataval.dataval import KNNShapley
eye = torch.eye(int(max(y.max(), answers.max())) + 1)
four = torch.tensor(X).float(), eye[torch.tensor(y)], torch.tensor(held).float(), eye[torch.tensor(answers)]
worth = -np.asarray(KNNShapley(k_neighbors=5).input_data(*four).train_data_values().evaluate_data_values())
""",
}
_PACKAGES = {"cleanlab": "cleanlab", "pydvl": "pydvl", "datascope": "datascope", "opendataval": "opendataval"}
_OF_NUMBERS = ("cleanlab",)
_LONGEST = 600  # seconds that one ranking may take


class Peer(Strategy):
    """Another package's order of rows.

    Parameters
    ----------
    name : {"cleanlab", "pydvl", "datascope", "opendataval"}
        Label issues of cleanlab, from out-of-fold probabilities of the user's model; KNN-Shapley of the others, in the space
        of the model's last step, judged by the holdout.
    python : path
        Of an environment that has the package. It is given arrays in a file and gives one back: no pickle, no network.
    """

    def __init__(self, name, python):
        self.name, self.python = name, str(python)
        self.tasks = ("classification", "regression") if name in _OF_NUMBERS else ("classification",)

    def rank(self, table, model, holdout, rng):
        seed = int(rng.integers(2**31))
        known = target_values(table, model.task)[1]
        rows = table.take(np.flatnonzero(known))
        if holdout is None and self.name != "cleanlab":
            raise DataError(f"{self.name} judges rows by clean ones", "holdout=, rows that are known to be clean")
        worth = np.full(table.n_rows, np.inf)
        worth[known] = _asked(self.name, self.python, _given(rows, model, holdout, seed))
        return ranked_rows(self.name, table, np.where(np.isfinite(worth), worth, np.nanmax(worth[known], initial=0.0)), f"{self.name} puts it here")


def peer_strategies(peers):
    """`Peer` strategies by name, from a mapping of names to pythons.

    Raises
    ------
    UnknownNameError, OptionError
        For a peer that is not known, or a python that cannot run it.
    """
    found = {}
    for name, python in peers.items():
        if name not in SCRIPTS:
            raise UnknownNameError("peer", name, SCRIPTS)
        if not Path(python).is_file():
            raise OptionError(f"peers[{name!r}]", str(python), "the python of an environment that has it")
        tried = _run([str(python), "-c", f"import {_PACKAGES[name]}"], name)
        if tried.returncode:
            raise OptionError(f"peers[{name!r}]", str(python), f"an environment that can import {_PACKAGES[name]}: {_last(tried.stderr)}")
        found[name] = Peer(name, python)
    return found


def _given(rows, model, holdout, seed):
    """What a peer is given, as arrays of numbers."""
    labels = target_values(rows, model.task)[0]
    held = rows if holdout is None else holdout.take(np.flatnonzero(target_values(holdout, model.task)[1]))
    space = space_of(model, rows, held, seed)
    X, X_held = space.scaled_numbers
    y, answers, said = labels, space.y_holdout, np.zeros(0)
    if model.task == "classification":
        said, classes = Design(task=model.task, model=model, seed=seed).out_of_fold(rows)
        seen = np.isin(classes, labels)
        said, classes = said[:, seen] / said[:, seen].sum(axis=1, keepdims=True), classes[seen]
        y, answers = codes_of(labels, classes), codes_of(space.y_holdout, classes)
        X_held, answers = X_held[answers >= 0], answers[answers >= 0]
    return {"X": X, "y": y, "held": X_held, "answers": answers, "said": said, "seed": np.array(seed)}


def _asked(name, python, given):
    """One worth a row, from the peer's process."""
    with tempfile.TemporaryDirectory() as folder:
        sent, back = Path(folder) / "given.npz", Path(folder) / "worth.npy"
        np.savez(sent, **given)
        done = _run([python, "-c", _READ + SCRIPTS[name] + _WRITE, str(sent), str(back)], name)
        if done.returncode or not back.exists():
            raise DataError(f"the peer {name} failed: {_last(done.stderr)}", "rows that it can rank")
        worth = np.load(back, allow_pickle=False)
    if worth.shape != (len(given["y"]),):
        raise DataError(f"the peer {name} gave shape {worth.shape}", f"one number for each of {len(given['y'])} rows")
    return worth


def _run(command, name):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST, check=False)
    except subprocess.TimeoutExpired:
        raise DataError(f"the peer {name} was not ready after {_LONGEST} seconds", "fewer rows") from None
    except OSError as cause:
        raise OptionError(f"peers[{name!r}]", command[0], f"a python that runs ({cause.strerror or cause})") from None


def _last(text):
    """The last line that a process wrote."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"
