"""The command that runs stored trials again."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from vdbench.datasets.spec import dataset_names, load_dataset
from vdbench.errors import UsageError
from vdbench.experiment.suite import MODIFIED, Suite, load_suite, merged, suite_names
from vdbench.generator.settings import generator_settings
from vdbench.registry import Registry
from vdbench.storage import plain_yaml

if TYPE_CHECKING:
    from vdbench.experiment.result import Result
    from vdbench.method import Method

GENERATOR = "generator"
OURS = "vdbench"
"""The distribution whose methods every installation has."""
ROUNDS = 4
"""A setting that is chosen can change what the suite prescribes: choices are completed until nothing differs."""

Tree = Mapping[str, Any]


def repeat_command(results: Sequence[Result]) -> str:
    """What to type to run trials again: the same method, clips and protocol, with all of their seeds.

    Of the settings only those are named that this version of vdbench would not choose by itself, and of a method that
    is not part of it all that the suite does not prescribe; such a method also needs its ``--plugin``.

    Args:
        results: at least one, which differ in nothing but their seed.
    """
    result = results[0]
    words = ["vdbench", "run", "--suite", result.suite.removesuffix(MODIFIED), "--datasets", result.dataset.name]
    words += ["--methods", _named(result), *_allowed(result), "--seeds", str(max(r.seed for r in results) + 1)]
    if result.codec:
        words += ["--codec", result.codec]
    if result.dataset.partial:
        words.append("--partial")
    changes = {"protocol": _protocol(result), result.method: _method(result), GENERATOR: _generator(result)}
    for name, chosen in changes.items():
        for path, value in sorted(_leaves(chosen).items()):
            words += ["--set", f"{name}.{path}={_typed(value)}"]
    return shlex.join(words)


def _named(result: Result) -> str:
    ours = _ours(result.method)
    default = ours.pools[0] if ours and ours.pools else None
    return result.method if result.pool in (None, default) else f"{result.method}@{result.pool}"


def _allowed(result: Result) -> list[str]:
    if result.budget_bytes is not None:
        whole, rest = divmod(result.budget_bytes, 1024)
        return ["--budget", f"bytes={result.budget_bytes}" if rest else f"bytes={whole}KiB"]
    return ["--ipc", str(result.ipc or 1)]  # a method without a budget takes none, but the controls beside it do


def _protocol(result: Result) -> Tree:
    """What was changed of the suite's protocol."""
    suite = _suite(result)
    return {} if suite is None else _differing(result.protocol, _declared(suite.name, result.dataset.name))


@cache
def _declared(suite: str, dataset: str) -> Tree:
    """The protocol of a suite on a data set."""
    protocol = _load(suite).protocol
    if dataset in dataset_names():
        protocol = protocol.on(load_dataset(dataset))
    return protocol.model_dump(mode="json")


def _method(result: Result) -> Tree:
    """What was chosen of the method's settings."""
    target = {name: value for name, value in result.settings.items() if name not in ("pool", GENERATOR)}
    if _ours(result.method) is None:
        return _differing(target, result.prescribed)
    defaults = _defaults(result.method)
    return _chosen(target, lambda chosen: merged(defaults, _prescribed(result, result.method, chosen)))


def _generator(result: Result) -> Tree:
    """What was chosen of the generator behind the pool."""
    made = result.settings.get(GENERATOR)
    if made is None:
        return {}
    target = {name: made[name] for name in ("autoencoder", "denoiser", "training", "sampling") if name in made}
    if made.get("source") == "trained":
        target["source"] = "trained"  # even where a generator ships by now
    elif made.get("source") == "pipeline":
        saw = result.provenance.generator_saw if result.provenance else "unknown"
        target |= {"pipeline": made["pipeline"], "prompt": made["prompt"], "saw": saw}
    return _chosen(target, lambda chosen: _sizes(_prescribed(result, GENERATOR, chosen)))


def _sizes(chosen: dict[str, Any]) -> Tree:
    """The generator's settings that follow from what is chosen; what was chosen, where this version knows it not."""
    try:
        return generator_settings(chosen).identity()
    except UsageError:
        return chosen


def _chosen(target: Tree, resolved: Callable[[Tree], Tree]) -> Tree:
    """Few choices that resolve to the target."""
    chosen: dict[str, Any] = {}
    for _ in range(ROUNDS):
        missing = _differing(target, resolved(chosen))
        if not missing:
            break
        chosen = merged(chosen, missing)
    return chosen


def _prescribed(result: Result, name: str, chosen: Tree) -> dict[str, Any]:
    """What the suite prescribes, with what is chosen instead."""
    suite = _suite(result)
    given = suite.prescribed(name, result.dataset.name, result.ipc or 1, chosen) if suite else result.prescribed
    return merged(given, chosen)


@cache
def _registry() -> Registry:
    return Registry()


def _ours(name: str) -> type[Method[Any]] | None:
    return next((entry.method for entry in _registry().entries if (entry.name, entry.source) == (name, OURS)), None)


@cache
def _defaults(name: str) -> Tree:
    """A method's settings if nothing is chosen; unchecked, as checking imports torch."""
    ours = _ours(name)
    return ours.Settings.model_construct().identity() if ours else {}


def _suite(result: Result) -> Suite | None:
    name = result.suite.removesuffix(MODIFIED)
    return _load(name) if name in suite_names() else None


@cache
def _load(name: str) -> Suite:
    return load_suite(name)


def _differing(target: Tree, known: Tree) -> dict[str, Any]:
    """Of nested values, those that are not known to be so."""
    differing: dict[str, Any] = {}
    for name, value in target.items():
        if isinstance(value, Mapping) and isinstance(known.get(name), Mapping):
            if deeper := _differing(value, known[name]):
                differing[name] = deeper
        elif name not in known or known[name] != value:
            differing[name] = value
    return differing


def _leaves(tree: Tree, prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for name, value in tree.items():
        leaves |= _leaves(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return leaves


def _typed(value: Any) -> str:
    """As YAML on one line, which is how settings are read."""
    return plain_yaml.write(value).strip()
