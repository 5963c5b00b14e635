"""What one split says of a doubt, by whatever way of training and scoring; and many splits put together."""

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from dqops.errors import DataError, ModelError
from dqops.propagation.choices import NO_CHOICES, Choices, Drawn, choices_of, drawn_worlds
from dqops.propagation.intervals import moderated_intervals
from dqops.results.gain import ARMS, Estimate, Gain, Gains
from dqops.tables.cells import row_places

_REACH = 1.645  # standard errors from the middle to the end of a 90% interval
_TRUST = 1.0  # of what worlds foretell: how far knowing the truth may gain more or less, beyond all that is measured
MOST_FAILED = 0.5  # of the worlds of a doubt: beyond this it is not priced


@dataclass(frozen=True, eq=False)
class Case:
    """One doubt on one split.

    Parameters
    ----------
    doubt : Doubt
    train, judged : Choices
        What could be true.
    repair_train, repair_judged : Choices or None
        What would be written, one choice a row.
    worlds : Drawn
    alone : bool
        Whether it is resolved in training rows alone.
    """

    doubt: object
    train: Choices
    judged: Choices
    repair_train: Choices | None
    repair_judged: Choices | None
    worlds: Drawn
    alone: bool = False


def cases_of(doubt, train, judged, *, n_worlds, n_candidates, seed):
    """The `Case` of a doubt on these rows, or one for each row of it.

    Labels, whole rows, and rows one by one are resolved in training rows alone.

    Parameters
    ----------
    doubt : Doubt
    train, judged : Table
    n_worlds, n_candidates, seed : int
    """
    alone = doubt.apart or train.roles.target in doubt.truth.columns or None in doubt.truth.columns
    could = choices_of(doubt.truth, train, most=n_candidates, seed=seed)
    repaired = None if doubt.repair is None else choices_of(doubt.repair, train, most=1, seed=seed)
    if doubt.apart:
        return _each(doubt, train, could, repaired, n_worlds, seed)
    served = NO_CHOICES if alone else choices_of(doubt.truth, judged, most=n_candidates, seed=seed)
    mended = NO_CHOICES if alone or doubt.repair is None else choices_of(doubt.repair, judged, most=1, seed=seed)
    return [Case(doubt, could, served, repaired, mended, drawn_worlds(could, served, n_worlds, seed), alone)]


def _each(doubt, train, could, repaired, n_worlds, seed):
    """A `Case` for each row of the doubt, those that are not among the training rows as well: these have no choices."""
    rows = pl.concat([one.rows for one in doubt.truth]).unique(maintain_order=True)
    places = row_places(train.row_ids, rows)
    cases = []
    for row, position in zip(rows.to_list(), places.tolist(), strict=True):
        mine = _at(could, position)
        fixed = None if repaired is None else _at(repaired, position)
        fixed = None if fixed is None or not len(fixed.positions) else fixed
        cases.append(Case(replace(doubt, row=row), mine, NO_CHOICES, fixed, NO_CHOICES, drawn_worlds(mine, NO_CHOICES, n_worlds, seed), True))
    return cases


def _at(choices, position):
    place = int(np.searchsorted(choices.positions, position))
    here = position >= 0 and place < len(choices.positions) and choices.positions[place] == position
    return choices.single(place) if here else NO_CHOICES


@dataclass
class Seen:
    """What one split says of one doubt, arm by arm.

    Parameters
    ----------
    repair : dict of float
        Score difference of the repair.
    truth : dict of (float, float)
        Mean score difference over worlds, and its variance between them.
    bounds : dict of (float, float)
        Proved ends of the score difference in any world.
    changed : int
        Cells or rows that the repair changes.
    n_failed, n_tried : int
        Worlds in which the model failed, and all that were tried.
    failure : str
    """

    repair: dict = field(default_factory=dict)
    truth: dict = field(default_factory=dict)
    bounds: dict = field(default_factory=dict)
    changed: int = 0
    n_failed: int = 0
    n_tried: int = 0
    failure: str = ""


def seen_in(case, follower):
    """`Seen` of one case.

    Parameters
    ----------
    case : Case
    follower : object
        With ``model(case, part, chosen)`` and ``score(model, case, part, chosen)``: `part` is "today", "truth" or
        "repair", `chosen` a choice of each doubtful row.

    Returns
    -------
    Seen
    """
    seen = Seen(changed=len(case.train.positions) + len(case.judged.positions))
    if not seen.changed:
        return seen
    today = follower.model(case, "today", None)
    base = follower.score(today, case, "today", None)
    if case.repair_train is not None:
        chosen = np.zeros(len(case.repair_train.sizes), dtype=np.int64), np.zeros(len(case.repair_judged.sizes), dtype=np.int64)
        found = _differences(case, follower, "repair", *chosen, today, base, seen)
        seen.repair = found or {}
    drawn, weights = [], []
    for world in range(len(case.worlds)):
        found = _differences(case, follower, "truth", case.worlds.train[world], case.worlds.judged[world], today, base, seen)
        if found is not None:
            drawn.append(found)
            weights.append(case.worlds.weights[world])
    if drawn and seen.n_failed <= MOST_FAILED * seen.n_tried:
        weights = np.array(weights) / np.sum(weights)
        for arm in drawn[0]:
            values = np.array([one[arm] for one in drawn])
            mean = float(weights @ values)
            between = float(weights @ (values - mean) ** 2)
            if not case.worlds.complete and len(values) > 1:
                between *= len(values) / (len(values) - 1)
            seen.truth[arm] = mean, between
    return seen


