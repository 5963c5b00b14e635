"""Answers of several people: the posterior is that of the definition, skills are found again, and the crowd sets gain."""

import itertools

import numpy as np
import pandas as pd
import polars as pl
import pytest

import dqops
from dqops.errors import DataError, OptionError
from dqops.models import crowd


def by_definition(lines, tables, shares):
    """Chance of each class of each item: over all worlds of true classes, the probability of what was answered."""
    n_items, n_classes = 1 + max(item for _, item, _ in lines), len(shares)
    chances = np.zeros((n_items, n_classes))
    for world in itertools.product(range(n_classes), repeat=n_items):
        weight = np.prod([shares[true] for true in world]) * np.prod([tables[who][world[item]][said] for who, item, said in lines])
        for item, true in enumerate(world):
            chances[item, true] += weight
    return chances / chances.sum(axis=1, keepdims=True)


def test_chances_are_those_of_all_worlds(rng):
    lines = [(0, 0, 1), (1, 0, 1), (2, 0, 0), (0, 1, 2), (2, 1, 2), (1, 2, 0)]
    tables, shares = rng.dirichlet([1, 1, 1], size=(3, 3)), rng.dirichlet([1, 1, 1])
    who, items, said = map(np.array, zip(*lines, strict=True))
    found = crowd.truth_chances(who, items, said, np.log(tables), np.log(shares), 3)
    assert found == pytest.approx(by_definition(lines, tables, shares))


def test_counts_are_those_of_the_definition(rng):
    who, items, said = rng.integers(0, 4, 60), rng.integers(0, 9, 60), rng.integers(0, 3, 60)
    posterior = rng.dirichlet([1, 1, 1], size=9)
    counts = np.zeros((4, 3, 3))
    for one, item, answer in zip(who, items, said, strict=True):
        counts[one, :, answer] += posterior[item]
    assert crowd.confusion_counts(who, items, said, posterior, 4, 3) == pytest.approx(counts)


def test_the_answer_is_a_fixed_point_of_the_definition(rng):
    truth = rng.integers(0, 2, 40)
    lines = [(who, item, int(truth[item] if rng.random() < skill else 1 - truth[item])) for who, skill in enumerate((0.9, 0.8, 0.6)) for item in range(40)]
    found = dqops.resolve_answers(*zip(*lines, strict=True), kind="classes")
    posterior = found.posterior()["chance"].to_numpy().reshape(40, 2)
    counts = np.zeros((3, 2, 2))
    for who, item, said in lines:
        counts[who, :, said] += posterior[item]
    common = counts.sum(axis=0) + 8 * np.array([[0.8, 0.2], [0.2, 0.8]])
    tables = counts + 8 * common / common.sum(axis=1, keepdims=True)
    tables /= tables.sum(axis=2, keepdims=True)
    shares = posterior.sum(axis=0) + 1
    for item in range(40):
        weights = [shares[true] * np.prod([tables[who, true, said] for who, other, said in lines if other == item]) for true in (0, 1)]
        assert posterior[item] == pytest.approx(np.array(weights) / sum(weights), abs=1e-5)
    assert found.confusions == pytest.approx(tables, abs=1e-4)


def test_open_answers_are_those_of_the_definition():
    """Ten values that could be true, all alike beforehand; a wrong answer is any of the nine others."""
    lines = [("ann", "a", 5), ("bob", "a", 5), ("eve", "a", 7), ("ann", "b", 1), ("eve", "c", 3), ("bob", "d", None)]
    found = dqops.resolve_answers(*zip(*lines, strict=True), kind="open", skill=0.9)
    skill = dict(zip(found.workers, found.skill, strict=True))

    def chance(told, value, values=10):
        likelihood = {}
        for true in [*dict.fromkeys(told.values()), *range(100, 100 + values - len({*told.values()}))]:
            likelihood[true] = np.prod([skill[who] if said == true else (1 - skill[who]) / (values - 1) for who, said in told.items()])
        return likelihood[value] / sum(likelihood.values())

    assert found.items == ("a", "b", "c")
    assert found.values == (5, 1, 3)
    assert found.confidence[0] == pytest.approx(chance({"ann": 5, "bob": 5, "eve": 7}, 5), abs=1e-6)
    assert found.confidence[1] == pytest.approx(skill["ann"], abs=1e-6)
    assert skill["eve"] < skill["ann"]


