"""Preparing a data set: decode every clip once into a store, and check a store later."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from vdbench.clips.rows import CLIPS
from vdbench.datasets import motion_digits
from vdbench.datasets.alike import tell_alike
from vdbench.datasets.completeness import check_classes, check_complete, check_same, tell_near_misses
from vdbench.datasets.draft import Draft, disk_needed
from vdbench.datasets.layouts import read_index
from vdbench.datasets.readers import default_reader
from vdbench.datasets.spec import load_dataset
from vdbench.datasets.store import ClipStore, find_store, store_folder
from vdbench.datasets.workers import video_sha256
from vdbench.errors import DataError, LaterError, UsageError
from vdbench.storage import files

if TYPE_CHECKING:
    from vdbench.datasets.draft import Progress
    from vdbench.datasets.geometry import Geometry
    from vdbench.datasets.spec import DatasetSpec

__all__ = ["disk_needed", "prepare", "prepared_store", "store_named", "verify"]


def prepare(  # noqa: PLR0913 - what to decode, whereto, and how are told apart by keywords
    spec: DatasetSpec,
    data_root: Path | None,
    home: Path,
    *,
    reader: str | None = None,
    workers: int | None = None,
    partial: bool = False,
    timeout: float = 60.0,
    geometry: Geometry | None = None,
    on_progress: Progress | None = None,
) -> ClipStore:
    """Decode a data set into a clip store, or find that this was done.

    The same files give the same bytes, whatever the number of workers. Killed at any moment, it goes on where it was
    when it is called again.

    Args:
        spec: the data set.
        data_root: where videos lie; not needed for a data set that vdbench renders itself.
        home: where stores are kept.
        reader: the decoder; decord when left out, or PyAV where decord cannot be loaded.
        workers: processes; one per processor core when left out.
        partial: whether clips and classes may be missing.
        timeout: seconds that one file may take.
        geometry: the shape of a clip; the data set's own when left out.
        on_progress: hears of every clip.

    Raises:
        UsageError: ``workers`` or ``timeout`` is not positive.
        DataError: something is missing or malformed, or the disk is too small.
    """
    workers = _cores() if workers is None else workers
    if workers < 1 or timeout <= 0:
        raise UsageError(
            f"preparing needs at least 1 worker and a timeout above 0 seconds, not {workers} and {timeout:g}"
        )
    geometry, reader = geometry or spec.geometry, reader or default_reader()
    folder = store_folder(home, spec, geometry, reader)
    with files.touching_disk(home):
        index = read_index(spec, video_root(spec, data_root, home))
        if partial:
            check_same(spec, index)
            tell_near_misses(spec, index)
        else:
            check_complete(spec, index)
        draft = Draft(folder.with_name(f".{folder.name}.draft"), spec, index, geometry, reader)
        if (store := _finished(folder, draft.request)) is None:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.with_name(f".{folder.name}.lock")):
                if (store := _finished(folder, draft.request)) is None:
                    manifest = draft.decode(workers, timeout, on_progress or (lambda done, total: None))
                    store = draft.finish(folder, manifest)
                    if spec.source is not None:
                        tell_alike(store.manifest)
    if not partial:
        check_classes(store.manifest)
    return store


def prepared_store(
    named: str,
    home: Path,
    frames: int | None = None,
    size: int | None = None,
    on_progress: Progress | None = None,
) -> ClipStore:
    """The store of a prepared data set; one that vdbench renders itself is prepared here if need be.

    Args:
        named: the data set's name, or the path of its YAML file.
        home: where stores are kept.
        frames: frames wanted per clip, or None.
        size: pixels wanted per side, or None.
        on_progress: hears how far preparing is.

    Raises:
        DataError: it is not prepared; the sentence offers the command.
    """
    spec = load_dataset(named, home)
    own = spec.geometry
    fits = (frames or own.frames) <= own.frames and (size or own.size) <= own.size
    if spec.layout == "rendered" and fits:
        return prepare(spec, None, home, on_progress=on_progress)
    if spec.source is not None and (folder := spec.source.folder()) is not None and folder.is_dir():
        geometry = own if fits else own.at(frames, size)
        return prepare(spec, None, home, partial=True, geometry=geometry, on_progress=on_progress)
    return store_named(named, home, frames, size)


def store_named(
    named: str, home: Path, frames: int | None = None, size: int | None = None, *, look: bool = True
) -> ClipStore:
    """The store of a data set that was prepared: that of :func:`find_store`.

    Raises:
        DataError: it is not prepared; the command that the sentence offers calls the data set as it was named.
    """
    spec = load_dataset(named, home)
    try:
        return find_store(home, spec, frames=frames, size=size, look=look)
    except LaterError:
        raise
    except DataError as error:
        raise DataError(error.sentence, [named if word == spec.name else word for word in error.command]) from None


def verify(store: ClipStore, data_root: Path | None) -> list[str]:
    """Hash every file and every row of a store again.

    Returns:
        One sentence per fault; none when files and rows are those that were prepared.
    """
    manifest = store.manifest
    index = read_index(manifest.spec, video_root(manifest.spec, data_root, store.folder.parents[1]))
    paths = {entry.id: entry.path for entry in index.entries}
    faults = []
    hashed = cache(video_sha256)  # several clips may be parts of one video
    changed = {clip.id for clip in store.changed(manifest.clips)}
    for clip in manifest.clips:
        path = paths.get(clip.id)
        if clip.decode.sha256 is not None and path is None:
            faults.append(f"{clip.id} is missing, though it was there when the store was made")
        elif clip.decode.sha256 is not None and path is not None and hashed(path) != clip.decode.sha256:
            faults.append(f"{clip.id} is not the file that the store was made from")
        elif clip.decode.status == "missing" and path is not None:
            faults.append(f"{clip.id} is there now, though it was missing when the store was made")
        if clip.id in changed:
            faults.append(f"{clip.id} has other pixels in row {clip.row} of {CLIPS} than were written")
    return faults


def video_root(spec: DatasetSpec, data_root: Path | None, home: Path) -> Path:
    """Where to look for the videos of a data set: where it says, or else where the user does.

    Raises:
        DataError: neither says.
    """
    if spec.layout == "rendered":
        return motion_digits.videos(home)
    own = None if spec.source is None else spec.source.folder()
    if own is not None and (own.is_dir() or data_root is None):
        return own
    if data_root is None:
        raise DataError(f"{spec.name} needs its videos; say where they lie with --data-root or VDBENCH_DATA")
    return data_root


def _finished(folder: Path, request: str) -> ClipStore | None:
    """The store in a folder, if it is whole and what is asked for."""
    try:
        store = ClipStore.open(folder)
    except LaterError:
        raise
    except DataError:
        return None
    return store if store.manifest.request == request else None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
