"""Running a stored trial again: what its result says that has to be asked for, and the command that asks for it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from vdbench.datasets.spec import dataset_names, load_dataset
from vdbench.errors import DataError, UsageError
from vdbench.experiment.protocol import Protocol
from vdbench.experiment.suite import MODIFIED, Suite, load_suite, merged, suite_names
from vdbench.generator.settings import GENERATOR, generator_settings
from vdbench.registry import Registry
from vdbench.storage import plain_yaml
from vdbench.storage.validation import faults_in

if TYPE_CHECKING:
    from vdbench.experiment.result import Result
    from vdbench.method import Method

OURS = "vdbench"
"""The distribution whose methods every installation has."""

Tree = Mapping[str, Any]


def named(result: Result) -> str:
    """Its method with the pool, unless that is the method's default."""
    ours = _ours(result.method)
    default = ours.pools[0] if ours and ours.pools else None
    return result.method if result.pool in (None, default) else f"{result.method}@{result.pool}"


def suite_of(result: Result) -> Suite:
    """The suite that it was judged under, with the very protocol; without controls, which are results of their own.

    Raises:
        DataError: this version knows no such protocol.
    """
    try:
        protocol = Protocol.model_validate(_drawn(result))
    except ValidationError as error:
        raise DataError(
            f"the protocol of result {result.id} is none of this version: {faults_in(error)}; use vdbench "
            f"{result.environment.vdbench}"
        ) from error
    base = result.suite.removesuffix(MODIFIED)
    if base in suite_names():
        return load_suite(base).model_copy(update={"name": result.suite, "protocol": protocol, "controls": ()})
    rest: dict[str, Any] = {"datasets": (result.dataset.name,), "ipc": (1,), "seeds": 1, "controls": ()}
    return Suite(name=result.suite, description="of a stored result", protocol=protocol, **rest)


def settings_of(result: Result) -> dict[str, dict[str, Any]]:
    """All settings that decide its outcome, of its method and of the generator behind its pool."""
    own = {name: value for name, value in result.settings.items() if name not in ("pool", GENERATOR)}
    made = result.settings.get(GENERATOR)
    if made is None:
        return {result.method: own}
    target = {name: made[name] for name in ("autoencoder", "denoiser", "training", "sampling") if name in made}
    if made.get("source") == "trained":
        target["source"] = "trained"  # even where a generator ships by now
    elif made.get("source") == "pipeline":
        saw = result.provenance.generator_saw if result.provenance else "unknown"
        target |= {name: made[name] for name in ("pipeline", "prompt") if name in made} | {"saw": saw}
    return {result.method: own, GENERATOR: target}


def repeat_command(results: Sequence[Result]) -> str:
    """What to type to run trials again: the same method, clips and protocol, with all of their seeds.

    Of the settings only those are named that neither the suite prescribed nor are defaults of this version, and of a
    method that is not part of it all that the suite did not prescribe; such a method also needs its ``--plugin``.

    Args:
        results: at least one, which differ in nothing but their seed.
    """
    result = max(results, key=lambda one: one.draws or 0)  # with more draws, the seeds below the fewer have the same
    words = ["vdbench", "run", "--suite", result.suite.removesuffix(MODIFIED), "--datasets", result.dataset.name]
    words += ["--methods", named(result), *_allowed(result), "--seeds", str(max(r.seed for r in results) + 1)]
    if result.codec:
        words += ["--codec", result.codec]
    if result.dataset.partial:
        words.append("--partial")
    unsaid = {"protocol": _declared(result), result.method: _unasked(result), GENERATOR: _generator_unasked(result)}
    for name, settings in ({"protocol": _drawn(result)} | settings_of(result)).items():
        for path, value in sorted(_leaves(_differing(settings, unsaid[name])).items()):
            words += ["--set", f"{name}.{path}={_typed(value)}"]
    return shlex.join(words)


def _allowed(result: Result) -> list[str]:
    if result.budget_bytes is not None:
        whole, rest = divmod(result.budget_bytes, 1024)
        return ["--budget", f"bytes={result.budget_bytes}" if rest else f"bytes={whole}KiB"]
    return ["--ipc", str(result.ipc or 1)]  # a method without a budget takes none, but the controls beside it do


def _drawn(result: Result) -> dict[str, Any]:
    """Its protocol with the number of draws, where it used any; before results named that, there was one draw."""
    draws = result.draws
    if "draws" not in result.model_fields_set:
        assets = result.stages.get("assets")
        draws = 1 if "soft" in result.protocol.get("labels", ()) or (assets and assets.seconds) else None
    return result.protocol if draws is None else result.protocol | {"draws": draws}


def _declared(result: Result) -> Tree:
    """The protocol of its suite on its data set; its own, where this version has no such suite."""
    base = result.suite.removesuffix(MODIFIED)
    return _protocol(base, result.dataset.name) if base in suite_names() else result.protocol


@cache
def _protocol(suite: str, dataset: str) -> Tree:
    protocol = load_suite(suite).protocol
    if dataset in dataset_names():
        protocol = protocol.on(load_dataset(dataset))
    return protocol.model_dump(mode="json")


def _unasked(result: Result) -> Tree:
    """What the settings of its method are if nobody chooses any."""
    return merged(_defaults(result.method), {k: v for k, v in result.prescribed.items() if k != GENERATOR})


def _generator_unasked(result: Result) -> Tree:
    """What the generator is if nobody chooses anything; what was prescribed alone, where this version knows it not."""
    prescribed = result.prescribed.get(GENERATOR) or {}
    try:
        return generator_settings(prescribed).identity()
    except UsageError:
        return dict(prescribed)


@cache
def _registry() -> Registry:
    return Registry()


def _ours(name: str) -> type[Method[Any]] | None:
    return next((entry.method for entry in _registry().entries if (entry.name, entry.source) == (name, OURS)), None)


@cache
def _defaults(name: str) -> Tree:
    """Settings of a method of ours if nothing is chosen; unchecked, as checking imports torch."""
    ours = _ours(name)
    return ours.Settings.model_construct().identity() if ours else {}


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
        deeper = isinstance(value, Mapping) and value
        leaves |= _leaves(deeper, f"{prefix}{name}.") if deeper else {prefix + name: value}
    return leaves


def _typed(value: Any) -> str:
    """As YAML on one line, which is how settings are read."""
    return plain_yaml.write(value).strip()
