"""What the code of a class is that Python hands to vdbench, so that editing it makes other trials.

A class of a module stands for the file of that module, as a plugin does. One of a script or a notebook stands for its
own source and for what that names beside it: functions, classes and constants. Editing the rest of a script, such as
the call that runs it, leaves ids alone.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from vdbench.errors import UsageError
from vdbench.extensions.plugins import Plugin
from vdbench.storage import files

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = (bool, int, float, complex, str, bytes, type(None), tuple, list, dict)
"""Types of constants that are part of the code that names them."""
VERSIONED = frozenset(sys.stdlib_module_names) | {"vdbench", "vdbench_methods"}
"""Modules whose versions stand for their code, wherever they lie."""


def code_of(method: type) -> str:
    """Hash of the code of a class.

    Raises:
        UsageError: its source cannot be had, as of what was typed at a bare prompt, or it is not at the top level.
    """
    if "<locals>" in method.__qualname__:
        raise UsageError(
            f"class {method.__name__} is defined inside a function, and what it takes from there cannot be told from "
            "its source; define it at the top level of a file or a notebook"
        )
    if (file := _file(method.__module__)) is not None:
        return Plugin(file).code
    pieces: dict[str, str] = {}
    waiting: list[tuple[str, Any]] = [(method.__qualname__, method)]
    while waiting:
        name, value = waiting.pop()
        if name not in pieces:
            pieces[name] = _described(value, method.__module__)
            waiting += _named_in(pieces[name], value, method.__module__)
    return files.digest(pieces)


def _file(module: str) -> Path | None:
    """The file of a module that was imported; None for a script or a notebook that is run."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return Path(file) if module != "__main__" and file is not None and file.endswith(".py") else None


def _described(value: Any, module: str) -> str:
    """The source of a function or a class of a module, and what identifies anything else."""
    if _is_of(value, module):
        try:
            return inspect.getsource(value) if isinstance(value, FunctionType) else _class_source(value)
        except (OSError, TypeError):
            raise UsageError(
                f"the source of {value.__qualname__} cannot be read, so that results of its code could not be told "
                "from those of other code; define it in a file or a notebook"
            ) from None
    if isinstance(value, ModuleType):
        return _elsewhere(value.__name__)
    if isinstance(value, FunctionType | type):
        return f"{value.__qualname__} of {_elsewhere(value.__module__)}"
    if isinstance(value, set | frozenset):
        return repr(sorted(value, key=repr))
    return repr(value) if isinstance(value, PLAIN) else type(value).__qualname__


def _is_of(value: Any, module: str) -> bool:
    """Whether a value is a function or a class that a module defines."""
    return isinstance(value, FunctionType | type) and value.__module__ == module


def _elsewhere(module: str) -> str:
    """A module by its name, and by its code where nothing else stands for that: it is not installed."""
    top = module.partition(".")[0]
    file = None if top in VERSIONED else _file(module)
    return module if file is None or "site-packages" in file.parts else f"{module} {Plugin(file).code}"


def _class_source(cls: type) -> str:
    """The statement that defines a class; of one without functions its values, as no prompt keeps where it was."""
    functions = [f for f in map(_function, vars(cls).values()) if f is not None and f.__module__ == cls.__module__]
    for function in functions:
        lines, _ = inspect.findsource(function)
        text = "".join(lines)
        for node in ast.walk(ast.parse(text)):
            if not (isinstance(node, ast.ClassDef) and node.name == cls.__name__):
                continue
            if node.lineno <= function.__code__.co_firstlineno <= (node.end_lineno or 0):
                return ast.get_source_segment(text, node) or ""
    if functions:
        raise OSError
    if issubclass(cls, BaseModel):
        return repr(cls.model_json_schema())
    values = {name: repr(value) for name, value in vars(cls).items() if isinstance(value, PLAIN)}
    return repr(([base.__qualname__ for base in cls.__bases__], values))


def _function(member: Any) -> FunctionType | None:
    member = getattr(member, "__func__", getattr(member, "fget", member))
    return member if isinstance(member, FunctionType) else None


def _named_in(source: str, value: Any, module: str) -> Iterator[tuple[str, Any]]:
    """What the source of a function or a class names of its module."""
    if not _is_of(value, module):
        return
    around = vars(sys.modules[module])
    if isinstance(value, type):
        yield from ((base.__qualname__, base) for base in value.__bases__)
        own = ((name, member) for name, member in vars(value).items() if not name.startswith("__"))
        yield from ((f"{value.__qualname__}.{name}", member) for name, member in own if isinstance(member, type))
    try:
        tree = ast.parse(textwrap.dedent(source))
    except SyntaxError:  # the values of a class without functions
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in around:
            yield node.id, around[node.id]
