"""What this machine has for which work, read from what is installed, without importing it unless that is asked for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import import_module, metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vdbench.errors import UsageError
from vdbench.experiment.home import Home
from vdbench.storage.amounts import human_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

State = Literal["ok", "none", "missing", "wrong", "low", "found", "absent", "unknown"]
"""``none`` harms nothing that was asked for; ``missing`` and ``wrong`` have to be mended."""


@dataclass(frozen=True)
class Library:
    """A library that some work needs.

    Attributes:
        name: that is imported.
        distributions: that may install it, the usual one first.
        needed_for: the work that fails without it.
        extra: of vdbench that installs it; None where every installation has it.
    """

    name: str
    distributions: tuple[str, ...]
    needed_for: str
    extra: str | None = None


LIBRARIES = (
    Library("torch", ("torch",), "everything that learns"),
    Library("av", ("av",), "reading videos, H.264 and H.265"),
    Library("ray", ("ray",), "run --scheduler ray"),
    Library("mlflow", ("mlflow",), "the mirror of results in MLflow"),
    Library("diffusers", ("diffusers",), "training and sampling generators"),
    Library("sklearn", ("scikit-learn",), "herding, k-means, motion-digits"),
    Library("pandas", ("pandas",), "tables and the leaderboard"),
    Library("seaborn", ("seaborn",), "figures of the leaderboard"),
    Library("transformers", ("transformers",), "the encoder dino, text-to-video generators", "hf"),
    Library("efficientnet_lite_pytorch", ("efficientnet-lite-pytorch",), "the encoder efficientnet-lite0", "imagenet"),
)
ENCODERS = {"libx264": "H.264: --codec h264, export, previews", "libx265": "H.265: --codec h265"}
LITTLE_MEMORY = 4 * 2**30
"""Bytes of memory below which a run of ``quick`` gets slow."""
LITTLE_DISK = 5 * 2**30
"""Bytes below which one data set fills the disk."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: its name.
        state: how it is.
        details: a version, a size, or what to do.
        needed_for: the work that depends on it.
    """

    what: str
    state: State
    details: str
    needed_for: str = ""


def libraries(known: Iterable[Library] = LIBRARIES, load: bool = False) -> list[Finding]:
    """Which libraries are there.

    Args:
        known: to look for.
        load: import each, which finds those that are installed and broken and takes many seconds.
    """
    return [_library(library, load) for library in known]


def _library(library: Library, load: bool) -> Finding:
    found = next((version for name in library.distributions if (version := version_of(name))), None)
    there = util.find_spec(library.name) is not None
    if there and load:
        try:
            import_module(library.name)
        except Exception as error:  # a broken wheel raises what it likes
            return Finding(library.name, "missing", f"{type(error).__name__}: {error}", library.needed_for)
    if there:
        return Finding(library.name, "ok", found or "", library.needed_for)
    if library.extra is not None:
        details = f"not installed; pip install 'vdbench[{library.extra}]'"
        return Finding(library.name, "none", details, library.needed_for)
    details = f"not installed; pip install {library.distributions[0]}"
    return Finding(library.name, "missing", details, library.needed_for)


def version_of(distribution: str) -> str | None:
    """The version of an installed distribution; None where there is none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def codecs() -> list[Finding]:
    """Which encoders of video the installed PyAV has."""
    try:
        import av
    except ImportError:
        return []
    return [
        Finding(name, *(("ok", "") if name in av.codecs_available else ("none", "PyAV was built without it")), what)
        for name, what in ENCODERS.items()
    ]


def computer(home: Path) -> list[Finding]:
    """Processor, memory, and the disk of the home."""
    import psutil

    there = next(folder for folder in (home, *home.parents) if folder.exists())
    memory, free = psutil.virtual_memory().total, shutil.disk_usage(there).free
    state: State = "ok" if free >= LITTLE_DISK else "low"
    details = f"{home}, {human_bytes(free)} free"
    try:
        Home(home).try_in(there)
    except UsageError as error:
        state, details = "wrong", str(error)
    return [
        Finding("processor", "ok", f"{os.cpu_count()} cores", "everything"),
        Finding("memory", "ok" if memory >= LITTLE_MEMORY else "low", human_bytes(memory), "everything"),
        Finding("home", state, details, "what is made"),
    ]


