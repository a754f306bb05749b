"""The machine and the versions behind a result."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from vdbench import __version__
from vdbench.experiment.result import Environment


def environment(device: str) -> Environment:
    """The machine and the versions, as results record them."""
    return Environment(
        vdbench=__version__,
        python=platform.python_version(),
        torch=torch.__version__,
        device=_gpu() if device == "cuda" else _processor(),
        cpus=os.cpu_count() or 1,
        platform=f"{platform.system()} {platform.machine()}",
    )


def _gpu() -> str:
    try:
        return torch.cuda.get_device_name(0)
    except RuntimeError:  # the record of a failure must not fail for want of a name
        return "cuda"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return model or platform.processor() or "cpu"
