"""From rows to the engine that near neighbours drive."""

import numpy as np

from dqops.limits.embeddings import Embedding, embeddings
from dqops.limits.engine import Engine
from dqops.limits.neighbours import hopeful, nested_lists
from dqops.limits.spanning import differing_share
from dqops.limits.tally import CLASSES, losses
from dqops.seeds import stream

_VOTES_OF_TWO = (1, 3)
_FEWEST_ROWS, _FEWEST_OF_A_CLASS = 20, 5


def near_engine(rows, measure, seed):
    """The `Engine` of these rows, and the columns that no embedding keeps whole.

    Rows of classes that are hardly there say nothing of their neighbours: they are left out, and any model may be right
    on all of them. There is no engine (None) where no column varies, or too few rows or classes are left.

    Parameters
    ----------
    rows : Rows
    measure : {"classes", "squares", "distances"}
    seed : int
    """
    candidates, lossy = embeddings(rows.table)
    frequent = _frequent(rows)
    known = rows.known[frequent[rows.known]]
    judged = rows.judged[frequent[rows.judged]] if rows.held else known
    classes = np.unique(rows.labels[known]) if measure == CLASSES else ()
    if not candidates or min(len(known), len(judged)) < _FEWEST_ROWS or (measure == CLASSES and len(classes) < 2):
        return None, lossy
    votes = _VOTES_OF_TWO if len(classes) == 2 else (1,)

    def loss(own, near):
        return losses(measure, rows.labels[own], rows.labels[near][:, None])

    kept = hopeful(candidates, known, judged, rows.group, loss, stream(seed, "embeddings"))
    lists = [nested_lists(one, known, judged, rows.group, max(votes) + 1, stream(seed, "subsets")) for one in kept]
    half = stream(seed, "halves").permutation(len(judged)) % 2 == 0
    return Engine(lists, rows.labels, known, judged, half, measure, votes, len(classes), float(frequent[rows.judged].mean())), lossy


def _frequent(rows):
    """Rows of classes that stand in several rows to learn from; all rows of a table of numbers."""
    if rows.classes is None:
        return np.ones(rows.table.n_rows, dtype=bool)
    counts = np.bincount(rows.labels[rows.known], minlength=len(rows.classes))
    return counts[rows.labels] >= _FEWEST_OF_A_CLASS


def tree_share(engine):
    """Share of spanning-tree edges between unlike classes, in the first chosen embedding; all rows must be in it."""
    lists = engine.candidates[engine.choice[0]]
    return differing_share(lists.rows[:, 0], lists.closeness[:, 0], engine.labels)


def nearest_in_answers(rows, probabilities, seed):
    """Wrong predictions of each row's nearest neighbour by what a model says of both, bool (n_judged,).

    Parameters
    ----------
    rows : Rows
        All judged.
    probabilities : float64 (n, C)
        Out of fold: else a row's own label would stand in them.
    """
    points = Embedding("answers", np.asarray(probabilities, dtype=np.float32))
    near = nested_lists(points, rows.known, rows.judged, rows.group, 1, stream(seed, "subsets")).rows[:, 0, 0]
    return rows.labels[near] != rows.labels[rows.judged]
