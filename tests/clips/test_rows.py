from itertools import product

import numpy as np
import pytest

from vdbench.clips.rows import allocate_rows, open_rows, write_row
from vdbench.errors import DataError

SHAPE = (3, 2, 4, 4, 3)


@pytest.fixture
def path(tmp_path):
    allocate_rows(tmp_path / "clips.npy", SHAPE)
    return tmp_path / "clips.npy"


def clip(value, shape=SHAPE[1:], dtype=np.uint8):
    return np.full(shape, value, dtype)


def test_rows_are_written_in_place_in_any_order_and_nothing_else_changes(path):
    for row in (2, 0):
        write_row(path, SHAPE, row, clip(row + 1))
    assert open_rows(path)[:, 0, 0, 0, 0].tolist() == [1, 0, 3]
    write_row(path, SHAPE, 1, np.flip(np.arange(96, dtype=np.uint8).reshape(SHAPE[1:]), axis=2))
    rows = np.load(path)
    assert rows.shape == SHAPE and rows[1, 0, 0, 0].tolist() == [9, 10, 11]
    assert (rows[0] == 1).all() and (rows[2] == 3).all()


WRONG = [clip(9, (2, 4, 4, 4)), clip(9, (2, 4, 4, 1)), clip(9, (1, 4, 4, 3)), clip(9, (96,)), clip(9, dtype=np.float32)]


@pytest.mark.parametrize(("row", "wrong"), [*product((0, 1, 2), WRONG), (-1, clip(9)), (3, clip(9))])
def test_what_is_no_row_or_goes_to_none_is_refused_and_leaves_every_byte(path, row, wrong):
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"cannot be row {row} of uint8"):
        write_row(path, SHAPE, row, wrong)
    assert path.read_bytes() == before


def test_rows_are_mapped_read_only_and_no_rows_are_read(path, tmp_path):
    assert isinstance(open_rows(path), np.memmap) and not open_rows(path).flags.writeable
    allocate_rows(tmp_path / "none.npy", (0, *SHAPE[1:]))
    assert open_rows(tmp_path / "none.npy").shape == (0, *SHAPE[1:])


def test_files_that_are_cut_off_or_something_else_are_named(path):
    content = path.read_bytes()
    for damaged, words in (
        (content[:-1], "bytes, not the"),
        (content + b"x", "bytes, not the"),
        (content[:40], "no clips that can be read"),
        (b"", "no clips that can be read"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=words):
            open_rows(path)
    np.save(path, np.zeros(3))
    with pytest.raises(DataError, match="holds float64, not rows of uint8"):
        open_rows(path)
    path.unlink()
    with pytest.raises(DataError, match="is missing"):
        open_rows(path)


HEADERS = [b"3), }", b'"""', b"(" * 100, b"{'descr': '|u1', 'shape': (" + b"9" * 60 + b",)}", b"\xff"]


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_that_is_none_is_a_sentence(path, header):
    padded = header.ljust(117) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded)
    with pytest.raises(DataError, match=r"clips\.npy holds no clips that can be read"):
        open_rows(path)


def test_rows_in_another_version_of_the_format_are_a_sentence(path):
    content = path.read_bytes()
    for version in (b"\x01\x01", b"\x02\x00", b"\x09\x00"):
        path.write_bytes(content[:6] + version + content[8:])
        with pytest.raises(DataError, match=r"clips\.npy holds no clips that can be read"):
            open_rows(path)
