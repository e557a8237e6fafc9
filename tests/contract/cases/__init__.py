"""The cases of all actions. A new action joins by a class in a module here; the contract suite then holds it to the contract."""

import importlib
import inspect
import pkgutil
from functools import cache

from tests.contract.cases.contract import ActionCase


@cache
def all_cases() -> tuple[type[ActionCase], ...]:
    """Return the case classes of every module beside this one."""
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    found = {
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, ActionCase) and not inspect.isabstract(kind)
    }
    return tuple(sorted(found, key=lambda kind: kind.__name__))
