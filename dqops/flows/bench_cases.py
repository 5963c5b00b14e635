"""The cases of a benchmark: which are still to be run, run side by side, and kept as they end."""

import json
import os
from hashlib import sha256
from pathlib import Path

from joblib import Parallel, delayed

from dqops.errors import DqopsError, OptionError, OutputError, SourceError
from dqops.flows.bench_case import ground_of, run_case

KEYS = ("set", "model", "strategy", "seed", "protocol")


def digest(protocol, fingerprints, target):
    """Twelve digits that tell a protocol and its data: cases of another one are not the same case."""
    told = [str(getattr(protocol, name)) for name in protocol.__dataclass_fields__]
    return sha256("\x1f".join([*told, *fingerprints, str(target)]).encode()).hexdigest()[:12]


def finished(path):
    """Cases that a results file holds, by key; lines that were cut off are not among them.

    Raises
    ------
    SourceError
        Where the file is no results file.
    """
    if path is None or not Path(path).exists():
        return {}
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError as cause:
        raise SourceError(path, cause.strerror or str(cause), "a file of results, one JSON object a line") from None
    found, other = {}, 0
    for line in filter(None, lines):
        try:
            one = json.loads(line)
            found[tuple(one[name] for name in KEYS)] = one
        except (ValueError, KeyError, TypeError):
            other += 1
    if other and not found and other > 1:
        raise SourceError(path, "no line of it is a case", "a file of results, one JSON object a line")
    return found


def run_cases(wanted, dirty, clean, protocol, models, strategies, mark, *, out, n_jobs, tell):
    """Results of the cases by key, those that `out` holds and those that are run now; each is kept when its group ends.

    Parameters
    ----------
    wanted : list of (set, model, strategy, seed, protocol)
    dirty, clean : Table
    protocol : Protocol
    models : dict of str to str or estimator
    strategies : dict of str to Strategy
    mark : str
        Name of the data set.
    out : path or None
    n_jobs : int
    tell : callable
    """
    results = {key: one for key, one in finished(out).items() if key in set(wanted)}
    groups = {}
    for key in wanted:
        if key not in results:
            groups.setdefault((key[1], key[3]), []).append(key)
    done = len(results)
    tell(done, len(wanted), f"cases of {mark}")
    jobs = (delayed(_group)(keys, dirty, clean, protocol, models[model], strategies, seed) for (model, seed), keys in groups.items())
    for found in Parallel(n_jobs=n_jobs, return_as="generator")(jobs):
        for key, one in found:
            results[key] = one
            _keep(out, one)
        done += len(found)
        tell(done, len(wanted), f"cases of {mark}")
    return results


def _group(keys, dirty, clean, protocol, spec, strategies, seed):
    """(key, result) of the strategies of one model and seed: they share the rows and both ends."""
    try:
        ground = ground_of(dirty, clean, protocol, spec, seed)
    except DqopsError as cause:
        return [(key, dict(zip(KEYS, key, strict=True)) | _nothing(cause)) for key in keys]
    return [(key, dict(zip(KEYS, key, strict=True)) | run_case(ground, protocol, strategies[key[2]], seed)) for key in keys]


def _nothing(cause):
    return {"answers": [], "cost": [], "score": [], "seconds": 0.0, "dirty": None, "full": None, "total": 0.0, "wrong": 0, "note": "", "failed": str(cause)}


def _keep(out, one):
    """Append one line, whole; a line that a kill cut off before it is ended first."""
    if out is None:
        return
    try:
        place = Path(out)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(place, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            size = os.fstat(handle).st_size
            ended = not size or os.pread(handle, 1, size - 1) == b"\n"
            os.write(handle, (("" if ended else "\n") + json.dumps(one) + "\n").encode())
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as cause:
        raise OutputError(out, cause.strerror or cause) from None


def check_out(out):
    """Raise `OptionError` where results cannot be kept under that name."""
    if out is not None and Path(out).is_dir():
        raise OptionError("out", str(out), "a file, not a folder")
