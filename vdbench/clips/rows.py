"""Clips on disk: rows of one ``.npy`` file, allocated at once, written one by one and in place, and mapped."""

from __future__ import annotations

import math
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vdbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

CLIPS, MANIFEST = "clips.npy", "manifest.json"
"""In a folder of clips: the rows, and what is known of them."""


def allocate_rows(path: Path, shape: tuple[int, ...]) -> None:
    """Make a ``.npy`` file of uint8 zeros that takes no space yet. Rows are written with :func:`write_row`.

    Rows are written, not mapped, because a full disk then is an error instead of a killed process.
    """
    with path.open("wb") as file:
        file.write(_preamble(shape))
        file.truncate(file.tell() + int(np.prod(shape, dtype=np.int64)))


def write_row(path: Path, shape: tuple[int, ...], row: int, clip: NDArray[np.uint8]) -> None:
    """Write one row of a file made by :func:`allocate_rows`: the whole of it, and nothing beside it.

    Args:
        path: the file.
        shape: that it was made with.
        row: which row.
        clip: uint8, of the shape of a row.

    Raises:
        ValueError: there is no such row, or the clip is of another shape or type than a row.
    """
    if clip.shape != shape[1:] or clip.dtype != np.uint8 or not 0 <= row < shape[0]:
        raise ValueError(f"{clip.dtype} {clip.shape} cannot be row {row} of uint8 {shape}")
    with path.open("r+b") as file:
        file.seek(len(_preamble(shape)) + row * clip.nbytes)
        file.write(np.ascontiguousarray(clip).data)


def open_rows(path: Path) -> NDArray[np.uint8]:
    """Map the rows of a file made by :func:`allocate_rows` read-only; an empty array cannot be mapped and is read.

    Raises:
        DataError: it is missing, cut off, or holds something else.
    """
    try:
        with path.open("rb") as file:
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError("of another version than rows are written in")
            shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
            promised = file.tell() + math.prod(shape)
    except FileNotFoundError:
        raise DataError(f"{path} is missing") from None
    except OSError:
        raise
    except Exception:  # NumPy raises whatever it meets in a header that is none
        raise DataError(f"{path} holds no clips that can be read") from None
    if dtype != np.uint8 or fortran_order or min(shape, default=0) < 0:
        raise DataError(f"{path} holds {dtype}, not rows of uint8")
    if path.stat().st_size != promised:
        raise DataError(f"{path} has {path.stat().st_size} bytes, not the {promised} that its header promises")
    clips: NDArray[np.uint8] = np.load(path, mmap_mode="r" if np.prod(shape, dtype=np.int64) else None)
    return clips


def read_rows(path: Path, rows: Iterable[int]) -> Iterator[bytes]:
    """Some rows of such a file, read one after the other: unlike mapped ones they are not kept in memory.

    Raises:
        DataError: see :func:`open_rows`.
    """
    shape = open_rows(path).shape
    size = int(np.prod(shape[1:], dtype=np.int64))
    with path.open("rb") as file:
        for row in rows:
            file.seek(len(_preamble(shape)) + row * size)
            yield file.read(size)


@lru_cache(maxsize=8)
def _preamble(shape: tuple[int, ...]) -> bytes:
    """What a ``.npy`` file of uint8 begins with."""
    buffer = BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return buffer.getvalue()
