"""JSON documents that anybody may have written, read within limits; those of later versions are told apart."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel

from vdbench.errors import LaterError

M = TypeVar("M", bound=BaseModel)

LARGEST = 64 * 2**20
"""Bytes of a document that anybody may have written."""
LISTING = 2**30
"""Bytes of one that a home holds of each of its clips: a million of them take less."""
DEEPEST = 100
"""Lists and mappings within each other."""


def load(model: type[M], path: Path, at_most: int = LARGEST) -> M:
    """A document as a model.

    Args:
        model: of what the document says; its field ``schema_version``, where it has one, is the latest that is known.
        path: the document.
        at_most: bytes that it may have.

    Raises:
        OSError: it cannot be opened.
        LaterError: a later version wrote it.
        ValueError: it is too large, no JSON, or not of the model.
    """
    content = content_of(path, at_most)
    try:
        return model.model_validate_json(content)
    except ValueError:
        known = model.model_fields.get("schema_version")
        with suppress(ValueError, RecursionError):
            refuse_later(json.loads(content), path, 1 if known is None else known.default)
        raise


def content_of(path: Path, at_most: int = LARGEST) -> bytes:
    """The bytes of a document.

    Raises:
        OSError: it cannot be opened.
        ValueError: it has more bytes than it may.
    """
    if (size := path.stat().st_size) > at_most:
        raise ValueError(f"it has {size} bytes, and {at_most} are read at most")
    return path.read_bytes()


def refuse_later(value: Any, path: Path, known: int) -> None:
    """Look whether a later version wrote a document.

    Args:
        value: of the document.
        path: of the document, for the error.
        known: the latest schema that is known.

    Raises:
        LaterError: it did.
    """
    version = value.get("schema_version") if isinstance(value, dict) else None
    if type(version) is int and version > known:
        made = value.get("environment")
        writer = made.get("vdbench") if isinstance(made, dict) else None
        raise LaterError(path, version, known, writer if isinstance(writer, str) else "")


def parse(content: str | bytes) -> Any:
    """The value of a document in which every name stands once, every number is finite, and nothing lies too deep.

    Raises:
        ValueError: it is not so, or no JSON; the message is one line.
    """
    try:
        value = json.loads(
            content, object_pairs_hook=_once, parse_float=_finite, parse_int=_whole, parse_constant=_no_number
        )
    except RecursionError:
        raise ValueError("its lists and mappings lie too deep within each other") from None
    _look_into(value)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it says '{twice[:40]}' twice")
    return found


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _whole(text: str) -> int:
    return int(text) if len(text) <= 400 else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:40]} is no number that can be read")


def _look_into(value: Any) -> None:
    """Level by level, so that depth costs nothing; text has to be such that it can be written again."""
    level = [value]
    for _ in range(DEEPEST):
        level = [part for item in level for part in _parts(item)]
        if not level:
            return
    raise ValueError(f"its lists and mappings lie more than {DEEPEST} deep within each other")


def _parts(value: Any) -> list[Any]:
    if isinstance(value, str):
        value.encode()  # half a character, as an escape can write one, raises a ValueError
        return []
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []
