"""What several repairs gain together: the model before, and the same model after all of them, on the same splits."""

from dataclasses import dataclass, replace

from threadpoolctl import threadpool_limits

from dqops.errors import DataError, ModelError
from dqops.propagation.effort import FOLDS
from dqops.propagation.intervals import paired_interval
from dqops.propagation.trial import Trial, trial_seed
from dqops.seeds import draw_seed

SHARE = 1 / (FOLDS - 1)


@dataclass(frozen=True)
class Together:
    """Score differences of several sets of repairs on the same splits.

    Parameters
    ----------
    differences : tuple of tuple of float
        For each set, score after minus score before, split by split.
    failures : tuple of str
        For each set, why the model could not be fitted after it, or nothing.
    """

    differences: tuple
    failures: tuple

    def gain(self, place, *, level=0.9):
        """`Estimate` of what a set gains, by the corrected interval of Nadeau and Bengio."""
        return paired_interval(self.differences[place], SHARE, level=level)

    def against(self, place, other, *, level=0.9):
        """`Estimate` of what a set gains beyond another."""
        pairs = zip(self.differences[place], self.differences[other], strict=True)
        return paired_interval([one - rival for one, rival in pairs], SHARE, level=level)


def measure_together(table, repairs, design, *, holdout=None, repeats=1, tell=lambda done, total, what: None):
    """Measure sets of repairs on splits that nothing was chosen on.

    Parameters
    ----------
    table : Table
    repairs : sequence of callable
        Each takes training and holdout rows and gives both repaired; it learns from the training rows alone.
    design : Design
    holdout : Table, optional
        Its parts judge instead of held-out rows of the table.
    repeats : int
        Of five folds.

    Returns
    -------
    Together

    Notes
    -----
    Costs one fit more than there are sets on each split.
    """
    seed = draw_seed(design.seed, "together")
    fresh = replace(design, seed=seed)
    splits = fresh.splits(table, folds=FOLDS, repeats=repeats)
    judges = splits if holdout is None else fresh.splits(holdout, folds=FOLDS, repeats=repeats)
    judge = table if holdout is None else holdout
    seen, failures = [[] for _ in repairs], [""] * len(repairs)
    for done, (split, other) in enumerate(zip(splits, judges, strict=True)):
        tell(done, len(splits), "measuring all repairs together")
        with threadpool_limits(limits=1):
            trial = Trial(table.take(split.train), judge.take(other.test), design, {}, trial_seed(seed, split))
            for place, repair in enumerate(repairs):
                try:
                    train, test = repair(trial.train, trial.test)
                    seen[place].append(trial.score(trial.fit(train), test) - trial.score_before)
                except (ModelError, DataError) as failure:
                    failures[place] = failures[place] or str(failure)
    return Together(tuple(tuple(one) for one in seen), tuple(failures))
