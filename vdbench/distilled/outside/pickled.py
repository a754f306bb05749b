"""Files of torch that hold numbers of NumPy, as code descended from DatasetCondensation writes its accuracies.

Nothing of NumPy is called by such a file: each of the names that it uses stands for something of this module, which
takes the bytes of plain numbers and nothing else. Every other name is refused, and so is the file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def load_torch(path: Path) -> object:
    """What a file of ``torch.save`` holds: tensors, plain values, and those of NumPy as arrays of :class:`Array`.

    Raises:
        Exception: whatever torch finds wrong, such as a name that is not known to be harmless.
    """
    import torch

    named: list[Any] = [(_Kind, "numpy.dtype"), (Array, "numpy.ndarray"), (_no_bytes, "builtins.bytes")]
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):  # before and since NumPy 2
        named += [(_scalar, f"{module}.scalar"), (_empty_array, f"{module}._reconstruct")]
    with torch.serialization.safe_globals(named):
        return torch.load(path, map_location="cpu", weights_only=True)


def refused(error: Exception) -> str | None:
    """The name in a file that made torch refuse it, such as ``argparse.Namespace``; None for any other error."""
    found = re.search(r"GLOBAL (\S+)", str(error))
    return found[1] if found else None


class Array:
    """An array as it stands in a file.

    Attributes:
        array: its numbers; empty until the file has been read as far as them.
    """

    array: NDArray[Any] = np.empty(0)

    def __setstate__(self, state: tuple[object, tuple[int, ...], object, bool, object]) -> None:
        """Take shape, kind of number, order of axes and bytes."""
        _, shape, kind, fortran, content = state
        self.array = _numbers(kind, content).reshape(shape, order="F" if fortran else "C")


class _Kind:
    """A kind of number as it stands in a file: a letter and bytes, and the order of the bytes."""

    def __init__(self, code: str, *_: object) -> None:
        self.code, self.order = code, "|"

    def __setstate__(self, state: tuple[object, ...]) -> None:
        self.order = str(state[1])


def _numbers(kind: object, content: object) -> NDArray[Any]:
    if not isinstance(kind, _Kind) or not isinstance(content, bytes):
        raise TypeError("an array holds something else than numbers")
    code = kind.order + str(kind.code)
    if not re.fullmatch("[<>=|](b1|[iu][1248]|f[248]|U[0-9]{1,4})", code):
        raise TypeError("an array holds something else than numbers or words")
    return np.frombuffer(content, np.dtype(code)).copy()


def _scalar(kind: object, content: object) -> NDArray[Any]:
    return _numbers(kind, content).reshape(())


def _empty_array(*_: object) -> Array:
    return Array()


def _no_bytes(*content: object) -> bytes:
    if content:
        raise TypeError("bytes of anything but nothing")
    return b""
