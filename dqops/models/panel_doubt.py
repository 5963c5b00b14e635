"""Doubts in the target of a table, by a panel of unlike learners."""

import numpy as np

from dqops.errors import DqopsError
from dqops.models.doubt import TargetDoubt
from dqops.models.fixed_space import fixed_space
from dqops.models.noise_fit import fit_noise
from dqops.models.panel import Panel
from dqops.models.targets import codes_of, target_values
from dqops.seeds import stream

MOST_CLASSES = 50
_MOST_TOGETHER = 10_000  # rows that are heard at once; more are heard in parts, drawn at random
_FEWEST = 20


def panel_doubt(table, model, classes, seed):
    """How surely a panel of unlike learners, heard once on rows that it did not learn from, takes each label for wrong.

    Parameters
    ----------
    table : Table
        Trusted rows are known to be right.
    model : Model
        Made ready for the table (`Model.prepared`): the panel sees rows as its last step does.
    classes : array (C,)
    seed : int

    Returns
    -------
    TargetDoubt or None
        None where there are too few rows, too many classes, or where rows cannot be encoded.

    Notes
    -----
    Costs 200 trees, a kernel ridge and five logistic regressions, about half a second for 1,000 rows; linear in the rows.

    References
    ----------
    Dawid, Skene 1979, Applied Statistics 28(1). Patrini et al. 2017, CVPR, arXiv:1609.03683.
    """
    labels, known = target_values(table, "classification")
    rows = np.flatnonzero(known)
    if len(rows) < _FEWEST or not 2 <= len(classes) <= MOST_CLASSES:
        return None
    codes, trusted = codes_of(labels[rows], classes), table.trusted()[rows]
    try:
        features = fixed_space(model, table, seed).encode(table)[rows]
    except DqopsError:
        return None
    posterior = np.zeros((table.n_rows, len(classes)))
    for part in _parts(len(rows), stream(seed, "panel:parts")):
        posterior[rows[part]] = _heard(features[part], codes[part], len(classes), trusted[part], seed)
    wrong = np.zeros(table.n_rows)
    wrong[rows] = 1 - posterior[rows, codes]
    posterior[rows, codes] = -1.0
    return TargetDoubt(wrong, np.asarray(classes)[posterior.argmax(axis=1)], classes, None, float(wrong[rows].mean()), 0.0, 1.0)


def _parts(n_rows, rng):
    """Positions of rows that are heard together."""
    count = -(-n_rows // _MOST_TOGETHER)
    return [np.arange(n_rows)] if count == 1 else np.array_split(rng.permutation(n_rows), count)


def _heard(features, codes, n_classes, trusted, seed):
    """Probability of each true label, float64 (n, C); the given one where only one class is there."""
    there, given = np.unique(codes, return_inverse=True)
    posterior = np.eye(n_classes)[codes]
    if len(there) > 1 and not trusted.all():
        panel = Panel(features, len(there), None, seed)
        said = panel.hear(np.eye(len(there))[given], np.ones(len(given)), given, "heard")
        posterior[:, there] = fit_noise(said, given, trusted).posterior
    return posterior
