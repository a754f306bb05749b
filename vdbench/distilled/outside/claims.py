"""Whether a file holds as much as its header claims, looked at before anything is made as large as that."""

from __future__ import annotations

import math
import zipfile
from typing import IO, TYPE_CHECKING

import numpy as np
import psutil

if TYPE_CHECKING:
    from pathlib import Path

TIGHTEST = 1032
"""Bytes that no more than one byte of a deflated file stands for."""


def check_claims(path: Path) -> None:
    """Look at what an ``.npy`` file or an archive, as ``.npz`` files and those of torch are, says of its size.

    Raises:
        ValueError: it says more than it holds, or than there is memory for.
        zipfile.BadZipFile: it is a damaged archive.
    """
    with path.open("rb") as file:
        if path.suffix.lower() == ".npy":
            _check_array(file, path.stat().st_size)
        elif zipfile.is_zipfile(file):
            _check_archive(file)


def _check_archive(file: IO[bytes]) -> None:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        for member in members:
            known = member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            if not known or member.file_size > TIGHTEST * (member.compress_size + 1):
                raise ValueError(f"{member.filename[:80]} claims more bytes than it can hold")
        if sum(member.file_size for member in members) > psutil.virtual_memory().available:
            raise ValueError("there is not as much memory as it takes")
        for member in members:
            if member.filename.endswith(".npy"):
                with archive.open(member) as inner:
                    _check_array(inner, member.file_size)


def _check_array(file: IO[bytes], size: int) -> None:
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of its format is for names of columns, and arrays of numbers have none")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    promised = file.tell() + math.prod(shape) * dtype.itemsize
    if dtype.hasobject or min(shape, default=0) < 0 or promised != size:
        raise ValueError(f"its header promises {promised} bytes, and there are {size}")
