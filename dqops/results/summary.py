"""What a report shows of a column and of the labels; counts only, raw levels apart."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnSummary:
    """One column in figures.

    Parameters
    ----------
    name, kind, recorded_as, role : str
        `kind` as a person reads it, `recorded_as` as usual readers type it, `role` "" for a feature.
    missing : int
        Empty or disguised cells.
    distinct : int
        Distinct recorded values, empty ones not counted.
    numbers : dict or None
        ``min, q05, q25, median, q75, q95, max, mean, std`` of a number column.
    edges, counts, doubtful : tuple of float, tuple of int, tuple of int
        Histogram of a number column: n + 1 edges, cells a bin, and how many of them are doubtful.
    levels, level_counts, level_doubtful : tuple of str, tuple of int, tuple of int
        Most frequent levels (raw values: shown only when asked for).
    """

    name: str
    kind: str
    recorded_as: str
    role: str
    missing: int
    distinct: int
    numbers: dict[str, float] | None = None
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    doubtful: tuple[int, ...] = ()
    levels: tuple[str, ...] = ()
    level_counts: tuple[int, ...] = ()
    level_doubtful: tuple[int, ...] = ()


@dataclass(frozen=True)
class LabelNoise:
    """Estimated noise of the labels.

    Parameters
    ----------
    classes : tuple of str
        Sorted; raw values.
    joint : tuple of tuple of float
        Share of rows by [given][true]; sums to 1.
    rate : float
        Share of wrong labels, with `low` and `high`.
    """

    classes: tuple[str, ...]
    joint: tuple[tuple[float, ...], ...]
    rate: float
    low: float
    high: float
