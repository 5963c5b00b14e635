"""What a source holds before anybody says which column plays which part."""

from dataclasses import dataclass, replace

import polars as pl

from dqops.tables.recorded import beyond_int64, record


@dataclass(frozen=True, eq=False)
class Contents:
    """Cells of a source, with what reading had to decide.

    Parameters
    ----------
    frame, raw : polars.DataFrame
        As in `Table`; may still have empty or repeated names in `names`.
    rows : polars.Series or None
        Row ids that the source itself carries, such as the index of a pandas frame.
    warnings : tuple of str
    """

    frame: pl.DataFrame
    raw: pl.DataFrame
    rows: pl.Series | None = None
    warnings: tuple[str, ...] = ()

    @classmethod
    def of_text(cls, raw, *, rows=None, warnings=()):
        """Contents of text cells: typed as the usual readers type them, the text kept beside."""
        frame = record(raw)
        lost = beyond_int64(raw, frame)
        if lost:
            said = f"{listed(lost)} holds whole numbers beyond 64 bits: read as floating point, so their last digits are lost"
            warnings = (*warnings, said)
        return cls(frame, raw, rows, tuple(warnings))

    @classmethod
    def of_values(cls, frame, *, rows=None, warnings=()):
        """Contents of cells that have their types already."""
        return cls(frame, frame, rows, tuple(warnings))

    def with_column(self, cells):
        """A copy that holds these cells (a named Series) as one more column, first."""
        frame = pl.DataFrame([cells, *self.frame.get_columns()])
        raw = frame if self.frame is self.raw else pl.DataFrame([cells, *self.raw.get_columns()])
        return replace(self, frame=frame, raw=raw)


def clean_names(names):
    """Names that are text, unique and not blank, and what was changed to make them so.

    Returns
    -------
    names : list of str
    warnings : list of str

    Examples
    --------
    >>> clean_names(["a", "a", ""])[0]
    ['a', 'a_2', 'Unnamed: 2']
    >>> clean_names(["a", "a"])[1]
    ["the column name 'a' is repeated: renamed 'a_2'"]
    """
    names = [column_name(name) for name in names]
    blank = [place for place, name in enumerate(names) if not name.strip()]
    for place in blank:
        names[place] = f"Unnamed: {place}"
    taken, fresh, renamed = set(names), [], {}
    for name in names:
        if name in renamed:
            number = 2 + len(renamed[name])
            while f"{name}_{number}" in taken:
                number += 1
            renamed[name].append(f"{name}_{number}")
            taken.add(f"{name}_{number}")
            fresh.append(f"{name}_{number}")
        else:
            renamed[name] = []
            fresh.append(name)
    warnings = [
        f"the column name {name!r} is repeated: renamed {listed(others)}" for name, others in renamed.items() if others
    ]
    if blank:
        many = f"{len(blank)} columns have no name" if len(blank) > 1 else "1 column has no name"
        warnings.append(f"{many}: called {listed([names[place] for place in blank])}, as pandas does")
    return fresh, warnings[:_MOST_SAID] + _rest(warnings)


def column_name(name):
    """A column's name as text; levels of a pandas name are joined by dots, as if they were one.

    >>> column_name(("price", "mean")), column_name(2)
    ('price.mean', '2')
    """
    text = ".".join(map(str, name)) if isinstance(name, tuple) else str(name)
    return text.encode("utf-8", "replace").decode()  # half of a surrogate pair is no text


def listed(names):
    """A few names as a sentence has them.

    >>> listed(["a", "b", "c", "d", "e"])
    "'a', 'b', 'c' and 2 more"
    """
    shown = ", ".join(repr(str(name)) for name in names[:3])
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def counted(count, what="cell"):
    """How many of them, as a sentence has it.

    >>> counted(1), counted(1300, "row")
    ('1 cell', '1300 rows')
    """
    return f"{count} {what}" + ("" if count == 1 else "s")


_MOST_SAID = 10


def _rest(warnings):
    more = len(warnings) - _MOST_SAID
    return [f"{more} more column names were changed likewise"] if more > 0 else []
