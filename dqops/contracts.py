"""What a plug-in writes: one method each, the base class does the rest."""

from copy import copy
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import ClassVar

import numpy as np
import polars as pl

from dqops.errors import NameTakenError, UnknownNameError
from dqops.results.findings import Finding, Findings

# Where the parts of each role live that come with dqops: loaded by name when they are asked for, as those of other packages are.
_ROOMS = {
    "detector": "detectors",
    "cleaner": "cleaners",
    "valuer": "valuers",
    "propagator": "propagation.propagators",
    "corruption": "propagation.corruptions",
    "strategy": "strategies",
}


class Plugin:
    """A part with visible parameters that registers itself under its name.

    A role is opened by ``class Detector(Plugin, role="detector")``; each subclass with a `name` is then known
    to that role. Plug-ins are frozen dataclasses: their repr is their configuration. `fitted` returns a copy
    that carries what was learned in attributes that end in an underscore.
    """

    name: str = ""
    role: str = ""
    _known: dict

    def __init_subclass__(cls, role=None, **kwargs):
        super().__init_subclass__(**kwargs)
        if role is not None:
            cls.role, cls._known = role, {}
            return
        if not cls.name:
            return
        other = cls._known.setdefault(cls.name, cls)
        if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise NameTakenError(cls.role, cls.name, other.__module__, cls.__module__)
        cls._known[cls.name] = cls

    @classmethod
    def known(cls):
        """Classes of this role by name, those of installed packages included.

        Packages outside dqops add theirs through the entry-point group ``dqops.plugins``.
        """
        _load_own(cls.role)
        _load_installed()
        return dict(sorted(cls._known.items()))

    @classmethod
    def named(cls, name):
        """The class of that name.

        Raises
        ------
        UnknownNameError
            With the nearest name that exists.
        """
        known = cls.known()
        if name not in known:
            raise UnknownNameError(cls.role, name, known)
        return known[name]

    def fitted(self, **learned):
        """A copy that carries what was learned, each under its name and an underscore."""
        twin = copy(self)
        for name, value in learned.items():
            object.__setattr__(twin, f"{name}_", value)
        return twin


class Detector(Plugin, role="detector"):
    """Fitted on a reference, finds where any table with those columns is doubtful.

    A subclass is a frozen dataclass with `name`, `fit` and `find`. Scores are probabilities: of the cells with
    score 0.8 about 80% should be wrong.
    """

    def fit(self, table, design, rng):
        """Learn what is usual. `design` tells the task and the model (see `dqops.models.Design`)."""
        return self.fitted()

    def find(self, table):
        """Doubts in `table`, judged by what was learned; also at serving time, batch by batch."""
        raise NotImplementedError

    def fit_find(self, table, design, rng):
        """Doubts in the training data itself; cross-fitted where that matters."""
        return self.fit(table, design, rng).find(table)

    def finding(self, table, column, positions, scores, whys, message, *, suggestions=None, related=None, whole=False):
        """One `Finding` of this detector's kind.

        Parameters
        ----------
        table : Table
        column : str or None
            None where whole rows are doubtful.
        positions : int64 (count,)
            Row positions in `table`; empty where `whole`.
        scores : float or float64 (count,)
            Probability of being wrong, in [0, 1].
        whys : str or sequence of str (count,)
            What is odd about each cell, from a small set of sentences.
        message : str
            One sentence on the group, without raw values.
        suggestions : polars.Series (count,), optional
            The likeliest true value where the detector knows it, null where it does not.
        related : int64 (count,), optional
            Position of the row that this one repeats or contradicts, -1 for none.
        whole : bool
            The column as a whole is the finding.
        """
        positions = np.asarray(positions, dtype=np.int64)
        order = np.argsort(positions, kind="stable")
        positions = positions[order]
        scores = np.broadcast_to(np.asarray(scores, dtype=np.float64), order.shape if not whole else (1,))
        reasons, codes = _reasons(whys, len(order))
        return Finding(
            kind=self.name,
            column=column,
            positions=positions,
            rows=table.row_ids.gather(positions),
            scores=scores if whole else scores[order],
            values=_values(table, column, positions),
            suggestions=None if suggestions is None else pl.Series(suggestions).gather(order),
            reasons=reasons,
            reason_codes=codes[order] if len(codes) else codes,
            related=None if related is None else np.asarray(related, dtype=np.int64)[order],
            message=message,
            n_rows=table.n_rows,
            whole=whole,
        )

    def findings(self, groups=()):
        """`Findings` of these groups; empty ones are left out."""
        return Findings(tuple(one for one in groups if one is not None and (one.whole or one.count)))


