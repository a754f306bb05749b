"""Progress: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from vdbench.api.screen import Screen
from vdbench.experiment.remaining import Remaining
from vdbench.storage.amounts import human_seconds
from vdbench.work.reports import Report, silent

if TYPE_CHECKING:
    from rich.console import Console

    from vdbench.experiment.result import Result
    from vdbench.experiment.trial import Job

LINE_EVERY = 10.0
"""Seconds between two plain lines about the same work."""
TRIAL_LINE_EVERY = 60.0
"""Seconds between two plain lines about the same trial."""


COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


@contextmanager
def counting(title: str, console: Console) -> Iterator[Callable[[int, int], None]]:
    """Show ``done`` of ``total``: a bar with time left on a terminal, a line now and then elsewhere.

    Nothing is shown before the first count, and so nothing at all where there was nothing to do.
    """
    if console.is_terminal:
        with ExitStack() as shown:
            yield _counted(title, shown, console)
        return
    last = time.monotonic()
    started = last

    def line(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LINE_EVERY or done == total:
            last = now
            left = f", {human_seconds((now - started) / done * (total - done))} left" if 0 < done < total else ""
            console.print(f"{title}: {done} of {total}{left}")

    yield line


def _counted(title: str, shown: ExitStack, console: Console) -> Callable[[int, int], None]:
    """What moves a bar, which appears with the first count."""
    bar, tasks = Progress(*COLUMNS, TextColumn("left"), TimeRemainingColumn(), console=console), list[TaskID]()

    def move(done: int, total: int) -> None:
        if not tasks:
            tasks.append(bar.add_task(title, total=total))
            shown.enter_context(bar)
        bar.update(tasks[0], completed=done, total=total)

    return move


class _Pace:
    """How fast a trial gets on with the stage that it is in."""

    def __init__(self) -> None:
        self._stage = ""
        self._first = (0, 0.0)

    def words(self, step: int, metrics: dict[str, Any]) -> str:
        """Where the trial is: ``distill  step 40 of 150, 22 s left  loss 0.83``."""
        stage, total, now = str(metrics.get("stage", "")), metrics.get("of"), time.monotonic()
        if stage != self._stage or step < self._first[0]:
            self._stage, self._first = stage, (step, now)
        first, began = self._first
        place = f"step {step}"
        if isinstance(total, int):
            left = (now - began) / (step - first) * (total - step) if first < step < total else 0
            place += f" of {total}" + (f", {human_seconds(left)} left" if left else "")
        numbers = [f"{name} {value:.3g}" for name, value in metrics.items() if isinstance(value, float)]
        return "  ".join([stage, place, *numbers])


class PlainRun:
    """A listener that prints a line when a trial ends, and now and then how far a long one is.

    Args:
        total: trials of this run.
        console: where lines go.
        remaining: knows the time left; None where nothing was estimated.
    """

    def __init__(self, total: int, console: Console, remaining: Remaining | None = None) -> None:
        self._total, self._console = total, console
        self._remaining = remaining or Remaining()
        self._ended = 0
        self._paces: dict[str, _Pace] = {}
        self._told: dict[str, float] = {}

    def preparing(self, what: str) -> None:
        """Say what is built for all trials, pieces of the same kind once."""
        if what not in self._told:
            self._console.print(f"building {what}")
        self._told[what] = time.monotonic()

    def building(self, what: str, step: int, metrics: dict[str, Any]) -> None:
        """A line, where the last one about this work is a minute old."""
        self._remaining.building(what, step, metrics)
        words = self._paces.setdefault(what, _Pace()).words(step, metrics)
        if time.monotonic() - self._told[what] >= TRIAL_LINE_EVERY:
            self._told[what] = time.monotonic()
            self._console.print(f"{what}: {words}{self._left()}")

    def built(self, what: str) -> None:
        """Nothing to say."""
        self._remaining.built(what)

    def started(self, job: Job) -> None:
        """Nothing to say yet."""
        self._remaining.all_built()
        self._paces[job.trial.id] = _Pace()
        self._told[job.trial.id] = time.monotonic()

    def progressed(self, job: Job, step: int, metrics: dict[str, Any]) -> None:
        """A line, where the last one about this trial is a minute old."""
        trial, now = job.trial.id, time.monotonic()
        self._remaining.progressed(trial, step, metrics)
        words = self._paces[trial].words(step, metrics)
        if now - self._told[trial] >= TRIAL_LINE_EVERY:
            self._told[trial] = now
            self._console.print(f"{job.trial.title}: {words}{self._left()}")

    def finished(self, job: Job, result: Result) -> None:
        """One line: the place in the run, the trial, what came of it, the time left."""
        self._ended += 1
        self._remaining.ended(job.trial.id)
        place = f"[{self._ended}/{self._total}]"
        self._console.print(f"{place} {job.trial.title}: {describe(result)}{self._left()}")

    def close(self) -> None:
        """Nothing to end."""

    def _left(self) -> str:
        """The time left of the whole run."""
        seconds = self._remaining.seconds() if self._ended < self._total else 0.0
        return f"  (about {human_seconds(seconds)} left of the run)" if seconds else ""


class LiveRun:
    """A listener that keeps a table of what is running under a bar with the time left.

    Args:
        total: trials of this run.
        console: a terminal.
        remaining: knows the time left; None where nothing was estimated.
    """

    def __init__(self, total: int, console: Console, remaining: Remaining | None = None) -> None:
        self._remaining = remaining or Remaining()
        self._bar = Progress(*COLUMNS, TextColumn("{task.fields[left]}"), console=console)
        self._task = self._bar.add_task("trials", total=total, left="")
        self._running: dict[str, tuple[str, str]] = {}
        self._trials: set[str] = set()
        self._paces: dict[str, _Pace] = {}
        self._live = Live(console=console, refresh_per_second=4, get_renderable=self._render, transient=True)
        self._live.start()

    def preparing(self, what: str) -> None:
        """Show what is built for all trials, pieces of the same kind once."""
        if what not in self._paces:
            self._live.console.print(f"building {what}")
        self._paces[what] = _Pace()

    def building(self, what: str, step: int, metrics: dict[str, Any]) -> None:
        """Show how far shared work is."""
        self._remaining.building(what, step, metrics)
        self._running[what] = (what, self._paces[what].words(step, metrics))

    def built(self, what: str) -> None:
        """Nothing to show: the next piece takes the row."""
        self._remaining.built(what)

    def started(self, job: Job) -> None:
        """Add a row; shared work is done."""
        self._remaining.all_built()
        for what in [name for name in self._running if name not in self._trials]:
            del self._running[what]
        self._trials.add(job.trial.id)
        self._running[job.trial.id] = (job.trial.title, "starting")
        self._paces[job.trial.id] = _Pace()

    def progressed(self, job: Job, step: int, metrics: dict[str, Any]) -> None:
        """Change the row."""
        self._remaining.progressed(job.trial.id, step, metrics)
        self._running[job.trial.id] = (job.trial.title, self._paces[job.trial.id].words(step, metrics))

    def finished(self, job: Job, result: Result) -> None:
        """Turn the row into a line above the table."""
        self._running.pop(job.trial.id, None)
        self._remaining.ended(job.trial.id)
        self._bar.advance(self._task)
        self._live.console.print(f"{job.trial.title}: {describe(result)}")

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._live.stop()

    def _render(self) -> Group:
        table = Table.grid(padding=(0, 2))
        for title, state in self._running.values():
            table.add_row(title, state)
        seconds = self._remaining.seconds()
        self._bar.update(self._task, left=f"about {human_seconds(seconds)} left" if seconds else "")
        return Group(table, self._bar)


def describe(result: Result) -> str:
    """What came of a trial: its top-1 per student, or why it failed."""
    if result.failure is not None:
        return f"failed ({result.failure.kind}) {result.failure.message}"
    parts = []
    for student in result.students:
        top1 = [100 * score.top1 for score in student.scores]
        parts.append(f"{student.student} {sum(top1) / len(top1):.1f} %")
    cost = result.stages["distill"].seconds + result.stages["evaluate"].seconds
    return f"top-1 {', '.join(parts)} in {human_seconds(cost)}"


def listening(total: int) -> LiveRun | PlainRun | None:
    """What shows a run that was started from Python: live on a terminal, lines in a notebook, else nothing."""
    console = Screen(stderr=True)
    if not total or not (console.is_jupyter or console.is_terminal):
        return None
    return PlainRun(total, console) if console.is_jupyter else LiveRun(total, console)


@contextmanager
def watching(title: str) -> Iterator[Report]:
    """A report that moves a bar on a terminal, and elsewhere says nothing."""
    console = Screen(stderr=True)
    if console.is_jupyter or not console.is_terminal:
        yield silent
        return
    with counting(title, console) as count:
        yield lambda step, of=None, **metrics: count(step, of) if isinstance(of, int) else None
