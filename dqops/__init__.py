"""dqops: what dirty data costs your model, and what to clean first."""

from importlib import import_module

from dqops.version import VERSION as __version__  # noqa: F401

_HOME = {
    "Audit": "results.audit",
    "Finding": "results.findings",
    "Findings": "results.findings",
    "Roles": "tables.table",
    "Table": "tables.table",
    "audit": "flows.audit",
    "load_run": "results.audit",
    "read": "tables.io",
}
__all__ = list(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'dqops' has no attribute {name!r}")
    return getattr(import_module(f"dqops.{_HOME[name]}"), name)


def __dir__():
    return [*__all__, "__version__"]
