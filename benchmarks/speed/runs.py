"""Whole runs beside those of an earlier version: what a trial costs beside its stages, and a small demo.

Run it with ``python benchmarks/speed/runs.py --base COMMIT``, on Linux. Trials of ``random`` and ``full`` with a single
training step have next to nothing to do; both versions carry out some, in turns, inline and through Ray, in a home that
is there already, so that neither rendering the clips nor the first trial counts. The demo is a part of what
``vdbench run`` did at 5eb3ef8, with a quarter of the steps: inline and in a new home, from the command to its end.
Processor time of all processes counts, so that a busy machine shows less than in seconds. The numbers of results are
asserted, times are not.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from earlier import ROOT, by_code_of, sources

STEP = ("protocol.size=8", "protocol.recipe.min_steps=1", "protocol.recipe.max_steps=1", "protocol.evaluation_seeds=1")
DEMO = "full,random,dm,mtt"
QUARTER = ("protocol.recipe.min_steps=50", "protocol.recipe.max_steps=100", "dm.iterations=12", "mtt.iterations=8",
           "mtt.trajectory.max_start=2")  # fmt: skip
"""Of the steps and iterations of the demo."""
TICK = os.sysconf("SC_CLK_TCK")
PAUSE = 0.1
"""Seconds between two looks at a run."""


class Seen(NamedTuple):
    """A trial of a run, on average over all but the first tenth.

    Attributes:
        beside: seconds beside its stages, of the worker that it had; Ray has one for each core.
        processor: processor seconds of all processes, its stages among them.
    """

    beside: float
    processor: float


def typed(home: Path, seeds: int, scheduler: str, methods: str, *settings: str) -> list[str]:
    """The command of a run at IPC 1."""
    words = [word for one in settings for word in ("--set", one)]
    options = {"datasets": "motion-digits", "suite": "quick", "ipc": 1, "methods": methods, "seeds": seeds,
               "scheduler": scheduler, "home": home}  # fmt: skip
    return [sys.executable, "-m", "vdbench.cli", "run", *(f"--{key}={value}" for key, value in options.items()), *words]


def started(command: list[str], root: Path) -> subprocess.Popen[bytes]:
    """A command by some version's code, on one math thread."""
    silent, env = subprocess.DEVNULL, by_code_of(root) | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=silent, stderr=silent, env=env, cwd=root)


def results(home: Path) -> dict[str, dict[str, object]]:
    """All results of a home, by their files' names."""
    return {path.name: json.loads(path.read_text()) for path in (home / "results").glob("*.json")}


def trials(root: Path, home: Path, scheduler: str, seeds: int) -> Seen:
    """Carry out the trials of more seeds than the home has."""
    before = set(results(home))
    new = 2 * seeds - len(before)
    first: tuple[int, float, float] | None = None
    with started(typed(home, seeds, scheduler, "random", *STEP), root) as process:
        while (there := len(list((home / "results").glob("*.json"))) - len(before)) < new:
            if first is None and 10 * there >= new:
                first = (there, time.perf_counter(), processor_of(process.pid))
            assert process.poll() is None, f"{there} of {new} trials were carried out"
            time.sleep(PAUSE)
        ended, spent = time.perf_counter(), processor_of(process.pid)
    assert first is not None
    stages = [stage["seconds"] for name, one in results(home).items() if name not in before
              for stage in one["stages"].values()]  # fmt: skip
    count, workers = new - first[0], 1 if scheduler == "inline" else len(os.sched_getaffinity(0))
    return Seen(workers * (ended - first[1]) / count - sum(stages) / new, (spent - first[2]) / count)


def processor_of(root: int) -> float:
    """Processor seconds so far of a process, of those that it started and of those that these started."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        number = int(path.parent.name)
        parents[number], spent[number] = int(fields[1]), sum(map(int, fields[11:15])) / TICK
    family = {root}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(spent.get(number, 0.0) for number in family)


def demo(root: Path, home: Path) -> tuple[float, dict[str, object]]:
    """Processor seconds of the demo, and the first network's top-1 by method."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started(typed(home, 1, "inline", DEMO, *QUARTER), root).wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = results(home).values()
    assert len(found) == len(DEMO.split(",")), f"{len(found)} trials were carried out"
    scores = {str(one["method"]): one["students"][0]["scores"][0]["top1"] for one in found}
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, scores


def main() -> None:
    """Measure both versions in turns, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", metavar="COMMIT", default="5eb3ef8", help="or a folder of its sources")
    parser.add_argument("--scheduler", nargs="*", default=["inline", "ray"], choices=["inline", "ray"])
    parser.add_argument("--trials", type=int, default=60, help="of a turn")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each version")
    parser.add_argument("--clips", type=Path, metavar="HOME", help="where motion-digits is rendered, for a quick look")
    parser.add_argument("--demo", action=argparse.BooleanOptionalAction, default=True)
    asked = parser.parse_args()
    print("| run | before | now | |\n|---|---|---|---|", flush=True)
    with sources(asked.base) as base, TemporaryDirectory() as folder:
        sides = {"before": base, "now": ROOT}
        homes = {side: Path(folder) / side for side in sides}
        for side in homes if asked.clips else ():
            homes[side].mkdir()
            for part in ("videos", "stores"):
                (homes[side] / part).symlink_to(asked.clips.resolve() / part)
        for side, root in sides.items() if asked.scheduler else ():
            started(typed(homes[side], 1, "inline", "random", *STEP), root).wait()
        seeds = 1
        for scheduler in asked.scheduler:
            seen: dict[str, list[Seen]] = {side: [] for side in sides}
            for _ in range(asked.rounds):
                seeds += asked.trials // 2
                for side, root in sides.items():
                    seen[side].append(trials(root, homes[side], scheduler, seeds))
            for what, unit in zip(("beside its stages", "processor time"), Seen._fields, strict=True):
                values = {side: [getattr(one, unit) for one in all_] for side, all_ in seen.items()}
                told = [" ".join(f"{1000 * value:.0f}" for value in values[side]) + " ms" for side in sides]
                ratio = median(now / was for was, now in zip(*values.values(), strict=True))
                print(f"| a trial {scheduler}, {what} | {' | '.join(told)} | {ratio:.2f} |", flush=True)
        if asked.demo:
            whole = {side: demo(root, Path(folder) / f"{side} demo") for side, root in sides.items()}
            (before, old), (now, new) = whole.values()
            alike = sum(old[name] == new[name] for name in old)
            print(f"| demo, {alike} of {len(old)} results equal | {before:.0f} s | {now:.0f} s | {now / before:.2f} |")


if __name__ == "__main__":
    main()
