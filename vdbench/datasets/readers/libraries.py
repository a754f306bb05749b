"""The libraries that decode: which there are, which one runs by itself, and what is written down of them."""

from __future__ import annotations

import warnings
from contextlib import suppress
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Literal, get_args

from vdbench.errors import DependencyError

if TYPE_CHECKING:
    from types import ModuleType

ReaderName = Literal["decord", "pyav"]
READERS: tuple[ReaderName, ...] = get_args(ReaderName)
_MODULES: dict[ReaderName, str] = {"decord": "decord", "pyav": "av"}
_FORKS = ("decord2", "eva-decord")
"""Distributions that install a module ``decord`` too, for machines that decord has no wheel for."""


def default_reader() -> ReaderName:
    """The reader of those who name none: decord, or PyAV, with a warning, where decord cannot be loaded."""
    try:
        _load("decord")
    except DependencyError as error:
        warnings.warn(f"decord cannot be loaded here ({error.__cause__}), so PyAV decodes the videos", stacklevel=2)
        return "pyav"
    return "decord"


def load_reader(reader: ReaderName) -> None:
    """Import what a reader needs now, so that its first file does not take longer than the others.

    Raises:
        DependencyError: a library is not installed, or cannot be loaded.
    """
    _load("pyav")
    _load(reader)


def reader_version(reader: ReaderName) -> str:
    """The version of the library that is really loaded, which is part of what a store is.

    Another distribution than decord's own that answers to its name is named before its version: ``decord2 3.4.0``.

    Raises:
        DependencyError: it is not installed, or cannot be loaded.
    """
    version = str(_load(reader).__version__)
    own = _installed(_MODULES[reader])
    fork = next((name for name in _FORKS if _installed(name) == version), None)
    return f"{fork} {version}" if reader == "decord" and fork and own != version else version


def reader_title(reader: ReaderName) -> str:
    """A reader as people call it, with its version: ``PyAV 18.1.0``, ``decord 0.6.0``, ``decord2 3.4.0``.

    Raises:
        DependencyError: it is not installed, or cannot be loaded.
    """
    version = reader_version(reader)
    return version if " " in version else f"{'PyAV' if reader == 'pyav' else reader} {version}"


def _load(reader: ReaderName) -> ModuleType:
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
