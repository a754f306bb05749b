"""What trials and assets of a home took, by what those of about the same cost have in common."""

from __future__ import annotations

import json
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from vdbench.storage.files import digest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from vdbench.experiment.result import Result
    from vdbench.records import DatasetRecord

UNLIKE = {"seed", "number", "first", "class_name"}
"""Fields of assets that do not change how long they take."""


@dataclass(frozen=True)
class TrialTime:
    """Seconds that a trial takes.

    Attributes:
        distill: until it has its clips, its assets not counted.
        rest: judging them, and all else.
    """

    distill: float
    rest: float


def trial_likeness(
    method: str, pool: str | None, dataset: DatasetRecord, ipc: int | None, protocol: dict[str, Any]
) -> str:
    """What trials of about the same cost have in common: all but settings and seed."""
    return digest([method, pool, dataset.fingerprint, ipc, protocol])


def past_trials(results: Iterable[Result]) -> dict[str, TrialTime]:
    """Median seconds of finished trials, by likeness."""
    found: dict[str, list[TrialTime]] = {}
    for result in results:
        if result.status == "done" and result.judged_as is None:
            key = trial_likeness(result.method, result.pool, result.dataset, result.ipc, result.protocol)
            spent = TrialTime(result.stages["distill"].seconds, result.stages["evaluate"].seconds)
            found.setdefault(key, []).append(spent)
    return {
        key: TrialTime(median(t.distill for t in times), median(t.rest for t in times)) for key, times in found.items()
    }


def asset_likeness(kind: str, spec: Any, train: str) -> str:
    """What assets of about the same cost have in common: all but their numbers and seeds."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items() if key not in UNLIKE}
        return value

    return digest([kind, plain(spec), train])


def past_assets(root: Path) -> dict[str, float]:
    """Median seconds of assets that are there, by likeness."""
    found: dict[str, list[float]] = {}
    for path in root.glob("*/*/asset.json"):
        try:
            made = json.loads(path.read_text(encoding="utf-8"))
            key = asset_likeness(path.parent.parent.name, made["spec"], made["train"])
            found.setdefault(key, []).append(float(made["seconds"]))
        except (OSError, ValueError, KeyError):  # damaged, or of an earlier version
            continue
    return {key: median(values) for key, values in found.items()}
