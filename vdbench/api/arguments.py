"""Arguments of the front door: one of a kind that its annotation excludes is refused before anything else happens."""

from __future__ import annotations

import inspect
import math
import operator
import os
from collections.abc import Mapping
from functools import wraps
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from vdbench.errors import UsageError
from vdbench.experiment.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

P = ParamSpec("P")
R = TypeVar("R")

LARGEST = 2**53
"""Of whole numbers, as JSON keeps them exactly."""
SHOWN = 80
"""Characters of a wrong value that a sentence shows."""


class Kind(NamedTuple):
    """What arguments of one annotation are.

    Attributes:
        words: that end "it takes ...".
        fits: whether a value is one.
    """

    words: str
    fits: Callable[[Any], bool]


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function refuse what an annotation of :data:`KINDS` excludes; other arguments it checks itself.

    Args:
        function: whose annotations are not evaluated.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError as error:  # a name that is no argument's, or one that is missing
            raise TypeError(f"vdbench.{function.__name__}: {error}") from None
        for name, value in given.items():
            annotation = str(signature.parameters[name].annotation)
            kind = KINDS.get(annotation.removesuffix(" | None"))
            optional = value is None and annotation.endswith(" | None")
            if kind is not None and not optional and not kind.fits(value):
                raise UsageError(f"{name} of vdbench.{function.__name__} takes {kind.words}, not {shown(value)}")
        return function(*args, **kwargs)

    return call


def shown(value: Any) -> str:
    """A wrong value on one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def whole(value: Any) -> int | None:
    """A whole number of whatever type, as one of Python; None for anything else."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None
    return number if number is not None and abs(number) <= LARGEST else None


def _is_path(value: Any) -> bool:
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    return isinstance(path, str) and "\0" not in path


def _are_paths(value: Any) -> bool:
    return _is_path(value) or (isinstance(value, list | tuple) and all(map(_is_path, value)))


def _are_texts(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _is_number(value: Any) -> bool:
    real = isinstance(value, Real) and not isinstance(value, bool)
    return real and operator.ge(value, 0) and operator.lt(value, math.inf)  # which NaN is not


KINDS = {
    "bool": Kind("True or False", lambda value: isinstance(value, bool)),
    "float": Kind("a finite number from 0 on", _is_number),
    "int": Kind("a whole number of at most 2**53", lambda value: whole(value) is not None),
    "str": Kind("a text", lambda value: isinstance(value, str)),
    "Literal['inline', 'ray']": Kind("'inline' or 'ray'", lambda value: isinstance(value, str)),
    "str | Path": Kind("a text or a path", _is_path),
    "Sequence[str | Path]": Kind("paths of Python files", _are_paths),
    "Sequence[str]": Kind("a list of texts", lambda value: isinstance(value, list | tuple) and _are_texts(value)),
    "Mapping[str, str]": Kind(
        "a dictionary of texts", lambda value: isinstance(value, Mapping) and _are_texts([*value, *value.values()])
    ),
    "SuiteLike": Kind(
        "a suite: its name, the path of its file, or a Suite", lambda v: isinstance(v, Suite) or _is_path(v)
    ),
}
"""By annotation, as it is written."""
