"""Ways to hurt a run, or what it left. Each is drawn from a seed, as are its moment and its place."""

import os
import random
import resource
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.faults.commands import Command

KEPT = ("stores", "views", "assets", "distilled", "checkpoints", "results", "results/test-sets", "judged")
"""Folders of a home whose files can be damaged; the rest is made anew by every run, or not ours."""
UNSEALED = ("results",)
"""Those that carry no digests: a flipped bit in a number of a result leaves another result."""
NEEDED = ("stores", "views", "assets", "distilled")
"""Those that trials look into."""


class Injury(NamedTuple):
    """What was done, in words, and the file that was damaged, if one was."""

    words: str
    damaged: Path | None = None


def kill(run: Command, home: Path, rng: random.Random) -> Injury:
    run.signal(signal.SIGKILL)
    return Injury("SIGKILL of the driver")


def terminate(run: Command, home: Path, rng: random.Random) -> Injury:
    run.signal(signal.SIGTERM)
    return Injury("SIGTERM of the driver")


def interrupt(run: Command, home: Path, rng: random.Random) -> Injury:
    run.signal(signal.SIGINT)
    return Injury("SIGINT of the driver")


def insist(run: Command, home: Path, rng: random.Random) -> Injury:
    for number in (signal.SIGINT, rng.choice([signal.SIGINT, signal.SIGTERM]), signal.SIGKILL)[: rng.choice([2, 3])]:
        run.signal(number)
        time.sleep(rng.uniform(0, 0.3))
    return Injury("several signals, one after the other")


def kill_child(run: Command, home: Path, rng: random.Random) -> Injury:
    run.until(lambda: bool(run.children()))
    for child in run.children():
        child.kill()
    return Injury("SIGKILL of the isolated child")


def full_disk(run: Command, home: Path, rng: random.Random) -> Injury:
    limit = rng.choice([0, 1_000, 20_000])
    with suppress(ProcessLookupError):  # it has ended by itself meanwhile
        _, hard = resource.prlimit(run.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (limit, hard))
    return Injury("no file may grow any more")


def read_only(run: Command, home: Path, rng: random.Random) -> Injury:
    modes: dict[Path, int] = {}
    _close(home, modes)
    time.sleep(rng.uniform(0.05, 1))
    for path in reversed(modes):
        with suppress(FileNotFoundError):  # root may have kept the right to write here
            path.chmod(modes[path])
    return Injury("the home is read-only for a moment")


def _close(folder: Path, modes: dict[Path, int]) -> None:
    """Make a folder read-only before one looks into it: the run can take away nothing that is found in it then."""
    modes[folder] = folder.stat().st_mode
    folder.chmod(0o500)
    for path in folder.iterdir():
        if path.is_dir():
            _close(path, modes)


def _damaged(
    run: Command, home: Path, rng: random.Random, what: str, how: Callable[[Path, random.Random], None]
) -> Injury:
    """Kill the run, and damage one file of what it left."""
    run.signal(signal.SIGKILL)
    run.code()
    by_folder = {name: sorted(files_in(home / name, name)) for name in KEPT}
    sealed = [name for name, paths in by_folder.items() if paths and not (how is flip and name in UNSEALED)]
    name = rng.choice(sealed)
    path = rng.choice(by_folder[name])
    how(path, rng)
    if name in NEEDED and rng.random() < 0.7:  # else results are done, and nobody looks at what they were made of
        for result in files_in(home / "results", "results"):
            result.unlink()
    shown = name if name in ("results", "results/test-sets", "judged") else f"{name}/../{path.name}"
    return Injury(f"{what}: {shown}", path)


def files_in(folder: Path, name: str) -> list[Path]:
    """What a folder of the home keeps; test sets stand below results and are no results."""
    found = folder.glob("*") if name == "results" else folder.rglob("*")
    return [path for path in found if path.is_file() and path.suffix != ".lock"]


def truncate(path: Path, rng: random.Random) -> None:
    os.truncate(path, rng.randrange(max(1, path.stat().st_size)))


def flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if content:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def truncated(run: Command, home: Path, rng: random.Random) -> Injury:
    return _damaged(run, home, rng, "truncated", truncate)


def flipped(run: Command, home: Path, rng: random.Random) -> Injury:
    return _damaged(run, home, rng, "a flipped bit", flip)


def deleted(run: Command, home: Path, rng: random.Random) -> Injury:
    return _damaged(run, home, rng, "deleted", lambda path, rng: path.unlink())


DAMAGES = (truncated, flipped, deleted)
"""These are for later moments, so that there is something to damage, and for what a finished run left."""
INJURIES = (
    kill, terminate, interrupt, insist, kill_child, full_disk, read_only,
    truncated, truncated, flipped, flipped, flipped, deleted,
)  # fmt: skip
"""What the numbered cases do, one after the other."""
