"""Settings from ``dqops.toml`` or ``[tool.dqops]`` in ``pyproject.toml``; flags win."""

import os
import tomllib
from pathlib import Path

import click

from dqops.errors import OptionError, SourceError


def configured(command):
    """What an option ``--config`` calls: settings of the file become defaults of `command`, before other flags are read."""

    def read_settings(ctx, option, path):
        options = [one for one in ctx.command.params if isinstance(one, click.Option) and one is not option]
        given = settings_for(command, {one.opts[0].lstrip("-"): one.name for one in options}, path)
        several = {one.name for one in options if one.multiple}
        given = {name: [value] if name in several and isinstance(value, str) else value for name, value in given.items()}
        ctx.default_map = {**(ctx.default_map or {}), **given}
        return path

    return read_settings


def cores(jobs):
    """How many cores a number of jobs means; -1 means all that this process may use."""
    if jobs == 0 or jobs < -1:
        raise OptionError("jobs", jobs, "an integer of 1 or more, or -1 for all cores")
    return len(os.sched_getaffinity(0)) if jobs == -1 and hasattr(os, "sched_getaffinity") else max(1, jobs if jobs > 0 else os.cpu_count() or 1)


def settings_for(command, flags, path=None):
    """Defaults of one command, by the names that its function has for them.

    Parameters
    ----------
    command : str
    flags : dict of str to str
        Names of the flags, without the leading dashes, and what the function calls them.
    path : path, optional
        A file; else ``dqops.toml``, then ``pyproject.toml``, in the current folder.

    Returns
    -------
    dict
    """
    found = _read(path)
    own = found.get(command, {})
    if not isinstance(own, dict):
        raise OptionError("config", f"{command} = {own!r}", f"a table, [{command}]")
    given = {**{key: value for key, value in found.items() if not isinstance(value, dict)}, **own}
    named = {key.replace("_", "-"): value for key, value in given.items()}
    unknown = sorted(set(named) - set(flags))
    if unknown:
        raise OptionError("config", unknown[0], f"settings of dqops {command}: {', '.join(sorted(flags))}")
    return {flags[name]: value for name, value in named.items()}


def _read(path):
    if path is not None:
        found = _toml(Path(path))
        return found.get("tool", {}).get("dqops", {}) if Path(path).name == "pyproject.toml" else found
    if Path("dqops.toml").is_file():
        return _toml(Path("dqops.toml"))
    if Path("pyproject.toml").is_file():
        return _toml(Path("pyproject.toml")).get("tool", {}).get("dqops", {})
    return {}


def _toml(path):
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SourceError(path, "no such file", "a TOML file of settings") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as cause:
        raise SourceError(path, f"it is no TOML ({cause})", "a TOML file of settings") from None
