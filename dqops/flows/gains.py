"""Price: what resolving each doubt adds to the score of the model, by the propagator that suits."""

from dataclasses import replace

import numpy as np
import polars as pl

import dqops.propagation.propagators  # noqa: F401  (registers the propagators)
from dqops.contracts import Propagator
from dqops.errors import DqopsError, OptionError
from dqops.flows.doubted import BY, apart, chosen_findings, doubts_of_findings, given_doubts
from dqops.flows.inputs import check_settings, holdout_of
from dqops.flows.price import design_of, options_of, price_findings, without_leaks
from dqops.flows.search import chosen_detectors, search
from dqops.models import subsample
from dqops.propagation.effort import EFFORTS, FOLDS
from dqops.results.findings import Findings
from dqops.results.gain import Gains
from dqops.seeds import stream
from dqops.tables.io import read
from dqops.tables.readable import as_read

METHODS = ("auto", "retrain", "knn", "influence", "bounds")
N_WORLDS = {"quick": 4, "standard": 8, "thorough": 20}


def price(
    table,
    *,
    target=None,
    model="auto",
    holdout=None,
    findings=None,
    candidates=None,
    method="auto",
    by="finding",
    scoring=None,
    key=None,
    time=None,
    group=None,
    ignore=(),
    weight=None,
    trusted=None,
    n_candidates=5,
    n_worlds=None,
    effort="standard",
    max_seconds=None,
    seed=0,
    n_jobs=1,
    allow_pickle=False,
    progress=None,
):
    """What resolving each doubt adds to the score: by its repair, and by knowing the truth.

    Parameters
    ----------
    table : Table, pandas.DataFrame, polars.DataFrame, path or URL
    target, model, scoring, key, time, group, ignore, weight, trusted, effort, max_seconds, seed, n_jobs, allow_pickle,
    progress
        As in `dqops.audit`.
    findings : sequence of str, optional
        Ids (``"missing:age"``), kinds or columns; by default all that the detectors find.
    candidates : Candidates, optional
        What could be true, instead of what detectors find; one doubt a column.
    method : {"auto", "retrain", "knn", "influence", "bounds"}
        "retrain" trains the model again: on repaired rows, on rows with the same dirt planted, or, with candidates, in each
        world. "knn" counts votes of neighbours, "influence" follows a linear model (for other models both stand in), "bounds"
        proves ends for ridge regression. "auto" screens by a cheap one, confirms by retraining, and says in `notes` what it did.
    by : {"finding", "row", "cell"}
        What is priced: each group, or each row or cell inside it, in training rows.
    n_candidates : int, default 5
        Most candidates of a cell, and most combinations of the cells of a row.
    n_worlds : int, optional
        Worlds of a doubt on each split; all where there are no more.
    holdout : what `read` takes, optional
        Rows that judge; but for "retrain" of findings they are taken as they are recorded.

    Returns
    -------
    Gains
        ``repair`` is what dqops would write, ``potential`` knowing the truth; `notes` tell how they were found.

    Raises
    ------
    DqopsError
        One clear sentence on what came and what was needed.

    Notes
    -----
    "retrain" costs some tens of fits, one for each split, doubt and world with candidates; "knn" one sort of all distances a
    split, "influence" and "bounds" one factorisation a split, and little for each doubt.

    References
    ----------
    Nadeau, Bengio 2003, Machine Learning 52. doi:10.1023/A:1024068626366. Rubin 1987, Multiple Imputation for Nonresponse in
    Surveys.

    Examples
    --------
    >>> import numpy as np
    >>> import polars as pl
    >>> rng = np.random.default_rng(0)
    >>> size = rng.normal(size=300)
    >>> dirty = np.where(rng.random(300) < 0.1, 60 + 9 * rng.random(300), size)
    >>> frame = pl.DataFrame({"size": dirty, "y": 3 * size + rng.normal(size=300)})
    >>> gains = price(frame, target="y", model="linear", findings=["outliers"], method="influence")
    >>> gain = gains.of("outliers:size")
    >>> gain.method, bool(gain.repair.expected > 0.3)
    ('influence', True)
    """
    check_settings(effort=effort, seed=seed, n_jobs=n_jobs, max_seconds=max_seconds)
    _check(method, by, n_candidates, n_worlds)
    tell = progress or (lambda done, total, what: None)
    table = read(table, target=target, key=key, time=time, group=group, ignore=ignore, weight=weight, trusted=trusted)
    table.target()
    held, said = (None, ()) if holdout is None else holdout_of(holdout, table)
    design = design_of(table, model=model, scoring=scoring, seed=seed, effort=effort, allow_pickle=allow_pickle, holdout=held)
    kinds = chosen_detectors()
    work = _Work(table, design, kinds, effort, held, n_candidates, n_worlds or N_WORLDS[effort], by, n_jobs, max_seconds, tell)
    if candidates is None:
        found, _, notes = search(table, kinds, design, seed, tell=tell)
        work.findings = chosen_findings(found, findings, table)
    else:
        notes, work.given = (), candidates
    gains = work.priced(method)
    return replace(gains, notes=tuple(dict.fromkeys((*table.warnings, *design.model.notes, *said, *notes, *gains.notes))))


