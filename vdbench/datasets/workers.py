"""Decoding in worker processes: one file at a time on one thread, with a limit after which a worker is killed."""

from __future__ import annotations

import hashlib
import json
import queue
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vdbench.clips.rows import write_row
from vdbench.datasets.alike import looks_of
from vdbench.datasets.children import Child, Gone
from vdbench.datasets.manifest import Decode
from vdbench.datasets.readers import ReadError, load_reader, read_frames, reader_title
from vdbench.errors import DataError
from vdbench.extensions.kinds import use
from vdbench.storage import files

if TYPE_CHECKING:
    from vdbench.datasets.geometry import Geometry
    from vdbench.datasets.layouts.index import Segment
    from vdbench.datasets.readers import ClipFacts


@dataclass(frozen=True)
class Job:
    """One file to decode into one row.

    Attributes:
        id: the clip's name.
        path: its video.
        row: where its pixels go.
        segment: the part of the video to take; None for all of it.
    """

    id: str
    path: Path
    row: int
    segment: Segment | None = None


@dataclass(frozen=True)
class Target:
    """Where decoded clips go, and how they are made.

    Attributes:
        path: the ``clips.npy`` that rows are written into.
        rows: how many rows it has.
        geometry: the shape of a clip.
        reader: the decoder.
        plugins: the plugin file that the reader comes from; none for an installed one.
    """

    path: Path
    rows: int
    geometry: Geometry
    reader: str
    plugins: tuple[Path, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Of all rows, ``(N, T, H, W, 3)``."""
        return (self.rows, self.geometry.rows, self.geometry.size, self.geometry.size, 3)


def decode_file(job: Job, target: Target) -> Decode:
    """Hash and decode one file and write its row.

    Raises:
        OSError: the row cannot be written, as when the disk is full.
    """
    try:
        sha256 = video_sha256(job.path)
    except OSError as error:
        return Decode(status="broken", message=f"cannot be read ({error.strerror})")
    try:
        clip, facts = read_frames(job.path, target.geometry, target.reader, job.segment)
    except ReadError as error:
        return Decode(status="broken", message=str(error), sha256=sha256)
    except Exception as error:  # whatever a decoder throws at a damaged file must not end the work
        return Decode(status="broken", message=f"cannot be decoded ({type(error).__name__})", sha256=sha256)
    try:
        write_row(target.path, target.shape, job.row, clip)
    except ValueError:
        return Decode(status="broken", message=f"decodes to {clip.dtype} {clip.shape}, which is no clip", sha256=sha256)
    pixels = hashlib.sha256(clip.data).hexdigest()
    return _describe(facts, target, sha256, pixels, looks_of(clip))


def video_sha256(path: Path) -> str:
    """SHA-256 of a video file, or of all files of a folder of frames.

    Raises:
        OSError: it cannot be read.
    """
    if not path.is_dir():
        return files.file_sha256(path)
    inside = [[file.name, files.file_sha256(file)] for file in sorted(path.iterdir()) if file.is_file()]
    return hashlib.sha256(json.dumps(inside).encode()).hexdigest()


def _describe(facts: ClipFacts, target: Target, sha256: str, pixels: str, looks: str) -> Decode:
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
        looks=looks,
    )


def decode_all(jobs: Iterable[Job], target: Target, workers: int, timeout: float) -> Iterator[tuple[Job, Decode]]:
    """Decode files over worker processes, in whatever order they finish.

    A file that takes longer than ``timeout`` is given up and its worker killed; a file that crashes its worker is
    broken. Neither stops the others.

    Raises:
        DataError: a row cannot be written.
    """
    waiting = deque(jobs)
    heard: _Heard = queue.Queue()
    crew = [_Worker(target, heard) for _ in range(min(workers, len(waiting)))]
    try:
        while waiting or any(worker.job for worker in crew):
            for worker in crew:
                if worker.idle and waiting:
                    worker.start(waiting.popleft(), timeout)
            for worker, answer in _reported(crew, heard, timeout):
                job, decode = worker.collect(answer)
                if isinstance(decode, OSError):
                    raise DataError(f"{files.refused(decode, target.path)} and prepare again")
                if job is not None and decode is not None:
                    yield job, decode
    finally:
        for worker in crew:
            worker.child.kill()


def _reported(crew: list[_Worker], heard: _Heard, timeout: float) -> list[tuple[_Worker, _Answer]]:
    """Wait until a worker has something to say, has died, or is out of time; give those, with what they say."""
    nearest = min(worker.deadline for worker in crew)
    said: dict[_Child, _Answer] = {}
    with suppress(queue.Empty):
        child, answer = heard.get(timeout=max(0.0, min(nearest - time.monotonic(), 3600.0)))
        said[child] = answer
    now, late = time.monotonic(), Decode(status="timeout", message=f"was not decoded within {timeout:g} seconds")
    return [(worker, said.get(worker.child, late)) for worker in crew if worker.child in said or worker.deadline <= now]


class _Worker:
    """One process that decodes, seen from the parent; one that dies or hangs is replaced."""

    def __init__(self, target: Target, heard: _Heard) -> None:
        self._target, self._heard = target, heard
        self._begin()

    def _begin(self) -> None:
        self.child: _Child = Child(_decoder, (self._target,), self._heard)
        self.idle = False  # until it reports that its imports are done, so that they do not count as decoding
        self.job: Job | None = None
        self.deadline = float("inf")

    def start(self, job: Job, timeout: float) -> None:
        """Hand over a file."""
        self.job, self.idle, self.deadline = job, False, time.monotonic() + timeout
        self.child.ask(job)

    def collect(self, answer: _Answer) -> tuple[Job | None, Decode | OSError | None]:
        """What became of the file at hand; nothing when the worker only reports that it is ready."""
        job, self.job, self.idle, self.deadline = self.job, None, True, float("inf")
        if isinstance(answer, Gone):
            if job is None:
                raise DataError("a decoding process cannot be started; try again with --workers 1")
            answer = Decode(status="broken", message="crashes the decoder")
        elif not (isinstance(answer, Decode) and answer.status == "timeout"):
            return job, answer
        self.child.kill()
        self._begin()
        return job, answer


def _decoder(target: Target) -> Callable[[Job], Decode | OSError]:
    """What a worker does, once it has imported what that takes."""
    use(target.plugins)
    load_reader(target.reader)

    def decode(job: Job) -> Decode | OSError:
        try:
            return decode_file(job, target)
        except OSError as error:
            return error

    return decode


_Answer = Decode | OSError | Gone | None
_Child = Child[Job, Decode | OSError]
_Heard = queue.Queue[tuple[_Child, _Answer]]
