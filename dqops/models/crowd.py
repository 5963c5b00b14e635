"""What is true where several people answered: the answer of each item, how surely, and how well each person answers."""

from contextlib import suppress
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np
from scipy.stats import beta

from dqops.errors import DataError, OptionError
from dqops.models.evidence import platt, temperature, with_platt, with_temperature
from dqops.results.resolved import ResolvedAnswers

KINDS = ("auto", "classes", "open")
_KNOWN = 8.0  # answers that such a guess counts for
_LEAST = 10  # values that a free answer may have at least
_MOST_CLASSES = 12
_OVERLAP = 20  # items that two or more answered, from which tables are learned
_LEAST_KNOWN = 0.1
_CALIBRATED = 10  # items of known truth from which confidence is scaled to fit them
_STEPS = 500
_SETTLED = 1e-7


def resolve_answers(workers, items, answers, *, kind="auto", classes=None, known=None, silence=False, skill=0.8):
    """The likeliest answer of each item, how surely it is right, and the skill of each worker.

    Parameters
    ----------
    workers, items, answers : sequence (n,)
        One line an answer: who, about what, and what. An empty answer (None or NaN) is passed over, but for `silence`.
    kind : {"auto", "classes", "open"}
        Classes: answers are one of a few, and each worker has a table of which class is called what. Open: answers may be
        free, such as numbers or names, and each worker has one rate of being right. By default tables where they can be
        learned: answers are one of twelve at most, twenty items have two or more, and most come from workers who gave
        more than one answer.
    classes : sequence, optional
        All classes, where some may not have been answered; for ``kind="classes"`` alone.
    known : mapping, optional
        The true answer of some items. They tell how skilled workers are and, where there are ten or more, how far
        confidence is to be trusted: it is moved (as logits) to fit them, each heard without its own truth.
    silence : bool
        An empty answer tells something, too: labelling functions that abstain are silent about some classes more than
        about others. For ``kind="classes"`` alone.
    skill : float
        Share of right answers that a worker nobody knows is taken to give, in (0, 1).

    Returns
    -------
    ResolvedAnswers

    Raises
    ------
    DataError
        Where the lengths differ, or nothing was answered.
    OptionError
        For an unknown kind, or a skill that is no share.

    Notes
    -----
    Expectation and maximisation for the model of Dawid and Skene, with a prior: the table of each worker is drawn around a
    common one, which is estimated, too, and counts for eight answers. O(answers times classes) a step, a few dozen steps.
    Without `known` a confidence is that of the model: it assumes that workers err independently of each other.

    References
    ----------
    Dawid and Skene 1979, Applied Statistics 28(1), doi:10.2307/2346806. Kim and Ghahramani 2012,
    AISTATS, PMLR 22, for the prior. Louis 1982, JRSS B 44(2), for the intervals of skills.

    Examples
    --------
    >>> told = [("ann", 1, "cat"), ("bob", 1, "cat"), ("eve", 1, "dog"), ("ann", 2, "dog"), ("bob", 2, "dog"), ("eve", 2, "cat")]
    >>> resolved = resolve_answers(*zip(*told))
    >>> resolved.values, bool(resolved.skill[2] < resolved.skill[0])
    (('cat', 'dog'), True)
    """
    if kind not in KINDS:
        raise OptionError("kind", kind, "one of " + ", ".join(KINDS))
    if isinstance(skill, bool) or not isinstance(skill, Real) or not 0 < skill < 1:
        raise OptionError("skill", skill, "a share above 0 and below 1")
    workers, items, answers = list(workers), list(items), list(answers)
    if not len(workers) == len(items) == len(answers):
        raise DataError(f"{len(workers)} workers, {len(items)} items and {len(answers)} answers", "one of each on every line")
    spoken = [place for place, one in enumerate(answers) if not _is_empty(one)]
    if not spoken:
        raise DataError("nothing was answered", "one answer or more")
    lines = list(range(len(answers))) if silence else spoken
    who, worker = _coded([workers[place] for place in lines])
    what, item = _coded([items[place] for place in lines])
    true = {place: known[one] for place, one in enumerate(what) if one in known} if known else {}
    levels, heard = _coded([*(answers[place] for place in spoken), *true.values()])
    answer = np.full(len(answers), len(levels))
    answer[spoken] = heard[: len(spoken)]
    truth = np.full(len(what), -1)
    truth[[*true]] = heard[len(spoken) :]
    if classes is not None:
        levels, places = _among(classes, levels)
        answer, truth = places[answer], np.where(truth >= 0, places[truth], -1)
    told = _Told(worker, item, answer[lines], len(who), len(what), len(levels), truth, skill)
    if kind == "open" or (kind == "auto" and not silence and not has_tables(worker, item, told.answer, len(levels))):
        return _open(told, who, what, levels)
    return _classes(told, who, what, levels)


