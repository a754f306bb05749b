"""What a local run lets others reach: nothing that answers without its token.

Ray 2.60 listens on all addresses of a machine, also where it is told to use 127.0.0.1, and asks for a token.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import psutil
import pytest

from tests.cli.conftest import selector, tiny_run

DOES = """
Path({begun!r}).touch()
while not Path({go!r}).exists():
    time.sleep(0.1)
"""
CALLS = (
    "/ray.rpc.NodeManagerService/GetSystemConfig",
    "/ray.rpc.NodeInfoGcsService/GetAllNodeInfo",
    "/ray.rpc.CoreWorkerService/NumPendingTasks",
    "/ray.rpc.ObjectManagerService/Push",
)
"""A harmless call of every service that Ray's processes have."""


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Iterator[psutil.Process]:
    """A run on Ray, amid a trial."""
    begun, go = tmp_path / "begun", tmp_path / "go"
    plugin = selector(tmp_path, "waits", DOES.format(begun=str(begun), go=str(go)))
    words = tiny_run(home, "--plugin", plugin, methods="waits")
    words[words.index("--scheduler") + 1] = "ray"
    command = [sys.executable, "-c", "from vdbench.cli import main; raise SystemExit(main())", *words, "--workers", "1"]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + 240
            while not begun.exists() and process.poll() is None and time.monotonic() < end:
                time.sleep(0.2)
            assert begun.exists(), "the trial did not begin"
            yield psutil.Process(process.pid)
            go.touch()
            assert process.wait(240) == 0
        finally:
            process.kill()


def listening(process: psutil.Process) -> list[int]:
    """Ports of a process and its children that are open on other addresses than the loopback ones."""
    found = []
    for one in (process, *process.children(recursive=True)):
        for connection in one.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.ip not in ("127.0.0.1", "::1"):
                found.append(connection.laddr.port)
    return found


def address_of_this_machine() -> str:
    found = [a.address for own in psutil.net_if_addrs().values() for a in own if a.family.name == "AF_INET"]
    return next((address for address in found if not address.startswith("127.")), "127.0.0.1")


def asked_by_grpc(where: str) -> set[str]:
    """What each service at a port says to a call without a token, by the names of gRPC's codes."""
    codes = set()
    with grpc.insecure_channel(where) as channel:
        for call in CALLS:
            try:
                channel.unary_unary(call)(b"", timeout=5)
                codes.add("OK")
            except grpc.RpcError as error:
                codes.add(error.code().name)
    return codes


@pytest.mark.slow
def test_nothing_beyond_the_machine_s_own_addresses_answers_without_the_token(run: psutil.Process) -> None:
    host, ports = address_of_this_machine(), listening(run)
    for port in ports:
        codes = asked_by_grpc(f"{host}:{port}")
        if codes == {"UNAVAILABLE"}:  # it speaks HTTP
            connection = http.client.HTTPConnection(host, port, timeout=10)
            connection.request("GET", "/")
            assert connection.getresponse().status == 401, port
        else:
            assert "UNAUTHENTICATED" in codes and codes <= {"UNAUTHENTICATED", "UNIMPLEMENTED"}, (port, codes)