@pytest.mark.parametrize("kind", ["classes", "open"])
def test_a_single_answer_is_as_sure_as_somebody_nobody_knows(kind):
    found = dqops.resolve_answers(["ann"] * 6, range(6), list("aabbab"), kind=kind, skill=0.9)
    assert found.confidence == pytest.approx(np.full(6, 0.9), abs=0.03)


def simulated(rng, n_items=600, n_workers=25, answers=5, n_classes=3):
    skill = rng.uniform(0.45, 0.95, n_workers)
    truth = rng.integers(0, n_classes, n_items)
    lines = []
    for item in range(n_items):
        for who in rng.choice(n_workers, answers, replace=False):
            wrong = (truth[item] + rng.integers(1, n_classes)) % n_classes
            lines.append((who, item, truth[item] if rng.random() < skill[who] else wrong))
    return skill, truth, [np.array(part) for part in zip(*lines, strict=True)]


@pytest.mark.parametrize(("kind", "n_classes", "gain"), [("classes", 3, 0.02), ("open", 10, 0.005), ("open", 3, 0.02)])
def test_skills_are_found_again_and_confidence_holds(kind, n_classes, gain):
    gains, gaps, covered = [], [], []
    for seed in range(4):
        skill, truth, (who, items, said) = simulated(np.random.default_rng(seed), n_classes=n_classes)
        found = dqops.resolve_answers(who, items, said, kind=kind)
        votes = np.bincount(items * n_classes + said, minlength=600 * n_classes).reshape(600, n_classes).argmax(axis=1)
        right = np.array(found.values) == truth
        gains.append(right.mean() - (votes == truth).mean())
        gaps.append(found.confidence.mean() - right.mean())
        covered.append(np.mean((found.low <= skill) & (skill <= found.high)))
        assert np.corrcoef(found.skill, skill)[0, 1] > 0.9
    assert np.mean(gains) > gain
    assert abs(np.mean(gaps)) < 0.03
    assert np.mean(covered) > 0.8


def misled(rng, kind, n_items=400):
    """Five people, of whom three fall for the same half of the hard items: errors are not independent."""
    n_classes = 2 if kind == "classes" else 40
    truth, hard = rng.integers(0, n_classes, n_items), rng.random(n_items) < 0.35
    lure = (truth + rng.integers(1, n_classes, n_items)) % n_classes
    lines = []
    for who, fooled in enumerate((0.9, 0.9, 0.8, 0.3, 0.2)):
        for item in range(n_items):
            wrong = rng.random() < (fooled if hard[item] else 0.05)
            lines.append((who, item, int(lure[item] if wrong else truth[item])))
    return truth, lines


@pytest.mark.parametrize("kind", ["classes", "open"])
def test_known_items_tell_how_far_confidence_is_to_be_trusted(kind):
    without, with_some = [], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        truth, lines = misled(rng, kind)
        known = {int(item): int(truth[item]) for item in rng.choice(400, 60, replace=False)}
        rest = np.array([item not in known for item in range(400)])
        for told, gaps in ((None, without), (known, with_some)):
            found = dqops.resolve_answers(*zip(*lines, strict=True), kind=kind, known=told)
            gaps.append(found.confidence[rest].mean() - (np.array(found.values) == truth)[rest].mean())
        assert all(found.values[item] == said for item, said in known.items())
        assert (found.confidence[~rest] == 1.0).all()
    assert np.mean(without) > 0.08
    assert abs(np.mean(with_some)) < 0.05


@pytest.mark.parametrize("kind", ["classes", "open"])
def test_known_items_that_nobody_answered_or_answered_so_are_fine(kind):
    lines = (["a", "b", "a"], [1, 1, 2], ["x", "y", "x"])
    found = dqops.resolve_answers(*lines, kind=kind, known={1: "z", 9: "x"})
    assert found.values == ("z", "x")
    assert found.confidence[0] == 1.0
    assert (found.skill < 0.8).all()
    with pytest.raises(DataError, match="'z' is no class"):
        dqops.resolve_answers(*lines, kind="classes", classes=["x", "y"], known={1: "z"})


