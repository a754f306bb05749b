"""What a GPU makes of clips at the field's size, 16x112x112 and full width: speed, memory, and whether numbers agree.

Run it with ``python benchmarks/speed/gpu.py`` where there is a GPU, torch, and what ``import vdbench`` takes; neither
Ray nor MLflow is needed, nor that vdbench is installed. It ends after nine minutes at most with a table, to be kept in
``docs/performance.md`` with the card's name: a row that fails says why, one whose turn does not come says that. The
exit status is 1 if there is such a row. Threads, tf32 and determinism are set as they are for trials. ``--base``, a
commit, or a folder with sources of an earlier version, trains by its code as well.
``tests/test_speed.py`` has sizes at which all of it runs on a CPU.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

import torch

sys.path.extend(str(Path(__file__).resolve().parents[2] / part) for part in ("", "methods"))

import gpu_methods
import gpu_networks
import gpu_training
from earlier import ROOT, by_code_of, sources
from gpu_training import Asked, Row

from vdbench.experiment.environment import environment
from vdbench.experiment.reproducing import reproducibly

RUNNING: list[subprocess.Popen[str]] = []
"""The process that measures one of the two versions, while it does."""
GRACE = 15
"""Seconds after the deadline when a row that is still being measured is given up with the process."""
LONGEST = 150
"""Seconds for one of the two processes that are compared."""
NO_TIME = "not measured: no time was left"
FAILED = "failed: "


class Table:
    """Rows as they come, which are told at once and printed in the end, or when time is up.

    Args:
        rows: what is to be measured.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = list(rows)
        self.values: list[str] = []
        self._printed = threading.Lock()

    def measure(self, asked: Asked, deadline: float) -> None:
        """Measure row by row, until a moment of the monotonic clock after which none is begun."""
        for row in self._rows:
            began, asked.left = time.monotonic(), deadline - time.monotonic()
            value = value_of(row, asked) if asked.left > 0 else NO_TIME
            self.values.append(value)
            print(f"{time.monotonic() - began:6.1f} s  {row.what}: {value}", file=sys.stderr, flush=True)

    def print(self) -> None:
        """Print all rows, once."""
        if not self._printed.acquire(blocking=False):
            return
        values = self.values + [NO_TIME] * (len(self._rows) - len(self.values))
        lines = [f"| {row.what} | {value} | {row.wanted} |" for row, value in zip(self._rows, values, strict=True)]
        print("\n".join(["| what | measured | wanted |", "|---|---|---|", *lines]), flush=True)

    @property
    def whole(self) -> bool:
        """Whether every row has its number."""
        return len(self.values) == len(self._rows) and not any(v.startswith((FAILED, NO_TIME)) for v in self.values)


def value_of(row: Row, asked: Asked) -> str:
    """What was measured, or why it was not; the memory of a GPU is free again in either case."""
    try:
        value = row.measure(asked)
    except Exception as error:  # noqa: BLE001 - no row may take the others with it
        traceback.print_exc()
        first = str(error).strip().split("\n")[0].replace("|", "/")
        value = f"{FAILED}{type(error).__name__}: {first[:160]}"
    gc.collect()
    if torch.device(asked.device).type == "cuda":
        torch.cuda.empty_cache()
    return value


def against(asked: Asked) -> str:
    """Training on a large split, by this code and by an earlier version's, each in a process of its own."""
    with sources(asked.base) as folder:
        before = told_by(folder, asked)
    now = told_by(ROOT, asked)
    return f"{now:.0f} clips/s after {before:.0f}, {now / before:.1f} times as many"


def told_by(root: Path, asked: Asked) -> float:
    """Clips per second of ``whole.py`` by the code below a folder.

    Raises:
        ValueError: another version's code was measured.
    """
    names = ("device", "classes", "frames", "size", "width", "lr", "seconds")
    words = [f"--{name}={getattr(asked, name)}" for name in names] + [f"--clips={min(1024, asked.clips)}"]
    command = [sys.executable, str(Path(__file__).with_name("whole.py")), *words]
    with subprocess.Popen(command, env=by_code_of(root), stdout=subprocess.PIPE, text=True) as process:
        RUNNING.append(process)
        try:
            output, _ = process.communicate(timeout=min(LONGEST, asked.left / 2))
        finally:
            RUNNING.remove(process)
            process.kill()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    told = json.loads(output.splitlines()[-1])
    if Path(told["code"]) != root:
        raise ValueError(f"the code in {told['code']} was measured instead of that in {root}")
    return float(told["clips_per_second"])


def machine(device: torch.device) -> str:
    """The card and the versions, for the table."""
    told = environment(device.type).model_dump(exclude={"platform"})
    return ", ".join(f"{name} {value}" for name, value in told.items() if value)


def give_up(table: Table) -> None:
    """Print what there is and end the process, whatever it waits for.

    Where that is a process of its own, it is ended, and what it was made for is taken away again.
    """
    for process in list(RUNNING):
        process.kill()
        threading.main_thread().join(GRACE)
    table.print()
    os._exit(1)


def options() -> argparse.ArgumentParser:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--classes", type=int, default=50)
    parser.add_argument("--clips", type=int, default=3328, help="of the train split")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--steps", type=int, default=100, help="that are timed of a training")
    parser.add_argument("--lr", type=float, default=0.0001, help="of trainings whose time alone matters")
    parser.add_argument("--learn", type=int, default=150, help="steps of trainings whose outcomes are compared")
    parser.add_argument("--learn-lr", type=float, default=0.001, help="of these")
    parser.add_argument("--strength", type=int, default=128, help="of the colours that are learned there, of 256")
    parser.add_argument("--seconds", type=float, default=15, help="after which a training was timed for long enough")
    parser.add_argument("--minutes", type=float, default=8.4, help="after which no row is begun")
    parser.add_argument("--base", help="commit, or folder of an earlier version's sources")
    return parser


def main() -> None:
    """Measure everything and print a table."""
    began, asked = time.monotonic(), options().parse_args()
    device = torch.device(asked.device)
    rows = gpu_training.rows(asked)
    rows += [Row("training on a split, against the earlier version", "20 times", against)] if asked.base else []
    table = Table(rows + gpu_methods.rows(asked) + gpu_networks.rows(asked))
    watch = threading.Timer(60 * asked.minutes + GRACE, give_up, [table])
    watch.daemon = True
    watch.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        print(machine(device), flush=True)
        with reproducibly():
            table.measure(asked, began + 60 * asked.minutes)
    finally:
        table.print()
    sys.exit(not table.whole)


if __name__ == "__main__":
    main()
