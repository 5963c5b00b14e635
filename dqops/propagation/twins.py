"""Twin experiments: the same dirt planted where it is not, so that its whole effect is known."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from dqops.models import target_values
from dqops.propagation.trial import bounded_score, trial_seed, typed_like
from dqops.results.gain import ARMS
from dqops.tables.cells import number_text
from dqops.tables.recorded import record
from dqops.tables.table import Table

FEWEST_ROWS = 60  # without the dirt: fewer tell nothing of a model
_NEARLY_ALL = 0.8  # of the dirt without a row alike
_FEWEST_CLEAN = 30  # planted rows that are left as they were, so that both models have something to learn
_MOST_CLASSES, _FIFTHS = 20, 5  # more different numbers in the target are matched by fifths


@dataclass(frozen=True, eq=False)
class Twin:
    """Rows without a finding's dirt, and the same rows with dirt of that kind, rate and place planted in them.

    The clean rows stand for the table with the truth known, the planted ones for the table as it is: what lies
    between them is what knowing the truth would gain.

    Parameters
    ----------
    finding : str
        Id of the finding, or "all".
    clean, dirty : Table
        The same rows, typed as the usual readers type them: one planted word turns a number column into text.
    positions : int64 (n,)
        Where those rows stand in the table that is priced.
    on_target : bool
        The dirt is in the target: it is planted in training rows only, and judged on the clean ones.
    rate : float
        Share of the rows that bear the dirt, in (0, 1).
    scale : (float, float, float)
        Low, expected and high rate of the dirt in the priced table, as shares of what was planted.
    unmatched : float
        Share of the dirt that sits in rows unlike all clean ones, in [0, 1]; it was not planted.
    """

    finding: str
    clean: Table
    dirty: Table
    positions: np.ndarray
    on_target: bool
    rate: float
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    unmatched: float = 0.0

    def cost(self, split, design):
        """What the planted dirt costs on one split of the priced table, by arm.

        Parameters
        ----------
        split : Split
            Of the priced table; its rows that bear the dirt already are left out.
        design : Design

        Returns
        -------
        dict of float
            Empty where too few rows are left to judge on.

        Raises
        ------
        DqopsError
            Where the model fails on either table.
        """
        train, test = (self._here(rows) for rows in (split.train, split.test))
        if min(len(train), len(test)) < 2:
            return {}
        seed = trial_seed(design.seed, split)
        tables = [one.take(rows) for one in (self.clean, self.dirty) for rows in (train, test)]
        clean_train, clean_test, dirty_train, dirty_test = tables
        clean, dirty = (design.model.fit(one, seed=seed) for one in (clean_train, dirty_train))
        best = bounded_score(clean, clean_test, design.scoring)
        training = best - bounded_score(dirty, typed_like(clean_test, dirty_test), design.scoring)
        if self.on_target:
            return {"deployed": training, "training": training}
        rivals = {
            "deployed": best - bounded_score(dirty, dirty_test, design.scoring),
            "training": training,
            "serving": best - bounded_score(clean, typed_like(dirty_test, clean_test), design.scoring),
        }
        return {arm: rivals[arm] for arm in ARMS}

    def _here(self, rows):
        """Positions among the clean rows of those positions of the priced table that are clean."""
        places = np.searchsorted(self.positions, rows)
        places = np.minimum(places, len(self.positions) - 1)
        return places[self.positions[places] == rows]


def twin_of(findings, table, rng, name=None):
    """The `Twin` of some findings together, None where there is nothing, or nowhere, to plant.

    Parameters
    ----------
    findings : sequence of Finding
        In feature columns or in the target; rows with several of their cells give all of them.
    table : Table
        The rows that are priced; the positions of the findings are those of this table.
    rng : numpy.random.Generator
    name : str, optional
        Id of the twin; that of the first finding by default.

    Returns
    -------
    Twin or None
    """
    sure = [one.at_least(0.5) for one in findings if not one.whole and one.column in (*table.features, table.roles.target)]
    sure = [one for one in sure if one.count]
    if not sure:
        return None
    bearing = np.unique(np.concatenate([one.positions for one in sure]))
    clean_rows = np.setdiff1d(np.arange(table.n_rows), bearing)
    if len(clean_rows) < FEWEST_ROWS:
        return None
    rate = len(bearing) / table.n_rows
    n_planted = min(max(round(rate * len(clean_rows)), 1), len(clean_rows) - _FEWEST_CLEAN)
    donors = rng.choice(bearing, n_planted)
    hosts, unmatched = _hosts(sure, donors, table, clean_rows, rng)
    if unmatched > _NEARLY_ALL:
        return None
    donors, hosts = donors[hosts >= 0], hosts[hosts >= 0]
    clean = table.take(clean_rows)
    dirty = clean
    for one in sure:
        cells = _planted(one, clean.raw[one.column], donors, hosts)
        dirty, clean = _retyped(dirty, cells), _retyped(clean, clean.raw[one.column])
    return Twin(name or sure[0].id, clean, dirty, clean_rows, table.roles.target in {one.column for one in sure}, rate, unmatched=unmatched)


def label_twin(finding, table, noise, rng):
    """The `Twin` of wrong labels: flipped at the highest rate that is likely, by the classes that are confused.

    Parameters
    ----------
    finding : Finding
        Doubtful labels; those rows are left out.
    table : Table
    noise : LabelNoise
        How many labels are thought to be wrong, and which for which; more than are doubtful one by one.
    rng : numpy.random.Generator

    Returns
    -------
    Twin or None
        None where there are hardly any wrong labels, or too few rows.
    """
    rows = np.setdiff1d(np.arange(table.n_rows), finding.at_least(0.5).positions)
    n_planted = round(noise.high * len(rows))
    if len(rows) < FEWEST_ROWS or n_planted < 1:
        return None
    clean = table.take(rows)
    target = clean.target()
    labels, known = target_values(clean, "classification")
    # Some row that bears the label, by its name: classes that only doubtful rows bear cannot be written.
    by_name = {str(label): row for row, label in enumerate(labels.tolist()) if known[row]}
    kept = [place for place, name in enumerate(noise.classes) if name in by_name]
    if len(kept) < 2:
        return None
    names = [noise.classes[place] for place in kept]
    own = {name: place for place, name in enumerate(names)}
    free = np.flatnonzero(known & np.isin(labels.astype(str), names))
    hosts = rng.choice(free, min(n_planted, len(free)), replace=False)
    wrong = np.asarray(noise.joint, dtype=np.float64)[np.ix_(kept, kept)].T * (1 - np.eye(len(names)))
    wrong = np.where(wrong.sum(axis=1, keepdims=True) > 0, wrong, 1 - np.eye(len(names)))
    flipped = [names[rng.choice(len(names), p=(line := wrong[own[str(labels[host])]]) / line.sum())] for host in hosts]
    order = np.argsort(hosts, kind="stable")
    values = target.gather([by_name[flipped[at]] for at in order])
    dirty = clean.with_columns(target.clone().scatter(hosts[order], values))
    scale = tuple(one / noise.high for one in (noise.low, noise.rate, noise.high))
    return Twin(finding.id, clean, dirty, rows, True, noise.rate, scale)


def _hosts(sure, donors, table, clean_rows, rng):
    """Clean rows that take the donors' cells, -1 where there is none alike, and the share of donors without one.

    Alike is a row with the donor's true value where that is known, or with its target. Dirt often seeks certain rows: an empty
    cell that tells the class must go on telling it where it is planted, so what has no host is left.
    """
    keys = [_strata(table)]
    if len(sure) == 1 and sure[0].suggestions is not None:
        truth = np.full(table.n_rows, None, dtype=object)
        truth[sure[0].positions] = sure[0].suggestions.cast(pl.String, strict=False).to_numpy()
        held = table.frame[sure[0].column].cast(pl.String, strict=False).to_numpy().astype(object)
        truth[clean_rows] = held[clean_rows]
        keys.insert(0, truth)
    hosts, free = np.full(len(donors), -1), rng.permutation(len(clean_rows))
    for key in keys:
        hosts = _matched(hosts, key[donors], key[clean_rows], free)
    return hosts, float((hosts < 0).mean())


def _matched(hosts, wanted, held, free):
    """Hosts of the donors that have none yet, from free clean rows with the same key; None matches nothing."""
    taken, by_key = set(hosts[hosts >= 0].tolist()), {}
    for place in free.tolist():
        if place not in taken and held[place] is not None:
            by_key.setdefault(held[place], []).append(place)
    matched = hosts.copy()
    for at in np.flatnonzero(hosts < 0):
        places = by_key.get(wanted[at])
        if wanted[at] is not None and places:
            matched[at] = places.pop()
    return matched


def _strata(table):
    """The class of each row, or the fifth of the target that it is in; None where the target is unknown."""
    target = table.target()
    if target.dtype.is_numeric() and target.n_unique() > _MOST_CLASSES:
        ranks = target.cast(pl.Float64).rank("average", seed=0)
        target = (ranks * _FIFTHS / (len(target) + 1)).floor().cast(pl.Int64)
    return target.cast(pl.String, strict=False).to_numpy().astype(object)


def _planted(finding, column, donors, hosts):
    """The raw column with the doubtful cells of the donors written into the hosts, where a donor has one here."""
    places = np.searchsorted(finding.positions, donors)
    places = np.minimum(places, finding.count - 1)
    gives = finding.positions[places] == donors
    places, hosts = places[gives], hosts[gives]
    values = finding.values.gather(places)
    if column.dtype == pl.String and finding.suggestions is not None:
        values = _in_the_donors_manner(values, finding.suggestions.gather(places), column.gather(hosts))
    order = np.argsort(hosts, kind="stable")
    values = values if column.dtype == pl.String else values.cast(column.dtype, strict=False)
    return column.clone().scatter(hosts[order], values.gather(order)).alias(finding.column)


def _in_the_donors_manner(values, suggestions, own):
    """The host's own value, dressed as the donor's was: ``5%`` for a host's 7 is ``7%``."""
    truths = number_text(suggestions) if suggestions.dtype.is_float() else suggestions.cast(pl.String, strict=False)
    dressed = [_dressed(*cells) for cells in zip(values.to_list(), truths.to_list(), own.to_list(), strict=True)]
    return pl.Series(values.name, dressed, dtype=pl.String)


def _dressed(value, truth, mine):
    """`value` with the truth in it replaced by `mine`, where nothing but a dress stands around it.

    >>> _dressed("5%", "5", "7"), _dressed("282.6", "8", "7")
    ('7%', '282.6')
    """
    if not (value and truth and mine) or truth not in value:
        return value
    before, _, after = value.partition(truth)
    dress = before + after
    return f"{before}{mine}{after}" if dress and not any(letter.isdigit() for letter in dress) else value


def _retyped(table, raw):
    """The table with this raw column, typed as the usual readers would type it now."""
    frame = record(raw.to_frame()).to_series() if raw.dtype == pl.String else raw
    return replace(table, frame=table.frame.with_columns(frame), raw=table.raw.with_columns(raw))
