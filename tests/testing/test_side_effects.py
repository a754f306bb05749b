"""The conformance suite finds what a method changes beside what it returns."""

import os
import random
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from tests.testing.offenders import Good, doing
from vdbench.distilled import DistilledSet
from vdbench.method import Method, Settings, Task, runtime
from vdbench.testing import check_method


def overwrite(task: Task) -> None:
    clips = task.train.clips
    clips[0] = 0


def overwrite_through_torch(task: Task) -> None:
    torch.from_numpy(task.train.clips).add_(1)


class Mutable(Settings):
    values: list[int] = runtime([1], "numbers")


class SelfChanging(Good):
    Settings: ClassVar[type[Settings]] = Mutable

    def distill(self, task: Task) -> DistilledSet:
        self.settings.values.append(1)  # type: ignore[attr-defined]
        return super().distill(task)


OFFENDERS: list[tuple[str, Any, str]] = [
    ("python random", doing(lambda task: random.random()), "it changes Python's random state"),
    ("numpy random", doing(lambda task: np.random.rand()), "it changes numpy's random state"),
    ("numpy seed", doing(lambda task: np.random.seed(0)), "it changes numpy's random state"),
    ("torch random", doing(lambda task: torch.rand(1)), "it changes torch's random state"),
    ("dtype", doing(lambda task: torch.set_default_dtype(torch.float64)), "it changes torch's default dtype"),
    ("threads", doing(lambda task: torch.set_num_threads(3)), "it changes torch's number of threads"),
    ("gradients", doing(lambda task: torch.set_grad_enabled(False)), "it changes torch's gradient mode"),
    ("folder", doing(lambda task: os.chdir("/")), "it changes the working directory"),
    ("environment", doing(lambda task: os.environ.update(VDBENCH_X="1")), "it changes the environment"),
    ("train clips", doing(overwrite), "assignment destination is read-only"),
    ("train clips through torch", doing(overwrite_through_torch), "it changes the train clips"),
    ("task", doing(lambda task: object.__setattr__(task, "seed", 5)), "it changes the task"),
    ("own settings", SelfChanging, "it changes its settings"),
]


@pytest.mark.usefixtures("_process")
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.parametrize(("method", "finding"), [(m, f) for _, m, f in OFFENDERS], ids=[n for n, _, _ in OFFENDERS])
def test_what_a_method_changes_is_found(method: type[Method[Any]], finding: str) -> None:
    findings = check_method(method)
    assert [f for f in findings if finding in f], findings
