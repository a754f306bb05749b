"""Files that claim more than they hold, or show it many times over, are refused before memory is taken for it."""

import io
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from vdbench.clips.rows import open_rows
from vdbench.distilled.outside.tensors import read_arrays
from vdbench.errors import DataError

LITTLE = 50 * 2**20
"""Bytes of memory that refusing a file may take: modules, and no array of the size that it claims."""


def claiming(shape: tuple[int, ...], dtype: str = "<f4") -> bytes:
    """An ``.npy`` file that claims a shape, and holds 16 bytes."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": dtype, "fortran_order": False, "shape": shape})
    return buffer.getvalue() + bytes(16)


def refused(path: Path) -> str:
    read_arrays_once = path.parent / "warm.npy"
    np.save(read_arrays_once, np.zeros(1))
    read_arrays(read_arrays_once)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="is damaged, or holds more than tensors") as error:
            read_arrays(path)
        assert tracemalloc.get_traced_memory()[1] < LITTLE
    finally:
        tracemalloc.stop()
    return str(error.value)


@pytest.mark.parametrize("shape", [(2**20, 2**10), (10**15,), (2**40, 2**40), (2**32, 2**32), (-4,), (5,), (3,)])
def test_an_array_of_another_size_than_its_header_claims(tmp_path: Path, shape: tuple[int, ...]) -> None:
    (tmp_path / "clips.npy").write_bytes(claiming(shape))
    refused(tmp_path / "clips.npy")
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as archive:
        archive.writestr("clips.npy", claiming(shape))
    refused(tmp_path / "set.npz")


def test_an_archive_that_claims_more_than_it_can_hold(tmp_path: Path) -> None:
    header = claiming((2**30,))[:-16]
    with zipfile.ZipFile(tmp_path / "set.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("clips.npy", header)
    content = (tmp_path / "set.npz").read_bytes()
    claimed = (len(header) + 2**32 - 2**20).to_bytes(4, "little")
    assert content.count(len(header).to_bytes(4, "little")) == 2  # in the local header and in the directory
    (tmp_path / "set.npz").write_bytes(content.replace(len(header).to_bytes(4, "little"), claimed))
    refused(tmp_path / "set.npz")


def test_safetensors_that_claim_more_than_they_hold(tmp_path: Path) -> None:
    for start in (b'{"clips":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}', b""):
        length = len(start) if start else 2**60
        (tmp_path / "set.safetensors").write_bytes(length.to_bytes(8, "little") + start + bytes(16))
        refused(tmp_path / "set.safetensors")


def test_a_tensor_that_shows_one_number_everywhere(tmp_path: Path) -> None:
    torch.save({"clips": torch.zeros(1).expand(2**20, 2**20)}, tmp_path / "set.pt")
    refused(tmp_path / "set.pt")


def test_a_small_tensor_that_shows_one_number_everywhere_is_read(tmp_path: Path) -> None:
    torch.save({"labels": torch.ones(1).expand(6)}, tmp_path / "set.pt")
    assert read_arrays(tmp_path / "set.pt")["labels"].tolist() == [1] * 6


def test_lists_that_hold_each_other(tmp_path: Path) -> None:
    doubling: list[object] = [{"a": 1}, "x"]
    for _ in range(60):
        doubling = [doubling, doubling]
    torch.save(doubling, tmp_path / "doubling.pt")
    own: list[object] = [{"a": 1}, "x"]
    own.append(own)
    torch.save(own, tmp_path / "own.pt", _use_new_zipfile_serialization=False, pickle_module=pickle)
    for name in ("doubling.pt", "own.pt"):
        refused(tmp_path / name)


@pytest.mark.parametrize("shape", [(2**32, 2**32, 2, 2, 3), (1, 2, 2, 2, -3), (1, -2, 2, -2, 3)])
def test_rows_of_clips_of_another_size_than_claimed(tmp_path: Path, shape: tuple[int, ...]) -> None:
    (tmp_path / "clips.npy").write_bytes(claiming(shape, "|u1"))
    with pytest.raises(DataError, match=r"clips\.npy (has|holds)"):
        open_rows(tmp_path / "clips.npy")
