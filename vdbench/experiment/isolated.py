"""Trials in a process of their own: one that ends its process, or never ends, does not take the run with it."""

from __future__ import annotations

import json
import queue
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from vdbench.datasets.children import Child, Gone
from vdbench.experiment.ahead import build_asset
from vdbench.experiment.deadline import GRACE
from vdbench.experiment.home import Home
from vdbench.experiment.lost import lost
from vdbench.experiment.progress import too_late
from vdbench.experiment.result import Failure
from vdbench.experiment.trial import Job
from vdbench.experiment.trial_log import TrialLog
from vdbench.experiment.worker import failed, run_trial
from vdbench.extensions.kinds import use
from vdbench.storage.drafts import draft_of

if TYPE_CHECKING:
    from vdbench.experiment.result import Result
    from vdbench.work.reports import Report

LOOK_EVERY = 0.2
"""Seconds between two looks at what the process has reported."""

REPORTS = "reports.jsonl"
"""What the file is called, as a draft in the home, that the process writes its reports into."""

Question = tuple[dict[str, Any], str | None, str]
"""A job, the folder of the asset that is to be built instead of carrying it out, and the file of its reports."""
Answer = str | OSError
"""How the work ended, or how the disk refused to keep its result."""


class IsolatedProcess:
    """A process that carries out one piece of work after the other, and is started again after one that ended it.

    A context manager: the process ends with the block, or with the program that started it.
    """

    def __enter__(self) -> Self:
        self._child: Child[Question, Answer] | None = None
        self._answers: queue.Queue[tuple[Child[Question, Answer], Answer | Gone | None]] = queue.Queue()
        self._news: Path | None = None
        return self

    def __exit__(self, *raised: object) -> None:
        self._end()
        self._forget_news()

    def trial(self, job: Job, report: Report) -> Result:
        """Carry out a trial as :func:`vdbench.experiment.worker.run_trial` does, whatever becomes of the process.

        Raises:
            KeyboardInterrupt: the run was asked to end.
            OSError: the disk refuses the result.
        """
        results = Home(job.home).results
        before = results.read(job.trial.id)
        cause = self._work(job, None, report, None if job.timeout is None else job.timeout + GRACE)
        if cause == "interrupted":
            raise KeyboardInterrupt("the run was asked to end")
        result = results.read(job.trial.id)
        if result is None or (result == before and result.status == "failed"):
            late = cause == "late" and job.timeout is not None
            why = Failure(kind="timeout", stage="distill", message=too_late(job.timeout or 0)) if late else None
            result = failed(job, why) if why else lost(job, cause)
            results.write(result)
        return result

    def asset(self, job: Job, folder: Path, report: Report) -> None:
        """Build a shared asset. A failure is left to the trials that need it.

        Raises:
            KeyboardInterrupt: the run was asked to end.
        """
        if self._work(job, folder, report, None) == "interrupted":
            raise KeyboardInterrupt("the run was asked to end")

    def _work(self, job: Job, folder: Path | None, report: Report, limit: float | None) -> str:
        """Hand work over and listen until it has ended: by itself, or how else.

        Raises:
            OSError: the disk refused to keep its result.
        """
        self._forget_news()
        news = self._news = draft_of(job.home / REPORTS)  # swept by the next run if this process is killed
        news.touch()
        if self._child is None:
            self._child = Child(_worker, (), self._answers)
            if isinstance(self._answers.get()[1], Gone):  # before it was ready, which is said once
                return self._end()
        self._child.ask((job.model_dump(mode="json"), None if folder is None else str(folder), str(news)))
        started, heard = time.monotonic(), 0
        while True:
            try:
                answer: Answer | Gone | None = self._answers.get(timeout=LOOK_EVERY)[1]
            except queue.Empty:
                answer = None
            heard = _pass_on(news, heard, report)
            if isinstance(answer, str):
                return answer
            if isinstance(answer, OSError):
                raise answer
            if isinstance(answer, Gone):
                return self._end()
            if limit is not None and time.monotonic() - started > limit:
                self._end()
                return "late"

    def _forget_news(self) -> None:
        if self._news is not None:
            with suppress(OSError):  # the next run sweeps it
                self._news.unlink()

    def _end(self) -> str:
        """End the process, and say how it ended."""
        if self._child is None:
            return ""
        child, self._child = self._child, None
        child.kill()
        while not self._answers.empty():
            self._answers.get()
        code = child.process.returncode
        return signal.Signals(-code).name if code < 0 else f"it ended with exit status {code}"


def _pass_on(news: Path, heard: int, report: Report) -> int:
    """Pass on the reports beyond those bytes that were heard; lines that are not finished wait."""
    with news.open("rb") as file:
        file.seek(heard)
        fresh = file.read()
    whole = fresh[: fresh.rfind(b"\n") + 1]
    for line in whole.splitlines():
        step, metrics = json.loads(line)
        report(step, **metrics)
    return heard + len(whole)


def _worker() -> Callable[[Question], Answer]:
    """What answers in the process."""
    return _carry_out


def _carry_out(question: Question) -> Answer:
    asked, folder, news = question
    job = Job.model_validate(asked)
    with Path(news).open("a", encoding="utf-8") as file:

        def report(step: int, **metrics: Any) -> None:
            file.write(json.dumps([step, metrics]) + "\n")
            file.flush()

        try:
            if folder is None:
                use(job.plugins)  # a trial's id has the code of its students
                with TrialLog(Home(job.home).log(job.trial.id)).crashes():
                    run_trial(job, report)
            else:
                build_asset(job, Path(folder), report)
        except KeyboardInterrupt:
            return "interrupted"
        except OSError as error:  # the result could not be written, which is told as where no process is between
            return error
    return "done"
