"""The strategy of dqops: what wrong cells and labels do to the model, times how surely they are wrong."""

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from sklearn.isotonic import IsotonicRegression

from dqops.contracts import Strategy
from dqops.errors import DqopsError
from dqops.models.fixed_space import fixed_space
from dqops.models.targets import classes_of, codes_of, target_values
from dqops.strategies.doubtful_cells import doubts_of, lines_of
from dqops.strategies.order import ranked_doubts
from dqops.strategies.row_values import LowInfluence, values_of
from dqops.tables.cells import row_places
from dqops.valuers.noisy_rows import noisy_rows

_PARTS = 3  # that rows are cut into, so that each is foretold by models that did not see it
_ROUNDS = 2
_DOUBTFUL = 0.5  # a record as doubtful as that teaches nobody until it is answered
_USUAL = 0.9  # a record that fits worse than this share of the right ones does not, either
_EMPTY = 0.9  # an empty cell hides a value, as a rule
_DRAWS = 2  # of right rows' values for a doubtful cell
_FEWEST = 30  # rows to learn from
_PRIOR = 4  # answers that a detector's word counts for
_WEIGHT_OF_UNASKED = 0.2  # of a record that is judged by the known right ones, beside an answer
_SURE = 0.99
_LEAST = 0.02  # no label is surely right: the order goes on by the loss
_HARDLY = 1e-4  # what a panel finds no word against is hardly wrong, and comes after every doubtful cell
_TINY = 1e-3  # breaks ties
_TRUST_IN_PULLS = 2 / 3  # against the loss alone
_NEVER = 1e-9  # a probability that is hardly 0