@pytest.mark.parametrize("kind", crowd.KINDS)
def test_the_order_of_lines_does_not_matter(kind, rng):
    _, _, (who, items, said) = simulated(rng, n_items=50, n_workers=6, answers=3)
    order = rng.permutation(len(who))
    first, second = dqops.resolve_answers(who, items, said, kind=kind), dqops.resolve_answers(who[order], items[order], said[order], kind=kind)
    assert first.values == second.values
    assert first.confidence == pytest.approx(second.confidence, abs=1e-6)
    assert first.skill == pytest.approx(second.skill, abs=1e-6)


def test_chances_of_an_item_add_up_to_one(rng):
    _, _, (who, items, said) = simulated(rng, n_items=50, n_workers=6, answers=3)
    found = dqops.resolve_answers(who, items, said)
    sums = found.posterior().group_by("item").agg(pl.col("chance").sum())["chance"].to_numpy()
    assert sums == pytest.approx(np.ones(50))
    assert found.to_frame().columns == ["item", "answer", "confidence", "answers"]
    assert found.skills().columns == ["worker", "answers", "skill", "low", "high"]


def test_a_class_may_be_named_that_nobody_answered():
    found = dqops.resolve_answers(["a", "b"], [1, 1], ["x", "x"], kind="classes", classes=["x", "y", "z"])
    assert found.classes == ("x", "y", "z")
    assert found.values == ("x",)


def polar(rng, n_items=400):
    """Labelling functions that only ever say one thing, and are silent else."""
    truth = rng.integers(0, 2, n_items)
    lines = []
    for who, (word, reach, wrong) in enumerate([(1, 0.5, 0.03), (1, 0.4, 0.05), (1, 0.3, 0.02), (0, 0.5, 0.15), (0, 0.4, 0.2)]):
        for item in range(n_items):
            speaks = rng.random() < (reach if truth[item] == word else wrong)
            lines.append((who, item, word if speaks else None))
    return truth, lines


@pytest.mark.parametrize("options", [{}, {"silence": True}])
def test_workers_of_one_word_do_not_turn_everything_round(rng, options):
    truth, lines = polar(rng)
    found = dqops.resolve_answers(*zip(*lines, strict=True), **options)
    assert found.kind == ("classes" if options else "open")
    answered = np.array(found.items)
    votes = np.zeros((len(truth), 2))
    for _, item, said in lines:
        if said is not None:
            votes[item, said] += 1
    voted = votes.argmax(axis=1)[answered] == truth[answered]
    assert (np.array(found.values) == truth[answered]).mean() >= voted.mean()


def test_tables_are_learned_where_answers_overlap(rng):
    _, _, (who, items, said) = simulated(rng)
    assert dqops.resolve_answers(who, items, said).kind == "classes"
    assert dqops.resolve_answers(who[:10], items[:10], said[:10]).kind == "open"
    assert dqops.resolve_answers(who, items, items * 1000 + said).kind == "open"


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        ((["a"], [1, 2], ["x"]), {}, "1 workers, 2 items and 1 answers"),
        (([], [], []), {}, "nothing was answered"),
        ((["a"], [1], [None]), {}, "nothing was answered"),
        ((["a"], [1], ["q"]), {"classes": ["x", "y"]}, "'q' is no class"),
    ],
)
def test_what_cannot_be_resolved_is_refused(given, options, said):
    with pytest.raises(DataError, match=said):
        dqops.resolve_answers(*given, **options)


@pytest.mark.parametrize("options", [{"kind": "free"}, {"skill": 1.0}, {"skill": "high"}, {"skill": True}])
def test_settings_that_cannot_be_are_refused(options):
    with pytest.raises(OptionError, match=next(iter(options))):
        dqops.resolve_answers(["a"], [1], ["x"], **options)


def test_real_crowds_are_resolved_better_than_by_majority(shared):
    labels, truth = (pd.read_csv(shared(f"crowd_mozafari/{name}.csv.gz")) for name in ("labels", "truth"))
    found = dqops.resolve_answers(labels["worker"], labels["item"], labels["label"])
    resolved = pd.Series(found.values, index=found.items)
    votes = labels.groupby("item")["label"].mean().gt(0.5).astype(int)
    known = truth.set_index("item")["truth"]
    assert (resolved.reindex(known.index) == known).mean() >= (votes.reindex(known.index) == known).mean()
