"""Price findings: which repairs there are for each, on which rows they are measured."""

from dataclasses import replace
from functools import partial
from importlib.metadata import version

from dqops.cleaners.columns import DropColumn
from dqops.errors import DataError, ModelError
from dqops.models import (
    Design,
    agreed_task,
    check_scoring,
    classes_of,
    doubts_of_target,
    resolve_model,
    subsample,
    task_of,
)
from dqops.propagation.affordable import affordable
from dqops.propagation.effort import EFFORTS, FOLDS
from dqops.propagation.finished import Finished, run_key
from dqops.propagation.paired import PairedPricer
from dqops.propagation.ranking import ranked
from dqops.propagation.trial import Option
from dqops.propagation.twins import label_twin, twin_of
from dqops.results.findings import Findings
from dqops.results.gain import Gains
from dqops.seeds import stream
from dqops.strategies.library import options_of


def design_of(table, *, model, scoring, seed, effort, allow_pickle, holdout):
    """The experiment: task, model made ready for this table, scorer.

    Raises
    ------
    DqopsError
        Where the model, the scorer or the target cannot be used.
    """
    if not any(table.frame[name].is_not_null().any() for name in table.features):
        raise DataError("no column but the target holds anything to predict from" if table.n_rows else "the table has no rows", "features")
    named = resolve_model(model, task_of(table), seed=seed, allow_pickle=allow_pickle)
    task = agreed_task(table, named.task, named.name)
    ready = named.prepared(table)
    ready = replace(ready, notes=(*ready.notes, *doubts_of_target(table, task)))
    n_classes = len(classes_of(table)) if task == "classification" else 2
    scoring = check_scoring(scoring, task, n_classes)
    return Design(task=task, model=ready, scoring=scoring, seed=seed, effort=effort, holdout=holdout, max_rows=EFFORTS[effort].rows)


def leaks_of(findings):
    """Columns that surely give the target away."""
    return tuple(one.column for one in findings.of_kind("leakage") if one.whole and one.score >= 0.5)


def price_findings(table, findings, design, detectors, effort, *, holdout=None, n_jobs=1, max_seconds=None, keep=None, tell):
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
    keep : path or None
        Folder in which finished fits are kept, and looked for.
    """
    work = EFFORTS[effort]
    priced = subsample(table, work.rows, design.seed)
    kept = None if keep is None else Finished(keep, _run_key(priced, holdout, design, findings, detectors, effort))
    pricer = PairedPricer(n_jobs=n_jobs, max_seconds=max_seconds, kept=kept)
    leaks, notes = leaks_of(findings), []
    honest = _without(priced, leaks)
    if leaks and not _can_do_without(honest, design):
        notes.append(f"the model needs {_listed(leaks)}, so gains are measured with the answer given away")
        honest, leaks = priced, ()
    own = _on(priced, table, findings)
    doubts = [(one, options_of(one, honest)) for one in own]
    work = affordable(work, honest, design)
    splits = _splits(honest, holdout and _without(holdout, leaks), design, work)
    noise = design.label_noise(honest) if any(one.kind == "labels" for one in own) else None
    twin_for = partial(_twin, own, honest, noise, design.seed)
    outcome = pricer.price(doubts, design, splits, work, detectors=detectors, n_rows=priced.n_rows, twin_for=twin_for, noise=judging_noise(honest, design) if noise else None, tell=tell)
    gains, baseline = outcome.gains, replace(outcome.baseline, judged_on=_judges(honest, holdout))
    if "labels" in detectors:
        baseline = design.against_true_labels(honest, baseline)
    if leaks:
        overstated, lost = _price_leaks(priced, leaks, findings, design, pricer, holdout, tell)
        baseline = replace(baseline, set_aside=leaks, with_set_aside=overstated)
        gains = lost + gains
    if priced.n_rows < table.n_rows:
        notes.append(f"prices were measured on {priced.n_rows} of {table.n_rows} rows, sampled with seed {design.seed}")
    return baseline, gains, ranked(findings, gains), (*outcome.warnings, *notes)


def _run_key(table, holdout, design, findings, detectors, effort):
    """What finished fits hang on: where any of it differs, they are made anew."""
    found = [(one.id, one.count, round(one.score, 9)) for one in findings]
    versions = [version(name) for name in ("dqops", "numpy", "polars", "scikit-learn", "skrub")]
    return run_key((table, holdout), design, found, list(detectors.values()), effort, versions)


def _twin(findings, table, noise, seed, ids, draw):
    """Rows without the dirt of these findings, and the same rows with it planted; None where that cannot be."""
    name = ids[0] if len(ids) == 1 else "all"
    rng, groups = stream(seed, f"plant:{name}:{draw}"), [findings[id] for id in ids]
    if noise is not None and name != "all" and groups[0].kind == "labels":
        return label_twin(groups[0], table, noise, rng)
    return twin_of(groups, table, rng, name)


def judging_noise(table, design):
    """The label noise, where it can be taken out of gains: plain accuracy, judged on rows that may be noisy."""
    noisy = design.scoring == "accuracy" and design.holdout is None and not table.trusted().any()
    return design.label_noise(table) if noisy else None


def _judges(table, holdout):
    if holdout is not None:
        return "holdout"
    return "trusted rows" if table.trusted().any() else "cross-validation"


def _price_leaks(table, leaks, findings, design, pricer, holdout, tell):
    """The score with the leaks in, and what each of them overstates when it is the only one."""
    work, pricer = replace(EFFORTS["quick"], fits=1000), replace(pricer, kept=None)  # other columns: what is kept is not theirs
    gains = Gains()
    for leak in leaks:
        others = tuple(one for one in leaks if one != leak)
        alone, judge = _without(table, others), holdout and _without(holdout, others)
        finding = findings[f"leakage:{leak}"]
        option = Option(finding.id, ((DropColumn(), "leakage", leak),))
        doubts = [(finding, [option])]
        gains += pricer.price(doubts, design, _splits(alone, judge, design, work), work, detectors={}, n_rows=table.n_rows, tell=tell).gains
    whole = pricer.price([], design, _splits(table, holdout, design, work), work, detectors={}, n_rows=table.n_rows, tell=tell)
    return whole.baseline.as_estimate(), gains


def without_leaks(table, holdout, findings):
    """The table and the holdout without columns that surely give the target away, where anything is left."""
    leaks = leaks_of(findings)
    if not leaks or set(table.features) <= set(leaks):
        return table, holdout
    return _without(table, leaks), holdout and _without(holdout, leaks)


def _splits(table, holdout, design, work):
    """By repeat, the rows to train on and to judge on; with a holdout, its parts judge in turn."""
    repeats = work.rounds + 2
    judge = table if holdout is None else holdout
    rounds = [[] for _ in range(repeats)]
    for split, other in design.judged_splits(table, holdout, folds=FOLDS, repeats=repeats):
        rounds[split.repeat].append((split, table.take(split.train), judge.take(other.test)))
    return rounds


def _on(priced, table, findings):
    """The findings in the rows that are priced, by their positions there."""
    if priced.n_rows == table.n_rows:
        return findings
    return Findings(tuple(one.on_rows(priced.row_ids) for one in findings))


def _without(table, columns):
    return table.with_roles(ignored=(*table.roles.ignored, *columns)) if columns else table


def _can_do_without(table, design):
    if design.model.named or not table.features:
        return bool(table.features)
    try:
        design.model.fit(table.take(range(min(table.n_rows, 500))), seed=design.seed)
    except ModelError:
        return False
    return True


def _listed(names):
    return ", ".join(repr(one) for one in names)
