"""Search a table with every detector that applies."""

import warnings
from collections.abc import Iterable
from time import perf_counter

import polars as pl
from threadpoolctl import threadpool_limits

import dqops.detectors  # noqa: F401  (registers the detectors)
from dqops.contracts import Detector
from dqops.errors import OptionError, SkippedWarning
from dqops.results.findings import Findings
from dqops.seeds import stream

NEEDS_REFERENCE = {"drift"}
NEEDS_MODEL = {"labels"}


def chosen_detectors(names=None):
    """Unfitted detectors by kind: all that are known, or those named.

    Raises
    ------
    UnknownNameError
        With the nearest name that exists.
    """
    if names is None:
        return {name: detector() for name, detector in Detector.known().items()}
    chosen = names.split(",") if isinstance(names, str) else list(names) if isinstance(names, Iterable) else []
    if not chosen:
        raise OptionError("detectors", names, "one or more names of detectors")
    return {name: Detector.named(name)() for name in (one.strip() for one in chosen)}


def search(table, detectors, design, seed, *, reference=None, tell=lambda done, total, what: None):
    """Findings of each detector, the seconds each took, and what had to be skipped.

    Parameters
    ----------
    table : Table
    detectors : dict of str to Detector
    design : Design or None
        None where no model was asked for: detectors that need one are skipped.
    seed : int
    reference : Table or None
        What drift is judged against.

    Returns
    -------
    Findings, dict of float, tuple of str
    """
    found, seconds, notes = Findings(), {}, []
    for done, (name, detector) in enumerate(detectors.items()):
        if (name in NEEDS_MODEL and design is None) or (name in NEEDS_REFERENCE and reference is None):
            continue
        tell(done, len(detectors), f"searching: {name}")
        started, rng = perf_counter(), stream(seed, f"detect:{name}")
        # One thread: folds are small, and threads inside a fit would mostly wait for each other.
        with warnings.catch_warnings(record=True) as caught, threadpool_limits(limits=1):
            warnings.simplefilter("always")
            if name in NEEDS_REFERENCE:
                found += detector.fit(reference, design, rng).find(table)
            else:
                found += detector.fit_find(table, design, rng)
        notes += [str(one.message) for one in caught if issubclass(one.category, SkippedWarning)]
        seconds[name] = perf_counter() - started
    tell(len(detectors), len(detectors), "searching")
    return _joined(found, table), seconds, tuple(notes)


def _joined(found, table):
    """Wild numbers of a column that typos turned into text join those typos: one column, one thing to repair."""
    text = {name for name, meaning in table.meanings.items() if meaning.kind == "number" and table.frame[name].dtype == pl.String}
    wild = {one.column: one for one in found.of_kind("outliers") if one.column in text and f"formats:{one.column}" in found}
    wild = {name: one for name, one in wild.items() if not found[f"formats:{name}"].whole}
    kept = [one for one in found if one.kind != "outliers" or one.column not in wild]
    return Findings(tuple(one.joined(wild[one.column]) if one.kind == "formats" and one.column in wild else one for one in kept))