@dataclass(frozen=True, eq=False)
class _Told:
    """Who answered about what, by place: one line an answer; the true level of each item, -1 where it is not known."""

    worker: np.ndarray
    item: np.ndarray
    answer: np.ndarray
    n_workers: int
    n_items: int
    n_levels: int
    truth: np.ndarray
    skill: float

    def halves(self):
        """(places of the items held out, the same without their truth): each known item is held out once."""
        known = np.flatnonzero(self.truth >= 0)
        for half in (known[::2], known[1::2]) if len(known) >= _CALIBRATED else ():
            truth = self.truth.copy()
            truth[half] = -1
            yield half, replace(self, truth=truth)


def _is_empty(one):
    return one is None or (isinstance(one, float) and np.isnan(one))


def _coded(values):
    """Distinct values in order of size (of appearance where they have none), and the place of each line's."""
    distinct = list(dict.fromkeys(values))
    with suppress(TypeError):
        distinct = sorted(distinct)
    places = {one: place for place, one in enumerate(distinct)}
    return distinct, np.array([places[one] for one in values], dtype=np.int64)


def _among(classes, levels):
    """The classes that were named, and the place among them of each level, and of silence."""
    places = {one: place for place, one in enumerate(dict.fromkeys(classes))}
    strange = [one for one in levels if one not in places]
    if strange:
        raise DataError(f"{strange[0]!r} is no class", "one of " + ", ".join(map(repr, [*places][:12])))
    return [*places], np.array([*(places[one] for one in levels), len(places)], dtype=np.int64)


