"""Timings of one version of the code alone: of several, neither a mean nor a column would say anything of a method."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vdbench.experiment.result import Result
    from vdbench_leaderboard.tables.keys import Group

KINDS = (("assets", "distill"), ("evaluate",))
"""Stages whose seconds are shown as one number."""
Version = tuple[int, ...]
"""Of the code that each stage of a number was timed with; 0 where a result does not say it."""


def comparable(results: Sequence[Result], groups: Mapping[str, Group]) -> list[Result]:
    """The same results, each with the stages whose timings may stand in one table with the others of its group.

    These are timings of the version that most trials of the group have, the latest of equals. The others are left out.
    """
    counts: dict[tuple[Group, tuple[str, ...]], Counter[Version]] = defaultdict(Counter)
    for result in results:
        for kind in KINDS:
            if result.status == "done":
                counts[groups[result.id], kind][_version(result, kind)] += 1
    usual = {place: max(found, key=lambda version: (found[version], version)) for place, found in counts.items()}
    kept = []
    for result in results:
        group = groups[result.id]
        others = {s for kind in KINDS if _version(result, kind) != usual.get((group, kind)) for s in kind}
        stages = {name: stage for name, stage in result.stages.items() if name not in others}
        kept.append(result.model_copy(update={"stages": stages}))
    return kept


def _version(result: Result, kind: tuple[str, ...]) -> Version:
    return tuple(result.stages[name].code or 0 for name in kind if name in result.stages)
