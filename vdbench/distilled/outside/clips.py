"""Clips among the arrays of a file: found by their shapes, whatever their names."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vdbench.distilled.outside.classes import position
from vdbench.distilled.outside.tensors import listing
from vdbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from vdbench.distilled.outside.tensors import Arrays

ORDERS = {
    "(N, 3, T, H, W)": (0, 2, 3, 4, 1),
    "(N, T, 3, H, W)": (0, 1, 3, 4, 2),
    "(N, T, H, W, 3)": (0, 1, 2, 3, 4),
}
"""Orders of axes that clips may have, and how each becomes the last of them."""


class Found(NamedTuple):
    """Clips of a file.

    Attributes:
        name: their place in it.
        clips: ``(N, T, H, W, 3)``.
        labels: int64 ``(N,)``, where the file keeps the clips of each class by themselves; else None.
    """

    name: str
    clips: NDArray[Any]
    labels: NDArray[np.int64] | None = None


def find_clips(
    arrays: Arrays, shape: tuple[int, int, int], classes: Sequence[str], path: Path, chosen: str | None = None
) -> Found:
    """The clips in a file, whatever the order of their axes.

    They may be one array, also with an axis of classes before the others, or one array per class. Of several
    experiments the first one counts, and there is a warning; so there is where images have to stand for clips.

    Args:
        arrays: as :func:`vdbench.distilled.outside.tensors.read_arrays` gives them.
        shape: ``(T, H, W)`` of the clips.
        classes: the class names.
        path: of the file, for errors.
        chosen: the place of the clips, or of what they are in, where the file holds more than one set.

    Raises:
        DataError: there are no clips of this shape, or more than one array could be the clips.
    """
    considered = {
        name: array for name, array in arrays.items() if chosen is None or f"{name}.".startswith(f"{chosen}.")
    }
    if not considered and chosen is not None:
        raise DataError(f"{path} holds nothing called {chosen}, which --clips names; {listing(arrays)}")
    fitting = _readings(considered, shape, len(classes)) or _still(considered, shape, len(classes), path)
    if not fitting:
        raise DataError(f"{path} {_unfit(considered, shape)}; {listing(arrays)}")
    apart = _by_class(fitting, classes) if len(fitting) > 1 else None
    names = list(fitting) if apart else [next(iter(fitting)) if len(fitting) == 1 else _first(fitting, arrays, path)]
    if any(len(fitting[name]) > 1 for name in names):
        raise DataError(
            f"the axes of {path} can be read in more than one order, since clips have 3 frames; "
            f"save them as (N, T, H, W, 3); {listing(arrays)}"
        )
    clips = np.concatenate([fitting[name][0] for name in apart]) if apart else fitting[names[0]][0]
    if not len(clips):
        raise DataError(f"{path} holds no clip")
    labels = np.repeat(np.arange(len(apart)), [len(fitting[name][0]) for name in apart]) if apart else None
    return Found(names[0], clips, labels)


def _readings(arrays: Arrays, shape: tuple[int, int, int], classes: int) -> dict[str, list[NDArray[Any]]]:
    """Every way in which an array may be read as clips of a shape, by its place."""
    found: dict[str, list[NDArray[Any]]] = {}
    for name, array in arrays.items():
        rows = array.reshape(-1, *array.shape[2:]) if array.ndim == 6 and len(array) == classes else array
        for axes in ORDERS.values() if rows.ndim == 5 else ():
            if tuple(rows.shape[axis] for axis in axes[1:]) == (*shape, 3):
                found.setdefault(name, []).append(rows.transpose(axes))
    return found


def _still(arrays: Arrays, shape: tuple[int, int, int], classes: int, path: Path) -> dict[str, list[NDArray[Any]]]:
    """Images, or clips of one frame, that are shown all the time."""
    frames, height, width = shape
    timed = {name: array[:, None] if array.ndim == 4 else array for name, array in arrays.items()}
    found = _readings(timed, (1, height, width), classes)
    if found:
        warnings.warn(
            f"{path} holds images instead of clips; each stands still for all {frames} frames of its clip", stacklevel=4
        )
    return {
        name: [np.broadcast_to(way, (len(way), frames, height, width, 3)) for way in ways]
        for name, ways in found.items()
    }


def _by_class(names: Mapping[str, object], classes: Sequence[str]) -> list[str] | None:
    """Places in the order of classes, where they are those of all classes in one list or dictionary."""
    if len({name.rpartition(".")[0] for name in names}) > 1:
        return None
    places = {position(name.rpartition(".")[2], classes): name for name in names}
    return [places[place] for place in range(len(classes))] if set(places) == set(range(len(classes))) else None


def _first(names: Mapping[str, object], arrays: Arrays, path: Path) -> str:
    """The first of several experiments, which is in the same place of each."""
    first, *others = (name.split(".") for name in names)
    apart = {
        place for other in others for place, part in enumerate(other) if first[place : place + 1] != [part]
    } if all(len(other) == len(first) for other in others) else set()  # fmt: skip
    place = min(apart, default=len(first) - 1)
    if len(apart) > 1 or place == len(first) - 1 or not first[place].isdecimal():
        raise DataError(f"{path} holds more than one tensor of clips; name one with --clips; {listing(arrays)}")
    shown = [".".join(name[: place + 1]) for name in (first, *others)]
    warnings.warn(
        f"{path} holds {len(shown)} experiments, {shown[0]} to {shown[-1]}; the first one is judged, and --clips "
        f"{shown[1]} chooses the next",
        stacklevel=3,
    )
    return next(iter(names))


def _unfit(arrays: Arrays, shape: tuple[int, int, int]) -> str:
    """Why no clips fit, and how they would."""
    there = [array for array in arrays.values() if array.ndim == 5]
    if not there:
        return "holds no tensor of 5 axes"
    frames, size, _ = shape
    squares = {
        (array.shape[axes[1]], array.shape[axes[2]])
        for array in there
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