@dataclass
class ExpectedGain(Strategy):
    """Records by what putting them right is expected to gain: P(wrong) times what the error does to the model.

    What a doubtful cell does is how far predictions move when it holds something else; what a label does is its loss under
    models of right rows that did not see it. How often such signs mean an error is told by rows that are known to be right,
    which have some of these signs, too, and then by answers.

    Examples
    --------
    >>> ExpectedGain()
    ExpectedGain()
    """

    name = "dqops"
    recorded: object = field(default=None, init=False, repr=False)
    lines: object = field(default=None, init=False, repr=False)
    told: dict = field(default_factory=dict, init=False, repr=False)

    def rank(self, table, model, holdout, rng):
        seed = int(rng.integers(2**31))
        if self.lines is None or not self.recorded.row_ids.equals(table.row_ids):
            self.recorded, self.lines = table, _signs(table, holdout, model, seed, rng)
        n, answers = table.n_rows, self._answers()
        known, cells = self._resolved(table), _open_cells(self.lines, answers, table)
        target = pl.col("column").eq_missing(table.roles.target)
        doubt, mislabelled = _any_wrong(cells.filter(~target), n), _any_wrong(cells.filter(target), n)
        rows, heard = (one if holdout is None else together(one, holdout) for one in (table, self.recorded))
        right = np.ones(rows.n_rows - n)
        loss, teaches = _losses(rows, heard, np.concatenate([known, right > 0]), np.concatenate([np.maximum(doubt, mislabelled), 0 * right]), model, seed, rng)
        wrong = self._label_wrong(answers, model.task, 1 - doubt, loss[:n], loss[n:] if holdout is not None else loss[teaches])
        if model.task == "classification":
            wrong = _shared_out(wrong, self._panel(rows, np.concatenate([known, right > 0]), model, seed))
        # Records whose cells are doubted are asked for whatever their label.
        wrong *= np.where(doubt < _DOUBTFUL, 1 - doubt, 0.0)
        costs = _costs(table, rows.take(np.flatnonzero(teaches)), cells, model, seed, rng)
        wrong = np.where(known, 0.0, np.maximum(wrong, mislabelled))
        labels = wrong * loss[:n]
        if model.task == "classification" and holdout is not None:
            labels = _pulled(labels, wrong, _pulls(table, holdout, model, seed))
        return self._ranking(table, cells, costs, labels, rng)

    def tell(self, row, column, value):
        cells = value if column is None and isinstance(value, dict) else {column: value}
        self.told.setdefault(row, {}).update(cells)
        if column is None:
            self.told[row][None] = True
        return self

    def _panel(self, rows, known, model, seed):
        """How surely each label is wrong by a panel, float64 (n,), or None; a subclass may have heard it already."""
        found = panel_of(rows, known, model, seed)
        return None if found is None else found.wrong

    def _resolved(self, table):
        """Records that were answered as a whole, bool (n,)."""
        return np.array([None in self.told.get(row, ()) for row in table.row_ids.to_list()], dtype=bool)

    def _answers(self):
        """One line an answered cell: row, column, and whether the answer is another value than the recorded one."""
        recorded = self.recorded
        places = dict(zip(recorded.row_ids.to_list(), range(recorded.n_rows), strict=True))
        found = [
            (row, name, recorded.frame[name][places[row]] != value)
            for row, cells in self.told.items()
            for name, value in cells.items()
            if row in places and name in recorded.columns
        ]
        return pl.DataFrame(found, schema={"row": recorded.row_ids.dtype, "column": pl.String, "changed": pl.Boolean}, orient="row")

    def _label_wrong(self, answers, task, undoubted, loss, right):
        """Probability that a record is wrong that no detector doubts, by its loss, float64 (n,): never lower where the loss is higher.

        For classes only corrected labels count as answers that say so: what is wrong elsewhere is not found by labels.
        """
        wrong = _excess(loss, undoubted, right)
        heard = answers if task == "regression" else answers.filter(pl.col("column") == self.recorded.roles.target)
        heard = heard.group_by("row").agg(pl.col("changed").any())
        if heard.height:
            places = row_places(self.recorded.row_ids, heard["row"])
            weights = np.full(len(loss), _WEIGHT_OF_UNASKED)
            wrong[places], weights[places] = heard["changed"].to_numpy(), 1.0
            wrong = IsotonicRegression().fit(loss, wrong, sample_weight=weights).predict(loss)
        return np.maximum(wrong, _LEAST)

    def _ranking(self, table, cells, costs, labels, rng):
        """Doubtful cells and the target of each record by what they are expected to cost; ties in random order."""
        target = pl.DataFrame({"row": table.row_ids, "column": table.roles.target, "kind": "unlike right rows", "gain": labels})
        target = target.with_columns(reason=pl.lit("the model, learned from rows nothing speaks against, expects another record"))
        cells = cells.with_columns(gain=pl.Series(costs)).filter(pl.col("column").ne_missing(table.roles.target))
        lines = pl.concat([cells.select(target.columns), target])
        asked = [None not in (told := self.told.get(row, ())) and column not in told for row, column in lines.select("row", "column").iter_rows()]
        lines = lines.filter(pl.Series(asked, dtype=pl.Boolean))
        lines = lines[rng.permutation(lines.height)]
        return ranked_doubts(self.name, table, lines.drop("gain", "reason"), lines["gain"].to_numpy(), lines["reason"].to_list())


def _signs(table, holdout, model, seed, rng):
    """Cells that detectors doubt, and empty ones: row, column, kind, score, reason.

    Rows of the holdout are searched with the others. What is found there is right: findings of a kind are wrong as far as there are
    more of them than those let expect, in all columns first, then in each.
    """
    rows = table if holdout is None else together(table, holdout)
    lines = _with_empty_cells(lines_of(doubts_of(rows, model, seed, rng, without=("labels",)), rows), rows)
    lines = lines.with_columns(place=pl.Series(row_places(rows.row_ids, lines["row"])))
    own, n_right = pl.col("place") < table.n_rows, rows.n_rows - table.n_rows
    if n_right:
        for group in (["kind"], ["column", "kind"]):
            found, false = (one.sum().over(group) for one in (own, ~own))
            beyond = (found - table.n_rows * (false + 0.5) / (n_right + 0.5)).clip(0)
            lines = lines.with_columns(score=(_PRIOR * pl.col("score") + beyond) / (_PRIOR + found))
        lines = pl.concat([lines, *(_strange(rows.frame[name], table.n_rows) for name in table.features)])
        lines = lines.sort("score", descending=True, maintain_order=True).unique(["place", "column"], keep="first", maintain_order=True)
    lines = lines.filter(own)
    return lines.with_columns(row=table.row_ids.gather(lines["place"])).drop("place")


