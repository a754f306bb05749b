"""Labels of clips that other people's code made, as numbers, names or distributions."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from vdbench.clips.targets import nearest_distribution
from vdbench.distilled.outside.classes import position
from vdbench.distilled.outside.step_size import is_step_size
from vdbench.distilled.outside.tensors import SUFFIXES, around, listing, read_arrays
from vdbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from vdbench.distilled.outside.tensors import Arrays

NAMES = ("label", "labels", "label_syn", "labels_syn", "y", "y_syn", "target", "targets")
"""What decides where a file holds more than one array that could be the labels."""
SUM_TOLERANCE = 5e-3
"""How far the sum of a distribution may be from 1: what float16 leaves of a thousand classes."""
CENTRED = 1.5
"""How far from 0 centred labels may be: those of class numbers lie within 1, and learning moves them a little."""


def find_labels(arrays: Arrays, clips: str, count: int, classes: Sequence[str], path: Path) -> NDArray[Any] | None:
    """The one array that can be the labels of so many clips; None where nothing speaks of each clip.

    What lies beside the clips goes before what lies further away, and of several arrays one that is called so.

    Args:
        arrays: as :func:`vdbench.distilled.outside.tensors.read_arrays` gives them.
        clips: the place of the clips.
        count: of the clips.
        classes: the class names.
        path: of the file, for errors.

    Returns:
        Whole numbers or names ``(count,)``, or ``(count, classes)``.

    Raises:
        DataError: there is more than one, or one that has a row per clip and cannot be labels.
    """
    arrays = {name: array for name, array in arrays.items() if not is_step_size(name)}
    wrong = ""
    for near in around(clips, arrays):
        fitting = {
            name: array
            for name, array in near.items()
            if _may_be_labels(array, count, classes) or (_is_called_so(name) and _is_text(array, count))
        }
        called = [name for name in fitting if _is_called_so(name)]
        if len(fitting) == 1 or len(called) == 1:
            found = fitting[called[0] if called else next(iter(fitting))]
            return found.flatten() if found.size == count else found
        if fitting:
            wrong = "more than one tensor that could be"
        elif any(array.ndim in (1, 2) and len(array) == count and array.dtype.kind != "U" for array in near.values()):
            wrong = "a row per clip, but none of them are"
        if wrong:
            raise DataError(
                f"{path} holds {wrong} the labels of {count} clips of {len(classes)} classes, whole numbers ({count},) "
                f"or distributions ({count}, {len(classes)}); name them with --labels FILE; {listing(arrays)}"
            )
    return None


def read_labels(path: Path, classes: Sequence[str], count: int) -> NDArray[Any]:
    """The labels that a file gives to so many clips.

    Args:
        path: a file of tensors, or a text file with one class name, or one position in ``classes``, per line.
        classes: the class names.
        count: of the clips.

    Returns:
        As :func:`find_labels`.

    Raises:
        DataError: it cannot be read, or its labels do not fit.
    """
    if not path.is_file():
        raise DataError(f"there is no file of labels {path}; check the path")
    if path.suffix.lower() in SUFFIXES:
        arrays = read_arrays(path)
        labels = find_labels(arrays, "clips", count, classes, path)
        if labels is None:
            shapes = ", ".join(str(array.shape) for array in arrays.values()) or "nothing"
            raise DataError(f"{path} holds {shapes}, not the labels of {count} clips of {len(classes)} classes")
        return labels
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text; write one class name or number per line, or save a tensor") from error
    names = [line.strip() for line in lines if line.strip()]
    if len(names) != count:
        raise DataError(f"{path} has {len(names)} labels for {count} clips; write one per line")
    return np.array(names)


def as_targets(labels: NDArray[Any], classes: Sequence[str], source: str) -> torch.Tensor:
    """Labels as distilled sets store them.

    Centred labels, one-hot rows less their mean as FRePo learns them, become the nearest distributions, as those of
    the method ``frepo`` do; there is a warning.

    Args:
        labels: as :func:`find_labels` finds them.
        classes: the class names in the order that the labels count.
        source: where they are from, for errors.

    Returns:
        int64 ``(N,)`` for numbers, names and one-hot rows, float32 ``(N, classes)`` for distributions.

    Raises:
        DataError: numbers are out of range, names are of no class, or rows are no distributions.
    """
    import torch

    if labels.dtype.kind == "U":
        return torch.from_numpy(_places([str(name) for name in labels], classes, source))
    if labels.ndim == 1:
        low, high = float(labels.min()), float(labels.max())
        if low < 0 or high >= len(classes):
            raise DataError(
                f"the labels of {source} run from {low:g} to {high:g}, but the {len(classes)} classes from 0 to "
                f"{len(classes) - 1}"
            )
        return torch.from_numpy(labels.astype(np.int64))
    if bool(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()):
        return torch.from_numpy(labels.argmax(axis=1).astype(np.int64))
    rows = labels.astype(np.float64)
    sums = rows.sum(axis=1)
    if bool((rows >= 0).all() and (np.abs(sums - 1) < SUM_TOLERANCE).all()):
        return torch.from_numpy(labels.astype(np.float32))
    if bool((np.abs(rows) <= CENTRED).all() and (np.abs(sums) <= 0.5).all() and (rows.max(axis=1) > 0).all()):
        made = nearest_distribution(torch.from_numpy(rows))
        warnings.warn(
            f"the labels of {source} are negative in part and each row sums to about 0; they were taken for centred "
            "labels as FRePo learns them, of which the nearest distributions give the most likely class "
            f"{float(made.max(dim=1).values.mean()):.2f} on average; --labels FILE gives others",
            stacklevel=3,
        )
        return made.float()
    raise DataError(
        f"the labels of {source} have rows that are no distributions, between {rows.min():.3g} and {rows.max():.3g}; "
        "give shares that sum to 1, such as the softmax of logits"
    )


def class_by_class(count: int, classes: Sequence[str], source: str) -> NDArray[np.int64]:
    """The labels of clips that have none: as many of each class, in the order of the classes. There is a warning.

    Raises:
        DataError: clips cannot be shared out equally.
    """
    each, left = divmod(count, len(classes))
    if left:
        raise DataError(
            f"{source} holds no labels, and its {count} clips are not as many of each of {len(classes)} classes; "
            "name them with --labels FILE"
        )
    warnings.warn(
        f"{source} holds no labels; its clips were taken class by class, {each} of each, from '{classes[0]}' to "
        f"'{classes[-1]}'",
        stacklevel=3,
    )
    return np.repeat(np.arange(len(classes)), each)


def _is_called_so(name: str) -> bool:
    return name.rpartition(".")[2].lower() in NAMES


def _is_text(array: NDArray[Any], count: int) -> bool:
    """Whether an array has a text for each clip; where it is called labels, one of no class is a mistake."""
    return array.dtype.kind == "U" and array.size == count


def _may_be_labels(array: NDArray[Any], count: int, classes: Sequence[str]) -> bool:
    """Whether an array has a class for each clip, or a number for each clip and class."""
    if array.dtype.kind == "U":
        return _is_text(array, count) and all(position(str(name), classes) is not None for name in array.flat)
    if array.shape == (count, len(classes)):
        return True
    if array.ndim not in (1, 2) or array.size != count or array.dtype.kind == "b":
        return False
    return array.dtype.kind in "iu" or bool((np.isfinite(array) & (array == np.round(array))).all())


def _places(names: Sequence[str], classes: Sequence[str], source: str) -> NDArray[np.int64]:
    places = [position(name, classes) for name in names]
    if None in places:
        row = places.index(None)
        raise DataError(
            f"label {row + 1} of {source}, '{names[row]}', is no class, such as '{classes[0]}', and no number from 0 "
            f"to {len(classes) - 1}"
        )
    return np.array(places, dtype=np.int64)
