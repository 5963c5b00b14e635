"""Reading: any common source in, a `Table` out."""

from pathlib import Path

import polars as pl

from dqops.errors import SourceError
from dqops.tables.recorded import record
from dqops.tables.table import Roles, Table


def read(source, *, target=None, key=None, time=None, group=None, ignore=(), weight=None, trusted=None):
    """A `Table` of what stands in `source`, with the roles of its columns.

    Parameters
    ----------
    source : str, path, pandas.DataFrame, polars.DataFrame or Table
    target, key, time, group, weight, trusted : str, optional
    ignore : sequence of str
    """
    roles = Roles(target, key, time, group, tuple(ignore), weight, trusted)
    path = Path(source)
    if not path.exists():
        raise SourceError(path, "no such file")
    raw = pl.read_csv(path, infer_schema=False)
    frame = record(raw)
    rows = pl.int_range(raw.height, eager=True).alias("row")
    return Table(frame, raw, rows, roles, name=path.name)
