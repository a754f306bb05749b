"""What trials and assets of a home took, by what those of about the same cost have in common."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from vdbench.storage.files import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from vdbench.experiment.result import Result
    from vdbench.experiment.trial import Trial

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


@dataclass(frozen=True)
class PastTrials:
    """Median seconds of finished trials.

    Attributes:
        distill: by what :func:`settled` says.
        rest: by :func:`trial_likeness`, since judging does not depend on a method's settings.
    """

    distill: Mapping[str, float]
    rest: Mapping[str, float]


def trial_likeness(of: Trial | Result) -> str:
    """What trials of about the same cost have in common: all but settings and seed."""
    protocol = of.protocol if isinstance(of.protocol, dict) else of.protocol.judging()
    return digest([of.method, of.pool, of.dataset.fingerprint, of.ipc, protocol])


def settled(likeness: str, settings: Mapping[str, Any]) -> str:
    """What distillations of about the same cost have in common: settings such as a number of iterations, too."""
    return digest([likeness, settings])


def past_trials(results: Iterable[Result]) -> PastTrials:
    """Median seconds of finished trials."""
    distill, rest = defaultdict(list), defaultdict(list)
    for result in results:
        if result.status == "done" and result.judged_as is None:
            key = trial_likeness(result)
            distill[settled(key, result.settings)].append(result.stages["distill"].seconds)
            rest[key].append(result.stages["evaluate"].seconds)
    return PastTrials(
        {key: median(seconds) for key, seconds in distill.items()},
        {key: median(seconds) for key, seconds in rest.items()},
    )


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
