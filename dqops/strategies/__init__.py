"""The strategies that come with dqops: what to ask a person next; each file here registers one or more."""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
