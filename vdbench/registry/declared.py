"""What the class of a method has to say of itself, and whose fault it is when what it says cannot be used."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from contextlib import contextmanager
from math import inf, isfinite
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from vdbench.errors import DependencyError, VdbenchError
from vdbench.method import Card, Limits, Method, Resources, Settings
from vdbench.registry.source import VERSIONED
from vdbench.storage.files import digest
from vdbench.students import other_network
from vdbench.work.assets import AssetSpec
from vdbench.work.workload import Work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdbench.method import Task

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
RESERVED = {
    "all": "all methods in --methods",
    "generator": "the generator of a run's pool in --set",
    "protocol": "the suite's protocol in --set",
}
"""Names that no method may have, and what they stand for."""
TYPES = {"card": Card, "version": int, "resources": Resources, "budgeted": bool, "seeded": bool}
"""What a class says of itself in one word."""


def name_problem(name: str) -> str:
    """Why no method can have a name, one sentence; empty where one can."""
    if not NAME.fullmatch(name):
        return f"the name '{name}' must be lower-case words joined by hyphens"
    if name in RESERVED:
        return f"the name '{name}' stands for {RESERVED[name]}; choose another name"
    return ""


def problems(cls: type[Method[Any]]) -> Iterator[str]:
    """What is wrong with the declarations of a class that is to be a method, one sentence each."""
    if inspect.isabstract(cls):
        yield f"{cls.__name__} does not define {', '.join(sorted(cls.__abstractmethods__))}"
    name = getattr(cls, "name", None)
    if not isinstance(name, str):
        yield f'{cls.__name__} has no name that is a text; add name = "my-method"'
    elif problem := name_problem(name):
        yield problem
    if not hasattr(cls, "card"):
        yield f"{cls.__name__} has no card; add card = Card(title=...)"
    for attribute, wanted in TYPES.items():
        value = getattr(cls, attribute, None)
        if hasattr(cls, attribute) and (not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))):
            yield f"{cls.__name__}.{attribute} is {value!r}, not of type {wanted.__name__}"
    if isinstance(card := getattr(cls, "card", None), Card) and not (isinstance(card.title, str) and card.title):
        yield f"the card of {cls.__name__} has no title; add card = Card(title=...)"
    if not (isinstance(cls.Settings, type) and issubclass(cls.Settings, Settings)):
        yield (
            f"{cls.__name__}.Settings does not extend vdbench.method.Settings, so nothing tells which of them decide "
            "the outcome"
        )
    elif cls.pools and "pool" not in cls.Settings.model_fields:
        yield f"{cls.__name__} names pools, but its Settings have no field 'pool'"
    for attribute in ("pools", "reads"):
        value = getattr(cls, attribute)
        if not (isinstance(value, tuple | list) and all(isinstance(word, str) for word in value)):
            yield f"{cls.__name__}.{attribute} is {value!r}, not a tuple of names; one alone ends with a comma: (NAME,)"


def needed(method: Method[Any], task: Task) -> tuple[AssetSpec[Any], ...]:
    """The shared assets that a method declares for a task.

    Raises:
        DependencyError: it fails at that, as in :func:`answering`.
    """
    with answering(type(method), "needs()"):
        return assets_of(method, task)


def made_from(method: Method[Any], task: Task, device: str) -> tuple[str, ...]:
    """What a method's sets are made from beside clips and settings: assets, its network, and its precision on a device.

    Raises:
        DependencyError: the method fails at saying so, as in :func:`answering`.
    """
    network = other_network(method.settings.student) if hasattr(method.settings, "student") else {}
    told = [spec.identity_on(device) for spec in needed(method, task)] + ([network] if network else [])
    in_bf16 = device == "cuda" and method.settings.in_bf16()
    return (*map(digest, told), *(["bf16"] if in_bf16 else []))


def assets_of(method: Method[Any], task: Task) -> tuple[AssetSpec[Any], ...]:
    """What a method's ``needs`` gives, when it is what it should be.

    Raises:
        TypeError: it is something else.
        Exception: whatever the method raises.
    """
    return _tuple_of(AssetSpec, method.needs(task), "needs()")


def work_of(method: Method[Any], task: Task) -> tuple[Work, ...] | None:
    """What a method's ``work`` gives, when it is what it should be.

    Raises:
        TypeError: it is something else.
        ValueError: it says numbers that are none of times and items.
        Exception: whatever the method raises.
    """
    if (said := method.work(task)) is None:
        return None
    work = _tuple_of(Work, said, "work()")
    for one in work:
        if not _number(one.times, 0):
            raise ValueError(f"work() gives {one.times!r} times, which is no number from 0 on")
        if not (isinstance(one.batch, Integral) and int(one.batch) >= 1):
            raise ValueError(f"work() gives batches of {one.batch!r}, which is no whole number from 1 on")
    return work


def limits_of(method: Method[Any]) -> Limits:
    """What a method's ``limits`` gives, when it is what it should be.

    Raises:
        TypeError: it is something else.
        ValueError: it says what is no finite number, or a step size below 0.
        Exception: whatever the method raises.
    """
    limits = method.limits()
    if not isinstance(limits, Limits):
        raise TypeError(f"limits() gives {limits!r}, not Limits")
    for name, least in (("standstill", -inf), ("least_step_size", 0)):
        value = getattr(limits, name)
        if value is not None and not _number(value, least):
            raise ValueError(f"limits() gives {name}={value!r}; it takes finite numbers, a step size from 0 on")
    return limits


def _tuple_of(kind: type[Any], said: object, what: str) -> tuple[Any, ...]:
    if isinstance(said, kind | str) or not isinstance(said, Iterable):
        raise TypeError(f"{what} gives {said!r}, not a tuple of {kind.__name__}s")
    several = tuple(said)
    if wrong := [one for one in several if not isinstance(one, kind)]:
        raise TypeError(f"{what} names {wrong[0]!r}, which is no {kind.__name__}")
    return several


def _number(value: object, least: float) -> bool:
    return isinstance(value, Real) and isfinite(value) and float(value) >= least


def identity_of(method: Method[Any]) -> dict[str, Any]:
    """The settings of a method that decide its outcome.

    Raises:
        DependencyError: they do not turn into JSON, as in :func:`answering`.
    """
    with answering(type(method), "settings.identity()"):
        identity: dict[str, Any] = method.settings.identity()
    return identity


def promised_bytes(method: Method[Any], task: Task, clip_bytes: float | None) -> float:
    """What a method says that its set will take.

    Raises:
        DependencyError: it fails at that, or says no number, as in :func:`answering`.
    """
    with answering(type(method), "stored_bytes()"):
        return float(method.stored_bytes(task, clip_bytes))


@contextmanager
def answering(cls: type[Method[Any]], what: str) -> Iterator[None]:
    """Blame a method, and not vdbench, for what goes wrong while it answers what is asked.

    Raises:
        DependencyError: it failed, and is none of ours.
    """
    try:
        yield
    except (VdbenchError, OSError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        if cls.__module__.partition(".")[0] in VERSIONED:
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DependencyError(
            f"method '{cls.name}' cannot be used: {what} of its class {cls.__qualname__} fails with {reason}; mend it, "
            "'vdbench --debug ...' shows where"
        ) from error
