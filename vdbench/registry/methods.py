"""Finding methods: entry points of the group ``vdbench.methods``, plugin files, and classes that Python hands over.

Our own methods come through the same group as anybody's. An installed method that cannot be imported is listed with
its problem, and is an error only for the run that asks for it. A plugin file was named on purpose: if something of it
cannot be used, that is an error for every run.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from vdbench.errors import DependencyError, UsageError, nearest
from vdbench.extensions.installed import entry_points, package
from vdbench.extensions.kinds import use
from vdbench.extensions.plugins import Plugin
from vdbench.method import Method, Settings
from vdbench.registry.declared import answering, problems
from vdbench.registry.source import code_of
from vdbench.storage.validation import setting_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

GROUP = "vdbench.methods"


@dataclass(frozen=True)
class Entry:
    """One place that offers a method.

    Attributes:
        name: what users type.
        source: the distribution or the file it comes from.
        method: the class; None where there is a problem.
        problem: why it cannot be used, one sentence; empty where it can.
        code: hash of the plugin file and what it imports from beside it; empty for an installed method, whose version
            stands for its code.
    """

    name: str
    source: str
    method: type[Method[Any]] | None
    problem: str = ""
    code: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it comes from a plugin file."""
        return Path(self.source).is_absolute()


class Registry:
    """All methods that can be found.

    Args:
        plugins: Python files that define methods, beside the installed ones.

    Raises:
        UsageError: a plugin file is missing.
        DependencyError: one cannot be used.
    """

    def __init__(self, plugins: Sequence[Path] = ()) -> None:
        self.entries = offered(plugins)
        if problem := plugin_problem(self.entries):
            raise DependencyError(problem)

    def names(self) -> list[str]:
        """The names of all methods that can be used, sorted."""
        return sorted(entry.name for entry in self.entries if entry.method is not None)

    def get(self, name: str) -> type[Method[Any]]:
        """The class of a method.

        Raises:
            UsageError: there is no such method.
            DependencyError: there is, but it cannot be imported.
        """
        found = [entry for entry in self.entries if entry.name == name]
        for entry in found:
            if entry.method is not None:
                return entry.method
        if found:
            raise DependencyError(f"method '{name}' of {found[0].source} cannot be used: {found[0].problem}")
        raise UsageError(f"unknown method '{name}'; {nearest(name, self.names())}")

    def code(self, name: str) -> str:
        """Hash of the plugin that a method comes from, so that editing it makes other trials; else empty."""
        return self._offer(name).code

    def plugins(self, name: str) -> tuple[Path, ...]:
        """The plugin file that a method comes from, absolute; none for an installed method."""
        offer = self._offer(name)
        return (Path(offer.source),) if offer.is_file else ()

    def _offer(self, name: str) -> Entry:
        return next(entry for entry in self.entries if entry.name == name and entry.method is not None)

    def resolve(self, patterns: Iterable[str]) -> list[tuple[str, str | None]]:
        """Turn what was typed into methods and pools.

        Args:
            patterns: names, ``name@pool``, globs such as ``k-*``, or ``all``. Globs and ``all`` before a pool stand for
                the methods that can take it.

        Returns:
            ``(name, pool)`` pairs without repeats, in the order typed; the pool is None where none was named.

        Raises:
            UsageError: there is no such method, or it cannot take that pool.
        """
        chosen: dict[tuple[str, str | None], None] = {}
        for pattern in patterns:
            name, _, pool = pattern.partition("@")
            names = self.names() if name == "all" else [n for n in self.names() if fnmatchcase(n, name)]
            fitting = [n for n in names if not pool or pool in self.get(n).pools]
            for match in fitting or names[:1] or [name]:
                self._check_pool(match, pool)
                chosen[match, pool or None] = None
        return list(chosen)

    def _check_pool(self, name: str, pool: str) -> None:
        pools = self.get(name).pools
        if pool and pool not in pools:
            offer = f"its pools are: {', '.join(pools)}" if pools else "it takes no pool"
            raise UsageError(f"method '{name}' has no pool '{pool}'; {offer}")

    def configure(self, name: str, pool: str | None, values: Mapping[str, Any]) -> Method[Any]:
        """Build a method with its settings.

        Args:
            name: of the method.
            pool: the pool to take, or None for its default.
            values: settings that differ from the defaults, nested as the settings are.

        Raises:
            UsageError: a setting is unknown or its value is out of range.
            DependencyError: its constructor fails.
        """
        cls = self.get(name)
        chosen = dict(values) | ({"pool": pool} if pool else {})
        settings = _settings(cls, chosen)
        with answering(cls, "constructor"):
            return cls(settings)


