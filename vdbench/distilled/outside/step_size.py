"""The learning rate that other people's code learned for its clips."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

from vdbench.errors import DataError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from vdbench.distilled.outside.tensors import Arrays

NAMES = ("lr", "syn_lr", "lr_syn", "synthetic_lr", "learned_lr", "step_size")
"""What a file may call it."""


def is_step_size(name: str) -> bool:
    """Whether an array is called as learned learning rates are."""
    return name.rpartition(".")[2].lower() in NAMES


def find_step_size(arrays: Arrays, clips: str, typed: str | None, path: Path) -> float | None:
    """The learning rate that students are trained with; None for that of the protocol.

    One in the file counts where it lies beside the clips, or around what they lie in. A warning says that it is used,
    or that it is not.

    Args:
        arrays: as :func:`vdbench.distilled.outside.tensors.read_arrays` gives them.
        clips: the place of the clips.
        typed: a number, which wins over the file, or ``none``.
        path: of the file.

    Raises:
        UsageError: what was typed is no learning rate.
        DataError: there are several, or one that no student can be trained with.
    """
    if typed is not None:
        return _typed(typed)
    there = [name for name in arrays if is_step_size(name)]
    parts = clips.split(".")
    inside = [".".join(parts[:depth]) for depth in reversed(range(len(parts)))]
    near = next((found for c in inside if (found := [name for name in there if name.rpartition(".")[0] == c])), [])
    if len(near) > 1:
        raise DataError(f"{path} holds more than one learning rate, {' and '.join(near)}; choose one with --lr NUMBER")
    if not near:
        if there:
            warnings.warn(
                f"the learning rate {there[0]} of {path} is not beside its clips; it is not used", stacklevel=3
            )
        return None
    name, rate = near[0], arrays[near[0]]
    if rate.size != 1 or rate.dtype.kind not in "iuf":
        what = f"{rate.size} learning rates" if rate.size != 1 else "a learning rate that is no number"
        warnings.warn(
            f"{path} holds {what} ({name}), and students take one number for all steps; it is not used, and --lr "
            "NUMBER gives one",
            stacklevel=3,
        )
        return None
    value = float(rate.reshape(()))
    if not _usable(value):
        raise DataError(f"{path} holds the learning rate {value:g} ({name}); leave it out with --lr none")
    warnings.warn(
        f"students are trained with the learning rate {value:.3g} that {path} holds ({name}); it was learned for clips "
        "on the scale of its maker, and here they are normalised by mean and std of the train clips; --lr none leaves "
        "it out",
        stacklevel=3,
    )
    return value


def _typed(typed: str) -> float | None:
    if typed == "none":
        return None
    try:
        value = float(typed)
    except ValueError:
        value = math.nan
    if not _usable(value):
        raise UsageError(f"--lr {typed} is no learning rate; give a number above 0, or none for that of the protocol")
    return value


def _usable(value: float) -> bool:
    return math.isfinite(value) and value > 0
