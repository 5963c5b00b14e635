"""From rows to the engine that near neighbours drive."""

import numpy as np

from dqops.limits.embeddings import Embedding, embeddings
from dqops.limits.engine import Engine
from dqops.limits.neighbours import hopeful, nested_lists
from dqops.limits.spanning import differing_share
from dqops.limits.tally import CLASSES, losses
from dqops.seeds import stream

_VOTES_OF_TWO = (1, 3)


def near_engine(rows, measure, seed):
    """The `Engine` of these rows, and the columns that no embedding keeps whole; no engine where no column varies.

    Parameters
    ----------
    rows : Rows
    measure : {"classes", "squares", "distances"}
    seed : int
    """
    candidates, lossy = embeddings(rows.table)
    if not candidates:
        return None, lossy
    known, judged, group = rows.known, rows.judged, rows.group
    votes = _VOTES_OF_TWO if measure == CLASSES and len(rows.classes) == 2 else (1,)

    def loss(own, near):
        return losses(measure, rows.labels[own], rows.labels[near][:, None])

    kept = hopeful(candidates, known, judged, group, loss, stream(seed, "embeddings"))
    lists = [nested_lists(one, known, judged, group, max(votes) + 1, stream(seed, "subsets")) for one in kept]
    half = stream(seed, "halves").random(len(judged)) < 0.5
    if half.all() or not half.any():
        half[0] = not half[0]
    return Engine(lists, rows.labels, judged, half, measure, votes), lossy


def tree_share(engine):
    """Share of spanning-tree edges between unlike classes, in the first chosen embedding; all rows must be judged."""
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
