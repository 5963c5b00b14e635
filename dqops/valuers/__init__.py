"""What each row is worth to a model: estimators for arrays, and the valuers that come with dqops."""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
