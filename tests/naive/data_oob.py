"""Out-of-bag values and their jackknife, bag by bag."""

from math import nan, sqrt


def out_of_bag(scores, n_rows):
    """Mean score of each row over the bags that lack it; `scores` is a list of {row: score}, one for each bag."""
    values = []
    for row in range(n_rows):
        heard = [bag[row] for bag in scores if row in bag]
        values.append(sum(heard) / len(heard) if heard else nan)
    return values


def jackknife(scores, n_rows):
    """Standard error from values without each bag in turn."""
    errors = []
    n_bags = len(scores)
    without = [out_of_bag(scores[:bag] + scores[bag + 1 :], n_rows) for bag in range(n_bags)]
    for row in range(n_rows):
        values = [one[row] for one in without]
        middle = sum(values) / n_bags
        errors.append(sqrt((n_bags - 1) / n_bags * sum((one - middle) ** 2 for one in values)))
    return errors