def _strange(cells, n_rows):
    """Cells of a column that hold what no right row holds, or what hardly any does and many others do, as `_signs` tells them.

    How many right rows would hold something new is told by how many hold what no other one does (Good 1953, Turing's estimate).
    Only what exceeds three standard deviations counts, new values coming with all cells that hold them: a value is one of many that
    might have been common by chance.
    """
    seen = pl.DataFrame({"value": cells, "place": np.arange(len(cells))}).drop_nulls()
    own = pl.col("place") < n_rows
    seen = seen.with_columns(kind=pl.lit("common"), false=(~own).sum().over("value"), found=own.sum().over("value"))
    new = seen["false"] == 0
    singles = ((seen["false"] == 1) & (seen["place"] >= n_rows)).sum()
    clumps = (seen.filter(new & (seen["place"] < n_rows))["found"]).sum()
    seen = seen.with_columns(
        clumps=pl.when(new).then(clumps).otherwise(0), kind=pl.when(new).then(pl.lit("new")).otherwise("kind"), false=pl.when(new).then(singles).otherwise("false"), found=pl.when(new).then(new.sum()).otherwise("found"),
    )
    n_right = len(cells) - n_rows
    expected = n_rows * (pl.col("false") + 0.5) / (n_right + 0.5)
    beyond = pl.col("found") - expected - 3 * (expected * (1 + n_rows / n_right) + pl.col("clumps")).sqrt()
    seen = seen.filter(own).with_columns(score=(beyond / pl.col("found")).clip(0, _SURE)).filter(pl.col("score") > 0)
    reason = pl.lit("rows that are known to be right hold this less often")
    return seen.select(pl.lit(None, dtype=pl.Int64).alias("row"), pl.lit(cells.name).alias("column"), "kind", "score", reason.alias("reason"), "place")


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


def together(table, holdout):
    """Training rows and those of the holdout as one table."""
    frame = pl.concat([table.frame, holdout.frame.select(table.columns)], how="vertical_relaxed")
    return replace(table, frame=frame, raw=frame, row_ids=pl.Series("row", np.arange(frame.height)), given=None)


def _open_cells(lines, answers, table):
    """Doubtful cells that no answer settled, with their place and a `score` that counts answers to cells with the same sign."""
    lines = lines.join(answers, on=["row", "column"], how="left", maintain_order="left")
    heard, changed = (one.over("column", "kind") for one in (pl.col("changed").count(), pl.col("changed").sum()))
    lines = lines.with_columns(score=(_PRIOR * pl.col("score") + changed) / (_PRIOR + heard), place=pl.Series(row_places(table.row_ids, lines["row"])))
    return lines.filter(pl.col("changed").is_null(), pl.col("place") >= 0)


def _any_wrong(cells, n_rows):
    """Probability that some doubtful cell of a record is wrong, cells being independent, float64 (n,)."""
    right = np.zeros(n_rows)
    np.add.at(right, cells["place"].to_numpy(), np.log1p(-cells["score"].clip(0, _SURE).to_numpy()))
    return 1 - np.exp(right)


def _costs(table, right, cells, model, seed, rng):
    """What each doubtful cell is expected to cost, by its score and how far predictions move, squared, float64 (m,).

    With u the mean move when a cell of its column changes from one right row's value to another's, and v the move when this cell
    takes a right row's value (u where it is empty), the noise of a column is the sum of v over u; see `_regained`. No column costs
    more than it means to the model. Labels play no part, and for empty cells nothing beside them does: which cells are filled in must
    not go with what stands in their rows.
    """
    costs, classes = np.zeros(cells.height), classes_of(right, table) if model.task == "classification" else None
    fitted = model.fit(right, seed=seed, classes=classes)
    said = _said(fitted, right)
    scores = _scores_for(said, model.task)
    for (name,), part in cells.with_row_index("line").filter(pl.col("column").is_in(table.features)).group_by("column", maintain_order=True):
        known = right.frame[name].drop_nulls()
        if not len(known):
            continue
        other = _said(fitted, _redrawn(right, name, known, rng))
        means, usual = _distance(said, other).mean(), _distance(scores(said), scores(other)).mean()
        rows = table.take(part["place"].to_numpy())
        before = scores(_said(fitted, rows))
        moved = np.mean([_distance(before, scores(_said(fitted, _redrawn(rows, name, known, rng)))) for _ in range(_DRAWS)], axis=0)
        moved[rows.frame[name].is_null().to_numpy()] = usual
        if 0 < usual < np.inf:
            costs[part["line"].to_numpy()] = means * table.n_rows * _regained(part["score"].to_numpy() * moved / (usual * table.n_rows))
    return costs


