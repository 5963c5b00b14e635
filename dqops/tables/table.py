"""A table: recorded cells, row ids, the roles of its columns, and what the cells mean."""

import hashlib
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

import numpy as np
import polars as pl

from dqops.errors import DataError, OptionError, UnknownColumnError
from dqops.tables.meaning import meaning_of
from dqops.tables.repeats import hashed


@dataclass(frozen=True)
class Roles:
    """Which column plays which part.

    Parameters
    ----------
    target : str or None
        What the model predicts.
    key : str or None
        Identifies a row; becomes the row id and is not offered to the model.
    time : str or None
        Splits go forward in it.
    group : str or None
        Rows of one group stay on one side of a split.
    ignored : tuple of str
        Columns that nobody looks at.
    weight : str or None
        Sample weight, 0 or more.
    trusted : str or None
        Column whose true rows are known to be clean.
    """

    target: str | None = None
    key: str | None = None
    time: str | None = None
    group: str | None = None
    ignored: tuple[str, ...] = ()
    weight: str | None = None
    trusted: str | None = None

    def check(self, columns, source):
        """Raise `UnknownColumnError` for a role that names no column."""
        for one in fields(self):
            named = getattr(self, one.name)
            for name in named if isinstance(named, tuple) else (named,):
                if name is not None and name not in columns:
                    raise UnknownColumnError(one.name, name, columns, source)
        self._check_target()

    def _check_target(self):
        """The target plays no second part: a split or a weight that knows it would give it away."""
        for one in fields(self):
            named = getattr(self, one.name)
            if one.name != "target" and self.target is not None and self.target in (named if isinstance(named, tuple) else (named,)):
                role = {"ignored": "ignore"}.get(one.name, one.name)
                raise OptionError(role, self.target, "a column other than the target")

    def aside(self):
        """Columns that are not features: all roles but the time, which a model may use."""
        return {self.target, self.key, self.group, self.weight, self.trusted, *self.ignored} - {None}


@dataclass(frozen=True, eq=False)
class Table:
    """Rows as they were recorded, with ids and roles. Never changed in place.

    Parameters
    ----------
    frame : polars.DataFrame
        Cells typed the way the usual readers type them: what a model is given today.
    raw : polars.DataFrame
        The same columns and rows as they stood in the source; text where the source is text, else `frame`.
    row_ids : polars.Series
        One id a row, Int64 or String; they cross every border, positions do not.
    roles : Roles
    name : str
        The source, for messages.
    flavour : {"pandas", "polars"}
        Kind of frame that the user's pipeline is given.
    warnings : tuple of str
        What reading had to decide.
    given : pandas.DataFrame, polars.DataFrame or None
        The frame that the table was read from, in the dtypes that the user chose; None for any part of it.
    """

    frame: pl.DataFrame
    raw: pl.DataFrame
    row_ids: pl.Series
    roles: Roles = field(default_factory=Roles)
    name: str = "the table"
    flavour: str = "pandas"
    warnings: tuple[str, ...] = ()
    given: object = None

    def __post_init__(self):
        self.roles.check(self.frame.columns, self.name)
        if len(self.row_ids) != self.frame.height:
            raise DataError(f"{len(self.row_ids)} row ids for {self.frame.height} rows", "one id a row")

    @property
    def n_rows(self):
        return self.frame.height

    @property
    def columns(self):
        """All columns, in the order of the source."""
        return self.frame.columns

    @cached_property
    def searched(self):
        """Columns that detectors look at: all but the ignored, the key, the weight and the trusted mark."""
        aside = {self.roles.key, self.roles.weight, self.roles.trusted, *self.roles.ignored}
        return [name for name in self.frame.columns if name not in aside]

    @cached_property
    def features(self):
        """Columns offered to the model."""
        aside = self.roles.aside()
        return [name for name in self.frame.columns if name not in aside]

    @cached_property
    def meanings(self):
        """How a person reads each searched column: ``{name: Meaning}``."""
        return {name: meaning_of(name, self.raw[name], self.frame[name]) for name in self.searched}

    @cached_property
    def fingerprint(self):
        """Hash of names and cells, whatever the order of rows; 32 hexadecimal digits."""
        text = hashlib.sha256("\x1f".join(self.frame.columns).encode())
        if self.frame.width and self.frame.height:
            text.update(np.sort(self.hashed.rows).tobytes())
        return text.hexdigest()[:32]

    @cached_property
    def hashed(self):
        """`Hashed` cells of all columns: what of them the fingerprint, repeats and counts of distinct values share."""
        return hashed(self.frame)

    def take(self, positions):
        """The table of these row positions, in this order."""
        positions = np.asarray(positions, dtype=np.int64)
        frame = self.frame[positions]
        raw = frame if self.raw is self.frame else self.raw[positions]
        return replace(self, frame=frame, raw=raw, row_ids=self.row_ids.gather(positions), given=None)

    def with_columns(self, *columns):
        """A copy whose frame and raw cells have these columns (polars Series by name) in place of the old ones."""
        frame = self.frame.with_columns(*columns)
        raw = frame if self.raw is self.frame else self.raw.with_columns(*columns)
        return replace(self, frame=frame, raw=raw, given=None)

    def with_roles(self, **roles):
        """A copy with these roles changed."""
        return replace(self, roles=replace(self.roles, **roles))

    def target(self):
        """The recorded target, as a polars Series.

        Raises
        ------
        DataError
            When no column has that role.
        """
        if self.roles.target is None:
            raise DataError("no target is named", "target=, the column that the model predicts")
        return self.frame[self.roles.target]

    def trusted(self):
        """Mask of the rows known to be clean; all False without such a column."""
        if self.roles.trusted is None:
            return np.zeros(self.n_rows, dtype=bool)
        marks = self.frame[self.roles.trusted]
        if marks.dtype == pl.Boolean:
            return marks.fill_null(False).to_numpy()
        words = marks.cast(pl.String).str.to_lowercase().str.strip_chars()
        return words.is_in(["1", "1.0", "true", "t", "yes", "y"]).fill_null(False).to_numpy()
