"""Sampled semivalues against enumeration, their errors against what they claim, and the rules that stop them."""

from itertools import product

import numpy as np
import pytest
from naive import semivalues as naive

from dqops.valuers import sampling
from dqops.valuers.sampling import Permutations, Subsets, semivalue_weights
from dqops.valuers.stopping import Stopping, agreement_of, is_separated
from dqops.valuers.utility import TRAINED

N_ROWS = 7


class Votes:
    """The k-NN utility on three test rows with their own orders of neighbours, as samplers ask for it."""

    null = 0.0

    def __init__(self, n_rows=N_ROWS, seed=1):
        rng = np.random.default_rng(seed)
        self.orders = [rng.permutation(n_rows) for _ in range(3)]
        self.agrees = rng.integers(0, 2, (3, n_rows))
        self.asked = []

    def __call__(self, rows):
        self.asked.append(frozenset(int(one) for one in rows))
        return self.of(rows), TRAINED

    def of(self, rows):
        held = {int(one) for one in rows}
        votes = [[agree[row] for row in order if row in held][:3] for order, agree in zip(self.orders, self.agrees, strict=True)]
        return sum(sum(one) / 3 for one in votes) / 3


def sampler_of(kind, utility, seed=0, n_rows=N_ROWS, truncation=0.0):
    if kind == "banzhaf":
        return Subsets(utility, n_rows, seed)
    weights = semivalue_weights(n_rows, kind, (4, 1))
    return Permutations(utility, n_rows, weights, utility.of(range(n_rows)), truncation, seed)


@pytest.mark.parametrize("kind", ["shapley", "beta", "banzhaf"])
def test_samples_centre_on_the_definition_with_the_error_that_they_claim(kind):
    utility = Votes()
    exact = naive.semivalue(utility.of, N_ROWS, semivalue_weights(N_ROWS, kind, (4, 1)))
    off = []
    for seed in range(40):
        sampler = sampler_of(kind, utility, seed)
        sampler.take(range(400 if kind == "banzhaf" else 40), 1)
        off.append((sampler.value() - exact) / sampler.stderr())
        assert np.abs(off[-1]).max() < 5
    off = np.array(off)
    assert np.abs(off.mean(axis=0)).max() < 4 / np.sqrt(40)
    assert 0.85 < np.sqrt((off**2).mean()) < 1.15


@pytest.mark.parametrize("kind", ["shapley", "beta", "banzhaf"])
def test_errors_fall_with_the_root_of_the_samples(kind):
    utility = Votes()
    few, many = (sampler_of(kind, utility) for _ in range(2))
    few.take(range(200), 1)
    many.take(range(1800), 1)
    assert few.stderr() / many.stderr() == pytest.approx(3, rel=0.3)


def test_subsets_of_the_whole_lattice_give_banzhaf_values(monkeypatch):
    utility = Votes()
    lattice = np.array(list(product([False, True], repeat=N_ROWS)))
    monkeypatch.setattr(sampling, "_subset", lambda n_rows, seed, sample: lattice[sample])
    sampler = Subsets(utility, N_ROWS, 0)
    sampler.take(range(len(lattice)), 1)
    assert sampler.value() == pytest.approx(naive.banzhaf(utility.of, N_ROWS))


@pytest.mark.parametrize("n_rows", [1, 2, 60])
def test_marginals_add_up_to_the_whole(n_rows):
    utility = Votes(n_rows)
    sampler = sampler_of("shapley", utility, n_rows=n_rows)
    sampler.take(range(5), 1)
    assert sampler.value().sum() == pytest.approx(utility.of(range(n_rows)), abs=1e-12)


def test_a_permutation_is_walked_in_both_directions():
    utility = Votes()
    sampler_of("shapley", utility).take(range(1), 1)
    forth, back = utility.asked[: N_ROWS - 1], utility.asked[N_ROWS - 1 :]
    assert [len(one) for one in forth] == [len(one) for one in back] == list(range(1, N_ROWS))
    everything = frozenset(range(N_ROWS))
    assert all(everything - one in back for one in forth)


def test_truncation_saves_trainings_and_says_what_was_ignored():
    utility = Votes(60)
    whole, cut = (sampler_of("shapley", Votes(60), n_rows=60, truncation=one) for one in (0.0, 0.2))
    for one in (whole, cut):
        one.take(range(30), 1)
    assert len(cut.utility.asked) < 0.7 * len(whole.utility.asked)
    bound, share = cut.loose(30)
    assert 0.3 < share < bound < 1
    assert whole.loose(30) == (0.0, 0.0)
    assert np.abs(cut.value() - whole.value()).max() < bound
    assert cut.value().sum() == pytest.approx(utility.of(range(60)), abs=0.2)


def test_positions_of_hardly_any_weight_are_not_walked_to():
    utility = Votes(60)
    weights = semivalue_weights(60, "beta", (16, 1))
    Permutations(utility, 60, weights, utility.of(range(60)), 0.0, 0).take(range(1), 1)
    largest = max(map(len, utility.asked))
    assert largest < 45
    assert weights[largest:].sum() < 1e-6


@pytest.mark.parametrize("kind", ["shapley", "banzhaf"])
def test_batches_do_not_matter(kind):
    whole, parts = (sampler_of(kind, Votes()) for _ in range(2))
    whole.take(range(30), 1)
    for start in range(0, 30, 6):
        parts.take(range(start, start + 6), 1)
    np.testing.assert_array_equal(whole.value(), parts.value())
    np.testing.assert_array_equal(whole.stderr(), parts.stderr())


def test_each_rule_is_met_when_it_should_be():
    sampler = sampler_of("shapley", Votes())
    sampler.take(range(400), 1)
    worst = sampler.stderr().max()
    assert Stopping(max_stderr=worst * 1.01).reached(sampler, 400) == "max_stderr"
    assert Stopping(max_stderr=worst * 0.99).reached(sampler, 400) == ""
    found = agreement_of(sampler)
    assert 0.5 < found <= 1
    assert Stopping(agreement=found - 0.01).reached(sampler, 400) == "agreement"
    assert Stopping(agreement=0.999999).reached(sampler, 400) in ("", "agreement")


def test_a_set_is_separated_for_all_rows_at_once():
    value = np.array([0.5, 0.3, 0.2, 0.19])
    assert is_separated(value, np.full(4, 0.02), 1, 0.95, 100)
    assert not is_separated(value, np.full(4, 0.05), 1, 0.95, 100)
    assert not is_separated(value, np.full(4, 0.02), -1, 0.95, 100)
    assert is_separated(value, np.full(4, 0.02), -2, 0.95, 100) == is_separated(-value, np.full(4, 0.02), 2, 0.95, 100)
