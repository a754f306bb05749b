"""From what a user asks for, typed or in Python, to a request that can be planned."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdbench.api.arguments import shown, whole
from vdbench.clips.codecs import parse_codec
from vdbench.datasets.prepare import prepared_store
from vdbench.errors import UsageError
from vdbench.experiment.bench import device_named
from vdbench.experiment.budgets import parse_bytes
from vdbench.experiment.plan import Request
from vdbench.experiment.repeat import named as named_in
from vdbench.experiment.repeat import settings_of, suite_of
from vdbench.experiment.suite import Suite, load_suite, merged, usual_suite
from vdbench.experiment.trial import Means
from vdbench.method import Method
from vdbench.registry import Registry
from vdbench.registry.methods import hand_over

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from vdbench.clips.codecs import Codec
    from vdbench.experiment.home import Home
    from vdbench.experiment.result import Result

MethodLike = str | type[Method[Any]] | Method[Any]
"""A name, ``name@pool`` or glob; a class; or an instance, whose settings are those that it was given."""
SuiteLike = str | Path | Suite
"""A name, the path of a YAML file, or a suite."""


@dataclass(frozen=True)
class Asked:
    """What a user asks for; None leaves it to the suite.

    Attributes:
        methods: which, beside the suite's controls.
        datasets: their names.
        ipc: instances per class.
        seeds: of the distillations.
        suite: the protocol; None for the usual one of these data sets.
        settings: for each method, for ``generator`` and for ``protocol``, what differs from the suite.
        budgets: bytes that a distilled set may take.
        codec: what clips are stored as.
        partial: whether data sets of which only some classes or clips are there are allowed.
        plugins: Python files that define methods.
        controls: whether the suite's controls run beside the methods.
    """

    methods: Sequence[MethodLike] | None = None
    datasets: Sequence[str] | None = None
    ipc: Sequence[int] | None = None
    seeds: Sequence[int] | None = None
    suite: SuiteLike | None = None
    settings: Mapping[str, Mapping[str, Any]] | None = None
    budgets: Sequence[int] = ()
    codec: Codec | None = None
    partial: bool = False
    plugins: Sequence[Path] = ()
    controls: bool = True


def requested(
    asked: Asked,
    home: Home,
    means: Means | None = None,
    preparing: Callable[[str], AbstractContextManager[Callable[[int, int], None]]] | None = None,
) -> Request:
    """Find all that was asked for. The embedded data set is prepared if need be.

    Args:
        asked: by the user.
        home: where data sets are.
        means: how it is carried out.
        preparing: gives, for the name of a data set, what shows how far preparing it is.

    Raises:
        UsageError: a name or a number makes no sense.
        DataError: a data set is not prepared.
        DependencyError: a method cannot be used.
    """
    means = means or Means()
    device = device_named(means.device, means.elsewhere)
    changes = dict(asked.settings or {})
    protocol = changes.pop("protocol", None)
    names = None
    if asked.methods is not None:
        names, given = named(asked.methods)
        changes = merged(given, changes)
    Registry(asked.plugins).resolve(names or [])
    suite = load_suite(asked.suite or usual_suite(asked.datasets), protocol)
    if not asked.controls:
        suite = suite.model_copy(update={"controls": ()})
    stores = []
    for name in asked.datasets or suite.datasets:
        frames, size = suite.protocol.frames, suite.protocol.size
        if preparing is None:
            stores.append(prepared_store(name, home.root, frames, size))
            continue
        with preparing(name) as on_progress:
            stores.append(prepared_store(name, home.root, frames, size, on_progress))
    names_of = [store.manifest.spec.name for store in stores]
    if twice := next((name for name in names_of if names_of.count(name) > 1), None):
        raise UsageError(f"two of the data sets are called '{twice}'; run them one after the other")
    return Request(
        suite=suite,
        methods=names or suite.runs,
        stores=stores,
        ipc=asked.ipc or (() if asked.budgets else suite.ipc),
        seeds=asked.seeds if asked.seeds is not None else range(suite.seeds),
        budgets=asked.budgets,
        codec=asked.codec,
        settings=changes,
        partial=asked.partial,
        plugins=asked.plugins,
        means=replace(means, device=device),
    )


def repeated(result: Result, seeds: Sequence[int] | None = None, plugins: Sequence[Path] = ()) -> Asked:
    """What runs the trial of a result again: with its settings, whatever the defaults are by now.

    Args:
        result: of any version whose protocol this one knows.
        seeds: of the distillations; that of the result where left out.
        plugins: Python files that define methods.

    Raises:
        DataError: this version knows no such protocol.
    """
    return Asked(
        methods=[named_in(result)],
        datasets=[result.dataset.name],
        ipc=[] if result.budget_bytes else [result.ipc or 1],
        seeds=[result.seed] if seeds is None else seeds,
        suite=suite_of(result),
        settings=settings_of(result),
        budgets=[result.budget_bytes] if result.budget_bytes else [],
        codec=None if result.codec is None else parse_codec(result.codec),
        partial=result.dataset.partial,
        plugins=plugins,
        controls=False,
    )


def named(methods: Iterable[MethodLike]) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """Methods by what they would be called on the command line, and the settings of those that are instances.

    A class, and that of an instance, is offered as a method to this process.

    Raises:
        UsageError: one is no method, its source cannot be had, or two instances are of one method: see :func:`apart`.
        DependencyError: a class cannot be used as a method.
    """
    names: list[str] = []
    settings: dict[str, dict[str, Any]] = {}
    for method in methods:
        if isinstance(method, str):
            names.append(method)
        elif inspect.isclass(method) and issubclass(method, Method):
            names.append(hand_over(method))
        elif isinstance(method, Method):
            name = hand_over(type(method))
            if name in settings:
                raise UsageError(f"method '{name}' is given twice with settings of its own")
            chosen = method.settings.model_dump(mode="json")
            settings[name] = {key: chosen[key] for key in sorted(method.settings.model_fields_set)}
            names.append(name)
        else:
            raise UsageError(
                f"{method!r} is no method; give a name, or a subclass of vdbench.method.Method or its instance"
            )
    return names, settings


def apart(methods: Sequence[MethodLike] | None) -> list[Sequence[MethodLike] | None]:
    """Methods in groups that have at most one instance of each, whose settings are then its own.

    Names and classes are in every group, so that settings which are meant for them are.
    """
    if methods is None:
        return [None]
    plain = [method for method in methods if not isinstance(method, Method)]
    groups: list[Sequence[MethodLike] | None] = []
    left = [method for method in methods if isinstance(method, Method)]
    while left or not groups:
        first = {type(method): method for method in reversed(left)}
        groups.append([*plain, *reversed(first.values())])
        left = [method for method in left if first[type(method)] is not method]
    return groups


def nested(changes: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """``{"dm.lr": 3, "herding": {"encoder": "pixels"}}`` as nested dictionaries.

    Raises:
        UsageError: a key names no setting.
    """
    if not isinstance(changes, Mapping | None):
        raise UsageError(f"set takes a dictionary such as {{'herding.encoder': 'pixels'}}, not {changes!r}")
    tree: dict[str, dict[str, Any]] = {}
    for path, value in (changes or {}).items():
        name, *keys = str(path).split(".")
        if not keys and not isinstance(value, Mapping):
            raise UsageError(f"set={{{path!r}: ...}} names no setting; write it as 'herding.encoder': 'pixels'")
        inner = reduce(lambda within, key: {key: within}, reversed(keys), value)
        tree[name] = merged(tree.get(name, {}), inner)
    return tree


def counted(seeds: int | Iterable[int] | None) -> Sequence[int] | None:
    """Seeds as a user gives them: how many, counted from 0, or which.

    Raises:
        UsageError: there is none, or one is no whole number.
    """
    if seeds is None:
        return None
    if isinstance(seeds, str) or not isinstance(seeds, Iterable):
        return range(at_least_one(seeds, "seeds"))
    return tuple(seed_of(seed) for seed in not_empty(seeds, "seeds"))


def not_empty(some: Iterable[Any], what: str) -> list[Any]:
    """A list of what was given.

    Raises:
        UsageError: nothing was, by which nobody can mean the default.
    """
    if not (several := list(some)):
        raise UsageError(f"{what} is empty; name one or more, or leave it out")
    return several


def seed_of(value: Any) -> int:
    """A seed.

    Raises:
        UsageError: it is no whole number, or a negative one.
    """
    if (seed := whole(value)) is None or seed < 0:
        raise UsageError(f"a seed is a whole number from 0 on, not {shown(value)}")
    return seed


def dataset_of(value: Any) -> str:
    """The name of a data set, or the path of its file.

    Raises:
        UsageError: it is neither.
    """
    if not isinstance(value, str | PathLike):
        raise UsageError(f"{value!r} is no data set; give one name, or the path of its YAML file")
    return str(value)


def plugin_files(plugins: Any) -> list[Path]:
    """Plugin files, one or several."""
    return [Path(plugin) for plugin in ([plugins] if isinstance(plugins, str | PathLike) else plugins)]


def ipcs(ipc: int | Iterable[int] | None) -> Sequence[int] | None:
    """One IPC or several, without repeats.

    Raises:
        UsageError: one is below 1.
    """
    if ipc is None:
        return None
    several = not_empty(ipc, "ipc") if isinstance(ipc, Iterable) else [ipc]
    return list(dict.fromkeys(at_least_one(one, "ipc") for one in several))


def at_least_one(value: Any, what: str) -> int:
    """A whole number of at least 1.

    Raises:
        UsageError: it is none.
    """
    if (number := whole(value)) is None or number < 1:
        raise UsageError(f"{what} takes whole numbers of at least 1, not {shown(value)}")
    return number


def budgets(asked: int | str | Iterable[int | str] | None) -> list[int]:
    """Budgets of bytes, as numbers or as ``"512KiB"``."""
    if asked is None:
        return []
    several = [asked] if isinstance(asked, str) or not isinstance(asked, Iterable) else not_empty(asked, "budget")
    return [parse_bytes(str(one)) for one in several]
