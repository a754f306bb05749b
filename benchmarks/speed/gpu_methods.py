"""Rows of ``gpu.py`` about the methods that learn clips: seconds and memory of an iteration at published settings."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from gpu_training import Asked, Row, memory, train_split
from marks import EnoughError, Marks

from vdbench.method import Method, Task
from vdbench.work.assets import Assets
from vdbench_methods.dm import DM
from vdbench_methods.frepo import FRePo
from vdbench_methods.mtt import MTT
from vdbench_methods.trajectories import TrajectorySettings
from vdbench_methods.vdsd import VDSD

WARM = 3
"""Iterations before the first mark; of vdsd, one of them is on images."""
SMALL = {"lr": 1e-6}
"""A learning rate at which clips of noise diverge nowhere; it changes neither time nor memory."""


class Waiting(Marks):
    """Asked by a method whether to keep its state, after every iteration: the moment to look at the clock."""

    asked = 0

    def due(self) -> bool:
        """Note an iteration; nothing is kept."""
        self.asked += 1
        if self.asked >= WARM:
            self(self.asked)
        return False


def iteration(kind: type[Method[Any]], count: int, settings: dict[str, Any], asked: Asked) -> str:
    """Seconds of an iteration, from so many of a distillation, and the most memory that it took with its clips."""
    device, found, data = torch.device(asked.device), [], train_split(asked)
    marks = Waiting(device, most=asked.seconds)
    chosen = kind.Settings(width=asked.width, iterations=WARM + count, **settings)
    with TemporaryDirectory() as folder, memory(device, found):
        assets = Assets(Path(folder), data, device)
        with suppress(EnoughError):
            kind(chosen).distill(Task("noise", data, 1, 0, device, assets, due=marks.due))
    seconds, iterations, _ = marks.whole
    return f"{seconds / iterations:.3f} s, {found[0]:.1f} GiB"


def rows(asked: Asked) -> list[Row]:
    """All that there is to measure of it."""
    each = min(64, len(train_split(asked)) // asked.classes)
    followed, rounded = (
        {"trajectory": TrajectorySettings(experts=1, max_start=0, tf32=tf32)} for tf32 in (False, True)
    )
    still = {"static_iterations": 1, "lr_dynamic": 1e-6, "lr_hallucinator": 1e-6}
    dm, frepo = (partial(iteration, kind, 10) for kind in (DM, FRePo))
    mtt, vdsd = partial(iteration, MTT, 4), partial(iteration, VDSD, 4)
    outer = f"MTT outer step of {followed['trajectory'].syn_steps}"
    found = [
        Row(f"DM iteration, {asked.classes} classes x {each}", "0.15 s", partial(dm, SMALL)),
        Row(f"{outer}, float32", "1.2 s", partial(mtt, SMALL | followed)),
        Row("FRePo iteration", "", partial(frepo, SMALL)),
        Row("vdsd iteration on dm", "", partial(vdsd, still)),
        Row("vdsd iteration on mtt", "", partial(vdsd, still | followed | {"base": "mtt"})),
    ]
    if torch.device(asked.device).type == "cuda":
        found.insert(2, Row(f"{outer}, tf32", "0.4 s", partial(mtt, SMALL | rounded)))
    return found
