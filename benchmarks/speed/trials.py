"""What a run takes beside the work of its trials: time for each, memory of the driver, and resuming.

Run it with ``python benchmarks/speed/trials.py``, on Linux. A data set of 16 made clips of 16 pixels and a single
training step leave trials with next to nothing to do. They run through ``vdbench run`` in a process of its own, inline
and through Ray; meanwhile its resident memory is read at every tenth of the results. Then the same command is typed
again. Results are asserted, times are not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import av
import numpy as np

import vdbench

CLASSES, CLIPS, FRAMES, SIDE = 2, 8, 4, 16
SETTINGS = (f"protocol.frames={FRAMES}", f"protocol.size={SIDE}", "protocol.recipe.min_steps=1",
            "protocol.recipe.max_steps=1", "protocol.evaluation_seeds=1", "protocol.validation=0.2")  # fmt: skip
TENTHS = 10
PAUSE = 0.05
"""Seconds between two looks at a run."""


class Measured(NamedTuple):
    """A run.

    Attributes:
        seconds: from the command to its end.
        tenths: seconds from each tenth of the results to the next.
        memory: resident memory of the process in MiB when the first tenth of the results was there, and at the end.
    """

    seconds: float
    tenths: list[float]
    memory: tuple[float, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200, help="even; half of them judge all clips")
    parser.add_argument("--scheduler", nargs="+", default=["inline", "ray"], choices=["inline", "ray"])
    asked = parser.parse_args()
    print("| scheduler | trials | a trial | its stages | first and last tenth | memory | typed again |")
    print("|---|---|---|---|---|---|---|")
    for scheduler in asked.scheduler:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            vdbench.new_dataset("made", videos=videos(Path(folder) / "videos"), frames=FRAMES, size=SIDE, home=home)
            command = [sys.executable, "-m", "vdbench.cli", "run", "--datasets", "made", "--suite", "quick",
                       "--methods", "random", "--ipc", "1", "--seeds", str(asked.trials // 2), "--home", str(home),
                       "--scheduler", scheduler, *(word for one in SETTINGS for word in ("--set", one))]  # fmt: skip
            first = run(command, home, asked.trials)
            stages = stages_of(home)
            assert len(stages) == asked.trials, f"{len(stages)} of {asked.trials} trials are done"
            again = run(command, home, asked.trials)
        each = sum(first.tenths) / (asked.trials - asked.trials // TENTHS)
        print(
            f"| {scheduler} | {asked.trials} | {each:.2f} s | {mean(stages):.2f} s "
            f"| {first.tenths[0]:.1f} and {first.tenths[-1]:.1f} s "
            f"| {first.memory[0]:.0f} to {first.memory[1]:.0f} MiB | {again.seconds:.1f} s |"
        )


def videos(folder: Path) -> Path:
    """Write noise as videos, in a folder per class."""
    rng = np.random.default_rng(0)
    for label in range(CLASSES):
        for number in range(CLIPS):
            path = folder / f"class {label}" / f"{number}.mkv"
            path.parent.mkdir(parents=True, exist_ok=True)
            with av.open(path, "w") as container:
                stream = container.add_stream("ffv1", rate=10, width=SIDE, height=SIDE, pix_fmt="bgr0")
                for pixels in rng.integers(0, 256, (FRAMES, SIDE, SIDE, 3), dtype=np.uint8):
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
                container.mux(stream.encode(None))
    return folder


def run(command: list[str], home: Path, trials: int) -> Measured:
    """Type a command, and look at its process as results appear; at least one look is taken."""
    started = time.perf_counter()
    reached: list[float] = []
    memory: list[float] = []
    env, silent = {**os.environ, "OMP_NUM_THREADS": "1"}, subprocess.DEVNULL
    with subprocess.Popen(command, stdout=silent, stderr=silent, env=env) as process:
        while process.poll() is None:
            if (now := _resident(process.pid)) is not None:
                last = now
            there = sum(1 for _ in (home / "results").glob("*.json"))
            while len(reached) < TENTHS and TENTHS * there >= trials * (len(reached) + 1):
                reached.append(time.perf_counter())
                memory.append(last)
            time.sleep(PAUSE)
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    tenths = [later - earlier for earlier, later in zip(reached, reached[1:], strict=False)]
    return Measured(time.perf_counter() - started, tenths, (memory[0], memory[-1]))


def stages_of(home: Path) -> list[float]:
    """Seconds that each finished trial was at work."""
    records = [json.loads(path.read_text()) for path in (home / "results").glob("*.json")]
    return [sum(stage["seconds"] for stage in one["stages"].values()) for one in records if one["status"] == "done"]


def _resident(process: int) -> float | None:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024
    except (OSError, StopIteration):
        return None


if __name__ == "__main__":
    main()
