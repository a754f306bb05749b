"""Labels of rows: the method, and what sets a row apart from the other rows of the same method."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vdbench.experiment.result import Result
    from vdbench_leaderboard.tables.keys import Group

UNSET = "unset"
PRESCRIBED = "as prescribed"


def method_labels(results: Sequence[Result], groups: Mapping[str, Group]) -> dict[str, str]:
    """The row of each result, by its id: the method, and what sets it apart from the suite's rows of the same method.

    A label means the same in all tables of a suite: ``herding`` where all agree; ``herding (encoder.name=pixels)`` and
    ``herding (encoder.name=minic3d)`` where two settings were run; a difference of version shows as ``version=2``. What
    a suite prescribes may differ between IPCs and data sets and sets nothing apart: ``dm (lr=3)``, which a user chose,
    is another row than ``dm (lr=as prescribed)``. Generators are settings like others, but each data set has its own,
    so that only those of one table are set apart: ``herding@generated (generator.sampling.steps=25)``.

    Args:
        results: of any groups.
        groups: the group of each result, by its id.
    """
    rows: dict[tuple[Group, str], list[Result]] = defaultdict(list)
    suites: dict[tuple[str, str, str], list[Result]] = defaultdict(list)
    for result in results:
        group = groups[result.id]
        rows[group, result.label].append(result)
        suites[group.suite, group.evaluated_on, result.label].append(result)
    variants = {result.id: variant(result) for result in results}
    chosen = {
        result.id: names
        for members in suites.values()
        for names in [_chosen([variants[result.id] for result in members])]
        for result in members
    }
    across = _differing(suites.values(), lambda id_: {n: v for n, v in variants[id_].items() if n in chosen[id_]})
    within = _differing(rows.values(), lambda id_: {n: v for n, v in variants[id_].items() if n not in chosen[id_]})
    return {result.id: titled(result.label, across[result.id] | within[result.id]) for result in results}


def _chosen(variants: Sequence[Mapping[str, str]]) -> set[str]:
    """What no suite prescribes and no generator has: it means the same on every data set."""
    names = {name for variant in variants for name in part_of(variant, of_generator=False)}
    return {name for name in names if all(variant.get(name) != PRESCRIBED for variant in variants)}


def _differing(groups: Iterable[Sequence[Result]], part: Callable[[str], dict[str, str]]) -> dict[str, dict[str, str]]:
    """By id, what sets a result apart from the others of its group, in the part of its variant that counts there."""
    return {
        result.id: own
        for members in groups
        for result, own in zip(members, differing([part(result.id) for result in members]), strict=True)
    }


def part_of(settings: Mapping[str, str], of_generator: bool) -> dict[str, str]:
    """Of a variant, what the generator of its pool was set to, or everything else."""
    return {name: value for name, value in settings.items() if (name.split(".")[0] == "generator") == of_generator}


def titled(name: str, own: Mapping[str, str]) -> str:
    """A name with the settings that set it apart: ``herding (encoder.name=pixels)``; the name alone without any."""
    return f"{name} ({', '.join(f'{key}={own[key]}' for key in sorted(own))})" if own else name


def differing(variants: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Of each variant, what not all of them share; a setting that only some have differs, too."""
    names = {name for variant in variants for name in variant}
    varied = [name for name in names if len({variant.get(name, UNSET) for variant in variants}) > 1]
    return [{name: variant.get(name, UNSET) for name in varied} for variant in variants]


def variant(result: Result) -> dict[str, str]:
    """What can set rows of one method apart: version, pool, codec, and settings as ``encoder.name`` and the like."""
    prescribed = flat(result.prescribed)
    settings = {
        name: PRESCRIBED if prescribed.get(name) == value else value for name, value in flat(result.settings).items()
    }
    own = {"version": result.method_version, "pool": result.pool, "codec": result.codec or "as made"}
    return {name: str(value) for name, value in own.items()} | settings


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested settings as ``encoder.name`` and texts on one line."""
    found: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            whole = isinstance(value, float) and value.is_integer()
            found[prefix + name] = " ".join(str(int(value) if whole else value).split())
    return found
