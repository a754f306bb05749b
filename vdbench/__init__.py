"""vdbench: the benchmark suite for video dataset distillation.

Importing it is light: what a call needs is imported by the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vdbench.api.data import load_dataset, new_dataset
    from vdbench.api.runs import run
    from vdbench.api.sets import distill, evaluate
    from vdbench.api.tables import load_results

    __version__: str

__all__ = ["__version__", "distill", "evaluate", "load_dataset", "load_results", "new_dataset", "run"]

_PLACES = {
    "distill": "vdbench.api.sets",
    "evaluate": "vdbench.api.sets",
    "load_dataset": "vdbench.api.data",
    "load_results": "vdbench.api.tables",
    "new_dataset": "vdbench.api.data",
    "run": "vdbench.api.runs",
}
"""Where what is offered here is defined."""


def __getattr__(name: str) -> Any:
    """What is offered here, imported when it is first asked for (PEP 562)."""
    if name == "__version__":
        from vdbench.version import installed

        value: Any = installed()
    elif name in _PLACES:
        from importlib import import_module

        value = getattr(import_module(_PLACES[name]), name)
    else:
        raise AttributeError(f"module 'vdbench' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The names that are offered, imported or not."""
    return sorted({*globals(), *__all__})
