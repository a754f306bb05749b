"""Whether this machine computes a 3D convolution in bf16 as it does in float32."""

from __future__ import annotations

import torch

from vdbench.experiment.diagnosis import Finding

TOLERANCE = 0.02
"""Largest difference that bf16 may make, as a share of the largest output: it keeps 8 bits."""
SHAPES = ((8, 3, 16, 56, 56), (4, 64, 8, 28, 28), (2, 128, 4, 14, 14))
"""Inputs ``(N, C, T, H, W)`` like those of a student's layers."""


def check_convolutions(device: torch.device) -> list[Finding]:
    """Compare Conv3d in bf16 with Conv3d in float32, on shapes of students' layers.

    Args:
        device: that computes.
    """
    differences = [difference(shape, device) for shape in SHAPES]
    worst = max(differences)
    told = f"differs by {100 * worst:.2f} % of the largest output on {device.type}"
    if worst <= TOLERANCE:
        return [Finding("Conv3d in bf16", "ok", told, "students in bf16")]
    cudnn = torch.backends.cudnn.version() if device.type == "cuda" else None  # type: ignore[no-untyped-call]
    where = f" (cuDNN {cudnn})" if cudnn else ""
    details = f"{told}{where}: it is wrong; install another cuDNN, 9.15 or later"
    return [Finding("Conv3d in bf16", "wrong", details, "students in bf16")]


def difference(shape: tuple[int, ...], device: torch.device) -> float:
    """The largest difference between both, as a share of the largest output.

    Args:
        shape: of the input, ``(N, C, T, H, W)``.
        device: that computes.
    """
    rng = torch.Generator().manual_seed(0)
    clips = torch.randn(shape, generator=rng).to(device)
    weight = (torch.randn(64, shape[1], 3, 3, 3, generator=rng) / (27 * shape[1]) ** 0.5).to(device)
    coarse_clips, coarse_weight = clips.bfloat16(), weight.bfloat16()
    with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        exact = torch.nn.functional.conv3d(coarse_clips.float(), coarse_weight.float(), padding=1)
        coarse = torch.nn.functional.conv3d(coarse_clips, coarse_weight, padding=1).float()
    return float((coarse - exact).abs().max() / exact.abs().max())
