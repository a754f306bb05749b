"""Damage is noticed: a lost file, another size, a flipped byte, wherever it lies."""

import json
import os
from pathlib import Path

import pytest

from tests.worlds import flip
from vdbench.errors import LaterError
from vdbench.storage import digests, files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(digests, "PIECE", 1000)

    def build(draft: Path) -> None:
        (draft / "part").mkdir()
        (draft / "part" / "large").write_bytes(bytes(range(250)) * 40)
        (draft / "small").write_bytes(b"small")
        (draft / "empty").touch()
        (draft / "preview.png").write_bytes(b"a picture")

    files.build_once(tmp_path / "made", build, unsealed="preview*")
    return tmp_path / "made"


def test_every_file_is_hashed_in_pieces_but_for_those_left_out(folder: Path) -> None:
    content = json.loads((folder / digests.DIGESTS).read_text())
    assert {name: (file["bytes"], len(file["pieces"])) for name, file in content["files"].items()} == {
        "empty": (0, 0),
        "part/large": (10_000, 10),
        "small": (5, 1),
    }
    assert content["files"]["small"]["pieces"] == [files.file_sha256(folder / "small")]
    assert digests.sealed(folder) and digests.fault_in(folder) is None


@pytest.mark.parametrize("position", [0, 4_999, 9_999])
def test_a_flipped_byte_is_noticed_also_after_the_folder_was_found_whole(folder: Path, position: int) -> None:
    assert digests.fault_in(folder) is None
    flip(folder / "part" / "large", position)
    assert digests.fault_in(folder) == "holds other bytes in part/large than were written"
    flip(folder / "part" / "large", position)
    assert digests.fault_in(folder) is None


def test_a_look_reads_no_more_than_it_may_and_both_ends_always(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flip(folder / "part" / "large", 500)
    assert digests.fault_in(folder, at_most=2_000) is not None
    flip(folder / "part" / "large", 500)
    flip(folder / "part" / "large", 3_500)
    assert digests.fault_in(folder, at_most=2_000) is None
    assert digests.fault_in(folder) is not None


def test_sizes_and_lost_files_are_noticed(folder: Path) -> None:
    os.truncate(folder / "small", 4)
    assert digests.fault_in(folder) == "holds 4 bytes of small, not 5"
    (folder / "small").unlink()
    assert digests.fault_in(folder) == "lost small"


def test_pictures_may_be_lost_and_files_may_be_added(folder: Path) -> None:
    (folder / "preview.png").unlink()
    (folder / "sheet.png").touch()
    assert digests.fault_in(folder) is None


def test_digests_that_are_damaged_themselves_are_a_fault(folder: Path) -> None:
    whole = json.loads((folder / digests.DIGESTS).read_text())
    (folder / digests.DIGESTS).write_text("{")
    assert digests.fault_in(folder) == "has a digests.json that cannot be read"
    del whole["files"]["small"]["bytes"]
    files.write_json(folder / digests.DIGESTS, whole)
    assert digests.fault_in(folder) is not None


def test_digests_of_a_file_with_a_name_that_no_disk_takes_are_a_fault(folder: Path) -> None:
    text = (folder / digests.DIGESTS).read_text()
    (folder / digests.DIGESTS).write_text(text.replace('"small"', f'"{"9" * 400}"'))
    assert digests.fault_in(folder) == "has a digests.json that names what cannot be read (File name too long)"


def test_digests_of_pieces_that_no_memory_holds_are_damaged(folder: Path) -> None:
    content = json.loads((folder / digests.DIGESTS).read_text())
    files.write_json(folder / digests.DIGESTS, content | {"piece": 10**15})
    assert digests.fault_in(folder) == "has a digests.json that cannot be read"


def test_a_folder_of_a_later_version_is_left_as_it_is(folder: Path) -> None:
    files.write_json(folder / digests.DIGESTS, {"schema_version": 2, "surprise": []})
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for use in (digests.fault_in, files.whole, lambda made: files.made_once(made, Path.touch, Path.exists)):
        with pytest.raises(LaterError, match="written by a later version of vdbench: its schema is 2, and this"):
            use(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert not list(folder.parent.glob(".*corrupt"))


def test_what_was_read_is_kept_until_a_file_is_touched_and_a_reading_that_fails_is_not(tmp_path: Path) -> None:
    file = tmp_path / "file"

    def read() -> list[str]:
        return digests.kept("the file", [file], lambda: [file.read_text(encoding="ascii")])

    file.write_text("a")
    assert read() is read()
    file.write_text("ü", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(UnicodeDecodeError):
            read()
    file.write_text("other")
    assert read() == ["other"]


def test_the_spread_has_both_ends() -> None:
    assert list(digests.spread(range(11), 3)) == [0, 5, 10]
    assert list(digests.spread(range(2), 3)) == [0, 1]
