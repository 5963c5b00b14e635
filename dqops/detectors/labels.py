"""Labels, and target numbers, that the user's own model has reason to doubt."""

import warnings
from dataclasses import dataclass

import numpy as np
import polars as pl

from dqops.contracts import Detector
from dqops.errors import DataError, SkippedWarning

_REPORTED = 0.3  # doubts below are not worth a person's look
_DISAGREES = "the model, trained on other rows, is sure of another label"
_LEANS = "the model, trained on other rows, leans to another label"
_PANEL = "learners of other kinds, trained on other rows, expect another label"
_FAR = "far from what the model, trained on other rows, predicts"


@dataclass(frozen=True)
class Labels(Detector):
    """Labels scored by how surely they are wrong, from the user's model heard out of fold.

    What a sure model disagrees with is charged to wrong labels only as far as chance does not explain it: a hard
    problem is not a table of wrong labels. Numbers of a regression target are judged by their residuals against
    a heavy-tailed noise of local width. Needs a design with a model; rows marked as trusted are not doubted.

    References
    ----------
    Northcutt, Jiang, Chuang 2021, JAIR 70. arXiv:1911.00068

    Examples
    --------
    >>> Labels()
    Labels()
    """

    name = "labels"

    def fit(self, table, design, rng):
        if design is None or design.model is None or table.roles.target is None:
            return self.fitted(table=table, design=None, doubt=None, noise=None)
        try:
            doubt = design.label_doubt(table)
        except DataError as reason:
            warnings.warn(SkippedWarning(f"labels were not checked: {reason}"), stacklevel=2)
            return self.fitted(table=table, design=None, doubt=None, noise=None)
        return self.fitted(table=table, design=design, doubt=doubt, noise=design.label_noise(table))

    def find(self, table):
        if self.doubt_ is None or not table.n_rows or table.roles.target is None:
            return self.findings()
        # Rows that the model was trained on are heard out of fold; others by a model of all training rows.
        doubt = self.doubt_ if table is self.table_ else _doubt_elsewhere(self.design_, self.table_, table)
        wrong, instead, heard, shown = self._heard(table, np.where(table.trusted(), 0.0, doubt.wrong), doubt.instead)
        positions = np.flatnonzero(shown)
        if not len(positions):
            return self.findings()
        target, classes = table.roles.target, self.design_.task == "classification"
        whys = np.select([heard[positions], wrong[positions] >= 0.5], [_PANEL, _DISAGREES], _LEANS) if classes else _FAR
        suggestions = pl.Series(target, list(instead[positions]))
        message = _message(target, wrong[positions], self.noise_, classes)
        return self.findings([self.finding(table, target, positions, wrong[positions], whys, message, suggestions=suggestions)])

    def _heard(self, table, wrong, instead):
        """Doubts, what should rather stand there, which are the panel's, and which are shown: those of the user's model and what the panel alone takes for wrong.

        With rows enough that are known to be right the panel is as sure as it says, and its doubts stand in place of the model's.
        """
        shown, panel = wrong >= _REPORTED, self._panel(table) if self.design_.hears_all(table) else None
        if panel is None:
            return wrong, instead, np.zeros(table.n_rows, dtype=bool), shown
        if self.design_.knows_enough(table):
            return panel.wrong, panel.instead, np.ones(table.n_rows, dtype=bool), panel.wrong >= _REPORTED
        alone = ~shown & (panel.wrong >= 0.5)
        return wrong, np.where(alone, panel.instead, instead), alone, shown | alone

    def by_panel(self, table):
        """Labels that a panel of unlike learners takes for wrong, by how surely; none where it cannot be heard.

        A panel finds more of them than one model does, and is less shy: what comes of trusting it is for a measured gain to say.
        """
        panel = None if self.doubt_ is None or not table.n_rows else self._panel(table)
        positions = np.empty(0, dtype=np.int64) if panel is None else np.flatnonzero(panel.wrong >= 0.5)
        if not len(positions):
            return self.findings()
        target = table.roles.target
        suggestions = pl.Series(target, list(panel.instead[positions]))
        message = _message(target, panel.wrong[positions], None, True)
        return self.findings([self.finding(table, target, positions, panel.wrong[positions], _PANEL, message, suggestions=suggestions)])

    def _panel(self, table):
        """What the panel says of rows that it may learn from; None for others."""
        return self.design_.panel_doubt(table) if table is self.table_ else None


def _message(target, scores, noise, classes):
    sure = int((scores >= 0.5).sum())
    what = "labels are" if classes else "target values are"
    text = f"{sure} {what} probably wrong" if sure else f"{len(scores)} {what} doubtful, none probably wrong"
    if noise is None:
        return f"{target}: {text}"
    return f"{target}: {text}; of all labels about {noise.rate:.1%} are wrong ({noise.low:.1%} to {noise.high:.1%})"


def _doubt_elsewhere(design, table, other):
    """Late, since it brings all of scikit-learn: a mere search starts without."""
    from dqops.models.doubt import doubt_elsewhere

    return doubt_elsewhere(design, table, other)
