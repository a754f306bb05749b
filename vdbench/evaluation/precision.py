"""Precision of training: which numbers a device computes with, and whether it can be trusted to."""

from __future__ import annotations

import warnings
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vdbench.errors import DependencyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import torch

Precision = Literal["float32", "tf32", "bf16"]
"""float32 as it is; tf32, float32 whose products a GPU rounds to 10 bits; bf16, mixed precision by autocast."""
Shape = tuple[int, int, int]
"""Frames, height and width of a clip."""
SMALL: Shape = (4, 28, 28)
"""Clips that Conv3d is checked on where none are at hand."""
FARTHEST = 0.02
"""Relative error that Conv3d may have in bfloat16: rounding alone stays below 0.01."""


def check_precision(precision: Precision | None, device: str) -> None:
    """Make sure that a kind of device has a precision; there is a warning where it has to be emulated.

    Raises:
        UsageError: it has not.
    """
    if precision == "tf32" and device != "cuda":
        raise UsageError(
            "precision tf32 exists only on a GPU; choose float32 or bf16 with --set protocol.recipe.precision"
        )
    if precision == "bf16" and device == "cpu" and not processor_has_bfloat16():
        warnings.warn("this processor emulates bf16, which takes several times as long as float32", stacklevel=2)


def processor_has_bfloat16(proc: Path = Path("/proc")) -> bool:
    """Whether a processor computes in bfloat16 itself; True where its kind cannot be told.

    Args:
        proc: where the kernel tells of the processor.
    """
    try:
        told = (proc / "cpuinfo").read_text()
    except OSError:
        return True
    return "flags" not in told or "avx512_bf16" in told or "amx_bf16" in told


@contextmanager
def computing(
    precision: Precision | None, device: torch.device, network: torch.nn.Module | None = None, clips: Shape = SMALL
) -> Iterator[None]:
    """Compute in a precision that the device has, float32 where it is None, and as before afterwards.

    In bfloat16 on a CPU torch's own kernels compute a Conv3d, not oneDNN's: on processors with AVX512-BF16 those of
    torch 2.13 (oneDNN 3.12) give NaN now and then for few channels in channels-last, whose inputs are all finite.

    Args:
        precision: which.
        device: where.
        network: what computes; None for one that may have a Conv3d.
        clips: the shape of those that it is shown, which a GPU's Conv3d is checked on before the first.

    Raises:
        DependencyError: bfloat16 is wrong on this GPU, with this cuDNN.
    """
    import torch

    if precision == "bf16" and device.type == "cuda":
        check_bfloat16(device, clips)
    doubtful = precision == "bf16" and device.type == "cpu" and (network is None or has_conv3d(network))
    plain = _without_onednn() if doubtful else nullcontext()
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
    with products(tf32=precision == "tf32"), plain, autocast:
        yield


@contextmanager
def products(*, tf32: bool) -> Iterator[None]:
    """Let products of float32 be exact, or rounded by a GPU, and as before afterwards.

    torch has two ways of setting this. Of the older one, what was set by the newer alone cannot be read; in the newer
    one, a switch that was left alone shows what the switch above it says, so that those above are put out first.
    """
    import torch

    every: Any = torch.backends
    cudnn: Any = torch.backends.cudnn
    onednn: Any = torch.backends.mkldnn
    on_gpu: tuple[Any, ...] = (torch.backends.cuda.matmul, cudnn.conv, cudnn.rnn)
    on_processor = (onednn.matmul, onednn.conv, onednn.rnn)
    with ExitStack() as after:
        for switch in (every, cudnn, *on_gpu, *on_processor):
            after.callback(setattr, switch, "fp32_precision", switch.fp32_precision)
            if switch in (every, cudnn):
                switch.fp32_precision = "none"
        with suppress(RuntimeError):
            after.callback(setattr, cudnn, "allow_tf32", cudnn.allow_tf32)
        with suppress(RuntimeError):
            after.callback(torch.set_float32_matmul_precision, torch.get_float32_matmul_precision())
        torch.set_float32_matmul_precision("highest")  # on a processor, too
        cudnn.allow_tf32 = tf32
        for switch in on_gpu:
            switch.fp32_precision = "tf32" if tf32 else "ieee"
        for switch in on_processor:
            switch.fp32_precision = "ieee"
        yield