def _regained(noise):
    """What each cell adds of what its column tells when those of the most noise are put right first, float64 (m,).

    Noise s beside a signal of 1 leaves 1 / (1 + s) of a coefficient (errors in variables). Where the last cells add more than the
    first, all that are needed share alike (the least concave majorant), the noisier still first.
    """
    order = np.argsort(-noise, kind="stable")
    left = np.append(np.cumsum(noise[order][::-1])[::-1], 0.0)
    added = np.diff(1 / (1 + left))
    gains = np.empty(len(noise))
    gains[order] = IsotonicRegression(increasing=False).fit(np.arange(len(noise)), added).predict(np.arange(len(noise))) + _TINY * added
    return gains


def _said(fitted, rows):
    """Predictions as float64 (n, classes or 1)."""
    said = fitted.predict(rows) if fitted.classes is None else fitted.probabilities(rows)
    return np.asarray(said, dtype=np.float64).reshape(rows.n_rows, -1)


def _scores_for(said, task):
    """What shows how wild a cell is, by predictions for right rows: a function of such predictions.

    Numbers as they are, probabilities as their logarithms, which still move where those have come to 0 and 1. A model that says 0
    about right rows counts votes, of which logarithms tell nothing: its probabilities stay as they are.
    """
    if task == "regression" or (said <= _NEVER).any():
        return lambda one: one
    return lambda one: np.log(np.clip(one, _NEVER, 1))


def _distance(before, after):
    """Half the squared distance of probabilities, or the squared difference of numbers, float64 (n,)."""
    return ((after - before) ** 2).sum(axis=1) / (1 if before.shape[1] == 1 else 2)


def _redrawn(rows, name, known, rng):
    """The rows with values of `known` in a column."""
    return rows.with_columns(known.gather(rng.integers(len(known), size=rows.n_rows)).cast(rows.frame[name].dtype, strict=False).alias(name))


def _excess(loss, undoubted, right):
    """Share of undoubted rows with such a loss beyond what right rows let expect, float64 (n,), rising with the loss.

    Losses are cut where their share among all rows to that among right rows rises. Half of the right rows lie below their
    median: how many of all rows do tells how many are right.
    """
    if not len(right):
        return np.ones(len(loss))
    both, ours = np.concatenate([loss, right]), np.repeat([1.0, 0.0], [len(loss), len(right)])
    weights = np.concatenate([undoubted, np.ones(len(right))])
    level = IsotonicRegression().fit(both, ours, sample_weight=weights).predict(both)
    blocks, codes = np.unique(level, return_inverse=True)
    own, known = (np.bincount(codes, weights=one * weights, minlength=len(blocks)) for one in (ours, 1 - ours))
    expected = max(min(own.sum(), 2 * undoubted @ (loss <= np.median(right))), 1) * (known + 1) / (len(right) + 1)
    return np.clip(1 - expected / np.maximum(own, 1e-9), 0, 1)[codes[: len(loss)]]


@dataclass(frozen=True, eq=False)
class Doubted:
    """What a panel of unlike learners says of each row's label.

    Parameters
    ----------
    wrong : float64 (n,)
        Probability that it is wrong; 0 where there is none.
    suggested : array (n,)
        What should rather stand there, as `target_values` gives labels.
    """

    wrong: np.ndarray
    suggested: np.ndarray


def panel_of(rows, known, model, seed):
    """`Doubted` of the labels, those `known` (bool (n,)) being right; None where the panel cannot be heard."""
    labels, there = target_values(rows, model.task)
    heard = np.flatnonzero(there)
    try:
        features = fixed_space(model, rows, seed).encode(rows)[heard]
        found = noisy_rows(features, labels[heard], trusted=known[heard], calibrate=False, seed=seed)
    except DqopsError:
        return None
    wrong, suggested = np.zeros(rows.n_rows), labels.copy()
    wrong[heard], suggested[heard] = found.wrong, found.classes[found.suggested]
    return Doubted(wrong, suggested)


