"""Commands in real processes of their own, which can be hurt."""

import ctypes
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

PATIENCE = 240.0
"""Seconds that a command may take on a busy machine."""
LOOK_EVERY = 0.02
"""Seconds between two looks at what a command has spent."""
ORPHANS = 20.0
"""Seconds that processes may take to notice that the one which started them is gone."""

_server = multiprocessing.get_context("forkserver")  # Python and torch are imported once, not for every command
_server.set_forkserver_preload(["tests.faults.warm"])


class Command:
    """``vdbench ARGUMENTS``, running.

    Args:
        arguments: what is typed.
        folder: receives what it prints and its temporary files.
        mlflow: SQLite file that it mirrors trials into.
    """

    def __init__(self, arguments: Sequence[str], folder: Path, mlflow: Path) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        self._printed = folder / f"printed-{len(list(folder.glob('printed-*')))}.txt"
        ready = _server.Event()
        self._process = _server.Process(target=_main, args=(arguments, self._printed, self.temporary, mlflow, ready))
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        assert ready.wait(PATIENCE)

    @property
    def running(self) -> bool:
        return self._process.is_alive()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        with suppress(ProcessLookupError):
            if self.running:
                os.kill(self.pid, number)

    def children(self) -> list[psutil.Process]:
        """The processes that it started and that still run."""
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.pid).children(recursive=True)
        return []

    def spent(self) -> float:
        """Seconds of CPU that it and its children have taken, which a busy machine does not stretch."""
        total = 0.0
        for process in [psutil.Process(self.pid), *self.children()] if psutil.pid_exists(self.pid) else []:
            with suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:2])
        return total

    def until(self, come: Callable[[], bool]) -> bool:
        """Wait until something has come; whether it came before the command ended."""
        end = time.monotonic() + PATIENCE
        while self.running and not come():
            assert time.monotonic() < end, f"the command does not end:\n{self.printed()}"
            time.sleep(LOOK_EVERY)
        return self.running

    def code(self) -> int:
        """Wait for its end; its exit code, or minus the number of the signal that ended it."""
        self._process.join(PATIENCE)
        assert self._process.exitcode is not None, f"the command does not end:\n{self.printed()}"
        return self._process.exitcode

    def printed(self) -> str:
        return self._printed.read_text(encoding="utf-8", errors="replace")

    def orphans(self) -> list[int]:
        """Processes of its session that outlive it for longer than they need to notice."""
        end = time.monotonic() + ORPHANS
        while (left := _in_session(self.pid)) and time.monotonic() < end:
            time.sleep(0.05)
        return left


def _in_session(session: int) -> list[int]:
    found = []
    for pid in psutil.pids():
        with suppress(OSError, psutil.NoSuchProcess):
            if os.getsid(pid) == session and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found


def _main(arguments: Sequence[str], printed: Path, temporary: Path, mlflow: Path, ready) -> None:
    """The process: as a shell would start it, in a session of its own, as one who cannot write what is read-only."""
    from vdbench.cli import main

    os.setsid()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as Python does at its start, and a server's child does not
    obey_modes()
    for stream in (1, 2):
        os.dup2(os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    os.environ |= {
        "MLFLOW_TRACKING_URI": f"sqlite:///{mlflow}", "TMPDIR": str(temporary), "COLUMNS": "300",
        "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path),
    }  # fmt: skip
    tempfile.tempdir = None
    sys.argv = ["vdbench", *arguments]
    ready.set()
    main()


def obey_modes() -> None:
    """Give up root's right to read and write whatever it likes, so that modes of files hold for root as well.

    They hold for the programs that this process starts, too.
    """
    if os.geteuid() == 0:
        library = ctypes.CDLL(None, use_errno=True)
        header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        library.capget(header, sets)
        for right in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            sets[0] &= ~(1 << right)
            library.prctl(24, right, 0, 0, 0)  # PR_CAPBSET_DROP: root gets it back with every program otherwise
        library.capset(header, sets)
