"""Votes of the nearest rows in one world, and the chances of each winner where votes are uncertain.

Neighbours have one total order: distance, then row. Vote ties go to the smallest class. Calls are many and short: starting
threads for each would take longer than the work.
"""

import numpy as np

from dqops.kernels import kernel


@kernel
def nearest_in_world(order, distances, gone, rows, away, k):
    """The k nearest rows of each test after some rows moved or left.

    Parameters
    ----------
    order : int32 (n_tests, n_rows)
        All rows, nearest first, as they stand in the table.
    distances : float64 (n_tests, n_rows)
        By row.
    gone : bool (n_rows,)
        Rows that stand elsewhere now, or nowhere.
    rows : int64 (n_moved,)
        Rows that stand elsewhere, ascending.
    away : float64 (n_tests, n_moved)
        Distances from where they stand now.
    k : int

    Returns
    -------
    int64 (n_tests, k)
        Rows, nearest first; -1 where there are fewer than k.
    """
    n_tests, n_rows = order.shape
    nearest = np.full((n_tests, k), -1, dtype=np.int64)
    for test in range(n_tests):
        reach = np.full(k, np.inf)
        count = 0
        for place in range(n_rows):
            row = order[test, place]
            if not gone[row]:
                nearest[test, count], reach[count] = row, distances[test, row]
                count += 1
                if count == k:
                    break
        for one in range(len(rows)):
            row, distance = rows[one], away[test, one]
            if count == k and (distance > reach[k - 1] or (distance == reach[k - 1] and row > nearest[test, k - 1])):
                continue
            place = min(count, k - 1)
            while place > 0 and (distance < reach[place - 1] or (distance == reach[place - 1] and row < nearest[test, place - 1])):
                nearest[test, place], reach[place] = nearest[test, place - 1], reach[place - 1]
                place -= 1
            nearest[test, place], reach[place] = row, distance
            count = min(count + 1, k)
    return nearest


@kernel
def vote_chances(votes, most):
    """Probability that each class wins where each vote falls on a class by chance, all votes for themselves.

    Parameters
    ----------
    votes : float64 (n_tests, k, n_classes)
        Probability that a vote falls on a class; those of one vote sum to 1.
    most : int
        Counts of votes by class that are told apart at most, for one test.

    Returns
    -------
    float64 (n_tests, n_classes)
        -1 in all classes of a test with more counts than `most`.

    References
    ----------
    For two classes this is the upper tail of a Poisson-binomial distribution: Le Cam 1960, Pacific J. Math. 10(4).
    doi:10.2140/pjm.1960.10.1181
    """
    n_tests, k, n_classes = votes.shape
    chances = np.zeros((n_tests, n_classes))
    for test in range(n_tests):
        present = np.zeros(n_classes, dtype=np.int64)
        n_present = 0
        for label in range(n_classes):
            if votes[test, :, label].max() > 0.0:
                present[n_present] = label
                n_present += 1
        size = 1.0
        for _ in range(n_present - 1):
            size *= k + 1
        if size > most:
            chances[test] = -1.0
            continue
        # Number of a state: votes of all present classes but the last, in base k + 1.
        states = np.zeros(int(size))
        states[0] = 1.0
        for vote in range(k):
            for state in range(len(states) - 1, -1, -1):
                held = states[state]
                if held == 0.0:
                    continue
                states[state] = held * votes[test, vote, present[n_present - 1]]
                step = 1
                for one in range(n_present - 1):
                    share = votes[test, vote, present[one]]
                    if share > 0.0:
                        states[state + step] += held * share
                    step *= k + 1
        for state in range(len(states)):
            if states[state] > 0.0:
                rest, left, best, winner = state, k, -1, 0
                for one in range(n_present - 1):
                    count = rest % (k + 1)
                    rest //= k + 1
                    left -= count
                    if count > best:
                        best, winner = count, one
                if left > best:
                    winner = n_present - 1
                chances[test, present[winner]] += states[state]
    return chances
