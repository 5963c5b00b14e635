"""What several repairs gain together: the model before, and the same model after all of them, on the same splits."""

from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from dqops.errors import DataError, ModelError
from dqops.propagation.effort import FOLDS
from dqops.propagation.intervals import paired_interval
from dqops.propagation.trial import Trial, trial_seed, typed_like
from dqops.seeds import draw_seed

SHARE = 1 / (FOLDS - 1)


@dataclass(frozen=True)
class Together:
    """Score differences of several sets of repairs on the same splits.

    Parameters
    ----------
    differences : tuple of tuple of float
        For each set, score after minus score before, split by split.
    training : tuple of tuple of float
        The same with both models judged on the repaired rows.
    failures : tuple of str
        For each set, why the model could not be fitted after it, or nothing.
    judged : float
        Rows that judge, a split.
    """

    differences: tuple
    training: tuple
    failures: tuple
    judged: float

    def gain(self, place, *, level=0.9):
        """`Estimate` of what a set gains, by the corrected interval of Nadeau and Bengio; splits that all agree as if one had had one flipped prediction."""
        seen = self.differences[place]
        floor = np.sqrt((1 / len(seen) + SHARE) / len(seen)) / self.judged
        return paired_interval(seen, SHARE, level=level, floor=floor)

    def against(self, place, other, *, arm="deployed", level=0.9):
        """`Estimate` of what a set gains beyond another, in the "deployed" arm or the "training" arm."""
        seen = self.differences if arm == "deployed" else self.training
        pairs = zip(seen[place], seen[other], strict=True)
        return paired_interval([one - rival for one, rival in pairs], SHARE, level=level)


def measure_together(table, repairs, design, *, among=None, holdout=None, repeats=1, skip=0, tell=lambda done, total, what: None):
    """Measure sets of repairs on splits that nothing was chosen on.

    Parameters
    ----------
    table : Table
    repairs : sequence of callable
        Each takes training and holdout rows, and the design with what it may learn from beside the training rows; it gives both repaired.
    design : Design
    among : Table, optional
        What the table was drawn from: repairs learn from its other rows as well, so that rows stand as close as they will.
    holdout : Table, optional
        Its parts judge instead of held-out rows of the table.
    repeats : int
        Of five folds.
    skip : int
        Repeats that come before, and were used to choose.

    Returns
    -------
    Together

    Notes
    -----
    Costs one fit more than there are sets on each split.
    """
    seed = draw_seed(design.seed, "together")
    fresh = replace(design, seed=seed)
    pairs = fresh.judged_splits(table, holdout, folds=FOLDS, repeats=skip + repeats)
    # Splits forward in time have no repeats: the same judge again.
    pairs = [pair for pair in pairs if pair[0].repeat >= skip] or pairs
    judge = table if holdout is None else holdout
    seen, learned, failures = [[] for _ in repairs], [[] for _ in repairs], [""] * len(repairs)
    for done, (split, other) in enumerate(pairs):
        tell(done, len(pairs), "measuring all repairs together")
        with threadpool_limits(limits=1):
            trial = Trial(table.take(split.train), judge.take(other.test), design, {}, trial_seed(seed, split))
            taught = trial.train if among is None else _less(among, trial.test)
            for place, repair in enumerate(repairs):
                try:
                    train, test = repair(taught, trial.test, trial.taught)
                    train = train if among is None else _among(train, trial.train)
                    reached = trial.score(trial.fit(train), test)
                    known = trial.score(trial.before, typed_like(test, trial.test))
                    seen[place].append(reached - trial.score_before)
                    learned[place].append(reached - known)
                except (ModelError, DataError) as failure:
                    failures[place] = failures[place] or str(failure)
    judged = float(np.mean([len(other.test) for _, other in pairs]))
    return Together(tuple(map(tuple, seen)), tuple(map(tuple, learned)), tuple(failures), judged)


def _less(table, rows):
    """The table without these rows."""
    return table.take(np.flatnonzero(~table.row_ids.is_in(rows.row_ids.implode()).to_numpy()))


def _among(table, rows):
    """Those of the table that are among these rows."""
    return table.take(np.flatnonzero(table.row_ids.is_in(rows.row_ids.implode()).to_numpy()))
