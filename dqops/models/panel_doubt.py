"""Doubts in the target of a table, by a panel of unlike learners."""

from dataclasses import replace

import numpy as np
import polars as pl

from dqops.errors import DqopsError
from dqops.models.doubt import TargetDoubt
from dqops.models.fixed_space import fixed_space
from dqops.models.noise_fit import fit_noise
from dqops.models.panel import Panel
from dqops.models.targets import codes_of, target_values
from dqops.seeds import stream
from dqops.tables.cells import in_type_of

MOST_CLASSES = 50
_MOST_TOGETHER = 10_000  # rows that are heard at once; more are heard in parts, drawn at random
_MOST_KNOWN = 2000  # rows of a holdout that teach
_FEWEST = 20
_REACH = 1.645  # standard errors of an interval of 90%


def panel_doubt(table, model, classes, seed, known=None):
    """How surely a panel of unlike learners, heard once on rows that it did not learn from, takes each label for wrong.

    Parameters
    ----------
    table : Table
        Trusted rows are known to be right.
    model : Model
        Made ready for the table (`Model.prepared`): the panel sees rows as its last step does.
    classes : array (C,)
    seed : int
    known : Table, optional
        Other rows, known to be right, that teach as well; 2,000 of them at most.

    Returns
    -------
    TargetDoubt or None
        How many labels are wrong is as sure as the rows and the known ones are many: nothing is known of it without these. None where there are too few rows, too many classes, or where rows cannot be encoded.

    Notes
    -----
    Costs 200 trees, a kernel ridge and five logistic regressions, about half a second for 1,000 rows; linear in the rows.

    References
    ----------
    Dawid, Skene 1979, Applied Statistics 28(1). Patrini et al. 2017, CVPR, arXiv:1609.03683.
    """
    labels, there = target_values(table, "classification")
    rows = np.flatnonzero(there)
    if len(rows) < _FEWEST or not 2 <= len(classes) <= MOST_CLASSES:
        return None
    codes, trusted = codes_of(labels[rows], classes), table.trusted()[rows]
    try:
        space = fixed_space(model, table, seed)
        features = space.encode(table)[rows]
        others, told = _known_rows(known, table, space, classes, seed)
    except DqopsError:
        return None
    posterior = np.zeros((table.n_rows, len(classes)))
    for part in _parts(len(rows), stream(seed, "panel:parts")):
        sure = np.concatenate([trusted[part], np.ones(len(told), dtype=bool)])
        heard = _heard(np.concatenate([features[part], others]), np.concatenate([codes[part], told]), len(classes), sure, seed)
        posterior[rows[part]] = heard[: len(part)]
    joint = np.zeros((len(classes), len(classes)))
    np.add.at(joint, codes, posterior[rows] / len(rows))
    wrong = np.zeros(table.n_rows)
    wrong[rows] = 1 - posterior[rows, codes]
    posterior[rows, codes] = -1.0
    likeliest = np.asarray(classes)[posterior.argmax(axis=1)]
    return TargetDoubt(wrong, likeliest, classes, joint, *_rate(wrong[rows], trusted.sum() + len(told)))


def _rate(wrong, n_known):
    """Share of wrong labels, and its interval."""
    rate = float(wrong.mean())
    if not n_known:
        return rate, 0.0, 1.0
    reach = _REACH * np.sqrt(rate * (1 - rate) * (1 / len(wrong) + 1 / n_known))
    return rate, max(rate - float(reach), 0.0), min(rate + float(reach), 1.0)


def _known_rows(known, table, space, classes, seed):
    """Features float64 (m, d) and codes int64 (m,) of rows that are known to be right, brought to the columns and types of the table."""
    if known is None or not known.n_rows:
        return np.empty((0, len(space.typical))), np.empty(0, dtype=np.int64)
    if known.n_rows > _MOST_KNOWN:
        known = known.take(np.sort(stream(seed, "panel:known").choice(known.n_rows, _MOST_KNOWN, replace=False)))
    named = [*table.features, table.roles.target]
    columns = [_in_type(known.frame[name], table.frame[name]) if name in named else pl.repeat(None, known.n_rows, dtype=table.frame[name].dtype, eager=True).alias(name) for name in table.columns]
    frame = pl.DataFrame(columns)
    alike = replace(table, frame=frame, raw=frame, row_ids=pl.int_range(known.n_rows, eager=True), given=None)
    labels, there = target_values(alike, "classification")
    codes = codes_of(labels, classes)
    rows = np.flatnonzero(there & (codes >= 0))
    return space.encode(alike)[rows], codes[rows]


def _in_type(cells, recorded):
    return cells if cells.dtype == recorded.dtype else in_type_of(cells, recorded).alias(recorded.name)


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
