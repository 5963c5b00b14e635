"""The anaesthetists of Dawid and Skene 1979, Applied Statistics 28(1), doi:10.2307/2346806.

Table 1: five anaesthetists judge the fitness of 45 patients in four classes, the first of them three times. Their
maximum likelihood estimate puts 40%, 42%, 11% and 7% of patients into the classes.
"""

import numpy as np
import polars as pl
import pytest

import dqops
from dqops.models import crowd

# One word a patient: three answers of observer 1, then those of observers 2 to 5.
TABLE = """
1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 1111111 2223212 1211111
1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222 1111111 1111111 1121121
1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222
"""
OBSERVERS = [0, 0, 0, 1, 2, 3, 4]
SHARES = [0.40, 0.42, 0.11, 0.07]


@pytest.fixture(scope="module")
def answers():
    words = TABLE.split()
    lines = [(who, patient, int(said) - 1) for patient, word in enumerate(words) for who, said in zip(OBSERVERS, word, strict=True)]
    assert len(words) == 45
    return [np.array(part) for part in zip(*lines, strict=True)]


def test_the_steps_lead_to_the_published_shares(answers):
    """Their own algorithm, without any prior, made of our two steps; begun as they do, at the share of answers."""
    who, patient, said = answers
    chances = np.zeros((45, 4))
    np.add.at(chances, (patient, said), 1 / 7)
    for _ in range(200):
        counts = crowd.confusion_counts(who, patient, said, chances, 5, 4) + 1e-300
        tables = counts / np.maximum(counts.sum(axis=2, keepdims=True), 1e-300)
        shares = chances.mean(axis=0)
        chances = crowd.truth_chances(who, patient, said, np.log(tables), np.log(shares), 45)
    assert shares == pytest.approx(SHARES, abs=0.005)


def test_the_prior_changes_few_patients_and_no_class_much(answers):
    found = dqops.resolve_answers(*answers, kind="classes")
    shares = found.posterior().group_by("answer").agg(pl.col("chance").sum() / 45).sort("answer")
    assert shares["chance"].to_numpy() == pytest.approx(SHARES, abs=0.05)
    unanimous = [patient for patient, word in enumerate(TABLE.split()) if len(set(word)) == 1]
    assert all(found.values[patient] == int(TABLE.split()[patient][0]) - 1 for patient in unanimous)
    assert (found.confidence[unanimous] > 0.95).all()
