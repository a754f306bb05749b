"""Classes that are found by name: our own, those of installed packages, and those of the plugin files in use."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from vdbench.errors import DependencyError, UsageError, VdbenchError, nearest
from vdbench.extensions.installed import entry_points
from vdbench.extensions.plugins import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

T = TypeVar("T")

in_use: dict[Path, Plugin] = {}
"""The plugin files of this process, in the order in which they were named."""


def use(files: Iterable[Path]) -> None:
    """Let classes of plugin files be found by this process, with the code that the files hold now.

    Raises:
        UsageError: there is no such file, or it is no Python file.
        DependencyError: it cannot be imported.
    """
    for file in files:
        plugin = Plugin(file)
        try:
            plugin.classes(object)
        except VdbenchError:
            raise
        except (Exception, SystemExit) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise DependencyError(f"plugin {plugin.path} cannot be used: {reason}") from error
        in_use[plugin.path] = plugin


def code_of(cls: type) -> str:
    """Hash of the plugin file that a class comes from, and of what that imports from beside it; empty for others."""
    return next((plugin.code for plugin in in_use.values() if plugin.module == cls.__module__.partition(".")[0]), "")


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A kind of class that others may add to.

    Attributes:
        noun: what one is called.
        group: the group of entry points that offers others.
        base: what they extend, ``module:Class``; imported by nobody who only lists names.
        own: ours, ``module:Class`` by name, in the order of tables.
    """

    noun: str
    group: str
    base: str
    own: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """All names, ours first, in the order of tables."""
        others = [*sorted(self._installed()), *(cls_name(cls) for cls, _ in self._in_plugins())]
        return tuple(dict.fromkeys([*self.own, *others]))

    def get(self, name: str) -> type[T]:
        """The class behind a name; ours come first, then installed ones.

        Raises:
            UsageError: there is none of that name, or a plugin file offers one of ours.
            DependencyError: it cannot be imported, or is no class of this kind.
        """
        plugged = next((found for found in self._in_plugins() if cls_name(found[0]) == name), None)
        if plugged and (name in self.own or name in self._installed()):
            raise UsageError(f"{plugged[1].path}: the name '{name}' is taken by another {self.noun}; choose another")
        if name in self.own:
            return self._load(EntryPoint(name, self.own[name], self.group))
        if name in self._installed():
            return self._load(self._installed()[name])
        if plugged is None:
            raise UsageError(f"there is no {self.noun} '{name}'; {nearest(name, list(self.names()))}")
        return plugged[0]

    def file(self, name: str) -> Path | None:
        """The plugin file that a class comes from; None for an installed one."""
        return next((plugin.path for cls, plugin in self._in_plugins() if cls_name(cls) == name), None)

    def _installed(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}

    def _in_plugins(self) -> list[tuple[type[T], Plugin]]:
        base = cast("type[T]", _imported(self.base)) if in_use else None
        return [(cls, plugin) for plugin in in_use.values() for cls in plugin.classes(base)] if base else []

    def _load(self, point: EntryPoint) -> type[T]:
        try:
            found = point.load()
        except (Exception, SystemExit) as error:  # whatever a stranger's module raises
            reason = " ".join(str(error).split())
            raise DependencyError(f"{self.noun} '{point.name}' cannot be imported: {reason}") from error
        if not (isinstance(found, type) and issubclass(found, cast("type[T]", _imported(self.base)))):
            wanted = self.base.replace(":", ".")
            raise DependencyError(f"{self.noun} '{point.name}' cannot be used: {point.value} does not extend {wanted}")
        return found


def cls_name(cls: type) -> str:
    """What users type for a class."""
    return str(getattr(cls, "name", cls.__name__))


def _imported(path: str) -> object:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
