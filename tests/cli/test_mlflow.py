"""``vdbench mlflow``: what keeps the page from opening is one sentence and no success."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def mirrored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mlflow_store: str) -> Path:
    """A home whose MLflow store is that of all tests."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_store)
    return tmp_path


@pytest.mark.parametrize("port", ["0", "-1", "99999999", "http"])
def test_a_port_that_is_none(cli: Cli, mirrored: Path, port: str) -> None:
    cli("mlflow", "--home", mirrored, "--port", port).ended(2, "--port")


def test_a_port_that_is_taken(cli: Cli, mirrored: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = f"port {port} cannot be used (Address already in use); choose another one with --port"
        cli("mlflow", "--home", mirrored, "--port", port).ended(2, said)


def test_results_that_cannot_be_written(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "mlflow").write_text("no folder")
    with pytest.warns(UserWarning, match="is not recording"):
        cli("mlflow", "--home", tmp_path, "--rebuild").ended(3, "the results could not be written to sqlite:///")


def test_a_server_that_ends_by_itself_is_a_failure(cli: Cli, mirrored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("true"))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    cli("mlflow", "--home", mirrored, "--port", 50_123).ended(1, "MLflow ended by itself, with exit code 0")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_ending_the_server_is_quiet(mirrored: Path, ending: signal.Signals) -> None:
    command = [sys.executable, "-m", "vdbench.cli", "mlflow", "--home", str(mirrored), "--port", "50124"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline().startswith(b"opening http://127.0.0.1:50124 on sqlite:///")
        os.killpg(running.pid, ending)
        assert b"Traceback" not in running.stderr.read()
    assert running.returncode == 130