def offered(plugins: Sequence[Path] = ()) -> list[Entry]:
    """All that is offered as a method, what cannot be used as well.

    Args:
        plugins: plugin files; one that is named twice counts once.

    Raises:
        UsageError: a plugin file is missing.
    """
    chosen = dict.fromkeys(path.expanduser().resolve() for path in plugins)
    files = [entry for path in chosen for entry in _from_file(path)]
    same = {(entry.name, entry.code) for entry in files}
    handed = [entry for entry in handed_over() if (entry.name, entry.code) not in same]
    return _without_clashes([*_installed(), *handed, *files])


_HANDED_OVER: dict[str, Entry] = {}
"""The classes that this process was handed, by the names of their methods."""


def hand_over(method: type[Method[Any]]) -> str:
    """Offer a class as a method to this process, in place of one of that name that it was handed before.

    Args:
        method: a subclass of :class:`vdbench.method.Method`.

    Returns:
        The name of the method.

    Raises:
        UsageError: its source cannot be had.
        DependencyError: it cannot be used as a method.
    """
    name = _name(method)
    offer = _entry(name, f"class {method.__qualname__}", method)
    installed = {entry.name: entry for entry in _installed() if entry.method is not None}
    if name in installed and installed[name].method is method:
        return name
    problem = offer.problem or (f"the name '{name}' is taken by {installed[name].source}" if name in installed else "")
    if problem:
        raise DependencyError(f"class {method.__qualname__} cannot be used: {problem}")
    _HANDED_OVER[name] = replace(offer, code=code_of(method))
    return name


def handed_over() -> list[Entry]:
    """What this process was handed, to be received by another one."""
    return list(_HANDED_OVER.values())


def receive(entries: Iterable[Entry]) -> None:
    """Offer to this process what another one was handed."""
    _HANDED_OVER.update({entry.name: entry for entry in entries})


def plugin_problem(entries: Iterable[Entry]) -> str:
    """Why the first broken plugin file cannot be used, one sentence; empty where all can."""
    broken = (entry for entry in entries if entry.is_file and entry.problem)
    return next((f"plugin {entry.source} cannot be used: {entry.problem}" for entry in broken), "")


def _settings(cls: type[Method[Any]], values: dict[str, Any]) -> Settings:
    try:
        return cls.Settings.model_validate(values)
    except ValidationError as error:
        raise setting_error(error, cls.Settings, cls.name) from None


def _installed() -> list[Entry]:
    found = []
    for point in entry_points(group=GROUP):
        source = package(point)
        try:
            method = point.load()
        except (Exception, SystemExit) as error:  # whatever a stranger's module raises must not stop the others
            found.append(Entry(point.name, source, None, _sentence(error)))
            continue
        found.append(_entry(point.name, source, method))
    return sorted(found, key=lambda entry: (entry.source != "vdbench", entry.name))


def _from_file(path: Path) -> list[Entry]:
    plugin = Plugin(path)
    source, name = str(plugin.path), plugin.path.stem.replace("_", "-")
    try:
        methods = plugin.classes(Method)  # type: ignore[type-abstract]
    except (Exception, SystemExit) as error:
        return [Entry(name, source, None, _sentence(error))]
    use([path])
    if not methods and not _adds_networks(plugin):
        unfinished = plugin.unfinished(Method)  # type: ignore[type-abstract]
        also = next((f", and {problem}" for c in unfinished for problem in problems(c)), "")
        return [Entry(name, source, None, f"it defines no method, student or encoder{also}")]
    return [replace(_entry(_name(c), source, c), code=plugin.code) for c in methods]


def _name(cls: type) -> str:
    """What a class is listed as, whatever it has for a name."""
    name = getattr(cls, "name", None)
    return name if isinstance(name, str) else cls.__name__


def _adds_networks(plugin: Plugin) -> bool:
    """Whether a plugin file without a method defines students or encoders."""
    from vdbench.encoders import Encoder
    from vdbench.students.student import Student

    return bool(plugin.classes(Student) or plugin.classes(Encoder))  # type: ignore[type-abstract]


def _entry(name: str, source: str, method: Any) -> Entry:
    """Check what was offered before anybody relies on it."""
    if not (inspect.isclass(method) and issubclass(method, Method)):
        return Entry(name, source, None, f"{method!r} is not a subclass of vdbench.method.Method")
    if problem := next(problems(method), ""):
        return Entry(name, source, None, problem)
    if method.name != name:
        return Entry(name, source, None, f"its entry point says '{name}', its class says {method.name!r}")
    return Entry(name, source, method)


def _without_clashes(offered: list[Entry]) -> list[Entry]:
    """The first to offer a name keeps it; ours come first."""
    owner: dict[str, Entry] = {}
    entries = []
    for entry in offered:
        first = owner.setdefault(entry.name, entry) if entry.method is not None else None
        if first is not None and first is not entry:
            entries.append(Entry(entry.name, entry.source, None, f"the name '{entry.name}' is taken by {first.source}"))
        else:
            entries.append(entry)
    return entries


def _sentence(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