def _shared_out(wrong, said):
    """The same probabilities in sum, shared out as a panel of unlike learners doubts the labels, float64 (n,).

    One model's loss is large at rows that it cannot learn, too; what learners of several kinds agree on is rather wrong.
    Where the panel cannot be heard, they stay as they are.
    """
    if said is None:
        return wrong
    said, beyond = said[: len(wrong)], np.maximum(wrong - _LEAST, 0.0)
    return np.clip(said * beyond.sum() / max(said.sum(), _NEVER), _HARDLY, 1.0)


def _pulls(table, holdout, model, seed):
    """How much better right rows would be foretold without each record, 0 where they would not, float64 (n,)."""
    known, pulls = np.flatnonzero(target_values(table, model.task)[1]), np.zeros(table.n_rows)
    try:
        valuer, _ = LowInfluence().valuer(model)
        pulls[known] = -values_of(valuer, table.take(known), holdout, model, np.random.default_rng(seed))
    except DqopsError:
        return np.zeros(table.n_rows)
    return np.maximum(np.nan_to_num(pulls), 0.0)


def _pulled(worth, wrong, pulls):
    """Worth of labels, two thirds of it P(wrong) times the pull of each record, in the same units and sum, float64 (n,)."""
    harm = wrong * pulls
    if not harm.sum() > 0:
        return worth
    return (1 - _TRUST_IN_PULLS) * worth + _TRUST_IN_PULLS * harm * (worth.sum() / harm.sum())


def _losses(rows, heard, sure, suspect, model, seed, rng):
    """Loss at each row as it was recorded (`heard`) under models of right rows that did not see it, float64 (n,), and the rows
    that teach, bool (n,).

    Rows are right that are known or that nothing speaks against. In a second round those whose loss is larger than that of
    most known ones, or most right ones, do not teach either.
    """
    (values, there), (asked, open_to) = (target_values(one, model.task) for one in (rows, heard))
    teaches = (sure | (suspect < _DOUBTFUL)) & there
    if teaches.sum() < _FEWEST:
        teaches = there
    reference = sure & there if (sure & there).sum() >= _FEWEST else teaches
    part, loss, classes = rng.permutation(rows.n_rows) % _PARTS, np.zeros(rows.n_rows), classes_of(rows, heard) if model.task == "classification" else None
    for _ in range(_ROUNDS):
        for one in range(_PARTS):
            mine = np.flatnonzero(part == one)
            fitted = model.fit(rows.take(np.flatnonzero(teaches & (part != one))), seed=seed, classes=classes)
            loss[mine] = loss_of(fitted, heard.take(mine), asked[mine])
        there_and_finite = open_to & np.isfinite(loss)
        loss = np.where(np.isfinite(loss), loss, np.max(loss[there_and_finite], initial=0.0))
        # A row without a target pulls as much as a right one once it has one.
        loss[~open_to] = loss[reference & open_to].mean() if (reference & open_to).any() else 0.0
        kept = sure | ((suspect < _DOUBTFUL) & (loss <= np.quantile(loss[reference], _USUAL)))
        if _enough(kept & there, values, model.task):
            teaches = kept & there
    return loss, teaches


def _enough(kept, values, task):
    """Are there rows enough to learn from, of two classes or more in each part?"""
    if kept.sum() < _FEWEST:
        return False
    counts = np.sort(np.unique(values[kept], return_counts=True)[1])[::-1]
    return task == "regression" or (len(counts) > 1 and counts[1] >= 2 * _PARTS)


def loss_of(fitted, rows, values):
    """Half the Brier score of each row, or its squared error, float64 (n,)."""
    if fitted.classes is None:
        return (fitted.predict(rows) - values) ** 2
    given = codes_of(values, fitted.classes)
    return ((fitted.probabilities(rows) - np.eye(len(fitted.classes))[np.maximum(given, 0)]) ** 2).sum(axis=1) / 2
