"""Plugin files: Python files that define methods, students or encoders, and what they import from beside them.

A plugin is loaded as a package of its own, whose modules are the files of its folder. Only the plugin and those files
see them: two plugins may each have a ``helper.py``, and one that is called like a module of the standard library or of
an installed package stands in nobody's way, since that module is what an import of this name gives, as if the folder
were the last one on the path.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.util
import inspect
import os
import sys
import threading
from contextlib import contextmanager
from functools import cache, cached_property
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from vdbench.errors import UsageError
from vdbench.extensions.witness import witnessed
from vdbench.storage import files
from vdbench.storage.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import CodeType, ModuleType

T = TypeVar("T")

ENDED = "ended the process that imported it, by a signal or a crash; 'python -X faulthandler' on it may show where"
_IMPORTING = threading.RLock()
"""Held while a plugin is imported: what ends a process is another one meanwhile, and has to be put back in turn."""


class Plugin:
    """A Python file that defines methods, students or encoders.

    Args:
        path: of the file.

    Raises:
        UsageError: there is no such file, or it is no Python file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.folder = self.path.parent
        if self.path.is_dir():
            raise UsageError(f"plugin {self.path} is a folder; name a Python file in it")
        if not self.path.is_file():
            raise UsageError(f"there is no plugin file {self.path}; check the path")
        if self.path.suffix != ".py":
            raise UsageError(f"plugin {self.path} is not a Python file; its name must end in .py")

    @cached_property
    def code(self) -> str:
        """Hash of the file, and of those that it imports from its folder, wherever in the code it does."""
        own = files.file_sha256(self.path)
        beside = {str(path.relative_to(self.folder)): files.file_sha256(path) for path in self._imported()}
        return files.digest([own, beside]) if beside else own[:16]

    @property
    def module(self) -> str:
        """The name that the file is loaded as; another one when its code has changed."""
        return f"vdbench_plugin_{files.digest([str(self.path), self.code])}"

    def classes(self, base: type[T]) -> list[type[T]]:
        """The classes that the file offers. It is run once per process, and again when its code has changed.

        Args:
            base: what they extend.

        Raises:
            BaseException: whatever the file raises.
        """
        found = [c for c in self._extending(base) if not inspect.isabstract(c)]
        return [c for c in found if hasattr(c, "name") or not c.__subclasses__()]  # what only others extend is none

    def unfinished(self, base: type[T]) -> list[type[T]]:
        """The classes that would be among :meth:`classes` if they defined what they have to."""
        return [c for c in self._extending(base) if inspect.isabstract(c) and not c.__subclasses__()]

    def _extending(self, base: type[T]) -> list[type[T]]:
        name = self.module
        module = sys.modules.get(name) or self._run(name)
        classes = [c for _, c in inspect.getmembers(module, inspect.isclass) if c.__module__ == name]
        return [c for c in classes if issubclass(c, base)]

    def _run(self, name: str) -> ModuleType:
        importlib.invalidate_caches()  # files may have been written a moment ago
        modules = _Modules(name, self)
        spec = importlib.util.spec_from_file_location(
            name,
            self.path,
            loader=_Loader(name, str(self.path), modules),
            submodule_search_locations=[str(self.folder)],
        )
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses and pydantic look their module up there
        sys.meta_path.insert(0, modules)
        try:
            with _no_sudden_end(), witnessed(f"error: plugin {harmless(str(self.path))} {ENDED}"):
                spec.loader.exec_module(module)
        except BaseException:
            sys.meta_path.remove(modules)
            for loaded in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
                del sys.modules[loaded]
            raise
        return module

    def holds(self, module: str) -> bool:
        """Whether importing the module gives one from beside the plugin."""
        top = self.folder / module.partition(".")[0]
        here = top.with_name(f"{top.name}.py").is_file() or any(top.glob("*.py"))
        return here and not _elsewhere(top.name, self.folder)

    def _imported(self) -> list[Path]:
        """The files of its folder that it imports, and those that these import, sorted."""
        found: set[Path] = set()
        unread = [self.path]
        while unread:
            path = unread.pop()
            for module, relative in _imports(path, self.folder):
                if not relative and not self.holds(module):
                    continue
                fresh = [part for part in self._files_of(module) if part not in found and part != self.path]
                found.update(fresh)
                unread += fresh
        return sorted(found)

    def _files_of(self, module: str) -> Iterator[Path]:
        """The files that importing ``package.module`` runs: of the package and of the module."""
        place = self.folder
        for part in module.split("."):
            place /= part
            for path in (place / "__init__.py", place.with_name(f"{part}.py")):
                if path.is_file():
                    yield path
                    break


@contextmanager
def _no_sudden_end() -> Iterator[None]:
    """Let ``os._exit`` raise in this thread, so that it can be told who called it; forked processes end by it."""
    ours = os.getpid(), threading.get_ident()

    def raise_or_end(status: int) -> NoReturn:
        if (os.getpid(), threading.get_ident()) == ours:
            raise SystemExit(f"os._exit({status})")
        end(status)

    with _IMPORTING:
        end, os._exit = os._exit, raise_or_end
        try:
            yield
        finally:
            os._exit = end


def _elsewhere(name: str, folder: Path) -> bool:
    """Whether a module is the standard library's, an installed package, or in another folder on the path than this."""
    if name in sys.stdlib_module_names:
        return True
    spec = PathFinder.find_spec(name, [place for place in sys.path if Path(place).resolve() != folder])
    return (spec is not None and spec.loader is not None) or name in _installed()


@cache
def _installed() -> frozenset[str]:
    """The names of all installed packages, those that are imported from a checkout among them."""
    return frozenset(packages_distributions())


def _imports(path: Path, folder: Path) -> Iterator[tuple[str, bool]]:
    """The modules that a file may import, and whether by a relative import: then seen from its plugin's folder.

    A file with a syntax error imports none.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            place = path.parent.relative_to(folder).parts if node.level else ()
            base = [*place[: len(place) + 1 - node.level], *(node.module.split(".") if node.module else [])]
            yield from ((".".join([*base, alias.name]), bool(node.level)) for alias in node.names)


class _Modules:
    """What the modules of one plugin see: a finder of its folder's files, and an import that looks there last.

    Args:
        package: the name that the plugin is loaded as.
        plugin: whose they are.
    """

    def __init__(self, package: str, plugin: Plugin) -> None:
        self.package, self.plugin = package, plugin

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find a module of the package, so that it is run as the plugin is."""
        if not name.startswith(f"{self.package}."):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(name, spec.loader.path, self)
        return spec

    def import_(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """``__import__`` as the plugin's modules see it."""
        if level or not self.plugin.holds(name):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        module = builtins.__import__(f"{self.package}.{name}", globals, locals, fromlist or (), 0)
        return module if fromlist else sys.modules[f"{self.package}.{name.partition('.')[0]}"]


class _Loader(SourceFileLoader):
    """Runs a file with the import of its plugin, and compiles it every time.

    Compiled files are found by time and size, and a file that was edited within a second would be run as it was.
    """

    def __init__(self, name: str, path: str, modules: _Modules) -> None:
        super().__init__(name, path)
        self._modules = modules

    def get_code(self, fullname: str) -> CodeType | None:
        """The file's code as it is now."""
        return self.source_to_code(self.get_data(self.path), self.path)

    def exec_module(self, module: ModuleType) -> None:
        """Run the file."""
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._modules.import_}
        super().exec_module(module)
