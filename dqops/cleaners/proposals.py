"""What could be true instead of missing and doubtful cells: candidates with weights, learned from the other columns."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from dqops.errors import OptionError
from dqops.models.evidence import temperature, with_temperature
from dqops.results.candidates import Candidates, Doubts
from dqops.seeds import draw_seed, stream

_FOUND = 0.5  # probability of being wrong from which a cell is doubtful
_MOST_ROWS = 4000  # that trees learn a column from
_MOST_LEVELS = 60  # of a category, rarer ones are never proposed; distinct numbers that a column keeps to
_NEAR = 10  # residuals looked at for each candidate of a number
_SMALLEST = 1e-3  # probability below which a category is no candidate
_TREES = {"n_estimators": 40, "min_samples_leaf": 3, "bootstrap": True, "oob_score": True, "n_jobs": 1}
_JOINT = "donors"
_BLOCK = 256  # rows that donors are sought for at a time


def propose_candidates(table, findings, *, n_candidates=10, seed=0):
    """Candidates for the missing and the doubtful cells of a table, and which columns have none.

    Trees predict each column from the other columns and the target. A missing number gets the prediction and quantiles
    of the residuals of rows that were predicted alike and were not in the trees' sample, kept in the column's range; a
    missing category its calibrated probabilities. A row with several missing cells is filled from donors, rows for which
    the same was predicted, one donor for all its cells. A doubtful cell keeps its recorded value with the probability
    that it is right.

    Parameters
    ----------
    table : Table
        As read (`dqops.tables.readable.as_read`).
    findings : Findings
        Of the table as recorded; groups of missing cells, formats, outliers, categories and rules are used.
    n_candidates : int, default 10
        Most candidates of a cell.
    seed : int, default 0

    Returns
    -------
    candidates : Candidates
    left : dict of str to (int, str)
        Columns whose doubtful cells have no candidates: how many cells, and why.

    Notes
    -----
    One forest of 40 trees for each column with doubtful cells, on at most 4,000 rows.

    References
    ----------
    Little 1988, Journal of Business & Economic Statistics 6(3), predictive mean matching.
    doi:10.1080/07350015.1988.10509663

    Examples
    --------
    >>> from dqops.detectors.missing import Missing
    >>> from dqops.tables.io import read
    >>> x = np.arange(60.0)
    >>> table = read(pl.DataFrame({"x": x, "z": [None, *(2 * x[1:])], "y": x > 30}), target="y")
    >>> findings = Missing().fit_find(table, None, None)
    >>> candidates, left = propose_candidates(table, findings)
    >>> candidates.count, candidates.columns, bool(candidates.groups[0].values.max() < 30)
    (1, ('z',), True)
    """
    if not isinstance(n_candidates, (int, np.integer)) or n_candidates < 2:
        raise OptionError("n_candidates", n_candidates, "an integer of 2 or more")
    cells, left = _doubtful(table, findings)
    coded = _coded(table, cells)
    learned, groups = {}, []
    for name, doubt in cells.items():
        found = _learned(table, coded, name, doubt, seed)
        if found is None:
            left[name] = len(doubt.positions), "there is nothing to learn them from"
        else:
            learned[name] = found
    joint = _several(cells, learned, n_candidates)
    for name, found in learned.items():
        groups += _proposed(table, name, found, cells[name], joint, n_candidates)
    groups += _donated(table, cells, learned, joint, n_candidates)
    return Candidates(tuple(one for one in groups if one.count)), left


@dataclass(frozen=True, eq=False)
class _Cells:
    """Doubtful cells of a column: positions, probability of being wrong (1 where empty), value suggested or null."""

    positions: np.ndarray
    wrong: np.ndarray
    suggested: pl.Series


@dataclass(frozen=True, eq=False)
class _Learned:
    """What trees know of a column.

    Parameters
    ----------
    known : int64 (m,)
        Rows that were learned from.
    values : polars.Series (m,)
        Their cells.
    heard : float64 (m, p)
        Predictions for them by trees that had not seen them: numbers (p = 1), or probabilities of the `levels`.
    said : float64 (n_doubtful, p)
        Predictions for the doubtful cells.
    levels : polars.Series or None
    """

    known: np.ndarray
    values: pl.Series
    heard: np.ndarray
    said: np.ndarray
    levels: pl.Series | None


def _doubtful(table, findings):
    """Doubtful cells by column, and columns of a kind that has no candidates."""
    cells, left = {}, {}
    for name in table.features:
        groups = [one for one in findings.of_kind("missing", "formats", "outliers", "categories", "rules") if one.column == name and not one.whole]
        wrong = np.zeros(table.n_rows)
        suggested = pl.Series(name, [None] * table.n_rows, dtype=table.frame[name].dtype)
        for one in (_unread(one, table.frame[name]) for one in groups):
            wrong[one.positions] = np.maximum(wrong[one.positions], one.scores)
            if one.suggestions is not None and one.kind != "missing":
                fresh = one.suggestions.cast(suggested.dtype, strict=False)
                held = fresh.is_not_null().to_numpy()
                suggested = suggested.scatter(one.positions[held], fresh.filter(pl.Series(held)))
        positions = np.flatnonzero(wrong >= _FOUND)
        kind = table.meanings[name].kind
        if len(positions) and kind not in ("number", "category", "boolean"):
            left[name] = len(positions), f"none are proposed for a column of kind {kind}"
        elif len(positions):
            empty = table.frame[name].is_null().to_numpy()[positions]
            cells[name] = _Cells(positions, np.where(empty, 1.0, wrong[positions]), suggested.gather(positions))
    return cells, left


def _unread(finding, column):
    """The part of a finding that reading the cells as a person does not settle: `12.0 oz` is 12 and no doubt."""
    if finding.kind != "formats" or finding.suggestions is None:
        return finding
    suggested = finding.suggestions.cast(column.dtype, strict=False)
    return finding.select(~(suggested == column.gather(finding.positions)).fill_null(False).to_numpy())


def _coded(table, cells):
    """All features and the target as numbers that trees can split, NaN where a cell is doubtful: {column: float64 (n,)}."""
    target = [] if table.roles.target is None else [table.roles.target]
    coded = {name: _codes(table.frame[name]) for name in [*table.features, *target]}
    for name, doubt in cells.items():
        coded[name][doubt.positions] = np.nan
    return coded


def _codes(column):
    """Numbers as they are; other values by their rank of frequency."""
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        numbers = column.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy().copy()
        return np.where(np.abs(numbers) < 1e30, numbers, np.nan)
    text = column.cast(pl.String, strict=False)
    often = _by_frequency(text.drop_nulls()).head(250)
    ranks = pl.Series(np.arange(len(often), dtype=np.float64))
    if often.is_empty():
        return np.full(len(column), np.nan)
    return text.replace_strict(often, ranks, default=None, return_dtype=pl.Float64).fill_null(np.nan).to_numpy().copy()


def _by_frequency(values):
    """Distinct values, the most frequent first; equally frequent ones in order."""
    counts = values.alias("value").value_counts(name="times")
    return counts.sort("times", "value", descending=[True, False])["value"].alias(values.name)


def _learned(table, coded, name, doubt, seed):
    """Trees for one column, heard on the rows they did not see and on the doubtful ones; None where there is nothing."""
    column = table.frame[name]
    usable = column.is_not_null().to_numpy().copy()
    usable[doubt.positions] = False
    number = table.meanings[name].kind == "number"
    levels = None if number else _by_frequency(column.filter(pl.Series(usable))).head(_MOST_LEVELS)
    if levels is not None:
        usable &= column.is_in(levels.implode()).fill_null(False).to_numpy()
    known = np.flatnonzero(usable)
    if len(known) > _MOST_ROWS:
        # The same order for all columns, so that the samples share their rows: donors are known in several.
        order = np.argsort(stream(seed, "propose").permutation(table.n_rows)[known])
        known = np.sort(known[order[:_MOST_ROWS]])
    values = column.gather(known)
    if len(known) < 2:
        return None
    others = [codes for other, codes in coded.items() if other != name and not np.isnan(codes).all()]
    if values.n_unique() < 2 or not others:
        return _flat(known, values, levels, len(doubt.positions))
    X = np.column_stack(others)
    answers = values.to_numpy() if number else values.cast(pl.String).to_numpy()
    kind = ExtraTreesRegressor if number else ExtraTreesClassifier
    trees = kind(**_TREES, random_state=draw_seed(seed, f"trees:{name}")).fit(X[known], answers)
    if number:
        return _Learned(known, values, trees.oob_prediction_[:, None], trees.predict(X[doubt.positions])[:, None], None)
    codes = np.searchsorted(trees.classes_, answers)
    heard = np.nan_to_num(trees.oob_decision_function_, nan=1 / len(trees.classes_))
    degree = temperature(heard, codes)
    levels = pl.Series(name, trees.classes_.tolist(), dtype=pl.String).cast(column.dtype) if column.dtype != pl.Boolean else pl.Series(name, [one == "true" for one in trees.classes_])
    return _Learned(known, values, with_temperature(heard, degree), with_temperature(trees.predict_proba(X[doubt.positions]), degree), levels)


def _flat(known, values, levels, n_doubtful):
    """What is known of a column that nothing predicts: how its values are spread."""
    if levels is None:
        return _Learned(known, values, np.full((len(known), 1), values.mean()), np.full((n_doubtful, 1), values.mean()), None)
    counts = np.array([(values == level).sum() for level in levels], dtype=np.float64)
    return _Learned(known, values, np.tile(counts / counts.sum(), (len(known), 1)), np.tile(counts / counts.sum(), (n_doubtful, 1)), levels)


def _several(cells, learned, n_candidates):
    """Rows with two empty cells or more that there are enough donors for: {position: columns}."""
    held = {}
    for name in learned:
        empty = cells[name].positions[cells[name].wrong == 1.0]
        for position in empty.tolist():
            held.setdefault(position, []).append(name)
    patterns = {names for one in held.values() if len(names := tuple(one)) > 1}
    enough = {names for names in patterns if len(_donors(learned, names)) >= n_candidates}
    return {position: tuple(names) for position, names in held.items() if tuple(names) in enough}


def _proposed(table, name, found, doubt, joint, n_candidates):
    """Doubts of the cells of one column that are drawn alone."""
    alone = np.array([position not in joint or wrong < 1.0 for position, wrong in zip(doubt.positions.tolist(), doubt.wrong, strict=True)])
    if not alone.any():
        return []
    places = np.flatnonzero(alone)
    if found.levels is None:
        values, weights, dropped = _numbers(table, name, found, places, n_candidates)
    else:
        values, weights, dropped = _categories(found, places, n_candidates)
    recorded = table.frame[name].gather(doubt.positions[places]).to_list()
    for one, place in enumerate(places):
        wrong, suggested = doubt.wrong[place], doubt.suggested[int(place)]
        if suggested is not None:
            values[one], weights[one], dropped[one] = [suggested], np.ones(1), 0.0
        if wrong < 1.0:
            values[one], weights[one] = _with_recorded(values[one], weights[one], recorded[one], wrong)
    positions = doubt.positions[places]
    return [Doubts.of(name, positions, values, weights, rows=table.row_ids.gather(positions), unexplained=dropped)]


def _with_recorded(values, weights, recorded, wrong):
    """The recorded value with the probability that it is right, the others share the rest."""
    others = np.array([value != recorded for value in values])
    if not others.any():
        return [recorded], np.ones(1)
    rest = weights[others] / weights[others].sum() * wrong
    return [recorded, *(value for value, other in zip(values, others, strict=True) if other)], np.concatenate([[1 - wrong], rest])


def _numbers(table, name, found, places, n_candidates):
    """Prediction and residual quantiles of the rows predicted alike, within the column's range; equal ones added up.

    A column of few distinct numbers keeps to them, one of whole numbers to whole numbers.
    """
    values = found.values.to_numpy()
    order = np.argsort(found.heard[:, 0], kind="stable")
    heard, residuals = found.heard[order, 0], (values - found.heard[:, 0])[order]
    near = min(_NEAR * n_candidates, len(order))
    shares = (np.arange(n_candidates) + 0.5) / n_candidates
    levels, whole = np.unique(values), bool((values == np.round(values)).all())
    edges = (levels[1:] + levels[:-1]) / 2
    lists, weights = [], []
    for said in found.said[places, 0]:
        first = int(np.clip(np.searchsorted(heard, said) - near // 2, 0, len(order) - near))
        drawn = np.clip(said + np.quantile(residuals[first : first + near], shares), values.min(), values.max())
        drawn = levels[np.searchsorted(edges, drawn)] if len(levels) <= _MOST_LEVELS else np.round(drawn) if whole else drawn
        distinct, counts = np.unique(drawn, return_counts=True)
        # The most central first: of equally likely values the first counts as the likeliest.
        central = np.argsort(np.abs(distinct - said), kind="stable")
        lists.append(distinct[central].tolist())
        weights.append(counts[central] / n_candidates)
    return lists, weights, np.zeros(len(places))


def _categories(found, places, n_candidates):
    """The likeliest levels; what is left out is told."""
    lists, weights, dropped = [], [], []
    names = found.levels.to_list()
    for said in found.said[places]:
        likely = np.argsort(-said, kind="stable")[:n_candidates]
        likely = likely[said[likely] >= min(_SMALLEST, said.max())]
        lists.append([names[one] for one in likely])
        weights.append(said[likely] / said[likely].sum())
        dropped.append(max(0.0, 1 - said[likely].sum()))
    return lists, weights, np.array(dropped)


def _donated(table, cells, learned, joint, n_candidates):
    """Doubts of rows with several empty cells: donors, for whom the same was predicted, fill them all at once."""
    filled, patterns = {}, {}
    for position, names in joint.items():
        patterns.setdefault(names, []).append(position)
    for names, positions in patterns.items():
        donors = _donors(learned, names)
        chosen = donors[_nearest(cells, learned, names, np.array(positions), donors, n_candidates)]
        for name in names:
            values = table.frame[name].gather(chosen.ravel()).to_list()
            lists = [values[first : first + n_candidates] for first in range(0, len(values), n_candidates)]
            filled.setdefault(name, []).extend(zip(positions, lists, strict=True))
    groups = []
    for name, pairs in filled.items():
        positions, lists = [position for position, _ in pairs], [values for _, values in pairs]
        groups.append(Doubts.of(name, positions, lists, rows=table.row_ids.gather(positions), joint=_JOINT))
    return groups


def _donors(learned, names):
    """Rows in which all these columns are known."""
    donors = learned[names[0]].known
    for name in names[1:]:
        donors = np.intersect1d(donors, learned[name].known)
    return donors


def _nearest(cells, learned, names, positions, donors, n_candidates):
    """Places among the donors of those nearest to each row in what is predicted of these columns: (n, n_candidates)."""
    asked, held = [], []
    for name in names:
        found = learned[name]
        scale = (float(found.values.std() or 0.0) or 1.0) if found.levels is None else 1.0
        asked.append(found.said[np.searchsorted(cells[name].positions, positions)] / scale)
        held.append(found.heard[np.searchsorted(found.known, donors)] / scale)
    asked, held = np.column_stack(asked), np.column_stack(held)
    chosen = []
    for first in range(0, len(asked), _BLOCK):
        some = asked[first : first + _BLOCK]
        squared = (some**2).sum(axis=1)[:, None] - 2 * some @ held.T + (held**2).sum(axis=1)
        chosen.append(np.argsort(squared, axis=1, kind="stable")[:, :n_candidates])
    return np.concatenate(chosen)
