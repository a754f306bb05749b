"""The libraries that decode: which there are, which one runs by itself, and what is written down of them."""

from __future__ import annotations

import warnings
from contextlib import suppress
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Literal

from vdbench.datasets.readers.reader import READERS
from vdbench.errors import DependencyError
from vdbench.extensions.kinds import code_of

if TYPE_CHECKING:
    from types import ModuleType

_MODULES = {"decord": "decord", "pyav": "av"}
_FORKS = ("decord2", "eva-decord")
"""Distributions that install a module ``decord`` too, for machines that decord has no wheel for."""


def default_reader() -> str:
    """The reader of those who name none: decord, or PyAV, with a warning, where decord cannot be loaded."""
    try:
        _load("decord")
    except DependencyError as error:
        warnings.warn(f"decord cannot be loaded here ({error.__cause__}), so PyAV decodes the videos", stacklevel=2)
        return "pyav"
    return "decord"


def load_reader(reader: str) -> None:
    """Import what a reader needs now, so that its first file does not take longer than the others.

    Raises:
        DependencyError: a library is not installed, or cannot be loaded.
    """
    _load("pyav")
    reader_version(reader)


def reader_version(reader: str) -> str:
    """The version of a reader's library and, of a reader from a plugin file, the hash of that file.

    Raises:
        UsageError: there is no such reader.
        DependencyError: it is not installed, or cannot be loaded.
    """
    cls = READERS.get(reader)
    return " ".join(filter(None, [cls().version(), code_of(cls)]))


def reader_title(reader: str) -> str:
    """A reader as people call it, with its version: ``PyAV 18.1.0``, ``decord 0.6.0``, ``decord2 3.4.0``.

    Raises:
        UsageError: there is no such reader.
        DependencyError: it is not installed, or cannot be loaded.
    """
    version = reader_version(reader)
    another = reader == "decord" and " " in version
    return version if another else f"{'PyAV' if reader == 'pyav' else reader} {version}"


def library_version(reader: Literal["decord", "pyav"]) -> str:
    """The version of the library that is loaded for one of our readers.

    Another distribution than decord's own that answers to its name is named before its version: ``decord2 3.4.0``.

    Raises:
        DependencyError: it is not installed, or cannot be loaded.
    """
    version = str(_load(reader).__version__)
    own = _installed(_MODULES[reader])
    fork = next((name for name in _FORKS if _installed(name) == version), None)
    return f"{fork} {version}" if reader == "decord" and fork and own != version else version


def _load(reader: str) -> ModuleType:
    module = _MODULES[reader]
    try:
        return import_module(module)
    except Exception as error:  # a broken wheel raises what it likes
        cure = (
            "pip install decord, or decord2 where decord has no wheel, or use --reader pyav"
            if reader == "decord"
            else "pip install av"
        )
        raise DependencyError(f"{module} cannot be loaded here ({error}); {cure}") from error


def _installed(distribution: str) -> str | None:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(distribution)
    return None
