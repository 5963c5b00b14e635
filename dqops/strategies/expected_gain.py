"""The strategy of dqops: how much worse each record fits what is known to be right, times how surely it is wrong."""

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression

from dqops.contracts import Strategy
from dqops.models.targets import classes_of, codes_of, target_values
from dqops.strategies.doubtful_cells import doubts_of, lines_of
from dqops.strategies.order import ranked_doubts
from dqops.tables.cells import row_places

_PARTS = 3  # that rows are cut into, so that each is foretold by models that did not see it
_ROUNDS = 2
_DOUBTFUL = 0.5  # a record as doubtful as that teaches nobody until it is answered
_USUAL = 0.9  # a record that fits worse than this share of the right ones does not, either
_EMPTY = 0.9  # an empty cell hides a value, as a rule
_DRAWS = 4  # of other values for the doubtful cells of a record
_FEWEST = 30  # rows to learn from
_FEWEST_TOLD = 10  # answers from which on they tell how sure the signs are
_WEIGHT_OF_CLEAN = 0.2  # of a row known from the start, beside an answer: they are of other rows than those asked for
_SURE = 0.99


@dataclass
class ExpectedGain(Strategy):
    """Records by what putting them right is expected to gain: P(wrong) times the loss at them that right rows do not have.

    The model is fitted to rows that are known or nothing speaks against, and heard on the rows it did not see. What a
    record costs the model goes with its loss there: a wrong cell that the model does not care for leaves it as it is, a
    wild number or a wrong label does not. Answers then tell how often the signs, a detector's word and a large loss, are right.

    Examples
    --------
    >>> ExpectedGain()
    ExpectedGain()
    """

    name = "dqops"
    lines: object = field(default=None, init=False, repr=False)
    signs: dict = field(default_factory=dict, init=False, repr=False)
    told: dict = field(default_factory=dict, init=False, repr=False)

    def rank(self, table, model, holdout, rng):
        seed = int(rng.integers(2**31))
        if self.lines is None:
            self.lines = _with_empty_cells(lines_of(doubts_of(table, model, seed, rng, without=("labels",)), table), table)
        known = self._resolved(table)
        doubt = np.where(known, 0.0, self._doubt(table))
        rows, sure, suspect = table, known, doubt
        if holdout is not None:
            rows, more = _together(table, holdout), np.ones(holdout.n_rows)
            sure, suspect = np.concatenate([known, more > 0]), np.concatenate([doubt, 0 * more])
        loss, reference, teaches = _losses(rows, sure, suspect, model, seed, rng)
        unusual = np.searchsorted(np.sort(loss[reference]), loss, side="left") / max(reference.sum(), 1)
        wrong = self._surety(table, doubt, unusual[: table.n_rows], unusual[table.n_rows :])
        moved = self._moved(table, rows, teaches, model, seed, rng)
        worth = doubt * moved + (1 - doubt) * self._labels_share(table, model.task) * loss[: table.n_rows]
        return self._ranking(table, np.where(known, 0.0, worth * wrong))

    def tell(self, row, column, value):
        cells = value if column is None and isinstance(value, dict) else {column: value}
        self.told.setdefault(row, {}).update(cells)
        if column is None:
            self.told[row][None] = True
        return self

    def _resolved(self, table):
        """Records that were answered as a whole, bool (n,)."""
        return np.array([None in self.told.get(row, ()) for row in table.row_ids.to_list()], dtype=bool)

    def _doubt(self, table):
        """Probability that some cell of a record is wrong, by the detectors, float64 (n,)."""
        right = np.zeros(table.n_rows)
        places, scores = row_places(table.row_ids, self.lines["row"]), self.lines["score"].to_numpy()
        there = places >= 0
        np.add.at(right, places[there], np.log1p(-np.minimum(scores[there], _SURE)))
        return 1 - np.exp(right)

    def _surety(self, table, doubt, unusual, unusual_clean):
        """How surely each record is wrong, by what answers told of records with such signs; 1 for all before there are enough."""
        ids = table.row_ids.to_list()
        first = not self.signs
        if first:
            self.signs = {row: (*pair, table.frame.row(place, named=True)) for place, (row, *pair) in enumerate(zip(ids, doubt, unusual, strict=True))}
        answered = [row for row in self.told if row in self.signs]
        wrong = np.array([any(self.signs[row][2].get(name) != value for name, value in self.told[row].items() if name is not None) for row in answered])
        if len(answered) < _FEWEST_TOLD or not wrong.any() or (wrong.all() and not len(unusual_clean)):
            return np.ones(table.n_rows)
        signs = np.array([self.signs[row][:2] for row in answered])
        clean = np.column_stack([np.zeros(len(unusual_clean)), unusual_clean])
        weights = np.concatenate([np.ones(len(answered)), np.full(len(clean), _WEIGHT_OF_CLEAN)])
        learner = LogisticRegression().fit(np.concatenate([signs, clean]), np.concatenate([wrong, np.zeros(len(clean), dtype=bool)]), sample_weight=weights)
        return learner.predict_proba(np.column_stack([doubt, unusual]))[:, 1]

    def _moved(self, table, rows, teaches, model, seed, rng):
        """How far a prediction moves, squared, when the doubtful cells of its record hold what other records do, float64 (n,).

        The record's own label plays no part: records chosen by it would teach that what is filled in goes with a label.
        """
        places = row_places(table.row_ids, self.lines["row"])
        doubtful = self.lines.with_columns(place=pl.Series(places)).filter((pl.col("place") >= 0) & pl.col("column").is_in(table.features))
        if not doubtful.height:
            return np.zeros(table.n_rows)
        classes = classes_of(rows) if model.task == "classification" else None
        fitted = model.fit(rows.take(np.flatnonzero(teaches)), seed=seed, classes=classes)
        say = fitted.predict if classes is None else fitted.probabilities
        recorded, moved = np.asarray(say(table)).reshape(table.n_rows, -1), np.zeros(table.n_rows)
        for _ in range(_DRAWS):
            drawn = np.asarray(say(_redrawn(table, rows, teaches, doubtful, rng))).reshape(table.n_rows, -1)
            moved += ((drawn - recorded) ** 2).sum(axis=1) / (1 if classes is None else 2) / _DRAWS
        return np.where(np.isfinite(moved), moved, np.max(moved[np.isfinite(moved)], initial=0.0))

    def _labels_share(self, table, task):
        """How much the loss of a record that no detector doubts counts: less, the fewer answers corrected a label.

        Records chosen by their labels must not have their features put right: what is new in them would go with those labels.
        """
        if task == "regression":
            return 1.0
        target, corrections, labels = table.roles.target, 0, 0
        for row, cells in self.told.items():
            before = self.signs[row][2] if row in self.signs else {}
            changed = [name for name, value in cells.items() if name is not None and before.get(name) != value]
            corrections += bool(changed)
            labels += target in changed
        return min(1.0, 2 * (labels + 1) / (corrections + 2))

    def _ranking(self, table, worth):
        """Records' worth shared out to their cells: to those that a detector doubts, and to the target for what is left."""
        target = pl.DataFrame({"row": table.row_ids, "column": table.roles.target, "kind": "unlike right rows", "score": _DOUBTFUL})
        target = target.with_columns(reason=pl.lit("the model, learned from rows nothing speaks against, expects another record"))
        cells = pl.concat([self.lines.select(target.columns).filter(pl.col("column") != table.roles.target), target])
        asked = [None not in (told := self.told.get(row, ())) and column not in told for row, column in cells.select("row", "column").iter_rows()]
        cells = cells.filter(pl.Series(asked, dtype=pl.Boolean))
        places = row_places(table.row_ids, cells["row"])
        shares = cells.select(pl.col("score") / pl.col("score").sum().over("row"))["score"].to_numpy()
        return ranked_doubts(self.name, table, cells.drop("score", "reason"), worth[places] * shares, cells["reason"].to_list())


