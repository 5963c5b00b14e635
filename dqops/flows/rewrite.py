"""Write a cleaned file, or take the cleaning of one back; what a plan does not change stays as it stands."""

from dataclasses import replace
from pathlib import Path

from dqops.errors import DataError, OptionError
from dqops.files import write_bytes
from dqops.results.plan import INDEX, CleaningPlan
from dqops.tables.io import read
from dqops.tables.registry import find_dataset
from dqops.tables.source_files import cleaned_file, uncleaned_file


def write_cleaned(source, table, plan, out, folder=None, *, encoding=None, delimiter=None):
    """Write the cleaned file beside the source, which is never written; the plan is saved first.

    Killed at any moment, it leaves the source as it was, a whole plan or none, and a whole file or none.

    Parameters
    ----------
    source : path
        What `table` was read from.
    table : Table
    plan : CleaningPlan
    out : path
        Of another file than the source. Where its ending tells the form of the source, cells that do not change are
        written byte for byte (CSV and its cousins) or value for value (Parquet) as they stand.
    folder : path, optional
        Where the plan is kept; without it the file cannot be undone exactly.

    Returns
    -------
    CleaningPlan
        With what undoing this file exactly needs.

    Raises
    ------
    OptionError
        When `out` is the source.
    OutputError
        When it cannot be written.
    """
    path = _path_of(source)
    _refuse_same(path, out, "DATA")
    data, kept = cleaned_file(path, table, plan, out, encoding=encoding, delimiter=delimiter)
    plan = replace(plan, kept=plan.kept | kept)
    if folder is not None:
        plan.save(folder)
    write_bytes(out, data)
    return plan


def write_uncleaned(source, plan, out, *, rest=None, encoding=None, delimiter=None, **chosen):
    """Write a cleaned file as it was before: all of it, or the changes that `CleaningPlan.select` would choose.

    Parameters
    ----------
    source : path
        The cleaned file.
    plan : CleaningPlan
    out : path
        Of another file.
    rest : path, optional
        Folder for the plan of what is still changed in `out`, so that it can be undone, too.

    Returns
    -------
    CleaningPlan
        What was taken back.
    """
    path = _path_of(source)
    _refuse_same(path, out, "FILE")
    key = plan.settings.get("key")
    table, part = read(source, key=key, encoding=encoding, delimiter=delimiter), plan.select(**chosen)
    data = uncleaned_file(path, table, plan, part, out, encoding=encoding, delimiter=delimiter)
    if rest is not None:
        plan.without(**chosen).save(rest)
    write_bytes(out, data)
    return part


def held_plan(folder):
    """The plan that a folder holds, or None."""
    return CleaningPlan.load(folder) if (Path(folder) / INDEX).exists() else None


def refuse_other_settings(plan, table, folder, asked):
    """Raise where a folder's plan is for another table, or was made with other settings than these.

    Parameters
    ----------
    plan : CleaningPlan
    table : Table
    folder : path
    asked : dict
        Settings that were asked for, by name.
    """
    if plan.data["rows"] != table.n_rows or plan.data["columns"] != table.columns:
        needed = "a folder without a plan, or the table that this one was made for"
        raise DataError(f"the plan in {folder} is for another table, {plan.data['name']} ({plan.data['rows']} rows)", needed)
    for name, value in asked.items():
        if (plan.settings.get(name) or None) != (value or None):
            raise OptionError("plan", str(folder), f"a folder without a plan: the one that it holds was made with {name}={plan.settings.get(name)!r}")


def _path_of(source):
    """The file that a source names, or None where it names none."""
    if str(source).startswith("dataset:"):
        return Path(find_dataset(str(source).removeprefix("dataset:")))
    path = Path(str(source))
    return path if path.is_file() else None


def _refuse_same(path, out, what):
    if path is not None and Path(out).exists() and Path(out).samefile(path):
        raise OptionError("out", str(out), f"another file than {what}: what is read is never written")
