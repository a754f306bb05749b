"""The conformance suite finds assets that were not declared, and methods that do not go on where they stopped."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.testing.offenders import Forgetful, Good, Needless, Undeclared, floats, with_clips
from vdbench.distilled import DistilledSet
from vdbench.method import Method, Task
from vdbench.testing import check_method


class Restarting(Good):
    """Goes on from its checkpoint, but also does the first step again."""

    def distill(self, task: Task) -> DistilledSet:
        state = task.resume()
        start = float(state["value"]) if state else 0.0
        for step in range(5):
            start += 1
            task.checkpoint({"value": torch.tensor(start)})
            task.report(step)
        distilled = super().distill(replace(task, checkpoints=None))
        return with_clips(distilled, floats(distilled) + start)


OFFENDERS: list[tuple[str, Any, str]] = [
    ("undeclared asset", Undeclared, "distill builds blob (Blob), which needs() does not declare"),
    ("needless asset", Needless, "needs() declares Blob, which distill does not ask for"),
    ("forgetful", Forgetful, "interrupted and run again, it returns another set than in one go"),
    ("restarting", Restarting, "interrupted and run again, it returns another set than in one go"),
]


@pytest.mark.usefixtures("_process")
@pytest.mark.parametrize(("method", "finding"), [(m, f) for _, m, f in OFFENDERS], ids=[n for n, _, _ in OFFENDERS])
def test_what_a_method_builds_or_forgets_is_found(method: type[Method[Any]], finding: str) -> None:
    findings = check_method(method)
    assert [f for f in findings if finding in f], findings
