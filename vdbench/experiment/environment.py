"""The machine and the versions behind a result."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any

import torch

from vdbench.experiment.result import Environment
from vdbench.version import installed


def environment(device: str) -> Environment:
    """The machine and the versions, as results record them."""
    return Environment(
        vdbench=installed(),
        python=platform.python_version(),
        torch=torch.__version__,
        device=_gpu() if device == "cuda" else _processor(),
        cpus=os.cpu_count() or 1,
        platform=f"{platform.system()} {platform.machine()}",
        gpu_memory=_gpu_memory() if device == "cuda" else None,
        flags=gpu_flags() if device == "cuda" else None,
        **(gpu_versions() if device == "cuda" else {}),
    )


def gpu_versions(proc: Path = Path("/proc")) -> dict[str, str]:
    """The versions of CUDA, cuDNN and the driver, as far as they can be had.

    Args:
        proc: where the kernel tells of itself.
    """
    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    try:
        told = (proc / "driver" / "nvidia" / "version").read_text()
    except OSError:
        told = ""
    driver = re.search(r"Kernel Module\b.*?\s(\d+(?:\.\d+)+)", told)
    found = {"cuda": torch.version.cuda, "cudnn": cudnn and str(cudnn), "driver": driver and driver[1]}
    return {name: version for name, version in found.items() if version}


def gpu_flags() -> tuple[str, ...]:
    """What torch and cuDNN are told to do; a recipe's own precision is not among it."""
    cudnn: Any = torch.backends.cudnn
    tf32 = "tf32" in {kind.fp32_precision for kind in (torch.backends.cuda.matmul, cudnn.conv, cudnn.rnn)}
    told = {"deterministic": cudnn.deterministic, "benchmark": cudnn.benchmark, "tf32": tf32}
    return tuple(flag for flag, on in told.items() if on)


def _gpu() -> str:
    try:
        return torch.cuda.get_device_name(0)
    except RuntimeError:  # the record of a failure must not fail for want of a name
        return "cuda"


def _gpu_memory() -> int | None:
    try:
        return int(torch.cuda.get_device_properties(0).total_memory)
    except (RuntimeError, AssertionError):
        return None


def _processor() -> str:
    """Its name, its kind, and the instructions that torch uses, such as ``AMD EPYC (25.17, AVX512)``.

    Kernels are chosen by kind, and round differently; clouds give many kinds the same name.
    """
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    found = dict(re.findall(r"^(model name|cpu family|model)\s*: (.+)$", text, re.MULTILINE))
    kind = ".".join(found[part] for part in ("cpu family", "model") if part in found)
    marks = [part for part in (kind, torch.backends.cpu.get_cpu_capability()) if part]
    return f"{found.get('model name') or platform.processor() or 'cpu'} ({', '.join(marks)})"
