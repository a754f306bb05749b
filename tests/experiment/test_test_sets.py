"""Test sets on disk: called by the hash of what they say, written once, and never believed when they were edited."""

from pathlib import Path

import pytest

from vdbench.errors import DataError
from vdbench.experiment.test_sets import ClipLists
from vdbench.outcomes import ClipList

CLIPS = ClipList(classes=("a", "b"), ids=("1", "2", "3"), labels=(0, 1, 1), groups=("x", "y", "y"))


def test_what_is_written_is_read_and_written_once(tmp_path: Path) -> None:
    lists = ClipLists(tmp_path / "test-sets")
    lists.write(CLIPS)
    (path,) = lists.folder.iterdir()
    assert path == lists.path(CLIPS.fingerprint)
    assert lists.read(CLIPS.fingerprint) == CLIPS
    stamp = path.stat().st_ino
    lists.write(CLIPS)
    assert path.stat().st_ino == stamp


def test_the_fingerprint_is_that_of_all_that_it_says() -> None:
    others = [
        CLIPS.model_copy(update={"classes": ("a", "c")}),
        CLIPS.model_copy(update={"ids": ("1", "2", "4")}),
        CLIPS.model_copy(update={"labels": (0, 0, 1)}),
        CLIPS.model_copy(update={"groups": ("x", "x", "y")}),
    ]
    assert len({CLIPS.fingerprint, *(other.fingerprint for other in others)}) == 5


def test_a_damaged_one_is_set_aside_and_written_again(tmp_path: Path) -> None:
    lists = ClipLists(tmp_path)
    lists.write(CLIPS)
    path = lists.path(CLIPS.fingerprint)
    path.write_text(path.read_text(encoding="utf-8").replace('"y"', '"z"'), encoding="utf-8")
    with pytest.raises(DataError, match="since it was edited or renamed"):
        lists.read(CLIPS.fingerprint)
    with pytest.warns(UserWarning, match="it was set aside as"):
        lists.write(CLIPS)
    assert lists.read(CLIPS.fingerprint) == CLIPS
    assert (tmp_path / f".{path.name}.corrupt").exists()


def test_one_that_is_missing_or_no_list_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no test set"):
        ClipLists(tmp_path).read("0" * 16)
    (tmp_path / f"{'0' * 16}.json").write_text('{"classes": []}', encoding="utf-8")
    with pytest.raises(DataError, match="is not a test set that can be read"):
        ClipLists(tmp_path).read("0" * 16)
