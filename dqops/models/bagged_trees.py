"""Trees on bootstrap samples of units, each heard on the rows that it has not seen."""

import numpy as np
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

KINDS = {"extra": ExtraTreeClassifier, "best": DecisionTreeClassifier}


def out_of_bag(X, codes, weights, n_classes, units, rng, *, kind, n_trees, min_leaf):
    """Class probabilities of each row by the trees whose sample lacks its unit.

    Parameters
    ----------
    X : float32 (n, d)
        C-contiguous.
    codes : int64 (n,)
        Labels to learn.
    weights : float64 (n,)
        Weight of each row; rows of weight 0 are heard, but not learned from.
    n_classes : int
    units : int64 (n,)
        Rows of one unit are drawn, or left out, together; 0 .. n_units - 1.
    rng : numpy.random.Generator
    kind : {"extra", "best"}
        Splits at random places, or at the best one.
    n_trees, min_leaf : int
        A leaf holds `min_leaf` rows or more: trees that are grown out learn single wrong labels by heart.

    Returns
    -------
    float64 (n, n_classes)
        Lines sum to 1; the shares of the labels where a row is in all samples.

    References
    ----------
    Breiman 1996, Out-of-bag estimation. Geurts, Ernst, Wehenkel 2006, Machine Learning 63, doi:10.1007/s10994-006-6226-1
    """
    n_rows, n_units = len(X), int(units.max()) + 1
    heard, times = np.zeros((n_rows, n_classes)), np.zeros(n_rows)
    for seed in rng.integers(2**31, size=n_trees):
        drawn = np.bincount(np.random.default_rng(seed).integers(n_units, size=n_units), minlength=n_units)[units]
        rows = np.flatnonzero((drawn > 0) & (weights > 0))
        if not len(rows):
            continue
        tree = KINDS[kind](min_samples_leaf=min_leaf, max_features="sqrt", random_state=int(seed))
        tree.fit(X[rows], codes[rows], sample_weight=drawn[rows] * weights[rows], check_input=False)
        left = np.flatnonzero(drawn == 0)
        heard[left[:, None], tree.classes_] += tree.predict_proba(X[left], check_input=False)
        times[left] += 1
    shares = np.bincount(codes, weights=weights, minlength=n_classes) + 1e-9
    return np.where(times[:, None] > 0, heard / np.maximum(times, 1)[:, None], shares / shares.sum())
