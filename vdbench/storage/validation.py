"""What is wrong with a value that a model refuses, in words."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from vdbench.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

SHOWN = 3
"""Faults of a file that a sentence names at most."""


def faults_in(error: Exception, whole: str = "") -> str:
    """What is wrong with a file and where in it, on one line; of many faults the first three.

    Args:
        error: raised by a model that validated the file, or by what parsed it before.
        whole: the place of a fault that is of no single field.
    """
    if not isinstance(error, ValidationError):
        mark, said = getattr(error, "problem_mark", None), getattr(error, "problem", None)  # of YAML
        where = f"line {mark.line + 1}: " if mark is not None else ""
        return where + (said or (str(error).splitlines() or [type(error).__name__])[0])
    pairs = [(_path(fault["loc"]) or whole, _words(fault)) for fault in error.errors()[:SHOWN]]
    return ", ".join(f"{place}: {what}" if place else what for place, what in pairs)


def setting_error(error: ValidationError, model: type[BaseModel], prefix: str) -> UsageError:
    """The error of a user who typed a setting that a model refuses.

    Args:
        error: raised by the model.
        model: what the settings are of.
        prefix: what their names begin with when they are typed.

    Returns:
        To be raised in place of ``error``: the setting is unknown or its value does not fit.
    """
    fault = error.errors()[0]
    path = _path([prefix, *fault["loc"]])
    if fault["type"] == "extra_forbidden":
        return UsageError(f"unknown setting '{path}'; {nearest(path, _settings(model, prefix))}")
    given = "" if isinstance(fault["input"], dict) else f"={fault['input']!r}"  # of several, what is wrong names them
    return UsageError(f"setting {path}{given} is not valid: {_words(fault)}")


LIST, NAMED = "it takes a list, as in '[a, b]'", "it takes names with values, as in '{name: value}'"
WORDS = {"tuple_type": LIST, "list_type": LIST, "dict_type": NAMED, "model_type": NAMED, "dataclass_type": NAMED,
         "unexpected_keyword_argument": "Extra inputs are not permitted"}  # fmt: skip
"""What to write where pydantic speaks of Python: of its types, and of fields as the arguments of a class."""


def _words(fault: ErrorDetails) -> str:
    """What is wrong: the sentence of our own validator without what pydantic puts before it."""
    if fault["type"] in WORDS:
        return WORDS[fault["type"]]
    return str(fault["ctx"]["error"]) if fault["type"] == "value_error" else fault["msg"]


def _path(parts: Sequence[int | str]) -> str:
    return ".".join(map(str, parts))


def _settings(model: type[BaseModel], prefix: str) -> list[str]:
    """What can be set of a model, and of the models that its fields are, as it is typed: ``protocol.recipe.lr``."""
    names = []
    for field, info in model.model_fields.items():
        either = get_args(info.annotation) if get_origin(info.annotation) in (Union, UnionType) else ()
        kinds = [info.annotation, *either]
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        path = f"{prefix}.{field}"
        names += [path, *_settings(inner, path)] if inner else [path]
    return names
