"""A clip store in the making: a folder that becomes the store when it is whole, and survives being killed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from vdbench.clips.rows import CLIPS, MANIFEST, allocate_rows, open_rows
from vdbench.datasets.completeness import lack_of
from vdbench.datasets.manifest import Decode, Manifest, StoredClip, seal
from vdbench.datasets.readers import READERS, reader_version
from vdbench.datasets.store import ClipStore
from vdbench.datasets.workers import Job, Target, decode_all
from vdbench.errors import DataError
from vdbench.records import Record
from vdbench.storage import digests, files
from vdbench.storage.amounts import human_bytes

if TYPE_CHECKING:
    from vdbench.datasets.geometry import Geometry
    from vdbench.datasets.layouts import Index
    from vdbench.datasets.spec import DatasetSpec

JOURNAL = "journal.jsonl"
REQUEST = "request.txt"
SPARE = 64 * 2**20
"""Bytes of disk that stay free: the manifest and the journal need some."""

Progress = Callable[[int, int], None]
"""``on_progress(done, total)``: clips decoded so far, and clips to decode in all."""


@dataclass(frozen=True)
class Draft:
    """A store in the making.

    Attributes:
        folder: what becomes the store when it is whole.
        spec: the data set.
        index: its clips.
        geometry: the shape of a clip.
        reader: the decoder.
    """

    folder: Path
    spec: DatasetSpec
    index: Index
    geometry: Geometry
    reader: str

    @cached_property
    def request(self) -> str:
        """Hash of what is asked for: the data set, its files with their sizes, the geometry and the reader."""
        entries = [
            [
                entry.id,
                entry.class_name,
                entry.group,
                sorted(entry.roles.items()),
                entry.path and _size(entry.path),
                *([] if entry.segment is None else [entry.segment]),
            ]
            for entry in self.index.entries
        ]
        return files.digest(
            {
                "spec": self.spec.model_dump(mode="json", exclude={"source"}),
                "geometry": self.geometry.model_dump(mode="json"),
                "reader": [self.reader, reader_version(self.reader)],
                "classes": self.index.classes,
                "entries": entries,
                "unlisted": self.index.unlisted,
                **({"content": self.index.content} if self.index.content else {}),
            }
        )

    def decode(self, workers: int, timeout: float, on_progress: Progress) -> Manifest:
        """Decode what an earlier attempt did not, and describe the whole."""
        present = [(entry.id, entry.path, entry.segment) for entry in self.index.entries if entry.path is not None]
        jobs = [Job(clip, path, row, segment) for row, (clip, path, segment) in enumerate(present)]
        file = READERS.file(self.reader)
        target = Target(self.folder / CLIPS, len(jobs), self.geometry, self.reader, (file,) if file else ())
        self._open(target.shape)
        known = dict(self._journalled(jobs))
        on_progress(len(known), len(jobs))
        with (self.folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write("\n")  # the last line of an attempt that was killed may be half-written
            for job, decode in decode_all([j for j in jobs if j.id not in known], target, workers, timeout):
                known[job.id] = decode
                journal.write(_Line(id=job.id, decode=decode).model_dump_json() + "\n")
                journal.flush()
                on_progress(len(known), len(jobs))
        return self._describe({job.id: job.row for job in jobs}, known)

    def finish(self, folder: Path, manifest: Manifest) -> ClipStore:
        """Turn the draft into the store, once every row holds what was decoded; an older one for other files gives way.

        Raises:
            DataError: a row holds something else; the next attempt decodes it again.
        """
        if changed := ClipStore(self.folder, manifest).changed(manifest.clips):
            raise DataError(
                f"{len(changed)} rows of {self.folder / CLIPS} do not hold what was decoded, that of {changed[0].id} "
                "for one; prepare again, on another disk if it recurs"
            )
        files.write_json(self.folder / MANIFEST, manifest.model_dump(mode="json"))
        files.write_json(self.folder / digests.DIGESTS, digests.describe(self.folder, [MANIFEST]))
        retired = folder.with_name(f".{folder.name}.old")
        shutil.rmtree(retired, ignore_errors=True)
        if folder.exists():
            folder.rename(retired)
        self.folder.rename(folder)
        for name in (JOURNAL, REQUEST):
            (folder / name).unlink()
        shutil.rmtree(retired, ignore_errors=True)
        return ClipStore(folder, manifest)

    def _open(self, shape: tuple[int, ...]) -> None:
        """Find the draft of an earlier attempt at the same thing, or start one if the disk is large enough."""
        mark = self.folder / REQUEST
        if mark.is_file() and mark.read_text() == self.request and self._holds(shape):
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        needed = disk_needed(shape[0], self.geometry) + SPARE
        free = shutil.disk_usage(self.folder.parent).free
        if needed > free:
            raise DataError(
                f"the clip store of {self.spec.name} needs {human_bytes(needed)}, of which {human_bytes(SPARE)} stay "
                f"free, but only {human_bytes(free)} are free at "
                f"{self.folder.parent}; free some disk or name another --home"
            )
        self.folder.mkdir()
        allocate_rows(self.folder / CLIPS, shape)
        files.write_text(mark, self.request)

    def _holds(self, shape: tuple[int, ...]) -> bool:
        """Whether the rows of an earlier attempt are there, all of them."""
        try:
            return open_rows(self.folder / CLIPS).shape == shape
        except DataError:
            return False

    def _journalled(self, jobs: list[Job]) -> Iterator[tuple[str, Decode]]:
        """What an earlier attempt found out, as far as its rows hold what it wrote; files that hung are tried again."""
        journal = self.folder / JOURNAL
        if not journal.is_file():
            return
        rows, clips = {job.id: job.row for job in jobs}, open_rows(self.folder / CLIPS)
        for text in journal.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                line = _Line.model_validate_json(text)
            except ValidationError:  # the attempt was killed in the middle of this line
                continue
            pixels = line.decode.pixels
            if (
                line.id in rows
                and line.decode.status != "timeout"
                and (pixels is None or pixels == hashlib.sha256(clips[rows[line.id]].tobytes()).hexdigest())
            ):
                yield line.id, line.decode

    def _describe(self, rows: dict[str, int], known: dict[str, Decode]) -> Manifest:
        missing = Decode(status="missing", message="is not there")
        clips = []
        for entry in self.index.entries:
            decode = known.get(entry.id, missing)
            row = rows[entry.id] if decode.pixels is not None else None
            roles = dict(sorted(entry.roles.items()))
            clips.append(
                StoredClip(
                    id=entry.id,
                    class_name=entry.class_name,
                    group=entry.group,
                    roles=roles,
                    row=row,
                    decode=decode,
                    segment=entry.segment,
                )
            )
        manifest = Manifest(
            spec=self.spec,
            geometry=self.geometry,
            reader=self.reader,
            reader_version=reader_version(self.reader),
            request=self.request,
            fingerprint="",
            classes=self.index.classes,
            clips=tuple(clips),
            unlisted=self.index.unlisted,
            partial=lack_of(self.spec, self.index) is not None or any(clip.row is None for clip in clips),
        )
        return seal(manifest)


class _Line(Record):
    """One line of the journal: a clip, and what came out of decoding it."""

    id: str
    decode: Decode


def disk_needed(clips: int, geometry: Geometry) -> int:
    """Bytes that a store of so many clips takes."""
    return clips * geometry.rows * geometry.size**2 * 3


def _size(path: Path) -> int | None:
    """Bytes of a file; None where not even that may be known, which decoding will say."""
    try:
        return path.stat().st_size
    except OSError:
        return None
