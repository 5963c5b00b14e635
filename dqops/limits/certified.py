"""Judgements of several folds put together: predictions, accuracy in every repair, and what needs cleaning."""

import numpy as np
import polars as pl

from dqops.errors import OptionError
from dqops.limits.judging import judge_knn, judge_linear
from dqops.models.targets import codes_of, target_values

UNITS = {"knn": "nats of mean entropy", "linear": "share of the training objective"}


class Certified:
    """Collects what is certain, fold by fold.

    Parameters
    ----------
    task : {"classification", "regression"}
    classes : array or None
        All labels, sorted.
    k : int or None
        Neighbours, instead of the model's own.
    excess : float
        Share of the training objective that counts as near enough.
    """

    def __init__(self, task, classes, k, excess):
        if k is not None and (not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1):
            raise OptionError("k", k, "an integer of 1 or more")
        self.task, self.classes, self.k, self.excess = task, classes, k, excess
        self.kind, self.models, self.sampled = "", (), 0
        self._predictions, self._needs, self._right, self._errors = [], [], [], []

    @property
    def notes(self):
        """What has to be said of the answer."""
        said = []
        if self.sampled:
            said.append(f"{self.sampled} rows have more combinations of candidates than were asked for: a sample stands for them")
        if len(self.models) > 1:
            said.append("with more than two classes a linear model is judged as one model for each class against the rest")
        return said

    def judge(self, space, encoded, values, rows, n_sampled, test, bounds=None):
        """Judge the rows of `test`, which must not be among the training rows.

        Parameters
        ----------
        space : FeatureSpace
        encoded : Encoded
        values : array (n,)
            Targets of the training rows.
        rows : polars.Series (n,)
            Their ids.
        n_sampled : int
        test : Table
        bounds : RidgeBounds, optional
            Of the predictions of `test`; the narrower bounds are told.
        """
        told = self._judged(space, encoded, values, space.encode(test), n_sampled)
        self._add_needs(told, rows, test.n_rows)
        truth, known = target_values(test, self.task)
        columns = {"row": test.row_ids}
        if self.task == "regression":
            low, high = told.low, told.high
            if bounds is not None:
                low, high = np.maximum(low, bounds.low), np.minimum(high, bounds.high)
            columns |= {"predicted": told.predicted, "certain": high - low <= 1e-9 * (1 + np.abs(told.predicted)), "low": low, "high": high}
            self._errors.append(_errors(truth[known], low[known], high[known]))
        else:
            sure = told.possible.sum(axis=1) == 1
            columns |= {"predicted": self.classes[told.predicted].tolist(), "certain": sure}
            if told.probabilities is not None:
                columns |= {"probability": told.probabilities.max(axis=1), "n_possible": told.possible.sum(axis=1)}
            self._right.append(_right(told, sure, codes_of(truth[known], self.classes), known))
        self._predictions.append(pl.DataFrame(columns))
        self.models = told.models

    def settle(self, space, encoded, values, rows, n_sampled):
        """Judge the model of all rows, and what they need; no predictions."""
        self._needs = []
        told = self._judged(space, encoded, values, np.empty((0, encoded.rows.shape[1])), n_sampled)
        self._add_needs(told, rows, 1)
        self.models = told.models

    def told(self, candidates):
        """What a `Certainty` says of it, by name."""
        needs = self._needs_of(candidates)
        right = np.concatenate(self._right) if self._right else np.empty((0, 3))
        errors = np.concatenate(self._errors) if self._errors else np.empty((0, 2))
        counts = [one.to_clean for one in self.models]
        mean = tuple(float(one) for one in right.mean(axis=0)) if len(right) else None
        return {
            "kind": self.kind,
            "predictions": pl.concat(self._predictions).sort("row"),
            "accuracy": mean if mean is None or self.kind == "knn" else (mean[0], None, mean[2]),
            "error": tuple(float(one) for one in errors.mean(axis=0)) if len(errors) else None,
            "needs": needs,
            "columns": _columns_of(candidates, needs),
            "unit": UNITS[self.kind],
            "models": self.models,
            "to_clean": max(counts) if counts and None not in counts else None,
        }

    def _judged(self, space, encoded, values, tests, n_sampled):
        self.kind, self.sampled = space.learner.kind, max(self.sampled, n_sampled)
        learner = space.learner
        if self.kind == "knn":
            learner = type(learner)("knn", k=self.k or learner.k, metric=learner.metric)
            return judge_knn(encoded, codes_of(values, self.classes), tests, learner, len(self.classes))
        if self.k is not None:
            raise OptionError("k", self.k, "a k-NN as model; a linear model has no neighbours")
        n_classes = 0 if self.task == "regression" else len(self.classes)
        targets = values if self.task == "regression" else codes_of(values, self.classes)
        return judge_linear(encoded, targets, tests, learner, n_classes, self.excess)

    def _add_needs(self, told, rows, n_judged):
        held = {"row": rows, "need": told.need * n_judged, "judged": np.full(len(rows), n_judged), "can_matter": told.matters}
        self._needs.append(pl.DataFrame(held))

    def _needs_of(self, candidates):
        """A line a row with an open doubt, those that matter most first."""
        open_doubts = [one.rows.filter(pl.Series(one.sizes > 1)) for one in candidates]
        schema = {"row": candidates.groups[0].rows.dtype if candidates.groups else pl.Int64, "cells": pl.UInt32}
        doubtful = pl.DataFrame({"row": pl.concat(open_doubts)}).group_by("row").agg(pl.len().alias("cells")) if open_doubts else pl.DataFrame(schema=schema)
        mean = pl.col("need").sum() / pl.col("judged").sum()
        needs = pl.concat(self._needs).group_by("row").agg(mean.alias("need"), pl.col("can_matter").any())
        return doubtful.join(needs, on="row", how="inner").select("row", "cells", "need", "can_matter").sort("need", "row", descending=[True, False])


def _columns_of(candidates, needs):
    """A line a column: its open doubts, and the needs of their rows, shared equally by the doubtful columns of a row."""
    schema = {"column": pl.String, "cells": pl.UInt32, "need": pl.Float64}
    parts = [pl.DataFrame({"row": rows}).with_columns(pl.lit(one.column).alias("column")) for one in candidates if len(rows := one.rows.filter(pl.Series(one.sizes > 1)))]
    if not parts:
        return pl.DataFrame(schema=schema)
    shared = pl.concat(parts).join(needs.with_columns((pl.col("need") / pl.col("cells")).alias("share")).select("row", "share"), on="row", how="left")
    return shared.group_by("column").agg(pl.len().alias("cells"), pl.col("share").sum().alias("need")).sort("need", "column", descending=[True, False])


def _right(told, sure, labels, known):
    """For each row with a known label: right in every repair, probability of being right, right in some repair."""
    place = np.maximum(labels, 0)
    every = np.flatnonzero(known)
    can = told.possible[every, place] & (labels >= 0)
    chance = np.where(labels >= 0, told.probabilities[every, place], 0.0) if told.probabilities is not None else np.full(len(every), np.nan)
    return np.stack([can & sure[every], chance, can], axis=1).astype(np.float64)


def _errors(truth, low, high):
    """Squared error of each row, at least and at most."""
    least = np.where((low <= truth) & (truth <= high), 0.0, np.minimum((low - truth) ** 2, (high - truth) ** 2))
    return np.stack([least, np.maximum((low - truth) ** 2, (high - truth) ** 2)], axis=1)
