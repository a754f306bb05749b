"""YAML in which values mean what they look like.

YAML 1.1, which PyYAML reads, takes ``1e3`` for a word, ``010`` for 8, ``12:30`` for 750, ``no`` for false and
``2026-01-01`` for a date. Here numbers are decimal, ``true`` and ``false`` are the only switches, and all else is text.
"""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar

import yaml

from vdbench.errors import UsageError

TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """Knows text, numbers, switches, null, lists and mappings, and nothing else."""

    yaml_implicit_resolvers: dict[str, Any] = {}
    yaml_constructors: ClassVar[dict[str | None, Any]] = {
        f"{TAG}null": yaml.SafeLoader.construct_yaml_null,
        f"{TAG}bool": yaml.SafeLoader.construct_yaml_bool,
        f"{TAG}int": lambda loader, node: _whole(loader.construct_scalar(node)),
        f"{TAG}float": lambda loader, node: _number(loader.construct_scalar(node)),
        f"{TAG}str": lambda loader, node: _text(loader.construct_scalar(node)),
        f"{TAG}seq": yaml.SafeLoader.construct_yaml_seq,
        f"{TAG}map": yaml.SafeLoader.construct_yaml_map,
        None: yaml.SafeLoader.construct_undefined,
    }


class _Dumper(yaml.SafeDumper):
    """Quotes text that would be read as something else, here or as YAML 1.1."""


for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.")),
    ("merge", "<<", ["<"]),
):
    for _side in (_Loader, _Dumper):
        _side.add_implicit_resolver(f"{TAG}{_kind}", re.compile(f"^(?:{_pattern})$"), _first)


def _text(text: str) -> str:
    text.encode()  # half a character, as YAML can write one, raises a ValueError
    return text


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:  # too many digits, or a word that is tagged as a number
        raise ValueError(f"{text[:40]} is not a number that can be read") from None


def _number(text: str) -> float:
    value = float(re.sub(r"\.(?=inf|nan)", "", text.lower()))
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a finite number")
    return value


def read(text: str, name: str) -> Any:
    """The value of a YAML document.

    Args:
        text: the document.
        name: what it is the value of, for the error.

    Raises:
        UsageError: a number in it is not finite, or cannot be read as one.
        yaml.YAMLError: it is not YAML.
    """
    try:
        return yaml.load(_text(text), _Loader)
    except (ValueError, KeyError) as error:
        raise UsageError(f"{name} is not valid: {error}; give a finite, plain value") from None


def write(value: Any) -> str:
    """A value in one line, as :func:`read` reads it.

    Args:
        value: of text, finite numbers, switches and None, in lists and mappings.
    """
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, width=10**6, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
