"""Files of tensors that other people's code wrote: clips and labels are found by their shapes, whatever their names.

Loading executes nothing: ``torch.load`` takes plain tensors only, and NumPy no objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vdbench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

SUFFIXES = (".pt", ".pth", ".npy", ".npz", ".safetensors")
ORDERS = {
    "(N, 3, T, H, W)": (0, 2, 3, 4, 1),
    "(N, T, 3, H, W)": (0, 1, 3, 4, 2),
    "(N, T, H, W, 3)": (0, 1, 2, 3, 4),
}
"""Orders of axes that clips may have, and how each becomes the last of them."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Every array of numbers in a file, by its place in it, such as ``clips`` or ``state.0``.

    Args:
        path: ends in one of :data:`SUFFIXES`.

    Raises:
        DataError: it cannot be read without executing something, is damaged, or is of another kind.
    """
    read = {".pt": _torch, ".pth": _torch, ".npy": _numpy, ".npz": _numpy, ".safetensors": _safetensors}
    if path.suffix.lower() not in read:
        raise DataError(f"{path} is no file of tensors: its name ends in none of {', '.join(SUFFIXES)}")
    try:
        return dict(_arrays(read[path.suffix.lower()](path)))
    except (OSError, MemoryError):
        raise
    except Exception as error:  # the libraries raise whatever they meet in a file that is not theirs
        raise DataError(
            f"{path} is damaged, or holds more than tensors, and nothing in it is executed "
            f"({type(error).__name__}); save clips and labels alone, as in {_saved(path)}"
        ) from error


def find_clips(
    arrays: Mapping[str, NDArray[Any]], shape: tuple[int, int, int], path: Path
) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """The one array of clips in a file, whatever the order of its axes.

    Args:
        arrays: as :func:`read_arrays` gives them.
        shape: ``(T, H, W)`` of the clips.
        path: of the file, for errors.

    Returns:
        The clips, ``(N, T, H, W, 3)``, and all other arrays.

    Raises:
        DataError: there are no clips of this shape, or more than one array could be the clips.
    """
    there = {name: array for name, array in arrays.items() if array.ndim == 5}
    fitting = [
        (name, axes)
        for name, array in there.items()
        for axes in ORDERS.values()
        if tuple(array.shape[axis] for axis in axes[1:]) == (*shape, 3)
    ]
    if not fitting:
        raise DataError(f"{path} {_unfit(there, shape) if there else 'holds no tensor of 5 axes'}; {_holds(arrays)}")
    if len({name for name, _ in fitting}) > 1:
        raise DataError(f"{path} holds more than one tensor of clips; keep one of them; {_holds(arrays)}")
    if len(fitting) > 1:
        raise DataError(
            f"the axes of {path} can be read in more than one order, since clips have 3 frames; "
            f"save them as (N, T, H, W, 3); {_holds(arrays)}"
        )
    name, axes = fitting[0]
    clips = arrays[name].transpose(axes)
    if not len(clips):
        raise DataError(f"{path} holds no clip")
    return clips, {other: array for other, array in arrays.items() if other != name}


def find_labels(arrays: Mapping[str, NDArray[Any]], count: int, classes: int, path: Path) -> NDArray[Any] | None:
    """The one array that can be the labels of so many clips; None where nothing speaks of each clip.

    Raises:
        DataError: there is more than one, or one that has a row per clip and cannot be labels.
    """
    rows = {name: array for name, array in arrays.items() if array.ndim in (1, 2) and len(array) == count}
    fitting = [array for array in rows.values() if _may_be_labels(array, classes)]
    if len(fitting) == 1:
        return fitting[0]
    if rows:
        which = "more than one tensor that could be" if fitting else "a row per clip, but none of them are"
        raise DataError(
            f"{path} holds {which} the labels of {count} clips of {classes} classes, integers ({count},) or "
            f"distributions ({count}, {classes}); name them with --labels FILE; {_holds(arrays)}"
        )
    return None


def _may_be_labels(array: NDArray[Any], classes: int) -> bool:
    return array.dtype.kind in "iu" if array.ndim == 1 else array.shape[1] == classes


def _unfit(there: Mapping[str, NDArray[Any]], shape: tuple[int, int, int]) -> str:
    """Why no clips fit, and how they would."""
    frames, size, _ = shape
    squares = {
        (array.shape[axes[1]], array.shape[axes[2]])
        for array in there.values()
        for axes in ORDERS.values()
        if array.shape[axes[4]] == 3 and array.shape[axes[2]] == array.shape[axes[3]]
    }
    wanted = "protocol.frames=... --set protocol.size=..."
    if len(squares) == 1:
        wanted = "protocol.frames={} --set protocol.size={}".format(*squares.pop())
    return (
        f"holds no clips of {frames} frames of {size}x{size} pixels, as {', '.join(ORDERS)}; "
        f"judge it under a protocol of its own shape with --set {wanted}"
    )


def _holds(arrays: Mapping[str, NDArray[Any]]) -> str:
    listed = [f"{name or 'a tensor'} {array.dtype} {array.shape}" for name, array in arrays.items()]
    more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
    return f"it holds {', '.join(listed[:8]) or 'no tensor'}{more}"


def _saved(path: Path) -> str:
    """How files of this kind are written."""
    return {
        ".npy": "numpy.save('clips.npy', clips)",
        ".npz": "numpy.savez('set.npz', clips=clips, labels=labels)",
        ".safetensors": "safetensors.torch.save_file({'clips': clips, 'labels': labels}, 'set.safetensors')",
    }.get(path.suffix.lower(), "torch.save({'clips': clips, 'labels': labels}, 'set.pt')")


def _torch(path: Path) -> object:
    import torch

    return torch.load(path, map_location="cpu", weights_only=True)


def _numpy(path: Path) -> object:
    loaded = np.load(path, allow_pickle=False)
    if not isinstance(loaded, np.lib.npyio.NpzFile):
        return loaded
    with loaded:
        return dict(loaded)


def _safetensors(path: Path) -> object:
    from safetensors.torch import load_file

    return load_file(path)


def _arrays(value: object, name: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays of numbers within dictionaries, lists and tuples; a list of integers is one too."""
    import torch

    if isinstance(value, torch.Tensor):
        value = _as_numpy(value)
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biuf":
            yield name, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _arrays(part, f"{name}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        if value and all(type(part) is int for part in value):
            yield name, np.array(value)
            return
        for place, part in enumerate(value):
            yield from _arrays(part, f"{name}.{place}".lstrip("."))


def _as_numpy(tensor: torch.Tensor) -> NDArray[Any] | None:
    """A dense tensor of real numbers as an array; None for any other."""
    import torch

    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_complex() or tensor.is_nested:
        return None
    if tensor.is_floating_point() and tensor.dtype not in (torch.float16, torch.float32, torch.float64):
        tensor = tensor.float()  # NumPy has no bfloat16
    array: NDArray[Any] = tensor.detach().numpy()
    return array
