"""Decoding in worker processes: one file at a time on one thread, with a limit after which a worker is killed."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

from vdbench import files
from vdbench.datasets.readers import ReaderName, ReadError, load_reader, read_frames, reader_title
from vdbench.datasets.store import Decode, write_row
from vdbench.errors import DataError

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from vdbench.datasets.geometry import Geometry
    from vdbench.datasets.readers import ClipFacts


@dataclass(frozen=True)
class Job:
    """One file to decode into one row.

    Attributes:
        id: the clip's name.
        path: its video.
        row: where its pixels go.
    """

    id: str
    path: Path
    row: int


@dataclass(frozen=True)
class Target:
    """Where decoded clips go, and how they are made.

    Attributes:
        path: the ``clips.npy`` that rows are written into.
        rows: how many rows it has.
        geometry: the shape of a clip.
        reader: the decoder.
    """

    path: Path
    rows: int
    geometry: Geometry
    reader: ReaderName


def decode_file(job: Job, target: Target) -> Decode:
    """Hash and decode one file and write its row.

    Raises:
        OSError: the row cannot be written, as when the disk is full.
    """
    try:
        sha256 = files.file_sha256(job.path)
    except OSError as error:
        return Decode(status="broken", message=f"cannot be read ({error.strerror})")
    try:
        clip, facts = read_frames(job.path, target.geometry, target.reader)
    except ReadError as error:
        return Decode(status="broken", message=str(error), sha256=sha256)
    except Exception as error:  # whatever a decoder throws at a damaged file must not end the work
        return Decode(status="broken", message=f"cannot be decoded ({type(error).__name__})", sha256=sha256)
    write_row(target.path, job.row, target.rows, clip)
    return _describe(facts, target, sha256, hashlib.sha256(clip.tobytes()).hexdigest())


def _describe(facts: ClipFacts, target: Target, sha256: str, pixels: str) -> Decode:
    notes = []
    truncated, short = facts.frames < facts.header_frames, facts.frames < target.geometry.frames
    if truncated:
        notes.append(f"decodes to {facts.frames} frames, but its header promises {facts.header_frames}")
    if short:
        notes.append(f"has {facts.frames} of {target.geometry.frames} frames; its last frame is repeated")
    if facts.reader != target.reader:
        notes.append(f"is read by {reader_title(facts.reader)}")
    return Decode(
        status="truncated" if truncated else "padded" if short else "ok",
        message="; ".join(notes),
        sha256=sha256,
        pixels=pixels,
        frames=facts.frames,
        header_frames=facts.header_frames,
        fps=facts.fps,
        width=facts.width,
        height=facts.height,
    )


def decode_all(jobs: Iterable[Job], target: Target, workers: int, timeout: float) -> Iterator[tuple[Job, Decode]]:
    """Decode files over worker processes, in whatever order they finish.

    A file that takes longer than ``timeout`` is given up and its worker killed; a file that crashes its worker is
    broken. Neither stops the others.

    Args:
        jobs: the files.
        target: where clips go.
        workers: processes.
        timeout: seconds that one file may take.

    Raises:
        DataError: a row cannot be written.
    """
    waiting = deque(jobs)
    crew = [_Worker(target) for _ in range(min(workers, len(waiting)))]
    try:
        while waiting or any(worker.job for worker in crew):
            for worker in crew:
                if worker.idle and waiting:
                    worker.start(waiting.popleft(), timeout)
            for i, worker in _reported(crew):
                job, answer = worker.collect(timeout)
                if not worker.alive:
                    worker.kill()
                    crew[i] = _Worker(target)
                if isinstance(answer, OSError):
                    raise DataError(
                        f"{target.path} cannot be written ({answer.strerror}); free some disk and prepare again"
                    )
                if job is not None and answer is not None:
                    yield job, answer
    finally:
        for worker in crew:
            worker.kill()


def _reported(crew: list[_Worker]) -> list[tuple[int, _Worker]]:
    """Wait until a worker has something to say, has died, or is out of time; give those, with their places."""
    nearest = min(worker.deadline for worker in crew)
    ready = wait([worker.connection for worker in crew], max(0.0, min(nearest - time.monotonic(), 3600.0)))
    now = time.monotonic()
    return [(i, worker) for i, worker in enumerate(crew) if worker.connection in ready or worker.deadline <= now]


class _Worker:
    """One process that decodes, seen from the parent."""

    def __init__(self, target: Target) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_serve, args=(theirs, target), daemon=True)
        self.process.start()
        theirs.close()
        self.alive = True
        self.idle = False  # until it reports that its imports are done, so that they do not count as decoding
        self.job: Job | None = None
        self.deadline = float("inf")

    def start(self, job: Job, timeout: float) -> None:
        """Hand over a file."""
        self.job, self.idle, self.deadline = job, False, time.monotonic() + timeout
        self.connection.send(job)

    def collect(self, timeout: float) -> tuple[Job | None, Decode | OSError | None]:
        """What became of the file at hand; nothing when the worker only reports that it is ready."""
        job, self.job, self.deadline = self.job, None, float("inf")
        answer: Decode | OSError | None
        if self.connection.poll():
            try:
                answer = self.connection.recv()
                self.idle = True
            except (EOFError, ConnectionError):
                if job is None:
                    raise DataError("a decoding process cannot be started; try again with --workers 1") from None
                self.alive = False
                answer = Decode(status="broken", message="crashes the decoder")
        else:
            self.alive = False
            answer = Decode(status="timeout", message=f"was not decoded within {timeout:g} seconds")
        return job, answer

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.join()
        self.connection.close()


def _serve(connection: Connection, target: Target) -> None:
    """A worker's life: report that it is ready, then decode whatever comes, until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interruption means
    threading.Thread(target=_die_with_parent, daemon=True).start()
    load_reader(target.reader)
    connection.send(None)
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        try:
            connection.send(decode_file(job, target))
        except OSError as error:
            connection.send(error)


def _die_with_parent() -> None:
    """End this process when its parent is gone, also in the middle of a decode that hangs."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