class Cleaner(Plugin, role="cleaner"):
    """Fitted on training rows, repairs any table with those columns alike.

    A subclass names the `kinds` of findings that it repairs. `fit` receives the fitted detector that found the
    group, so that the same doubts are found again at serving. A cleaner with ``on_rows = True`` changes or
    drops training rows (duplicates, labels) and is never applied at serving. `unasked` says why it changes cells
    that the detector does not doubt.
    """

    kinds: tuple[str, ...] = ()
    on_rows: bool = False
    unasked: ClassVar[str] = "far beyond the usual range of its column"

    def fit(self, table, detector, column, rng):
        """Learn the repair of `column` from `table`; `detector` is fitted on the same rows."""
        return self.fitted(detector=detector, column=column)

    def repair(self, table):
        """A copy of `table` with the doubtful cells of the column repaired, or rows dropped or relabelled."""
        raise NotImplementedError

    def action(self):
        """What it does, as an order to a person: ``parse 'ounces' as numbers``."""
        raise NotImplementedError

    def sureness(self, table, positions):
        """Probability that what it writes into these cells of `table` is right, where they were wrong.

        Parameters
        ----------
        table : Table
            As it was before the repair.
        positions : int64 (m,)

        Returns
        -------
        float or float64 (m,)
        """
        return 1.0


class Valuer(Plugin, role="valuer"):
    """Tells what each training row is worth to a model.

    A subclass is a frozen dataclass with `name` and `value`. It says which `tasks` it is for, and with
    ``needs_holdout = False`` that rows are judged by the other training rows, so that no holdout is given.
    """

    tasks: tuple[str, ...] = ("classification", "regression")
    needs_holdout: bool = True

    def value(self, train, holdout, model, rng):
        """`Valuation` of the rows of `train`, with their ids, positive where the row helps.

        Parameters
        ----------
        train, holdout : Table
            Rows whose target is known; `holdout` is None where the valuer needs none.
        model : Model
            Made ready for the table (`Model.prepared`).
        rng : numpy.random.Generator
        """
        raise NotImplementedError


class Propagator(Plugin, role="propagator"):
    """Pushes doubts through training and scoring to gains with intervals.

    A subclass is a frozen dataclass with `name` and `price`; `refusal` says which models it cannot follow. Gains of all
    propagators mean the same: they differ in cost and in how they are sure.
    """

    def refusal(self, design):
        """Why the model of this design cannot be followed, as a sentence; nothing where it can."""
        return ""

    def price(self, doubts, design, splits, rng):
        """`Gains`, one for each doubt and arm: of its repair, and as potential of knowing the truth.

        Parameters
        ----------
        doubts : sequence of Doubt
        design : Design
            Task, model made ready for the table, scorer, seed.
        splits : list of (Split, Table, Table)
            Rows to train on and rows that judge, by split. A gain has an interval through its spread over splits.
        rng : numpy.random.Generator
        """
        raise NotImplementedError


class Corruption(Plugin, role="corruption"):
    """Plants errors of one kind at a stated rate."""

    def corrupt(self, table, rate, rng):
        raise NotImplementedError


class Strategy(Plugin, role="strategy"):
    """Tells what to ask a person next.

    A subclass has a `name` and `rank`, and says which `tasks` it is for. Its parameters are those of a dataclass; what
    it learns from answers it remembers itself, so that one object goes with one round of cleaning.
    """

    tasks: tuple[str, ...] = ("classification", "regression")

    def rank(self, table, model, holdout, rng):
        """`Ranking` of the doubts of `table`, those to resolve first first.

        Parameters
        ----------
        table : Table
            As it is known now: answers are written in.
        model : Model
            Made ready for the table (`Model.prepared`).
        holdout : Table or None
            Rows that are known to be clean, to judge by; never those that a result is judged on.
        rng : numpy.random.Generator

        Raises
        ------
        OptionError
            Where the strategy cannot serve this model or these rows, and has no surrogate.
        """
        raise NotImplementedError

    def tell(self, row, column, value):
        """Hear an answer: the true value of a cell, or of a whole record (`column` None, a dict by column); returns itself."""
        return self

    def repaired(self, table, model, holdout, rng):
        """What the model should be fitted on now, as a `Table`: the rows as they are, unless the strategy repairs some by itself.

        Asked for after `rank`, and again after answers. What was answered stays as it was answered, columns keep their dtypes, and
        rows may be left out, but none is added. Parameters are those of `rank`.
        """
        return table


@cache
def _load_own(role):
    """Import the room of a role, once."""
    if role in _ROOMS:
        import_module(f"dqops.{_ROOMS[role]}")


@cache
def _load_installed():
    """Import the plug-ins of installed packages, once."""
    for entry in entry_points(group="dqops.plugins"):
        entry.load()


def _reasons(whys, count):
    """Distinct sentences and, for each finding, which of them."""
    if isinstance(whys, str):
        return (whys,), np.zeros(count, dtype=np.int32)
    reasons, codes = np.unique(np.asarray(whys, dtype=object).astype(str), return_inverse=True)
    return tuple(reasons.tolist()), codes.astype(np.int32)


def _values(table, column, positions):
    """Recorded text of the doubtful cells, null where a cell is empty."""
    if column is None or not len(positions):
        return None
    return table.raw[column].gather(positions).cast(pl.String, strict=False)
