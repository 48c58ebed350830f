"""The doors of the support desk, a module a part of it, each with a `rows` and maybe a `world`.

`world(made)` adds what the part's rows speak of to what is `made` already.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import ModuleInfo, iter_modules
from typing import Any

from tests.permissions.rows import Row


def _order(found: ModuleInfo) -> tuple[bool, str]:
    """The tickets first: what other parts make stands on them."""
    return found.name != "tickets", found.name


_MODULES = [
    import_module(f"{__name__}.{found.name}")
    for found in sorted(iter_modules(__path__), key=_order)
]
PARTS: list[Callable[[], Iterator[Row]]] = [module.rows for module in _MODULES]


def worlds(made: dict[str, Any]) -> dict[str, Any]:
    """What every part adds."""
    for module in _MODULES:
        if add := getattr(module, "world", None):
            made |= add(made)
    return made
