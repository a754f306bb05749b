"""What a local Ray wants of its user's machine."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from vdbench.errors import UsageError
from vdbench.experiment import ray_places
from vdbench.experiment.home import Home
from vdbench.experiment.on_ray import QUIET
from vdbench.experiment.ray_places import environment, temporary_folder, token_where_none_can_be_kept


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_TMPDIR", "TMPDIR", "VIRTUAL_ENV", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)


def no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_a_short_temporary_folder_is_ray_s_own_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert temporary_folder() is None
    monkeypatch.setenv("TMPDIR", "/scratch/me")
    assert temporary_folder() is None


@pytest.mark.parametrize("name", ["TMPDIR", "RAY_TMPDIR"])
def test_a_long_one_is_replaced_so_that_sockets_fit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setenv(name, f"/{'é' * 25}")  # 26 characters, but 51 bytes
    chosen = temporary_folder()
    assert chosen is not None
    longest = f"{chosen}/session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store.1"
    assert len(longest.encode()) <= 103
    monkeypatch.setattr(ray_places, "SHORT", tmp_path / "nowhere")
    with pytest.raises(UsageError, match="set RAY_TMPDIR to a folder"):
        temporary_folder()


def test_one_in_the_virtual_environment_is_replaced_since_ray_starts_no_workers_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ray 2.60.0: each worker ends at once (``temp_dir must not be child directory of virtualenv root``), which the
    driver never hears. nox, for one, gives a session such a temporary folder."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "bin" / ".." / "tmp"))
    monkeypatch.setattr(ray_places, "SOCKET_PATH", 1000)
    assert temporary_folder() is None
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    assert temporary_folder() == f"/tmp/ray-{os.getuid()}"
    monkeypatch.setenv("VIRTUAL_ENV", "/tmp")
    with pytest.raises(UsageError, match="Ray starts no workers from a virtual environment; set RAY_TMPDIR"):
        temporary_folder()


def test_a_token_is_made_only_where_ray_could_not_keep_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert token_where_none_can_be_kept() == {}
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    first, second = token_where_none_can_be_kept(), token_where_none_can_be_kept()
    assert list(first) == ["RAY_AUTH_TOKEN"]
    assert first != second
    monkeypatch.setattr(Path, "home", no_home)
    assert list(token_where_none_can_be_kept()) == ["RAY_AUTH_TOKEN"]
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert token_where_none_can_be_kept() == {}


def test_a_user_without_a_folder_is_told_how_to_give_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vdbench.experiment.home.user_data_path", lambda name: Path("~nobody-of-this-name") / name)
    with pytest.raises(UsageError, match="give a home with --home or VDBENCH_HOME"):
        Home.at(None)


def test_ray_does_not_start_workers_through_uv_nor_look_in_the_working_folder() -> None:
    assert QUIET["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] == "0"
    assert QUIET["PYTHONSAFEPATH"] == "1"


HEAPS = """
import ctypes, threading
libc = ctypes.CDLL(None)
libc.fopen.restype, libc.malloc_info.argtypes = ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p]
libc.fclose.argtypes = [ctypes.c_void_p]
everybody = threading.Barrier(5)
def work():
    block = bytearray(50_000)
    everybody.wait()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
everybody.wait()
file = libc.fopen(b"heaps.xml", b"w")
libc.malloc_info(0, file)
libc.fclose(file)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives threads heaps of their own")
def test_threads_of_a_worker_share_one_heap_so_that_what_a_trial_frees_serves_the_next(tmp_path: Path) -> None:
    found = []
    for variables in ({}, QUIET):
        subprocess.run([sys.executable, "-c", HEAPS], cwd=tmp_path, env=variables, check=True)
        found.append((tmp_path / "heaps.xml").read_text().count("<heap nr="))
    assert found[0] > 1
    assert found[1] == 1


def test_variables_are_gone_afterwards_and_what_the_user_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    with pytest.raises(RuntimeError), environment({"OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": "1"}):
        assert (os.environ["OMP_NUM_THREADS"], os.environ["PYTHONSAFEPATH"]) == ("3", "1")
        raise RuntimeError
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert "PYTHONSAFEPATH" not in os.environ