def _with_empty_cells(lines, table):
    """The doubts, and every empty feature cell, also of columns that are empty too often to be a finding cell by cell."""
    empty = [
        pl.DataFrame({"row": table.row_ids.filter(table.frame[name].is_null()), "column": name, "kind": "missing", "score": _EMPTY, "reason": "cell is empty"})
        for name in table.features
        if table.frame[name].has_nulls()
    ]
    if not empty:
        return lines
    both = pl.concat([lines, *(one.select(lines.columns) for one in empty)])
    return both.unique(["row", "column"], keep="first", maintain_order=True)


def _together(table, holdout):
    """Training rows and those of the holdout as one table."""
    frame = pl.concat([table.frame, holdout.frame.select(table.columns)], how="vertical_relaxed")
    return replace(table, frame=frame, raw=frame, row_ids=pl.Series("row", np.arange(frame.height)), given=None)


def _redrawn(table, rows, teaches, doubtful, rng):
    """The table with other rows' values in the doubtful cells."""
    fresh = []
    for (name,), part in doubtful.group_by("column", maintain_order=True):
        known = rows.frame[name].filter(pl.Series(teaches)).drop_nulls()
        if len(known):
            donors = known.gather(rng.integers(len(known), size=part.height)).cast(table.frame[name].dtype, strict=False)
            fresh.append(table.frame[name].clone().scatter(part["place"], donors))
    return table.with_columns(*fresh)


