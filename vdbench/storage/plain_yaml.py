"""YAML in which values mean what they look like.

YAML 1.1, which PyYAML reads, takes ``1e3`` for a word, ``010`` for 8, ``12:30`` for 750, ``no`` for false and
``2026-01-01`` for a date. Here numbers are decimal, ``true`` and ``false`` are the only switches, and all else is text.
"""

from __future__ import annotations

import math
import re
from importlib.resources.abc import Traversable
from typing import Any, ClassVar

import yaml

from vdbench.errors import UsageError

TAG = "tag:yaml.org,2002:"


LARGEST = 2**20
"""Bytes of a file of YAML that is read."""
MOST = 100_000
"""Values of a document, each counted as often as it is repeated by an alias."""


class _Loader(yaml.SafeLoader):
    """Knows text, numbers, switches, null, lists, and mappings in which every name stands once; and nothing else."""

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

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._values: dict[int, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """As the base does; few aliases of aliases could stand for more values than any memory holds."""
        alias = self.check_event(yaml.AliasEvent)
        node = super().compose_node(parent, index)
        if node is None:
            return None
        if alias and id(node) not in self._values:
            raise ValueError("a value holds itself")
        if not alias:
            self._values[id(node)] = 1 + sum(self._values[id(part)] for part in _parts(node))
        if self._values[id(node)] > MOST:
            raise ValueError(f"it has more than {MOST} values")
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As the base does, which takes the last of several values of one name."""
        said = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(said)) < len(said):
            raise ValueError(f"it says '{next(name for name in said if said.count(name) > 1)[:40]}' twice")
        return super().construct_mapping(node, deep)


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


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
        UsageError: a number in it is not finite, or cannot be read as one; a name stands twice in a mapping; there are
            too many values, or too deep ones.
        yaml.YAMLError: it is not YAML.
    """
    try:
        return yaml.load(_text(text), _Loader)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{name} is not valid: {error}; give a finite, plain value") from None
    except RecursionError:
        raise UsageError(f"{name} is not valid: its values lie too deep within each other") from None


def read_file(file: Traversable, name: str) -> Any:
    """The value of a file of YAML, in UTF-8 and of at most :data:`LARGEST` bytes.

    Args:
        file: the file.
        name: what to call it in an error.

    Raises:
        OSError: it cannot be opened.
        UsageError: as :func:`read`, or it is too large or no text.
        yaml.YAMLError: it is not YAML.
    """
    with file.open("rb") as stream:
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise UsageError(f"{name} is not valid: it has more than {LARGEST} bytes; name a file of YAML")
    try:
        return read(content.decode("utf-8"), name)
    except UnicodeDecodeError:
        raise UsageError(f"{name} is not valid: it is no text in UTF-8; save it as such") from None


def write(value: Any) -> str:
    """A value in one line, as :func:`read` reads it.

    Args:
        value: of text, finite numbers, switches and None, in lists and mappings.
    """
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, width=10**6, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