def has_tables(worker, item, answer, n_classes):
    """Whether answers tell which class each worker calls what.

    Parameters
    ----------
    worker, item, answer : int64 (n,)
    n_classes : int
    """
    several = (np.bincount(np.unique(np.stack([item, worker]), axis=1)[0]) > 1).sum()
    given = np.bincount(worker)
    words = np.bincount(np.unique(worker * n_classes + answer) // n_classes, minlength=len(given))
    return n_classes <= _MOST_CLASSES and several >= _OVERLAP and given[words > 1].sum() >= 0.5 * given.sum()


def _classes(told, who, what, levels):
    """Workers with a table each: which class they call what."""
    heard = np.zeros((told.n_items, told.n_levels))
    for half, rest in told.halves():
        heard[half] = _tables(rest)[0][half]
    posterior, prior = _tables(told)
    degree = temperature(heard, told.truth) if heard.any() else 1.0
    posterior = _fixed(posterior if degree == 1.0 else with_temperature(posterior, degree), told.truth)
    counts = confusion_counts(told.worker, told.item, told.answer, posterior, told.n_workers, prior.shape[1]) + prior
    order, best = np.arange(told.n_items), posterior.argmax(axis=1)
    chances = (np.repeat(order, told.n_levels), np.tile(np.arange(told.n_levels), told.n_items), posterior.ravel())
    counts = counts[:, :, : told.n_levels]
    spoken = told.answer < told.n_levels
    chance = posterior[told.item[spoken], told.answer[spoken]]
    return _result("classes", told, who, what, levels, (best, posterior[order, best]), chances, (spoken, chance), counts / counts.sum(axis=2, keepdims=True))


def _tables(told):
    """Chance of each class being true as the answers have it, float64 (n_items, n_levels), and the common table, weighed."""
    guess = _guess(told.n_levels, told.skill)
    if (told.answer == told.n_levels).any():
        silent = np.full((told.n_levels, 1), np.mean(told.answer == told.n_levels))
        guess = np.hstack([guess * (1 - silent), silent])
    lines, n_answers = (told.worker, told.item, told.answer), guess.shape[1]
    posterior = truth_chances(*lines, np.log(np.repeat(guess[None], told.n_workers, axis=0)), np.zeros(told.n_levels), told.n_items)
    for _ in range(_STEPS):
        fixed = _fixed(posterior, told.truth)
        counts = confusion_counts(*lines, fixed, told.n_workers, n_answers)
        common = counts.sum(axis=0) + _KNOWN * guess
        prior = _KNOWN * common / common.sum(axis=1, keepdims=True)
        before, posterior = posterior, truth_chances(*lines, _log_shares(counts + prior), _log_shares(fixed.sum(axis=0) + 1.0), told.n_items)
        if np.abs(posterior - before).max() < _SETTLED:
            break
    return posterior, prior


def _fixed(posterior, truth):
    """The chances with those of items whose truth is known."""
    known = np.flatnonzero(truth >= 0)
    if len(known):
        posterior = posterior.copy()
        posterior[known] = 0.0
        posterior[known, truth[known]] = 1.0
    return posterior


def confusion_counts(worker, item, answer, posterior, n_workers, n_answers):
    """How often each worker called a true class what, as far as it is known: float64 (n_workers, classes, n_answers).

    Parameters
    ----------
    worker, item, answer : int64 (n,)
    posterior : float64 (n_items, classes)
        Chance of each class being true.
    n_workers, n_answers : int
        Answers are the classes and, where it tells something, silence.
    """
    cell = worker * n_answers + answer
    counts = [np.bincount(cell, posterior[item, true], n_workers * n_answers).reshape(n_workers, n_answers) for true in range(posterior.shape[1])]
    return np.stack(counts, axis=1)


def truth_chances(worker, item, answer, log_tables, log_shares, n_items):
    """Chance of each class being true, item by item: float64 (n_items, classes), lines sum to 1.

    Parameters
    ----------
    worker, item, answer : int64 (n,)
    log_tables : float64 (n_workers, classes, n_answers)
        Logarithm of the chance that a worker calls a true class what.
    log_shares : float64 (classes,)
        Logarithm of how common each class is.
    n_items : int
    """
    n_classes = len(log_shares)
    heard = [np.bincount(item, log_tables[worker, true, answer], n_items) for true in range(n_classes)]
    return _shares_of(np.stack(heard, axis=1) + log_shares)


def _shares_of(logs):
    chances = np.exp(logs - logs.max(axis=1, keepdims=True))
    return chances / chances.sum(axis=1, keepdims=True)


def _guess(n_classes, skill):
    """The table of a worker nobody knows."""
    if n_classes == 1:
        return np.ones((1, 1))
    wrong = (1 - skill) / (n_classes - 1)
    return np.full((n_classes, n_classes), wrong) + (skill - wrong) * np.eye(n_classes)


def _log_shares(weights):
    return np.log(weights) - np.log(weights.sum(axis=-1, keepdims=True))


def _right_and_wrong(worker, chance, n_workers, skill):
    """Answers of each worker that are likely right and wrong, with those that a guess counts for.

    Parameters
    ----------
    worker : int64 (n,)
    chance : float64 (n,)
        That each answer is right.
    n_workers : int
    skill : float
    """
    given = np.bincount(worker, minlength=n_workers)
    right = np.bincount(worker, chance, n_workers)
    usual = (right.sum() + skill * _KNOWN) / (given.sum() + _KNOWN)
    return right + usual * _KNOWN, given - right + (1 - usual) * _KNOWN


def _known_share(worker, chance, skill):
    """Share of what a worker's answers would tell of the skill if the truth were known, that they tell (Louis 1982).

    Parameters
    ----------
    worker : int64 (n,)
    chance : float64 (n,)
        That each answer is right.
    skill : float64 (n_workers,)
    """
    given = np.maximum(np.bincount(worker, minlength=len(skill)), 1)
    missing = np.bincount(worker, chance * (1 - chance), len(skill))
    return np.clip(1 - missing / (given * skill * (1 - skill)), _LEAST_KNOWN, 1.0)


def _open(told, who, what, levels):
    """Workers with one rate each; a wrong answer is any of the other values alike."""
    pairs = np.unique(told.item * told.n_levels + told.answer)
    item_of, value_of = pairs // told.n_levels, pairs % told.n_levels
    place = np.searchsorted(pairs, told.item * told.n_levels + told.answer)
    chance = _rates(told, place, item_of, value_of)
    heard = np.full(len(pairs), np.nan)
    for half, rest in told.halves():
        own = np.isin(item_of, half)
        heard[own] = _rates(rest, place, item_of, value_of)[own]
    right = told.truth[item_of] == value_of
    if np.isfinite(heard).any():
        first = _likeliest(np.nan_to_num(heard), item_of, value_of)
        first = first[np.isfinite(heard[first])]
        line = platt(heard[first], right[first])
        first = _likeliest(chance, item_of, value_of)
        sure = with_platt(chance[first], line)
        chance = chance * ((1 - sure) / np.maximum(1 - chance[first], 1e-12))[item_of]
        chance[first] = sure
    first = _likeliest(chance, item_of, value_of)
    chance = np.where(told.truth[item_of] >= 0, right, chance)
    best = np.where(told.truth >= 0, told.truth, value_of[first])
    sure = np.where(told.truth >= 0, 1.0, chance[first])
    every = np.ones(len(place), dtype=bool)
    return _result("open", told, who, what, levels, (best, sure), (item_of, value_of, chance), (every, chance[place]), None)


def _likeliest(chance, item_of, value_of):
    """Place of the likeliest pair of each item; of equals the first value."""
    order = np.lexsort((value_of, -chance, item_of))
    return order[np.unique(item_of[order], return_index=True)[1]]


def _rates(told, place, item_of, value_of):
    """Chance of each value that was told being true as the answers have it, float64 (n_pairs,)."""
    seen = np.bincount(item_of, minlength=told.n_items)
    # Wrong values that an answer may be: all others where they are few and come again.
    closed = told.n_levels <= _MOST_CLASSES and told.n_items >= _OVERLAP
    others = np.maximum(seen, told.n_levels - 1 if closed else _LEAST - 1)
    right = told.truth[item_of] == value_of
    logs = np.log(np.tile([told.skill, 1 - told.skill], (told.n_workers, 1)))
    chance = _open_chances(told.worker, told.item, place, item_of, others, seen, logs)
    for _ in range(_STEPS):
        fixed = np.where(told.truth[item_of] >= 0, right, chance)
        logs = _log_shares(np.stack(_right_and_wrong(told.worker, fixed[place], told.n_workers, told.skill), axis=1))
        before, chance = chance, _open_chances(told.worker, told.item, place, item_of, others, seen, logs)
        if np.abs(chance - before).max() < _SETTLED:
            break
    return chance


def _open_chances(worker, item, pair, item_of, others, seen, logs):
    """Chance of each value that was told being true; values that nobody told share the rest."""
    wrong = logs[worker, 1] - np.log(others[item])
    none = np.bincount(item, wrong, len(others))  # had nobody been right
    told = none[item_of] + np.bincount(pair, logs[worker, 0] - wrong, len(item_of))
    untold = none + np.log(np.maximum(others + 1 - seen, 1e-300))
    top = untold.copy()
    np.maximum.at(top, item_of, told)
    told, rest = np.exp(told - top[item_of]), np.exp(untold - top)
    return told / (np.bincount(item_of, told, len(others)) + rest)[item_of]


def _result(kind, told, who, what, levels, best, chances, given, confusions):
    """All that is known: the likeliest values and how sure they are, chances, and whose answers were right how surely."""
    (value, sure), (place, level, chance), (spoken, own) = best, chances, given
    worker = told.worker[spoken]
    right, wrong = _right_and_wrong(worker, own, told.n_workers, told.skill)
    share = _known_share(worker, own, right / (right + wrong))
    return ResolvedAnswers(
        kind=kind,
        items=tuple(what),
        values=tuple(levels[one] for one in value),
        confidence=sure,
        answered=np.bincount(told.item[spoken], minlength=told.n_items),
        chances=(np.asarray(place), tuple(levels[one] for one in level), chance),
        workers=tuple(who),
        given=np.bincount(worker, minlength=told.n_workers),
        skill=right / (right + wrong),
        low=beta.ppf(0.05, right * share, np.maximum(wrong * share, 1e-9)),
        high=beta.ppf(0.95, right * share, np.maximum(wrong * share, 1e-9)),
        classes=tuple(levels) if kind == "classes" else None,
        confusions=confusions,
    )
