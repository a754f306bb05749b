"""Labels of clips that other people's code made, as numbers, names or distributions."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from vdbench.errors import DataError
from vdbench.outside.tensors import SUFFIXES, find_labels, read_arrays

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

SUM_TOLERANCE = 5e-3
"""How far the sum of a distribution may be from 1: what float16 leaves of a thousand classes."""


def read_labels(path: Path, classes: Sequence[str], count: int) -> NDArray[Any]:
    """The labels that a file gives to so many clips.

    Args:
        path: a file of tensors, or a text file with one class name, or one position in ``classes``, per line.
        classes: the class names.
        count: of the clips.

    Returns:
        Integers ``(count,)``, or ``(count, classes)``.

    Raises:
        DataError: it cannot be read, or its labels do not fit.
    """
    if not path.is_file():
        raise DataError(f"there is no file of labels {path}; check the path")
    if path.suffix.lower() in SUFFIXES:
        arrays = read_arrays(path)
        labels = find_labels(arrays, count, len(classes), path)
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
    positions = [position(name, classes) for name in names]
    if None in positions:
        row = positions.index(None)
        raise DataError(f"label {row + 1} of {path}, '{names[row]}', is {_no_class(classes)}")
    return np.array(positions)


def as_targets(labels: NDArray[Any], classes: Sequence[str], source: str) -> torch.Tensor:
    """Labels as distilled sets store them.

    Args:
        labels: integers ``(N,)``, or ``(N, classes)``, one-hot or distributions.
        classes: the class names.
        source: where they are from, for errors.

    Returns:
        int64 ``(N,)`` for class numbers and one-hot rows, float32 ``(N, classes)`` for distributions.

    Raises:
        DataError: numbers are out of range, or rows are no distributions.
    """
    import torch

    if labels.ndim == 2:
        if bool(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()):
            return torch.from_numpy(labels.argmax(axis=1).astype(np.int64))
        rows = labels.astype(np.float64)
        if not bool((rows >= 0).all() and (np.abs(rows.sum(axis=1) - 1) < SUM_TOLERANCE).all()):
            raise DataError(
                f"the labels of {source} have rows that are no distributions, between {rows.min():.3g} and "
                f"{rows.max():.3g}; give shares that sum to 1, such as the softmax of logits"
            )
        return torch.from_numpy(labels.astype(np.float32))
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= len(classes):
        raise DataError(
            f"the labels of {source} run from {low} to {high}, but the {len(classes)} classes from 0 to "
            f"{len(classes) - 1}"
        )
    return torch.from_numpy(labels.astype(np.int64))


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
        stacklevel=2,
    )
    return np.repeat(np.arange(len(classes)), each)


def position(name: str, classes: Sequence[str], numbers: bool = True) -> int | None:
    """Where a class stands among others; None where it is none of them.

    Args:
        name: a class name, in which case, spaces, ``_`` and ``-`` do not count unless they have to.
        classes: the class names.
        numbers: whether a number, counted from 0, may stand for a name.
    """
    if name in classes:
        return classes.index(name)
    alike = [place for place, other in enumerate(classes) if _plain(other) == _plain(name)]
    if len(alike) == 1:
        return alike[0]
    return int(name) if numbers and re.fullmatch("[0-9]{1,9}", name) and int(name) < len(classes) else None


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def _no_class(classes: Sequence[str]) -> str:
    return f"no class, such as '{classes[0]}', and no number from 0 to {len(classes) - 1}"
