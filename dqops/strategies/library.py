"""The library of repairs: what competes to resolve a finding."""

import polars as pl

import dqops.cleaners  # noqa: F401  (registers the cleaners)
from dqops.cleaners.impute import EmptyDisguised, FillPredicted, FillTypical
from dqops.cleaners.numbers import ParseNumbers, TameOutliers
from dqops.cleaners.rows import DropDoubtful, DropRepeats, Relabel
from dqops.cleaners.suggested import WriteSuggestion
from dqops.propagation.trial import Option

# Repairs that compete for each kind; the winner is chosen by measured gain, never by taste.
RIVALS = {
    "formats": (ParseNumbers("blank"), ParseNumbers("predict"), WriteSuggestion()),
    "outliers": (TameOutliers("blank"), TameOutliers("predict")),
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
    rivals = [one for one in RIVALS.get(finding.kind, ()) if _suits(one, number, finding, table)]
    return [Option(finding.id, _steps(one, finding)) for one in rivals]


def _steps(cleaner, finding):
    """The repair, and where wild numbers were joined to a group of typos, what is done with them."""
    first = (cleaner, finding.kind, finding.column)
    if "outliers" in finding.also and isinstance(cleaner, ParseNumbers):
        return first, (TameOutliers(cleaner.wild), "outliers", finding.column)
    return (first,)


def _suits(cleaner, number, finding, table):
    """Whether the repair can do anything here that another does not do."""
    if isinstance(cleaner, ParseNumbers):
        return number and table.frame[finding.column].dtype == pl.String
    if isinstance(cleaner, TameOutliers):
        return number
    if isinstance(cleaner, EmptyDisguised):
        return finding.values is not None and bool(table.frame[finding.column].gather(finding.positions).is_not_null().any())
    return finding.kind != "formats" or (not number and finding.suggestions is not None)


def options_with_discard(finding, table):
    """The same, and to leave the doubtful rows out of training where the finding is about cells of a feature."""
    options = options_of(finding, table)
    if not options or finding.kind not in DropDoubtful.kinds:
        return options
    return [*options, Option(finding.id, ((DropDoubtful(), finding.kind, finding.column),))]
