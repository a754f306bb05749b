"""Files are whole or not there, hashes depend on content, folders are built once."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdbench.errors import UsageError
from vdbench.storage import files


class _FullDiskError(OSError):
    pass


@pytest.mark.parametrize("broken", ["write", "sync", "rename"])
def test_a_failure_keeps_the_old_file_and_leaves_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    path = tmp_path / "result.json"
    files.write_json(path, {"old": 1})

    def fail(*_: object, **__: object) -> None:
        raise _FullDiskError(28, "No space left on device")

    target, name = {"write": (Path, "write_bytes"), "sync": (os, "fsync"), "rename": (Path, "replace")}[broken]
    monkeypatch.setattr(target, name, fail)
    with pytest.raises(_FullDiskError):
        files.write_json(path, {"new": 2})
    monkeypatch.undo()
    assert path.read_text() == '{\n  "old": 1\n}\n'
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_old_or_new_but_never_half(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    with files.atomic(path) as draft:
        draft.write_text("half")
        assert not path.exists()
        assert draft.parent == path.parent
        assert draft.suffix == ".txt"
        draft.write_text("whole")
    assert path.read_text() == "whole"


def test_text_is_utf8_with_line_feeds(tmp_path: Path) -> None:
    files.write_text(tmp_path / "t", "ä\nb\n")
    assert (tmp_path / "t").read_bytes() == b"\xc3\xa4\nb\n"


def test_json_has_no_room_for_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "x.json", {"loss": float("nan")})
    assert not list(tmp_path.iterdir())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, min_size=1, max_size=4), st.integers(8, 64))
def test_digest_ignores_the_order_of_keys_and_nothing_else(value: dict[str, object], length: int) -> None:
    digest = files.digest(value, length)
    assert len(digest) == length
    assert digest == files.digest(dict(reversed(value.items())), length)
    assert digest != files.digest({**value, "one more": 1} if "one more" not in value else {}, length)


def test_digest_and_sha256_are_what_they_were(tmp_path: Path) -> None:
    assert files.digest({"b": [1, 2.5], "a": None}) == "e57f5d37865437a8"
    (tmp_path / "abc").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.file_sha256(tmp_path / "abc") == known


def _slow_build(folder: Path) -> bool:
    def build(draft: Path) -> None:
        with (folder.parent / "builders").open("a") as log:
            log.write("x")
        time.sleep(0.3)
        (draft / "done").touch()

    return files.build_once(folder, build)


def test_a_folder_is_built_once_by_whoever_comes_first(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        built = pool.map(_slow_build, [tmp_path / "asset"] * 4, chunksize=1)
    assert sorted(built) == [False, False, False, True]
    assert (tmp_path / "builders").read_text() == "x"
    assert (tmp_path / "asset" / "done").exists()


def test_a_build_that_fails_leaves_nothing_and_can_be_tried_again(tmp_path: Path) -> None:
    def fail(draft: Path) -> None:
        (draft / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.build_once(tmp_path / "asset", fail)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    assert files.build_once(tmp_path / "asset", lambda draft: (draft / "whole").touch())
    assert not (tmp_path / "asset" / "half").exists()


def _child(code: str, *arguments: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def _kill(child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


def test_a_builder_that_is_killed_leaves_no_finished_folder_and_no_lock(tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from vdbench.storage import files
def build(draft):
    (draft / "half").touch()
    print("ready", flush=True)
    time.sleep(60)
files.build_once(Path(sys.argv[1]), build)
"""
    child = _child(code, tmp_path / "asset")
    assert not (tmp_path / "asset").exists()
    _kill(child)
    assert files.build_once(tmp_path / "asset", lambda draft: (draft / "whole").touch())
    assert sorted(path.name for path in (tmp_path / "asset").iterdir()) == ["digests.json", "whole"]


def test_a_home_has_one_user_until_it_ends_however_it_ends(tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from vdbench.storage import files
with files.sole_user(Path(sys.argv[1])):
    print("ready", flush=True)
    time.sleep(60)
"""
    child = _child(code, tmp_path)
    with pytest.raises(UsageError, match="another vdbench run is using .* its own --home"), files.sole_user(tmp_path):
        pass
    _kill(child)
    with files.sole_user(tmp_path):
        pass
    with files.sole_user(tmp_path):
        pass


def test_threads_of_one_process_take_turns_with_a_home(tmp_path: Path) -> None:
    using: list[int] = []

    def use(number: int) -> int:
        with files.sole_user(tmp_path):
            using.append(number)
            time.sleep(0.01)
            using.remove(number)
            return len(using)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(use, range(24))) == [0] * 24


def _made(folder: Path, built: list[str]) -> str:
    def build(draft: Path) -> None:
        built.append(folder.name)
        (draft / "value").write_text("right")

    def load(folder: Path) -> str:
        value = (folder / "value").read_text()
        if value != "right":
            raise ValueError(value)
        return value

    return files.made_once(folder, build, load)


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_what_was_damaged_is_set_aside_named_and_made_again(tmp_path: Path, damage: str) -> None:
    built: list[str] = []
    folder = tmp_path / "asset"
    assert _made(folder, built) == "right"
    if damage == "gone":
        (folder / "value").unlink()
    else:
        (folder / "value").write_text({"flip": "righu", "cut": "rig"}[damage])
    assert not files.whole(folder)
    with pytest.warns(UserWarning, match=r"asset (holds|lost) .*value.*; it was set aside as \.asset\.corrupt, and is"):
        assert _made(folder, built) == "right"
    assert (tmp_path / ".asset.corrupt").is_dir()
    assert _made(folder, built) == "right"
    assert built == ["asset", "asset"]


def test_what_an_earlier_version_made_is_used_where_it_can_be_read_and_made_again_where_not(tmp_path: Path) -> None:
    built: list[str] = []
    for value in ("right", "wrong"):
        (tmp_path / value).mkdir()
        (tmp_path / value / "value").write_text(value)
    assert _made(tmp_path / "right", built) == "right"
    assert not built
    with pytest.warns(UserWarning, match=r"wrong cannot be read \(ValueError\); it was set aside"):
        assert _made(tmp_path / "wrong", built) == "right"
    assert built == ["wrong"]
    assert (tmp_path / ".wrong.corrupt" / "value").read_text() == "wrong"


def test_a_loader_that_fails_on_whole_files_keeps_them(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        raise ValueError("a later format")

    with pytest.raises(ValueError, match="a later format"):
        files.made_once(tmp_path / "asset", lambda draft: (draft / "whole").touch(), fail)
    assert (tmp_path / "asset" / "whole").is_file()