def in_bf16(device: torch.device, wanted: bool = True, clips: Shape = SMALL) -> AbstractContextManager[object]:
    """What networks compute in beside :func:`computing`: bfloat16 on a GPU, where that is wanted, float32 elsewhere.

    Args:
        device: where.
        wanted: whether it is.
        clips: the shape of those that they are shown, as for :func:`computing`.

    Raises:
        DependencyError: bfloat16 is wrong on this GPU, with this cuDNN.
    """
    import torch

    if not wanted or device.type != "cuda":
        return nullcontext()
    check_bfloat16(device, clips)
    return torch.autocast(device.type, torch.bfloat16)


def in_tf32(wanted: bool) -> AbstractContextManager[None]:
    """Let a GPU round products to tf32 where that is wanted; else they stay what they are."""
    return products(tf32=True) if wanted else nullcontext()


def has_conv3d(network: torch.nn.Module) -> bool:
    """Whether a network has a convolution in three dimensions, as a module or by itself: what it has weights for."""
    return any(weights.ndim == 5 for weights in (*network.parameters(), *network.buffers()))


@contextmanager
def _without_onednn() -> Iterator[None]:
    import torch

    mkldnn: Any = torch.backends.mkldnn
    before, mkldnn.enabled = mkldnn.enabled, False
    try:
        yield
    finally:
        mkldnn.enabled = before


@cache
def check_bfloat16(device: torch.device, clips: Shape = SMALL) -> None:
    """Make sure that Conv3d and its gradients in bfloat16 are those in float32 but for rounding.

    It is done once per process for clips of a shape, on which it depends how a library computes. cuDNN 9.8 to 9.10.2
    give other numbers without an error.

    Raises:
        DependencyError: they are not.
    """
    import torch

    farthest = bfloat16_error(device, clips)
    if not farthest <= FARTHEST:
        cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
        version = f", with cuDNN {cudnn}" if device.type == "cuda" else ""
        raise DependencyError(
            f"Conv3d in bfloat16 is off by {100 * farthest:.0f} % on this device{version}, for clips of "
            f"{'x'.join(map(str, clips))}; install a torch with "
            "another cuDNN, or add --set protocol.recipe.precision=float32, and --set NAME.bf16=false for a method of "
            "that setting"
        )


def bfloat16_error(device: torch.device, clips: Shape = SMALL) -> float:
    """Largest relative error of a Conv3d in bfloat16, of its output and gradients, against float32 on the device."""
    import torch

    # whoever asks may compute without gradients, or in bfloat16 already
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast(device.type, enabled=False):
        return _conv3d_error(device, clips)


def _conv3d_error(device: torch.device, shape: Shape) -> float:
    import torch
    from torch.nn.functional import conv3d

    chance = torch.Generator().manual_seed(0)
    errors = []
    for channels, window, stride in ((3, 7, 2), (64, 7, 2), (64, 3, 1)):
        clips = torch.randn(2, channels, *shape, generator=chance).to(device)
        clips = clips.contiguous(memory_format=torch.channels_last_3d)
        weight = torch.randn(32, channels, 3, window, window, generator=chance).to(device)
        results = []
        for kind in (torch.float32, torch.bfloat16):
            x, w = clips.to(kind).requires_grad_(), weight.to(kind).requires_grad_()
            out = conv3d(x, w, stride=(1, stride, stride), padding=(1, window // 2, window // 2))
            results.append([tensor.detach().double() for tensor in (out, *torch.autograd.grad(out.sum(), (x, w)))])
        errors += [(rounded - exact).norm() / exact.norm() for exact, rounded in zip(*results, strict=True)]
    return float(torch.stack(errors).max())  # which is NaN where one of them is
