"""A Ray cluster of several nodes on this machine, each with processes, folders and a name of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

import psutil

NAME = "VDBENCH_TEST_NODE"
"""The variable in which a node's workers find its name."""


class Nodes:
    """Nodes of one core and two declared GPUs, which answer who has their token. None outlives the block."""

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="vd", dir="/tmp"))  # paths of sockets have to be short
        self._port = _free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._everything: set[psutil.Process] = set()
        self.variables = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")} | {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_worker_niceness": "0",  # or workers wait for everything else that runs here
            "CUDA_VISIBLE_DEVICES": "0,1",
        }
        return self

    def __exit__(self, *raised: object) -> None:
        for name in self._processes:
            self._look(name)
        for process in self._everything:
            if process.is_running():
                process.kill()
        for process in self._processes.values():
            process.wait()
        psutil.wait_procs(self._everything, timeout=30)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def address(self) -> str:
        """What ``--ray-address`` takes."""
        return f"127.0.0.1:{self._port}"

    def start(self, name: str, **variables: str) -> None:
        """Start a node; the first one is the head."""
        head = not self._processes
        role = ["--head", "--port", str(self._port), "--include-dashboard", "false"]
        role += ["--ray-client-server-port", str(_free_port())]
        place = self._folder / name
        command = [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--node-ip-address", "127.0.0.1"),
            *(role if head else ["--address", self.address]),
            *("--node-name", name, "--num-cpus", "1", "--num-gpus", "2", "--object-store-memory", str(100 << 20)),
            *("--temp-dir", str(place), "--min-worker-port", "0", "--max-worker-port", "0"),
            *("--dashboard-agent-listen-port", str(_free_port())),
        ]
        place.mkdir()
        with (place / "output").open("wb") as output:
            self._processes[name] = subprocess.Popen(
                command, env=self.variables | {NAME: name} | variables, stdout=output, stderr=output
            )
        until(lambda: self._up(name), f"node {name} to start", place / "output")

    def kill(self, name: str) -> None:
        """Kill a node's raylet, as the loss of the machine would."""
        self._look(name)
        self._raylet(name).kill()

    def _raylet(self, name: str) -> psutil.Process:
        below = psutil.Process(self._processes[name].pid).children(recursive=True)
        return next(process for process in below if process.name() == "raylet")

    def _up(self, name: str) -> bool:
        if (code := self._processes[name].poll()) is not None:
            raise AssertionError(f"{name} ended with {code}: {(self._folder / name / 'output').read_text()}")
        return "Ray runtime started" in (self._folder / name / "output").read_text()

    def _look(self, name: str) -> None:
        """Remember a node's processes, which lose their parent when it ends."""
        if psutil.pid_exists(pid := self._processes[name].pid):
            process = psutil.Process(pid)
            self._everything |= {process, *process.children(recursive=True)}


def until(true, what: str, output: Path | None = None, seconds: float = 240) -> None:
    """Wait for something; fail with what was waited for."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s for {what}" + (f": {output.read_text()}" if output else ""))
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
