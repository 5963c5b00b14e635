"""Every error and warning of dqops, as one tree.

::

    DqopsError
    ├── OptionError (ValueError)            a setting has a value that cannot be
    ├── UnknownNameError (LookupError)      nothing of that sort has that name
    ├── UnknownColumnError (LookupError)    the table has no such column
    ├── NameTakenError (ValueError)         two plug-ins claim one name
    ├── MissingExtraError (ImportError)     an optional package is needed
    ├── SourceError (ValueError)            a source cannot be read
    ├── DataError (ValueError)              the data cannot be used for this
    ├── ModelError (RuntimeError)           the user's model failed
    ├── PlanConflictError (ValueError)      two plans change one cell
    └── OutputError (OSError)               a result cannot be written

    DqopsWarning (UserWarning)
    ├── ApproximationWarning                the answer is a sample or a bound
    └── SkippedWarning                      a step does not apply here, and why

An error knows its exit code: 2 where the call was wrong, 3 where the data or the model cannot be used.
"""

from difflib import get_close_matches


class DqopsError(Exception):
    """Root of everything that dqops raises on purpose."""

    exit_code = 3


class OptionError(DqopsError, ValueError):
    """A setting has a value that cannot be.

    >>> str(OptionError("k", 0, "an integer of 1 or more"))
    'k=0: need an integer of 1 or more'
    """

    exit_code = 2

    def __init__(self, name, value, needed):
        super().__init__(f"{name}={value!r}: need {needed}")
        self.name, self.value, self.needed = name, value, needed


class UnknownNameError(DqopsError, LookupError):
    """Nothing of that sort has that name.

    >>> str(UnknownNameError("detector", "mising", ["missing", "labels"]))
    "no detector is called 'mising'. Did you mean 'missing'? Known: labels, missing."
    """

    exit_code = 2

    def __init__(self, role, name, known):
        super().__init__(f"no {role} is called {name!r}.{_near(name, known)} Known: {', '.join(sorted(known))}.")
        self.role, self.name, self.known = role, name, tuple(sorted(known))


class UnknownColumnError(DqopsError, LookupError):
    """The table has no such column.

    >>> str(UnknownColumnError("target", "Survivd", ["Age", "Survived"], "titanic.csv"))
    "target 'Survivd' is not a column of titanic.csv. Did you mean 'Survived'? Columns: Age, Survived."
    """

    exit_code = 2

    def __init__(self, role, name, columns, source="the table"):
        shown = ", ".join(map(str, columns[:12])) + (f" and {len(columns) - 12} more" if len(columns) > 12 else "")
        super().__init__(f"{role} {name!r} is not a column of {source}.{_near(name, columns)} Columns: {shown}.")
        self.role, self.name, self.columns = role, name, tuple(columns)


class NameTakenError(DqopsError, ValueError):
    """Two plug-ins of one role claim one name."""

    def __init__(self, role, name, first, second):
        super().__init__(f"{role} {name!r} is defined by {first} and again by {second}: rename one.")
        self.role, self.name = role, name


class MissingExtraError(DqopsError, ImportError):
    """An optional package is needed for this.

    >>> str(MissingExtraError("reading Excel files", "fastexcel", "excel"))
    "reading Excel files needs the package 'fastexcel': python -m pip install 'dqops[excel]'"
    """

    exit_code = 2

    def __init__(self, purpose, package, extra):
        super().__init__(f"{purpose} needs the package {package!r}: python -m pip install 'dqops[{extra}]'")
        self.purpose, self.package, self.extra = purpose, package, extra


class SourceError(DqopsError, ValueError):
    """A source of data cannot be read.

    >>> str(SourceError("a.csv", "it is empty", "a header and at least one row"))
    'cannot read a.csv: it is empty; need a header and at least one row'
    """

    def __init__(self, source, came, needed=None):
        super().__init__(f"cannot read {source}: {came}" + (f"; need {needed}" if needed else ""))
        self.source, self.came, self.needed = source, came, needed


class DataError(DqopsError, ValueError):
    """The data cannot be used for what was asked.

    >>> str(DataError("target 'y' holds one class ('no')", "two or more classes"))
    "target 'y' holds one class ('no'); need two or more classes"
    """

    def __init__(self, came, needed):
        super().__init__(f"{came}; need {needed}")
        self.came, self.needed = came, needed


class ModelError(DqopsError, RuntimeError):
    """The user's model failed.

    >>> str(ModelError("Ridge()", "fit", ValueError("Input contains NaN.")))
    'the model Ridge() failed in fit: ValueError: Input contains NaN.'
    """

    def __init__(self, model, step, cause):
        first = " ".join(str(cause).split())
        said = f"{type(cause).__name__}: {first[:300]}" if isinstance(cause, BaseException) else first[:300]
        super().__init__(f"the model {model} failed in {step}: {said}")
        self.model, self.step, self.cause = model, step, cause

    def __reduce__(self):
        return ModelError, (self.model, self.step, str(self.cause))


class PlanConflictError(DqopsError, ValueError):
    """Two plans change one cell to different values.

    >>> str(PlanConflictError(7, "city", "rome", "oslo"))
    "two changes of row 7, column 'city': to 'rome' and to 'oslo'; need one, or prefer= to say whose stands"
    """

    def __init__(self, row, column, first, second):
        what = f"row {row!r}" if column is None else f"row {row!r}, column {column!r}"
        to = " and ".join("nothing" if one is None else one if one == _DROPPED else f"to {one!r}" for one in (first, second))
        super().__init__(f"two changes of {what}: {to}; need one, or prefer= to say whose stands")
        self.row, self.column, self.first, self.second = row, column, first, second


_DROPPED = "the row is dropped"


class OutputError(DqopsError, OSError):
    """A result cannot be written."""

    def __init__(self, path, cause):
        super().__init__(f"cannot write {path}: {cause}")
        self.path, self.cause = path, cause


class DqopsWarning(UserWarning):
    """Root of the warnings of dqops."""


class ApproximationWarning(DqopsWarning):
    """The answer is a sample or a bound, and how loose it is."""


class SkippedWarning(DqopsWarning):
    """A step does not apply here, and why."""


def _near(name, known):
    """`Did you mean` the nearest known name, or nothing."""
    names = {str(one).lower(): str(one) for one in known}
    near = get_close_matches(str(name).lower(), list(names), n=1)
    return f" Did you mean {names[near[0]]!r}?" if near else ""
