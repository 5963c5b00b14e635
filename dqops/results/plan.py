"""A cleaning plan: every change that is to be made, why, by whom and how surely, so that each can be taken back."""

from dataclasses import dataclass, field, replace
from importlib import import_module

import polars as pl

from dqops.errors import OptionError, PlanConflictError, SourceError, UnknownColumnError
from dqops.files import read_parts, write_parts

SCHEMA_VERSION = "1.0"
INDEX = "plan.json"
_TRAIL = {"kind": pl.String, "cleaner": pl.String, "why": pl.String, "confidence": pl.Float64, "who": pl.String, "when": pl.Datetime("us")}
CHANGES = {"position": pl.Int64, "column": pl.String, "before": pl.String, "after": pl.String, **_TRAIL}
DROPPED = {"position": pl.Int64, **_TRAIL}
SPELLED = {"column": pl.String, "text": pl.String}
_TOLD = ("row", "column", "before", "after", "cleaner", "why", "confidence", "who", "when")
_SIDES = ("first", "second", "surer")


def empty_lines(schema, ids=pl.Int64):
    """No lines, with row ids of that dtype first.

    >>> empty_lines(SPELLED).columns
    ['row', 'column', 'text']
    """
    return pl.DataFrame(schema={"row": ids, **schema})


@dataclass(frozen=True, eq=False, repr=False)
class CleaningPlan:
    """Every change to a table, cell by cell with its reason, and the rows to drop.

    Deciding and doing are two calls: a plan changes nothing until `apply`, and `undo` takes it back exactly.

    Parameters
    ----------
    data : dict
        name, rows, columns, fingerprint of the table that it is for; numbered: row ids are positions.
    changes : polars.DataFrame
        One line a cell: row, position, column, before, after, kind, cleaner, why, confidence, who, when. `before` and `after`
        are the text of the cell, null where it is empty; `types` tells what the text stands for.
    dropped : polars.DataFrame
        One line a row that is left out: row, position, kind, cleaner, why, confidence, who, when.
    types : dict of str to dict
        For each changed column ``{"before": dtype, "after": dtype, "kind": kind of finding}``.
    spelled : polars.DataFrame
        row, column, text: how unchanged cells of a column that becomes numbers were spelled, where the number
        alone does not tell.
    cells : polars.DataFrame or None
        The dropped rows as they stood, in the order of `dropped`.
    steps : tuple of dict
        The repairs in the order in which they are made: cleaner, settings, kind, column.
    repairs : tuple of dict
        What was weighed: finding, action, applied, why, and the measured gain where there is one.
    settings, versions : dict
    warnings : tuple of str
    kept : dict of str to bytes
        What exact undoing needs beyond the cells where the source is a file or a frame of the user's own kind.

    Examples
    --------
    >>> from dqops.tables.io import read
    >>> table = read(pl.DataFrame({"city": ["rome", "roome", "oslo"]}))
    >>> plan = CleaningPlan.of(table, pl.DataFrame({"row": [1], "column": ["city"], "after": ["rome"]}), who="ann")
    >>> cleaned = plan.apply(table)
    >>> cleaned.frame["city"].to_list(), plan.undo(cleaned).frame["city"].to_list()
    (['rome', 'rome', 'oslo'], ['rome', 'roome', 'oslo'])
    """

    data: dict
    changes: pl.DataFrame
    dropped: pl.DataFrame
    types: dict = field(default_factory=dict)
    spelled: pl.DataFrame = field(default_factory=lambda: empty_lines(SPELLED))
    cells: pl.DataFrame | None = None
    steps: tuple = ()
    repairs: tuple = ()
    settings: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    kept: dict = field(default_factory=dict)

    def __post_init__(self):
        twice = self.changes.filter(self.changes.select("row", "column").is_duplicated())
        if twice.height:
            raise PlanConflictError(twice["row"][0], twice["column"][0], *twice["after"][:2])

    @classmethod
    def of_pieces(cls, pieces, **more):
        """The plan of parts as `dqops.tables.planned` makes them; an absent one has no lines."""
        ids = next((pieces[name]["row"].dtype for name in ("changes", "dropped") if pieces[name] is not None), pl.Int64)
        schemas = {"changes": CHANGES, "dropped": DROPPED, "spelled": SPELLED}
        frames = {name: _shaped(pieces[name], schema, ids) for name, schema in schemas.items()}
        return cls(**(pieces | frames | more))

    def __len__(self):
        """Cells changed and rows dropped."""
        return self.changes.height + self.dropped.height

    @classmethod
    def of(cls, table, cells, *, drop=(), who="user", when=None, cleaner="answer", why="told", confidence=1.0):
        """The plan that writes stated values into stated cells, such as a person's answers.

        Parameters
        ----------
        table : Table
        cells : polars.DataFrame
            row, column, after; where it has kind, cleaner, why, confidence, who or when, those count.
        drop : sequence of row ids
            Rows to leave out.
        who, when, cleaner, why, confidence
            Of the lines that do not say.

        Raises
        ------
        DataError
            A row or a column that the table does not have, or a value that its column cannot hold.
        """
        trail = {"kind": "answer", "cleaner": cleaner, "why": why, "confidence": float(confidence), "who": who, "when": when}
        return cls.of_pieces(_tables("planned").stated_pieces(table, cells, list(drop), trail)).keeping(table)

    def keeping(self, table):
        """The plan with what exact undoing needs of the frame of the user's own kind that the table was read from."""
        return _tables("changes").keeping(table, self)

    def apply(self, table):
        """A copy of the table with every change made; its own frame, where it was read from one, in `given`.

        Raises
        ------
        DataError
            When the plan is for another table.
        """
        return _tables("changes").applied(_tables("io").read(table), self)

    def undo(self, table, **chosen):
        """A copy of the cleaned table with the changes taken back: all of them, or those that `select` would choose.

        Raises
        ------
        DataError
            When a cell holds neither what the plan wrote nor what stood there before.
        """
        return self.undo_part(_tables("io").read(table), self.select(**chosen))

    def select(self, *, kind=None, column=None, row=None, who=None, cleaner=None, below=None):
        """The part of the plan that matches all that is asked for.

        Parameters
        ----------
        kind, column, row, who, cleaner : value or sequence, optional
            Any of these; a dropped row has no column, and a change that several people answered alike is by each.
        below : float, optional
            Changes less sure than this.
        """
        wanted = {"kind": kind, "column": column, "row": row, "who": who, "cleaner": cleaner}
        wanted = {name: _listed(value) for name, value in wanted.items() if value is not None}
        for name in wanted.get("column", ()):
            if name not in self.data["columns"]:
                raise UnknownColumnError("column", name, self.data["columns"], self.data["name"])
        changes, dropped = (_matching(lines, wanted, below) for lines in (self.changes, self.dropped))
        whole = not ({"row", "who", "cleaner"} & {*wanted}) and below is None
        fitting = {name for name, one in self.types.items() if whole and _fits(name, one["kind"], wanted)}
        return self._part(changes, dropped, fitting)

    def without(self, **chosen):
        """The plan that is still in force once ``undo(table, **chosen)`` was called."""
        gone = self.select(**chosen)
        return self.less(gone.changes, gone.dropped, {*self.types} - {*gone.types})

    def less(self, changes, dropped, fitting=()):
        """The plan without the cells (row, column) and the rows of these frames.

        Parameters
        ----------
        changes, dropped : polars.DataFrame
        fitting : collection of str
            Columns whose change of dtype stays although no changed cell of them does.
        """
        cells = self.changes.join(changes.select("row", "column"), on=["row", "column"], how="anti", maintain_order="left")
        rows = self.dropped.join(dropped.select("row"), on="row", how="anti", maintain_order="left")
        return self._part(cells, rows, fitting)

    def undo_part(self, table, part):
        """As `undo`, for a part that `select` or `less` gave."""
        return _tables("changes").undone(table, self, part)

    def _part(self, changes, dropped, fitting):
        """The plan of these lines, with the types of the columns that they or `fitting` name."""
        types = {name: one for name, one in self.types.items() if name in fitting or name in changes["column"]}
        kept = self.dropped["row"].is_in(dropped["row"].implode())
        return replace(
            self,
            changes=changes,
            dropped=dropped,
            types=types,
            spelled=self.spelled.filter(pl.col("column").is_in([*types])),
            cells=None if self.cells is None else self.cells.filter(kept),
        )

    def merge(self, other, *, prefer=None):
        """Both plans as one.

        Parameters
        ----------
        other : CleaningPlan
            For the same table.
        prefer : {"first", "second", "surer"}, optional
            Whose change stands where both change one cell to different values, or one drops the row. Without it
            that is an error.

        Raises
        ------
        PlanConflictError
            Naming the first such cell.
        DataError
            When the plans are for different tables.
        """
        if prefer is not None and prefer not in _SIDES:
            raise OptionError("prefer", prefer, "one of " + ", ".join(_SIDES))
        return replace(self, **_tables("planned").merged_pieces(self, other, prefer))

    def __add__(self, other):
        return self.merge(other)

    def diff(self, other):
        """Cells that the two plans would leave different.

        Returns
        -------
        polars.DataFrame
            row, column, before, first, second (what each plan writes, null where it empties the cell), status: only
            first, only second or differs. A dropped row has no column.
        """
        told = ("row", "column", "before", "after")
        first, second = (_lines(plan).select(*told, pl.lit(True).alias("here")) for plan in (self, other))
        both = first.join(second, on=["row", "column"], how="full", coalesce=True, nulls_equal=True, suffix="_second", maintain_order="left_right")
        alone = pl.when(pl.col("here").is_null()).then(pl.lit("only second")).when(pl.col("here_second").is_null()).then(pl.lit("only first"))
        return (
            both.filter(pl.col("here").is_null() | pl.col("here_second").is_null() | pl.col("after").ne_missing(pl.col("after_second")))
            .with_columns(alone.otherwise(pl.lit("differs")).alias("status"), pl.coalesce("before", "before_second").alias("before"))
            .select("row", "column", "before", pl.col("after").alias("first"), pl.col("after_second").alias("second"), "status")
        )

    def row_id(self, text):
        """The row id that a text spells.

        Raises
        ------
        OptionError
            Where ids are whole numbers and the text is none.
        """
        if self.changes["row"].dtype == pl.String:
            return str(text)
        try:
            return int(text)
        except ValueError:
            raise OptionError("row", text, f"a row id of {self.data['name']}, a whole number") from None

    def to_frame(self):
        """One line a change: row, column, before, after, cleaner, why, confidence, who, when.

        A row that is dropped comes after the cells and has no column, before or after.
        """
        return _lines(self)

    def save(self, folder):
        """Write the plan to a folder: ``plan.json`` (see ``docs/plan.schema.json``) and Parquet files that it names.

        The folder changes as a whole or not at all. It holds cells of the table: keep it as you keep the table.

        Raises
        ------
        OutputError
            When it cannot be written.
        """
        parts = {"changes.parquet": self.changes, "dropped.parquet": self.dropped, "spelled.parquet": self.spelled}
        if self.cells is not None:
            parts["cells.parquet"] = self.cells
        write_parts(folder, INDEX, self.to_dict(), parts | {f"kept.{name}": data for name, data in self.kept.items()})

    def to_dict(self):
        """What ``plan.json`` holds, as plain values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "data": self.data,
            "changed": self.changes.height,
            "dropped": self.dropped.height,
            "types": self.types,
            "steps": list(self.steps),
            "repairs": list(self.repairs),
            "settings": self.settings,
            "versions": self.versions,
            "warnings": list(self.warnings),
        }

    @classmethod
    def load(cls, folder):
        """The plan that `save` wrote to that folder.

        Raises
        ------
        SourceError
            When the folder holds no plan, or one that is damaged.
        """
        needed = "a folder that CleaningPlan.save or dqops clean --plan wrote"
        index, parts = read_parts(folder, INDEX, needed)
        try:
            version = str(index["schema_version"])
            if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
                raise SourceError(folder, f"its version is {version}", f"version {SCHEMA_VERSION}")
            frames = {name: pl.read_parquet(data) for name, data in parts.items() if not name.startswith("kept.")}
            return cls(
                **{name: dict(index[name]) for name in ("data", "types", "settings", "versions")},
                **{name: tuple(index[name]) for name in ("steps", "repairs", "warnings")},
                **{name: frames[f"{name}.parquet"] for name in ("changes", "dropped", "spelled")},
                cells=frames.get("cells.parquet"),
                kept={name.removeprefix("kept."): data for name, data in parts.items() if name.startswith("kept.")},
            )
        except (KeyError, TypeError, AttributeError, pl.exceptions.PolarsError) as cause:
            raise SourceError(folder, f"it holds no whole plan ({type(cause).__name__}: {cause})", needed) from None

    def __repr__(self):
        return f"<CleaningPlan for {self.data['name']}: {_counted(self.changes.height, 'cell')}, {_counted(self.dropped.height, 'row')}>"

    def __str__(self):
        return import_module("dqops.reports.plan").render(self)


def _shaped(lines, schema, ids):
    """The lines with the columns of the schema, in its order."""
    if lines is None:
        return empty_lines(schema, ids)
    return lines.select("row", *(pl.col(name).cast(dtype) for name, dtype in schema.items()))


def _tables(room):
    """The rules of changing tables stand beside results, not below: asked for by name (see docs/design.md)."""
    return import_module(f"dqops.tables.{room}")


def _lines(plan):
    rows = plan.dropped.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in ("column", "before", "after"))
    return pl.concat([plan.changes.select(_TOLD), rows.select(_TOLD)])


def _listed(value):
    return list(value) if isinstance(value, (list, tuple, set, pl.Series)) else [value]


def _matching(lines, wanted, below):
    """The lines that match all that is wanted; a line without a column matches none."""
    for name, values in wanted.items():
        if name not in lines.columns:
            return lines.clear()
        values = [str(one) for one in values] if name != "row" or lines["row"].dtype == pl.String else values
        said = pl.col(name).is_in(values)
        if name == "who":  # several people may have said the same
            said |= pl.col(name).str.split(", ").list.set_intersection(values).list.len() > 0
        lines = lines.filter(said)
    return lines if below is None else lines.filter(pl.col("confidence") < below)


def _fits(name, kind, wanted):
    return name in wanted.get("column", (name,)) and kind in wanted.get("kind", (kind,))


def _counted(count, what):
    return f"{count} {what}{'' if count == 1 else 's'}"
