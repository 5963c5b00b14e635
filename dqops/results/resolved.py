"""Answers of several people, resolved: what is likeliest of each item, how surely, and how well each person answers."""

from dataclasses import dataclass

import numpy as np
import polars as pl


@dataclass(frozen=True, eq=False)
class ResolvedAnswers:
    """The likeliest answer of each item, how surely it is right, and the skill of each worker.

    Parameters
    ----------
    kind : {"classes", "open"}
    items : tuple (n_items,)
    values : tuple (n_items,)
        The likeliest answer of each.
    confidence : float64 (n_items,)
        Probability that it is right, in [0, 1].
    answered : int64 (n_items,)
        Answers that each item got.
    chances : tuple
        Item (its place), answer and probability of every answer that is possible (classes) or was given (open).
    workers : tuple (n_workers,)
    given : int64 (n_workers,)
        Answers that each gave.
    skill, low, high : float64 (n_workers,)
        Probability of a right answer, with a 90% interval.
    classes : tuple (n_classes,) or None
    confusions : float64 (n_workers, n_classes, n_classes) or None
        Probability that a worker calls a true class (line) what (column).
    """

    kind: str
    items: tuple
    values: tuple
    confidence: np.ndarray
    answered: np.ndarray
    chances: tuple
    workers: tuple
    given: np.ndarray
    skill: np.ndarray
    low: np.ndarray
    high: np.ndarray
    classes: tuple | None = None
    confusions: np.ndarray | None = None

    def __len__(self):
        return len(self.items)

    def to_frame(self):
        """One line an item: item, answer, confidence, answers."""
        told = {"item": _series(self.items), "answer": _series(self.values)}
        return pl.DataFrame(told | {"confidence": self.confidence, "answers": self.answered})

    def posterior(self):
        """One line an item and answer: item, answer, chance; what is missing to 1 belongs to answers nobody gave."""
        place, values, chance = self.chances
        return pl.DataFrame({"item": _series([self.items[one] for one in place]), "answer": _series(values), "chance": chance})

    def skills(self):
        """One line a worker, the most skilled first: worker, answers, skill, low, high."""
        told = {"worker": _series(self.workers), "answers": self.given, "skill": self.skill, "low": self.low, "high": self.high}
        return pl.DataFrame(told).sort("skill", descending=True, maintain_order=True)

    def __repr__(self):
        return f"<ResolvedAnswers: {len(self.items)} items, {len(self.workers)} workers, {int(self.given.sum())} answers>"


def _series(values):
    """The values as a column; those of several types by their text."""
    return pl.Series(list(values)) if len({type(one) for one in values}) <= 1 else pl.Series([str(one) for one in values])
