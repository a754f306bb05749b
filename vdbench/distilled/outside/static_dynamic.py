"""The files of static-dynamic distillation: images, motions, the hallucinator that joins them, and learned labels.

The public code of VDSD writes ``dynamic_best.pt``, a tensor of motions, and ``weights_best.pt``, the state of one
convolution or of several, and reads a file ``{'image': images}``. On FRePo it writes such files as ``dynamic_400.pt``,
``hal_400.pt`` and ``y_syn_400.pt``, the last one with centred labels of clips that are made of one image and one motion
each. It scales all clips by the constants of ImageNet.

Source: *Dancing with Still Images: Video Distillation via Static-Dynamic Disentanglement*, CVPR 2024.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vdbench.distilled.outside.tensors import around, listing
from vdbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from vdbench.clips.clipset import Normalisation
    from vdbench.distilled.outside.tensors import Arrays

SCALE = "imagenet"
"""The scale of the clips that the public code's hallucinator makes."""
WEIGHT = (3, 4, 3, 3, 3)
ROLES = {
    "static": "images (classes * S, 3, H, W), as in {'image': images}",
    "dynamic": "motions (classes * D, T, 1, H, W), as in dynamic_best.pt",
    "weight": f"weights of a hallucinator {WEIGHT}, as in weights_best.pt",
    "bias": "a bias of the hallucinator (3,), as in weights_best.pt",
    "labels": "labels (classes * IPC, classes), as in y_syn_400.pt",
}


def find_parts(
    arrays: Arrays, shape: tuple[int, int, int], classes: int, path: Path
) -> dict[str, NDArray[np.float32]] | None:
    """Images, motions and hallucinator of a folder or file; None where there are neither motions nor a hallucinator.

    Args:
        arrays: as :func:`vdbench.distilled.outside.tensors.read_arrays` gives them.
        shape: ``(T, H, W)`` of the clips.
        classes: how many there are.
        path: of the folder or file, for errors.

    Returns:
        The tensors of the form ``static-dynamic``, but for its targets, on the scale that they were found on; and
        ``labels``, one row for every image and motion, where there are any.

    Raises:
        DataError: a part is missing, there is more than one of it, or the parts do not fit each other or the clips.
    """
    floats = {name: array for name, array in arrays.items() if array.dtype.kind == "f"}
    motions = {name: found for name, array in floats.items() if (found := _motions(array, classes)) is not None}
    weights = {name: array for name, array in floats.items() if array.shape == WEIGHT}
    if not motions and not weights:
        return None
    candidates = {
        "static": {name: array for name, array in floats.items() if array.ndim == 4 and array.shape[1] == 3},
        "dynamic": motions,
        "weight": weights,
        "bias": {name: array for name, array in floats.items() if array.shape == (3,) and _beside(name, weights)},
    }
    parts = {role: _only(found, role, arrays, path) for role, found in candidates.items()}
    _check_order(next(iter(candidates["static"])), arrays, classes, path)
    if labels := {name: array for name, array in floats.items() if array.ndim == 2 and array.shape[1] == classes}:
        parts["labels"] = _only(labels, "labels", arrays, path)
    static, dynamic = parts["static"], parts["dynamic"]
    if (*dynamic.shape[1:], *static.shape[2:]) != (*shape, *shape[1:]):
        frames, height, width = dynamic.shape[1:]
        raise DataError(
            f"{path} holds motions of {frames} frames of {height}x{width} pixels and images of "
            f"{'x'.join(map(str, static.shape[2:]))}, but clips here have {shape[0]} frames of {shape[1]}x{shape[2]}; "
            f"judge it with --set protocol.frames={frames} --set protocol.size={height}"
        )
    for role, part in (("images", static), ("motions", dynamic)):
        if not len(part) or len(part) % classes:
            raise DataError(f"{path} holds {len(part)} {role}, not as many for each of {classes} classes")
    if "labels" in parts and not len(static) == len(dynamic) == len(parts["labels"]):
        raise DataError(
            f"{path} holds {len(parts['labels'])} rows of labels, {len(static)} images and {len(dynamic)} motions; it "
            "takes one of each for every clip"
        )
    if not all(np.isfinite(part).all() for part in parts.values()):
        raise DataError(f"{path} holds values that are not finite")
    return {role: np.ascontiguousarray(part, dtype=np.float32) for role, part in parts.items()}


def clips_per_class(images: int) -> int:
    """The clips of a class that the public code shows in an epoch, for so many images of it: one for every two."""
    return max(1, images // 2)


def as_form(
    parts: dict[str, NDArray[np.float32]],
    order: Sequence[int],
    scale: Normalisation,
    own: Normalisation,
    targets: torch.Tensor | None = None,
) -> dict[str, torch.Tensor]:
    """The tensors of the form ``static-dynamic``, or of ``static-dynamic-fixed`` where every clip has a target.

    Images and motions stay what they are. The hallucinator is changed so that its clips come out on another scale.

    Args:
        parts: as :func:`find_parts` gives them.
        order: for each class, which one of the parts it is.
        scale: of the clips that the hallucinator makes.
        own: of the clips that students take.
        targets: of clips that are made of one image and one motion each, in the order of these.
    """
    import torch

    tensors = {role: torch.from_numpy(part) for role, part in parts.items() if role != "labels"}
    if targets is not None:
        tensors["targets"] = targets
    for role in tensors.keys() & {"static", "dynamic", "targets"}:
        part = tensors[role]
        tensors[role] = part.reshape(len(order), -1, *part.shape[1:])[list(order)].flatten(0, 1)
    if scale != own:
        mean, std = (torch.tensor(values, dtype=torch.float64) for values in scale)
        own_mean, own_std = (torch.tensor(values, dtype=torch.float64) for values in own)
        weight, bias = tensors["weight"].double(), tensors["bias"].double()
        tensors["weight"] = (weight * (std / own_std).view(3, 1, 1, 1, 1)).float()
        tensors["bias"] = ((bias * std + mean - own_mean) / own_std).float()
    shown = clips_per_class(len(tensors["static"]) // len(order))
    return {"targets": torch.arange(len(order)).repeat_interleave(shown)} | tensors


def _motions(array: NDArray[Any], classes: int) -> NDArray[Any] | None:
    """An array as motions ``(N, T, H, W)``; None where it cannot be any."""
    if array.ndim == 6 and len(array) == classes:
        array = array.reshape(-1, *array.shape[2:])
    return array[:, :, 0] if array.ndim == 5 and array.shape[2] == 1 else None


def _beside(bias: str, weights: Container[str]) -> bool:
    """Whether a bias is called as that of a convolution is."""
    return f"{bias.removesuffix('bias')}weight" in weights


def _check_order(static: str, arrays: Arrays, classes: int, path: Path) -> None:
    """Make sure that labels beside the images, where there are any, count them class by class."""
    images = len(arrays[static])
    expected = np.repeat(np.arange(classes), images // classes)
    for labels in next(around(static, arrays)).values():
        if labels.dtype.kind in "iu" and labels.shape == (images,) and not np.array_equal(labels, expected):
            raise DataError(f"{path} holds images that are not class by class, as motions are; put them in this order")


def _only(found: dict[str, NDArray[Any]], role: str, arrays: Arrays, path: Path) -> NDArray[Any]:
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise DataError(f"{path} holds {len(found)} tensors that could be {ROLES[role]}; keep one; {listing(arrays)}")
    raise DataError(
        f"{path} holds no {ROLES[role]}; put the files of images, motions and hallucinator into one folder and name "
        f"that; {listing(arrays)}"
    )