class _Work:
    """One run of pricing."""

    def __init__(self, table, design, kinds, effort, held, n_candidates, n_worlds, by, n_jobs, max_seconds, tell):
        self.table, self.design, self.kinds, self.effort, self.held = table, design, kinds, effort, held
        self.n_candidates, self.n_worlds, self.by = n_candidates, n_worlds, by
        self.n_jobs, self.max_seconds, self.tell = n_jobs, max_seconds, tell
        self.findings, self.given = Findings(), None

    def priced(self, method):
        """`Gains` by that method."""
        if method == "auto":
            return self._auto()
        if method == "retrain" and self.given is None and self.by == "finding":
            return self._measured(self.findings)
        return self._propagated(method)

    def _measured(self, findings):
        """Gains of findings by retraining on repaired rows, and on rows with the same dirt planted."""
        _, gains, _, said = price_findings(
            self.table, findings, self.design, self.kinds, self.effort, holdout=self.held, n_jobs=self.n_jobs, max_seconds=self.max_seconds, tell=self.tell
        )
        return replace(gains, notes=(*gains.notes, *said))

    def _propagated(self, method, findings=None):
        """Gains of doubts by the worlds of their candidates."""
        findings = self.findings if findings is None else findings
        # What gives the target away is set aside, as in an audit.
        table, held = without_leaks(self.table, self.held, self.findings)
        priced = subsample(table, EFFORTS[self.effort].rows, self.design.seed)
        seen = as_read(priced)
        design = replace(self.design, model=self.design.model, holdout=None if held is None else as_read(held, like=priced))
        propagator = self._propagator(method, design)
        if self.given is not None:
            doubts, notes = given_doubts(self.given, seen, self.by)
        else:
            here = findings if priced.n_rows == table.n_rows else Findings(tuple(one.on_rows(priced.row_ids) for one in findings))
            doubts, notes = doubts_of_findings(here, seen, design, by=self.by, n_candidates=self.n_candidates, seed=design.seed)
        if method == "retrain" and self.by != "finding":
            doubts, left = self._few(doubts)
            notes += left
        if not doubts:
            return Gains((), tuple(notes))
        self.tell(0, 1, f"pricing by {method}")
        gains = propagator.price(apart(doubts, self.by), design, self._splits(seen, design), stream(design.seed, f"price:{method}"))
        self.tell(1, 1, f"pricing by {method}")
        if method != "retrain" and table.roles.weight is not None:
            notes.append(f"{method} counts all rows alike: sample weights are not followed")
        if priced.n_rows < table.n_rows:
            notes.append(f"prices were measured on {priced.n_rows} of {table.n_rows} rows, sampled with seed {design.seed}")
        return replace(gains, notes=(*notes, *gains.notes))

    def _propagator(self, method, design):
        kind = Propagator.named(method)
        options = {"n_worlds": self.n_worlds, "n_candidates": self.n_candidates}
        if method == "retrain":
            options |= {"n_jobs": self.n_jobs, "max_seconds": self.max_seconds}
        propagator = kind(**options)
        refused = propagator.refusal(design)
        if refused:
            raise OptionError("method", method, f"another one: {refused}")
        return propagator

    def _splits(self, table, design):
        """(split, rows to train on, rows that judge): five folds."""
        pairs, judge = design.judged_splits(table, design.holdout, folds=FOLDS), table if design.holdout is None else design.holdout
        if design.holdout is not None:
            # Its rows are others than those that the candidates name, whatever their ids.
            away = pl.Series(-1 - np.arange(judge.n_rows))
            judge = replace(judge, row_ids=away if table.row_ids.dtype.is_integer() else "holdout:" + away.cast(pl.String))
        return [(split, table.take(split.train), judge.take(other.test)) for split, other in pairs]

    def _few(self, doubts):
        """As many rows as there are fits for, the likeliest to be wrong first; and a note on the others."""
        room = max(EFFORTS[self.effort].fits // (FOLDS * (self.n_candidates + 1)), 1)
        kept, left = [], 0
        for one in doubts:
            rows = one.truth.groups[0].rows.head(room)
            left += one.count - len(rows)
            if len(rows):
                kept.append(replace(one, truth=one.truth.on_rows(rows), repair=one.repair and one.repair.on_rows(rows)))
            room -= len(rows)
        return kept, [f"{left} rows are not priced: each takes {FOLDS * (self.n_candidates + 1)} fits"] if left else []

    def _auto(self):
        """Screened by a cheap propagator where there are many doubts, confirmed by retraining."""
        if self.given is not None:
            return self._auto_given()
        if self.by != "finding":
            return self._auto_singles()
        able = [one for one in self.findings if options_of(one, self.table)]
        room = max(EFFORTS[self.effort].fits // (2 * FOLDS), 1)
        if len(able) <= room:
            return _said(self._measured(self.findings), f"auto: all {len(able)} findings that have a repair were measured by retraining")
        cheap = self._cheap()
        try:
            screened = self._propagated(cheap)
        except DqopsError as cause:
            screened = Gains((), (f"{cheap} cannot screen here: {cause}; the most doubtful findings were taken",))
        hope = {one.finding: _upper(one) for one in screened if one.arm == "deployed"}
        order = sorted(able, key=lambda one: (-hope.get(one.id, float("inf")), -one.share * one.score, one.id))
        chosen = {one.id for one in order[:room]}
        gains = self._measured(Findings(tuple(one for one in self.findings if one.id in chosen or one not in able)))
        rest = tuple(one for one in screened if one.finding not in chosen)
        said = f"auto: {len(able)} findings were screened by {cheap}, the {room} most hopeful were measured by retraining; the others keep what the screen says"
        return _said(gains + Gains(rest, screened.notes), said)

    def _auto_given(self):
        """Candidates are priced by the cheap one, and as wholes again by retraining."""
        cheap = self._cheap()
        try:
            screened = self._propagated(cheap)
        except DqopsError as cause:
            return _said(self._propagated("retrain"), f"auto: {cheap} cannot screen here ({cause}), so that all was retrained")
        if self.by != "finding":
            return _said(screened, f"auto: rows were priced by {cheap}; name method='retrain' to train again for each")
        confirmed = self._propagated("retrain")
        return _said(replace(confirmed, notes=(*screened.notes, *confirmed.notes)), f"auto: screened by {cheap}, all {len({one.finding for one in confirmed})} doubts confirmed by retraining in each world")

    def _auto_singles(self):
        """Rows by the cheap one; how large their group is by retraining."""
        cheap = self._cheap()
        screened, by = self._propagated(cheap), self.by
        self.by = "finding"
        groups = self._measured(self.findings)
        self.by = by
        notes = [f"auto: rows were priced by {cheap}, and their groups by retraining"]
        for finding in dict.fromkeys(one.finding for one in screened):
            whole, mine = groups.of(finding, "training"), [one for one in screened if one.finding == finding and one.arm == "training"]
            if whole is not None and whole.potential is not None:
                total = sum(one.potential.expected for one in mine if one.potential is not None)
                notes.append(f"{finding}: its rows gain {total:.4f} together by {cheap}, and the group {whole.potential} by retraining")
        return replace(screened, notes=(*notes, *screened.notes))

    def _cheap(self):
        """The cheap propagator that suits the model."""
        knn = Propagator.named("knn")()
        own = not knn.refusal(self.design) and knn.own_k(self.design)
        return "knn" if own else "influence"


def _said(gains, sentence):
    return replace(gains, notes=(sentence, *gains.notes))


def _upper(gain):
    """What a gain may be, to our luck."""
    return max(one.high for one in (gain.repair, gain.potential) if one is not None)


def _check(method, by, n_candidates, n_worlds):
    if method not in METHODS and method not in Propagator.known():
        raise OptionError("method", method, "one of " + ", ".join(METHODS))
    if by not in BY:
        raise OptionError("by", by, "one of " + ", ".join(BY))
    if not isinstance(n_candidates, int) or isinstance(n_candidates, bool) or n_candidates < 2:
        raise OptionError("n_candidates", n_candidates, "an integer of 2 or more")
    if n_worlds is not None and (not isinstance(n_worlds, int) or isinstance(n_worlds, bool) or n_worlds < 1):
        raise OptionError("n_worlds", n_worlds, "an integer of 1 or more")