def graphics() -> list[Finding]:
    """The GPUs, their driver, and the CUDA and cuDNN that the installed torch brings."""
    cards = _cards()
    built = cuda_of_torch()
    purpose = "suites with large clips"
    if not cards:
        return [Finding("GPU", "none", "no NVIDIA driver answers; the CPU is used", purpose)]
    rows = [Finding("GPU", "ok", ", ".join(cards), purpose)]
    if built is None:
        details = "this torch computes on the CPU alone; install one that was built for CUDA (pytorch.org)"
        return [*rows, Finding("CUDA", "missing", details, "the GPU")]
    cudnn = cudnn_version()
    return [
        *rows,
        Finding("CUDA", "ok", built, "the GPU"),
        Finding("cuDNN", "ok" if cudnn else "unknown", cudnn or "not installed as a wheel; --check asks torch", ""),
    ]


def _cards() -> list[str]:
    """Name, memory and driver of each GPU, as ``nvidia-smi`` tells them."""
    command = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [[part.strip() for part in line.split(",")] for line in answer.splitlines() if line.count(",") == 2]
    return [f"{name} ({memory}, driver {driver})" for name, memory, driver in rows]


def cuda_of_torch() -> str | None:
    """The CUDA that torch was built with, read from its file of versions; None for a build without."""
    spec = util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    try:
        text = (Path(spec.origin).parent / "version.py").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"^cuda[^=]*= ['\"]([\d.]+)['\"]", text, re.MULTILINE)
    return found[1] if found else None


def cudnn_version() -> str | None:
    """The version of cuDNN that is installed as a wheel beside torch, such as ``9.10.2``."""
    found = next((version for cuda in ("13", "12", "11") if (version := version_of(f"nvidia-cudnn-cu{cuda}"))), None)
    return ".".join(found.split(".")[:3]) if found else None


def known_faults(torch: str | None, cudnn: str | None) -> list[Finding]:
    """Versions that are known to compute wrongly or to waste memory, on a GPU.

    Sources: issues 163539 (bfloat16 Conv3d of cuDNN 9.8 to 9.10.2 is wrong, without an error) and 166643 (torch 2.9.0
    computes Conv3d without cuDNN, in many times the memory; 2.9.1 does so with a cuDNN before 9.15) of
    pytorch/pytorch.
    """
    found = []
    library, deep = _numbers(torch), _numbers(cudnn)
    if deep and (9, 8) <= deep <= (9, 10, 2):
        details = (
            f"cuDNN {cudnn}: Conv3d in bf16 gives wrong numbers without an error; install cuDNN 9.15 or later, such as "
            "pip install 'nvidia-cudnn-cu12>=9.15'"
        )
        found.append(Finding("cuDNN", "wrong", details, "students in bf16"))
    if library == (2, 9, 0) or (library == (2, 9, 1) and deep and deep < (9, 15)):
        details = (
            f"torch {torch}: Conv3d takes up to 17 times the memory; install torch 2.10 or later, or 2.9.1 with cuDNN "
            "9.15 or later"
        )
        found.append(Finding("torch", "wrong", details, "students on a GPU"))
    return found


def convolutions() -> list[Finding]:
    """Whether Conv3d in bf16 gives what it gives in float32, on the GPU, or the CPU where there is none."""
    if util.find_spec("torch") is None:
        return []
    import torch

    from vdbench.evaluation.precision import FARTHEST, bfloat16_error

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        error = bfloat16_error(device)
    told, right = f"is off by {100 * error:.2f} % on {device.type}", error <= FARTHEST
    cudnn = torch.backends.cudnn.version() if device.type == "cuda" else None  # type: ignore[no-untyped-call]
    where = f" (cuDNN {cudnn})" if cudnn else ""
    details = told if right else f"{told}{where}: it is wrong; install another cuDNN, 9.15 or later"
    return [Finding("Conv3d in bf16", "ok" if right else "wrong", details, "students in bf16")]


def _numbers(version: str | None) -> tuple[int, ...]:
    """``2.9.0+cu128`` as ``(2, 9, 0)``; nothing for no version."""
    return tuple(int(number) for number in re.findall(r"\d+", (version or "").partition("+")[0])[:3])
