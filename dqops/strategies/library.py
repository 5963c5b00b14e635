"""The library of repairs: what competes to resolve a finding."""

import polars as pl

import dqops.cleaners  # noqa: F401  (registers the cleaners)
from dqops.cleaners.impute import EmptyColumn, EmptyDisguised, FillPredicted, FillTypical
from dqops.cleaners.neighbours import FillDonors
from dqops.cleaners.numbers import ParseNumbers, TameOutliers
from dqops.cleaners.rows import DropDoubtful, DropRepeats, MendTarget, Relabel
from dqops.cleaners.suggested import WriteSuggestion
from dqops.models.panel_doubt import MOST_CLASSES
from dqops.models.targets import task_of
from dqops.propagation.trial import Option

# Repairs that compete for each kind; the winner is chosen by measured gain, never by taste.
RIVALS = {
    "formats": (ParseNumbers("blank"), ParseNumbers("predict"), WriteSuggestion(), WriteSuggestion(empty_rest=True)),
    "outliers": (TameOutliers("blank"), TameOutliers("predict")),
    "missing": (EmptyDisguised(), FillTypical(), FillPredicted(), FillDonors(), EmptyColumn()),
    "categories": (WriteSuggestion(), WriteSuggestion(empty_rest=True)),
    "rules": (WriteSuggestion(), WriteSuggestion(empty_rest=True)),
    "duplicates": (DropRepeats(),),
    "labels": (Relabel(), Relabel(drop=True), Relabel(panel=True), Relabel(drop=True, panel=True)),
}
# The same for doubts that are not about how likely a label is, but how it is written.
ON_TARGET = (MendTarget(), MendTarget(drop=True))
_MANY = 0.1  # of a column empty, from which it matters whether what fills it is as varied as what is known
_MOST = 0.5  # of a column empty, from which the model may do better without it


def options_of(finding, table):
    """The repairs that compete for one finding, as `Option`; none where dqops knows no repair."""
    if finding.whole:
        return []
    target = finding.column == table.roles.target
    if target and finding.kind in MendTarget.kinds:
        return [Option(finding.id, ((one, finding.kind, finding.column),)) for one in _on_target(finding)]
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


def _on_target(finding):
    """Both, where something can be corrected."""
    return ON_TARGET if finding.suggestions is not None and finding.suggestions.is_not_null().any() else ON_TARGET[1:]


def _suits(cleaner, number, finding, table):
    """Whether the repair can do anything here that another does not do."""
    if isinstance(cleaner, ParseNumbers):
        return number and table.frame[finding.column].dtype == pl.String
    if isinstance(cleaner, TameOutliers):
        return number
    if isinstance(cleaner, Relabel):
        return cleaner.panel == _heard_by_panel(table)
    if isinstance(cleaner, EmptyDisguised):
        return finding.values is not None and bool(table.frame[finding.column].gather(finding.positions).is_not_null().any())
    if isinstance(cleaner, FillDonors | EmptyColumn):
        return finding.share > (_MANY if isinstance(cleaner, FillDonors) else _MOST)
    return finding.kind != "formats" or (not number and (cleaner.empty_rest or finding.suggestions is not None))


def _heard_by_panel(table):
    """Whether labels are classes, not too many of them: then a panel finds more wrong ones than the model alone."""
    return task_of(table) == "classification" and table.target().n_unique() <= MOST_CLASSES


def options_with_discard(finding, table):
    """The same, and to leave the doubtful rows out of training where the finding is about cells of a feature."""
    options = options_of(finding, table)
    if not options or finding.kind not in DropDoubtful.kinds:
        return options
    return [*options, Option(finding.id, ((DropDoubtful(), finding.kind, finding.column),))]
