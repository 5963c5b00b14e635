"""Price findings: which repairs there are for each, on which rows they are measured."""

from dataclasses import replace

import dqops.cleaners  # noqa: F401  (registers the cleaners)
from dqops.cleaners.columns import DropColumn
from dqops.cleaners.impute import EmptyDisguised, FillPredicted, FillTypical
from dqops.cleaners.numbers import ParseNumbers, TameOutliers
from dqops.cleaners.rows import DropRepeats, Relabel
from dqops.cleaners.suggested import WriteSuggestion
from dqops.errors import ModelError
from dqops.models import make_splits, subsample
from dqops.propagation.retrain import EFFORTS, FOLDS, Option, Retrain, ranked
from dqops.propagation.twins import dirt_of
from dqops.results.findings import Findings
from dqops.results.gain import Gains

# Repairs that compete for each kind; the winner is chosen by measured gain, never by taste.
RIVALS = {
    "formats": (ParseNumbers("blank"), ParseNumbers("clip"), WriteSuggestion()),
    "outliers": (TameOutliers("blank"), TameOutliers("clip")),
    "missing": (EmptyDisguised(), FillTypical(), FillPredicted()),
    "categories": (WriteSuggestion(), WriteSuggestion(empty_rest=True)),
    "rules": (WriteSuggestion(), WriteSuggestion(empty_rest=True)),
    "duplicates": (DropRepeats(),),
    "labels": (Relabel(), Relabel(drop=True)),
}


def options_of(finding, table):
    """The repairs that compete for one finding, as `Option`; none where dqops knows no repair."""
    if finding.whole:
        return []
    target = finding.column == table.roles.target
    if target != (finding.kind == "labels") or (finding.column is not None and not target and finding.column not in table.features):
        return []
    number = finding.column in table.meanings and table.meanings[finding.column].kind == "number"
    rivals = [one for one in RIVALS.get(finding.kind, ()) if number or not isinstance(one, ParseNumbers | TameOutliers)]
    return [Option(finding.id, ((one, finding.kind, finding.column),)) for one in rivals]


def leaks_of(findings):
    """Columns that surely give the target away."""
    return tuple(one.column for one in findings.of_kind("leakage") if one.whole and one.score >= 0.5)


def price(table, findings, design, detectors, effort, *, holdout=None, n_jobs=1, max_seconds=None, tell):
    """Baseline, gains and warnings; leaking columns are set aside first where the model can do without them.

    Parameters
    ----------
    table : Table
    findings : Findings
    design : Design
    detectors : dict of str to Detector
        Unfitted; they are fitted anew on the training rows of each split.
    effort : {"quick", "standard", "thorough"}
    holdout : Table or None
        Rows that judge instead of cross-validation.
    """
    work = EFFORTS[effort]
    priced = subsample(table, work.rows, design.seed)
    pricer = Retrain(n_jobs=n_jobs, max_seconds=max_seconds)
    leaks, notes = leaks_of(findings), []
    honest = _without(priced, leaks)
    if leaks and not _can_do_without(honest, design):
        notes.append(f"the model needs {_listed(leaks)}, so gains are measured with the answer given away")
        honest, leaks = priced, ()
    own = _on(priced, table, findings)
    doubts = [(one, options_of(one, honest), dirt_of(one, honest)) for one in own]
    splits = _splits(honest, holdout and _without(holdout, leaks), design, work)
    outcome = pricer.price(honest, doubts, design, splits, work, detectors=detectors, tell=tell)
    gains, baseline = outcome.gains, outcome.baseline
    if leaks:
        overstated, lost = _price_leaks(priced, leaks, findings, design, work, pricer, detectors, holdout, tell)
        baseline = replace(baseline, set_aside=leaks, with_set_aside=overstated)
        gains = lost + gains
    if priced.n_rows < table.n_rows:
        notes.append(f"prices were measured on {priced.n_rows} of {table.n_rows} rows, sampled with seed {design.seed}")
    return baseline, gains, ranked(findings, gains), (*outcome.warnings, *notes)


def _price_leaks(table, leaks, findings, design, work, pricer, detectors, holdout, tell):
    """The score with the leaks in, and what each of them overstates when it is the only one."""
    quick = replace(work, screened=0, twins=0, repeats=1)
    gains = Gains()
    for leak in leaks:
        others = tuple(one for one in leaks if one != leak)
        alone = _without(table, others)
        finding = findings[f"leakage:{leak}"]
        option = Option(finding.id, ((DropColumn(), "leakage", leak),))
        splits = _splits(alone, holdout and _without(holdout, others), design, quick)
        gains += pricer.price(alone, [(finding, [option], None)], design, splits, quick, detectors=detectors, tell=tell).gains
    splits = _splits(table, holdout, design, quick)
    whole = pricer.price(table, [], design, splits, quick, detectors=detectors, tell=tell).baseline
    return whole.as_estimate(), gains


def _splits(table, holdout, design, work):
    """By repeat, the rows to train on and to judge on; with a holdout, its parts judge in turn."""
    repeats = work.repeats + 2
    inside = make_splits(table, design.task, folds=FOLDS, repeats=repeats, seed=design.seed)
    if holdout is not None:
        outside = make_splits(holdout, design.task, folds=FOLDS, repeats=repeats, seed=design.seed)
        inside = [replace(one, test=other.test) for one, other in zip(inside, outside, strict=True)]
    judge = table if holdout is None else holdout
    rounds = [[] for _ in range(repeats)]
    for split in inside:
        rounds[split.repeat].append((split, table.take(split.train), judge.take(split.test)))
    return rounds


def _on(priced, table, findings):
    """The findings in the rows that are priced, by their positions there."""
    if priced.n_rows == table.n_rows:
        return findings
    return Findings(tuple(one.on_rows(priced.row_ids) for one in findings))


def _without(table, columns):
    return table.with_roles(ignored=(*table.roles.ignored, *columns)) if columns else table


def _can_do_without(table, design):
    try:
        design.model.fit(table.take(range(min(table.n_rows, 500))), seed=design.seed)
    except ModelError:
        return False
    return True


def _listed(names):
    return ", ".join(repr(one) for one in names)