def _differences(case, follower, part, train, judged, today, base, seen):
    """Score differences of one world, by arm; None where the model fails."""
    seen.n_tried += 1
    try:
        model = follower.model(case, part, train)
        reached = follower.score(model, case, part, judged)
        found = {"deployed": reached - base, "training": reached - base}
        if not case.alone:
            if len(case.judged.positions):
                found["training"] = reached - follower.score(today, case, part, judged)
            found["serving"] = reached - follower.score(model, case, "today", None)
        return found
    except (ModelError, DataError) as failure:
        seen.n_failed += 1
        seen.failure = seen.failure or str(failure)
        return None


def gains_of(cases, seen, *, share, level, method, floor, noise=None):
    """`Gains` of what the splits say.

    Parameters
    ----------
    cases : sequence of Case
        Of one split; those of the others are about the same doubts in the same order.
    seen : list of list of Seen
        By split, then case.
    share : float
        Rows judged over rows trained on.
    level : float
    method : str
    floor : float
        Least standard error of one split: the effect of one prediction.
    noise : LabelNoise, optional
        Gains of label doubts are told as true labels would judge them.

    Returns
    -------
    Gains
        The potential is the mean over worlds. Its interval holds luck of the splits, spread of the worlds, and as much as
        the expected gain itself, since what could be true is learned from the same dirty table.
    """
    entries, notes, doubts = [], [], [one.doubt for one in cases]
    told = [[one[place] for one in seen] for place in range(len(doubts))]
    lost = [_is_lost(splits) for splits in told]
    for splits, gone in zip(told, lost, strict=True):
        for one in splits if gone else ():
            one.truth, one.bounds = {}, {}
    for arm in ARMS:
        entries += _in_arm(doubts, told, arm, share, level, method, floor)
    for doubt, splits, gone in zip(doubts, told, lost, strict=True):
        failed, tried = (sum(getattr(one, name) for one in splits) for name in ("n_failed", "n_tried"))
        if failed:
            why = next(one.failure for one in splits if one.failure)
            kept = "too many to price it" if gone else "left out"
            name = doubt.finding if doubt.row is None else f"{doubt.finding}, row {doubt.row}"
            notes.append(f"{name}: the model failed in {failed} of {tried} worlds, {kept}: {why}")
    order = {id(doubt): place for place, doubt in enumerate(doubts)}
    entries.sort(key=lambda one: (order[id(one[0])], ARMS.index(one[1].arm)))
    return Gains(tuple(gain for _, gain in entries), tuple(notes))


def _is_lost(splits):
    """Whether most of the worlds failed on most of the splits."""
    failed = [one.n_failed > MOST_FAILED * one.n_tried for one in splits if one.n_tried]
    return bool(failed) and float(np.mean(failed)) > MOST_FAILED


def _in_arm(doubts, told, arm, share, level, method, floor):
    """(doubt, `Gain`) of the doubts that have that arm."""
    here = [(doubt, splits) for doubt, splits in zip(doubts, told, strict=True) if any(arm in one.truth or arm in one.repair for one in splits)]
    parts = {
        "repair": [[one.repair[arm] for one in splits if arm in one.repair] for _, splits in here],
        "truth": [[one.truth[arm][0] for one in splits if arm in one.truth] for _, splits in here],
    }
    estimates = {}
    for name, groups in parts.items():
        known = [place for place, group in enumerate(groups) if group]
        found = moderated_intervals([groups[place] for place in known], share, level=level, floor=floor)
        estimates[name] = dict(zip(known, found, strict=True))
    entries = []
    for place, (doubt, splits) in enumerate(here):
        truth = estimates["truth"].get(place)
        if truth is not None:
            truth = _of_worlds(truth, [one.truth[arm][1] for one in splits if arm in one.truth])
        sure = [one.bounds[arm] for one in splits if arm in one.bounds]
        if sure and truth is not None:
            low, high = np.mean(sure, axis=0)
            truth = Estimate(float(np.clip(truth.expected, low, high)), float(low), float(high), 1.0)
        repair = estimates["repair"].get(place) or Estimate(0.0, -floor, floor, level)
        cost = float(np.mean([one.changed for one in splits if one.changed]))
        entries.append((doubt, Gain(doubt.finding, doubt.action, arm, repair, truth, round(cost, 1), sum(bool(one.changed) for one in splits), method, doubt.row, doubt.column)))
    return entries


def _of_worlds(estimate, between):
    """The interval of a mean over worlds, with the spread of the worlds and what is not known of their weights."""
    wide = _REACH * float(np.sqrt(np.mean(between)))
    reach = float(np.sqrt((estimate.high - estimate.expected) ** 2 + wide**2 + (_TRUST * estimate.expected) ** 2))
    return Estimate(estimate.expected, estimate.expected - reach, estimate.expected + reach, estimate.level)


def share_of(splits):
    """Rows judged over rows trained on, and the mean number of judged rows."""
    share = float(np.mean([judged.n_rows / max(train.n_rows, 1) for _, train, judged in splits]))
    return share, float(np.mean([judged.n_rows for _, _, judged in splits]))
