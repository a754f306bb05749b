"""What no result may say, whoever wrote it, since tables and estimates are made of what it says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from vdbench.records import DatasetRecord, StudentScores

STAGES = ("distill", "evaluate")
"""What a finished trial went through."""


def contradictions(data: DatasetRecord, every: Iterable[StudentScores], settings: Iterable[Any]) -> Iterator[str]:
    """What of a result, its students and all it was asked for cannot be so, one sentence without its end each."""
    if len(data.class_names) != data.classes:
        yield f"it names {len(data.class_names)} classes, and says that there were {data.classes}"
    if any(max(label, said) >= data.classes for scores in every for label, said, _ in scores.confusion):
        yield f"its confusion of classes counts others than the {data.classes} that there are"
    try:
        json.dumps([*settings], allow_nan=False)
    except ValueError:
        yield "its settings hold a number that is not finite"


def lack(students: Collection[StudentScores], stages: Collection[str]) -> Iterator[str]:
    """What a finished result lacks, likewise.

    Args:
        students: the scores of those that were trained as the method means it.
        stages: whose cost it says.
    """
    if not students:
        yield "it is done, and no student was tested"
    if missing := [name for name in STAGES if name not in stages]:
        yield f"it is done, and does not say what the stage {missing[0]} took"