def _losses(rows, sure, suspect, model, seed, rng):
    """Loss at each row under models of the right ones that did not see it, float64 (n,), which rows those are that it is
    compared with, and those that teach, bool (n,).

    Rows are right that are known or, without any, that nothing speaks against. In a second round those whose loss is larger
    than that of most right rows do not teach either.
    """
    values, there = target_values(rows, model.task)
    teaches = (sure | (suspect < _DOUBTFUL)) & there
    if teaches.sum() < _FEWEST:
        teaches = there
    reference = sure & there if (sure & there).sum() >= _FEWEST else teaches
    part, loss = rng.permutation(rows.n_rows) % _PARTS, np.zeros(rows.n_rows)
    for _ in range(_ROUNDS):
        for one in range(_PARTS):
            mine = np.flatnonzero(part == one)
            loss[mine] = _heard(rows, np.flatnonzero(teaches & (part != one)), mine, values, model, seed)
        # A row without a target is as unlike the others as any.
        loss = np.where(there & np.isfinite(loss), loss, np.max(loss[there & np.isfinite(loss)], initial=0.0))
        kept = sure | ((suspect < _DOUBTFUL) & (loss <= np.quantile(loss[reference], _USUAL)))
        if _enough(kept & there, values, model.task):
            teaches = kept & there
    return loss, reference, teaches


def _enough(kept, values, task):
    """Are there rows enough to learn from, of two classes or more in each part?"""
    if kept.sum() < _FEWEST:
        return False
    counts = np.sort(np.unique(values[kept], return_counts=True)[1])[::-1]
    return task == "regression" or (len(counts) > 1 and counts[1] >= 2 * _PARTS)


def _heard(rows, taught, asked, values, model, seed):
    """Brier score of each row asked, or squared error, under a model of the rows taught."""
    part = rows.take(asked)
    if model.task == "regression":
        return (model.fit(rows.take(taught), seed=seed).predict(part) - values[asked]) ** 2
    classes = classes_of(rows)
    said = model.fit(rows.take(taught), seed=seed, classes=classes).probabilities(part)
    given = codes_of(values[asked], classes)
    return ((said - np.eye(len(classes))[np.maximum(given, 0)]) ** 2).sum(axis=1) / 2
